"""Benchmarks before and after: intervals around 0 with the margin as a band, subjects folded under their task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sage_eval.report import charts
from sage_eval.report.asked import Row


@dataclass(frozen=True, slots=True)
class Ranged:
    """One row of a table with its interval."""

    row: Row
    whisker: charts.Whisker


@dataclass(frozen=True, slots=True)
class Benchmarks:
    """All comparisons of benchmarks, on one scale."""

    members: tuple[Ranged, ...]
    """Those that claims are made on."""
    others: tuple[Ranged, ...]
    """Subjects and further filters: shown, not claimed."""
    band: tuple[float, float]
    """Where losses and gains within the margin lie: left edge and width."""
    stages: tuple[tuple[str, str], ...]
    """(before, after) of each pair of models compared."""


def benchmarks(rows: Sequence[Row]) -> Benchmarks | None:
    """None where nothing was compared."""
    if not rows:
        return None
    margin = rows[0]["margin"]
    placed = charts.whiskers([(row["low"], row["difference"], row["high"]) for row in rows] + [(-margin, 0.0, margin)])
    ranged = [Ranged(row, whisker) for row, whisker in zip(rows, placed, strict=False)]
    left, right = placed[-1].low, placed[-1].high
    return Benchmarks(
        tuple(one for one in ranged if one.row["member"]),
        tuple(one for one in ranged if not one.row["member"]),
        (left, round(right - left, 2)),
        tuple(dict.fromkeys((row["base_stage"], row["new_stage"]) for row in rows)),
    )
