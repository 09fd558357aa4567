"""The leaderboard says in a real browser what the warehouse says, and its switch, tables and links do what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import Watched, missing, until
from planted_leaderboard import MODELS

from sage_eval.report.numbers import count, p_value
from sage_eval.warehouse.contract import sql_files
from sage_eval.warehouse.query import ask, connect

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]
Open = Callable[..., Watched]
Records = list[dict[str, Any]]
NAMES = [model.name for model in MODELS[2:]]
SCENARIOS = 60


@pytest.fixture(scope="module")
def sql(board: Path) -> Iterator[Callable[[str], Records]]:
    """The answers of named queries, from the warehouse that the board was made from."""
    with connect(board.parent / "warehouse") as connection:
        yield lambda name: ask(connection, sql_files("examples")[name].read_text(encoding="utf-8")).records()


def cells(page: Any, table: str) -> list[list[str]]:
    """Words of every visible row of a table, cell by cell."""
    rows = f"[...document.querySelectorAll('[data-table={table}] tbody tr')].filter((row) => row.checkVisibility())"
    return list(page.evaluate(f"{rows}.map((row) => [...row.cells].map((cell) => cell.innerText.trim()))"))


def shown(page: Any, selector: str) -> int:
    """How many elements can be seen."""
    return sum(one.is_visible() for one in page.locator(selector).all())


def test_ratings_stand_best_first_with_their_intervals_and_letters(
    board: Path, watched: Open, sql: Callable[[str], Records]
) -> None:
    page = watched(board).index()
    rows = sql("rating_table")
    for place, judge in enumerate(("warm", "strict"), start=1):
        own = [row for row in rows if row["judge"] == judge]
        told = cells(page, f"ratings-{place}")
        assert [row[1] for row in told] == [row["model"] for row in own]
        assert told[0][1] == "sage-dpo"
        assert told[-1][1] == "sage1"
        for found, row in zip(told, own, strict=True):
            assert found[0] == row["ranks"]
            assert found[2].split() == list(row["letters"])
            assert found[3] == f"{row['elo']:.0f}"
            assert found[4] == f"{row['elo_low']:.0f} to {row['elo_high']:.0f}"
            assert [found[6], found[7], found[8], found[10]] == [
                count(row[name]) for name in ("wins", "ties", "losses", "failed")
            ]


def test_an_interval_is_drawn_where_its_numbers_are(board: Path, watched: Open, sql: Callable[[str], Records]) -> None:
    page = watched(board).index()
    low, middle, high = (float(one) for one in page.locator("[data-table=ratings-1] .scale span").all_inner_texts())
    assert middle == (low + high) / 2
    best = next(row for row in sql("rating_table") if row["judge"] == "warm")
    drawn = page.locator("[data-table=ratings-1] .range").first.get_attribute("d")
    left, right = (float(one) for one in drawn.removeprefix("M").split(" 10H"))
    assert left == pytest.approx(1000 * (best["elo_low"] - low) / (high - low), abs=0.01)
    assert right == pytest.approx(1000 * (best["elo_high"] - low) / (high - low), abs=0.01)


def test_comparisons_are_those_of_the_significance_table(
    board: Path, watched: Open, sql: Callable[[str], Records]
) -> None:
    told = cells(watched(board).index(), "wins")
    rows = sql("win_table")
    assert len(told) == len(rows) == 2 * 6
    for found, row in zip(told, rows, strict=True):
        assert found[0] == row["judge"]
        assert found[1].split() == [row["model_a"], row["model_b"]]
        assert [found[3], found[4], found[5], found[6], found[10], found[11]] == [
            count(row[name]) for name in ("wins_a", "ties", "inconsistent", "wins_b", "n", "failed")
        ]
        assert found[12] == p_value(row["p"], row["log_p"])
        assert found[13] == p_value(row["p_holm"])
        better = {"A better": row["model_a"], "B better": row["model_b"]}.get(row["conclusion"])
        assert (f"{better} is better" if better else "no difference shown") in found[2]
        assert ("worst" in found[9]) == bool(row["failed"])


def test_the_matrix_is_the_same_table_seen_from_both_sides(
    board: Path, watched: Open, sql: Callable[[str], Records]
) -> None:
    page = watched(board).index()
    squares = page.locator(".matrix")
    assert squares.count() == 2
    rows = {(row["judge"], row["model_a"], row["model_b"]): row for row in sql("win_table")}
    for place, judge in enumerate(("warm", "strict")):
        square = squares.nth(place)
        order = square.locator("tbody th").all_inner_texts()
        assert order == square.locator("thead th").all_inner_texts()
        assert order[0] == "sage-dpo"
        links = square.locator("a")
        assert links.count() == 4 * 3
        for name in links.evaluate_all("(all) => all.map((one) => one.getAttribute('aria-label'))"):
            one, other = name.partition(":")[0].split(" against ")
            is_a = (judge, one, other) in rows
            row = rows[(judge, one, other) if is_a else (judge, other, one)]
            won, lost = (row["wins_a"], row["wins_b"]) if is_a else (row["wins_b"], row["wins_a"])
            assert f"won {won}, lost {lost}, n {row['n']}, p {p_value(row['p'], row['log_p'])}" in name
            better = row["conclusion"] == ("A better" if is_a else "B better")
            assert ("claimed: better" in name) == better
            assert ("no difference claimed" in name) == (row["conclusion"] == "not shown")


def test_a_cell_leads_by_keyboard_to_its_dialogues(board: Path, watched: Open) -> None:
    page = watched(board).index()
    cell = page.locator(".matrix").nth(1).get_by_role("link", name="sage-dpo against sage1:")
    cell.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-ready]")
    until(page, f"document.getElementById('count').textContent.startsWith('{SCENARIOS} ')")
    assert page.evaluate("location.hash") == "#pa=sage1&pb=sage-dpo&judge=strict"
    assert page.locator("#judge").input_value() == "strict"
    assert page.locator("#pair option:checked").inner_text() == "sage1 against sage-dpo"


def test_the_number_of_pairs_leads_to_them_too(board: Path, watched: Open) -> None:
    page = watched(board).index()
    page.get_by_role("link", name="Read the 60 pairs of sage2 against sage3 under warm").click()
    page.wait_for_selector("html[data-ready]")
    until(page, f"document.getElementById('count').textContent.startsWith('{SCENARIOS} ')")


def test_the_switch_shows_one_judge_and_the_address_says_so(board: Path, watched: Open) -> None:
    page = watched(board).index()
    assert shown(page, ".block") == 4
    page.get_by_role("radio", name="strict").check(force=True)
    until(page, "location.hash === '#judge=strict'")
    assert page.locator(".block h3:visible").all_inner_texts() == ["strict", "strict"]
    assert {row[0] for name in ("wins", "trust", "outcomes") for row in cells(page, name)} == {"strict"}
    page.reload()
    assert page.get_by_role("radio", name="strict").is_checked()
    assert shown(page, ".block") == 2
    page.go_back()
    until(page, "location.hash === ''")
    assert shown(page, ".block") == 4
    assert page.get_by_role("radio", name="all").is_checked()


def test_a_judge_that_nobody_knows_hides_nothing(board: Path, watched: Open) -> None:
    page = watched(board).index("#judge=nobody")
    assert shown(page, ".block") == 4


def test_the_filter_counts_the_rows_of_the_judge_that_is_shown(board: Path, watched: Open) -> None:
    page = watched(board).index("#judge=warm&wins.filter=sage-dpo&wins.sort=6.down")
    assert page.locator("#filter-wins + [role=status]").inner_text() == "3 of 6 rows"
    told = cells(page, "wins")
    assert {row[0] for row in told} == {"warm"}
    assert [int(row[6]) for row in told] == sorted((int(row[6]) for row in told), reverse=True)
    page.reload()
    assert cells(page, "wins") == told


def test_small_p_values_sort_by_size_although_they_are_written_as_powers(board: Path, watched: Open) -> None:
    page = watched(board).index("#wins.sort=12.up")
    values = page.evaluate(
        "[...document.querySelectorAll('[data-table=wins] tbody tr')].map((row) => row.cells[12].dataset.value)"
    )
    assert [float(one) for one in values] == sorted(float(one) for one in values)


def test_links_to_sections_keep_what_is_chosen(board: Path, watched: Open) -> None:
    page = watched(board).index("#judge=strict")
    page.get_by_role("navigation", name="Sections").get_by_role("link", name="Cost").click()
    until(page, "location.hash === '#judge=strict&at=cost'")
    until(page, "Math.abs(document.getElementById('cost').getBoundingClientRect().top) < innerHeight / 2")
    assert shown(page, ".block") == 2


def test_without_scripts_every_judge_is_read_one_after_the_other(board: Path, watched: Open) -> None:
    page = watched(board, java_script_enabled=False).index()
    assert shown(page, ".block") == 4
    assert shown(page, "#judge-switch") == 0
    assert page.locator("#trust tbody tr:visible").count() > 10


def test_what_is_printed_is_light_and_holds_tables_but_no_tools(board: Path, watched: Open) -> None:
    page = watched(board, color_scheme="dark").index("#judge=warm")
    page.emulate_media(media="print")
    assert shown(page, "nav, .judge-switch, .table-tools, .theme, .sql") == 0
    assert shown(page, ".block") == 2
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 29, 33)"
    assert page.pdf(format="A4", landscape=True).startswith(b"%PDF")


def test_paths_and_stops_are_those_of_the_judges(watched_judges: Path, watched: Open) -> None:
    page = watched(watched_judges).index()
    with connect(watched_judges.parent / "warehouse") as connection:
        stops = ask(connection, "SELECT judge, model_a, model_b, stopped_after, judged FROM judge_stops").records()
        checks = ask(connection, "SELECT count(DISTINCT check_name) AS n FROM judge_self_tests").records()[0]["n"]
        agreed = ask(connection, "SELECT percent, kappa FROM judge_agreement WHERE kind = 'judges'").records()[0]
    assert any(row["stopped_after"] for row in stops)
    told = page.locator("#paths .curves li").all_inner_texts()
    assert len(told) == len(stops) == 9
    for row in stops:
        own = next(
            text
            for text in told
            if f"{row['model_a']} against {row['model_b']}\n" in text and f"\n{row['judge']}:" in text
        )
        claimed = f"claimed after {row['stopped_after']}" if row["stopped_after"] else "not claimed"
        assert claimed in own
        assert f"{row['judged']} judged" in own
    assert len(cells(page, "checks")) == checks
    first = cells(page, "agreement")[0]
    assert first[3].startswith(f"{agreed['percent']:.0%}")
    assert first[4].startswith(f"{agreed['kappa']:.2f}")
    assert "claims rest on the e-value" in page.locator("#wins .lead").inner_text()
    page.get_by_role("radio", name="panel").check(force=True)
    until(page, "location.hash === '#judge=panel'")
    assert shown(page, "#paths .curves li") == 3


def test_behaviour_and_cost_are_told(evaluated: Path, watched: Open) -> None:
    page = watched(evaluated).index()
    style = {row[0].split("\n")[0]: row[1:] for row in cells(page, "style-1")}
    assert style["words"][0].split("\n") == ["28.00", "28.00 to 28.00"]
    claims = cells(page, "claims")[1]
    assert [*claims[:2], *claims[2].split()] == ["tuned", "3", "25.0%", "7.5", "to", "57.8%"]
    assert cells(page, "maths")[0][2:6] == ["16", "0", "2", "2"]
    assert cells(page, "cost")[0][:5] == ["judged", "judge rubric:one", "24", "240", "24"]


def test_attacks_on_the_leaderboard_stay_words(evaluated: Path, watched: Open) -> None:
    page = watched(evaluated).index()
    for summary in page.locator("details > summary").all():
        summary.click()
    kinds = set(page.evaluate("[...new Set([...document.querySelectorAll('main *')].map((one) => one.localName))]"))
    assert not kinds & {"script", "img", "iframe", "style", "base", "object"}
    assert page.title() == "Leaderboard · A <planted> run"
    assert "<img src=x onerror=alert(1)>" in page.locator("main").inner_text()
