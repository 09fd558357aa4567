"""Compares two models on the same documents: exact McNemar test, Tango's interval, paired bootstrap.

Documents that belong together (subjects, passages) are for `sage_eval.stats.grouped`, and "no worse than by a margin"
for `sage_eval.stats.margins`.

    mcnemar(lost=40, gained=18, n=500)
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import ndtr, stdtrit

from sage_eval.stats.checks import require_counts, require_level
from sage_eval.stats.flips import flip_test
from sage_eval.stats.result import Result
from sage_eval.stats.signs import Interval, sign_test

Floats = npt.NDArray[np.float64]

_BLOCK = 2_000_000
"""How many resampled values are held in memory at a time."""


@dataclass(frozen=True, slots=True)
class PairedDifference(Result):
    """The new model's mean score minus the base's, over the same documents."""

    method: str
    """"mcnemar" or "bootstrap"."""
    n: int
    """Number of documents."""
    difference: float
    interval: Interval
    p: float
    """Two-sided, of "no difference"; 1 when no document differs."""
    seed: int | None = None
    """Of the resampling; None when the method draws nothing."""
    resamples: int | None = None


def mcnemar(lost: int, gained: int, n: int, level: float = 0.95) -> PairedDifference:
    """Exact McNemar test: the sign test on the documents where right became wrong (`lost`) or wrong right (`gained`).

    Raises:
        ValueError: a count is negative, or `n` is smaller than the documents that changed, or 0.
    """
    require_counts(lost=lost, gained=gained)
    if n < max(1, lost + gained):
        raise ValueError(f"{lost} lost and {gained} gained documents do not fit into n = {n}")
    test = sign_test(lost, gained, level)
    return PairedDifference(
        "mcnemar", n, (gained - lost) / n, tango_interval(lost, gained, n, level), 1.0 if test.p is None else test.p
    )


def tango_interval(lost: int, gained: int, n: int, level: float = 0.95, correction: float = 0.0) -> Interval:
    """Score interval of the difference of two paired proportions (Tango, Statistics in Medicine 17, 1998).

    Unlike Wald's or a bootstrap interval it keeps its width when no document changed.

    Args:
        lost: documents that the base model got right and the new one wrong.
        gained: the other way round.
        n: documents, at least 1.
        level: coverage.
        correction: documents by which the difference must exceed the limit's; half a document makes both one-sided
            tests that the interval inverts conservative at every share of changed documents.

    Raises:
        ValueError: `level` is not between 0 and 1.
    """
    require_level(level)
    z = NormalDist().inv_cdf((1 + level) / 2)

    def limit(fewer: int, more: int) -> float:
        """Lower limit of (more - fewer) / n."""

        def excess(delta: float) -> float:
            return tango_score(delta, fewer, more, n, correction) - z

        highest = max(-1.0, (more - fewer - correction) / n)
        # At the end of [-1, 1] the score is unbounded unless the data sit there: then the end is the limit.
        if excess(-1.0 + 1e-12) <= 0.0:
            return -1.0
        return float(brentq(excess, -1.0 + 1e-12, highest, xtol=1e-12))

    return Interval(limit(lost, gained), -limit(gained, lost), level)


def tango_score(delta: float, lost: int, gained: int, n: int, correction: float = 0.0) -> float:
    """Standardised distance of the observed difference (less `correction` documents) from `delta`, in normal quantiles.

    Falls as `delta` rises; the variance is the most likely one if `delta` were true.
    """
    distance = gained - lost - n * delta - correction
    if distance == 0.0:
        return 0.0
    a = 2.0 * n
    b = -gained - lost + (2.0 * n - gained + lost) * delta
    c = -lost * delta * (1.0 - delta)
    only_base = (sqrt(max(0.0, b * b - 4.0 * a * c)) - b) / (2.0 * a)
    variance = n * (2.0 * only_base + delta * (1.0 - delta))
    return distance / sqrt(max(variance, 1e-300))


def paired_bootstrap(
    base: Floats, new: Floats, *, seed: int, resamples: int = 10_000, level: float = 0.95
) -> PairedDifference:
    """Interval by resampling documents with replacement, p by the sign-flip test.

    The interval's percentiles are widened as Hesterberg (The American Statistician 69, 2015, section 3.4) does, since
    bare ones are too narrow for few documents. The sign-flip test is exact if the models are exchangeable on each
    document, for any number of them; a bootstrap p is not.

    Args:
        base: scores of the base model, shape (documents,).
        new: scores of the new model on the same documents, shape (documents,).
        seed: of the resampling.
        resamples: how many; where the test has to draw, too, its smallest p is 1 / (resamples + 1).
        level: coverage of the interval.

    Raises:
        ValueError: the arrays are empty, differ in length, or hold values that are not finite.
    """
    require_level(level)
    differences = paired_scores(base, new)
    means = _resampled_means(differences, np.random.default_rng(seed), resamples)
    n = differences.size
    low, high = np.quantile(means, widened(sqrt(n / max(n - 1, 1)), max(n - 1, 1), level))
    p = flip_test(differences, seed=seed, resamples=resamples).p
    return PairedDifference(
        "bootstrap",
        n,
        float(differences.mean()),
        Interval(float(low), float(high), level),
        1.0 if p is None else p,
        seed=seed,
        resamples=resamples,
    )


def paired_scores(base: Floats, new: Floats) -> Floats:
    """New less base, document by document.

    Raises:
        ValueError: the arrays are empty, differ in length, or hold values that are not finite.
    """
    if base.shape != new.shape or base.ndim != 1 or base.size == 0:
        raise ValueError(f"expected two equally long arrays of scores, found shapes {base.shape} and {new.shape}")
    differences: Floats = new - base
    if not np.isfinite(differences).all():
        raise ValueError("a score is not a finite number")
    # What differs by rounding alone does not differ.
    return np.where(np.abs(differences) < 1e-12, 0.0, differences)


def widened(spread: float, freedom: float, level: float) -> Floats:
    """Ranks of the resampled means at which the limits lie: further out than (1 - level) / 2.

    Args:
        spread: true standard error as a multiple of the resampled means': sqrt(n / (n - 1)) for n documents.
        freedom: degrees of freedom of Student's quantile.
        level: coverage.
    """
    ranks: Floats = ndtr(spread * stdtrit(freedom, np.array([1.0 - level, 1.0 + level]) / 2.0))
    return ranks


def _resampled_means(values: Floats, rng: np.random.Generator, resamples: int) -> Floats:
    """Means of samples with replacement, shape (resamples,), drawn in blocks of bounded memory."""
    rows = max(1, _BLOCK // values.size)
    blocks = [
        values[rng.integers(0, values.size, size=(min(rows, resamples - start), values.size))].mean(axis=1)
        for start in range(0, resamples, rows)
    ]
    return np.concatenate(blocks)
