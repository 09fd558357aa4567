"""What a rewritten utterance must keep whatever its wording: numbers, negations, names, and which way it goes.

- A number may not vanish, nor appear. Digits and number words are one ("9", "nine"), so are "20k" and "20,000"; "2" may
  become "to" or "too" and "4" "for", as chat writes them; digits inside words ("b4", "2nite") are no numbers.
- A negation may neither vanish nor appear: an utterance that denies nothing must not begin to, and the reverse. Words
  that may stand for one ("unable", "idk", "hardly", "unhappy") are taken as either.
- A word may not become its opposite ("love", "hate"), nor who is spoken of another ("my", "your"): see `opposites`.
- A question may not become an answer: where the original has a question mark, the rewritten text has one.
- A name may not vanish. Names are taken to be capitalised words that open no sentence; a mended spelling
  ("Micheal", "Michael") is the same name. A text mostly in capitals tells no names.

Rules for English, and blind to much of it: they catch slips of a model, they prove nothing.

    changed_fact("We met 9 years ago.", "We met years ago.")    # the number 9 is gone
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from difflib import SequenceMatcher
from typing import Any

from sage_data.annotation.llm.closeness import WORDS_FILE, in_full, spellings, without_addresses
from sage_data.annotation.llm.opposites import turned_around
from sage_data.gates.measures import QUESTION_MARKS

_RAW: dict[str, Any] = tomllib.loads(WORDS_FILE.read_text(encoding="utf-8"))
_NUMBERS, _DENIALS = _RAW["numbers"], _RAW["denials"]
TENS: dict[str, int] = {word: 10 * tens for tens, word in enumerate(_NUMBERS["tens"]) if tens > 1}
CARDINALS: dict[str, int] = {word: value for value, word in enumerate(_NUMBERS["units"])} | TENS
VALUES: dict[str, int] = CARDINALS | {word: value for value, word in enumerate(_NUMBERS["ordinals"])}
VALUES |= _NUMBERS["others"]
SCALES: dict[str, int] = _NUMBERS["scales"]
SOUNDS: dict[str, list[str]] = _NUMBERS["sounds"]
SUFFIXES = frozenset(_NUMBERS["suffixes"])
HARDLY_NUMBERS = frozenset({"0", "1"})
"""Too often no numbers: "no one", "this one"."""
DENIALS, PERHAPS_DENIALS = frozenset(_DENIALS["sure"]), frozenset(_DENIALS["perhaps"])
_UN = re.compile(r"un(?!der|til|cle|iq|ion|it|iv)\w{3,}|\w{3,}less")
CHAT_WORDS = frozenset(_RAW["names"]["never"])
SHOUTING, SAME_NAME = 0.5, 0.7
"""Share of capitalised words beyond which they tell nothing; likeness from which two spellings are one name."""

_WORD = re.compile(r"\d+(?:[.,]\d+)*[^\W\d_]*|[^\W\d_][^\W_]*(?:'[^\W_]+)*")
_NUMBER = re.compile(r"(\d+(?:[.,]\d+)*)([^\W\d_]*)")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")
_NAME = re.compile(r"(?:(?<=[^\W_] )|(?<=, ))[^\W\d_][^\W_]*(?:['-][^\W_]+)*")


def changed_fact(original: str, rewritten: str) -> str | None:
    """What a rewriting lost or made up, in words; None when nothing was found."""
    one, other = without_addresses(original), without_addresses(rewritten)
    if one == other:
        return None
    for check in _CHECKS:
        if (found := check(one, other)) is not None:
            return found
    return None


# --- numbers ------------------------------------------------------------------------------------------------------


def _numbers(one: str, other: str) -> str | None:
    there, here = _words(one), _words(other)
    for number in sorted((_digits(there) | _spoken(there, CARDINALS)) - HARDLY_NUMBERS):
        if number not in _digits(here) | _spoken(here, VALUES) and not _sounds(number, here):
            return f"the number {number} is gone"
    for number in sorted(_digits(here)):
        if number not in _digits(there) | _spoken(there, VALUES):
            return f"the number {number} was not there before"
    return None


def _sounds(number: str, words: Iterable[str]) -> bool:
    return any(sound in words for sound in SOUNDS.get(number, ()))


def _digits(words: list[str]) -> set[str]:
    """Numbers written in digits, without leading zeros; those of a time or a decimal one by one, and no "00"."""
    found: set[str] = set()
    for word, after in _pairs(words):
        match = _NUMBER.fullmatch(word)
        if match is None or (match[2] and match[2] not in SUFFIXES):
            continue
        scale = SCALES.get(match[2], SCALES.get(after, 1))
        written = match[1].replace(",", "") if _THOUSANDS.fullmatch(match[1]) else match[1]
        found |= {_scaled(part, scale) for part in re.split("[.,]", written) if part != "00"}
    return found


def _scaled(digits: str, scale: int) -> str:
    shown = digits.lstrip("0") or "0"
    # Longer ones are no amounts, and Python refuses to turn very long ones into numbers.
    return str(int(shown) * scale) if len(shown) < 13 else shown


def _spoken(words: list[str], values: dict[str, int]) -> set[str]:
    """Numbers that words stand for: "twenty five" gives 25, "two hundred" gives 2 and 200."""
    found: set[int] = set()
    before = ""
    for word, after in _pairs(words):
        value = values.get(word, -1)
        if before in TENS and 0 < value < 10:
            found |= {values[before] + value}
        elif value >= 0 and not (word in TENS and 0 < values.get(after, 0) < 10):
            found |= {value, value * SCALES.get(after, 1)}
        before = word
    return {str(value) for value in found}


def _pairs(words: list[str]) -> Iterator[tuple[str, str]]:
    """Each word with the one behind it, the last with an empty one."""
    return zip(words, [*words[1:], ""], strict=False)


# --- negations ----------------------------------------------------------------------------------------------------


def _negations(one: str, other: str) -> str | None:
    there, here = _words(one), _words(other)
    if _denies(there) and not (_denies(here) or _may_deny(here)):
        return "the negation is gone"
    if _denies(here) and not (_denies(there) or _may_deny(there)):
        return "the negation was not there before"
    return None


def _denies(words: Iterable[str]) -> bool:
    return any(word.replace("'", "") in DENIALS or word.endswith("n't") for word in words)


def _may_deny(words: Iterable[str]) -> bool:
    return any(word in PERHAPS_DENIALS or _UN.fullmatch(word) for word in words)


# --- opposites and questions ---------------------------------------------------------------------------------------


def _opposites(one: str, other: str) -> str | None:
    if _denies(_words(one)) != _denies(_words(other)):
        return None
    turned = turned_around(in_full(one), in_full(other))
    return None if turned is None else f"{turned[0]!r} is gone and {turned[1]!r} was not there before"


def _questions(one: str, other: str) -> str | None:
    asks = [any(mark in text for mark in QUESTION_MARKS) for text in (one, other)]
    return "the question is gone" if asks == [True, False] else None


# --- names --------------------------------------------------------------------------------------------------------


def _names(one: str, other: str) -> str | None:
    if _shouts(one):
        return None
    here = {_bare(word) for word in _words(other)}
    for name in _named(one):
        parts = [_bare(part) for part in _words(name)]
        if not all(any(_same(part, word) for word in here) for part in parts):
            return f"the name {name} is gone"
    return None


def _named(text: str) -> Iterator[str]:
    for match in _NAME.finditer(text):
        word = match[0]
        plain = word.lower().replace("'", "")
        if word[0].isupper() and not word.startswith("I'") and plain not in spellings() and plain not in CHAT_WORDS:
            yield word


def _shouts(text: str) -> bool:
    words = [word for word in text.split() if word[0].isalpha()]
    return sum(word[0].isupper() for word in words) > SHOUTING * len(words) and len(words) > 2


def _bare(word: str) -> str:
    return word.removesuffix("'s").removesuffix("'")


def _same(name: str, word: str) -> bool:
    if name == word or (len(name) > 2 and (word.startswith(name) or (name.startswith(word) and len(word) > 2))):
        return True
    return SequenceMatcher(None, name, word, autojunk=False).ratio() >= SAME_NAME


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("w/o", "without"))


_CHECKS: tuple[Callable[[str, str], str | None], ...] = (
    _numbers,
    _negations,
    _opposites,
    _questions,
    _names,
)
