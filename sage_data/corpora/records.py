"""What every reader of a corpus gives: dialogues as their file holds them, or reasons why a record is none.

A reader is a plain function from one file to `Item`s, in the file's order; it knows nothing of ids, shards or counts.

    for item in sage_data.corpora.esconv.read_json(file): ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from sage_data.dialogue import Utterance

HEAD_CHARACTERS = 2_000
"""Most characters of a rejected record that are kept."""
Unit = Literal["dialogues", "lines"]


class Reason(StrEnum):
    """Why a record was rejected."""

    NOT_UTF8 = "not_utf8"
    NOT_UNICODE = "not_unicode"
    """A text holds half of a surrogate pair, which no UTF-8 file can hold."""
    NOT_JSON = "not_json"
    LINE_TOO_LONG = "line_too_long"
    NOT_A_RECORD = "not_a_record"
    """It is well-formed, and not what the format has there."""
    NO_MESSAGES = "no_messages"
    UNKNOWN_ROLE = "unknown_role"
    TOOL_MESSAGE = "tool_message"
    SYSTEM_PROMPT = "system_prompt"
    """Rejected only where that was asked for."""
    NOT_TEXT = "not_text"
    """A message holds an image, a number or nothing where its text belongs."""
    EMPTY_MESSAGE = "empty_message"
    FIELD_COUNT = "field_count"
    NO_ID = "no_id"
    CONTRADICTION = "contradiction"
    """A line says otherwise about its conversation than the lines before it."""


class Drop(StrEnum):
    """What is left out of a dialogue that is kept."""

    SYSTEM_PROMPT = "system_prompt"
    SILENCE = "silence"
    """A mark that stands for a speaker who said nothing."""
    PERSONA = "persona"
    """A line that describes a speaker."""


DROPPED_LINES = frozenset({Drop.PERSONA})
"""What counts as lines; the others are messages."""


class Note(StrEnum):
    """What is odd about a dialogue that is kept."""

    TURNS_MISSING = "turns_missing"
    """Its file lacks some of its turns, as their numbers show."""
    LABELS_UNMATCHED = "labels_unmatched"
    """There are not as many labels as turns, so it was read without labels."""
    SPEAKERS_UNCLEAR = "speakers_unclear"
    """Who speaks contradicts the corpus' own order of turns, which was followed."""
    NO_EXCHANGE = "no_exchange"
    """Only one side speaks."""


NOTES = {
    Note.TURNS_MISSING: "lack turns that their file does not hold",
    Note.LABELS_UNMATCHED: "have not as many labels as turns, and were read without labels",
    Note.SPEAKERS_UNCLEAR: "name their speakers otherwise than the order of turns, which was followed",
    Note.NO_EXCHANGE: "hold no exchange: only one side speaks",
}


@dataclass(frozen=True, slots=True)
class Found:
    """One dialogue as its file holds it."""

    utterances: tuple[Utterance, ...]
    line: int
    """Line (or record) of the file it begins at, counted from 1."""
    key: str | None = None
    """Its id in the corpus; None where the corpus has none."""
    place: str | None = None
    """Its part of the corpus, where there are any."""
    model: str | None = None
    """Who spoke as the assistant, where the file says so and it was a model."""
    situation: str | None = None
    """What its speaker was asked to describe, where the corpus has such a text."""
    emotion: str | None = None
    """The label that the author of the situation gave it."""
    lines: int = 0
    """Lines it was put together from; 0 where a dialogue is one record."""
    dropped: Mapping[Drop, int] = field(default_factory=dict)
    """What was left out of it."""
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record, or a line of one, that cannot be used."""

    line: int
    """Line (or record) of the file, counted from 1."""
    reason: Reason
    text: str
    """How it begins."""
    detail: str = ""
    """What was expected and found."""
    unit: Unit = "dialogues"
    """What was lost: a dialogue, or a line of one."""


Item: TypeAlias = Found | Rejected
Items: TypeAlias = Iterator[Item]


def head(raw: bytes | str) -> str:
    """The beginning of a record as text that any file can hold."""
    if isinstance(raw, str):
        return raw[:HEAD_CHARACTERS].encode("utf-8", "backslashreplace").decode()
    return raw[:HEAD_CHARACTERS].decode("utf-8", "backslashreplace")
