"""Plain SVG pieces for charts that read well in light and dark: text, bars, whiskers, cells. Same numbers, same bytes.

svg(300, [text(20, 40, "Title", "title")], "What the picture shows")
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from sage_eval.sheet import sheet

WIDTH = 900
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6a3d9a", "#7d7d7d")
"""Okabe and Ito's, told apart by colour-blind readers too, then purple and grey."""
DARK_COLOURS = ("#56b4e9", "#ff8c42", "#2bc794", "#e39cc4", "#f0c04a", "#9ad4f5", "#b79ae0", "#bdbdbd")
PAGE = 12.5
"""Letters of the small text that fit into 100 units, roughly."""
_RULES = """
.small { font-size: 12px; }
.title { font-size: 17px; }
.head { font-size: 14px; font-weight: 600; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.whisker { stroke: $ink; stroke-width: 1.5; }
.halo { stroke: $page; stroke-width: 4; stroke-opacity: 0.7; }
.curve { fill: none; stroke-width: 2.5; }
.cell { stroke: $page; stroke-width: 2; }
"""


def style() -> str:
    """The style sheet, with a class `c0`, `c1`, ... for each model's colour and `s0`, `s1`, ... for strokes."""
    classes = "".join(f".c{one} {{ fill: $c{one}; }}\n.s{one} {{ stroke: $c{one}; }}\n" for one in range(len(COLOURS)))
    pairs = enumerate(zip(COLOURS, DARK_COLOURS, strict=True))
    return sheet(_RULES + classes, {f"c{number}": pair for number, pair in pairs})


def svg(height: float, parts: Sequence[str], about: str) -> str:
    """A whole picture, `WIDTH` wide."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" '
            f'height="{height:g}" role="img" aria-label="{escape(about)}">',
            f"<style>{style()}</style>",
            f'<rect class="page" width="{WIDTH}" height="{height:g}"/>',
            *parts,
            "</svg>\n",
        ]
    )


def text(x: float, y: float, said: str, kind: str = "") -> str:
    """Words at a place; dialogue text is data, so it is escaped and control characters are shown as such."""
    return f'<text class="{kind}" x="{_n(x)}" y="{_n(y)}">{escape(printable(said))}</text>'


def printable(said: str) -> str:
    """The same with a replacement mark for what cannot be shown."""
    return "".join(one if one.isprintable() else "\ufffd" for one in said)


def shortened(said: str, most: int) -> str:
    """At most so many characters."""
    return said if len(said) <= most else f"{said[: most - 1]}\u2026"


def bar(x: float, y: float, width: float, height: float, colour: int) -> str:
    """A bar in a model's colour."""
    return (
        f'<rect class="c{colour % len(COLOURS)}" x="{_n(x)}" y="{_n(y)}" width="{_n(max(width, 0.5))}" '
        f'height="{_n(height)}" rx="1.5"/>'
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A straight line."""
    return f'<line class="{kind}" x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"/>'


def whisker(low: float, high: float, y: float) -> list[str]:
    """A level interval with ticks at its ends; its halo keeps it apart from the bar it lies on."""
    ends = [line(x, y - 3, x, y + 3, "whisker") for x in (low, high)]
    return [line(low, y, high, y, "halo"), line(low, y, high, y, "whisker"), *ends]


def cell(x: float, y: float, width: float, height: float, strength: float) -> str:
    """A cell of a heat map, from 0 (page) to 1 (full colour)."""
    return (
        f'<rect class="cell c0" fill-opacity="{strength:.3f}" x="{_n(x)}" y="{_n(y)}" '
        f'width="{_n(width)}" height="{_n(height)}"/>'
    )


def legend(names: Sequence[str], x: float, y: float) -> list[str]:
    """Names with their colours, side by side, in as many lines as they take."""
    parts, left, top = [], x, y
    for number, name in enumerate(names):
        shown = shortened(name, 28)
        wide = 30 + 7.6 * len(shown)
        if left + wide > WIDTH - 10 and left > x:
            left, top = x, top + 20
        parts += [bar(left, top - 10, 12, 12, number), text(left + 18, top, shown, "small")]
        left += wide
    return parts


def legend_height(names: Sequence[str], x: float) -> float:
    """How far `legend` reaches down."""
    drawn = [part for part in legend(names, x, 0.0) if part.startswith("<text")]
    return 20.0 * len({part.partition(' y="')[2].partition('"')[0] for part in drawn})


def _n(value: float) -> str:
    return f"{round(value, 2) + 0.0:g}"
