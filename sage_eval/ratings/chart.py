"""Draws strengths with their intervals and group letters as SVG; the same ratings give the same bytes.

Path("ratings.svg").write_text(chart(rated))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor

from sage_eval.ratings.rated import Rated
from sage_eval.sheet import sheet
from sage_eval.stats.davidson import ModelRating, elo

WIDTH = 860
LEFT, RIGHT = 230, 700
"""Where the plot begins and ends; names stand left of it, groups and ranks right of it."""
ROW, HEAD, AXIS = 28, 62, 34
"""Heights of a model's row, of a judge's heading and of its axis."""
LONGEST_NAME = 30
FARTHEST = 2.0
"""How far, in log-strength, an interval is drawn beyond the outermost strengths; past it an arrow says so."""
STYLE = sheet(
    """
.zero { stroke: $quiet; stroke-dasharray: 3 3; }
.whisker { stroke: $mark; stroke-width: 2.5; }
.dot, .arrow { fill: $mark; }
.number { text-anchor: middle; }
""",
    {"mark": ("#0072b2", "#56b4e9")},
)


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps log-strength to x."""

    low: float
    high: float

    def x(self, strength: float) -> float:
        """Where a log-strength lies."""
        return round(LEFT + (strength - self.low) / (self.high - self.low) * (RIGHT - LEFT), 2)

    def ticks(self) -> list[float]:
        """Round values inside the scale, five or so."""
        wide = self.high - self.low
        step = next(one for one in (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, wide) if wide / one <= 7)
        return [round(step * index, 10) + 0.0 for index in range(ceil(self.low / step), floor(self.high / step) + 1)]


def chart(found: Sequence[Rated]) -> str:
    """All judges, one below the other."""
    parts, y = [], 0
    for rated in found:
        drawn, height = _panel(rated, y)
        parts += drawn
        y += height
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 10}" width="{WIDTH}" '
            f'height="{y + 10}" role="img" aria-label="Ratings of models with intervals">',
            f"<style>{STYLE}</style>",
            f'<rect class="page" width="{WIDTH}" height="{y + 10}"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _panel(rated: Rated, top: int) -> tuple[list[str], int]:
    """One judge's drawing and its height."""
    rating = rated.rating
    level = f"{rating.level:.0%} intervals over {rating.clusters} scenarios"
    parts = [
        _text(20, top + 28, f"Judge {_short(rated.judge)}", "title"),
        _text(LEFT, top + 28, f"log-odds of a win against a loss; {level}", "quiet"),
    ]
    if not rating.models:
        return [*parts, _text(LEFT, top + HEAD, "no model can be rated", "quiet")], HEAD + ROW
    scale = _scale(rating.models)
    bottom = top + HEAD + ROW * len(rating.models)
    parts += [
        _text(RIGHT + 20, top + HEAD - 8, "group", "quiet"),
        _text(RIGHT + 90, top + HEAD - 8, "rank", "quiet"),
        *_axis(scale, top + HEAD, bottom),
    ]
    several = len(rating.fits) > 1
    for place, one in enumerate(rating.models):
        parts += _row(one, scale, top + HEAD + ROW * place + ROW // 2, several=several)
    height = bottom - top + AXIS
    for name in rating.unrated:
        parts.append(_text(20, top + height + 12, f"{_short(name)}: not rated for want of a win, tie or loss", "quiet"))
        height += 20
    return parts, height + 14


def _scale(models: Sequence[ModelRating]) -> Scale:
    low = min(one.strength for one in models) - FARTHEST
    high = max(one.strength for one in models) + FARTHEST
    limits = [limit for one in models if one.interval for limit in (one.interval.low, one.interval.high)]
    strengths = [one.strength for one in models]
    low, high = max(low, min([*limits, *strengths])), min(high, max([*limits, *strengths]))
    margin = 0.04 * (high - low) or 0.5
    return Scale(low - margin, high + margin)


def _axis(scale: Scale, top: int, bottom: int) -> list[str]:
    parts = []
    for tick in scale.ticks():
        x = scale.x(tick)
        kind = "zero" if tick == 0.0 else "grid"
        parts += [
            f'<line class="{kind}" x1="{x:g}" x2="{x:g}" y1="{top}" y2="{bottom}"/>',
            _text(x, bottom + 16, f"{tick:+g}" if tick else "0", "quiet number"),
            _text(x, bottom + 30, f"{elo(tick):.0f}", "quiet number"),
        ]
    return [*parts, _text(20, bottom + 16, "log-strength", "quiet"), _text(20, bottom + 30, "Elo-like", "quiet")]


def _row(one: ModelRating, scale: Scale, y: int, *, several: bool) -> list[str]:
    x = scale.x(one.strength)
    group = f"{one.component}:{one.letters}" if several else one.letters
    ranks = str(one.rank_low) if one.rank_low == one.rank_high else f"{one.rank_low}\u2013{one.rank_high}"
    interval = _whisker(one.interval.low, one.interval.high, scale, y) if one.interval else []
    return [
        _text(20, y + 5, _short(one.model), ""),
        *interval,
        f'<circle class="dot" cx="{x:g}" cy="{y}" r="5"/>',
        _text(RIGHT + 20, y + 5, group, ""),
        _text(RIGHT + 90, y + 5, ranks, ""),
    ]


def _whisker(low: float, high: float, scale: Scale, y: int) -> list[str]:
    """An interval; an arrow where it goes on past the scale."""
    start, end = scale.x(max(low, scale.low)), scale.x(min(high, scale.high))
    parts = [f'<line class="whisker" x1="{start:g}" x2="{end:g}" y1="{y}" y2="{y}"/>']
    if low < scale.low:
        parts.append(f'<path class="arrow" d="M{start:g} {y}l9 -6v12z"/>')
    if high > scale.high:
        parts.append(f'<path class="arrow" d="M{end:g} {y}l-9 -6v12z"/>')
    return parts


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(text)}</text>'


def _short(name: str) -> str:
    name = "".join(one if one.isprintable() else "\ufffd" for one in name)
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}\u2026"
