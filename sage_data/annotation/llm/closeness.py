"""How close a rewritten utterance must stay to the original.

The measure is the Dice coefficient of character trigrams: of the trigrams of both texts together, the share that the
two have in common. Case, punctuation, white space, HTML entities and web addresses count for nothing, and chat
spellings and contractions are first written out on both sides (`words.toml`). Where anything is in common, some more
is taken to be: an eighth of both texts' trigrams, `SLACK` at most. A text without words is close to none that has some.
The stage's bound is `min_similarity`, 0.5 by default:

    0.93    gonna miss her tbh                  I'm going to miss her, to be honest.
    0.82    u ok?                               Are you okay?
    0.66    long walks then pancakes            We went for long walks, and then we had pancakes.
    0.37    Same here                           I feel the same way.
    0.33    Hello                               Hello there! How are you doing today?
    0.18    weve lived apart for 9 years        They were neighbours.
    0.00    my cat died last night              I am so sorry to hear about your loss.

It does not see meaning: one exchanged word passes, and so does an answer in the words of what it answers. Numbers,
names, negations, opposites and questions are looked at apart (`facts`). With those, measured on the utterances of
EmpatheticDialogues (valid; "short" is up to four words). Refused although nothing but the form changed:

- chat spellings, contractions and punctuation mended by rule: 0 of 6,000, short ones 0 of 397
- one planted typing error in about eight words mended: 54 of 6,000, mostly in negations ("neevr"), short ones 2 of 398

Passed although it is something else:

- another utterance at random: 2 of 5,000; a short one for a short one: 30 of 4,992
- the next speaker's reply: 15 of 9,308, mostly "It was so fun!" -> "What was so fun?"; to short ones 8 of 459
- one word of feeling exchanged for one of the opposite feeling, both from the VADER lexicon: 5,815 of 8,123; the list
  of opposites holds frequent words alone

    similarity("gonna miss her tbh", "I'm going to miss her, to be honest.")
"""

from __future__ import annotations

import html
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path

WORDS_FILE = Path(__file__).parent / "words.toml"
LENGTH = 3
SLACK, SLACK_SHARE = 8.0, 1 / 8
_ADDRESS = re.compile(r"(?:https?://|\bwww\.)\S+", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")


def similarity(original: str, rewritten: str) -> float:
    """From 0 (nothing in common) to 1 (the same words), about linear in the shared part."""
    if original == rewritten:
        return 1.0
    one, other = in_full(original), in_full(rewritten)
    if not (one and other):
        return float(one == other and _symbols(original) == _symbols(rewritten))
    first, second = _trigrams(one), _trigrams(other)
    size, common = first.total() + second.total(), (first & second).total()
    slack = min(SLACK, size * SLACK_SHARE) if common else 0.0
    return (2 * common + slack) / (size + slack)


def in_full(text: str) -> list[str]:
    """The words of a text without case and apostrophes, chat spellings and contractions written out."""
    folded = without_addresses(text).replace("'", "").casefold()
    known = spellings()
    return [full for word in _WORD.findall(folded) for full in known.get(word, word).split()]


def without_addresses(text: str) -> str:
    """A text in NFKC with HTML entities decoded, apostrophes straight and web addresses taken out."""
    straight = unicodedata.normalize("NFKC", html.unescape(text)).replace("\u2019", "'")
    return _ADDRESS.sub(" ", straight)


@cache
def spellings() -> Mapping[str, str]:
    """Chat spelling or contraction without apostrophe -> the words in full."""
    raw = tomllib.loads(WORDS_FILE.read_text(encoding="utf-8"))
    return {str(short): str(full) for short, full in raw["written_out"].items()}


def _trigrams(words: list[str]) -> Counter[str]:
    padded = f" {' '.join(words)} "
    return Counter(padded[start : start + LENGTH] for start in range(len(padded) - LENGTH + 1))


def _symbols(text: str) -> str:
    """What a text without words holds besides punctuation and space: emoji, mostly."""
    return "".join(one for one in without_addresses(text) if unicodedata.category(one)[0] not in "PZC")
