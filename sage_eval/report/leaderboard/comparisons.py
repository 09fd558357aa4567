"""Comparisons of two models, with bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sage_eval.report import charts
from sage_eval.report.asked import Row

PARTS = ("wins_a", "ties", "inconsistent", "wins_b")
"""What a bar is made of, left to right."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One row of the table with its bar."""

    row: Row
    bar: tuple[charts.Segment, ...]


def compared(rows: Sequence[Row]) -> tuple[Compared, ...]:
    """Every comparison that was tested, in the order of the family."""
    return tuple(Compared(row, charts.stacked({name: row[name] for name in PARTS})) for row in rows)
