"""Shows that two models are as good as each other, or the new one no worse, up to a margin fixed beforehand.

Two one-sided tests (Schuirmann 1987): "worse by the margin or more" and "better by the margin or more". Not being able
to show a difference shows neither.

    equivalence(lost=40, gained=38, n=1000, margin=0.02)
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, stdtr, stdtrit

from sage_eval.stats.checks import require_counts, require_shares
from sage_eval.stats.grouped import gather, spread_of
from sage_eval.stats.paired import paired_scores, tango_interval, tango_score
from sage_eval.stats.result import Result
from sage_eval.stats.signs import Interval

Floats = npt.NDArray[np.float64]

HALF_A_DOCUMENT = 0.5
"""Correction of the score test: without it, up to 7% instead of 5% of models at the margin pass (20 documents)."""
SMALLEST = 20
"""Documents (or clusters) below which scores are not tested: Student's limits would not hold."""


@dataclass(frozen=True, slots=True)
class Equivalence(Result):
    """Whether the new model's mean lies within the margin of the base's."""

    method: str
    """"tango" for right and wrong answers, "student" for scores."""
    n: int
    """Documents."""
    clusters: int
    difference: float
    """New minus base."""
    margin: float
    alpha: float
    p_worse: float | None
    """One-sided p of "worse by the margin or more"; small means not inferior. None when it cannot be tested."""
    p_better: float | None
    """One-sided p of "better by the margin or more"."""
    limits: Interval | None
    """Each limit holds one-sided at alpha; equivalent when both lie within the margin."""
    reason: str | None = None
    """Why it cannot be tested; None when it can."""
    seed: None = None
    """Nothing is drawn."""

    derived = ("p", "equivalent", "not_inferior")

    @property
    def p(self) -> float | None:
        """Of the test for equivalence: the larger of the two."""
        return None if self.p_worse is None or self.p_better is None else max(self.p_worse, self.p_better)

    @property
    def equivalent(self) -> bool:
        """True when both are refuted: neither worse nor better by the margin."""
        return self.p is not None and self.p < self.alpha

    @property
    def not_inferior(self) -> bool:
        """True when "worse by the margin or more" is refuted."""
        return self.p_worse is not None and self.p_worse < self.alpha


def equivalence(lost: int, gained: int, n: int, *, margin: float, alpha: float = 0.05) -> Equivalence:
    """Test right and wrong answers by Tango's score, corrected by half a document.

    Args:
        lost: documents that the base model got right and the new one wrong.
        gained: the other way round.
        n: documents.
        margin: largest difference of the shares of right answers that does not matter, between 0 and 1.
        alpha: of each one-sided test; divide it by the number of tasks for a claim about all.

    Raises:
        ValueError: a count is negative, the counts do not fit, `margin` is not between 0 and 1 or `alpha`
            not between 0 and .5.
    """
    require_counts(lost=lost, gained=gained)
    require_shares(margin=margin)
    _require_alpha(alpha)
    if n < max(1, lost + gained):
        raise ValueError(f"{lost} lost and {gained} gained documents do not fit into n = {n}")
    p_worse, p_better = (
        float(ndtr(-tango_score(-margin, fewer, more, n, HALF_A_DOCUMENT)))
        for fewer, more in ((lost, gained), (gained, lost))
    )
    limits = tango_interval(lost, gained, n, 1.0 - 2.0 * alpha, HALF_A_DOCUMENT)
    return Equivalence("tango", n, n, (gained - lost) / n, margin, alpha, p_worse, p_better, limits)


def equivalence_of_scores(
    base: Floats, new: Floats, *, margin: float, alpha: float = 0.05, clusters: Sequence[Hashable] | None = None
) -> Equivalence:
    """Test scores by Student's t on the mean difference, cluster-robust where documents belong together.

    Args:
        base: scores of the base model, shape (documents,).
        new: scores of the new model on the same documents, shape (documents,).
        margin: largest difference of the means that does not matter, in the unit of the scores.
        alpha: of each one-sided test.
        clusters: of each document; None makes each its own.

    Raises:
        ValueError: the arrays are empty, differ in length or are not finite; `margin` is not positive.
    """
    _require_alpha(alpha)
    if not margin > 0.0:
        raise ValueError(f"a margin is more than 0; it is {margin}")
    differences = paired_scores(base, new)
    found = gather(differences, clusters, None)
    mean, spread = float(differences.mean()), spread_of(found)
    settled = Equivalence("student", differences.size, found.sums.size, mean, margin, alpha, None, None, None)
    if spread is None or found.sums.size < SMALLEST:
        return replace(settled, reason=f"{found.sums.size} documents or clusters; at least {SMALLEST} are needed")
    error, freedom = spread
    if error == 0.0:
        return replace(settled, reason="the difference is the same everywhere: nothing is known of its spread")
    half = float(stdtrit(freedom, 1.0 - alpha)) * error
    p_worse, p_better = (float(stdtr(freedom, -(margin + lead) / error)) for lead in (mean, -mean))
    limits = Interval(mean - half, mean + half, 1.0 - 2.0 * alpha)
    return replace(settled, p_worse=p_worse, p_better=p_better, limits=limits)


def _require_alpha(alpha: float) -> None:
    if not 0.0 < alpha < 0.5:
        raise ValueError(f"alpha of a one-sided test lies between 0 and .5; it is {alpha}")
