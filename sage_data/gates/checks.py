"""The gates a dialogue passes: plain functions that return None to keep it, or the reason to drop it.

They stand in a list, cheap ones first, and the first reason counts. Thresholds quote the paper (section 3.1).

    reason = reject_reason(dialogue, paper_gates(Thresholds(), scorer.compound))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict, Field

from sage_data.dialogue import Dialogue
from sage_data.gates.measures import ends_with_question, words
from sage_data.reddit.reasons import DialogueReason

Gate = Callable[[Dialogue], DialogueReason | None]
Compound = Callable[[str], float]
"""Text -> VADER compound score, from -1 to 1."""


class Thresholds(BaseModel):
    """The paper's thresholds as defaults; each may be loosened or, with null, switched off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_turns_exclusive: int | None = Field(
        default=4, ge=0, description='Keep dialogues with more utterances than this: "more than four turns".'
    )
    min_mean_words_exclusive: float | None = Field(
        default=15.0,
        ge=0,
        description='Keep a mean above this: "the average length of each utterance exceeds 15 words".',
    )
    need_question: bool = Field(
        default=True, description='Keep dialogues where "at least one utterance ends with a question mark".'
    )
    min_compound_exclusive: float | None = Field(
        default=0.4, ge=-1, le=1, description='Keep when "all utterances had a sentiment score above 0.4".'
    )


def too_few_turns(dialogue: Dialogue, more_than: int) -> DialogueReason | None:
    """Drop unless there are more than `more_than` utterances."""
    return None if len(dialogue.utterances) > more_than else DialogueReason.TOO_FEW_TURNS


def too_short_utterances(dialogue: Dialogue, above: float) -> DialogueReason | None:
    """Drop unless the mean number of words per utterance is above `above`; one below it may stay."""
    total = sum(words(utterance.text) for utterance in dialogue.utterances)
    return None if total > above * len(dialogue.utterances) else DialogueReason.TOO_SHORT_UTTERANCES


def no_question(dialogue: Dialogue) -> DialogueReason | None:
    """Drop unless at least one utterance ends with a question mark."""
    asks = any(ends_with_question(utterance.text) for utterance in dialogue.utterances)
    return None if asks else DialogueReason.NO_QUESTION


def low_sentiment(dialogue: Dialogue, above: float, compound: Compound) -> DialogueReason | None:
    """Drop unless every utterance's compound score is above `above`; stops at the first that is not."""
    passes = all(compound(utterance.text) > above for utterance in dialogue.utterances)
    return None if passes else DialogueReason.LOW_SENTIMENT


def paper_gates(thresholds: Thresholds, compound: Compound) -> list[Gate]:
    """The gates that are switched on, in the order in which their reasons win."""
    turns, mean_words = thresholds.min_turns_exclusive, thresholds.min_mean_words_exclusive
    sentiment = thresholds.min_compound_exclusive
    gates: list[Gate] = []
    if turns is not None:
        gates.append(lambda dialogue: too_few_turns(dialogue, turns))
    if mean_words is not None:
        gates.append(lambda dialogue: too_short_utterances(dialogue, mean_words))
    if thresholds.need_question:
        gates.append(no_question)
    if sentiment is not None:
        gates.append(lambda dialogue: low_sentiment(dialogue, sentiment, compound))
    return gates


def reject_reason(dialogue: Dialogue, gates: Sequence[Gate]) -> DialogueReason | None:
    """The first gate's reason that a dialogue fails, or None when it passes all."""
    for gate in gates:
        if (reason := gate(dialogue)) is not None:
            return reason
    return None
