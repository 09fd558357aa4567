"""The naive reference, part 3: the paper's gates (section 3.1), with NLTK's own sentiment analyzer.

What a question is follows the words of the glossary, written a second time on purpose.

    reason = drop_reason(["How are you?", "Fine."], nltk_compound())
"""

from __future__ import annotations

import importlib
import tempfile
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

from sage_data.gates.lexicon import load_lexicon
from sage_data.reddit.reasons import DialogueReason

MORE_TURNS_THAN, MORE_MEAN_WORDS_THAN, HIGHER_COMPOUND_THAN = 4, 15, 0.4

QUESTION = "?\uff1f\u061f\u2047\u2048\u2049\u203d"
EXCLAMATION = "!\uff01\u203c"
CLOSING_ASCII = "\"'*_~`"
CLOSING_KINDS = ("Pe", "Pf", "Pi", "So", "Sk", "Mn", "Me", "Cf")
"""Unicode categories of closing brackets and quotes, of emoji and of what modifies them."""
EYES, NOSES, MOUTHS = ":;=", "-^'o", "()[]DPpOo3/|*"
LONGEST_EMOTICON = 8

Compound = Callable[[str], float]


def nltk_compound() -> Compound:
    """NLTK's `SentimentIntensityAnalyzer`, made from a lexicon file as its documentation says."""
    data = importlib.import_module("nltk.data")
    vader = importlib.import_module("nltk.sentiment.vader")
    lines = [f"{token}\t{valence!r}" for token, valence in load_lexicon().valences.items()]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sentiment" / "vader_lexicon.txt"
        file.parent.mkdir()
        file.write_text("\n".join(lines), encoding="utf-8")  # NLTK fails on a newline at the end
        data.path.insert(0, folder)
        try:
            analyzer = vader.SentimentIntensityAnalyzer("sentiment/vader_lexicon.txt")
        finally:
            data.path.remove(folder)

    def compound(text: str) -> float:
        score: float = analyzer.polarity_scores(text)["compound"]
        return score

    return compound


def drop_reason(texts: Sequence[str], compound: Compound) -> DialogueReason | None:
    """The first gate that a dialogue fails, cheap gates first; `compound` is asked no more than needed."""
    if not len(texts) > MORE_TURNS_THAN:
        return DialogueReason.TOO_FEW_TURNS
    if not sum(len(text.split()) for text in texts) / len(texts) > MORE_MEAN_WORDS_THAN:
        return DialogueReason.TOO_SHORT_UTTERANCES
    if not any(asks(text) for text in texts):
        return DialogueReason.NO_QUESTION
    if not all(compound(text) > HIGHER_COMPOUND_THAN for text in texts):
        return DialogueReason.LOW_SENTIMENT
    return None


def asks(text: str) -> bool:
    """Ends with a question mark, by the words of the glossary."""
    rest = text
    while rest:
        emoticon = emoticon_at_end(rest)
        if emoticon:
            rest = rest.removesuffix(emoticon)
        elif closes(rest[-1]):
            rest = rest[:-1]
        else:
            break
    marks = rest[len(rest.rstrip(QUESTION + EXCLAMATION)) :]
    return any(mark in QUESTION for mark in marks)


def closes(character: str) -> bool:
    """White space, a closing quote or bracket, a Markdown mark, an emoji or its modifier."""
    if character in QUESTION:
        return False
    return character.isspace() or character in CLOSING_ASCII or unicodedata.category(character) in CLOSING_KINDS


def emoticon_at_end(text: str) -> str:
    """The longest emoticon that ends the text and stands alone, or right behind "?" or "!"; "" for none."""
    for size in range(min(LONGEST_EMOTICON, len(text)), 1, -1):
        before, ending = text[:-size], text[-size:]
        if (not before or before[-1].isspace() or before[-1] in "?!\uff1f\uff01") and is_emoticon(ending):
            return ending
    return ""


def is_emoticon(text: str) -> bool:
    """`:)`, `;-P`, `xD`, `<3`, `^_^` and the like."""
    head, rest = text[0], text[1:]
    if head in EYES:
        return all_in(rest, MOUTHS) or (rest[:1] in NOSES and all_in(rest[1:], MOUTHS))
    if head in "xX":
        return all_in(rest, "D")
    if head == "<":
        return all_in(rest, "3")
    return head == "^" and rest.endswith("^") and rest[:-1].strip("_") == ""


def all_in(text: str, allowed: str) -> bool:
    """Not empty, and made of these characters alone."""
    return text != "" and all(character in allowed for character in text)
