"""Comparisons of two models, with bars, and the way from each to its dialogues."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from sage_eval.report import charts
from sage_eval.report.asked import Row

EXPLORER = "explorer.html"
PARTS = ("wins_a", "ties", "inconsistent", "wins_b")
"""What a bar is made of, left to right."""


class Links:
    """Ways from a comparison to its dialogues in the explorer."""

    def __init__(self, judges: Collection[str]) -> None:
        """`judges`: those whose verdicts the explorer can filter by; others (pooled) lead to the pair alone."""
        self._judges = judges

    def to(self, judge: str, model_a: str, model_b: str) -> str:
        """The explorer's address of all dialogues of a pair that this judge saw."""
        asked = {"pa": model_a, "pb": model_b, **({"judge": judge} if judge in self._judges else {})}
        return f"{EXPLORER}#{urlencode(asked)}"


@dataclass(frozen=True, slots=True)
class Compared:
    """One row of the table with its bar."""

    row: Row
    bar: tuple[charts.Segment, ...]
    link: str


def compared(rows: Sequence[Row], links: Links) -> tuple[Compared, ...]:
    """Every comparison that was tested, in the order of the family."""
    return tuple(
        Compared(
            row,
            charts.stacked({name: row[name] for name in PARTS}),
            links.to(row["judge"], row["model_a"], row["model_b"]),
        )
        for row in rows
    )
