"""What became of the pairs each judge saw, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sage_eval.report import charts
from sage_eval.report.asked import Row


@dataclass(frozen=True, slots=True)
class Outcomes:
    """One judge's pairs: decided, tied, decided by the seat, failed."""

    row: Row
    failed: int
    bar: tuple[charts.Segment, ...]


def judge_outcomes(rows: Sequence[Row]) -> tuple[Outcomes, ...]:
    """One row a judging stage and judge."""
    return tuple(_outcomes(row) for row in rows)


def _outcomes(row: Row) -> Outcomes:
    failed = row["malformed"] + row["error"]
    parts = {name: row[name] for name in ("decisive", "ties", "inconsistent")}
    return Outcomes(row, failed, charts.stacked({**parts, "failed": failed}))
