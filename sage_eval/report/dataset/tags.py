"""How often each state is stated, as bars, by stage and speaker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sage_eval.report import charts
from sage_eval.report.asked import Row


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a slot."""

    row: Row
    bar: tuple[charts.Segment, ...]


@dataclass(frozen=True, slots=True)
class Distribution:
    """The most frequent values of one slot for one speaker."""

    role: str
    slot: str
    stated: int
    """Utterances that state one (topics: topics stated)."""
    different: int
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Tagged:
    """All distributions of one stage."""

    stage: str
    model: str | None
    """Identity of the model that spoke; None for data that was found or written by people."""
    distributions: tuple[Distribution, ...]


def tagged(rows: Sequence[Row]) -> list[Tagged]:
    """One entry a stage, in the order of the run."""
    return [_tagged(stage, list(group)) for stage, group in groupby(rows, key=lambda row: row["stage"])]


def _tagged(stage: str, rows: Sequence[Row]) -> Tagged:
    grouped = groupby(rows, key=lambda row: (row["role"], row["slot"]))
    model = next((row["model"] for row in rows if row["model"] is not None), None)
    return Tagged(stage, model, tuple(_distribution(role, slot, list(group)) for (role, slot), group in grouped))


def _distribution(role: str, slot: str, rows: Sequence[Row]) -> Distribution:
    most = max(row["n"] for row in rows)
    values = tuple(Value(row, charts.stacked({"kept": row["n"]}, most)) for row in rows)
    return Distribution(role, slot, rows[0]["stated"], rows[0]["different"], values)
