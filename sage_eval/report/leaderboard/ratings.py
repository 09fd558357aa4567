"""Ratings of every judge as rows with intervals on one scale, so that judges can be compared by eye."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sage_eval.report import charts
from sage_eval.report.asked import Row


@dataclass(frozen=True, slots=True)
class Rated:
    """One model under one judge."""

    row: Row
    whisker: charts.Whisker | None
    """None where the model could not be rated."""


@dataclass(frozen=True, slots=True)
class JudgeRatings:
    """All models under one judge, best first."""

    stage: str
    judge: str
    models: tuple[Rated, ...]
    scale: charts.Scale
    """The same for all judges of the page."""
    checks: tuple[Row, ...]
    """How well one strength a model explains the verdicts, by group of models that meet."""


def by_judge(rows: Sequence[Row], checks: Sequence[Row], order: Sequence[str]) -> tuple[JudgeRatings, ...]:
    """Tables of ratings, one a stage and judge, in the order of the judges; those of nobody listed come last."""
    scale = charts.nice_scale([row[name] for row in rows for name in ("elo_low", "elo", "elo_high")])
    places = {judge: place for place, judge in enumerate(order)}
    found = (
        JudgeRatings(
            stage,
            judge,
            tuple(_rated(row, scale) for row in group),
            scale,
            tuple(row for row in checks if (row["stage"], row["judge"]) == (stage, judge)),
        )
        for (stage, judge), group in groupby(rows, key=lambda row: (row["stage"], row["judge"]))
    )
    return tuple(sorted(found, key=lambda one: places.get(one.judge, len(places))))


def _rated(row: Row, scale: charts.Scale) -> Rated:
    if row["elo"] is None:
        return Rated(row, None)
    low, high = (row["elo"] if row[name] is None else row[name] for name in ("elo_low", "elo_high"))
    return Rated(row, charts.Whisker(*(scale.place(value) for value in (low, row["elo"], high, 1000.0))))
