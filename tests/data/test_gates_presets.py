"""Presets: what each keeps of handmade dialogues, worked out by hand, and what a given threshold changes."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from sage_data.gates.checks import first_reason
from sage_data.gates.lexicon import load_lexicon
from sage_data.gates.order import Tools, gates_in_order
from sage_data.gates.presets import PRESETS
from sage_data.gates.sentiment import CompoundScorer
from sage_data.gates.thresholds import Thresholds
from sage_data.reddit.reasons import DialogueReason

HAPPY = "I am so happy and glad that you love this wonderful great day with all of us here"  # 18 words
FIFTEEN = "I am so happy and glad that you love this wonderful great day with us"
FLAT = "The table stands in the room between the wall and the window since the day we moved in"  # 18 words
KEEP = None
R = DialogueReason

# fmt: off
GOLDEN = [
    # texts                                           sage                    dialogpt-release   dialogpt-paper
    ([HAPPY, HAPPY, HAPPY, HAPPY, HAPPY + "?"],       KEEP,                   KEEP,              KEEP),
    ([HAPPY, HAPPY, HAPPY, HAPPY, HAPPY, HAPPY+"?"],  KEEP,                   R.TOO_MANY_TURNS,  KEEP),
    ([FIFTEEN] * 4 + [FIFTEEN + "?"],                 R.TOO_SHORT_UTTERANCES, KEEP,              KEEP),
    ([HAPPY] * 5,                                     R.NO_QUESTION,          KEEP,              KEEP),
    ([HAPPY + "?", FLAT, HAPPY, HAPPY, HAPPY],        R.LOW_SENTIMENT,        KEEP,              KEEP),
    (["It is on all of them."],                       R.TOO_FEW_TURNS,        R.TOO_FEW_TURNS,   R.TOO_FEW_TURNS),
    (["It is on all of them.", "So it is."],          R.TOO_FEW_TURNS,        KEEP,              KEEP),
    (["What is it about?", "That."],                  R.TOO_FEW_TURNS,        R.SHORT_UTTERANCE, KEEP),
    (["Books?", "So it is."],                         R.TOO_FEW_TURNS,        R.SHORT_UTTERANCE, KEEP),
    (["What is it about?", "Old books."],             R.TOO_FEW_TURNS,        KEEP,              R.NO_COMMON_WORD),
    (["Morgen Regen", "Regen und Wind"],              R.TOO_FEW_TURNS,        KEEP,              R.NO_COMMON_WORD),
    (["It is?", "the day " * 15],                     R.TOO_FEW_TURNS,        KEEP,              KEEP),
    (["It is?", "the day " * 15 + "so"],              R.TOO_FEW_TURNS,        R.LONG_UTTERANCE,  KEEP),
    (["the day " * 50, "the day " * 50],              R.TOO_FEW_TURNS,        R.LONG_UTTERANCE,  KEEP),
    (["the day " * 50, "the day " * 50 + "so"],       R.TOO_FEW_TURNS,        R.LONG_UTTERANCE,  R.TOO_MANY_WORDS),
    (["It is?", "It is " + "a" * 30],                 R.TOO_FEW_TURNS,        KEEP,              KEEP),
    (["It is?", "It is " + "a" * 31],                 R.TOO_FEW_TURNS,        R.LONG_WORD,       KEEP),
    (["It is?", "It is no no"],                       R.TOO_FEW_TURNS,        KEEP,              KEEP),
    (["It is?", "It is no no no"],                    R.TOO_FEW_TURNS,        R.REPEATED_WORDS,  R.REPEATED_WORDS),
    (["WHOA it is", "It is"],                         R.TOO_FEW_TURNS,        KEEP,              KEEP),
    (["HELLO it is", "It is"],                        R.TOO_FEW_TURNS,        R.CAPITALS,        KEEP),
    (["It is?", "It is [edited]"],                    R.TOO_FEW_TURNS,        R.BRACKETS,        R.BRACKETS),
    (["It is (so)", "It is"],                         R.TOO_FEW_TURNS,        R.BRACKETS,        KEEP),
    (["It is?", "> it is\nIt is"],                    R.TOO_FEW_TURNS,        R.QUOTE,           KEEP),
    (["Is a > b here", "It is"],                      R.TOO_FEW_TURNS,        R.BRACKETS,        KEEP),
    (["Is it at http://a.b", "It is"],                R.TOO_FEW_TURNS,        R.URL,             R.URL),
]
# fmt: on


def judged(texts: list[str], limits: Thresholds) -> DialogueReason | None:
    tools = Tools(compound=CompoundScorer(load_lexicon().valences).compound)
    return first_reason(texts, [gate for _, gate in gates_in_order(limits, tools)])


@pytest.mark.parametrize(("texts", "sage", "release", "paper"), GOLDEN)
def test_golden_table(
    texts: list[str], sage: DialogueReason | None, release: DialogueReason | None, paper: DialogueReason | None
) -> None:
    assert judged(texts, Thresholds()) is sage
    assert judged(texts, Thresholds(preset="dialogpt-release")) is release
    assert judged(texts, Thresholds(preset="dialogpt-paper")) is paper


def on(limits: Thresholds) -> dict[str, Any]:
    return {key: value for key, value in limits.model_dump(exclude={"preset"}).items() if value not in (None, False)}


def test_the_default_is_the_paper_of_sage() -> None:
    assert Thresholds().preset == "sage"
    assert on(Thresholds()) == {
        "min_turns_exclusive": 4,
        "min_mean_words_exclusive": 15.0,
        "need_question": True,
        "min_compound_exclusive": 0.4,
    }


@pytest.mark.parametrize("preset", ["dialogpt-release", "dialogpt-paper"])
def test_a_preset_is_recorded_with_its_values(preset: str) -> None:
    limits = Thresholds.model_validate({"preset": preset})
    assert on(limits) == {key: value for key, value in PRESETS[preset].items() if value not in (None, False)}
    assert Thresholds.model_validate(limits.model_dump(mode="json")) == limits


def test_what_is_given_wins_and_null_switches_off() -> None:
    given = {"preset": "dialogpt-release", "max_words": 40, "capitals_in_row": None, "drop_urls": None}
    limits = Thresholds.model_validate({**given, "need_question": True})
    preset = on(Thresholds(preset="dialogpt-release"))
    assert limits.drop_urls is False
    assert on(limits) == {
        key: value for key, value in preset.items() if key not in ("capitals_in_row", "drop_urls")
    } | {"max_words": 40, "need_question": True}


def test_every_gate_can_be_switched_off_under_every_preset() -> None:
    for preset in PRESETS:
        off = Thresholds.model_validate(
            {"preset": preset, **dict.fromkeys(on(Thresholds.model_validate({"preset": preset})))}
        )
        assert not on(off)
        assert not gates_in_order(off, Tools())


def test_impossible_thresholds_are_refused() -> None:
    wrongs: list[dict[str, Any]] = [
        {"min_compound_exclusive": 2},
        {"min_turns_exclusive": -1},
        {"near_duplicate_jaccard": 0},
        {"preset": "dialogpt"},
        {"preset": ["sage"]},
        {"preset": None},
        {"bracket_characters": ""},
        {"max_turn": 3},
    ]
    for wrong in wrongs:
        with pytest.raises(ValidationError):
            Thresholds.model_validate(wrong)
    with pytest.raises(ValidationError):
        Thresholds.model_validate("sage")
