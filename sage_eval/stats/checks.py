"""Refuses arguments that a statistic has no meaning for.

require_counts(wins_a=3, wins_b=5)
"""

from __future__ import annotations

from collections.abc import Iterable


def require_counts(**counts: int) -> None:
    """Check that every count is 0 or more.

    Raises:
        ValueError: one is negative; names it.
    """
    for name, count in counts.items():
        if count < 0:
            raise ValueError(f"{name} must be a count, 0 or more; it is {count}")


def require_level(level: float) -> None:
    """Check a confidence level.

    Raises:
        ValueError: it is not strictly between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"a confidence level lies strictly between 0 and 1; it is {level}")


def require_p_values(p_values: Iterable[float]) -> None:
    """Check that each value is a probability.

    Raises:
        ValueError: one is outside [0, 1] or not a number.
    """
    for p in p_values:
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"a p-value lies between 0 and 1; one is {p}")


def require_shares(**shares: float) -> None:
    """Check that every value is a share strictly between 0 and 1.

    Raises:
        ValueError: one is not; names it.
    """
    for name, share in shares.items():
        if not 0.0 < share < 1.0:
            raise ValueError(f"{name} lies strictly between 0 and 1; it is {share}")


def require_family(family_size: int) -> None:
    """Check the size of a family of tests.

    Raises:
        ValueError: it is less than 1.
    """
    if family_size < 1:
        raise ValueError(f"a family has at least one test; its size is {family_size}")
