"""Training losses as sparklines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sage_eval.report import charts
from sage_eval.report.asked import Row


@dataclass(frozen=True, slots=True)
class Curve:
    """The loss of one training stage."""

    stage: str
    steps: int
    first: float
    last: float
    held_out: float | None
    path: str


def curves(rows: Sequence[Row]) -> tuple[Curve, ...]:
    """One curve a training stage that has losses."""
    grouped = groupby(rows, key=lambda row: row["stage"])
    return tuple(curve for stage, group in grouped if (curve := _curve(stage, list(group))) is not None)


def _curve(stage: str, rows: Sequence[Row]) -> Curve | None:
    losses = [row["loss"] for row in rows if row["loss"] is not None]
    held_out = [row["held_out_loss"] for row in rows if row["held_out_loss"] is not None]
    if not losses:
        return None
    last = held_out[-1] if held_out else None
    return Curve(stage, len(losses), losses[0], losses[-1], last, charts.sparkline(losses))
