"""What a rewritten text and a bridging question must be like (paper Appendix B).

A question may be added to an utterance of the assistant that does not end with one, when the user speaks next. It is
one question of at most `MOST_WORDS` words and ends in a question mark.

    check_text("gonna miss her", "I'm going to miss her.", 0.5)    # None: nothing is wrong
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Self

from sage_data.annotation.annotator import FailureKind
from sage_data.annotation.llm.closeness import similarity
from sage_data.annotation.llm.facts import changed_fact
from sage_data.dialogue import Utterance
from sage_data.gates.measures import QUESTION_MARKS, ends_with_question
from sage_data.sac import parse_lenient

MOST_WORDS, MOST_CHARACTERS = 40, 240
_SHOWN = 80
_LAYOUT = "\n\t"
_STOP = re.compile(r"(?P<word>[^\s.]*)(?:[.!\u2026]+[\"')\]]*\s|[\u3002\uff01])")
_ABBREVIATIONS = frozenset({"mr", "mrs", "ms", "dr", "st", "vs", "etc", "prof", "no", "jr", "sr"})

Problem = tuple[FailureKind, str]


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One utterance as it was and as it is now."""

    index: int
    """Of the utterance in its dialogue, from 0."""
    original: str
    rewritten: str
    """Without the question."""
    bridge: str | None
    """The question that was added."""
    similarity: float
    """Of original and rewritten."""

    @classmethod
    def of(cls, index: int, original: str, rewritten: str, bridge: str | None) -> Self:
        """Compare the two texts; six decimals are kept."""
        return cls(index, original, rewritten, bridge, round(similarity(original, rewritten), 6))

    @property
    def full(self) -> str:
        """The utterance's new text."""
        return self.rewritten if self.bridge is None else f"{self.rewritten.rstrip()} {self.bridge}".lstrip()


def check_text(original: str, text: str, min_similarity: float) -> Problem | None:
    """What is wrong with a rewritten text, or None."""
    if text == original:
        return None
    if not text.strip():
        return FailureKind.EMPTY_TEXT, f"expected text for {shown(original)}, found none"
    if strange := sorted({one for one in text if _strange(one)} - set(original)):
        named = " ".join(f"U+{ord(one):04X}" for one in strange)
        return FailureKind.BAD_TEXT, f"expected text, found the control characters {named[:100]}"
    if _has_tag(text) and not _has_tag(original):
        return FailureKind.BAD_TEXT, f"expected text without tags, found {shown(text)}"
    close = similarity(original, text)
    if close < min_similarity:
        bound = f"expected a text at least {min_similarity:g} similar to {shown(original)}"
        return FailureKind.TEXT_DRIFTED, f"{bound}, found {close:.2f}: {shown(text)}"
    if (changed := changed_fact(original, text)) is not None:
        return FailureKind.FACT_CHANGED, f"{changed}: expected what {shown(original)} says, found {shown(text)}"
    return None


def check_bridge(
    utterance: Utterance, text: str, bridge: str | None, follower: Utterance | None, *, allowed: bool
) -> Problem | None:
    """What is wrong with an added question, or None; `follower` is the next utterance."""
    if bridge is None:
        return None
    if (barred := _barred(utterance, text, follower, allowed=allowed)) is not None:
        return FailureKind.BRIDGE_NOT_ALLOWED, f"expected no added question {barred}, found {shown(bridge)}"
    if (wrong := _not_a_question(bridge)) is not None:
        return FailureKind.BRIDGE_NOT_QUESTION, f"expected one short question, found {wrong}: {shown(bridge)}"
    return None


def _barred(utterance: Utterance, text: str, follower: Utterance | None, *, allowed: bool) -> str | None:
    if not allowed:
        return "as none was asked for"
    if utterance.role != "assistant":
        return "to an utterance of the user"
    if follower is None or follower.role != "user":
        return "where no utterance of the user comes next"
    if ends_with_question(text) or ends_with_question(utterance.text):
        return "as the text ends with one"
    return None


def _not_a_question(bridge: str) -> str | None:
    if bridge[-1] not in QUESTION_MARKS:
        return "no question mark at its end"
    if any(_strange(one) or one == "\n" for one in bridge):
        return "control characters"
    if len(bridge.split()) > MOST_WORDS or len(bridge) > MOST_CHARACTERS:
        return f"more than {MOST_WORDS} words or {MOST_CHARACTERS} characters"
    if _several_sentences(bridge):
        return "more than one sentence"
    return "tags" if _has_tag(bridge) else None


def _several_sentences(text: str) -> bool:
    """True where something ends before the end; the point of an abbreviation or initial ends nothing."""
    if any(one in QUESTION_MARKS for one in text[:-1].rstrip("?!")):
        return True
    before = [match["word"].lower() for match in _STOP.finditer(text)]
    return any(len(word) > 1 and word not in _ABBREVIATIONS for word in before)


def _strange(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs") and character not in _LAYOUT


def _has_tag(text: str) -> bool:
    chain = parse_lenient(text).chain
    return chain.state is not None or chain.action is not None


def shown(text: str) -> str:
    """The beginning of a text, quoted, for messages."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
