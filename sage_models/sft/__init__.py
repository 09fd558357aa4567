"""Stage: supervised fine-tuning of a model on State-Action Chains (paper section 3.3: SAGE_0 -> SAGE_1).

LoRA by TRL and peft, loss on the assistant's messages alone (`sage_models.masking`). The adapter is archived and
merged, so that the result loads anywhere. The same stage trains SAGE_1(-SAC) on chains without tags, and SAGE_2,
SAGE_3 on the trajectories of the search (section 3.4).

    sage model sft base/model --data chains/ --out sage1/
"""

from __future__ import annotations

from pydantic import Field

from sage_data.stage import Context, Inputs, Need, Output
from sage_models.settings import TuningConfig

VERSION = 1
INPUTS = (
    Need("base", "checkpoint folder of the model to start from"),
    Need("data", "folder with messages-*.parquet, as sage_data.chains writes it"),
)


class Config(TuningConfig):
    """Settings of the fine-tuning. Dialogues over `max_length` are cut after a reply, and counted."""

    epochs: float = Field(5.0, gt=0, description="Passes over the data (paper: 5).")
    lr: float = Field(2e-4, gt=0, description="Peak learning rate.")
    full: bool = Field(False, description="Train every weight instead of a LoRA adapter.")


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write `model/`, `adapter/` (unless `full`), `examples-00000.parquet`, `curves.parquet` and `summary.txt`.

    Raises:
        ConfigError: the chat template cannot give an exact loss mask, or settings contradict each other.
        InputError: the base or the data is missing, or no dialogue can be trained on.
        StageError: training diverged.
    """
    # torch, TRL and peft are loaded only when the stage runs.
    from sage_models.sft.finetuning import finetune

    finetune(config, inputs.one("base").path, inputs.one("data"), out, context)
