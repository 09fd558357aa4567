"""How many decisive pairs a sign test needs, what so many can show, and how many pairs to judge to get them.

`formula_pairs` is the textbook's normal approximation; `exact_pairs` counts on the test as it is carried out, which for
want of a p of exactly alpha needs some more.

    exact_pairs(share=0.55, alpha=0.05, power=0.8)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.stats import binom

from sage_eval.stats.checks import require_counts, require_shares
from sage_eval.stats.result import Result

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SMALLEST_LEAD = 0.0005
"""Least distance of a win share from one half that is planned for: below it, millions of pairs would be needed."""


@dataclass(frozen=True, slots=True)
class PowerCurve(Result):
    """Chance that the sign test shows a difference, by number of decisive pairs."""

    share: float
    alpha: float
    n: tuple[int, ...]
    """Decisive pairs."""
    power: tuple[float, ...]
    """One for each of `n`."""
    seed: None = None
    """Nothing is drawn."""


def formula_pairs(share: float, *, alpha: float = 0.05, power: float = 0.8) -> int:
    """Decisive pairs by the normal formula, ((z_{a/2} / 2 + z_b sqrt(p (1 - p))) / (p - 1/2))^2, rounded up.

    Raises:
        ValueError: an argument is not between 0 and 1, or `share` is too near one half.
    """
    _require_lead(share)
    require_shares(alpha=alpha, power=power)
    normal = NormalDist()
    both = normal.inv_cdf(1.0 - alpha / 2.0) / 2.0 + normal.inv_cdf(power) * sqrt(share * (1.0 - share))
    # Rounding must not add a pair to a whole number.
    return max(1, ceil((both / (share - 0.5)) ** 2 - 1e-9))


def _require_lead(share: float) -> None:
    require_shares(share=share)
    if abs(share - 0.5) < SMALLEST_LEAD:
        raise ValueError(f"a win share of {share} is too near one half to be planned for")


def critical_wins(n: Integers, alpha: float = 0.05) -> Integers:
    """The most wins of the weaker model at which the exact p is below alpha; -1 where so few pairs can never show it.

    Args:
        n: decisive pairs, shape (settings,).
        alpha: bound of p.
    """
    most = binom.ppf(alpha / 2.0, n, 0.5).astype(np.int64)
    # ppf is the smallest count whose tail is at least alpha / 2; the last one below it is at most one less.
    below: Integers = np.where(2.0 * binom.cdf(most, n, 0.5) < alpha, most, most - 1)
    return below


def exact_power(n: int | Integers, share: float, *, alpha: float = 0.05) -> Floats:
    """Chance that the exact two-sided sign test gives p < alpha, for either model; shape of `n`.

    Args:
        n: decisive pairs.
        share: true share of B's wins among them, 0 to 1.
        alpha: bound of p.

    Raises:
        ValueError: `alpha` is not between 0 and 1.
    """
    require_shares(alpha=alpha)
    counts = np.asarray(n, dtype=np.int64)
    critical = critical_wins(counts, alpha)
    found: Floats = binom.cdf(critical, counts, share) + binom.cdf(critical, counts, 1.0 - share)
    return found


def exact_pairs(share: float, *, alpha: float = 0.05, power: float = 0.8) -> int:
    """Decisive pairs from which on the exact test keeps the power: it falls a little before each time it rises.

    Raises:
        ValueError: an argument is not between 0 and 1, or `share` is too near one half.
    """
    about = formula_pairs(share, alpha=alpha, power=power)
    reach = 60 + about // 8
    while True:
        tried = np.arange(max(1, about - reach), about + reach + 1)
        enough = exact_power(tried, share, alpha=alpha) >= power
        short = np.flatnonzero(~enough)
        # The upper half of what was tried must all be enough, or the last dip may lie beyond.
        if short.size == 0 and tried[0] == 1:
            return 1
        if short.size and short[-1] < tried.size - reach // 2:
            return int(tried[short[-1]]) + 1
        reach *= 2


def detectable_share(n: int, *, alpha: float = 0.05, power: float = 0.8) -> float | None:
    """Smallest win share above one half that `n` decisive pairs show with the power; None if they can show none.

    Raises:
        ValueError: `n` is negative, or an argument is not between 0 and 1.
    """
    require_counts(n=n)
    require_shares(alpha=alpha, power=power)
    if n == 0 or critical_wins(np.array([n]), alpha)[0] < 0:
        return None

    def missing(share: float) -> float:
        return float(exact_power(n, share, alpha=alpha)) - power

    # With power below alpha the null itself would do; else power rises with the distance from one half.
    return 0.5 if missing(0.5) >= 0.0 else float(brentq(missing, 0.5, 1.0, xtol=1e-9))


def power_curve(share: float, pairs: Sequence[int], *, alpha: float = 0.05) -> PowerCurve:
    """Power of the exact test for several numbers of decisive pairs.

    Raises:
        ValueError: `alpha` is not between 0 and 1.
    """
    found = exact_power(np.asarray(pairs, dtype=np.int64), share, alpha=alpha)
    return PowerCurve(share, alpha, tuple(int(n) for n in pairs), tuple(found.tolist()))


def design_effect(rollouts: int, correlation: float) -> float:
    """By how much several rollouts a scenario count less than as many scenarios: 1 + (rollouts - 1) correlation.

    Args:
        rollouts: of each scenario, at least 1.
        correlation: of the scores of two rollouts of one scenario, 0 to 1 (Kish 1965).

    Raises:
        ValueError: there is no rollout, or the correlation lies outside [0, 1].
    """
    if rollouts < 1 or not 0.0 <= correlation <= 1.0:
        raise ValueError(f"expected at least 1 rollout and a correlation of 0 to 1, found {rollouts} and {correlation}")
    return 1.0 + (rollouts - 1) * correlation


def share_of_net_win(net_win: float, decisive: float) -> float:
    """B's share of the decisive pairs, from its net win over all pairs and the share of pairs that are decisive.

    Raises:
        ValueError: the net win is larger than the share of decisive pairs allows.
    """
    if abs(net_win) >= decisive:
        raise ValueError(f"a net win of {net_win} cannot come from decisive pairs that are {decisive:g} of all")
    return (1.0 + net_win / decisive) / 2.0


def pairs_to_judge(decisive_pairs: int, decisive: float, rollouts: int = 1, correlation: float = 0.0) -> int:
    """Scenarios to judge, each with so many rollouts, to learn as much as from `decisive_pairs` independent ones.

    With several rollouts the scores are averaged within the scenario (ties as 0), and the test is on the means; its
    power for small differences is that of the sign test on decisive_pairs times the design effect.

    Args:
        decisive_pairs: that the sign test needs.
        decisive: share of pairs with a winner, above 0, at most 1.
        rollouts: of each scenario.
        correlation: of the scores of two rollouts of one scenario.

    Raises:
        ValueError: an argument is out of its range.
    """
    if not 0.0 < decisive <= 1.0:
        raise ValueError(f"the share of decisive pairs is above 0 and at most 1; it is {decisive}")
    needed = decisive_pairs / decisive * design_effect(rollouts, correlation) / rollouts
    return ceil(needed - 1e-9)
