"""Which whole numbers of right answers can stand behind printed scores (after Brown and Heathers 2017, GRIM).

right_answers(Printed.parse("0.267"), 1319)  # range(352, 353)
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor, sqrt

from sage_eval.paper.printed import Printed, whole_numbers

MOST_PAIRS = 4_000_000
"""Pairs of counts that are looked at; above, the range of the ratio decides alone."""


def right_answers(score: Printed, n: int) -> range:
    """Numbers of right answers in n that give a share printed so."""
    return whole_numbers(score.low * n, score.high * n)


def differences(base: Printed, new: Printed, n: int, *, relative: bool) -> Iterator[tuple[float, int, int]]:
    """(difference in percent or percentage points, count before, count after) of all counts that fit the scores."""
    for before in right_answers(base, n):
        for after in right_answers(new, n):
            if not relative:
                yield 100.0 * (after - before) / n, before, after
            elif before:
                yield 100.0 * (after - before) / before, before, after


def few_enough(base: Printed, new: Printed, n: int) -> bool:
    """True when all pairs of counts can be looked at."""
    return len(right_answers(base, n)) * len(right_answers(new, n)) <= MOST_PAIRS


def documents(score: Printed, error: Printed) -> tuple[int, int | None] | None:
    """Least and largest number of documents whose share of right answers has such a standard error.

    n - 1 = p (1 - p) / se^2 over all p and se that are printed so; lm-eval divides by n - 1.

    Returns:
        None where the score is no share; the largest is None where the error may be 0.
    """
    low, high = max(0.0, score.low), min(1.0, score.high)
    if not 0.0 <= score.value <= 1.0 or low > high:
        return None
    spreads = [low * (1.0 - low), high * (1.0 - high), *([0.25] if low <= 0.5 <= high else [])]
    most = None if error.low <= 0.0 else floor(max(spreads) / error.low**2 + 2.0)
    return max(1, ceil(min(spreads) / error.high**2)), most


def share_error(score: float, n: int) -> float:
    """Standard error of a share of right answers, as lm-eval computes it."""
    return sqrt(score * (1.0 - score) / max(1, n - 1))
