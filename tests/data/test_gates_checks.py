"""Each gate on both sides of its threshold, and the order of reasons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sage_data.dialogue import Dialogue, Utterance
from sage_data.gates.checks import (
    Thresholds,
    low_sentiment,
    no_question,
    paper_gates,
    reject_reason,
    too_few_turns,
    too_short_utterances,
)
from sage_data.reddit.reasons import DialogueReason


def dialogue(*texts: str) -> Dialogue:
    return Dialogue("d", tuple(Utterance("assistant" if n % 2 else "user", text) for n, text in enumerate(texts)))


def of_lengths(lengths: Sequence[int], end: str = "?") -> Dialogue:
    return dialogue(*(" ".join(["word"] * length) + end for length in lengths))


def judge(one: Dialogue, compound: float = 1.0, **thresholds: Any) -> DialogueReason | None:
    return reject_reason(one, paper_gates(Thresholds(**thresholds), lambda _: compound))


def test_more_than_four_turns() -> None:
    assert too_few_turns(of_lengths([16] * 4), 4) is DialogueReason.TOO_FEW_TURNS
    assert too_few_turns(of_lengths([16] * 5), 4) is None


def test_mean_words_above_fifteen_with_short_ones_allowed() -> None:
    assert too_short_utterances(of_lengths([15] * 5), 15) is DialogueReason.TOO_SHORT_UTTERANCES
    assert too_short_utterances(of_lengths([15, 15, 15, 15, 16]), 15) is None
    assert too_short_utterances(of_lengths([1, 1, 1, 1, 72]), 15) is None


@given(st.lists(st.integers(0, 40), min_size=1, max_size=9), st.integers(0, 40))
def test_mean_is_exact(lengths: list[int], above: int) -> None:
    keep = too_short_utterances(of_lengths(lengths, end=""), float(above)) is None
    assert keep == (sum(lengths) > above * len(lengths))


def test_one_question_is_enough() -> None:
    assert no_question(dialogue("Fine.", "Well? Yes.")) is DialogueReason.NO_QUESTION
    assert no_question(dialogue("Fine.", 'Well?"', "Yes.")) is None


def test_every_utterance_must_be_above_the_score_and_the_first_that_is_not_ends_the_search() -> None:
    scores = {"a": 0.41, "b": 0.4, "c": 0.9}
    asked = []

    def compound(text: str) -> float:
        asked.append(text)
        return scores[text]

    assert low_sentiment(dialogue("a", "c"), 0.4, compound) is None
    asked.clear()
    assert low_sentiment(dialogue("a", "b", "c"), 0.4, compound) is DialogueReason.LOW_SENTIMENT
    assert asked == ["a", "b"]


def test_first_reason_in_order_counts() -> None:
    assert judge(of_lengths([1], end="."), -1) is DialogueReason.TOO_FEW_TURNS
    assert judge(of_lengths([1] * 5, end="."), -1) is DialogueReason.TOO_SHORT_UTTERANCES
    assert judge(of_lengths([16] * 5, end="."), -1) is DialogueReason.NO_QUESTION
    assert judge(of_lengths([16] * 5), 0.4) is DialogueReason.LOW_SENTIMENT
    assert judge(of_lengths([16] * 5), 0.41) is None


def test_thresholds_default_to_the_paper() -> None:
    assert Thresholds().model_dump() == {
        "min_turns_exclusive": 4,
        "min_mean_words_exclusive": 15.0,
        "need_question": True,
        "min_compound_exclusive": 0.4,
    }


@pytest.mark.parametrize(
    ("off", "one", "compound"),
    [
        ({"min_turns_exclusive": None}, of_lengths([16]), 1.0),
        ({"min_mean_words_exclusive": None}, of_lengths([1] * 5), 1.0),
        ({"need_question": False}, of_lengths([16] * 5, end="."), 1.0),
        ({"min_compound_exclusive": None}, of_lengths([16] * 5), -1.0),
    ],
)
def test_each_gate_can_be_switched_off(off: dict[str, Any], one: Dialogue, compound: float) -> None:
    assert judge(one, compound) is not None
    assert judge(one, compound, **off) is None


def test_impossible_thresholds_are_refused() -> None:
    for wrong in ({"min_compound_exclusive": 2}, {"min_turns_exclusive": -1}, {"max_turns": 3}):
        with pytest.raises(ValidationError):
            Thresholds.model_validate(wrong)
