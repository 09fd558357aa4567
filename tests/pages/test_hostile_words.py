"""Attacks in everything that anyone can write stay words: nothing runs, nothing loads, nothing breaks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browsing import Watched, missing, until
from hostile_run import IDS, JUDGE, LAST, NAMES
from planted_evaluation import ALL_ATTACKS, ATTACKS, ELEMENTS

pytestmark = pytest.mark.slow

Open = Callable[..., Watched]
in_a_browser = pytest.mark.skipif(bool(missing()), reason=missing())


def elements(page: Any) -> set[str]:
    """Kinds of elements on the page."""
    return set(page.evaluate("[...new Set([...document.querySelectorAll('*')].map((one) => one.localName))]"))


ALLOWED = ELEMENTS | {"blockquote", "button", "datalist", "form", "kbd", "mark", "noscript"}
"""What the explorer is made of."""


@in_a_browser
def test_every_entry_is_shown_as_words_and_its_link_leads_back(hostile: Path, watched: Open) -> None:
    page = watched(hostile).explorer()
    names = set(page.evaluate("Object.getOwnPropertyNames(window)"))
    for place, scenario in enumerate(sorted(IDS)):
        page.locator("#results a").nth(place).click()
        until(page, f"document.querySelector('.shown-facts code')?.textContent === {json.dumps(f'{scenario} · test')}")
        for summary in page.locator(".candidates summary").all():
            summary.click()
        shown = page.locator("#shown").inner_text().replace("\u0000", "")
        assert all(attack.replace("\u0000", "") in shown for attack in (*ATTACKS, JUDGE))
        assert page.locator("#shown-title").inner_text() == f"{NAMES[0]} against {NAMES[1]}"
        assert page.locator("#results a").nth(place).get_attribute("aria-current") == "true"
        link = page.locator(".permalink").get_attribute("href")
        assert page.evaluate("(link) => new URLSearchParams(link.slice(1)).get('s')", link) == scenario
    page.reload()
    page.wait_for_selector(".shown-facts code")
    assert page.locator(".shown-facts code").inner_text() == f"{sorted(IDS)[-1]} · test"
    assert elements(page) <= ALLOWED
    assert page.title() == "Explorer · A <planted> run"
    assert set(page.evaluate("Object.getOwnPropertyNames(window)")) == names
    assert page.evaluate("Object.keys(Object.prototype).length === 0")


@in_a_browser
def test_hostile_tags_and_words_can_be_searched_for(hostile: Path, watched: Open) -> None:
    page = watched(hostile).explorer()
    for field, value in (("motivation", "__proto__"), ("emotion", ATTACKS[1]), ("model", NAMES[1]), ("judge", JUDGE)):
        page.select_option(f"#{field}", value)
        until(page, f"document.getElementById('count').textContent.startsWith('{len(IDS)} ')")
    page.fill("#q", "constructor <script")
    until(page, "document.getElementById('count').textContent.startsWith('1 of ')")


@in_a_browser
def test_the_first_page_stays_inert_too(hostile: Path, watched: Open) -> None:
    page = watched(hostile).index()
    assert page.title() == "Leaderboard · A <planted> run"
    assert elements(page) <= ALLOWED


def test_data_files_hold_no_markup_and_no_separator(hostile: Path) -> None:
    files = sorted((hostile / "data").rglob("*.js"))
    assert len(files) >= 8
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert not re.search("[<\u2028\u2029\u0000]", text), file
        assert text.startswith('SAGE.load("')
        assert text.endswith(");\n")
        assert text.count("\n") == 1
        name, value = json.loads(f"[{text.removeprefix('SAGE.load(').removesuffix(');' + chr(10))}]")
        assert f"{name}.js" == file.relative_to(hostile / "data").as_posix()
        assert value is not None


def test_the_files_hold_what_was_said(hostile: Path) -> None:
    text = (hostile / "data" / "dialogues" / "00000.js").read_text(encoding="utf-8")
    _, blocks = json.loads(f"[{text.removeprefix('SAGE.load(').removesuffix(');' + chr(10))}]")
    assert {block["id"] for block in blocks} == set(IDS)
    assert {turns[1][1] for block in blocks for *_, turns in block["dialogues"]} == {ALL_ATTACKS + LAST}


def test_names_of_files_say_nothing(hostile: Path) -> None:
    found = {file.relative_to(hostile).as_posix() for file in hostile.rglob("*") if file.is_file()}
    assert all(re.fullmatch(r"[a-z0-9/_-]+\.(html|js|css|txt|json)", name) for name in found)
