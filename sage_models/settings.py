"""Settings that every fine-tuning stage has. Light to import, so that help pages and plans need no torch."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sage_data.stage import StageConfig


class TuningConfig(StageConfig):
    """What SFT and DPO have in common; each sets its own defaults of the first three."""

    epochs: float = Field(1.0, gt=0, description="Passes over the data.")
    lr: float = Field(1e-4, gt=0, description="Peak learning rate.")
    warmup: float = Field(0.03, ge=0, lt=1, description="Share of the steps in which the rate rises.")
    batch: int = Field(16, ge=1, description="Rows per optimiser step.")
    micro_batch: int | None = Field(
        None, ge=1, description="Rows per forward pass; must divide `batch`. Null: all of them at once."
    )
    max_length: int | None = Field(
        None, ge=16, description="Tokens a row may have. Null: as many as the model can follow."
    )
    rank: int = Field(16, ge=1, description="LoRA rank.")
    alpha: int = Field(32, ge=1, description="LoRA scale; the adapter's output is multiplied by alpha / rank.")
    dropout: float = Field(0.0, ge=0, lt=1, description="LoRA dropout.")
    precision: Literal["auto", "bfloat16", "float32"] = Field(
        "float32", description="Of matrix products; auto is bfloat16 where the hardware has instructions for it."
    )
    threads: int = Field(2, ge=1, description="Processor threads; other numbers give slightly other weights.")
