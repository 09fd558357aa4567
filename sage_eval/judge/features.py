"""What a rubric judge measures on the assistant's side of a transcript: each feature lies between 0 and 1.

The paper's criteria (Appendix A) name a colloquial, funny, intriguing, sympathetic, natural and not overly verbose
chatbot. Each feature stands for one of them, by surface marks alone; nothing here understands a dialogue.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from sage_eval.judge.transcripts import Transcript

SHORT, LONG = 25, 60
"""Words of a reply: up to `SHORT` is brief, from `LONG` on is verbose, in between fades."""
_CONTENT = re.compile(r"[^\W\d_]{4,}")
_WORD = re.compile(r"[\w'\u2019]+")
_LIST = re.compile(r"^\s*(?:\d+[.)]|[-*•])\s", re.MULTILINE)

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
    return {
        "brevity": _mean([_brevity(text) for text in replies]),
        "engagement": _mean([text.rstrip().endswith("?") for text in replies]),
        "listening": _mean(_taken_up(lines)),
        "sympathy": _mean(_marked(replies, markers["sympathy"])),
        "humour": _mean(_marked(replies, markers["humour"])),
        "colloquial": _mean(_marked(replies, markers["colloquial"])),
        "natural": 1.0 - _mean([bool(_LIST.search(text)) or _has(text, markers["stilted"]) for text in replies]),
        "variety": _variety(replies),
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _brevity(text: str) -> float:
    words = len(text.split())
    return min(1.0, max(0.0, (LONG - words) / (LONG - SHORT))) if words else 0.0


def _marked(replies: Sequence[str], phrases: Sequence[str]) -> list[bool]:
    return [_has(text, phrases) for text in replies]


def _has(text: str, phrases: Sequence[str]) -> bool:
    return _pattern(tuple(phrases)).search(text.lower()) is not None


@cache
def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(_phrase(one) for one in phrases))


def _phrase(phrase: str) -> str:
    if phrase.startswith("~"):
        return re.escape(phrase[1:])
    return rf"(?<!\w){re.escape(phrase)}(?!\w)"


def _taken_up(lines: Transcript) -> list[bool]:
    """For each reply: does it take up a longer word of what the user said just before?"""
    found: list[bool] = []
    heard: set[str] = set()
    for line in lines:
        words = set(_CONTENT.findall(line.text.lower()))
        if line.speaker == "user":
            heard = words
        else:
            found.append(bool(words & heard))
    return found


def _variety(replies: Sequence[str]) -> float:
    """Share of three-word runs that the assistant had not said before in this dialogue; 1 when there are none."""
    runs = [run for text in replies for run in _runs(_WORD.findall(text.lower()))]
    return len(set(runs)) / len(runs) if runs else 1.0


def _runs(words: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(words[start : start + 3]) for start in range(len(words) - 2)]
