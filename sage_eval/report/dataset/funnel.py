"""What each stage made of what came in, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sage_eval.report import charts
from sage_eval.report.asked import Row


@dataclass(frozen=True, slots=True)
class Lost:
    """Rows lost for one reason; unreadable rows count as "unreadable"."""

    reason: str
    n: int
    bar: tuple[charts.Segment, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What one stage made of one kind of unit."""

    stage: str
    unit: str
    came_in: int
    kept: int
    lost: tuple[Lost, ...]
    """Most first."""
    bar: tuple[charts.Segment, ...]


def steps(rows: Sequence[Row]) -> list[Step]:
    """One step a stage and unit, in the order of the run."""
    grouped = groupby(rows, key=lambda row: (row["position"], row["stage"], row["unit"]))
    return [_step(stage, unit, list(group)) for (_, stage, unit), group in grouped]


def _step(stage: str, unit: str, rows: Sequence[Row]) -> Step:
    total = {row["outcome"]: row["n"] for row in rows if row["outcome"] != "dropped"}
    lost = [(row["reason"], row["n"]) for row in rows if row["outcome"] == "dropped" and row["n"]]
    if total["quarantined"]:
        lost.append(("unreadable", total["quarantined"]))
    lost.sort(key=lambda one: (-one[1], one[0]))
    came_in = total["came_in"]
    reasons = tuple(Lost(reason, n, charts.stacked({"dropped": n}, came_in)) for reason, n in lost)
    return Step(stage, unit, came_in, total["kept"], reasons, charts.stacked({"kept": total["kept"]}, came_in or 1))
