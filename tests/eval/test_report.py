"""The page says what the warehouse says, loads nothing, runs nothing, and can be read by everyone."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from planted_evaluation import ALL_ATTACKS, ATTACKS, ELEMENTS
from planted_run import small_run

from sage_data.errors import InputError
from sage_data.stage import run_stage
from sage_eval.report.leaderboard import read_board
from sage_eval.report.render import DATA, INDEX, PAGES, POLICY
from sage_eval.warehouse import connect

VOID = {"meta", "link", "input", "rect", "path", "circle"}
ATTRIBUTES = {
    *("lang", "charset", "http-equiv", "content", "name", "href", "class", "id", "scope", "tabindex", "role", "dir"),
    *("aria-label", "aria-labelledby", "aria-hidden", "open", "viewbox", "preserveaspectratio"),
    *("x", "y", "width", "height", "d", "cx", "cy", "r"),
    *("rel", "src", "aria-current", "hidden", "value", "data-table", "data-value"),
    *("data-judge", "data-filter", "data-sort", "type", "checked", "defer", "colspan"),
}


class Outline(HTMLParser):
    """Every element with its attributes, and the text of the whole page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.stack: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag, f"</{tag}> closes another element"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def values(self, attribute: str) -> list[str]:
        return [attrs[attribute] or "" for _, attrs in self.elements if attribute in attrs]


@pytest.fixture(scope="module")
def folder(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pages") / "report"
    run_stage("sage_eval.report", {"title": "A <planted> run"}, {"warehouse": [planted]}, out)
    return out


@pytest.fixture(scope="module", params=[INDEX, DATA])
def outline(folder: Path, request: pytest.FixtureRequest) -> Outline:
    """Each page that is complete without scripts."""
    return Outline((folder / request.param).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    return (folder / INDEX).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def board(html: str) -> Outline:
    return Outline(html)


def test_only_known_elements_and_attributes_stand_in_the_page(outline: Outline) -> None:
    assert {tag for tag, _ in outline.elements} <= ELEMENTS
    assert {name for _, attrs in outline.elements for name in attrs} <= ATTRIBUTES
    assert outline.stack == []


def test_every_attack_stays_words(html: str, board: Outline) -> None:
    said = "".join(board.words)
    for attack in ATTACKS:
        assert attack in said
    assert said.count(f"says {ALL_ATTACKS}") == 2 * 3
    assert "<b>bold</b>" not in html
    assert "A &lt;planted&gt; run" in html


def test_nothing_leads_or_loads_from_outside(folder: Path, outline: Outline) -> None:
    pages = {file for file, _ in PAGES}
    assets = {"assets/site.css", "assets/site.js", "assets/board.js"}
    assert all(
        target.startswith("#") or target.partition("#")[0] in pages | assets for target in outline.values("href")
    )
    assert set(outline.values("src")) == {"assets/site.js", "assets/board.js"}
    assert all((folder / file).is_file() for file in pages | assets)
    style = (folder / "assets" / "site.css").read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import|expression", style)
    assert not re.search(
        r"\\x[0-9]|innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|https?:", _scripts(folder)
    )


def _scripts(folder: Path) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in sorted((folder / "assets").glob("*.js")))


def test_the_policy_allows_this_folder_and_nothing_else(outline: Outline) -> None:
    stated = next(attrs["content"] for _, attrs in outline.elements if "http-equiv" in attrs)
    assert stated == POLICY
    assert stated.startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'none'")
    assert "unsafe" not in stated
    assert not any(name.startswith("on") or name == "style" for _, attrs in outline.elements for name in attrs)


def test_links_ids_and_names_are_whole(outline: Outline) -> None:
    ids = Counter(outline.values("id"))
    assert max(ids.values()) == 1
    assert {target.removeprefix("#") for target in outline.values("href") if target.startswith("#")} <= ids.keys()
    assert set(outline.values("aria-labelledby")) <= ids.keys()


def test_charts_and_tables_can_be_heard(outline: Outline) -> None:
    for tag, attrs in outline.elements:
        if tag == "svg":
            assert attrs["role"] == "img"
            assert attrs["aria-label"]
        if tag == "th":
            assert attrs["scope"] in ("col", "row")


def test_scrolling_regions_can_be_reached_by_keyboard(outline: Outline) -> None:
    for tag, attrs in outline.elements:
        if tag == "pre" or "scroll" in (attrs.get("class") or "").split():
            assert attrs["tabindex"] == "0"
            assert attrs["role"] == "region"


def test_the_planted_results_are_told(folder: Path, board: Outline) -> None:
    said = re.sub(r"\s+", " ", "".join(board.words))
    assert "tuned is better" in said
    assert "undecidable: nobody won a scenario" in said
    assert "sums regressed" in said
    assert "4.000 → 1.010" in said
    assert "75.0%" in said
    data = " ".join(" ".join(Outline((folder / DATA).read_text(encoding="utf-8")).words).split())
    assert "dialogues in 10 kept 2 20.0% no question 5 50.0% too few turns 2 20.0% unreadable 1 10.0%" in data


def test_every_query_is_shown_with_its_name(html: str) -> None:
    for name in ("win_table", "rating_table", "judge_trust", "regressions", "dose_response", "training", "provenance"):
        assert f"sage eval sql --example {name}" in html


def test_the_same_warehouse_gives_the_same_bytes(planted: Path, folder: Path, tmp_path: Path) -> None:
    run_stage("sage_eval.report", {"title": "A <planted> run"}, {"warehouse": [planted]}, tmp_path / "again")
    for page, _ in PAGES:
        assert (tmp_path / "again" / page).read_bytes() == (folder / page).read_bytes()


def test_a_run_without_evaluation_says_what_is_missing(tmp_path: Path) -> None:
    run_stage("sage_eval.warehouse", {}, {"runs": small_run(tmp_path)}, tmp_path / "warehouse")
    run_stage("sage_eval.report", {}, {"warehouse": [tmp_path / "warehouse"]}, tmp_path / "report")
    outline = Outline((tmp_path / "report" / "index.html").read_text(encoding="utf-8"))
    said = re.sub(r"\s+", " ", "".join(outline.words))
    for stage in ("significance", "judge", "regress", "ratings", "states"):
        assert f"Add the stage sage_eval.{stage}" in said


def test_the_number_of_dialogues_can_be_chosen(planted: Path) -> None:
    with connect(planted) as connection:
        found = {most: len(read_board(connection, "t", most).samples) for most in (0, 2, 9)}
    # One scenario for each of the verdicts B, A, tie and inconsistent.
    assert found == {0: 0, 2: 2, 9: 4}


def test_an_input_that_is_no_warehouse_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a warehouse folder"):
        run_stage("sage_eval.report", {}, {"warehouse": [small_run(tmp_path)[0]]}, tmp_path / "report")


def test_a_card_is_shown_as_words(planted: Path, tmp_path: Path) -> None:
    card = tmp_path / "published" / "dataset" / "README.md"
    card.parent.mkdir(parents=True)
    card.write_text(f"---\nlicense: mit\n---\n# Talks\n{ALL_ATTACKS}", encoding="utf-8")
    inputs = {"warehouse": [planted], "card": [tmp_path / "published"]}
    run_stage("sage_eval.report", {}, inputs, tmp_path / "report")
    outline = Outline((tmp_path / "report" / DATA).read_text(encoding="utf-8"))
    assert card.read_text(encoding="utf-8") in "".join(outline.words)
    assert {tag for tag, _ in outline.elements} <= ELEMENTS
    assert "#card" in outline.values("href")


def test_a_card_that_is_not_there_or_no_text_is_refused(planted: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"expected a dataset card, that is README\.md or dataset/README\.md"):
        run_stage("sage_eval.report", {}, {"warehouse": [planted], "card": [tmp_path / "empty"]}, tmp_path / "a")
    (tmp_path / "README.md").write_bytes(b"# \xff")
    with pytest.raises(InputError, match="in UTF-8, found other bytes at 2"):
        run_stage("sage_eval.report", {}, {"warehouse": [planted], "card": [tmp_path / "README.md"]}, tmp_path / "b")
