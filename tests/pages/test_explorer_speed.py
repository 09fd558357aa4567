"""At the paper's scale the explorer stays quick: six models on 2,544 scenarios, fifteen pairs, two judges."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browsing import Watched, missing, until
from made_reports import report_of
from planted_leaderboard import leaderboard

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(bool(missing()), reason=missing()),
]
PAINT_MS, FILTER_MS = 1_000, 200
TRIES = 5
VIEWS = (
    "#agree=opposite",
    "#pa=sage2&pb=sage3",
    "#model=sage-dpo&verdict=wins&judge=strict",
    "#label=sad",
    "#motivation=empathy&emotion=caring",
    "#topic=garden",
    "#q=garden",
    "#q=g",
    "#q=the garden was lonely",
    "#page=400",
)


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("big")
    return report_of(list(leaderboard(parent).folders), parent)


def measured(page: Any, name: str) -> list[float]:
    return list(page.evaluate(f"performance.getEntriesByName('{name}').map((one) => one.duration || one.startTime)"))


def test_the_first_paint_every_filter_and_every_entry_are_quick(big: Path, watched: Callable[..., Watched]) -> None:
    paints, ready = [], []
    for _ in range(TRIES):
        page = watched(big).explorer()
        paints += measured(page, "first-contentful-paint")
        ready += measured(page, "sage-ready")
    assert page.locator("#count").inner_text() == "38,185 entries"
    assert statistics.median(paints) < PAINT_MS, paints
    assert statistics.median(ready) < PAINT_MS, ready
    spent: dict[str, list[float]] = {view: [] for view in VIEWS}
    for view in VIEWS * TRIES:
        page.evaluate("location.hash = '#judge=none'")
        until(page, "document.getElementById('count').textContent.startsWith('0 ')")
        page.evaluate("performance.clearMeasures()")
        page.evaluate("(view) => { location.hash = view; }", view)
        until(page, "performance.getEntriesByName('sage-filter').length === 1")
        spent[view] += measured(page, "sage-filter")
    medians = {view: statistics.median(times) for view, times in spent.items()}
    assert max(medians.values()) < FILTER_MS, medians
    page.evaluate("location.hash = '#agree=opposite'")
    until(page, "document.querySelectorAll('#results a').length === 50")
    page.evaluate("performance.clearMeasures()")
    for place in range(5, 50, 9):
        page.locator("#results a").nth(place).click()
        until(page, f"performance.getEntriesByName('sage-entry').length === {place // 9 + 1}")
    entries = measured(page, "sage-entry")
    assert statistics.median(entries) < FILTER_MS, entries
