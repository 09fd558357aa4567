"""The fast compound score is NLTK's to the last bit, and the lexicon is the one it claims to be."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sage_data.errors import InputError, MissingDependencyError
from sage_data.gates import lexicon, sentiment
from sage_data.gates.lexicon import NLTK_LEXICON_SHA256, load_constants, load_lexicon, parse
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
        ("Not bad at all!", 0.484),
        ("It was a kind of good, very GOOD!!", 0.7974),
        ("the food is the bomb", 0.6124),
        ("least good", -0.3412),
        ("never so good", 0.6474),
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
        *["good", "bad", "great", "awful", "don't", "ain't", "it's", "TV", "🙂", "👍🏽", "straße", "ſo", "kİnd"],
        *list(analyzer().lexicon)[::50],
    ]
    word = st.sampled_from(telling).flatmap(lambda word: st.sampled_from([word, word, word.upper(), word.title()]))
    marks = st.sampled_from(["", "", "", *constants.PUNC_LIST, "...", "!!!!", "🎉"])
    return st.tuples(marks, word, marks).map("".join) | st.text(max_size=6)


def close() -> st.SearchStrategy[str]:
    """Few words, so that they meet in phrases and come twice."""
    words = ["good", "GOOD", "bad", "ass", "kind", "Kind", "of", "so", "SO", "this", "never", "not", "NOT", "the"]
    words += ["shit", "very", "VERY", "least", "at", "but", "BUT", "x1", "UP", "yeah", "right", "cut", "mustard"]
    words += ["kiss", "death", "hand", "to", "mouth", "sort", "just", "enough", "barely", "good!", "bomb", "like"]
    return st.sampled_from(words)


def texts() -> st.SearchStrategy[str]:
    gap = st.sampled_from([" ", " ", " ", "  ", "\n", "\t", "\u00a0", "\u2003", "\x1f", "\u200b", " - "])
    pair = st.tuples(st.deferred(token), gap) | st.tuples(close(), gap)
    near = st.lists(close(), max_size=9).map(" ".join)
    return st.lists(pair.map("".join), max_size=16).map("".join) | near


@settings(max_examples=1000, deadline=None)
@given(texts())
def test_equal_to_nltk_to_the_last_bit(text: str) -> None:
    assert scorer().compound(text) == by_nltk(text)


ODD = {"good": 1.9, "but": 1.0, "least": -1.5, "the": 0.5, "never": 2.0, "so": 1.1, "at": -0.3, "kind": 2.2, "of": 0.1}


@settings(max_examples=150, deadline=None)
@given(st.lists(close(), max_size=9).map(" ".join))
def test_equal_to_nltk_with_sentiment_in_the_words_of_the_rules(text: str) -> None:
    assert CompoundScorer(ODD).compound(text) == nltk_analyzer(ODD).polarity_scores(text)["compound"]


@settings(max_examples=40, deadline=None)
@given(st.lists(texts(), max_size=6))
def test_what_was_scored_before_changes_nothing(some: list[str]) -> None:
    fresh = CompoundScorer(load_lexicon().valences)
    assert [fresh.compound(text) for text in some] == [scorer().compound(text) for text in some]


@pytest.mark.parametrize("limit", ["MEMO_TOKENS", "MEMO_WINDOWS"])
def test_a_full_memory_is_emptied_and_changes_nothing(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentiment, limit, 2)
    small = CompoundScorer(load_lexicon().valences)
    for text in ("a very good but not so bad day", "VERY bad, very BAD. Least good!", "the bomb, a kind of good"):
        assert small.compound(text) == small.compound(text) == by_nltk(text)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentiment, "MEMO_TOKENS", 100)
    monkeypatch.setattr(sentiment, "MEMO_WINDOWS", 50)
    small = CompoundScorer(load_lexicon().valences)
    words = [word for word in load_lexicon().valences if word.isalpha()]
    for start in range(0, 3_000, 10):
        small.compound(" ".join(words[start : start + 10]))
    held = [len(memory) for memory in vars(small).values() if isinstance(memory, dict)]
    assert 50 <= max(held) <= 110


def test_constants_are_those_nltk_has(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = importlib.import_module("nltk.sentiment.vader").VaderConstants
    monkeypatch.delitem(sys.modules, "nltk.sentiment.vader")
    monkeypatch.setattr(importlib, "import_module", None)  # the source alone must do
    constants = load_constants()
    assert constants.negations == theirs.NEGATE
    assert list(constants.boosters.items()) == list(theirs.BOOSTER_DICT.items())
    assert list(constants.idioms.items()) == list(theirs.SPECIAL_CASE_IDIOMS.items())
    assert {type(value) for value in constants.idioms.values()} == {int, float}  # sums depend on it
    assert constants.marks == set(theirs.PUNC_LIST)
    assert (constants.capitals, constants.damper, constants.negation) == (theirs.C_INCR, theirs.B_DECR, theirs.N_SCALAR)


START = "    def __init__(self):"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("class VaderConstants:", "class ("),
        ("class VaderConstants:", "class Other:"),
        ('"never",', "*LATE,"),
        ("N_SCALAR = -0.74", "N_SCALAR = float(-0.74)"),
        ("N_SCALAR = -0.74", "N_SCALAR: float = -0.74"),
        (START, f"    NEGATE |= {{'late'}}\n{START}"),
        (START, f"    NEGATE.add('late')\n{START}"),
        (START, f"    PUNC_LIST[0] = '!'\n{START}"),
        ("class SentiText:", "VaderConstants.N_SCALAR = 0\nclass SentiText:"),
    ],
)
def test_constants_are_imported_when_the_source_is_not_as_expected(
    old: str, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vader = importlib.import_module("nltk.sentiment.vader")
    source = Path(str(vader.__file__)).read_text(encoding="utf-8")
    imported = SimpleNamespace(VaderConstants=SimpleNamespace(**{**vars(vader.VaderConstants), "N_SCALAR": 7}))
    monkeypatch.delitem(sys.modules, "nltk.sentiment.vader")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: SimpleNamespace(origin=str(tmp_path / "__init__.py")))
    monkeypatch.setattr(importlib, "import_module", lambda name: imported)
    assert load_constants().negation == 7
    (tmp_path / "sentiment").mkdir()
    (tmp_path / "sentiment" / "vader.py").write_text(source, encoding="utf-8")
    assert load_constants().negation == -0.74
    assert old in source
    (tmp_path / "sentiment" / "vader.py").write_text(source.replace(old, new, 1), encoding="utf-8")
    assert load_constants().negation == 7


def test_the_package_gives_nltks_lexicon() -> None:
    found = lexicon.from_package()
    assert found is not None
    assert found.sha256 == NLTK_LEXICON_SHA256
    assert len(found.valences) == 7_502
    assert not {"heart", "flawed", ":P"} & set(found.valences)


def put_lexicon(folder: Path, text: str, packed: bool = False) -> Path:
    """A data folder such as NLTK's, private enough for it."""
    (folder / "sentiment").mkdir(mode=0o755, parents=True)
    folder.chmod(0o755)
    file = folder / "sentiment" / ("vader_lexicon.zip" if packed else "vader_lexicon.txt")
    if packed:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("vader_lexicon/vader_lexicon.txt", text)
    else:
        file.write_text(text)
    file.chmod(0o644)
    return folder


def as_file() -> str:
    return "\n".join(f"{token}\t{valence}\t0.5\t[1, 2]" for token, valence in load_lexicon().valences.items())


SMALL = "good\t1.5\t0.1\t[1]\r\nbad\t-2\t0\t[]\n\n"


@pytest.mark.parametrize("packed", [False, True])
def test_the_path_of_nltk_comes_first_and_another_lexicon_is_refused_unless_named(
    packed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nltk.data.path", [str(put_lexicon(tmp_path / "data", SMALL, packed))])
    with pytest.raises(InputError, match="2 entries") as refused:
        load_lexicon()
    found = lexicon.from_nltk_path()
    assert found is not None
    assert dict(found.valences) == {"good": 1.5, "bad": -2.0}
    assert found.sha256 in refused.value.message
    assert load_lexicon(found.sha256) == found


@pytest.mark.parametrize("packed", [False, True])
def test_the_known_lexicon_is_read_without_nltk_and_is_what_nltk_reads(
    packed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [str(tmp_path / "none"), str(put_lexicon(tmp_path / "data", as_file(), packed))]
    monkeypatch.setattr("nltk.data.path", folders)
    by_nltk = lexicon.found_by_nltk()
    monkeypatch.setattr("nltk.data.find", None)
    assert load_lexicon() == by_nltk
    assert load_lexicon().source == "nltk.data.path"


def test_a_packed_lexicon_comes_before_an_unpacked_one_as_with_nltk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = put_lexicon(tmp_path / "one", as_file()), put_lexicon(tmp_path / "two", SMALL, packed=True)
    monkeypatch.setattr("nltk.data.path", [str(one), str(two)])
    found = lexicon.from_nltk_path()
    assert found is not None
    assert len(found.valences) == 2


def test_a_path_entry_that_is_an_archive_is_left_to_nltk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o755)
    packed = tmp_path / "data.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("sentiment/vader_lexicon.txt", SMALL)
    packed.chmod(0o644)
    monkeypatch.setattr("nltk.data.path", [str(packed), str(put_lexicon(tmp_path / "data", as_file()))])
    found = lexicon.from_nltk_path()
    assert found is not None
    assert len(found.valences) == 2


def test_a_damaged_lexicon_on_the_path_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = put_lexicon(tmp_path / "data", "good\nbad\n")
    monkeypatch.setattr("nltk.data.path", [str(folder)])
    with pytest.raises(InputError, match=r"line 1 of nltk\.data\.path"):
        load_lexicon()
    archive = folder / "sentiment" / "vader_lexicon.zip"
    archive.write_text("no archive")
    archive.chmod(0o644)
    with pytest.raises(InputError, match="expected a zip file"):
        load_lexicon()


WITHOUT_NLTK = """
import json, sys
from sage_data.gates.lexicon import load_lexicon, nltk_folders
from sage_data.gates.sentiment import CompoundScorer
source = load_lexicon().source
score = CompoundScorer(load_lexicon().valences).compound("not bad")
folders = nltk_folders()
assert not [name for name in sys.modules if name.split(".")[0] == "nltk"]
if sys.argv[1:] == ["compare"]:
    import nltk.data
    assert [str(folder) for folder in folders] == nltk.data.path, (folders, nltk.data.path)
    assert nltk_folders() == folders
print(source, score)
"""


def without_nltk(tmp_path: Path, *arguments: str, **environment: str) -> list[str]:
    command = [sys.executable, "-c", WITHOUT_NLTK, *arguments]
    variables = {**os.environ, "HOME": str(tmp_path), **environment}
    return subprocess.run(command, check=True, env=variables, stdout=subprocess.PIPE, text=True).stdout.split()


def test_a_run_does_not_import_nltk_and_looks_where_nltk_would(tmp_path: Path) -> None:
    data = put_lexicon(tmp_path / "data", as_file(), packed=True)
    named = os.pathsep.join(["~/mine", str(data), "", "relative", "/" + "x" * 300])
    assert without_nltk(tmp_path, "compare", NLTK_DATA=named) == ["nltk.data.path", "0.431"]
    assert without_nltk(tmp_path, NLTK_DATA="") == ["vaderSentiment", "0.431"]


def test_no_lexicon_at_all_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nltk.data.path", [])
    monkeypatch.setattr(lexicon, "PACKAGE", "no_such_package")
    with pytest.raises(MissingDependencyError, match="vaderSentiment") as missing:
        load_lexicon()
    assert missing.value.next_step == "pip install vaderSentiment"


def test_a_damaged_lexicon_is_named_with_its_line() -> None:
    with pytest.raises(InputError, match="line 2 of here"):
        parse("good\t1.5\nbad\n", "here")
