"""Shares, means and differences over utterances that come in clusters: what one scenario brought is not independent.

A cluster is a scenario with all its rollouts, or a dialogue that has none. Variances are cluster-robust (CR2);
quantiles are Student's with one degree of freedom less than there are clusters.

    proportion(Sums({"s1": 2, "s2": 0}, {"s1": 4, "s2": 4}), level=0.95)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt

import numpy as np
from scipy.special import stdtrit

from sage_eval.stats.clustered import cluster_interval, ratio_variance
from sage_eval.stats.flips import flip_test
from sage_eval.stats.result import Result

RESAMPLES = 10_000
"""Sign patterns of a test that has to draw, at least."""


@dataclass(frozen=True, slots=True)
class Estimate(Result):
    """A share or a mean with its interval."""

    value: float | None
    """None when nothing was observed."""
    low: float | None
    """None with fewer than two clusters, or where no interval is offered."""
    high: float | None
    n: int
    """Observations."""
    clusters: int
    """Clusters that have any."""
    level: float
    """Nominal coverage."""
    seed: None = None
    """Nothing is drawn."""


@dataclass(frozen=True, slots=True)
class Difference(Result):
    """Model B minus model A over the clusters that both have, each cluster's observations averaged first."""

    mean_a: float | None
    """Mean of A's cluster means; None when no cluster is shared."""
    mean_b: float | None
    value: float | None
    low: float | None
    """None with fewer than two shared clusters."""
    high: float | None
    p: float | None
    """Two-sided, of the sign-flip test; None when undecidable (nothing shared, or no cluster differs)."""
    clusters: int
    """Clusters that both models have."""
    n: int
    """Observations of both in them."""
    level: float
    seed: int


@dataclass(slots=True)
class Sums:
    """Cluster -> sum of what is averaged, and -> number of observations."""

    above: dict[str, float] = field(default_factory=dict)
    below: dict[str, float] = field(default_factory=dict)

    def add(self, cluster: str, value: float, weight: float = 1.0) -> None:
        """Take in one observation, or `weight` of them that add up to `value`."""
        self.above[cluster] = self.above.get(cluster, 0.0) + value
        self.below[cluster] = self.below.get(cluster, 0.0) + weight

    def mean(self, cluster: str) -> float:
        """Mean of one cluster's observations."""
        return self.above[cluster] / self.below[cluster]

    def observed(self) -> list[str]:
        """Clusters with observations, sorted."""
        return sorted(one for one, weight in self.below.items() if weight)


@dataclass(slots=True)
class Tally:
    """How often each value was observed, by cluster."""

    counts: dict[Hashable, Counter[str]] = field(default_factory=dict)
    totals: Counter[str] = field(default_factory=Counter)

    def add(self, cluster: str, value: Hashable) -> None:
        """Take in one observation."""
        self.counts.setdefault(value, Counter())[cluster] += 1
        self.totals[cluster] += 1

    @property
    def n(self) -> int:
        """Observations."""
        return self.totals.total()

    def count(self, value: Hashable) -> int:
        """Observations of one value."""
        return self.counts[value].total() if value in self.counts else 0

    def values(self) -> list[Hashable]:
        """Values, the most frequent first, then by name; None (stated as none) comes last among equals."""
        return sorted(self.counts, key=lambda one: (-self.count(one), one is None, str(one)))

    def sums(self, value: Hashable) -> Sums:
        """The share of one value, as sums."""
        counts = self.counts.get(value, Counter())
        return Sums({one: float(counts[one]) for one in self.totals}, {one: float(n) for one, n in self.totals.items()})


def tally(pairs: Iterable[tuple[str, Hashable]]) -> Tally:
    """Count (cluster, value) pairs."""
    found = Tally()
    for cluster, value in pairs:
        found.add(cluster, value)
    return found


def proportion(sums: Sums, level: float) -> Estimate:
    """A share with Wilson's interval at the effective number of observations.

    That number is what independent observations would need for the same cluster-robust variance (Dean and Pagano,
    Journal of Survey Statistics and Methodology 3, 2015); it never exceeds the observations. Where no spread is seen
    (nobody or everybody), each cluster counts as one observation.
    """
    above, below = _arrays(sums)
    n, clusters = round(below.sum()), below.size
    if clusters == 0:
        return Estimate(None, None, None, 0, 0, level)
    share = float(above.sum() / below.sum())
    if clusters < 2:
        return Estimate(share, None, None, n, clusters, level)
    low, high = _wilson(share, _effective(share, above, below), _quantile(clusters, level))
    return Estimate(share, low, high, n, clusters, level)


def _effective(share: float, above: np.ndarray, below: np.ndarray) -> float:
    variance = ratio_variance(above, below)
    if variance <= 1e-15:
        return float(below.size)
    return min(float(below.sum()), share * (1.0 - share) / variance)


def _wilson(share: float, n: float, quantile: float) -> tuple[float, float]:
    spread = quantile**2 / n
    centre = (share + spread / 2.0) / (1.0 + spread)
    half = quantile / (1.0 + spread) * sqrt(max(0.0, share * (1.0 - share) / n + spread / (4.0 * n)))
    return max(0.0, centre - half), min(1.0, centre + half)


def average(sums: Sums, level: float) -> Estimate:
    """A mean over all observations with its t-interval."""
    above, below = _arrays(sums)
    n, clusters = round(below.sum()), below.size
    if clusters == 0:
        return Estimate(None, None, None, 0, 0, level)
    value = float(above.sum() / below.sum())
    if clusters < 2:
        return Estimate(value, None, None, n, clusters, level)
    half = _quantile(clusters, level) * sqrt(ratio_variance(above, below))
    return Estimate(value, value - half, value + half, n, clusters, level)


def difference(a: Sums, b: Sums, *, level: float, seed: int, bounded: bool, resamples: int = RESAMPLES) -> Difference:
    """Compare two models cluster by cluster.

    Args:
        a: observations of model A.
        b: observations of model B.
        level: coverage of the interval.
        seed: of the sign-flip test, where it has to draw.
        bounded: the measure lies between 0 and 1, so that its interval is adjusted for shares near the ends.
        resamples: sign patterns where the test has to draw: its smallest p is about 1 / resamples.
    """
    shared = [one for one in a.observed() if b.below.get(one)]
    n = int(sum(a.below[one] + b.below[one] for one in shared))
    if not shared:
        return Difference(None, None, None, None, None, None, 0, 0, level, seed)
    means_a, means_b = np.array([a.mean(one) for one in shared]), np.array([b.mean(one) for one in shared])
    apart = means_b - means_a
    low, high = _difference_limits(apart, [min(a.below[one], b.below[one]) for one in shared], level, bounded=bounded)
    return Difference(
        float(means_a.mean()),
        float(means_b.mean()),
        float(apart.mean()),
        low,
        high,
        flip_test(apart, seed=seed, resamples=resamples).p,
        len(shared),
        n,
        level,
        seed,
    )


def _difference_limits(
    apart: np.ndarray, sizes: Sequence[float], level: float, *, bounded: bool
) -> tuple[float | None, float | None]:
    if apart.size < 2:
        return None, None
    if bounded:
        interval = cluster_interval(apart, float(np.mean(sizes)), level)
        return interval.low, interval.high
    half = _quantile(apart.size, level) * float(apart.std(ddof=1)) / sqrt(apart.size)
    return float(apart.mean()) - half, float(apart.mean()) + half


def jackknife(whole: float, parts: Mapping[str, float], n: int, level: float) -> Estimate:
    """Interval of a statistic of all observations from its values without each cluster in turn.

    Args:
        whole: the statistic of everything.
        parts: cluster -> the statistic without it.
        n: observations.
        level: coverage.
    """
    left = np.array([parts[one] for one in sorted(parts)])
    if left.size < 2:
        return Estimate(whole, None, None, n, left.size, level)
    error = sqrt((left.size - 1) / left.size * float(np.sum((left - left.mean()) ** 2)))
    half = _quantile(left.size, level) * error
    return Estimate(whole, whole - half, whole + half, n, left.size, level)


def _arrays(sums: Sums) -> tuple[np.ndarray, np.ndarray]:
    observed = sums.observed()
    return np.array([sums.above[one] for one in observed]), np.array([sums.below[one] for one in observed])


def _quantile(clusters: int, level: float) -> float:
    return float(stdtrit(clusters - 1, (1.0 + level) / 2.0))
