"""The bet on one comparison: what the judge stage stops by is what `significance` claims by.

A scenario's score is the mean of its verdicts: 1 for a win of B, -1 for one of A. What else counts is the plan's tie
rule: dropped, ties and inconsistent pairs have no score; as half a win each, they score 0. Failures never have one. A
scenario without a score bets nothing and keeps its place.

    bet_on([[Verdict.B], [Verdict.TIE, Verdict.B]], TieRule.DROP, alpha=0.05, family_size=3).better
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sage_eval.plan import TieRule
from sage_eval.stats.sequential import EPath, e_path, mean_e_path
from sage_eval.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Bet:
    """The evidence after each scenario, and the scores that it follows from."""

    path: EPath
    scores: tuple[float, ...]
    """Of each scenario; 0 bets nothing."""

    @property
    def better(self) -> Verdict | None:
        """Who was ahead when the threshold was reached; None if it never was."""
        if self.path.stopped_after is None:
            return None
        return Verdict.B if sum(self.scores[: self.path.stopped_after]) > 0.0 else Verdict.A


def scores_of(verdicts: Iterable[Verdict], rule: TieRule) -> list[float]:
    """Scores of a scenario's verdicts, those without one left out."""
    return [one.score for one in verdicts if one.score is not None and (one.decisive or rule is TieRule.HALF)]


def bet_on(scenarios: Sequence[Sequence[Verdict]], rule: TieRule, *, alpha: float, family_size: int) -> Bet:
    """Follow the e-value over scenarios in the order they were judged.

    Args:
        scenarios: verdicts of each, one a rollout.
        rule: what pairs without a winner count as; where each scenario has one rollout it makes no difference.
        alpha: chance of any false claim in the whole family.
        family_size: number of comparisons.

    Raises:
        ValueError: `alpha` is not between 0 and 1, or the family is empty.
    """
    listed = [scores_of(one, rule) for one in scenarios]
    means = tuple(sum(one) / len(one) if one else 0.0 for one in listed)
    if any(len(one) > 1 for one in scenarios):
        return Bet(mean_e_path(means, alpha=alpha, family_size=family_size), means)
    # With one rollout a scenario the same in closed form, and with limits of the win share.
    verdicts = [verdict for one in scenarios for verdict in one]
    return Bet(e_path(verdicts, alpha=alpha, family_size=family_size), means)
