"""How many rows of each source: exact shares, rounded by largest remainder.

The exact share of a source is its weight over the sum of weights, as a fraction: weights are taken as they are written,
so 0.1 and 0.2 are one to two. Each source gets its share of the total rounded down; what is left over goes, one row
each, to the largest remainders (the earlier input on a tie). So every count differs from the exact one by less than 1,
and the counts add up to the total.

    apportion(10, as_shares([0.8, 0.2])) == [8, 2]
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def as_shares(weights: Sequence[float]) -> tuple[Fraction, ...]:
    """Weights as fractions that add up to 1.

    Raises:
        ValueError: all are zero.
    """
    exact = [Fraction(str(weight)) for weight in weights]
    total = sum(exact)
    if not total:
        raise ValueError("all weights are zero")
    return tuple(weight / total for weight in exact)


def apportion(total: int, shares: Sequence[Fraction]) -> list[int]:
    """Whole numbers that add up to `total`, each less than 1 away from `total * share`."""
    counts = [int(total * share) for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda place: counts[place] - total * shares[place])
    for place in by_remainder[: total - sum(counts)]:
        counts[place] += 1
    return counts


def largest_total(sizes: Sequence[int], shares: Sequence[Fraction]) -> int:
    """The largest total of which no exact share is more than its source has; so no count is either."""
    return min(int(size / share) for size, share in zip(sizes, shares, strict=True) if share)
