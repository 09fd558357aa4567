"""Picks the topics of each utterance: the nouns, as far as they show, that the dialogue comes back to most.

No tagger is used. A run of content words behind an article, possessive or preposition ends in a noun ("my old *bike*",
"about the *rent*"); what stands as such anywhere in the dialogue counts as a noun everywhere in it.

    pick_topics([["my", "dog", "ran"], ["what", "kind", "of", "dog"]], limit=3)   # [("dog",), ("dog",)]
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

WORD_FILE = Path(__file__).parent / "topics.toml"
_SHORTEST = 3


@dataclass(frozen=True, slots=True)
class _Lists:
    stop: frozenset[str]
    openers: frozenset[str]

    @classmethod
    def load(cls) -> Self:
        raw = tomllib.loads(WORD_FILE.read_text(encoding="utf-8"))
        return cls(frozenset(raw["stop"].split()), frozenset(raw["openers"].split()))


@cache
def _lists() -> _Lists:
    return _Lists.load()


def stem(word: str) -> str:
    """The word without a possessive or a plural ending, well enough to count with."""
    word = word.removesuffix("'s")
    if word.endswith("ies") and len(word) > len("ties"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def pick_topics(utterances: Sequence[Sequence[str]], limit: int) -> list[tuple[str, ...]]:
    """At most `limit` topics for each utterance, given as lower-cased words.

    Topics are ranked by how many utterances of the dialogue hold them, then by how often this one does, then by where
    they first stand in it. Singular and plural count as one word, written as it first occurs in the utterance.
    """
    contents = [[word for word in words if _is_content(word)] for words in utterances]
    nouns = {stem(noun) for words in utterances for noun in _nouns(words)}
    spread = Counter(root for words in contents for root in set(map(stem, words)))
    return [_rank([word for word in words if stem(word) in nouns], spread, limit) for words in contents]


def _rank(content: Sequence[str], spread: Counter[str], limit: int) -> tuple[str, ...]:
    own = Counter(map(stem, content))
    first = {stem(word): word for word in reversed(content)}
    # A stable sort keeps the order in which equally frequent words were said.
    ranked = sorted(dict.fromkeys(map(stem, content)), key=lambda root: (-spread[root], -own[root]))
    return tuple(first[root] for root in ranked[:limit])


def _nouns(words: Sequence[str]) -> Iterator[str]:
    """The last word of each run of content words that an article, possessive or preposition opens."""
    opened = False
    for word, following in zip(words, [*words, ""][1:], strict=True):
        if _is_content(word):
            if opened and not _is_content(following):
                yield word
        else:
            opened = word in _lists().openers


def _is_content(word: str) -> bool:
    return len(word) >= _SHORTEST and word not in _lists().stop and not any(char.isdigit() for char in word)
