"""How the models talk: style, claims to be human, emotions read, sums solved, steering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from sage_eval.report import charts
from sage_eval.report.asked import Asked, Row

TWINS = 3
"""Steered replies shown for each steering stage."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of style over all models."""

    name: str
    unit: str
    cells: tuple[Row | None, ...]
    """By model; None where it was not measured."""


@dataclass(frozen=True, slots=True)
class Style:
    """All measures of one stage."""

    stage: str
    models: tuple[str, ...]
    measures: tuple[Measure, ...]
    level: float


@dataclass(frozen=True, slots=True)
class Steering:
    """One steering stage: its dose-response curve and a few steered replies beside their twins."""

    stage: str
    doses: tuple[Row, ...]
    chart: charts.DoseChart
    twins: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Claims:
    """How often one model claims a human life."""

    model: str
    stage: str
    any: Row
    """Over all kinds."""
    kinds: tuple[Row, ...]
    """Kinds that occur, most frequent first."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Everything that stages of behaviour measured."""

    style: tuple[Style, ...]
    claims: tuple[Claims, ...]
    emotions: tuple[Row, ...]
    maths: tuple[Row, ...]
    steering: tuple[Steering, ...]


def read(asked: Asked) -> Behaviour:
    """Read all of it; what was not measured is empty."""
    return Behaviour(
        _style(asked.rows("style_by_model")),
        _claims(asked.rows("claims_to_be_human")),
        asked.rows("emotion_reading"),
        asked.rows("maths_by_kind"),
        _steering(asked.rows("dose_response"), asked.rows("steered_twins")),
    )


def _style(rows: Sequence[Row]) -> tuple[Style, ...]:
    return tuple(_style_of(stage, list(group)) for stage, group in groupby(rows, key=lambda row: row["stage"]))


def _style_of(stage: str, rows: Sequence[Row]) -> Style:
    models = tuple(dict.fromkeys(row["model"] for row in rows))
    measured: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        measured.setdefault((row["measure"], row["unit"]), {})[row["model"]] = row
    measures = tuple(
        Measure(name, unit, tuple(found.get(model) for model in models)) for (name, unit), found in measured.items()
    )
    return Style(stage, models, measures, rows[0]["level"])


def _claims(rows: Sequence[Row]) -> tuple[Claims, ...]:
    found = []
    for (stage, model), group in groupby(rows, key=lambda row: (row["stage"], row["model"])):
        kinds: Mapping[str, Row] = {row["kind"]: row for row in group}
        if "any" in kinds:
            others = tuple(row for kind, row in kinds.items() if kind != "any" and row["replies"])
            found.append(Claims(model, stage, kinds["any"], others))
    return tuple(found)


def _steering(doses: Sequence[Row], twins: Sequence[Row]) -> tuple[Steering, ...]:
    found = []
    for stage, group in groupby(doses, key=lambda row: row["stage"]):
        rows = tuple(row for row in group if row["share"] is not None)
        shown = [row for row in twins if row["stage"] == stage][:TWINS]
        if rows:
            chart = charts.dose_chart([(row["boost"], row["low"], row["share"], row["high"]) for row in rows])
            found.append(Steering(stage, rows, chart, tuple(shown)))
    return tuple(found)
