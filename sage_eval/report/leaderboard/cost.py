"""What the run spent on models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sage_eval.report import charts
from sage_eval.report.asked import Row


@dataclass(frozen=True, slots=True)
class Spent:
    """What one role of one stage spent, with a bar of its tokens on a scale shared by all."""

    row: Row
    bar: tuple[charts.Segment, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """All of it."""

    rows: tuple[Spent, ...]
    prompt_tokens: int
    completion_tokens: int
    usd: float | None
    """Of the rows with a price; None where no price is known."""
    unpriced: int
    """Rows without a price."""


def cost(rows: Sequence[Row]) -> Cost | None:
    """None where no model was asked for anything."""
    if not rows:
        return None
    totals = [(row["prompt_tokens"] or 0) + (row["completion_tokens"] or 0) for row in rows]
    most = max(totals) or 1
    priced = [row["usd"] for row in rows if row["usd"] is not None]
    return Cost(
        tuple(
            Spent(
                row,
                charts.stacked({"read": row["prompt_tokens"] or 0, "written": row["completion_tokens"] or 0}, most),
            )
            for row in rows
        ),
        sum(row["prompt_tokens"] or 0 for row in rows),
        sum(row["completion_tokens"] or 0 for row in rows),
        sum(priced) if priced else None,
        len(rows) - len(priced),
    )
