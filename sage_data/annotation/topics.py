"""Picks the topics of each utterance: its content words that the dialogue comes back to most.

pick_topics([["my", "dog", "ran"], ["what", "kind", "of", "dog"]], limit=3)   # [("dog",), ("dog",)]
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

STOP_FILE = Path(__file__).parent / "topics.toml"
_SHORTEST = 3


@cache
def stop_words() -> frozenset[str]:
    """Words that are never a topic."""
    return frozenset(tomllib.loads(STOP_FILE.read_text(encoding="utf-8"))["stop"].split())


def pick_topics(utterances: Sequence[Sequence[str]], limit: int) -> list[tuple[str, ...]]:
    """At most `limit` topics for each utterance, given as lower-cased words.

    Content words are ranked by how many utterances of the dialogue hold them, then by how often this one does, then by
    where they first stand in it. Singular and plural count as one word, written as it first occurs in the utterance.
    """
    contents = [[word for word in words if _is_content(word)] for words in utterances]
    spread = Counter(stem for words in contents for stem in {_stem(word) for word in words})
    return [_rank(words, spread, limit) for words in contents]


def _rank(content: Sequence[str], spread: Counter[str], limit: int) -> tuple[str, ...]:
    own = Counter(map(_stem, content))
    first = {_stem(word): word for word in reversed(content)}
    # A stable sort keeps the order in which equally frequent words were said.
    ranked = sorted(dict.fromkeys(map(_stem, content)), key=lambda stem: (-spread[stem], -own[stem]))
    return tuple(first[stem] for stem in ranked[:limit])


def _is_content(word: str) -> bool:
    return len(word) >= _SHORTEST and word not in stop_words() and not any(char.isdigit() for char in word)


def _stem(word: str) -> str:
    """The word without a possessive or a plural ending, well enough to count with."""
    word = word.removesuffix("'s")
    if word.endswith("ies") and len(word) > len("ties"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
