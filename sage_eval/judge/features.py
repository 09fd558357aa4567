"""What a rubric judge measures on the assistant's side of a transcript: each feature lies between 0 and 1.

The paper's criteria (Appendix A) name a colloquial, funny, intriguing, sympathetic, natural and not overly verbose
chatbot. Each feature stands for one of them, by surface marks alone; nothing here understands a dialogue.

A reply that repeats an earlier one, word for word, earns nothing again: else a dialogue that says its first reply over
and over beats the original in about 4 of 10 real dialogues.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from sage_eval.judge.transcripts import Transcript

SHORT, LONG = 25, 60
"""Words of a reply: up to `SHORT` is brief, from `LONG` on is verbose, in between fades."""
CROWDED = 3.0
"""Words of the assistant for one of the user that leave no room."""
LONG_WORD = 9
"""Letters from which on a word is long."""
_WORD = re.compile(r"[\w'\u2019]+")
_LIST = re.compile(r"^\s*(?:\d+[.)]|[-*•])\s", re.MULTILINE)

VERSION = 2
"""Goes up when a feature is measured in another way; part of a rubric's hash."""

Markers = Mapping[str, Sequence[str]]


def features(lines: Transcript, markers: Markers) -> dict[str, float] | None:
    """Measure a transcript; None when the assistant said nothing, so that there is nothing to judge.

    Args:
        lines: the utterances of both sides, in order.
        markers: word lists named sympathy, humour, colloquial and stilted.
    """
    replies = [line.text for line in lines if line.speaker == "assistant"]
    if not replies:
        return None
    new = _new(replies)
    fresh = sum(new) / len(replies)

    def earned(found: Sequence[float]) -> float:
        """Mean over all replies, those said before with nothing."""
        return sum(value for value, first in zip(found, new, strict=True) if first) / len(replies)

    return {
        "brevity": earned([_brevity(text) for text in replies]),
        "engagement": earned([text.rstrip().endswith("?") for text in replies]),
        "balance": fresh * _balance(lines),
        "plain_words": fresh * _plain_words(replies),
        "sympathy": earned(_marked(replies, markers["sympathy"])),
        "humour": earned(_marked(replies, markers["humour"])),
        "colloquial": earned(_marked(replies, markers["colloquial"])),
        "natural": earned([not (_LIST.search(text) or _has(text, markers["stilted"])) for text in replies]),
        "variety": min(fresh, _variety(replies)),
    }


def _new(replies: Sequence[str]) -> list[bool]:
    """Which replies were not said before in this dialogue, word for word."""
    said = [tuple(_WORD.findall(text.lower())) for text in replies]
    return [words not in said[:index] for index, words in enumerate(said)]


def _brevity(text: str) -> float:
    words = len(text.split())
    return min(1.0, max(0.0, (LONG - words) / (LONG - SHORT))) if words else 0.0


def _marked(replies: Sequence[str], phrases: Sequence[str]) -> list[bool]:
    return [_has(text, phrases) for text in replies]


def _has(text: str, phrases: Sequence[str]) -> bool:
    return _pattern(tuple(phrases)).search(text.lower()) is not None


@cache
def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """Whole words, and phrases marked by ~ anywhere. One look behind for all words is far quicker than one each."""
    words = [re.escape(one) for one in phrases if not one.startswith("~")]
    anywhere = [re.escape(one[1:]) for one in phrases if one.startswith("~")]
    return re.compile("|".join([*([rf"(?<!\w)(?:{'|'.join(words)})(?!\w)"] if words else []), *anywhere]))


def _balance(lines: Transcript) -> float:
    """Does the assistant leave room? 1 while it says no more words than the user, 0 from three times as many on."""
    said = {"user": 0, "assistant": 0}
    for line in lines:
        said[line.speaker] += len(line.text.split())
    if not said["user"]:
        return 1.0
    return min(1.0, max(0.0, (CROWDED - said["assistant"] / said["user"]) / (CROWDED - 1.0)))


def _plain_words(replies: Sequence[str]) -> float:
    """1 without any long word, 0 from a quarter of long words on."""
    words = [word for text in replies for word in _WORD.findall(text)]
    long_words = sum(len(word) >= LONG_WORD for word in words)
    return max(0.0, 1.0 - 4.0 * long_words / len(words)) if words else 1.0


def _variety(replies: Sequence[str]) -> float:
    """Share of three-word runs that the assistant had not said before in this dialogue; 1 when there are none."""
    runs = [run for text in replies for run in _runs(_WORD.findall(text.lower()))]
    return len(set(runs)) / len(runs) if runs else 1.0


def _runs(words: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(words[start : start + 3]) for start in range(len(words) - 2)]
