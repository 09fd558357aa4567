"""The gates that are on, in the order in which their reasons win: `DialogueReason`'s, cheap ones first.

gates = gates_in_order(Thresholds(), Tools(compound=scorer.compound))
reason = first_reason(texts, [gate for _, gate in gates])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from sage_data.gates import checks
from sage_data.gates.blocked import BlockedPhrases
from sage_data.gates.checks import Compound, Gate, Identify
from sage_data.gates.thresholds import Thresholds
from sage_data.reddit.reasons import DialogueReason

Value = TypeVar("Value")
NamedGate = tuple[DialogueReason, Gate]


@dataclass(frozen=True, slots=True)
class Tools:
    """What some gates ask; None where the gate is off. The block list switches its own gate."""

    compound: Compound | None = None
    identify: Identify | None = None
    blocked: BlockedPhrases | None = None


def gates_in_order(limits: Thresholds, tools: Tools) -> list[NamedGate]:
    """Every gate that judges a dialogue by itself and is on; duplicates are judged after them.

    Raises:
        ValueError: a gate is on whose tool is missing.
    """
    reasons = DialogueReason
    listed: list[tuple[DialogueReason, Gate | None]] = [
        (reasons.TOO_FEW_TURNS, _at(limits.min_turns_exclusive, checks.too_few_turns)),
        (reasons.TOO_MANY_TURNS, _at(limits.max_turns, checks.too_many_turns)),
        (reasons.TOO_SHORT_UTTERANCES, _at(limits.min_mean_words_exclusive, checks.too_short_utterances)),
        (reasons.LONG_UTTERANCE, _at(limits.max_words, checks.long_utterance)),
        (reasons.SHORT_UTTERANCE, _at(limits.min_words, checks.short_utterance)),
        (reasons.TOO_MANY_WORDS, _at(limits.max_total_words, checks.too_many_words)),
        (reasons.NO_QUESTION, _if(limits.need_question, checks.no_question)),
        (reasons.QUOTE, _if(limits.drop_quotes, checks.quote)),
        (reasons.URL, _if(limits.drop_urls, checks.url)),
        (reasons.BRACKETS, _at(limits.bracket_characters, checks.brackets)),
        (reasons.LONG_WORD, _at(limits.max_word_characters, checks.long_word)),
        (reasons.REPEATED_WORDS, _at(limits.repeated_words, checks.repeated_words)),
        (reasons.CAPITALS, _at(limits.capitals_in_row, checks.capitals)),
        (reasons.NO_COMMON_WORD, _if(limits.need_common_word, checks.no_common_word)),
        (reasons.BLOCKED_WORDS, _at(tools.blocked, checks.blocked_words)),
        (reasons.LOW_SENTIMENT, _sentiment(limits, tools)),
        (reasons.OTHER_LANGUAGE, _language(limits, tools)),
    ]
    return [(reason, gate) for reason, gate in listed if gate is not None]


def _at(value: Value | None, gate: Callable[[Sequence[str], Value], DialogueReason | None]) -> Gate | None:
    """The gate with its threshold; None without one."""
    return None if value is None else lambda texts: gate(texts, value)


def _if(on: bool, gate: Gate) -> Gate | None:
    return gate if on else None


def _sentiment(limits: Thresholds, tools: Tools) -> Gate | None:
    if limits.min_compound_exclusive is None:
        return None
    if tools.compound is None:
        raise ValueError("the sentiment gate is on, but Tools.compound is None")
    return partial(checks.low_sentiment, above=limits.min_compound_exclusive, compound=tools.compound)


def _language(limits: Thresholds, tools: Tools) -> Gate | None:
    if limits.language is None:
        return None
    if tools.identify is None:
        raise ValueError("the language gate is on, but Tools.identify is None")
    return partial(
        checks.other_language,
        wanted=limits.language,
        min_probability=limits.min_language_probability,
        identify=tools.identify,
    )
