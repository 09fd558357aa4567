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


def test_the_first_paint_and_every_filter_are_quick(
    big: Path, watched: Callable[..., Watched], record_property: Callable[[str, object], None]
) -> None:
    paints, ready = [], []
    for _ in range(TRIES):
        page = watched(big).explorer()
        paints += measured(page, "first-contentful-paint")
        ready += measured(page, "sage-ready")
    assert "of 38,160" not in page.locator("#count").inner_text()
    assert statistics.median(paints) < PAINT_MS
    assert statistics.median(ready) < PAINT_MS
    slowest = {}
    for view in VIEWS:
        spent = []
        for _ in range(TRIES):
            page.evaluate("location.hash = '#judge=none'")
            until(page, "document.getElementById('count').textContent.startsWith('0 ')")
            page.evaluate("performance.clearMeasures()")
            page.evaluate("(view) => { location.hash = view; }", view)
            until(page, "performance.getEntriesByName('sage-filter').length === 1")
            spent += measured(page, "sage-filter")
        slowest[view] = statistics.median(spent)
    record_property("milliseconds", {"paint": paints, "ready": ready, **slowest})
    assert max(slowest.values()) < FILTER_MS, slowest
