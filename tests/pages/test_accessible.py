"""Everyone can read the pages: axe finds nothing, nothing overflows, nothing moves for those who asked for rest."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from browsing import DESK, PHONE, Watched, missing, overflow, until, violations

pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]
Open = Callable[..., Watched]
SIZES = {"desk": DESK, "phone": PHONE}


VIEWS = {
    "list": "",
    "entry": "#q=dog&a=sage2&b=sage3&s=hit:1_conv:2&model=sage2",
    "nothing": "#label=none",
}
QUICK = [("index", "phone", "dark"), ("list", "phone", "light"), ("entry", "desk", "dark")]
EVERY = list(product(("index", *VIEWS), SIZES, ("light", "dark")))


@pytest.mark.parametrize(
    ("view", "size", "theme"),
    [*QUICK, *(pytest.param(*one, marks=pytest.mark.slow) for one in EVERY if one not in QUICK)],
)
def test_axe_finds_nothing(report: Path, watched: Open, view: str, size: str, theme: str) -> None:
    # axe is put into the page, which its policy would rightly refuse.
    one = watched(report, viewport=SIZES[size], color_scheme=theme, bypass_csp=True)
    page = one.index() if view == "index" else one.explorer(VIEWS[view])
    for summary in page.locator("#filters:not([open]) > summary, .candidates > summary").all()[:3]:
        if summary.is_visible():
            summary.click()
    assert violations(page) == []
    assert overflow(page) == 0


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_hostile_words_do_not_push_the_page_apart(hostile: Path, watched: Open, size: str) -> None:
    page = watched(hostile, viewport=SIZES[size]).explorer()
    page.locator("#results a").first.click()
    page.wait_for_selector("#shown article")
    assert overflow(page) == 0
    assert overflow(watched(hostile, viewport=SIZES[size]).index()) == 0


def test_nothing_moves_for_those_who_asked_for_rest(report: Path, watched: Open) -> None:
    moving = (
        "[...document.querySelectorAll('*')].filter((one) => getComputedStyle(one).transitionDuration !== '0s').length"
    )
    assert watched(report, reduced_motion="reduce").explorer().evaluate(moving) == 0
    assert watched(report, reduced_motion="no-preference").explorer().evaluate(moving) > 0


def test_what_is_printed_is_what_is_read(report: Path, watched: Open) -> None:
    page = watched(report).explorer("#a=sage2&b=sage3&s=hit:1_conv:2")
    page.emulate_media(media="print")
    assert not page.locator("#finder").is_visible()
    assert not page.locator("#results").is_visible()
    assert page.locator("#shown article").is_visible()


def test_what_changes_is_announced(report: Path, watched: Open) -> None:
    page = watched(report).explorer("#a=sage2&b=sage3&s=hit:1_conv:2")
    assert page.get_by_role("status").all_inner_texts() == ["84 entries", "Shown: sage2 against sage3"]
    until(page, "document.querySelector('#shown article').getAttribute('aria-labelledby') === 'shown-title'")
