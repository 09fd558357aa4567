"""Draws each task's gain with its interval, and the band in which a loss is no regression, as SVG.

Path("regress.svg").write_text(chart(found, "base", "sage-dpo"))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

from sage_eval.regress.comparing import Method, Outcome, Regression
from sage_eval.sheet import sheet
from sage_eval.tables import show_p

WIDTH = 860
LEFT, RIGHT = 250, 690
"""Where the plot begins and ends; tasks stand left of it, verdicts right of it."""
ROW, HEAD, AXIS = 26, 66, 40
LONGEST_NAME = 34
NARROWEST = 0.01
"""Least reach of the axis to either side of 0, in units of the metric."""
HUGE = 3.0
"""An interval is cut, and an arrow says so, only past this many times the farthest estimate (or the margin)."""
COLOURS = {
    Outcome.REGRESSED: ("#b84500", "#ff9257"),
    Outcome.IMPROVED: ("#006f52", "#3fcf9f"),
    Outcome.EQUIVALENT: ("#0072b2", "#56b4e9"),
    Outcome.UNDECIDED: ("#5d636d", "#a0a7b2"),
}
STYLE = sheet(
    """
.band { fill: $band; }
.zero { stroke: $quiet; stroke-dasharray: 3 3; }
.number { text-anchor: middle; }
line.regressed, line.improved, line.equivalent, line.undecided { stroke-width: 2.5; }
"""
    + "".join(
        f".{one.value} {{ stroke: ${one.value}; fill: ${one.value}; }}\n"
        f"text.{one.value} {{ stroke: none; font-weight: 600; }}\n"
        for one in Outcome
    ),
    {"band": ("#eef0ec", "#20252c"), **{one.value: pair for one, pair in COLOURS.items()}},
)


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps gain to x, symmetrically around 0."""

    reach: float

    def x(self, gain: float) -> float:
        """Where a gain lies; what lies farther out is put on the edge."""
        inside = max(-self.reach, min(self.reach, gain))
        return round(LEFT + (inside + self.reach) / (2 * self.reach) * (RIGHT - LEFT), 2)

    def ticks(self) -> list[float]:
        """Round values inside the scale, three to seven."""
        power = floor(log10(self.reach)) - 1
        rounds = (factor * 10.0**exponent for exponent in range(power, power + 3) for factor in (1.0, 2.0, 5.0))
        step = next(one for one in rounds if self.reach / one < 4.0)
        most = floor(self.reach / step + 1e-9)
        return [round(step * index, 2 - power) + 0.0 for index in range(-most, most + 1)]


def chart(found: Sequence[Regression], base: str, new: str) -> str:
    """One row a line, the family first."""
    ordered = [one for one in found if one.member] + [one for one in found if not one.member]
    scale = _scale(ordered)
    bottom = HEAD + ROW * len(ordered)
    height = bottom + AXIS
    first = ordered[0]
    band = f'x="{scale.x(-first.margin)}" width="{round(scale.x(first.margin) - scale.x(-first.margin), 2)}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="Gain of each benchmark with its interval">',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}"/>',
        f'<text class="title" x="16" y="26">{escape(_short(new, 44))} against {escape(_short(base, 44))}</text>',
        f'<text class="quiet" x="16" y="46">Gain (positive is better), {first.level:.0%} interval of each task alone; '
        f"band: margin {first.margin:g}</text>",
        f'<rect class="band" {band} y="{HEAD - 4}" height="{bottom - HEAD + 8}"/>',
        *_axis(scale, bottom),
    ]
    for index, one in enumerate(ordered):
        parts += _row(one, scale, HEAD + ROW * index + ROW // 2)
    return "\n".join([*parts, "</svg>\n"])


def _scale(found: Sequence[Regression]) -> Scale:
    estimates = max(abs(value) for one in found for value in (one.gain[0], one.margin))
    limits = max(abs(limit) for one in found for limit in one.gain[1:])
    return Scale(max(NARROWEST, 1.08 * max(estimates, min(limits, HUGE * estimates))))


def _axis(scale: Scale, bottom: int) -> list[str]:
    parts = []
    for tick in scale.ticks():
        x = scale.x(tick)
        parts.append(
            f'<line class="{"grid" if tick else "zero"}" x1="{x}" x2="{x}" y1="{HEAD - 4}" y2="{bottom + 4}"/>'
        )
        parts.append(f'<text class="quiet number" x="{x}" y="{bottom + 22}">{f"{tick:+g}" if tick else "0"}</text>')
    return parts


def _row(one: Regression, scale: Scale, y: int) -> list[str]:
    middle, low, high = one.gain
    kind = one.outcome.value
    label = one.task if one.filter == "none" else f"{one.task} ({one.filter})"
    p = one.p if one.p_holm is None else one.p_holm
    said = f"{kind}: {middle:+.3f}, {low:+.3f} to {high:+.3f}, {one.method.value}, p {show_p(p)}"
    name = "name" if one.member else "quiet"
    parts = [
        f'<text class="{name}" x="16" y="{y + 5}">{escape(_short(label, LONGEST_NAME))}</text>',
        f"<g><title>{escape(label)}: {said}</title>",
        f'<line class="{kind}" x1="{scale.x(low)}" x2="{scale.x(high)}" y1="{y}" y2="{y}"/>',
        f'<circle class="{kind}" cx="{scale.x(middle)}" cy="{y}" r="4.5"/>',
    ]
    parts += [_arrow(kind, scale, side, y) for side, value in ((-1, low), (1, high)) if abs(value) > scale.reach]
    unpaired = ", unpaired" if one.method is Method.UNPAIRED else ""
    return [*parts, "</g>", f'<text class="{kind}" x="{RIGHT + 14}" y="{y + 5}">{kind}{unpaired}</text>']


def _arrow(kind: str, scale: Scale, side: int, y: int) -> str:
    x = scale.x(side * scale.reach)
    return f'<path class="{kind}" d="M{x} {y - 5}L{x + side * 8} {y}L{x} {y + 5}Z"/>'


def _short(name: str, longest: int) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"
