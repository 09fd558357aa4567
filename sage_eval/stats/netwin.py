"""The net win over all readable pairs, with ties in the denominator, and what failed pairs could change.

Each pair is A's, B's or neither's: three shares of which the net win is B's less A's. That is what Tango's score
interval for paired proportions is about (a lost pair, a gained pair, no change). It was chosen because, counted
over all outcomes, its coverage stays within 2 points of the nominal one at every share of ties from 50 pairs on (at 20
pairs without ties it is 92.4% of 95% at worst), where Wald's falls to 0 when nobody won, and because it never leaves
[-1, 1]. It agrees with the sign test but for the latter's exactness: with few decisive pairs it may miss 0 while the
exact p is still above .05. The claim is the test's.

    net_win(wins_a=688, wins_b=964, neither=892)
    worst_case(wins_a=688, wins_b=964, neither=880, failed=12)
"""

from __future__ import annotations

from dataclasses import dataclass

from sage_eval.stats.checks import require_counts, require_level, require_shares
from sage_eval.stats.paired import tango_interval
from sage_eval.stats.result import Result
from sage_eval.stats.signs import Interval, sign_p


@dataclass(frozen=True, slots=True)
class NetWin(Result):
    """B's lead as a share of all readable pairs, and the same as a score with half a win where neither won."""

    wins_a: int
    wins_b: int
    neither: int
    """Ties and inconsistent pairs."""
    net_win: float | None
    """(B - A) / n, -1 to 1; None without any pair."""
    interval: Interval | None
    """Tango's score interval of `net_win`."""
    half_tie_score: float | None
    """(B + neither / 2) / n, 0 to 1."""
    half_tie_interval: Interval | None
    """Of `half_tie_score`: the same interval, halved and moved to the middle."""
    level: float
    seed: None = None
    """Nothing is drawn."""

    derived = ("n",)

    @property
    def n(self) -> int:
        """Readable pairs."""
        return self.wins_a + self.wins_b + self.neither


@dataclass(frozen=True, slots=True)
class WorstCase(Result):
    """What is left of a result if every failed pair had gone to A, and if every one had gone to B."""

    failed: int
    """Pairs without a readable verdict."""
    n: int
    """Pairs, the failed ones included."""
    net_win: tuple[float, float] | None
    """All to A, all to B; None without any pair."""
    share_b: tuple[float, float] | None
    """B's share of the decisive pairs in both cases; None where there would be none in either."""
    interval: Interval | None
    """From the lower limit of the net win in the first case to the upper limit in the second."""
    p_to_a: float | None
    """Sign test if all had gone to A."""
    p_to_b: float | None
    """Sign test if all had gone to B."""
    largest_p: float | None
    """Of all ways the failed pairs could have come out: 1 where they could make up for the lead; None where there is no
    decisive pair but what they might have been."""
    holds: bool
    """True when the sign test is below alpha without the failed pairs, and below it for the same model however they
    had come out."""
    alpha: float
    level: float
    seed: None = None
    """Nothing is drawn."""


def net_win(wins_a: int, wins_b: int, neither: int, level: float = 0.95) -> NetWin:
    """B's net win over all readable pairs, one a scenario, with its interval.

    Raises:
        ValueError: a count is negative, or `level` is not between 0 and 1.
    """
    require_counts(wins_a=wins_a, wins_b=wins_b, neither=neither)
    require_level(level)
    n = wins_a + wins_b + neither
    if n == 0:
        return NetWin(wins_a, wins_b, neither, None, None, None, None, level)
    lead = (wins_b - wins_a) / n
    limits = tango_interval(wins_a, wins_b, n, level)
    halved = Interval((1.0 + limits.low) / 2.0, (1.0 + limits.high) / 2.0, level)
    return NetWin(wins_a, wins_b, neither, lead, limits, (1.0 + lead) / 2.0, halved, level)


def worst_case(
    wins_a: int, wins_b: int, neither: int, failed: int, *, alpha: float = 0.05, level: float = 0.95
) -> WorstCase:
    """Bounds over everything that the failed pairs could have been.

    Raises:
        ValueError: a count is negative, or `level` or `alpha` is not between 0 and 1.
    """
    require_counts(wins_a=wins_a, wins_b=wins_b, neither=neither, failed=failed)
    require_level(level)
    require_shares(alpha=alpha)
    to_a = net_win(wins_a + failed, wins_b, neither, level)
    to_b = net_win(wins_a, wins_b + failed, neither, level)
    bounds = None if to_a.net_win is None or to_b.net_win is None else (to_a.net_win, to_b.net_win)
    limits = None
    if to_a.interval is not None and to_b.interval is not None:
        limits = Interval(to_a.interval.low, to_b.interval.high, level)
    p_to_a, p_to_b = sign_p(wins_a + failed, wins_b), sign_p(wins_a, wins_b + failed)
    largest = _largest_p(wins_a, wins_b, failed)
    seen = sign_p(wins_a, wins_b)
    return WorstCase(
        failed=failed,
        n=to_a.n,
        net_win=bounds,
        share_b=_share_bounds(wins_a, wins_b, failed),
        interval=limits,
        p_to_a=p_to_a,
        p_to_b=p_to_b,
        largest_p=largest,
        holds=seen is not None and seen < alpha and largest is not None and largest < alpha,
        alpha=alpha,
        level=level,
    )


def _share_bounds(wins_a: int, wins_b: int, failed: int) -> tuple[float, float] | None:
    n = wins_a + wins_b + failed
    return (wins_b / n, (wins_b + failed) / n) if n else None


def _largest_p(wins_a: int, wins_b: int, failed: int) -> float | None:
    """The failed pairs go to whoever is behind, or have no winner, whichever leaves the weaker evidence."""
    fewer, more = sorted((wins_a, wins_b))
    if fewer + failed >= more:
        return sign_p(more, more)
    return max(p for p in (sign_p(fewer + failed, more), sign_p(fewer, more)) if p is not None)
