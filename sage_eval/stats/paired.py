"""Compares two models on the same documents: exact McNemar test, Tango's interval, paired bootstrap.

For example:

    mcnemar(lost=40, gained=18, n=500)
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from sage_eval.stats.checks import require_counts, require_level
from sage_eval.stats.signs import Interval, sign_test

Floats = npt.NDArray[np.float64]

_BLOCK = 2_000_000
"""How many resampled values are held in memory at a time."""


@dataclass(frozen=True, slots=True)
class PairedDifference:
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


def tango_interval(lost: int, gained: int, n: int, level: float = 0.95) -> Interval:
    """Score interval of the difference of two paired proportions (Tango, Statistics in Medicine 17, 1998).

    Unlike Wald's or a bootstrap interval it keeps its width when no document changed.

    Raises:
        ValueError: `level` is not between 0 and 1.
    """
    require_level(level)
    z = NormalDist().inv_cdf((1 + level) / 2)
    difference = (gained - lost) / n

    def excess(delta: float, bound: float) -> float:
        return _tango_score(delta, lost, gained, n) - bound

    # At the ends of [-1, 1] the score is unbounded unless the data sit there: then the end is the limit.
    low = -1.0 if difference == -1.0 else float(brentq(excess, -1.0 + 1e-12, difference, args=(z,), xtol=1e-12))
    high = 1.0 if difference == 1.0 else float(brentq(excess, difference, 1.0 - 1e-12, args=(-z,), xtol=1e-12))
    return Interval(low, high, level)


def _tango_score(delta: float, lost: int, gained: int, n: int) -> float:
    """Standardised distance of the observed difference from `delta`; falls as `delta` rises."""
    distance = gained - lost - n * delta
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
    """Resample documents with replacement: percentile interval, and p by shifting the resampled means to zero.

    Args:
        base: scores of the base model, shape (documents,).
        new: scores of the new model on the same documents, shape (documents,).
        seed: of the resampling.
        resamples: how many; the smallest p is 1 / (resamples + 1).
        level: coverage of the interval.

    Raises:
        ValueError: the arrays are empty, differ in length, or hold values that are not finite.
    """
    require_level(level)
    if base.shape != new.shape or base.ndim != 1 or base.size == 0:
        raise ValueError(f"expected two equally long arrays of scores, found shapes {base.shape} and {new.shape}")
    differences = new - base
    if not np.isfinite(differences).all():
        raise ValueError("a score is not a finite number")
    observed = float(differences.mean())
    means = _resampled_means(differences, np.random.default_rng(seed), resamples)
    tail = (1.0 - level) / 2.0
    low, high = (float(limit) for limit in np.quantile(means, [tail, 1.0 - tail]))
    # Rounding must not make an exactly equal mean count as smaller.
    as_far = int(np.sum(np.abs(means - observed) >= abs(observed) - 1e-12))
    p = (1 + as_far) / (1 + resamples)
    return PairedDifference(
        "bootstrap", differences.size, observed, Interval(low, high, level), p, seed=seed, resamples=resamples
    )


def _resampled_means(values: Floats, rng: np.random.Generator, resamples: int) -> Floats:
    """Means of samples with replacement, shape (resamples,), drawn in blocks of bounded memory."""
    rows = max(1, _BLOCK // values.size)
    blocks = [
        values[rng.integers(0, values.size, size=(min(rows, resamples - start), values.size))].mean(axis=1)
        for start in range(0, resamples, rows)
    ]
    return np.concatenate(blocks)
