"""One judge's verdicts with the rating that follows from them.

Rated(judged, rate(Games.of(judged.games(Ties.TIE), judged.models)), Ties.TIE, plan_hash=None)
"""

from __future__ import annotations

from dataclasses import dataclass

from sage_eval.ratings.verdicts import Judged, Ties
from sage_eval.stats.davidson import Rating


@dataclass(frozen=True, slots=True)
class Rated:
    """A rating and what it was made of."""

    judged: Judged
    rating: Rating
    ties: Ties
    plan_hash: str | None
    """Of the analysis plan that the judge stage wrote; None where there is none."""

    @property
    def judge(self) -> str:
        """The judge's name."""
        return self.judged.judge
