"""Everything the page shows, read from a warehouse: the rows of named queries, with their charts laid out.

Each section is one of the queries that `sage eval sql --example` knows, so that every number on the page can be had
again, and argued with, in SQL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sage_eval.report import charts
from sage_eval.warehouse.contract import sql_files
from sage_eval.warehouse.database import Connection
from sage_eval.warehouse.query import ask

Row = Mapping[str, Any]
QUERIES = (
    "dose_response",
    "funnel",
    "judge_trust",
    "provenance",
    "regressions",
    "sample_verdicts",
    "side_by_side",
    "size_of_run",
    "steered_twins",
    "training",
    "win_table",
)
TWINS = 3
"""Steered replies shown for each steering stage."""
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
class Steering:
    """One steering stage: its dose-response curve and a few steered replies beside their twins."""

    stage: str
    doses: tuple[Row, ...]
    chart: charts.DoseChart
    twins: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """Two dialogues of one scenario, with every judge's verdict."""

    scenario_id: str
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
    regressions: tuple[Ranged, ...]
    steering: tuple[Steering, ...]
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
    files = sql_files("examples")
    texts = {name: files[name].read_text(encoding="utf-8") for name in QUERIES}
    rows = {name: ask(connection, text).records() for name, text in texts.items()}
    steps = _steps(rows["funnel"])
    lossy = tuple(step for step in steps if step.lost)
    return Page(
        title=title,
        facts=tuple((name.replace("_", " "), n) for name, n in rows["size_of_run"][0].items()),
        comparisons=tuple(_charted(row) for row in rows["win_table"]),
        trust=tuple(rows["judge_trust"]),
        regressions=_ranged(rows["regressions"]),
        steering=_steering(rows["dose_response"], rows["steered_twins"]),
        funnel=lossy,
        whole=len({step.stage for step in steps} - {step.stage for step in lossy}),
        curves=_curves(rows["training"]),
        samples=_samples(rows["side_by_side"], rows["sample_verdicts"], dialogues),
        stages=tuple(rows["provenance"]),
        warnings=tuple((row["stage"], text) for row in rows["provenance"] for text in row["warnings"]),
        sql=texts,
    )


def _charted(row: Row) -> Charted:
    return Charted(row, charts.stacked({name: row[name] for name in OUTCOMES}))


def _ranged(rows: Sequence[Row]) -> tuple[Ranged, ...]:
    placed = charts.whiskers([(row["low"], row["difference"], row["high"]) for row in rows])
    return tuple(Ranged(row, whisker) for row, whisker in zip(rows, placed, strict=True))


def _steering(doses: Sequence[Row], twins: Sequence[Row]) -> tuple[Steering, ...]:
    found = []
    for stage, group in groupby(doses, key=lambda row: row["stage"]):
        rows = tuple(row for row in group if row["share"] is not None)
        shown = [row for row in twins if row["stage"] == stage][:TWINS]
        if rows:
            chart = charts.dose_chart([(row["boost"], row["low"], row["share"], row["high"]) for row in rows])
            found.append(Steering(stage, rows, chart, tuple(shown)))
    return tuple(found)


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


def _samples(turns: Sequence[Row], verdicts: Sequence[Row], most: int) -> tuple[Sample, ...]:
    """At most `most` scenarios of each pair of models."""
    said: dict[tuple[str, ...], list[Row]] = {}
    for row in verdicts:
        said.setdefault(_sample_key(row), []).append(row)
    found = []
    for _, pair in groupby(turns, key=lambda row: _sample_key(row)[:3]):
        scenarios = [(key, list(rows)) for key, rows in groupby(pair, key=_sample_key)]
        found += [_sample(rows, said[key]) for key, rows in scenarios[:most]]
    return tuple(found)


def _sample_key(row: Row) -> tuple[str, ...]:
    return row["stage"], row["model_a"], row["model_b"], row["scenario_id"]


def _sample(turns: Sequence[Row], verdicts: Sequence[Row]) -> Sample:
    first = turns[0]
    sides = tuple(
        (first[name], tuple(row for row in turns if row["side"] == side))
        for side, name in (("A", "model_a"), ("B", "model_b"))
    )
    return Sample(first["scenario_id"], tuple(verdicts), sides)
