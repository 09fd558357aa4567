"""The explorer's files hold what the warehouse holds, in small portions, the same bytes every time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hostile_run import IDS, hostile_run, judged
from hypothesis import given
from hypothesis import strategies as st
from planted_run import small_run, write_stage

from sage_data.dialogue import Dialogue, Source, Utterance
from sage_data.stage import run_stage
from sage_data.store.dialogues import to_table
from sage_eval.report import explorer
from sage_eval.report.explorer import chunks, packed, words, write_explorer
from sage_eval.report.explorer.words import Postings, words_of
from sage_eval.warehouse.query import ask, connect


def unpacked(text: str) -> list[int]:
    """What `assets/explorer-data.js` reads, written again from the description."""
    numbers, number, shift = [], 0, 0
    for char in text.encode():
        digit = packed.DIGITS.index(char)
        number |= (digit & 31) << shift
        shift += 5
        if not digit & 32:
            numbers.append(number)
            number = shift = 0
    return numbers


def summed(steps: list[int]) -> list[int]:
    return np.cumsum(np.array(steps, dtype=np.int64)).tolist() if steps else []


@given(st.lists(st.integers(0, 2**31 - 1)))
def test_numbers_come_back(values: list[int]) -> None:
    assert unpacked(packed.packed(values)) == values
    assert summed(unpacked(packed.rising(sorted(values)))) == sorted(values)
    signed = [step // 2 if step % 2 == 0 else -(step + 1) // 2 for step in unpacked(packed.column(values))]
    assert summed(signed) == values


def test_small_steps_take_one_character() -> None:
    assert packed.packed([0, 31, 32, 1023, 1024]) == "Af" + "gB" + "_f" + "ggB"
    assert packed.column([5, 5, 4, 6]) == "K" + "A" + "B" + "E"
    with pytest.raises(ValueError, match="expected a number from 0, found -1"):
        packed.packed([-1])


@given(st.text())
def test_any_text_survives_inside_a_script(text: str) -> None:
    line = packed.script("name", packed.as_json([text]))
    assert not set(line.removesuffix("\n")) & {"<", "\u2028", "\u2029", "\n", "\u0000"}
    line.encode("utf-8")
    assert json.loads(line[line.index(",") + 1 : line.rindex(")")]) == [text]


def test_half_a_character_is_shown_as_unreadable() -> None:
    assert json.loads(packed.as_json("a\ud800b")) == "a\ufffdb"


@given(st.lists(st.lists(st.text("ab\U0001f600\uffff", min_size=1, max_size=2), max_size=4), max_size=30))
def test_every_word_leads_to_its_documents(said: list[list[str]]) -> None:
    spoken = Postings()
    for number, terms in enumerate(said):
        spoken.add(3 * number, terms)
    for shard in words.shards(spoken, Postings()):
        assert shard["terms"] == sorted(shard["terms"], key=lambda term: term.encode("utf-16-be"))
        for term, coded in zip(shard["terms"], shard["dialogues"], strict=True):
            expected = [3 * number for number, terms in enumerate(said) if term in terms]
            assert summed(unpacked(coded)) == expected
            assert spoken.counts[term] == len(expected)
    assert set(spoken.terms()) == {term for terms in said for term in terms}


def test_words_are_cut_and_folded() -> None:
    assert words_of("Don't say “CAFÉ” twice, café!") == ["don", "t", "say", "cafe", "twice", "cafe"]
    assert words_of("x" * 40) == ["x" * words.LONGEST]
    assert words_of("snake_case \u0130") == ["snake", "case", "i"]


@given(st.lists(st.integers(1, 60), max_size=40))
def test_portions_cover_everything_once_and_stay_small(sizes: list[int]) -> None:
    found = list(chunks.portions(np.array(sizes, dtype=np.int64), 100))
    assert [index for first, last in found for index in range(first, last + 1)] == list(range(len(sizes)))
    assert all(sum(sizes[first : last + 1]) <= 100 or first == last for first, last in found)


def loaded(folder: Path, name: str) -> Any:
    text = (folder / f"{name}.js").read_text(encoding="utf-8")
    return json.loads(f"[{text.removeprefix('SAGE.load(').removesuffix(');' + chr(10))}]")[1]


def test_small_portions_and_files_hold_the_same(report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "PORTION", 40)
    monkeypatch.setattr(explorer, "CHUNK_CHARACTERS", 3_000)
    monkeypatch.setattr(explorer, "PAGE_SCENARIOS", 7)
    monkeypatch.setattr(words, "SHARD_CHARACTERS", 300)
    (tmp_path / "data").mkdir()
    with connect(report.parent / "warehouse") as connection:
        written = write_explorer(connection, tmp_path / "data", 500)
        texts = {row[0] for row in ask(connection, "SELECT DISTINCT text FROM turns").rows()}
    one, other = loaded(report / "data", "index"), loaded(tmp_path / "data", "index")
    for name in ("scenario", "pair", "sample", "a", "b", "verdicts", "labels", "pairs", "judgings"):
        assert one[name] == other[name]
    starts = summed(unpacked(other["chunks"]))
    assert len(starts) > 5
    assert len(other["firsts"]) == 4
    assert len(other["words"]) > 3
    few = loaded(report / "data", "dialogues/00000")
    many = [block for place in range(len(starts)) for block in loaded(tmp_path / "data", f"dialogues/{place:05d}")]
    assert many == few
    assert starts[-1] < len(many) == written.scenarios
    assert {turn[1] for block in many for dialogue in block["dialogues"] for turn in dialogue[4]} == texts


def test_the_same_warehouse_gives_the_same_bytes(report: Path, tmp_path: Path) -> None:
    run_stage(
        "sage_eval.report",
        {"title": "A <planted> run"},
        {"warehouse": [report.parent / "warehouse"]},
        tmp_path / "again",
    )
    files = sorted(file.relative_to(report) for file in report.rglob("*") if file.suffix in (".js", ".html", ".css"))
    assert len(files) > 15
    for file in files:
        assert (tmp_path / "again" / file).read_bytes() == (report / file).read_bytes(), file


def test_dialogues_that_nobody_judged_are_shown_up_to_a_number(report: Path, tmp_path: Path) -> None:
    counted = []
    for most in (0, 2, 500):
        (tmp_path / str(most)).mkdir()
        with connect(report.parent / "warehouse") as connection:
            counted.append(write_explorer(connection, tmp_path / str(most), most))
    assert [(one.judged, one.alone) for one in counted] == [(72, 0), (72, 2), (72, 12)]


def test_every_answer_of_every_judge_is_kept_apart(tmp_path: Path) -> None:
    stages = [*hostile_run(tmp_path), judged(tmp_path, "again", times=2)]
    run_stage("sage_eval.warehouse", {}, {"runs": stages}, tmp_path / "warehouse")
    (tmp_path / "data").mkdir()
    with connect(tmp_path / "warehouse") as connection:
        written = write_explorer(connection, tmp_path / "data", 500)
    assert written.judged == len(IDS)
    index = loaded(tmp_path / "data", "index")
    assert [(one["stage"], one["repeat"]) for one in index["judgings"]] == [("again", 1), ("again", 2), ("judged", 1)]
    assert index["verdicts"] == ["E" * len(IDS)] * 3
    answers = [block["answers"] for block in loaded(tmp_path / "data", "dialogues/00000")]
    assert [[answer[1] for answer in one] for one in answers] == [[0, 1, 2]] * len(IDS)


def test_a_dialogue_without_a_scenario_stands_for_itself_and_keeps_its_candidates(tmp_path: Path) -> None:
    talk = (Utterance("user", "Hi."), Utterance("assistant", "Hello there."))
    dialogues = [Dialogue(f"d{number}", talk, Source("made"), None, None) for number in range(3)]
    shared = {"dialogue_id": "d1", "turn": 0, "context": [], "status": "ok"}
    drawn = [
        {**shared, "candidate": 0, "selected": True, "text": "Hello there.", "score": 0.5, "merged_into": None},
        {**shared, "candidate": 1, "selected": False, "text": "No.", "score": 0.25, "merged_into": None},
        {**shared, "candidate": 2, "selected": False, "text": "No.", "score": 0.25, "merged_into": 1},
    ]
    tables = {"dialogues": to_table(dialogues), "candidates": pa.Table.from_pylist(drawn)}
    stage = write_stage(tmp_path, "talks", "sage_models.search", tables)
    run_stage("sage_eval.warehouse", {}, {"runs": [stage]}, tmp_path / "warehouse")
    (tmp_path / "data").mkdir()
    with connect(tmp_path / "warehouse") as connection:
        written = write_explorer(connection, tmp_path / "data", 500)
    assert (written.alone, written.scenarios, written.dialogues, written.candidates) == (3, 3, 3, 2)
    assert loaded(tmp_path / "data", "scenarios/0000") == [[None, "Hi."]] * 3
    said = [block["dialogues"][0][4][1] for block in loaded(tmp_path / "data", "dialogues/00000")]
    assert [len(turn) for turn in said] == [4, 5, 4]
    chosen, rejected = said[1][4]
    assert (chosen[:3], rejected[:3]) == ([1, "Hello there.", 0.5], [0, "No.", 0.25])
    assert (chosen[5], rejected[5]) == (1, 2)


def test_what_is_missing_is_said_kindly(tmp_path: Path) -> None:
    folders = small_run(tmp_path)
    run_stage("sage_eval.warehouse", {}, {"runs": folders}, tmp_path / "warehouse")
    run_stage("sage_eval.report", {}, {"warehouse": [tmp_path / "warehouse"]}, tmp_path / "report")
    html = (tmp_path / "report" / "explorer.html").read_text(encoding="utf-8")
    assert "No judge has been called" in html
    assert "no candidate was rejected" in html


@pytest.mark.slow
def test_a_run_without_dialogues_says_so(tmp_path: Path) -> None:
    run_stage("sage_eval.warehouse", {}, {"runs": small_run(tmp_path)[1:2]}, tmp_path / "warehouse")
    run_stage("sage_eval.report", {}, {"warehouse": [tmp_path / "warehouse"]}, tmp_path / "report")
    html = (tmp_path / "report" / "explorer.html").read_text(encoding="utf-8")
    assert "No dialogues have been played or judged." in html
    assert 'id="finder"' not in html
