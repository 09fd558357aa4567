"""Which dialogue says which word: an inverted index in shards, so that a search loads a few files and reads no text.

Words are cut and folded here exactly as `assets/explorer-data.js` does it for what is typed: compatibility forms and
accents removed, lower case, letters and digits only, at most `LONGEST` characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from sage_eval.report.explorer.packed import append_number

LONGEST = 32
"""Characters of a word that are kept; longer ones are found by their beginning."""
SHARD_CHARACTERS = 64_000
_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """The words of a text, folded, in order, repeated as often as they occur."""
    return [word[:LONGEST] for word in _WORD.findall(folded(text))]


def folded(text: str) -> str:
    """Lower case without accents or compatibility forms."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text)
    kept = "".join(char for char in parts if unicodedata.category(char)[0] != "M")
    return "".join(char for char in kept.lower() if unicodedata.category(char)[0] != "M")


class Postings:
    """For every term the numbers of the documents that hold it, packed as they come."""

    def __init__(self) -> None:
        self._coded: dict[str, bytearray] = {}
        self._last: dict[str, int] = {}
        self.counts: dict[str, int] = {}
        """Term -> documents."""

    def add(self, document: int, terms: Iterable[str]) -> None:
        """Note what one document holds; documents come in rising order."""
        for term in dict.fromkeys(terms):
            coded = self._coded.setdefault(term, bytearray())
            append_number(coded, document - self._last.get(term, 0))
            self._last[term] = document
            self.counts[term] = self.counts.get(term, 0) + 1

    def __len__(self) -> int:
        return len(self._coded)

    def __contains__(self, term: object) -> bool:
        return term in self._coded

    def terms(self) -> Iterator[str]:
        """All terms in the order in which JavaScript compares strings."""
        return iter(sorted(self._coded, key=lambda term: term.encode("utf-16-be", "surrogatepass")))

    def of(self, term: str) -> str:
        """The packed numbers of a term; empty when no document holds it."""
        return self._coded.get(term, b"").decode("ascii")


def shards(spoken: Postings, stated: Postings) -> Iterator[dict[str, Any]]:
    """Shards of neighbouring words: which dialogues say them, and which scenarios state them."""
    merged = Postings()
    for one in (spoken, stated):
        merged.add(0, one.terms())
    shard = _empty()
    size = 0
    for term in merged.terms():
        dialogues, scenarios = spoken.of(term), stated.of(term)
        shard["terms"].append(term)
        shard["dialogues"].append(dialogues)
        shard["scenarios"].append(scenarios)
        size += len(term) + len(dialogues) + len(scenarios)
        if size > SHARD_CHARACTERS:
            yield shard
            shard, size = _empty(), 0
    if shard["terms"]:
        yield shard


def _empty() -> dict[str, Any]:
    return {"terms": [], "dialogues": [], "scenarios": []}
