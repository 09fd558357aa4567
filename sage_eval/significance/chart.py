"""Draws a forest plot as SVG: each comparison's share of wins with its interval; the same results give the same bytes.

Path("significance.svg").write_text(chart(found))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from math import ceil, floor, log

from sage_eval.plan import StoppingRule
from sage_eval.significance.comparing import Comparison, Conclusion, Significance
from sage_eval.stats import Interval
from sage_eval.tables import show_p

WIDTH = 900
LEFT, RIGHT = 300, 640
"""Where the plot begins and ends; models stand left of it, what is claimed right of it."""
ROW, HEAD, AXIS = 28, 82, 34
"""Heights of a comparison's row, of a judge's heading and of its axis."""
LONGEST_NAME = 17
NARROWEST = 0.06
"""Least reach of the scale to either side of one half."""
STYLE = """
:root { color-scheme: light dark; --ink: #1b1d21; --quiet: #5d636d; --line: #dedfdc; --page: #fcfcfb;
  --a: #b84500; --b: #0072b2; --none: #5d636d; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7e8ea; --quiet: #a0a7b2; --line: #32373f; --page: #14161a;
    --a: #ff9257; --b: #56b4e9; --none: #a0a7b2; }
}
text { font: 14px Inter, "Segoe UI", Arial, "Liberation Sans", sans-serif; fill: var(--ink); }
.page { fill: var(--page); }
.quiet { font-size: 12px; fill: var(--quiet); }
.title { font-size: 16px; font-weight: 600; }
.grid { stroke: var(--line); }
.half { stroke: var(--quiet); stroke-dasharray: 3 3; }
.number { text-anchor: middle; }
.end { text-anchor: end; }
line.a, line.b, line.none { stroke-width: 2.5; }
line.a { stroke: var(--a); } line.b { stroke: var(--b); } line.none { stroke: var(--none); }
circle.a { fill: var(--a); } circle.b { fill: var(--b); } circle.none { fill: var(--page); stroke: var(--none); }
text.a, text.b { font-weight: 600; }
text.a { fill: var(--a); } text.b { fill: var(--b); } text.none { fill: var(--none); }
"""
KINDS = {Conclusion.A_BETTER: "a", Conclusion.B_BETTER: "b"}


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps a share to x, symmetrically around one half."""

    reach: float

    def x(self, share: float) -> float:
        """Where a share lies."""
        return round((LEFT + RIGHT) / 2 + (share - 0.5) / self.reach * (RIGHT - LEFT) / 2, 2)

    def ticks(self) -> list[float]:
        """Round shares inside the scale, ten or fewer."""
        step = next((one for one in (0.02, 0.05, 0.1) if 2 * self.reach / one <= 10.5), 0.25)
        low, high = ceil((0.5 - self.reach) / step - 1e-9), floor((0.5 + self.reach) / step + 1e-9)
        return [round(step * index, 6) for index in range(low, high + 1)]


def chart(found: Significance) -> str:
    """All judges, one below the other, on one scale."""
    scale = _scale(found.comparisons)
    parts, y = [], 0
    for judge, listed in groupby(found.comparisons, key=lambda one: one.judge):
        drawn, height = _panel(judge, list(listed), scale, y)
        parts += drawn
        y += height
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 10}" width="{WIDTH}" '
            f'height="{y + 10}" role="img" aria-label="Share of wins of each comparison with its interval">',
            f"<style>{STYLE}</style>",
            f'<rect class="page" width="{WIDTH}" height="{y + 10}"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _estimate(one: Comparison) -> tuple[float, Interval] | None:
    """The share that the tie rule is about, with its interval; None where there is none."""
    shown = one.shown
    share, interval = shown.half_tie_score, shown.half_tie_interval
    if one.terms.shares:
        share, interval = shown.share_b, shown.share_interval
    return None if share is None or interval is None else (share, interval)


def _scale(listed: Sequence[Comparison]) -> Scale:
    known = [estimate for one in listed if (estimate := _estimate(one))]
    far = max((abs(limit - 0.5) for _, interval in known for limit in (interval.low, interval.high)), default=0.0)
    return Scale(min(0.5, max(NARROWEST, far)) * 1.04)


def _panel(judge: str, listed: Sequence[Comparison], scale: Scale, top: int) -> tuple[list[str], int]:
    """One judge's drawing and its height."""
    terms, bottom = listed[0].terms, top + HEAD + ROW * len(listed)
    what = "B's share of decisive pairs" if terms.shares else "score of B, ties as half"
    claimed = "e-value" if terms.stopping is StoppingRule.E_VALUE else {"holm": "Holm", "bh": "BH"}[terms.correction]
    parts = [
        _text(20, top + 28, f"Judge {_short(judge, 60)}", "title"),
        _text(
            20,
            top + 48,
            f"{what}, {terms.level:.0%} interval of each comparison alone; claims: {claimed} over "
            f"{terms.family_size}, alpha {terms.alpha:g}",
            "quiet",
        ),
        _text(20, top + HEAD - 8, "A", "quiet"),
        _text(LEFT / 2 + 10, top + HEAD - 8, "B", "quiet"),
        _text(scale.x(0.5) - 10, top + HEAD - 8, "\u2190 A wins more", "quiet end"),
        _text(scale.x(0.5) + 10, top + HEAD - 8, "B wins more \u2192", "quiet"),
        *_axis(scale, top + HEAD, bottom),
    ]
    for place, one in enumerate(listed):
        parts += _row(one, scale, top + HEAD + ROW * place + ROW // 2)
    return parts, bottom - top + AXIS


def _axis(scale: Scale, top: int, bottom: int) -> list[str]:
    parts = []
    for tick in scale.ticks():
        x = scale.x(tick)
        kind = "half" if tick == 0.5 else "grid"
        parts.append(f'<line class="{kind}" x1="{x:g}" x2="{x:g}" y1="{top}" y2="{bottom}"/>')
        parts.append(_text(x, bottom + 18, f"{tick:.0%}", "quiet number"))
    return parts


def _row(one: Comparison, scale: Scale, y: int) -> list[str]:
    kind, estimate = KINDS.get(one.conclusion, "none"), _estimate(one)
    parts = [
        _text(20, y + 5, _short(one.model_a), "a" if kind == "a" else ""),
        _text(LEFT / 2 + 10, y + 5, _short(one.model_b), "b" if kind == "b" else ""),
    ]
    if estimate is not None:
        share, interval = estimate
        said = f"{one.model_a} against {one.model_b}: {share:.3f}, {interval.low:.3f} to {interval.high:.3f}, n {one.n}"
        parts += [
            f"<g><title>{escape(_clean(said))}</title>",
            f'<line class="{kind}" x1="{scale.x(interval.low):g}" x2="{scale.x(interval.high):g}" y1="{y}" y2="{y}"/>',
            f'<circle class="{kind}" cx="{scale.x(share):g}" cy="{y}" r="5"/></g>',
        ]
    claim = f"{_short(one.better)} better" if one.better else one.conclusion.value
    return [*parts, _text(RIGHT + 20, y + 5, claim, kind), _text(WIDTH - 16, y + 5, _backing(one), "quiet end")]


def _backing(one: Comparison) -> str:
    """What the claim rests on."""
    if one.conclusion is Conclusion.UNDECIDABLE:
        return ""
    if one.terms.stopping is StoppingRule.E_VALUE:
        return f"log10 E {one.bet.log_e / log(10.0) + 0.0:.1f}"
    return f"p {show_p(one.p_adjusted, one.shown.log_p)}"


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(text)}</text>'


def _clean(name: str) -> str:
    return "".join(one if one.isprintable() else "\ufffd" for one in name)


def _short(name: str, longest: int = LONGEST_NAME) -> str:
    name = _clean(name)
    return name if len(name) <= longest else f"{name[: longest - 1]}\u2026"
