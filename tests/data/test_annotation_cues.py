"""Cues: whole words, longest first, in reading order; and the shipped cue file keeps its own rules."""

from __future__ import annotations

import tomllib
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_data.annotation.cues import CUE_FILE, WEIGHTS, CueBook, Hit, shipped_cues, words
from sage_data.annotation.lexicon import LexiconAnnotator
from sage_data.dialogue import Utterance

BOOK = CueBook.build(
    [
        {"name": "excited", "strong": ["can't wait", "excit*"], "marks": ["🎉"]},
        {"name": "waiting", "cues": ["wait"], "weak": ["soon", "can't"]},
    ]
)
FEATURES = {
    "question", "inner_question", "no_question", "first", "answers", "short", "long", "first_person",
    "second_person", "positive", "negative", "previous_positive", "previous_negative", "after_request", "user",
    "assistant", "always",
}  # fmt: skip


def test_words_keep_apostrophes_and_drop_case() -> None:
    assert words("I can\u2019t wait — it's 'so' GOOD!") == ["i", "can't", "wait", "it's", "so", "good"]


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("I can't wait", [Hit("excited", 3.0, 1)]),
        ("wait, soon", [Hit("waiting", 2.0, 0), Hit("waiting", 1.0, 1)]),
        ("can't excite", [Hit("waiting", 1.0, 0), Hit("excited", 3.0, 1)]),
        ("awaits waiting", []),
        ("party 🎉", [Hit("excited", 2.0, 1)]),
        ("", []),
    ],
)
def test_finds_whole_words_and_prefers_long_cues(text: str, hits: list[Hit]) -> None:
    assert BOOK.find(words(text), text) == hits


@given(st.text())
def test_any_text_can_be_searched(text: str) -> None:
    found = words(text)
    hits = shipped_cues().emotions.find(found, text)
    assert all(0 <= hit.start <= len(found) for hit in hits)


def test_the_shipped_file_has_no_dead_or_doubled_entries() -> None:
    raw = tomllib.loads(CUE_FILE.read_text(encoding="utf-8"))
    for slot in ("emotion", "motivation"):
        names = [table["name"] for table in raw[slot]]
        assert len(set(names)) == len(names)
        for table in raw[slot]:
            assert set(table) <= {"name", "features", "needs_cue", "marks", *WEIGHTS}, table["name"]
            assert set(table.get("features", {})) <= FEATURES, table["name"]
            cues = list(chain.from_iterable(table.get(kind, ()) for kind in WEIGHTS))
            assert sorted(set(cues)) == sorted(cues), table["name"]
            assert all(" ".join(words(cue.removesuffix("*"))) == cue.removesuffix("*") for cue in cues), table["name"]
    emotions = {table["name"] for table in raw["emotion"]}
    assert {*raw["positive"], *raw["negative"]} <= emotions


@pytest.mark.parametrize("slot", ["emotion", "motivation"])
def test_every_label_can_win(slot: str) -> None:
    """Each label's first strong cue, said alone, gives that label."""
    annotator = LexiconAnnotator(lambda text: 0.0)
    lost = []
    for table in tomllib.loads(CUE_FILE.read_text(encoding="utf-8"))[slot]:
        said = Utterance("assistant", table["strong"][0].removesuffix("*") + ("?" if table["name"] == "asking" else ""))
        state = annotator.states([said])[0]
        if getattr(state, slot) != table["name"]:
            lost.append((table["name"], getattr(state, slot)))
    assert lost == []


def test_silent_phrases_swallow_the_cues_inside_them() -> None:
    book = CueBook.build([{"name": "afraid", "strong": ["afraid"]}], ["i'm afraid not", "not bad"])
    assert book.find(words("I'm afraid not, I'm afraid"), "") == [Hit("afraid", 3.0, 4)]


def test_no_silent_phrase_is_a_cue_of_a_feeling() -> None:
    raw = tomllib.loads(CUE_FILE.read_text(encoding="utf-8"))
    assert len(set(raw["unfelt"])) == len(raw["unfelt"])
    cues = {cue for table in raw["emotion"] for kind in WEIGHTS for cue in table.get(kind, ())}
    assert cues.isdisjoint(raw["unfelt"])
