"""Everyone can read the leaderboard and the data page: axe finds nothing, and nothing pushes a phone's page apart."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from browsing import DESK, PHONE, Watched, missing, overflow, violations

pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]
Open = Callable[..., Watched]
SIZES = {"desk": DESK, "phone": PHONE}
REPORTS = ("board", "watched_judges", "evaluated", "hostile")
QUICK = [
    ("board", "index", "desk", "light"),
    ("evaluated", "index", "phone", "dark"),
    ("watched_judges", "index", "phone", "light"),
    ("evaluated", "data", "desk", "dark"),
    ("hostile", "data", "phone", "light"),
]
EVERY = list(product(REPORTS, ("index", "data"), SIZES, ("light", "dark")))


@pytest.mark.parametrize(
    ("report_name", "view", "size", "theme"),
    [*QUICK, *(pytest.param(*one, marks=pytest.mark.slow) for one in EVERY if one not in QUICK)],
)
def test_axe_finds_nothing_and_nothing_overflows(
    request: pytest.FixtureRequest, watched: Open, report_name: str, view: str, size: str, theme: str
) -> None:
    # axe is put into the page, which its policy would rightly refuse.
    folder: Path = request.getfixturevalue(report_name)
    one = watched(folder, viewport=SIZES[size], color_scheme=theme, bypass_csp=True)
    page = one.index() if view == "index" else one.data()
    page.evaluate("[...document.querySelectorAll('details')].slice(0, 6).forEach((one) => { one.open = true; })")
    assert violations(page) == []
    assert overflow(page) == 0
