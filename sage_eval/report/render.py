"""Turn a page into one HTML file that loads nothing: escaped by default, its style allowed by hash and nothing else.

render(read_page(connection, "Quickstart", 3))
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sage_eval.report import numbers
from sage_eval.report.page import Page

TEMPLATES = Path(__file__).parent / "templates"
STYLE = "style.css"


def render(page: Page) -> str:
    """The page as HTML. Text from dialogues, models and judges is escaped wherever it stands."""
    environment = _environment()
    style = environment.get_template(STYLE).render()
    return environment.get_template("index.html.j2").render(page=page, policy=policy(style)) + "\n"


def policy(style: str) -> str:
    """A content security policy under which only this style sheet works: no script, image, font, frame or request."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


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
    }
    environment.filters.update(filters)
    return environment
