"""Tests where a scenario has several rollouts: what is drawn independently is the scenario, so it counts once.

Scores are 1 where B won, -1 where A did, 0 where neither; they are averaged within the scenario. Counting each rollout
on its own calls equal models different in 12-22% of cases at a nominal 5%.

    cluster_test({"s1": [1, 1, -1], "s2": [0, 1, 1]}, seed=0)
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from sage_eval.stats.checks import require_level
from sage_eval.stats.flips import FlipTest, flip_test
from sage_eval.stats.result import Result
from sage_eval.stats.signs import Interval

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClusterTest(Result):
    """The mean score over scenarios, with each scenario counted once; above 0 B is better."""

    n: int
    """Scenarios with at least one score."""
    scores: int
    """Rollouts behind them."""
    empty: int
    """Scenarios without a score, which take no part."""
    mean: float | None
    """Mean of the scenarios' means: the net win of B, -1 to 1. None without any score."""
    standard_error: float | None
    """Of `mean`, from the spread of scenarios' means; None with fewer than two scenarios."""
    interval: Interval | None
    """Of `mean`, for few scenarios and extreme shares too (see `cluster_interval`); None without any score."""
    p: float | None
    """Two-sided p of the sign-flip test, which is to be reported; None when undecidable."""
    log_p: float | None
    """Its natural logarithm, finite where p underflows."""
    p_t: float | None
    """Of the t-test on scenarios' means that belongs to `interval`: below .05 when the 95% interval misses 0. None with
    fewer than two scenarios."""
    flips: FlipTest
    """How the sign-flip test was carried out."""
    level: float
    seed: int
    reason: str | None = None
    """Why there is no p; None where there is one."""

    derived = ("decidable", "half_tie_score")

    @property
    def decidable(self) -> bool:
        """True when there is a p."""
        return self.p is not None

    @property
    def half_tie_score(self) -> float | None:
        """Share of B's wins with half of what neither won."""
        return None if self.mean is None else (1.0 + self.mean) / 2.0


def cluster_test(
    scores: Mapping[Hashable, Sequence[float]] | Mapping[str, Sequence[float]],
    *,
    seed: int,
    resamples: int = 10_000,
    level: float = 0.95,
) -> ClusterTest:
    """Test "A and B are exchangeable in every scenario" on scenarios' mean scores.

    The sign-flip test is exact under that hypothesis. Under the weaker "the mean score is 0" it and the t-test hold for
    large numbers of scenarios.

    Args:
        scores: scenario -> scores of its rollouts, each in [-1, 1]; failed pairs are left out, not scored.
        seed: of the sign-flip test, where it has to draw.
        resamples: sign patterns to draw there.
        level: coverage of the interval.

    Raises:
        ValueError: a score is outside [-1, 1], or `level` is not between 0 and 1.
    """
    require_level(level)
    rated = [np.asarray(one, dtype=np.float64) for one in scores.values() if len(one)]
    every = np.concatenate([np.zeros(0), *rated])
    if not (np.abs(every) <= 1.0).all():
        raise ValueError("a score is -1, 0, 1 or between; one lies outside [-1, 1]")
    means = np.array([one.mean() for one in rated])
    flips = flip_test(means, seed=seed, resamples=resamples)
    found = ClusterTest(
        n=means.size,
        scores=every.size,
        empty=len(scores) - means.size,
        mean=None,
        standard_error=None,
        interval=None,
        p=flips.p,
        log_p=flips.log_p,
        p_t=None,
        flips=flips,
        level=level,
        seed=seed,
        reason=None if flips.p is not None else _why_not(means.size),
    )
    return _with_spread(found, every, means) if rated else found


def _with_spread(found: ClusterTest, every: Floats, means: Floats) -> ClusterTest:
    fit = _adjusted(means, every.size / means.size, likeness(every, means))
    found = replace(found, mean=float(means.mean()), interval=fit.interval(found.level))
    if means.size < 2:
        return found
    return replace(found, standard_error=float(means.std(ddof=1)) / sqrt(means.size), p_t=fit.p)


def _why_not(scenarios: int) -> str:
    return "undecidable: no scenario has a score" if scenarios == 0 else "undecidable: every scenario's mean is 0"


@dataclass(frozen=True, slots=True)
class _Adjusted:
    """A mean with its standard error and degrees of freedom."""

    centre: float
    error: float
    freedom: int

    def interval(self, level: float) -> Interval:
        half = float(stdtrit(self.freedom, (1.0 + level) / 2.0)) * self.error
        return Interval(max(-1.0, self.centre - half), min(1.0, self.centre + half), level)

    @property
    def p(self) -> float:
        """Two-sided, of "the mean is 0"."""
        return float(2.0 * stdtr(self.freedom, -abs(self.centre) / self.error))


def cluster_interval(means: Floats, rollouts: float, level: float = 0.95, alike: float = 0.0) -> Interval:
    """Interval of the mean score over scenarios, cut at -1 and 1.

    Student's, after two made-up scenarios, a win and a loss of B, are added. With one rollout a scenario this is Bonett
    and Price's adjustment (2012) for paired proportions, which keeps its coverage for few scenarios and for shares near
    0 and 1, where the bare t-interval shrinks to a point. With k rollouts a made-up scenario weighs 1 / sqrt(k) of a
    real one, and more where rollouts of a scenario are more alike than that.

    Args:
        means: mean score of each scenario, in [-1, 1]; shape (scenarios,), at least one.
        rollouts: mean number of rollouts a scenario.
        level: coverage.
        alike: variance of scenarios' means as a share of the variance of all scores (see `likeness`); 0 if not known.

    Raises:
        ValueError: `level` is not between 0 and 1.
    """
    require_level(level)
    return _adjusted(means, rollouts, alike).interval(level)


def likeness(every: Floats, means: Floats) -> float:
    """Variance of scenarios' means as a share of the variance of all scores; 1 if all scores are the same.

    It is 1 where the rollouts of a scenario always agree, and about 1 / k where they are independent.

    Args:
        every: scores of all rollouts, shape (rollouts,), at least one.
        means: of each scenario, shape (scenarios,).
    """
    spread = float(every.var())
    return float(means.var()) / spread if spread > 0.0 else 1.0


def _adjusted(means: Floats, rollouts: float, alike: float) -> _Adjusted:
    weight = min(1.0, max(alike, 1.0 / sqrt(rollouts)))
    sums = np.concatenate([means, np.array([weight, -weight])])
    sizes = np.concatenate([np.ones(means.size), np.full(2, weight)])
    centre = float(sums.sum() / sizes.sum())
    return _Adjusted(centre, sqrt(ratio_variance(sums, sizes)), max(1, means.size - 1))


def ratio_variance(sums: Floats, sizes: Floats) -> float:
    """Cluster-robust variance of sum(sums) / sum(sizes): the sandwich with CR2's correction (Bell, McCaffrey 2002).

    Args:
        sums: of the scores of each cluster, shape (clusters,), at least two.
        sizes: scores in each cluster, or its weight.
    """
    total = float(sizes.sum())
    residuals = sums - sizes * (float(sums.sum()) / total)
    return float(np.sum(residuals**2 / (1.0 - sizes / total))) / total**2
