"""Where things stand in a chart: numbers in, coordinates out. The templates draw them as SVG.

Coordinates are rounded, so that the same numbers give the same bytes everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor

WIDTH, HEIGHT = 1000.0, 100.0
"""Size of the box that stretched charts are drawn in."""
DOSE_BOX = (420, 260)
PLOT = (52.0, 404.0, 14.0, 214.0)
"""Left, right, top and bottom of the plot inside `DOSE_BOX`."""
MOST_POINTS = 160
"""Points of a sparkline; longer series are averaged in groups of neighbours."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a stacked bar."""

    kind: str
    """Name of its colour class and of what it counts."""
    count: int
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Whisker:
    """An estimate with its interval on a scale shared by all rows of a table."""

    low: float
    middle: float
    high: float
    zero: float
    """Where 0 lies."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A stretch of numbers that fills the width, with a round number at either end and in the middle."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """What lies half-way."""
        return (self.low + self.high) / 2

    def place(self, value: float) -> float:
        """Where a value lies, from 0 to `WIDTH`."""
        return _round(WIDTH * (value - self.low) / (self.high - self.low))


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class DoseChart:
    """A dose-response curve in a box `DOSE_BOX` in size, axes included."""

    line: str
    points: tuple[tuple[float, float, float, float], ...]
    """(x, y, y of the lower limit, y of the upper limit)."""
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def dose_chart(rows: Sequence[tuple[float, float, float, float]]) -> DoseChart:
    """Lay out (amount, low, share, high) of each dose, from the smallest amount to the largest; shares from 0 to 1."""
    left, right, top, bottom = PLOT
    first, last = min(row[0] for row in rows), max(row[0] for row in rows)
    span = (last - first) or 1.0

    def x(amount: float) -> float:
        return _round(left + (amount - first) / span * (right - left))

    def y(share: float) -> float:
        return _round(bottom - share * (bottom - top))

    return DoseChart(
        path([(x(amount), y(share)) for amount, _, share, _ in rows]) if len(rows) > 1 else "",
        tuple((x(amount), y(share), y(low), y(high)) for amount, low, share, high in rows),
        tuple(Tick(x(amount), f"{amount:g}") for amount, *_ in rows),
        tuple(Tick(y(share), f"{share:.0%}") for share in (0.0, 0.25, 0.5, 0.75, 1.0)),
    )


def stacked(counts: Mapping[str, int], total: int | None = None) -> tuple[Segment, ...]:
    """Parts of a bar `WIDTH` wide, in the order given; `total` is what the full width stands for."""
    whole = total or sum(counts.values())
    segments, x = [], 0.0
    for kind, count in counts.items():
        width = WIDTH * count / whole if whole else 0.0
        segments.append(Segment(kind, count, _round(x), _round(width)))
        x += width
    return tuple(segment for segment in segments if segment.count)


def whiskers(rows: Sequence[tuple[float, float, float]]) -> list[Whisker]:
    """(low, middle, high) of each row on one symmetric scale around 0."""
    reach = max((abs(value) for row in rows for value in row), default=0.0) or 1.0

    def place(value: float) -> float:
        return _round(WIDTH / 2 + value / reach * (WIDTH / 2 - 20))

    return [Whisker(place(low), place(middle), place(high), place(0.0)) for low, middle, high in rows]


def nice_scale(values: Sequence[float | None], around: float = 1000.0, step: float = 50.0) -> Scale:
    """The narrowest scale of whole steps that holds all values and `around`, so wide that its middle is whole too."""
    known = [around, *(value for value in values if value is not None)]
    low, high = floor(min(known) / step) * step, ceil(max(known) / step) * step
    if (high - low) % (2 * step) or high == low:
        high += step if high > low else 2 * step
    return Scale(low, high)


def sparkline(values: Sequence[float]) -> str:
    """An SVG path through the values, left to right, the largest at the top; empty for fewer than two."""
    points = thin(values)
    if len(points) < 2:
        return ""
    low, high = min(points), max(points)
    span = (high - low) or 1.0
    step = WIDTH / (len(points) - 1)
    return path([(index * step, 5 + (high - value) / span * (HEIGHT - 10)) for index, value in enumerate(points)])


def thin(values: Sequence[float]) -> list[float]:
    """At most `MOST_POINTS` values: means of equally long groups; first and last stay as they are."""
    if len(values) <= MOST_POINTS:
        return list(values)
    inner = values[1:-1]
    edges = [round(index * len(inner) / (MOST_POINTS - 2)) for index in range(MOST_POINTS - 1)]
    groups = [inner[start:end] for start, end in pairwise(edges)]
    return [values[0], *(sum(group) / len(group) for group in groups), values[-1]]


def path(points: Sequence[tuple[float, float]]) -> str:
    """An SVG path of straight lines."""
    return "M" + "L".join(f"{_round(x):g} {_round(y):g}" for x, y in points)


def _round(value: float) -> float:
    return round(value, 2) + 0.0
