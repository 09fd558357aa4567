"""Which numbers a text holds: figures, and whole numbers in words. Strict, so that no answer is read into a reply.

- Figures: digits with commas in groups of three, a decimal point, a minus sign that stands directly before them and
  after no digit. `$1,200.50`, `20%` and `5km` hold 1200.50, 20 and 5. Digits of other scripts count too.
- Not numbers: figures that a letter precedes (`x3`), ordinals (`2nd`), the parts of fractions, times and dates (`1/2`,
  `3:30`), and figures with commas or points elsewhere (`12,5`, `1.2.3`): what they mean is not guessed.
- Words: whole numbers below a million (`twenty-five`, `two hundred and five`, `a hundred`). `one` alone is no number,
  since it mostly stands for something else ("that one").

numbers("Sure! 16 - 3 - 4 = 9, so she sells nine.")     # [16, 3, 4, 9, 9]
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

_UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SMALL = {word: value for value, word in enumerate(_UNITS)} | {
    word: 10 * value for value, word in enumerate(_TENS, start=2)
}
SCALES = {"hundred": 100, "thousand": 1000}
_WORDS = "|".join(sorted([*SMALL, *SCALES], key=len, reverse=True))
_FIGURES = (
    r"(?<![\w.,])(?<!\d[:/])(?:(?<![\d)]\s)-)?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
    r"(?![.,:/]?\d)(?!(?:st|nd|rd|th)\b)"
)
_SPELT = rf"\b(?:a (?=hundred|thousand))?(?:{_WORDS})(?:(?:[\s-]+|\s+and\s+)(?:{_WORDS}))*\b"
_NUMBER = re.compile(rf"(?P<figures>{_FIGURES})|(?P<spelt>{_SPELT})", re.IGNORECASE)
_MINUS = str.maketrans({"\u2212": "-", "\u2013": "-", "$": " ", "\u20ac": " ", "\u00a3": " "})


def numbers(text: str) -> list[Decimal]:
    """Every number of a text, in order."""
    plain = unicodedata.normalize("NFKC", text).translate(_MINUS)
    found: list[Decimal] = []
    for match in _NUMBER.finditer(plain):
        if match["figures"]:
            found.append(Decimal(match["figures"].replace(",", "")))
        else:
            found += [Decimal(value) for value in spelt(match["spelt"])]
    return found


def spelt(text: str) -> list[int]:
    """The numbers that a run of number words stands for; `two three` are two, `one` alone is none."""
    words = [word for word in re.split(r"[\s-]+", text.casefold()) if word not in ("and", "a")]
    if words == ["one"]:
        return []
    found: list[int] = []
    rest = words
    while rest:
        value, used = _leading(rest)
        found.append(value)
        rest = rest[used:]
    return found


def _leading(words: list[str]) -> tuple[int, int]:
    """(Value of the longest number that the words begin with, words it takes)."""
    total, part, last, used = 0, 0, 1_000_000, 0
    for word in words:
        scale = SCALES.get(word)
        if scale == 1000 and not total:
            total, part, last = (part or 1) * 1000, 0, 1000
        elif scale == 100 and part < 10:
            part, last = (part or 1) * 100, 100
        elif scale is None and _fits(SMALL[word], last):
            part, last = part + SMALL[word], SMALL[word]
        else:
            break
        used += 1
    return (total + part, used) if used else (SCALES[words[0]], 1)


def _fits(value: int, last: int) -> bool:
    """Whether a small number may follow: units after tens, anything after a hundred or a thousand."""
    return last >= 100 or (20 <= last < 100 and 0 < value < 10)


def as_number(text: str) -> Decimal | None:
    """The number that a whole text is; None when it is none, or more."""
    found = numbers(text)
    return found[0] if len(found) == 1 else None
