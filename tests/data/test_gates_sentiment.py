"""The fast compound score is NLTK's to the last bit, and the lexicon is the one it claims to be."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sage_data.errors import InputError, MissingDependencyError
from sage_data.gates import lexicon, sentiment
from sage_data.gates.lexicon import NLTK_LEXICON_SHA256, load_lexicon, parse
from sage_data.gates.sentiment import CompoundScorer, nltk_analyzer


@cache
def analyzer() -> Any:
    return nltk_analyzer(load_lexicon().valences)


@cache
def scorer() -> CompoundScorer:
    return CompoundScorer(load_lexicon().valences)


def by_nltk(text: str) -> float:
    score: float = analyzer().polarity_scores(text)["compound"]
    return score


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("not bad", 0.431),
        ("", 0.0),
        ("the table", 0.0),
        ("VADER is smart, handsome, and funny.", 0.8316),
        ("At least it isn't a horrible book.", 0.431),
        ("Today only kinda sux! But I'll get by, lol", 0.5249),
    ],
)
def test_known_scores(text: str, expected: float) -> None:
    assert scorer().compound(text) == expected == by_nltk(text)


@pytest.mark.parametrize(
    "text",
    [
        "good good GOOD good",
        "It was never so good, never this good, never good",
        "the shit is the bomb, bad ass movie, yeah right",
        "a kind of good, kind good of, sort of bad, just enough love",
        "least good, at least good, very least good, the least good",
        "BUT good but bad But great",
        "VERY good, very GOOD, VERY BAD, barely GOOD",
        "good?!? ..good good... 'good' \"good\" good!!! !?!?good",
        ":) :D :-( <3 good:) x",
        "not really good; isn't very GOOD, n't good, without any joy",
        "?? ??? ???? good !!!!! bad",
        "good\u00a0bad\x1fgood\u2003bad",
        "kind",
        "kind of",
        "least",
    ],
)
def test_rules_of_vader_one_by_one(text: str) -> None:
    assert scorer().compound(text) == by_nltk(text)


def token() -> st.SearchStrategy[str]:
    constants = analyzer().constants
    telling = [
        *constants.BOOSTER_DICT,
        *constants.NEGATE,
        *(word for phrase in constants.SPECIAL_CASE_IDIOMS for word in phrase.split()),
        *["but", "least", "at", "very", "never", "so", "this", "kind", "of", "sort", "just", "enough", "table", "a"],
        *list(analyzer().lexicon)[::50],
    ]
    word = st.sampled_from(telling).flatmap(lambda word: st.sampled_from([word, word, word.upper(), word.title()]))
    marks = st.sampled_from(["", "", "", *constants.PUNC_LIST, "...", "!!!!", "🎉"])
    return st.tuples(marks, word, marks).map("".join) | st.text(max_size=6)


@settings(max_examples=600, deadline=None)
@given(st.deferred(lambda: st.lists(token(), max_size=16)))
def test_equal_to_nltk_to_the_last_bit(tokens: list[str]) -> None:
    text = " ".join(tokens)
    assert scorer().compound(text) == by_nltk(text)


def test_a_full_memory_is_emptied_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentiment, "MEMO_TOKENS", 2)
    small = CompoundScorer(load_lexicon().valences)
    text = "a very good but not so bad day"
    assert small.compound(text) == small.compound(text) == by_nltk(text)


def test_the_package_gives_nltks_lexicon() -> None:
    found = lexicon.from_package()
    assert found is not None
    assert found.sha256 == NLTK_LEXICON_SHA256
    assert len(found.valences) == 7_502
    assert not {"heart", "flawed", ":P"} & set(found.valences)


def on_nltk_path(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "sentiment").mkdir(mode=0o755)
    file = folder / "sentiment" / "vader_lexicon.txt"
    file.write_text(text)
    file.chmod(0o644)
    folder.chmod(0o755)
    monkeypatch.setattr("nltk.data.path", [str(folder)])


def test_the_path_of_nltk_comes_first_and_another_lexicon_is_refused_unless_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_nltk_path(tmp_path, "good\t1.5\t0.1\t[1]\r\nbad\t-2\t0\t[]\n\n", monkeypatch)
    with pytest.raises(InputError, match="2 entries") as refused:
        load_lexicon()
    found = lexicon.from_nltk_path()
    assert found is not None
    assert dict(found.valences) == {"good": 1.5, "bad": -2.0}
    assert found.sha256 in refused.value.message
    assert load_lexicon(found.sha256) == found


def test_no_lexicon_at_all_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nltk.data.path", [])
    monkeypatch.setattr(lexicon, "PACKAGE", "no_such_package")
    with pytest.raises(MissingDependencyError, match="vaderSentiment") as missing:
        load_lexicon()
    assert missing.value.next_step == "pip install vaderSentiment"


def test_a_damaged_lexicon_is_named_with_its_line() -> None:
    with pytest.raises(InputError, match="line 2 of here"):
        parse("good\t1.5\nbad\n", "here")
