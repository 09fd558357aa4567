"""Stage: direct preference optimisation on the search's choices (paper section 3.5: SAGE_3 -> SAGE_DPO).

Chosen is the candidate that the selector took, rejected a random other one; one pair for each reply of each
trajectory. LoRA by TRL and peft, the reference is the same model with the adapter off.

    sage model dpo sage2/model --trajectories search1/ --out sage-dpo/
"""

from __future__ import annotations

from pydantic import Field

from sage_data.stage import Context, Inputs, Need, Output
from sage_models.settings import TuningConfig

VERSION = 2
INPUTS = (
    Need("base", "checkpoint folder of the model to start from; it is also the reference"),
    Need("trajectories", "folder with candidates-*.parquet, as sage_models.search writes it"),
)


class Config(TuningConfig):
    """Settings of the preference learning. Pairs over `max_length` are dropped, and counted."""

    lr: float = Field(2e-5, gt=0, description="Peak learning rate.")
    warmup: float = Field(0.1, ge=0, lt=1, description="Share of the steps in which the rate rises.")
    beta: float = Field(0.1, gt=0, description="Strength of the tie to the reference model.")
    sft_weight: float = Field(0.0, ge=0, description="Weight of the chosen reply's SFT loss beside the preference's.")


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write `pairs-00000.parquet`, `model/`, `adapter/`, `curves.parquet` and `summary.txt`.

    Raises:
        ConfigError: the chat template renders a prompt otherwise once it is answered, or settings contradict.
        InputError: the base or the candidates are missing, or they give no pair.
        StageError: training diverged.
    """
    # torch, TRL and peft are loaded only when the stage runs.
    from sage_models.dpo.learning import learn

    learn(config, inputs.one("base").path, inputs.one("trajectories"), out, context)
