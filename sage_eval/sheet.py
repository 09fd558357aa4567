"""The one style sheet of all charts: literal colours, light ones first, then dark ones for readers who set that.

Many viewers (rsvg-convert, Inkscape, file managers) know no CSS variables and would draw everything black, so that
none are used; a viewer that knows no media queries shows the light colours.

    sheet(".mark { fill: $mark; }", {"mark": ("#0072b2", "#56b4e9")})
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Template

TONES = {
    "ink": ("#1b1d21", "#e7e8ea"),
    "quiet": ("#5d636d", "#a0a7b2"),
    "line": ("#dedfdc", "#32373f"),
    "page": ("#fcfcfb", "#14161a"),
}
"""Name -> (light, dark), of what every chart has."""
BASE = """
text { font: 14px Inter, "Segoe UI", Arial, "Liberation Sans", sans-serif; fill: $ink; }
.page { fill: $page; }
.quiet { font-size: 12px; fill: $quiet; }
.title { font-size: 16px; font-weight: 600; }
.grid { stroke: $line; }
"""
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_COLOUR = re.compile(r"\b(?:fill|stroke):[^;]+;")


def sheet(rules: str, tones: Mapping[str, tuple[str, str]] | None = None) -> str:
    """The base rules and a chart's own, whose colours are written `$name`, by the names of `TONES` and `tones`.

    Raises:
        KeyError: a rule names a colour that is not there.
    """
    known = {**TONES, **(tones or {})}
    light, dark = (
        Template(BASE + rules.strip() + "\n").substitute({name: pair[side] for name, pair in known.items()})
        for side in (0, 1)
    )
    return f"\n:root {{ color-scheme: light dark; }}{light}@media (prefers-color-scheme: dark) {{\n{_colours(dark)}}}\n"


def _colours(rules: str) -> str:
    """The same rules in the same order with nothing but colours; `none` stays, so that it still wins where it did."""
    found = [(selector.strip(), _COLOUR.findall(body)) for selector, body in _RULE.findall(rules)]
    return "".join(f"  {selector} {{ {' '.join(colours)} }}\n" for selector, colours in found if colours)
