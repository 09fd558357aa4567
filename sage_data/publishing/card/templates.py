"""The cards' templates, in the installed package or at the top of a checkout, and how they are filled in.

fill_card(DATASET, values)
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from sage_data.publishing.card import escaping
from sage_data.publishing.card.escaping import Markdown

DATASET, RESULTS, SPACE = "dataset.md.jinja", "results.md.jinja", "space.md.jinja"


def cards_folder() -> Path:
    """The folder of the templates."""
    packaged = Path(str(files("sage_data"))) / "_cards"
    return packaged if packaged.is_dir() else Path(str(files("sage_data"))).parent / "cards"


def fill_card(template: str, values: Mapping[str, Any]) -> str:
    """A template's text; every value is escaped for Markdown unless it was made by `escaping` to be Markdown."""
    text = _environment().get_template(template).render(values)
    return "\n".join(line.rstrip() for line in _single_spaced(text)) + "\n"


def _single_spaced(text: str) -> list[str]:
    """Lines without runs of empty ones, which conditions leave behind; code blocks are left as they are."""
    kept: list[str] = []
    fence = ""
    for line in text.strip().splitlines():
        if fence:
            fence = "" if line == fence else fence
        elif line.startswith("```"):
            fence = line[: len(line) - len(line.lstrip("`"))]
        elif not line.strip() and kept and not kept[-1].strip():
            continue
        kept.append(line)
    return kept


def _environment() -> Any:
    # jinja2 is only needed here, and a stage's `--help` needs no Arrow.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from sage_data.publishing.card import facts

    found = Environment(
        loader=FileSystemLoader(cards_folder()),
        autoescape=True,
        finalize=_escaped,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    found.filters |= {"n": lambda number: f"{number:,}", "code": escaping.code}
    found.globals |= {"table": escaping.table, "share": facts.share, "link": escaping.link}
    return found


def _escaped(value: Any) -> Markdown:
    return value if isinstance(value, Markdown) else escaping.markdown(str(value))
