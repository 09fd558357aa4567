"""The sign-flip permutation test: if A and B are exchangeable, each cluster's score might as well have its sign turned.

The chance of a sum at least as far from 0 is exact wherever the scores are whole multiples of a common unit (means of
wins, losses and ties are), or few; else it is drawn. With scores of -1 and 1 it is the exact sign test.

    flip_test(np.array([1.0, 0.2, -0.4, 1.0]), seed=0)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import exp, lcm, log

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit, log_expit

from sage_eval.stats.result import Result

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_FEW = 14
"""Scores up to which all 2^n sign patterns are looked at."""
_MOST_UNITS = 1 << 22
"""Size of the largest distribution that is worked out: 64 MiB of complex numbers."""
_LARGEST_DENOMINATOR = 5040
_ROUNDING = 1e-11
_BLOCK = 4_000_000
"""How many signs are held in memory at a time."""
_LOG_2 = log(2.0)


@dataclass(frozen=True, slots=True)
class FlipTest(Result):
    """Two-sided sign-flip test of "A and B are exchangeable"."""

    n: int
    """Scores that are not 0; the others take no part, as they do not change with their sign."""
    method: str
    """"exact", "monte-carlo", or "none" when no score differs from 0."""
    p: float | None
    """None when no score differs from 0: nothing can be said then."""
    log_p: float | None
    """Natural logarithm of p; finite even where p underflows."""
    seed: int | None = None
    """Of the drawing; None when nothing is drawn."""
    resamples: int | None = None
    """Sign patterns drawn; the smallest p is 1 / (resamples + 1)."""


def flip_test(scores: Floats, *, seed: int, resamples: int = 10_000) -> FlipTest:
    """Compare the sum of scores with those of all sign patterns.

    Args:
        scores: one a cluster, 0 in the middle; shape (clusters,).
        seed: of the drawing, where there is one.
        resamples: sign patterns to draw, where there are too many to look at.

    Raises:
        ValueError: a score is not a finite number.
    """
    if not np.isfinite(scores).all():
        raise ValueError("a score is not a finite number")
    sizes = np.abs(scores)
    # What differs from 0 by rounding alone takes no part either.
    sizes = sizes[sizes > _ROUNDING * sizes.max(initial=0.0)]
    if sizes.size == 0:
        return FlipTest(0, "none", None, None)
    total = abs(float(scores.sum()))
    units = _units(sizes)
    if units is not None:
        log_p = _exact(units, round(total / float(sizes.sum()) * int(units.sum())))
    elif sizes.size <= _FEW:
        log_p = log(float(np.mean(_every_sum(sizes) >= total - _slack(sizes))))
    else:
        p = _drawn(sizes, total, seed, resamples)
        return FlipTest(sizes.size, "monte-carlo", p, log(p), seed, resamples)
    return FlipTest(sizes.size, "exact", exp(log_p), log_p)


def _slack(sizes: Floats) -> float:
    """Rounding must not make an equal sum count as smaller."""
    return 1e-9 * float(sizes.sum())


def _every_sum(sizes: Floats) -> Floats:
    sums = np.zeros(1)
    for size in sizes:
        sums = np.concatenate([sums - size, sums + size])
    return np.abs(sums)


def _drawn(sizes: Floats, total: float, seed: int, resamples: int) -> float:
    rng = np.random.default_rng(seed)
    rows = max(1, _BLOCK // sizes.size)
    as_far = 0
    for start in range(0, resamples, rows):
        signs = rng.integers(0, 2, size=(min(rows, resamples - start), sizes.size), dtype=np.int8)
        sums = signs @ (2.0 * sizes) - sizes.sum()
        as_far += int(np.sum(np.abs(sums) >= total - _slack(sizes)))
    return (1 + as_far) / (1 + resamples)


def _units(sizes: Floats) -> Integers | None:
    """The scores as whole multiples of a common unit; None when there is none, or it is too small to work with."""
    ratios = sizes / sizes.max()
    denominator = 1
    for ratio in np.unique(ratios.round(12)):
        denominator = lcm(denominator, _denominator(float(ratio)))
        if denominator > _LARGEST_DENOMINATOR:
            return None
    units: Integers = np.rint(ratios * denominator).astype(np.int64)
    return units if int(units.sum()) * 2 < _MOST_UNITS else None


def _denominator(ratio: float) -> int:
    """Of the simplest fraction that the ratio is, or one too large to be used."""
    simple = Fraction(ratio).limit_denominator(_LARGEST_DENOMINATOR)
    return simple.denominator if abs(float(simple) - ratio) < _ROUNDING else _LARGEST_DENOMINATOR + 1


def _exact(units: Integers, total: int) -> float:
    """Logarithm of the chance that a sum of independently signed units is at least as far from 0 as `total`."""
    if total == 0:
        return 0.0
    whole = int(units.sum())
    if total == whole:
        return _LOG_2 - units.size * _LOG_2
    tilt = _tilt(units, total)
    values, counts = np.unique(units, return_counts=True)
    mass = _distribution(values, counts, tilt)
    sums = np.arange(mass.size) * 2 - whole
    far = sums >= total
    # P(S) = Q(S) exp(-tilt S) M(tilt): under Q the observed sum is what is expected, so that no tail underflows.
    shifted = float(np.sum(np.maximum(mass[far], 0.0) * np.exp(-tilt * (sums[far] - total))))
    moment = float(np.sum(counts * (-log_expit(2.0 * tilt * values) + tilt * values))) - units.size * _LOG_2
    return min(0.0, _LOG_2 + log(shifted) - tilt * total + moment)


def _tilt(units: Integers, total: int) -> float:
    """The exponent under which the expected sum is `total`, which lies strictly between 0 and the largest sum."""

    def excess(tilt: float) -> float:
        return float(np.sum(units * np.tanh(tilt * units))) - total

    high = 1.0 / float(units.max())
    while excess(high) < 0.0:
        high *= 2.0
    return float(brentq(excess, 0.0, high, xtol=1e-12 * high))


def _distribution(values: Integers, counts: Integers, tilt: float) -> Floats:
    """Chance of each sum, from the smallest up in steps of 2, by the product of characteristic functions.

    Shifted so that each unit adds 0 or its size: the sum of units that came out positive.
    """
    size = int(np.sum(values * counts)) + 1
    angles = -2j * np.pi * np.arange(size // 2 + 1) / size
    transform = np.ones(angles.size, dtype=np.complex128)
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        positive = float(expit(2.0 * tilt * value))
        transform *= (1.0 - positive + positive * np.exp(angles * value)) ** count
    mass: Floats = np.fft.irfft(transform, n=size)
    return mass
