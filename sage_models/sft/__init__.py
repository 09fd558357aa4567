"""Stage: supervised fine-tuning of a model on State-Action Chains (paper section 3.3: SAGE_0 -> SAGE_1).

LoRA by TRL and peft, loss on the assistant's messages alone (`sage_models.masking`). The adapter is archived and
merged, so that the result loads anywhere. The same stage trains SAGE_1(-SAC) on chains without tags, and SAGE_2,
SAGE_3 on the trajectories of the search (section 3.4).

    sage model sft base/model --data chains/ --out sage1/
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sage_data.stage import Context, Inputs, Need, Output, StageConfig

VERSION = 1
INPUTS = (
    Need("base", "checkpoint folder of the model to start from"),
    Need("data", "folder with messages-*.parquet, as sage_data.chains writes it"),
)


class Config(StageConfig):
    """Settings of the fine-tuning."""

    epochs: float = Field(5.0, gt=0, description="Passes over the data (paper: 5).")
    batch: int = Field(16, ge=1, description="Dialogues per optimiser step.")
    micro_batch: int | None = Field(
        None, ge=1, description="Dialogues per forward pass; must divide `batch`. Null: all of them at once."
    )
    lr: float = Field(2e-4, gt=0, description="Peak learning rate.")
    warmup: float = Field(0.03, ge=0, lt=1, description="Share of the steps in which the rate rises.")
    max_length: int | None = Field(
        None, ge=16, description="Tokens; longer dialogues are cut after a reply. Null: as long as the model can."
    )
    full: bool = Field(False, description="Train every weight instead of a LoRA adapter.")
    rank: int = Field(16, ge=1, description="LoRA rank.")
    alpha: int = Field(32, ge=1, description="LoRA scale.")
    dropout: float = Field(0.0, ge=0, lt=1, description="LoRA dropout.")
    precision: Literal["auto", "bfloat16", "float32"] = Field(
        "float32", description="Of matrix products; auto is bfloat16 where the hardware has instructions for it."
    )
    threads: int = Field(2, ge=1, description="Processor threads; other numbers give slightly other weights.")


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write `model/`, `adapter/` (unless `full`), `examples-00000.parquet`, `curves.parquet` and `summary.txt`.

    Raises:
        ConfigError: the chat template cannot give an exact loss mask, or settings contradict each other.
        InputError: the base or the data is missing, or no dialogue can be trained on.
    """
    # torch, TRL and peft are loaded only when the stage runs.
    from sage_models.sft.finetuning import finetune

    finetune(config, inputs.one("base").path, inputs.one("data"), out, context)
