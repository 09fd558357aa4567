"""Refuses arguments that a statistic has no meaning for."""

from __future__ import annotations


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


def require_p_values(p_values: list[float]) -> None:
    """Check that each value is a probability.

    Raises:
        ValueError: one is outside [0, 1] or not a number.
    """
    for p in p_values:
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"a p-value lies between 0 and 1; one is {p}")
