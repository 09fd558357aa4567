"""Motivations, emotions and topics as a model writes them -> tags: short, in one spelling, frequent ones in one form.

A tag is Unicode NFC, lower case, trimmed, with single spaces (an underscore counts as one), at most `MOST_WORDS` words
and `MOST_CHARACTERS` characters, of letters, digits and `PUNCTUATION`. "null", "none", "n/a" and an empty tag mean that
there is none. Variants of frequent motivations and emotions become the form in the canonical list ("happiness" ->
"joyful"); whatever the list does not know is a free tag and stays as it is.

    shipped_tags().state("Share", "NULL", ["Our  dog", "our dog"])    # State("sharing", None, ("our dog",))
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self

from sage_data.dialogue import State
from sage_data.errors import InputError

CANONICAL_FILE = Path(__file__).parent / "canonical.toml"
MOST_WORDS, MOST_CHARACTERS = 4, 40
PUNCTUATION = "-'./&+#%"
NOTHING = frozenset({"", "null", "none", "n/a", "nil"})
LISTED = ("motivation", "emotion")
"""The slots that have a canonical list."""
_SPACES = re.compile(r"[\s_]+")
_ENDS_A_SENTENCE = re.compile(r"[.!?]$|[.!?] ")


class TagError(ValueError):
    """What a model gave as a tag is none; the message says why."""


def normal(raw: str) -> str | None:
    """One tag in its one spelling; None where there is none.

    Raises:
        TagError: it is too long, a sentence, or holds characters that no tag has.
    """
    text = unicodedata.normalize("NFC", raw)
    if any(unicodedata.category(character).startswith("C") and character not in "\t\n\r" for character in text):
        raise TagError(f"expected a tag, found control characters in {_shown(text)}")
    if "\n" in text.strip():
        raise TagError(f"expected a tag on one line, found {_shown(text)}")
    # Lower-casing can take a text out of NFC.
    tag = unicodedata.normalize("NFC", _SPACES.sub(" ", text.lower()).strip().replace("\u2019", "'"))
    return None if tag in NOTHING else _checked(tag)


def _checked(tag: str) -> str:
    if len(tag) > MOST_CHARACTERS or tag.count(" ") >= MOST_WORDS:
        raise TagError(f"expected at most {MOST_WORDS} words and {MOST_CHARACTERS} characters, found {_shown(tag)}")
    if _ENDS_A_SENTENCE.search(tag):
        raise TagError(f"expected a tag, found a sentence: {_shown(tag)}")
    strange = sorted({one for one in tag if not (_wordy(one) or one in PUNCTUATION or one == " ")})
    if strange:
        raise TagError(f"expected letters, digits and {PUNCTUATION} only, found {' '.join(strange)} in {_shown(tag)}")
    if not any(map(_wordy, tag)):
        raise TagError(f"expected a word, found {_shown(tag)}")
    return tag


def _wordy(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "...")


@dataclass(frozen=True, slots=True)
class CanonicalTags:
    """The canonical lists of motivations and emotions."""

    names: Mapping[str, tuple[str, ...]]
    """Slot -> its frequent tags, in the order in which a prompt shows them."""
    forms: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Slot -> variant -> frequent tag."""

    @classmethod
    def load(cls, path: Path = CANONICAL_FILE) -> Self:
        """Read a list: for each slot a table of its tags with their variants.

        Raises:
            InputError: it is no such file, names a variant twice, or holds something that is no tag.
        """
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
            names = {slot: tuple(raw.get(slot, {})) for slot in LISTED}
            forms = {slot: _forms(raw.get(slot, {})) for slot in LISTED}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path}: not a list of canonical tags: {error}",
                next_step='write tables [motivation] and [emotion] with lines such as sad = ["unhappy", "sadness"]',
            ) from error
        return cls(names, forms)

    def canonical(self, slot: str, tag: str | None) -> str | None:
        """The frequent tag that a normal one is a variant of; others stay as they are."""
        return None if tag is None else self.forms.get(slot, {}).get(tag, tag)

    def state(self, motivation: str | None, emotion: str | None, topics: Sequence[str | None]) -> State:
        """A state in normal, canonical tags; topics that say nothing or come twice are left out.

        Raises:
            TagError: one of them is no tag; the message names its slot.
        """
        found = [_named("topics", topic) for topic in topics]
        return State(
            self.canonical("motivation", _named("motivation", motivation)),
            self.canonical("emotion", _named("emotion", emotion)),
            tuple(dict.fromkeys(topic for topic in found if topic is not None)),
        )


def _named(slot: str, raw: str | None) -> str | None:
    try:
        return None if raw is None else normal(raw)
    except TagError as error:
        raise TagError(f"{slot}: {error}") from error


def _forms(table: Mapping[str, Any]) -> dict[str, str]:
    forms: dict[str, str] = {}
    for name, variants in table.items():
        for variant in variants:
            tag = normal(variant)
            if tag is None or normal(name) != name or tag in table or tag in forms:
                raise ValueError(f"{variant!r} of {name!r} is no tag, stands twice, or is a frequent tag itself")
            forms[tag] = name
    return forms


@cache
def shipped_tags() -> CanonicalTags:
    """The list of this package, read once."""
    return CanonicalTags.load()
