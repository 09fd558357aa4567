"""A few judged scenarios in full, two dialogues side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sage_eval.report.asked import Row


@dataclass(frozen=True, slots=True)
class Sample:
    """Two dialogues of one scenario, with every judge's verdict."""

    scenario_id: str
    verdicts: tuple[Row, ...]
    sides: tuple[tuple[str, tuple[Row, ...]], ...]
    """(model, turns) of A and of B."""


def samples(turns: Sequence[Row], verdicts: Sequence[Row], most: int) -> tuple[Sample, ...]:
    """At most `most` scenarios of each pair of models."""
    said: dict[tuple[str, ...], list[Row]] = {}
    for row in verdicts:
        said.setdefault(_key(row), []).append(row)
    found = []
    for _, pair in groupby(turns, key=lambda row: _key(row)[:3]):
        scenarios = [(key, list(rows)) for key, rows in groupby(pair, key=_key)]
        found += [_sample(rows, said[key]) for key, rows in scenarios[:most]]
    return tuple(found)


def _key(row: Row) -> tuple[str, ...]:
    return row["stage"], row["model_a"], row["model_b"], row["scenario_id"]


def _sample(turns: Sequence[Row], verdicts: Sequence[Row]) -> Sample:
    first = turns[0]
    sides = tuple(
        (first[name], tuple(row for row in turns if row["side"] == side))
        for side, name in (("A", "model_a"), ("B", "model_b"))
    )
    return Sample(first["scenario_id"], tuple(verdicts), sides)
