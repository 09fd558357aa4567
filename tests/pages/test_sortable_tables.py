"""Tables on the pages can be sorted and filtered, and the address says how."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browsing import Watched, missing, until

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
Open = Callable[..., Watched]


def column(page: Any, place: int) -> list[str]:
    """Cells of one column of the rows that are left."""
    cells = (
        f"[...document.querySelectorAll('[data-table=trust] tbody tr:not([hidden])')].map((row) => row.cells[{place}]"
    )
    return list(page.evaluate(f"{cells}.textContent)"))


def test_a_column_sorts_down_up_and_back(report: Path, watched: Open) -> None:
    page = watched(report).index()
    before = column(page, 6)
    words = page.locator("[data-table=trust] th").nth(6)
    words.get_by_role("button").click()
    until(page, "document.querySelector('[aria-sort=descending]')")
    assert page.evaluate("location.hash") == "#trust.sort=6.down"
    assert column(page, 6) == sorted(before, key=float, reverse=True)
    assert words.get_attribute("aria-sort") == "descending"
    words.get_by_role("button").click()
    until(page, "document.querySelector('[aria-sort=ascending]')")
    assert column(page, 6) == sorted(before, key=float)
    words.get_by_role("button").click()
    until(page, "!document.querySelector('[aria-sort]')")
    assert column(page, 6) == before
    assert words.get_attribute("aria-sort") is None
    page.go_back()
    until(page, "document.querySelector('[aria-sort=ascending]')")
    assert column(page, 6) == sorted(before, key=float)


def test_a_link_sorts_and_filters(report: Path, watched: Open) -> None:
    page = watched(report).index("#trust.sort=2.up&trust.filter=strict+sage3")
    assert column(page, 0) == ["strict", "strict"]
    assert all("sage3" in cell for cell in column(page, 2))
    assert page.locator("#filter-trust").input_value() == "strict sage3"
    page.fill("#filter-trust", "nobody")
    until(page, "document.querySelector('#filter-trust + [role=status]').textContent.startsWith('0 of')")
    assert column(page, 0) == []
    page.fill("#filter-trust", "")
    until(page, "document.querySelector('#filter-trust + [role=status]').textContent === ''")
    assert len(column(page, 0)) == 6


def test_a_link_to_a_section_sorts_nothing(report: Path, watched: Open) -> None:
    page = watched(report).index("#trust")
    assert page.locator("[aria-sort]").count() == 0
    assert page.locator(".sorter").count() >= 10


def test_cells_that_say_nothing_come_last_either_way(report: Path, watched: Open) -> None:
    page = watched(report).index()
    page.evaluate("document.querySelector('[data-table=trust] tbody').rows[2].cells[6].textContent = '\u2013'")
    for order, told in (("up", "ascending"), ("down", "descending")):
        page.evaluate("(order) => { location.hash = `trust.sort=6.${order}`; }", order)
        until(page, f"document.querySelector('[aria-sort={told}]')")
        *numbers, last = column(page, 6)
        assert last == "\u2013"
        assert numbers == sorted(numbers, key=float, reverse=order == "down")
