"""In a real browser, the explorer finds, filters, shows and links what the warehouse holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import PHONE, Watched, missing, served, until
from hostile_run import IDS, judged
from made_reports import report_of

from sage_eval.warehouse.query import ask, connect

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
Open = Callable[..., Watched]
PAIRS, ALONE = 72, 12
"""Judged pairs of the report, and dialogues of people that no judge saw."""


Ask = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def sql(report: Path) -> Iterator[Ask]:
    """Asks the warehouse that the report was made from."""
    with connect(report.parent / "warehouse") as connection:
        yield lambda text: ask(connection, text).rows()


def count(page: Any) -> int:
    """Results that the page says it found."""
    return int(page.locator("#count").inner_text().split()[0].replace(",", ""))


def settled(page: Any, wanted: int) -> None:
    """Wait until the page has found so many."""
    until(page, f"document.getElementById('count').textContent.startsWith('{wanted} ')")


def choose(page: Any, field: str, value: str, wanted: int) -> None:
    page.select_option(f"#{field}", value)
    settled(page, wanted)


def test_it_opens_from_disk_and_lists_every_pair(report: Path, watched: Open, sql: Ask) -> None:
    page = watched(report).explorer()
    assert count(page) == sql("SELECT count(*) FROM pair_verdicts")[0][0] / 2 + ALONE == PAIRS + ALONE
    assert page.locator("#results a").count() == 50
    assert page.locator("#shown article").count() == 1


def test_it_opens_from_a_plain_server(report: Path, watched: Open) -> None:
    with served(report) as address:
        one = watched(report, address)
        page = one.explorer()
        settled(page, PAIRS + ALONE)
        page.locator("#results a").nth(3).click()
        page.wait_for_selector("#results a[aria-current] >> nth=0")
        page.wait_for_load_state("networkidle")


def test_verdicts_of_one_judge_are_counted_as_in_sql(report: Path, watched: Open, sql: Ask) -> None:
    page = watched(report).explorer("#judge=strict")
    settled(page, PAIRS)
    counted = dict(sql("SELECT verdict, count(*) FROM pair_verdicts WHERE judge = 'strict' GROUP BY verdict"))
    assert len(counted) == 4
    for verdict, letter in (("A", "A"), ("B", "B"), ("tie", "T"), ("inconsistent", "I")):
        choose(page, "verdict", letter, counted[verdict])


COUNTS = """
WITH pairs AS (
    SELECT scenario_id, model_a, model_b, list(verdict ORDER BY judge) AS said,
        ['rollout-' || model_a, 'rollout-' || model_b] AS stages
    FROM pair_verdicts GROUP BY ALL
), of_sage1 AS (
    SELECT * FROM pairs WHERE model_a = 'sage1'
)
SELECT 'opposite', count(*) FROM pairs WHERE list_contains(said, 'A') AND list_contains(said, 'B')
UNION ALL SELECT 'same', count(*) FROM pairs WHERE said[1] = said[2]
UNION ALL SELECT 'differ', count(*) FROM pairs WHERE said[1] <> said[2]
UNION ALL SELECT 'wins', count(*) FROM pairs
    WHERE (model_a = 'sage2' AND list_contains(said, 'A')) OR (model_b = 'sage2' AND list_contains(said, 'B'))
UNION ALL SELECT 'label', count(*) FROM of_sage1 JOIN scenarios USING (scenario_id) WHERE emotion = 'sad'
UNION ALL SELECT 'emotion', count(*) FROM of_sage1 AS p WHERE EXISTS (
    FROM turns AS t
    WHERE t.scenario_id = p.scenario_id AND list_contains(stages, t.stage) AND role <> 'user' AND emotion = 'caring')
UNION ALL SELECT 'reads', count(*) FROM of_sage1 AS p WHERE EXISTS (
    FROM turns AS t
    WHERE t.scenario_id = p.scenario_id AND list_contains(stages, t.stage) AND perceived_emotion = 'lonely')
"""
"""How many judged pairs the filters must find; the last three among those of sage1."""


def test_filters_agree_with_sql(report: Path, watched: Open, sql: Ask) -> None:
    page = watched(report).explorer()
    found = dict(sql(COUNTS))
    for value in ("opposite", "same", "differ"):
        choose(page, "agree", value, found[value])
    page.select_option("#agree", "")
    page.select_option("#model", "sage2")
    settled(page, 48)
    choose(page, "verdict", "wins", found["wins"])
    page.click("#clear")
    settled(page, PAIRS + ALONE)
    page.select_option("#model", "sage1")
    choose(page, "label", "sad", found["label"])
    page.select_option("#label", "")
    choose(page, "emotion", "caring", found["emotion"])
    page.select_option("#emotion", "")
    choose(page, "reads", "lonely", found["reads"])
    page.select_option("#reads", "")
    page.fill("#topic", "dog")
    page.locator("#topic").blur()
    until(page, "location.hash === '#model=sage1&topic=dog'")


def test_words_are_found_whole_and_by_their_beginning(report: Path, watched: Open, sql: Ask) -> None:
    page = watched(report).explorer("#pa=sage2&pb=sage3")
    settled(page, 24)

    def scenarios(*patterns: str) -> int:
        said = " ".join(
            f"AND scenario_id IN (SELECT scenario_id FROM turns WHERE regexp_matches(lower(text), '{pattern}') "
            "AND stage IN ('rollout-sage2', 'rollout-sage3'))"
            for pattern in patterns
        )
        return int(sql(f"SELECT count(*) FROM scenarios WHERE true {said}")[0][0])

    whole, both = scenarios(r"\bgarden\b"), scenarios(r"\bgarden\b", r"\blone")
    assert 24 > whole > both > 0
    page.fill("#q", "GÁRDEN ")
    settled(page, whole)
    until(page, "document.querySelector('#shown mark')?.textContent.toLowerCase() === 'garden'")
    page.fill("#q", "gard ")
    settled(page, 0)
    assert page.locator("#nothing").is_visible()
    page.fill("#q", "gard")
    settled(page, whole)
    page.fill("#q", "garden lone")
    settled(page, both)


def test_an_entry_shows_both_dialogues_and_both_orders(report: Path, watched: Open, sql: Ask) -> None:
    scenario, raw_ab, raw_ba, verdict = sql(
        "SELECT scenario_id, raw_ab, raw_ba, verdict FROM pair_verdicts "
        "WHERE judge = 'warm' AND model_a = 'sage2' AND model_b = 'sage3' ORDER BY scenario_id DESC LIMIT 1",
    )[0]
    page = watched(report).explorer(f"#a=sage2&b=sage3&s={scenario}")
    judge = page.get_by_role("region", name="Judge warm")
    assert judge.locator(".raw").all_inner_texts() == [raw_ab, raw_ba]
    told = {"A": "sage2 wins", "B": "sage3 wins", "tie": "a tie", "inconsistent": "the orders disagree"}
    assert judge.locator(".verdict").inner_text() == told[verdict]
    for side, model in enumerate(("sage2", "sage3")):
        held = f"stage = 'rollout-{model}' AND scenario_id = '{scenario}'"
        texts = [text for (text,) in sql(f"SELECT text FROM turns WHERE {held} ORDER BY turn")]
        shown = page.locator(".pair > .dialogue").nth(side)
        assert shown.locator("li.turn > .said").all_inner_texts() == texts
        left = f"{held} AND turn = 1 AND NOT selected ORDER BY score DESC"
        rejected = sql(f"SELECT text, score FROM candidates WHERE {left}")
        shown.locator("details.candidates summary").first.click()
        listed = shown.locator("details.candidates").first.locator("li")
        listed.first.wait_for()
        assert listed.locator(".said").all_inner_texts() == [text for text, _ in rejected]
        assert listed.locator(".score").all_inner_texts() == [f"{score:.2f}" for _, score in rejected]


def view(page: Any) -> Any:
    return page.evaluate(
        "[document.getElementById('count').textContent, document.getElementById('shown').textContent,"
        " [...document.querySelectorAll('#results a')].map((a) => a.hash), document.getElementById('agree').value]"
    )


def test_a_link_leads_to_the_same_view_and_back_leads_back(report: Path, watched: Open) -> None:
    page = watched(report).explorer()
    before = view(page)
    page.select_option("#agree", "differ")
    until(page, "location.hash === '#agree=differ'")
    page.locator("#results a").nth(2).click()
    until(page, "document.querySelectorAll('#results a')[2].ariaCurrent === 'true'")
    until(page, "document.querySelector('.permalink')")
    seen = view(page)
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert view(page) == seen
    other = watched(report).explorer(f"#{page.url.partition('#')[2]}")
    assert view(other) == seen
    page.go_back()
    until(page, "location.hash === '#agree=differ'")
    page.go_back()
    until(page, "location.hash === ''")
    settled(page, PAIRS + ALONE)
    until(page, "document.getElementById('agree').value === ''")
    assert view(page)[:1] == before[:1]


def test_the_first_page_leads_into_the_explorer(hostile: Path, watched: Open) -> None:
    page = watched(hostile).index()
    page.locator(".sample a").first.click()
    page.wait_for_selector("#shown article .judge")
    assert page.evaluate("document.documentElement.hasAttribute('data-opened')")


def test_a_link_to_nowhere_says_so(report: Path, watched: Open) -> None:
    page = watched(report).explorer("#a=sage2&b=nobody&s=none")
    assert "leads to no entry" in page.locator("#shown").inner_text()


def test_a_filter_from_another_run_is_shown_and_can_be_taken_away(report: Path, watched: Open) -> None:
    page = watched(report).explorer("#label=melancholic&model=sage2&verdict=wins")
    assert count(page) == 0
    until(page, "document.getElementById('label').value === 'melancholic'")
    page.select_option("#label", "")
    until(page, "document.getElementById('count').textContent.startsWith('2')")
    assert page.locator("#verdict option:checked").inner_text() == "sage2 wins"


def test_pages_of_results_follow_each_other(report: Path, watched: Open) -> None:
    page = watched(report).explorer()
    first = page.locator("#results a").evaluate_all("all => all.map(a => a.dataset.row)")
    page.click("#later")
    until(page, "document.querySelectorAll('#results a').length === 34")
    second = page.locator("#results a").evaluate_all("all => all.map(a => a.dataset.row)")
    assert [*first, *second] == [str(row) for row in range(PAIRS + ALONE)]
    assert page.locator("#later").get_attribute("href") is None


def test_the_keyboard_alone_is_enough(report: Path, watched: Open) -> None:
    page = watched(report).explorer()
    keys = page.keyboard
    keys.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    keys.press("Enter")
    assert page.evaluate("[document.activeElement.id, location.hash]") == ["main", ""]
    keys.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    keys.type("garden")
    until(page, "location.hash === '#q=garden'")
    keys.press("Escape")
    until(page, "location.hash === ''")
    keys.press("Escape")
    keys.press("j")
    until(page, "document.activeElement.dataset.row === '1'")
    keys.press("ArrowDown")
    until(page, "document.activeElement.dataset.row === '2'")
    keys.press("k")
    until(page, "document.activeElement.dataset.row === '1'")
    assert page.evaluate("document.activeElement.ariaCurrent") == "true"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    keys.press("Escape")
    until(page, "location.hash === ''")


def test_on_a_phone_an_entry_takes_the_lists_place(report: Path, watched: Open) -> None:
    page = watched(report, viewport=PHONE).explorer()
    assert not page.locator("#shown").is_visible()
    page.locator("#results a").nth(10).click()
    page.wait_for_selector("#shown article")
    assert not page.locator("#results").is_visible()
    page.get_by_role("link", name="All results").click()
    page.locator("#results a").nth(10).wait_for()
    assert not page.locator("#shown").is_visible()


def test_a_missing_file_is_told_and_nothing_else_breaks(report: Path, watched: Open, tmp_path: Path) -> None:
    one = watched(report)
    one.page.route("**/data/dialogues/*.js", lambda route: route.abort())
    page = one.explorer()
    assert "Was the folder copied whole?" in page.get_by_role("alert").inner_text()
    assert count(page) == PAIRS + ALONE
    one.messages.clear()  # the browser itself reports the file


def test_verdicts_can_be_read_without_their_dialogues(watched: Open, tmp_path: Path) -> None:
    page = watched(report_of([judged(tmp_path)], tmp_path)).explorer()
    assert count(page) == len(IDS)
    assert page.locator("#shown .judge").count() == 1
    assert page.locator("#shown .dialogue .nothing").count() == 2
    assert page.locator("#results .result-text").first.inner_text() == sorted(IDS)[0]


def test_colours_follow_the_system_until_someone_chooses(report: Path, watched: Open) -> None:
    page = watched(report, color_scheme="dark").explorer()
    colour = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(colour)
    page.get_by_label("Colours").select_option("light")
    light = page.evaluate(colour)
    assert dark != light
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.evaluate(colour) == light
    page.get_by_label("Colours").select_option("")
    assert page.evaluate(colour) == dark


def test_words_are_folded_alike_here_and_there(report: Path, watched: Open) -> None:
    from sage_eval.report.explorer.words import words_of

    page = watched(report).explorer()
    texts = [
        "Don't stop—naïve CAFÉ, ﬁne ½ Ⅷ x² STRASSE Straße İstanbul ΣΊΣΥΦΟΣ",
        "日本語のテキスト नमस्ते สวัสดี 한국어 مرحبا שלום",
        "snake_case 3.14 e\u0301 \u00df\u0301 \u200bzero\u00a0width 😀smile",
        "w" * 50,
        "",
    ]
    theirs = page.evaluate("(texts) => texts.map((text) => SAGE.wordsOf(text, 32))", texts)
    assert theirs == [words_of(text) for text in texts], json.dumps(theirs)
