"""Stage: a tiny base model, trained from nothing on CPU, so that the whole pipeline runs where there are no weights.

A byte-level BPE tokenizer and a Llama-type causal language model of a few million parameters learn a small world's
dialogues. The model plays the paper's SAGE_0 on a machine without one. It learns the world's grammar and manners, not
the world: fit to exercise every later stage, not to judge real quality.

    sage model base --corpus FOLDER --out runs/base
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from sage_data.stage import Context, Inputs, Need, Output, StageConfig

VERSION = 2
INPUTS = (Need("corpus", "folder with base_corpus*.parquet: one dialogue a row, column `messages`"),)
RESOURCES = (Path(__file__).with_name("chat_template.jinja"),)


class Config(StageConfig):
    """Sizes and budget. The budget is in tokens, not seconds: the same settings give the same bytes."""

    vocab_size: int = Field(2048, ge=262, description="Tokens, the 256 bytes and 6 special ones included.")
    hidden: int = Field(192, ge=32, multiple_of=32, description="Width of the model.")
    layers: int = Field(4, ge=1, description="Transformer layers.")
    window: int = Field(384, ge=16, description="Tokens in a training window; dialogues are joined to fill it.")
    max_length: int = Field(
        1024, ge=16, description="Tokens it accepts; what lies beyond `window` is left to fine-tuning to get used to."
    )
    tokens: int = Field(1_500_000, ge=1, description="Training budget: tokens predicted, over all epochs.")
    batch: int = Field(3, ge=1, description="Windows per step; few, because steps count for more than their size.")
    lr: float = Field(6e-3, gt=0, description="Peak learning rate.")
    warmup: float = Field(0.03, ge=0, lt=1, description="Share of the steps in which the rate rises.")
    weight_decay: float = Field(0.05, ge=0, description="Weight decay of the matrices inside the layers.")
    held_out: float = Field(0.02, gt=0, lt=1, description="Share of the dialogues kept for the held-out loss.")
    precision: Literal["auto", "bfloat16", "float32"] = Field(
        "auto", description="Of matrix products; auto is bfloat16 where the processor has instructions for it."
    )
    threads: int = Field(2, ge=1, description="Processor threads; other numbers give slightly other weights.")
    checkpoint_every: int = Field(100, ge=1, description="Steps between checkpoints that a killed run resumes from.")


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write `model/` (a complete checkpoint), `corpus-00000.parquet`, `curves.parquet` and `summary.txt`.

    Raises:
        InputError: the corpus is missing or empty.
        StageError: training diverged.
    """
    # torch and transformers are loaded only when the stage runs.
    from sage_models.base.building import build

    build(config, inputs.one("corpus").path, out, context)
