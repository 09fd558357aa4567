"""Turn what was read into pages that load nothing from outside: escaped by default, no script or style in the page.

    render_index(read_board(connection, "Quickstart", 3))

Every page extends `base.html.j2`: its header, its links to the other pages, its policy. A new page is a template, a
line in `PAGES` and a function here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sage_eval.report import numbers
from sage_eval.report.dataset import Dataset
from sage_eval.report.explorer import Written
from sage_eval.report.leaderboard import Board

TEMPLATES = Path(__file__).parent / "templates"
ASSETS = Path(__file__).parent / "assets"
INDEX, EXPLORER, DATA = "index.html", "explorer.html", "data.html"
PAGES = ((INDEX, "Leaderboard"), (EXPLORER, "Explorer"), (DATA, "Data"))
"""(file, name) of every page, in the order of the links between them."""
BOARD_SCRIPTS = ("board.js",)
EXPLORER_SCRIPTS = ("explorer-data.js", "explorer-filter.js", "explorer-show.js", "explorer.js")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'none'; connect-src 'none'; "
    "base-uri 'none'; form-action 'none'"
)
"""Content security policy: scripts and style sheets of this folder alone; no inline code, image, font or request."""


def render_index(board: Board) -> str:
    """The leaderboard as HTML. Text from dialogues, models and judges is escaped wherever it stands."""
    return _render(INDEX, board.title, page=board, scripts=BOARD_SCRIPTS)


def render_data(title: str, dataset: Dataset) -> str:
    """The data page as HTML."""
    return _render(DATA, title, page=dataset, scripts=BOARD_SCRIPTS)


def render_explorer(title: str, written: Written, notices: Sequence[str]) -> str:
    """The explorer as HTML; the dialogues come from the data files that were written beside it."""
    return _render(EXPLORER, title, written=written, notices=notices, scripts=EXPLORER_SCRIPTS, body_class="broad")


def explorer_link(**wishes: str | None) -> str:
    """The address of a view of the explorer.

    Args:
        wishes: `pa` and `pb` (a pair), `model`, `judge`, `verdict`, ... filter; `s`, `a` and `b` (scenario and models)
            open an entry; None leaves one out.
    """
    return f"{EXPLORER}#{urlencode({name: value for name, value in wishes.items() if value is not None})}"


def _render(file: str, title: str, body_class: str = "", **given: Any) -> str:
    template = _environment().get_template(f"{file}.j2")
    shared = {"title": title, "name": dict(PAGES)[file], "pages": PAGES, "current": file, "policy": POLICY}
    return template.render(**shared, body_class=body_class, **given) + "\n"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {
        "count": numbers.count,
        "share": numbers.share,
        "signed": numbers.signed,
        "decimal": numbers.decimal,
        "p_value": numbers.p_value,
        "range": numbers.between,
        "usd": numbers.usd,
    }
    environment.filters.update(filters)
    environment.globals["explorer_link"] = explorer_link
    return environment
