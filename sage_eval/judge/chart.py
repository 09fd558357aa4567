"""Draws the path of every comparison's e-value as SVG, scenario by scenario; the same paths give the same bytes.

Path("e-values.svg").write_text(chart(found, plan))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log

from sage_eval.judge.stopping import Evidence
from sage_eval.plan import AnalysisPlan
from sage_eval.stats.sequential import log_threshold

WIDTH, HEIGHT = 860, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 600, 50, 360
"""Edges of the plot; the names stand right of it."""
LINE_HEIGHT = 20
MOST_POINTS = 800
"""Of one path: more than there are pixels would not be seen."""
LONGEST_NAME = 30
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f")
"""Okabe and Ito's, told apart with any colour vision; the dashes tell apart what comes round again."""
DASHES = ("", "6 3", "2 3", "8 3 2 3")
STYLE = """
:root { color-scheme: light dark; --ink: #1b1d21; --quiet: #5d636d; --line: #dedfdc; --page: #fcfcfb; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e8ea; --quiet: #a0a7b2; --line: #32373f; --page: #14161a; } }
text { font: 13px Inter, "Segoe UI", Arial, "Liberation Sans", sans-serif; fill: var(--ink); }
.page { fill: var(--page); }
.quiet { font-size: 12px; fill: var(--quiet); }
.title { font-size: 16px; font-weight: 600; }
.grid { stroke: var(--line); }
.bound { stroke: var(--ink); stroke-dasharray: 3 3; }
.path { fill: none; stroke-width: 2; }
.number { text-anchor: end; }
.middle { text-anchor: middle; }
"""
_LOG_10 = log(10.0)


@dataclass(frozen=True, slots=True)
class Plot:
    """Maps scenarios judged, and powers of ten of the e-value, to the page."""

    steps: int
    low: int
    high: int

    def x(self, step: float) -> float:
        """Where a number of scenarios lies."""
        return round(LEFT + step / self.steps * (RIGHT - LEFT), 1)

    def y(self, power: float) -> float:
        """Where a power of ten lies."""
        return round(BOTTOM - (power - self.low) / (self.high - self.low) * (BOTTOM - TOP), 1)


def chart(found: Sequence[Evidence], plan: AnalysisPlan) -> str:
    """All paths over one another, with the bound at which a comparison may be claimed."""
    bound = log_threshold(plan.alpha, len(plan.family)) / _LOG_10
    paths = [[value / _LOG_10 for value in (0.0, *one.path.log_e)] for one in found]
    values = [0.0, *(value for path in paths for value in path)]
    plot = Plot(
        steps=max([1, *(len(path) - 1 for path in paths)]),
        low=floor(min(values)),
        high=max(ceil(bound) + 1, ceil(max(values))),
    )
    parts = [_text(LEFT, 28, "Evidence for a difference, as it came in", "title"), *_axes(plot)]
    parts.append(_line("bound", LEFT, RIGHT, plot.y(bound)))
    parts.append(_text(RIGHT - 4, plot.y(bound) - 6, f"bound {len(plan.family) / plan.alpha:g}", "quiet number"))
    for index, (one, path) in enumerate(zip(found, paths, strict=True)):
        parts += _drawn(index, one, path, plot)
    height = max(HEIGHT, TOP + LINE_HEIGHT * (len(found) + 2))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" role="img" aria-label="E-value of each comparison over the scenarios judged">',
            f"<style>{STYLE}</style>",
            f'<rect class="page" width="{WIDTH}" height="{height}"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _axes(plot: Plot) -> list[str]:
    parts = []
    for power in range(plot.low, plot.high + 1, max(1, ceil((plot.high - plot.low) / 8))):
        parts.append(_line("grid", LEFT, RIGHT, plot.y(power)))
        parts.append(_text(LEFT - 8, plot.y(power) + 4, f"1e{power}" if power else "1", "quiet number"))
    for step in sorted({round(plot.steps * part / 4) for part in range(5)}):
        parts.append(_text(plot.x(step), BOTTOM + 18, f"{step}", "quiet middle"))
    return [*parts, _text((LEFT + RIGHT) / 2, BOTTOM + 38, "scenarios judged", "quiet middle")]


def _drawn(index: int, one: Evidence, path: Sequence[float], plot: Plot) -> list[str]:
    """One path and its entry in the legend."""
    stroke = f'stroke="{COLOURS[index % len(COLOURS)]}"'
    if dash := DASHES[index // len(COLOURS) % len(DASHES)]:
        stroke += f' stroke-dasharray="{dash}"'
    points = " ".join(f"{plot.x(step):g},{plot.y(path[step]):g}" for step in _thinned(len(path)))
    y = TOP + LINE_HEIGHT * index
    return [
        f'<polyline class="path" {stroke} points="{points}"/>',
        f'<line {stroke} stroke-width="2" x1="{RIGHT + 14}" x2="{RIGHT + 38}" y1="{y}" y2="{y}"/>',
        _text(RIGHT + 44, y + 4, _name(one), "quiet"),
    ]


def _line(kind: str, left: float, right: float, y: float) -> str:
    return f'<line class="{kind}" x1="{left:g}" x2="{right:g}" y1="{y:g}" y2="{y:g}"/>'


def _thinned(count: int) -> list[int]:
    """Steps to draw: all, or evenly spread ones with the last."""
    every = max(1, ceil(count / MOST_POINTS))
    return [*range(0, count - 1, every), count - 1]


def _name(one: Evidence) -> str:
    end = "" if one.path.stopped_after is None else f" \u2713 {one.path.stopped_after}"
    return f"{_short(f'{one.model_a} : {one.model_b}, {one.judge}')}{end}"


def _short(name: str) -> str:
    name = "".join(one if one.isprintable() else "\ufffd" for one in name)
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}\u2026"


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(text)}</text>'
