"""The gates a dialogue passes: plain functions over its utterances' texts, in the order they were said.

Each returns None to keep the dialogue, or the reason to drop it. `order.py` puts those that are on into a list.

    reason = too_short_utterances(["How are you today?", "Fine."], above=15)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import groupby

from sage_data.gates.blocked import BlockedPhrases
from sage_data.gates.frequent import has_common_word
from sage_data.gates.measures import ends_with_question, words
from sage_data.reddit.reasons import QUOTED_LINE, WEB_ADDRESS, DialogueReason

Gate = Callable[[Sequence[str]], DialogueReason | None]
"""Texts of one dialogue's utterances -> None to keep it, or why not."""
Compound = Callable[[str], float]
"""Text -> VADER compound score, from -1 to 1."""
Identify = Callable[[str], tuple[str, float]]
"""Text -> (ISO 639-1 code of its language, probability)."""


def too_few_turns(texts: Sequence[str], more_than: int) -> DialogueReason | None:
    """Drop unless there are more than `more_than` utterances."""
    return None if len(texts) > more_than else DialogueReason.TOO_FEW_TURNS


def too_many_turns(texts: Sequence[str], at_most: int) -> DialogueReason | None:
    """Drop when there are more than `at_most` utterances."""
    return None if len(texts) <= at_most else DialogueReason.TOO_MANY_TURNS


def too_short_utterances(texts: Sequence[str], above: float) -> DialogueReason | None:
    """Drop unless the mean number of words per utterance is above `above`; one below it may stay."""
    return None if sum(map(words, texts)) > above * len(texts) else DialogueReason.TOO_SHORT_UTTERANCES


def long_utterance(texts: Sequence[str], at_most: int) -> DialogueReason | None:
    """Drop when an utterance has more than `at_most` words."""
    return DialogueReason.LONG_UTTERANCE if any(words(text) > at_most for text in texts) else None


def short_utterance(texts: Sequence[str], at_least: int) -> DialogueReason | None:
    """Drop when an utterance has fewer than `at_least` words."""
    return DialogueReason.SHORT_UTTERANCE if any(words(text) < at_least for text in texts) else None


def too_many_words(texts: Sequence[str], at_most: int) -> DialogueReason | None:
    """Drop when all utterances together have more than `at_most` words."""
    return None if sum(map(words, texts)) <= at_most else DialogueReason.TOO_MANY_WORDS


def no_question(texts: Sequence[str]) -> DialogueReason | None:
    """Drop unless at least one utterance ends with a question mark."""
    return None if any(map(ends_with_question, texts)) else DialogueReason.NO_QUESTION


def quote(texts: Sequence[str]) -> DialogueReason | None:
    """Drop when a line starts with Reddit's quotation mark `>`."""
    return DialogueReason.QUOTE if any(">" in text and QUOTED_LINE.search(text) for text in texts) else None


def url(texts: Sequence[str]) -> DialogueReason | None:
    """Drop when an utterance holds a web address."""
    return DialogueReason.URL if any(map(_has_url, texts)) else None


def brackets(texts: Sequence[str], characters: str) -> DialogueReason | None:
    """Drop when one of the `characters` stands in an utterance: a sign of markup."""
    found = any(character in text for text in texts for character in characters)
    return DialogueReason.BRACKETS if found else None


def long_word(texts: Sequence[str], at_most: int) -> DialogueReason | None:
    """Drop when a word, punctuation included, has more than `at_most` characters."""
    long = any(len(token) > at_most for text in texts if len(text) > at_most for token in text.split())
    return DialogueReason.LONG_WORD if long else None


def repeated_words(texts: Sequence[str], in_a_row: int) -> DialogueReason | None:
    """Drop when an utterance holds the same word `in_a_row` times in a row, same case and punctuation."""
    return DialogueReason.REPEATED_WORDS if any(_repeats(text.split(), in_a_row) for text in texts) else None


def capitals(texts: Sequence[str], in_a_row: int) -> DialogueReason | None:
    """Drop when an utterance holds `in_a_row` capital letters A to Z without anything between."""
    shouts = re.compile(f"[A-Z]{{{in_a_row}}}").search
    return DialogueReason.CAPITALS if any(map(shouts, texts)) else None


def no_common_word(texts: Sequence[str]) -> DialogueReason | None:
    """Drop unless every reply, that is, every utterance but the first, holds one of the commonest English words."""
    return None if all(map(has_common_word, texts[1:])) else DialogueReason.NO_COMMON_WORD


def blocked_words(texts: Sequence[str], phrases: BlockedPhrases) -> DialogueReason | None:
    """Drop when an utterance holds a phrase of the block list."""
    return DialogueReason.BLOCKED_WORDS if any(map(phrases.found_in, texts)) else None


def low_sentiment(texts: Sequence[str], above: float, compound: Compound) -> DialogueReason | None:
    """Drop unless every utterance's compound score is above `above`; stops at the first that is not."""
    return None if all(compound(text) > above for text in texts) else DialogueReason.LOW_SENTIMENT


def other_language(
    texts: Sequence[str], wanted: str, min_probability: float | None, identify: Identify
) -> DialogueReason | None:
    """Drop unless the dialogue as a whole is in the language `wanted`, at least `min_probability` sure."""
    language, probability = identify("\n".join(texts))
    sure = min_probability is None or probability >= min_probability
    return None if language == wanted and sure else DialogueReason.OTHER_LANGUAGE


def first_reason(texts: Sequence[str], gates: Sequence[Gate]) -> DialogueReason | None:
    """The first gate's reason that a dialogue fails, or None when it passes all."""
    for gate in gates:
        if (reason := gate(texts)) is not None:
            return reason
    return None


def _repeats(tokens: Sequence[str], in_a_row: int) -> bool:
    if len(tokens) - len(set(tokens)) < in_a_row - 1:  # The usual case: too few are equal anywhere.
        return False
    return any(sum(1 for _ in run) >= in_a_row for _, run in groupby(tokens))


def _has_url(text: str) -> bool:
    # Two plain searches first: the pattern, which ignores case, costs ten times as much.
    return ("://" in text or "www." in text.lower()) and WEB_ADDRESS.search(text) is not None
