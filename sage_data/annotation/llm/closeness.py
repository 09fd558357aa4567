"""How close a rewritten utterance must stay to the original.

The measure is the Dice coefficient of character trigrams: of the trigrams of both texts together, the share that the
two have in common. Case, punctuation, white space, HTML entities and web addresses count for nothing, and chat
spellings and contractions are first written out on both sides (`words.toml`). `SLACK` trigrams are taken as common
beforehand, so that a word or two may change in a short text, while an answer, a summary or an invented sentence cannot
pass. The stage's bound is `min_similarity`, 0.5 by default:

    0.93    gonna miss her tbh                  I'm going to miss her, to be honest.
    0.86    u ok?                               Are you okay?
    0.66    long walks then pancakes            We went for long walks, and then we had pancakes.
    0.44    Same here                           I feel the same way.
    0.38    Hello                               Hello there! How are you doing today?
    0.16    weve lived apart for 9 years        They were neighbours.
    0.12    my cat died last night              I am so sorry to hear about your loss.

Measured on the utterances of EmpatheticDialogues (valid): 6,000 with contractions and chat spellings written out and
punctuation mended by rule all pass, `facts` included; of 5,000 pairs of unrelated utterances 6 do.

It does not see meaning: of a long sentence, one exchanged word passes. Numbers, names and negations are looked at apart
(`facts`).

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
SLACK = 8
_ADDRESS = re.compile(r"(?:https?://|\bwww\.)\S+", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")


def similarity(original: str, rewritten: str) -> float:
    """From 0 (nothing in common) to 1 (the same words), about linear in the shared part."""
    if original == rewritten:
        return 1.0
    one, other = _trigrams(original), _trigrams(rewritten)
    size = one.total() + other.total()
    return (2 * (one & other).total() + SLACK) / (size + SLACK)


def without_addresses(text: str) -> str:
    """A text in NFKC with HTML entities decoded, apostrophes straight and web addresses taken out."""
    straight = unicodedata.normalize("NFKC", html.unescape(text)).replace("\u2019", "'")
    return _ADDRESS.sub(" ", straight)


@cache
def spellings() -> Mapping[str, str]:
    """Chat spelling or contraction without apostrophe -> the words in full."""
    raw = tomllib.loads(WORDS_FILE.read_text(encoding="utf-8"))
    return {str(short): str(full) for short, full in raw["written_out"].items()}


def _trigrams(text: str) -> Counter[str]:
    folded = without_addresses(text).replace("'", "").casefold()
    known = spellings()
    padded = f" {' '.join(known.get(word, word) for word in _WORD.findall(folded))} "
    return Counter(padded[start : start + LENGTH] for start in range(len(padded) - LENGTH + 1))
