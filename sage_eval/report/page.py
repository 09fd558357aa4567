"""Everything the page shows, read from a warehouse: the rows of named queries, with their charts laid out.

Each section is one of the queries that `sage eval sql --example` knows, so that every number on the page can be had
again, and argued with, in SQL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from sage_eval.report import charts
from sage_eval.warehouse.contract import sql_files
from sage_eval.warehouse.database import Connection
from sage_eval.warehouse.query import ask

QUERIES = Path(__file__).parent / "queries"
Row = Mapping[str, Any]
OUTCOMES = ("wins_a", "ties", "inconsistent", "wins_b")


@dataclass(frozen=True, slots=True)
class Charted:
    """One row of a table with its bar."""

    row: Row
    bar: tuple[charts.Segment, ...]


@dataclass(frozen=True, slots=True)
class Ranged:
    """One row of a table with its interval."""

    row: Row
    whisker: charts.Whisker


@dataclass(frozen=True, slots=True)
class Step:
    """What one stage made of one kind of unit."""

    stage: str
    unit: str
    came_in: int
    kept: int
    lost: tuple[tuple[str, int], ...]
    """(reason, rows), most first; unreadable rows count as "unreadable"."""
    bar: tuple[charts.Segment, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """The loss of one training stage."""

    stage: str
    steps: int
    first: float
    last: float
    held_out: float | None
    path: str


@dataclass(frozen=True, slots=True)
class Sample:
    """Two dialogues of one scenario, with every judge's verdict."""

    row: Row
    verdicts: tuple[Row, ...]
    sides: tuple[tuple[str, tuple[Row, ...]], ...]
    """(model, turns) of A and of B."""


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page."""

    title: str
    facts: tuple[tuple[str, int], ...]
    """What was counted over the whole run."""
    comparisons: tuple[Charted, ...]
    trust: tuple[Row, ...]
    lengths: tuple[Row, ...]
    regressions: tuple[Ranged, ...]
    funnel: tuple[Step, ...]
    whole: int
    """Stages that kept everything, left out of the funnel."""
    curves: tuple[Curve, ...]
    samples: tuple[Sample, ...]
    stages: tuple[Row, ...]
    warnings: tuple[tuple[str, str], ...]
    """(stage, warning)."""
    sql: Mapping[str, str]
    """Named query -> its text."""


def read_page(connection: Connection, title: str, dialogues: int) -> Page:
    """Ask the warehouse for everything the page shows; at most `dialogues` samples for each pair of models.

    Raises:
        QueryError: the warehouse cannot answer.
    """
    texts = {name: path.read_text(encoding="utf-8") for name, path in sql_files("examples").items()}
    rows = {name: ask(connection, text).records() for name, text in texts.items() if name != "side_by_side"}
    steps = _steps(rows["funnel"])
    return Page(
        title=title,
        facts=_facts(connection),
        comparisons=tuple(
            Charted(row, charts.stacked({name: row[name] for name in OUTCOMES})) for row in rows["win_table"]
        ),
        trust=tuple(rows["seat_bias"]),
        lengths=tuple(rows["length_against_verdict"]),
        regressions=_ranged(rows["regressions"]),
        funnel=tuple(step for step in steps if step.lost),
        whole=len({step.stage for step in steps} - {step.stage for step in steps if step.lost}),
        curves=_curves(rows["training"]),
        samples=_samples(connection, dialogues),
        stages=tuple(rows["provenance"]),
        warnings=tuple((row["stage"], text) for row in rows["provenance"] for text in row["warnings"]),
        sql=texts,
    )


def _facts(connection: Connection) -> tuple[tuple[str, int], ...]:
    row = ask(connection, (QUERIES / "facts.sql").read_text(encoding="utf-8")).records()[0]
    return tuple(row.items())


def _ranged(rows: Sequence[Row]) -> tuple[Ranged, ...]:
    placed = charts.whiskers([(row["low"], row["difference"], row["high"]) for row in rows])
    return tuple(Ranged(row, whisker) for row, whisker in zip(rows, placed, strict=True))


def _steps(rows: Sequence[Row]) -> list[Step]:
    grouped = groupby(rows, key=lambda row: (row["position"], row["stage"], row["unit"]))
    return [_step(stage, unit, list(group)) for (_, stage, unit), group in grouped]


def _step(stage: str, unit: str, rows: Sequence[Row]) -> Step:
    total = {row["outcome"]: row["n"] for row in rows if row["outcome"] != "dropped"}
    lost = [(row["reason"], row["n"]) for row in rows if row["outcome"] == "dropped" and row["n"]]
    if total["quarantined"]:
        lost.append(("unreadable", total["quarantined"]))
    lost.sort(key=lambda one: (-one[1], one[0]))
    bar = charts.stacked({"kept": total["kept"], "lost": sum(n for _, n in lost)}, total["came_in"])
    return Step(stage, unit, total["came_in"], total["kept"], tuple(lost), bar)


def _curves(rows: Sequence[Row]) -> tuple[Curve, ...]:
    return tuple(
        curve
        for stage, group in groupby(rows, key=lambda row: row["stage"])
        if (curve := _curve(stage, list(group))) is not None
    )


def _curve(stage: str, rows: Sequence[Row]) -> Curve | None:
    losses = [row["loss"] for row in rows if row["loss"] is not None]
    held_out = [row["held_out_loss"] for row in rows if row["held_out_loss"] is not None]
    if not losses:
        return None
    return Curve(
        stage, len(losses), losses[0], losses[-1], held_out[-1] if held_out else None, charts.sparkline(losses)
    )


def _samples(connection: Connection, most: int) -> tuple[Sample, ...]:
    chosen: list[Row] = []
    listed = ask(connection, (QUERIES / "samples.sql").read_text(encoding="utf-8")).records()
    for _, group in groupby(listed, key=lambda row: (row["stage"], row["model_a"], row["model_b"])):
        chosen += list(group)[:most]
    return tuple(_sample(connection, row) for row in chosen)


def _sample(connection: Connection, row: Row) -> Sample:
    keys = ["stage", "model_a", "model_b", "scenario_id"]
    verdicts = (
        connection.table("pair_verdicts")
        .filter(_equal(connection, {key: row[key] for key in keys}))
        .order("judge")
    )
    return Sample(row, (), ())
