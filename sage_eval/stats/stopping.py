"""When the e-value will have shown a difference: the distribution of the stopping time, worked out exactly.

stopping_time(share=0.5835).mean      # 350 decisive pairs
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betaln

from sage_eval.stats.checks import require_counts, require_family
from sage_eval.stats.result import Result
from sage_eval.stats.sequential import log_threshold

Floats = npt.NDArray[np.float64]

MOST = 20_000
"""Decisive pairs that are looked ahead, unless said otherwise."""
_NEGLIGIBLE = 1e-15
"""Chance of going on below which the rest is left out."""
_LOG_2 = float(np.log(2.0))


@dataclass(frozen=True, slots=True)
class StoppingTime(Result):
    """Decisive pairs until the e-value reaches family_size / alpha, if each is B's with the same chance."""

    share: float
    """True share of B's wins among decisive pairs."""
    alpha: float
    family_size: int
    n: int
    """Decisive pairs after which judging ends anyhow."""
    reached: float
    """Chance that the threshold is reached by then; with a share of one half the chance of a false claim."""
    wrong: float
    """Chance that it is reached with the weaker model ahead (with a share of one half: with A ahead)."""
    mean: float
    """Mean decisive pairs until the threshold, counted as `n` where it is not reached."""
    quantiles: tuple[int | None, int | None, int | None]
    """Decisive pairs after which 10, 50 and 90% of runs have stopped; None where `n` is not enough for that."""
    seed: None = None
    """Nothing is drawn: all ways the pairs can go are followed."""


def stopping_time(share: float, *, alpha: float = 0.05, family_size: int = 1, most: int = MOST) -> StoppingTime:
    """Follow the chances of all scores that have not stopped yet, one decisive pair at a time.

    Args:
        share: true share of B's wins, 0 to 1.
        alpha: chance of any false claim in the family.
        family_size: number of comparisons.
        most: decisive pairs after which judging ends anyhow.

    Raises:
        ValueError: `share` or `alpha` is no share, the family is empty, or `most` is not positive.
    """
    require_family(family_size)
    require_counts(most=most - 1)
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"a win share lies between 0 and 1; it is {share}")
    stopped, behind = _follow(share, log_threshold(alpha, family_size), most)
    reached = np.cumsum(stopped)
    times = np.arange(1, most + 1)
    mean = float(times @ stopped) + most * max(0.0, 1.0 - float(reached[-1]))
    quantiles = [int(np.argmax(reached >= part)) + 1 if reached[-1] >= part else None for part in (0.1, 0.5, 0.9)]
    return StoppingTime(
        share=share,
        alpha=alpha,
        family_size=family_size,
        n=most,
        reached=float(reached[-1]),
        wrong=behind if share >= 0.5 else float(reached[-1]) - behind,
        mean=mean,
        quantiles=(quantiles[0], quantiles[1], quantiles[2]),
    )


def _follow(share: float, bound: float, most: int) -> tuple[Floats, float]:
    """Chance of stopping at each number of decisive pairs, shape (most,), and of stopping with A ahead."""
    stopped = np.zeros(most)
    behind, first, going = 0.0, 0, np.ones(1)
    # `going` holds the chances of first, first + 1, ... wins of B among the pairs so far, not stopped yet.
    for n in range(1, most + 1):
        going = np.append(going * (1.0 - share), 0.0) + np.append(0.0, going * share)
        wins = np.arange(first, first + going.size)
        over = betaln(1 + wins, 1 + n - wins) + n * _LOG_2 >= bound
        stopped[n - 1] = going[over].sum()
        behind += float(going[over & (2 * wins < n)].sum())
        # What goes on is one run in the middle: the e-value grows with the distance from n / 2.
        on = np.flatnonzero(~over)
        first, going = first + int(on[0]), going[on[0] : on[-1] + 1]
        if going.sum() < _NEGLIGIBLE:
            break
    return stopped, behind
