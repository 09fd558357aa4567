"""The data page shows what was kept, what was not and why, as the warehouse has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from browsing import Watched, missing
from made_reports import report_of
from planted_evaluation import ALL_ATTACKS, ATTACKS
from planted_run import said, write_stage

from sage_data.dialogue import Dialogue, Source
from sage_data.stage import Counts, Origin
from sage_data.store.dialogues import to_table
from sage_data.store.manifest import read_manifest, write_manifest
from sage_eval.report.dataset import read_dataset
from sage_eval.warehouse.query import connect

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]
Open = Callable[..., Watched]
REASON = "too_short"
ORIGINS = [
    Origin(name=f"Talks {ATTACKS[1]}", license="cc-by-4.0", url="https://example.org/talks", note=ATTACKS[0]),
    Origin(name="Forum", license="unknown", withhold_text=True),
]


def talk(name: str, text: str) -> Dialogue:
    return Dialogue(
        name,
        (said("user", text, "sharing", ATTACKS[1], "dogs"), said("assistant", "Oh. Why?", "curiosity", "calm", "dogs")),
        Source("reddit"),
    )


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine dialogues came in: four were kept, four dropped for two reasons, one could not be read."""
    parent = tmp_path_factory.mktemp("gated")
    kept = to_table([talk(f"k{index}", f"Kept {index}. {ALL_ATTACKS}") for index in range(4)])
    lost = to_table([talk(f"r{index}", f"Lost {index}. {ALL_ATTACKS} {'long ' * 400}") for index in range(4)])
    lost = lost.append_column("reason", pa.array([REASON] * 3 + ["no_question"]))
    lost = lost.append_column("detail", pa.array(["9 words"] * 3 + [None], pa.string()))
    counts = Counts(unit="dialogues", came_in=9, kept=4, dropped={REASON: 3, "no_question": 1}, quarantined=1)
    tables = {"dialogues": kept, "rejected/dialogues": lost}
    folder = write_stage(parent, "gated", "sage_data.gates", tables, counts=[counts])
    manifest = read_manifest(folder)
    assert manifest is not None
    write_manifest(folder, manifest.model_copy(update={"origins": ORIGINS}))
    return report_of([folder], parent, examples=2)


def rows(page: Any, selector: str) -> list[list[str]]:
    """Words of every row, cell by cell; empty ones left out."""
    found = page.evaluate(
        "(selector) => [...document.querySelectorAll(selector)].map((row) => "
        "[...row.cells].map((cell) => cell.innerText.trim()).filter(Boolean))",
        selector,
    )
    return list(found)


def test_the_funnel_adds_up_and_its_bars_are_to_scale(gated: Path, watched: Open) -> None:
    page = watched(gated).data()
    assert rows(page, "#funnel tbody tr") == [
        ["dialogues in", "9"],
        ["kept", "4", "44.4%"],
        ["too short", "3", "33.3%"],
        ["no question", "1", "11.1%"],
        ["unreadable", "1", "11.1%"],
    ]
    widths = page.locator("#funnel rect").evaluate_all("(all) => all.map((one) => Number(one.getAttribute('width')))")
    assert widths == [pytest.approx(1000 * n / 9, abs=0.01) for n in (4, 3, 1, 1)]


def test_every_reason_shows_at_most_so_many_of_what_it_dropped(gated: Path, watched: Open) -> None:
    page = watched(gated).data()
    for summary in page.locator("#rejected summary, #kept summary").all():
        if summary.locator("xpath=..").get_attribute("open") is None:
            summary.click()
    assert page.locator("#rejected .versus").all_inner_texts() == ["no question", "too short"]
    assert page.locator("#rejected li").count() == 1 + 2
    text = page.locator("#rejected li .said").first.inner_text()
    assert text.startswith("user: Lost 3. </script>")
    assert len(text) <= 1501
    assert text.endswith("…")
    assert "9 words" in page.locator("#rejected li").nth(1).inner_text()
    assert page.locator("#kept .sample").count() == 2
    assert "<img src=x onerror=alert(1)>" in page.locator("#kept").inner_text()


def test_states_are_counted_by_speaker(gated: Path, watched: Open) -> None:
    found = rows(watched(gated).data(), "#tags tbody tr")
    assert found == [
        ["sharing", "4", "100.0%"],
        [ATTACKS[1], "4", "100.0%"],
        ["dogs", "4", "100.0%"],
        ["curiosity", "4", "100.0%"],
        ["calm", "4", "100.0%"],
        ["dogs", "4", "100.0%"],
    ]


def test_sources_are_named_with_their_licence_and_lead_nowhere(gated: Path, watched: Open) -> None:
    page = watched(gated).data()
    told = rows(page, "[data-table=origins] tbody tr")
    assert told == [
        ["Forum", "unknown", "text withheld when published", "1"],
        [f"Talks {ATTACKS[1]}", "cc-by-4.0", ATTACKS[0], "https://example.org/talks", "1"],
    ]
    assert "https://example.org/talks" in page.locator("#origins").inner_text()
    assert page.locator("#origins a").count() == 0


def test_attacks_on_the_data_page_stay_words(gated: Path, watched: Open) -> None:
    page = watched(gated).data()
    kinds = set(page.evaluate("[...new Set([...document.querySelectorAll('main *')].map((one) => one.localName))]"))
    assert not kinds & {"script", "img", "iframe", "style", "base", "object"}
    assert page.title() == "Data · A <planted> run"


def test_a_run_without_sources_says_kindly_what_would_bring_them(watched_judges: Path, watched: Open) -> None:
    page = watched(watched_judges).data()
    assert "sage_data.corpora" in page.locator("#origins").inner_text()


def test_the_page_can_be_asked_for_no_example(gated: Path) -> None:
    with connect(gated.parent / "warehouse") as connection:
        none, all_five = (read_dataset(connection, most, None) for most in (0, 5))
    assert none.kept == none.rejected == ()
    assert [len(shown) for one in all_five.rejected for _, shown in one.reasons] == [1, 3]
    assert len(all_five.kept[0].dialogues) == 4
