"""Resamples clusters: weights of the bootstrap, and intervals that stay honest with few clusters.

A cluster is what was drawn independently, here a scenario with everything that was said and judged in it. Statistics
that depend on sums over clusters need no loop: the weights are multiplied with the clusters' sums.

    draws = statistic(resampled_sums(sums, resamples=2000, seed=0))
    low, high = bca_limits(observed, draws, statistic(leave_one_out(sums)), level=0.95)
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, stdtrit

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MOST_UNDEFINED = 0.01
"""Share of resamples in which a statistic may be undefined before it gets no interval."""
_BLOCK = 4_000_000
"""How many weights are held in memory at a time."""


def cluster_indices(clusters: Sequence[Hashable] | None, n: int) -> tuple[Integers, int]:
    """Number each item's cluster from 0, in order of appearance, and count the clusters; None: each item is its own.

    Raises:
        ValueError: there are not as many names as items.
    """
    if clusters is None:
        return np.arange(n), n
    if len(clusters) != n:
        raise ValueError(f"expected a cluster for each of {n} items, found {len(clusters)}")
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(one, len(numbers)) for one in clusters], dtype=np.int64), len(numbers)


def cluster_sums(values: Floats, indices: Integers, clusters: int) -> Floats:
    """Add up the rows of each cluster: (items, columns) to (clusters, columns)."""
    sums = np.zeros((clusters, values.shape[1]))
    np.add.at(sums, indices, values)
    return sums


def resampled_sums(sums: Floats, *, resamples: int, seed: int) -> Floats:
    """Column totals of resamples of the clusters with replacement: (clusters, columns) to (resamples, columns)."""
    rng = np.random.default_rng(seed)
    clusters = sums.shape[0]
    rows = max(1, _BLOCK // clusters)
    return np.concatenate(
        [_weights(rng, min(rows, resamples - start), clusters) @ sums for start in range(0, resamples, rows)]
    )


def _weights(rng: np.random.Generator, rows: int, clusters: int) -> Floats:
    """How often each cluster was drawn, (rows, clusters)."""
    drawn = rng.integers(0, clusters, size=(rows, clusters)) + np.arange(rows)[:, None] * clusters
    return np.bincount(drawn.ravel(), minlength=rows * clusters).reshape(rows, clusters).astype(np.float64)


def leave_one_out(sums: Floats) -> Floats:
    """Column totals without each cluster in turn, (clusters, columns)."""
    left: Floats = sums.sum(axis=0) - sums
    return left


def bca_limits(observed: float, draws: Floats, jackknife: Floats, *, level: float) -> tuple[float, float] | None:
    """Bias-corrected and accelerated limits (Efron 1987), widened for few clusters.

    Widened as Hesterberg (The American Statistician 69, 2015, section 3.4) does for percentiles: with G clusters the
    normal quantile is replaced by sqrt(G / (G - 1)) times Student's with G - 1 degrees of freedom.

    Returns:
        None where nothing can be said: fewer than two clusters, no spread among the resamples, or a statistic that is
        undefined in more than `MOST_UNDEFINED` of them.
    """
    defined, kept = draws[np.isfinite(draws)], jackknife[np.isfinite(jackknife)]
    clusters = jackknife.size
    if clusters < 2 or defined.size < (1.0 - MOST_UNDEFINED) * draws.size or np.ptp(defined) < 1e-12:
        return None
    wide = float(np.sqrt(clusters / (clusters - 1))) * stdtrit(clusters - 1, np.array([1 - level, 1 + level]) / 2)
    below = (np.sum(defined < observed - 1e-12) + np.sum(defined <= observed + 1e-12)) / (2 * defined.size)
    bias = float(ndtri(np.clip(below, 1 / (defined.size + 1), defined.size / (defined.size + 1))))
    shifted = bias + wide
    adjusted = bias + shifted / np.maximum(1.0 - _acceleration(kept) * shifted, 0.1)
    low, high = np.quantile(defined, ndtr(adjusted))
    return float(low), float(high)


def _acceleration(jackknife: Floats) -> float:
    away = jackknife.mean() - jackknife
    spread = float(np.sum(away**2))
    return float(np.sum(away**3)) / (6.0 * spread**1.5) if spread > 1e-24 else 0.0
