"""The exact sign test, and intervals for a share of wins.

It takes wins, not calls: the two orders of a pair make one verdict (`sage_eval.verdict.combine`), and a scenario with
several rollouts makes one score (`sage_eval.stats.clustered`). Counting both orders as two wins calls equal models
different in 16% of cases at a nominal 5%.

    sign_test(wins_a=688, wins_b=964)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp
from scipy.stats import binom, binomtest

from sage_eval.stats.checks import require_counts, require_level
from sage_eval.stats.result import Result


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float
    level: float
    """Nominal coverage, for example 0.95."""

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class SignTest(Result):
    """Exact two-sided sign test of "A and B win equally often"; ties take no part."""

    wins_a: int
    wins_b: int
    p: float | None
    """None when there is no decisive pair: nothing can be said then, and that is the result."""
    log_p: float | None
    """Natural logarithm of p; finite even where p itself underflows to 0."""
    share_b: float | None
    """B's share of the decisive pairs."""
    wilson: Interval | None
    """Wilson score interval of `share_b`."""
    exact: Interval | None
    """Clopper-Pearson interval of `share_b`."""
    level: float = 0.95
    """Nominal coverage of both."""
    seed: None = None
    """Nothing is drawn."""

    derived = ("n", "decidable", "smallest_p")

    @property
    def n(self) -> int:
        """Number of decisive pairs."""
        return self.wins_a + self.wins_b

    @property
    def decidable(self) -> bool:
        """True when there was at least one decisive pair."""
        return self.p is not None

    @property
    def smallest_p(self) -> float:
        """The smallest p that so many decisive pairs could give: 5 can never reach .05."""
        return min(1.0, 2.0 ** (1 - self.n))


def sign_test(wins_a: int, wins_b: int, level: float = 0.95) -> SignTest:
    """Test whether A and B win equally often.

    Args:
        wins_a: decisive pairs that A won, each of another scenario.
        wins_b: decisive pairs that B won, each of another scenario.
        level: coverage of the intervals.

    Raises:
        ValueError: a count is negative, or `level` is not between 0 and 1.
    """
    require_counts(wins_a=wins_a, wins_b=wins_b)
    require_level(level)
    n = wins_a + wins_b
    if n == 0:
        return SignTest(wins_a, wins_b, None, None, None, None, None, level)
    return SignTest(
        wins_a,
        wins_b,
        p=sign_p(wins_a, wins_b),
        log_p=_log_p(min(wins_a, wins_b), n),
        share_b=wins_b / n,
        wilson=wilson_interval(wins_b, n, level),
        exact=exact_interval(wins_b, n, level),
        level=level,
    )


def sign_p(wins_a: int, wins_b: int) -> float | None:
    """The p of `sign_test` alone, without its intervals; None when there is no decisive pair.

    Raises:
        ValueError: a count is negative.
    """
    require_counts(wins_a=wins_a, wins_b=wins_b)
    n = wins_a + wins_b
    return float(binomtest(wins_b, n).pvalue) if n else None


def _log_p(fewer: int, n: int) -> float:
    """Twice the smaller tail, in logarithms: under a fair coin both tails are alike."""
    tail = float(logsumexp(binom.logpmf(np.arange(fewer + 1), n, 0.5)))
    return min(0.0, float(np.log(2.0)) + tail)


def wilson_interval(successes: int, n: int, level: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion (Wilson 1927), without continuity correction; `n` at least 1."""
    return _interval(successes, n, level, "wilson")


def exact_interval(successes: int, n: int, level: float = 0.95) -> Interval:
    """Clopper and Pearson's exact interval of a proportion (1934); `n` at least 1."""
    return _interval(successes, n, level, "exact")


def _interval(successes: int, n: int, level: float, method: str) -> Interval:
    found = binomtest(successes, n).proportion_ci(confidence_level=level, method=method)
    return Interval(float(found.low), float(found.high), level)
