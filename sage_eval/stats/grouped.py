"""Compares two models on documents that belong together: clusters drawn as a whole, and strata that are all there.

A cluster (a passage with several questions; a subject, where the claim is about subjects in general) moves as one. A
stratum (mmlu's 57 subjects, where the claim is about these) is resampled within itself. The mean is over documents, as
lm-eval's mmlu is.

    grouped_difference(base, new, clusters=subjects, seed=0)
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from sage_eval.stats.checks import require_level
from sage_eval.stats.clustered import ratio_variance
from sage_eval.stats.flips import FlipTest, flip_test
from sage_eval.stats.paired import paired_scores, widened
from sage_eval.stats.resampling import cluster_indices, cluster_sums
from sage_eval.stats.result import Result
from sage_eval.stats.signs import Interval

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_BLOCK = 2_000_000
"""How many drawn clusters are held in memory at a time."""


@dataclass(frozen=True, slots=True)
class GroupedDifference(Result):
    """The new model's mean score minus the base's, over documents in clusters and strata."""

    n: int
    """Documents."""
    clusters: int
    strata: int
    """Strata that variances were taken within; those of one cluster were put together."""
    difference: float
    standard_error: float | None
    """Cluster-robust (CR2); None with a single cluster."""
    freedom: float | None
    """Degrees of freedom: fewer than clusters - strata where clusters differ in size."""
    interval: Interval | None
    """Student's, of `difference`; None with a single cluster, or when no cluster differs from another."""
    bootstrap: Interval | None
    """The same by resampling clusters within strata."""
    p: float | None
    """Two-sided p of the sign-flip test over clusters, which is to be reported; None when no cluster's sum changed."""
    p_t: float | None
    """Of the t-test; None where there is no interval."""
    flips: FlipTest
    level: float
    seed: int
    resamples: int


@dataclass(frozen=True, slots=True)
class Clusters:
    """Sums and sizes of clusters, and the stratum of each, numbered from 0."""

    sums: Floats
    sizes: Floats
    strata: Integers

    def parts(self) -> list[tuple[Floats, Floats]]:
        """Sums and sizes by stratum."""
        return [
            (self.sums[self.strata == one], self.sizes[self.strata == one]) for one in range(int(self.strata.max()) + 1)
        ]


def grouped_difference(
    base: Floats,
    new: Floats,
    *,
    clusters: Sequence[Hashable] | None = None,
    strata: Sequence[Hashable] | None = None,
    seed: int,
    resamples: int = 10_000,
    level: float = 0.95,
) -> GroupedDifference:
    """Mean difference with a cluster-robust interval, a bootstrap over clusters within strata, and a sign-flip test.

    Args:
        base: scores of the base model, shape (documents,).
        new: scores of the new model on the same documents, shape (documents,).
        clusters: of each document; None makes each its own.
        strata: of each document; None puts all into one. A cluster lies in one stratum.
        seed: of bootstrap and sign flips.
        resamples: of both.
        level: coverage of the intervals.

    Raises:
        ValueError: the arrays differ in length, are empty or not finite, or a cluster lies in two strata.
    """
    require_level(level)
    differences = paired_scores(base, new)
    found = gather(differences, clusters, strata)
    flips = flip_test(found.sums, seed=seed, resamples=resamples)
    spread = spread_of(found)
    difference = float(differences.mean())
    interval = p_t = None
    if spread is not None and spread[0] > 0.0:
        half = float(stdtrit(spread[1], (1.0 + level) / 2.0)) * spread[0]
        interval = Interval(difference - half, difference + half, level)
        p_t = float(2.0 * stdtr(spread[1], -abs(difference) / spread[0]))
    return GroupedDifference(
        n=differences.size,
        clusters=found.sums.size,
        strata=len(found.parts()),
        difference=difference,
        standard_error=None if spread is None else spread[0],
        freedom=None if spread is None else spread[1],
        interval=interval,
        bootstrap=None if spread is None or interval is None else _bootstrap(found, spread, level, seed, resamples),
        p=flips.p,
        p_t=p_t,
        flips=flips,
        level=level,
        seed=seed,
        resamples=resamples,
    )


def gather(differences: Floats, clusters: Sequence[Hashable] | None, strata: Sequence[Hashable] | None) -> Clusters:
    """Sum up documents by cluster.

    Raises:
        ValueError: a cluster lies in two strata, or there are not as many names as documents.
    """
    indices, number = cluster_indices(clusters, differences.size)
    within, _ = cluster_indices([0] * differences.size if strata is None else strata, differences.size)
    stratum = np.full(number, -1, dtype=np.int64)
    stratum[indices] = within
    if (stratum[indices] != within).any():
        raise ValueError("a cluster lies in two strata; its documents must share one")
    sums, sizes = cluster_sums(np.stack([differences, np.ones_like(differences)], axis=1), indices, number).T
    return Clusters(np.where(np.abs(sums) < 1e-12, 0.0, sums), sizes, _joined(stratum))


def _joined(strata: Integers) -> Integers:
    """Put strata of a single cluster together, with another one if need be: alone they show no spread."""
    counts = np.bincount(strata)
    lone = np.flatnonzero(counts == 1)
    if lone.size == 0 or counts.size == 1:
        return strata
    target = lone[0] if lone.size > 1 else np.flatnonzero(counts > 1)[0]
    joined = np.where(np.isin(strata, lone), target, strata)
    numbered: Integers = np.unique(joined, return_inverse=True)[1]
    return numbered


def spread_of(clusters: Clusters) -> tuple[float, float] | None:
    """Standard error (CR2) of the mean over documents and its degrees of freedom; None with a single cluster."""
    if clusters.sums.size < 2:
        return None
    total = float(clusters.sizes.sum())
    variances, certainties = [], []
    for sums, sizes in clusters.parts():
        share = float(sizes.sum()) / total
        variance = share**2 * ratio_variance(sums, sizes)
        variances.append(variance)
        certainties.append(variance**2 / degrees_of_freedom(sizes))
    whole = sum(variances)
    if whole <= 0.0:
        return 0.0, float(clusters.sums.size - len(variances))
    return sqrt(whole), whole**2 / sum(certainties)


def degrees_of_freedom(sizes: Floats) -> float:
    """Satterthwaite's for CR2's variance of a ratio (Bell and McCaffrey 2002); clusters - 1 when all are of one size.

    Worked out for clusters whose sums spread in proportion to their size, as whole clusters that move together do.

    Args:
        sizes: of the clusters, shape (clusters,), at least two.
    """
    share = sizes / sizes.sum()
    weight = 1.0 / (1.0 - share)
    pull, spread = weight * share, sizes**2
    constant = float(np.sum(weight * share**2))
    moments = [float(np.sum(spread * pull**power)) for power in range(3)]
    diagonal = weight - 2.0 * pull + constant
    expected = float(np.sum(spread * diagonal))
    # Sum over all i, j of v_i v_j (k - u_i - u_j)^2, with the diagonal put right.
    every = constant**2 * moments[0] ** 2 + 2.0 * moments[0] * moments[2] + 2.0 * moments[1] ** 2
    every -= 4.0 * constant * moments[0] * moments[1]
    every += float(np.sum(spread**2 * (diagonal**2 - (constant - 2.0 * pull) ** 2)))
    # Rounding must not lead out of what is possible.
    return min(max(expected**2 / every, 1.0), float(sizes.size - 1))


def _bootstrap(clusters: Clusters, spread: tuple[float, float], level: float, seed: int, resamples: int) -> Interval:
    """Percentiles, widened by as much as the resamples' standard error falls short of the cluster-robust one."""
    rng = np.random.default_rng(seed)
    total = float(clusters.sizes.sum())
    means = np.zeros(resamples)
    for sums, sizes in clusters.parts():
        share = float(sizes.sum()) / total
        means += share * _resampled_ratios(sums, sizes, rng, resamples)
    wider = max(1.0, spread[0] / max(float(means.std()), 1e-300))
    low, high = np.quantile(means, widened(wider, spread[1], level))
    return Interval(float(low), float(high), level)


def _resampled_ratios(sums: Floats, sizes: Floats, rng: np.random.Generator, resamples: int) -> Floats:
    """Means over documents of resamples of one stratum's clusters, shape (resamples,), in blocks of bounded memory."""
    rows = max(1, _BLOCK // sums.size)
    blocks = []
    for start in range(0, resamples, rows):
        drawn = rng.integers(0, sums.size, size=(min(rows, resamples - start), sums.size))
        blocks.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    return np.concatenate(blocks)
