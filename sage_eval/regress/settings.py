"""Settings of the regress stage.

Config(margin=0.01, fail_on=FailOn.UNDECIDED)
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from sage_data.stage import StageConfig


class FailOn(StrEnum):
    """Which outcome makes the command end with exit code 3, for continuous integration."""

    REGRESSED = "regressed"
    """A loss was shown on a task."""
    UNDECIDED = "undecided"
    """A loss was shown, or one beyond the margin could not be ruled out."""
    NEVER = "never"


class Config(StageConfig):
    """What counts as a regression."""

    metrics: tuple[str, ...] = Field(
        ("acc_norm", "acc", "exact_match"),
        min_length=1,
        description="The first of these that a task has is compared; the paper's for its ten tasks, if it is listed.",
    )
    filters: tuple[str, ...] = Field(
        ("none", "strict-match"),
        description="The first of these that a task has counts, else the first by name; its others are shown beside.",
    )
    tasks: tuple[str, ...] = Field((), description="Compare these alone (mmlu: all its subjects); all when left out.")
    subjects: bool = Field(False, description="Show mmlu's subjects beside mmlu as a whole.")
    margin: float = Field(0.02, ge=0.0, description="A loss up to this much, in units of the metric, is no regression.")
    alpha: float = Field(
        0.05,
        gt=0.0,
        lt=0.5,
        description="Chance, over all tasks, of any false claim of a difference, and of any that a loss is ruled out.",
    )
    level: float = Field(0.95, gt=0.0, lt=1.0, description="Coverage of each interval shown, for its task alone.")
    resamples: int = Field(10_000, ge=100, description="Bootstrap resamples.")
    fail_on: FailOn = Field(FailOn.REGRESSED, description="The outcome that makes the command end with exit code 3.")
