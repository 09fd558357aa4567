"""Reads the cue file of the lexicon annotator and finds cues in an utterance.

A cue is a word or phrase that speaks for a label ("can't wait" for excited). Cues match whole words of the lower-cased
text; where two overlap, the longer one counts. The file says what each kind of cue weighs and how ties are broken.

    CueFile.load().emotions.find(words("I can't wait!"))
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self

CUE_FILE = Path(__file__).parent / "cues.toml"
WEIGHTS = {"strong": 3.0, "cues": 2.0, "weak": 1.0}
MARK_WEIGHT = 2.0
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_SHORTEST_STEM = 3


def words(text: str) -> list[str]:
    """The lower-cased words of a text, apostrophes kept inside them."""
    return _WORD.findall(text.lower().replace("\u2019", "'"))


@dataclass(frozen=True, slots=True)
class Label:
    """One motivation or emotion and what speaks for it besides cues."""

    name: str
    features: Mapping[str, float]
    """Feature name -> what it adds to the label's score."""
    needs_cue: bool
    """True: features count only where a cue was found."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A cue found in an utterance."""

    label: str
    weight: float
    start: int
    """Index of its first word; for an emoji or emoticon, the number of words."""


@dataclass(slots=True)
class CueBook:
    """All labels of one slot with their cues, ready to be searched."""

    labels: tuple[Label, ...]
    _phrases: dict[tuple[str, ...], list[tuple[str, float]]] = field(default_factory=dict)
    _stems: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    _marks: list[tuple[str, str]] = field(default_factory=list)
    _longest: dict[str, int] = field(default_factory=dict)
    """First word of a phrase -> words in the longest phrase that begins with it."""

    @classmethod
    def build(cls, tables: Iterable[Mapping[str, Any]], silent: Iterable[str] = ()) -> Self:
        """Make a book from the file's tables of one slot; `silent` phrases speak for nothing, nor do words in them."""
        tables = tuple(tables)
        book = cls(tuple(Label(one["name"], one.get("features", {}), one.get("needs_cue", False)) for one in tables))
        for table in tables:
            for kind, weight in WEIGHTS.items():
                for cue in table.get(kind, ()):
                    book._add(cue, table["name"], weight)
            book._marks += [(mark, table["name"]) for mark in table.get("marks", ())]
        for phrase in silent:
            book._phrase(phrase)
        return book

    def _add(self, cue: str, label: str, weight: float) -> None:
        if cue.endswith("*"):
            self._stems.setdefault(cue[:-1], []).append((label, weight))
        else:
            self._phrase(cue).append((label, weight))

    def _phrase(self, cue: str) -> list[tuple[str, float]]:
        """What a phrase speaks for, to be added to."""
        phrase = tuple(words(cue))
        self._longest[phrase[0]] = max(self._longest.get(phrase[0], 1), len(phrase))
        return self._phrases.setdefault(phrase, [])

    def find(self, text_words: Sequence[str], text: str = "") -> list[Hit]:
        """Cues in an utterance, in reading order; marks are looked for in `text`."""
        hits: list[Hit] = []
        place = 0
        while place < len(text_words):
            length, found = self._at(text_words, place)
            hits += [Hit(label, weight, place) for label, weight in found]
            place += length
        return hits + [Hit(label, MARK_WEIGHT, len(text_words)) for mark, label in self._marks if mark in text]

    def _at(self, text_words: Sequence[str], place: int) -> tuple[int, Sequence[tuple[str, float]]]:
        """The longest cue that begins at `place`: its length in words (1 if there is none) and what it speaks for."""
        word = text_words[place]
        for length in range(self._longest.get(word, 0), 0, -1):
            found = self._phrases.get(tuple(text_words[place : place + length]))
            if found is not None:
                return length, found
        for end in range(len(word), _SHORTEST_STEM - 1, -1):
            if (stemmed := self._stems.get(word[:end])) is not None:
                return 1, stemmed
        return 1, ()


@dataclass(frozen=True, slots=True)
class CueFile:
    """The whole cue file."""

    emotions: CueBook
    motivations: CueBook
    negators: frozenset[str]
    reports: frozenset[str]
    fillers: frozenset[str]
    polarity: Mapping[str, int]
    """Emotion -> 1 where positive, -1 where negative; others are absent."""

    @classmethod
    def load(cls, path: Path = CUE_FILE) -> Self:
        """Read a cue file."""
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls(
            CueBook.build(raw["emotion"], raw["unfelt"]),
            CueBook.build(raw["motivation"]),
            frozenset(raw["negators"]),
            frozenset(raw["reports"]),
            frozenset(raw["fillers"]),
            {**dict.fromkeys(raw["positive"], 1), **dict.fromkeys(raw["negative"], -1)},
        )


@cache
def shipped_cues() -> CueFile:
    """The cue file of this package, read once."""
    return CueFile.load()
