"""The options of the stage.

Config(top=12, incarnation_judge="openai:MODEL@URL", max_cost=2.0)
"""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from sage_data.stage import StageConfig


class Config(StageConfig):
    """What is measured, and how it is shown."""

    volatile: ClassVar[frozenset[str]] = frozenset({"max_cost"})

    strip_prefix: str = Field("rollout-", description="Taken off an input's label to name its model.")
    level: float = Field(0.95, gt=0.0, lt=1.0, description="Coverage of the intervals.")
    top: int = Field(10, ge=1, le=40, description="Values shown in charts and in the summary; the tables hold all.")
    least: int = Field(10, ge=1, description="Least observations, both models together, for a value to be compared.")
    distinct_budget: int = Field(
        2000, ge=1, description="Runs of words among which different ones are counted, so that length does not matter."
    )
    incarnation_judge: str | None = Field(
        None,
        description="Backend that is asked about each reply too: does it claim to be human? E.g. openai:MODEL@URL.",
    )
    judge_limit: int | None = Field(
        None, ge=1, description="Ask about so many replies of each model, drawn by the seed; all when left out."
    )
    input_price: float = Field(0.0, ge=0.0, description="US dollars per million prompt tokens of that backend.")
    output_price: float = Field(0.0, ge=0.0, description="US dollars per million generated tokens.")
    max_cost: float | None = Field(None, ge=0.0, description="US dollars that its calls may cost.")

    @model_validator(mode="after")
    def _budget_can_be_kept(self) -> Self:
        if self.max_cost is not None and not any((self.input_price, self.output_price)):
            raise ValueError("max_cost needs input_price or output_price, or nothing could be counted")
        return self
