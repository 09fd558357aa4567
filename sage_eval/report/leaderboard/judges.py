"""The judges judged: what became of their pairs, how the evidence came in, and what speaks against them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sage_eval.report import charts
from sage_eval.report.asked import Asked, Row


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


@dataclass(frozen=True, slots=True)
class Check:
    """One question with a known answer, put to every judge."""

    name: str
    threshold: float
    cells: tuple[Row | None, ...]
    """By judge; None where it was not put."""


@dataclass(frozen=True, slots=True)
class Checks:
    """All of them."""

    judges: tuple[str, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class EvidencePath:
    """The e-value of one comparison as the scenarios came in."""

    judge: str
    model_a: str
    model_b: str
    line: str
    bound: float
    """Height of the bound."""
    zero: float
    """Height of no evidence either way: an e-value of 1."""
    last: Row
    crossed: int | None
    """Scenarios until the bound was reached; None if never."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What tells whether the judges can be trusted; what was not measured is empty."""

    outcomes: tuple[Outcomes, ...]
    totals: tuple[Row, ...]
    pairs: tuple[Row, ...]
    checks: Checks
    agreement: tuple[Row, ...]
    preference: tuple[Row, ...]


def in_order(rows: Sequence[Row], order: Sequence[str]) -> tuple[Row, ...]:
    """The same rows, by the place of their judge; those of judges that have none come last."""
    places = {judge: place for place, judge in enumerate(order)}
    return tuple(sorted(rows, key=lambda row: places.get(row["judge"], len(places))))


def trust(asked: Asked, order: Sequence[str]) -> Trust:
    """Read all of it; judges stand in the order given."""
    return Trust(
        judge_outcomes(in_order(asked.rows("judge_outcomes"), order)),
        in_order(asked.rows("seat_and_length"), order),
        asked.rows("judge_trust"),
        _checks(in_order(asked.rows("judge_checks"), order)),
        asked.rows("agreement_of_judges"),
        in_order(asked.rows("self_preference"), order),
    )


def _checks(rows: Sequence[Row]) -> Checks:
    """Judges of several stages stand apart: the same name may have been another judge there."""
    stages = {row["stage"] for row in rows}
    put: dict[str, dict[str, Row]] = {}
    judges: dict[str, None] = {}
    for row in rows:
        judge = row["judge"] if len(stages) == 1 else f"{row['judge']} in {row['stage']}"
        judges[judge] = None
        put.setdefault(row["check_name"], {})[judge] = row
    checks = (
        Check(name, next(iter(found.values()))["threshold"], tuple(found.get(judge) for judge in judges))
        for name, found in put.items()
    )
    return Checks(tuple(judges), tuple(checks))


def evidence_paths(rows: Sequence[Row]) -> tuple[EvidencePath, ...]:
    """One small chart a comparison, all on one scale of evidence, each on its own of scenarios."""
    values = [row["log10_e"] for row in rows] + [row["log10_bound"] for row in rows] + [0.0]
    grouped = groupby(rows, key=lambda row: (row["stage"], row["judge"], row["model_a"], row["model_b"]))
    return tuple(_path(list(group), min(values), min(max(values), 4 * _bound(rows))) for _, group in grouped)


def _bound(rows: Sequence[Row]) -> float:
    return max((float(row["log10_bound"]) for row in rows), default=1.0)


def _path(rows: Sequence[Row], low: float, high: float) -> EvidencePath:
    """Evidence far beyond the bound is cut off at the top: what matters is whether and when it got there."""

    def height(value: float) -> float:
        return charts.HEIGHT - 5 - (min(value, high) - low) / ((high - low) or 1.0) * (charts.HEIGHT - 10)

    last = rows[-1]
    points = [(row["step"] / last["last_step"] * charts.WIDTH, height(row["log10_e"])) for row in rows]
    crossed = next((row["step"] for row in rows if row["crosses"]), None)
    bound, zero = (round(height(value), 2) for value in (last["log10_bound"], 0.0))
    line = charts.path([(0.0, height(0.0)), *points])
    return EvidencePath(last["judge"], last["model_a"], last["model_b"], line, bound, zero, last, crossed)
