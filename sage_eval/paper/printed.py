"""A number as it was printed: its value, its decimals, and which exact values it may stand for.

Printed.parse("27.0%").may_be(27.04)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)%?")
_LONGEST = 20
"""Characters of a number that a table prints; more are a mistake, and would overflow."""
_SLACK = 1e-9
"""Rounding of our own arithmetic must not decide."""


@dataclass(frozen=True, slots=True)
class Printed:
    """One printed number."""

    text: str
    value: float
    decimals: int

    @classmethod
    def parse(cls, text: str) -> Printed:
        """Read a decimal number, with a percent sign or without.

        Raises:
            ValueError: it is no decimal number.
        """
        stripped = text.strip().replace("\N{MINUS SIGN}", "-")
        if len(stripped) > _LONGEST or not _NUMBER.fullmatch(stripped):
            raise ValueError(f"not a decimal number: {text!r}")
        bare = stripped.rstrip("%")
        return cls(text.strip(), float(bare), len(bare.partition(".")[2]))

    @property
    def half(self) -> float:
        """Half a unit of the last printed digit: how far the exact value may be away."""
        return 0.5 * 10.0**-self.decimals

    @property
    def low(self) -> float:
        """Least value that is printed so."""
        return self.value - self.half

    @property
    def high(self) -> float:
        """Largest value that is printed so."""
        return self.value + self.half

    @property
    def whole(self) -> bool:
        """True when all printed decimals are zeros, so that it may have been rounded to a whole number."""
        return self.decimals > 0 and self.value == round(self.value)

    def may_be(self, exact: float, decimals: int | None = None) -> bool:
        """True when `exact`, rounded to the printed decimals (or to these), is what is printed; halves go both ways."""
        half = self.half if decimals is None else 0.5 * 10.0**-decimals
        return abs(exact - self.value) <= half + _SLACK

    def cut_from(self, exact: float) -> bool:
        """True when `exact` gives what is printed by dropping its further digits instead of rounding."""
        unit = 10.0**-self.decimals
        return abs(int(exact / unit) * unit - self.value) < _SLACK * max(1.0, abs(exact))

    def counts(self, n: int, decimals: int | None = None) -> range:
        """Counts whose share of `n`, in percent, is printed so."""
        half = self.half if decimals is None else 0.5 * 10.0**-decimals
        return whole_numbers((self.value - half) * n / 100.0, (self.value + half) * n / 100.0)


def whole_numbers(low: float, high: float) -> range:
    """Whole numbers from `low` to `high`, neither below 0."""
    first = max(0, -int(-(low - _SLACK) // 1))
    return range(first, int((high + _SLACK) // 1) + 1)
