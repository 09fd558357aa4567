"""Adjusts p-values for a family of tests.

The family must be declared before the data are seen; a test that could not be carried out (None) stays a member of it
and enters with p = 1, so that leaving it out cannot make the others look stronger.

    adjust({"base vs tuned": 0.01, "base vs new": None}, Correction.HOLM, alpha=0.05)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sage_eval.plan import Correction
from sage_eval.stats.checks import require_p_values, require_shares
from sage_eval.stats.result import Result


@dataclass(frozen=True, slots=True)
class Family(Result):
    """The tests of one family, adjusted together."""

    correction: Correction
    alpha: float
    p: Mapping[str, float | None]
    """As the tests gave them; None: could not be tested."""
    adjusted: Mapping[str, float]
    rejected: tuple[str, ...]
    """Members whose adjusted p is below alpha."""
    seed: None = None
    """Nothing is drawn."""

    derived = ("n",)

    @property
    def n(self) -> int:
        """Size of the family, untestable members included."""
        return len(self.p)


def holm(p_values: Sequence[float | None]) -> list[float]:
    """Holm's step-down adjustment (1979): bounds the chance of any false rejection, whatever the dependence.

    Args:
        p_values: None is a test that could not be carried out, and counts as p = 1.

    Raises:
        ValueError: a value is not a probability.
    """
    known = _entered(p_values)
    adjusted, running = [1.0] * len(known), 0.0
    for rank, index in enumerate(sorted(range(len(known)), key=known.__getitem__)):
        running = max(running, (len(known) - rank) * known[index])
        adjusted[index] = min(1.0, running)
    return adjusted


def benjamini_hochberg(p_values: Sequence[float | None]) -> list[float]:
    """Benjamini and Hochberg's step-up adjustment (1995): bounds the expected share of false rejections.

    It holds for independent tests and for positively dependent ones; use it to explore, not to claim.

    Args:
        p_values: None is a test that could not be carried out, and counts as p = 1.

    Raises:
        ValueError: a value is not a probability.
    """
    known = _entered(p_values)
    adjusted, running = [1.0] * len(known), 1.0
    by_size = sorted(range(len(known)), key=known.__getitem__)
    for rank in range(len(known), 0, -1):
        index = by_size[rank - 1]
        running = min(running, len(known) / rank * known[index])
        adjusted[index] = running
    return adjusted


def adjust(p_values: Mapping[str, float | None], correction: Correction, alpha: float = 0.05) -> Family:
    """Adjust the named tests of one family and say which are rejected.

    Raises:
        ValueError: a value is not a probability, or `alpha` is not between 0 and 1.
    """
    require_shares(alpha=alpha)
    method = holm if correction is Correction.HOLM else benjamini_hochberg
    adjusted = dict(zip(p_values, method(list(p_values.values())), strict=True))
    rejected = tuple(name for name, p in adjusted.items() if p < alpha)
    return Family(correction, alpha, dict(p_values), adjusted, rejected)


def _entered(p_values: Sequence[float | None]) -> list[float]:
    known = [1.0 if p is None else p for p in p_values]
    require_p_values(known)
    return known
