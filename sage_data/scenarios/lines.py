"""The CSV of EmpatheticDialogues, line by line, as its authors wrote it.

Text holds `_comma_` for a comma and unbalanced quotes, which a quote-aware CSV reader would join into one field over
many lines, losing 1,689 of the 19,533 training conversations. So a line is cut at its commas: 8 fields, or 9 in the
held-out files (candidate replies last).

    for row in read_rows(path.open("rb"), "train.csv"): ...
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from sage_data.dialogue import Scenario, Split
from sage_data.errors import DamagedFileError, InputError

FIELDS = ("conv_id", "utterance_idx", "context", "prompt", "speaker_idx", "utterance", "selfeval", "tags")


class LineReason(StrEnum):
    """Why a line was quarantined."""

    NOT_UTF8 = "not_utf8"
    FIELD_COUNT = "field_count"
    NO_ID = "no_id"
    NO_SITUATION = "no_situation"
    CONTRADICTION = "contradiction"
    """Its situation or emotion differs from that of the conversation's first line."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """One quarantined line."""

    file: str
    line: int
    """Counted from 1, the header being line 1; of a table, the row, or the dialogue."""
    reason: LineReason
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One utterance of a conversation, commas back in its texts, white space around them off."""

    line: int
    conversation: str
    number: str
    """Number of the utterance in its conversation, from 1."""
    emotion: str
    situation: str
    speaker: str
    """Who spoke: a worker's number, not a seat."""
    utterance: str
    raw: str
    """The line as it stands in the file."""


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """What one split holds."""

    scenarios: tuple[Scenario, ...]
    """One a conversation, in order of first appearance."""
    lines: int
    """Lines read, without the header and blank lines."""
    bad: tuple[BadLine, ...]


def read_rows(stream: Iterable[bytes], file: str) -> Iterator[Row | BadLine]:
    """The lines of one file of the corpus, without header and blank lines.

    Raises:
        InputError: the first line is not the corpus' header.
        DamagedFileError: the file is cut short or corrupt.
    """
    numbered = _numbered(stream, file)
    _check_header(next(numbered, (1, b""))[1], file)
    for number, raw in numbered:
        if raw:
            yield _read_line(raw, number, file)


def _numbered(stream: Iterable[bytes], file: str) -> Iterator[tuple[int, bytes]]:
    number = 0
    try:
        for raw in stream:
            number += 1
            yield number, raw.rstrip(b"\r\n")
    except (EOFError, OSError, zlib.error) as error:
        raise DamagedFileError(
            f"{file}: cut short or corrupt after line {number}: {error}", next_step="fetch the file again"
        ) from error


def _check_header(raw: bytes, file: str) -> None:
    names = raw.decode("utf-8", "replace").removeprefix("\ufeff").split(",")
    if tuple(names[: len(FIELDS)]) != FIELDS:
        raise InputError(f"{file}, line 1: expected the header {','.join(FIELDS)}, found {','.join(names)[:120]!r}")


def _read_line(raw: bytes, number: int, file: str) -> Row | BadLine:
    try:
        line = raw.decode("utf-8")
    except UnicodeDecodeError:
        return BadLine(file, number, LineReason.NOT_UTF8, raw.decode("utf-8", "backslashreplace"))
    fields = line.split(",")
    if len(fields) not in (len(FIELDS), len(FIELDS) + 1):
        return BadLine(file, number, LineReason.FIELD_COUNT, line)
    conversation, index, emotion, situation, speaker, utterance = (clean(field) for field in fields[:6])
    if not conversation:
        return BadLine(file, number, LineReason.NO_ID, line)
    return Row(number, conversation, index, emotion, situation, speaker, utterance, line)


def clean(field: str) -> str:
    """A field's text with its commas back and no white space around it."""
    return field.replace("_comma_", ",").strip()


def scenarios_of(rows: Iterable[Row | BadLine], file: str, split: Split) -> ScenarioFile:
    """One scenario a conversation, from all its lines."""
    scenarios: dict[str, Scenario] = {}
    bad: list[BadLine] = []
    lines = 0
    for row in rows:
        lines += 1
        if isinstance(row, BadLine):
            bad.append(row)
        elif (reason := _add(row, split, scenarios)) is not None:
            bad.append(BadLine(file, row.line, reason, row.raw))
    return ScenarioFile(tuple(scenarios.values()), lines, tuple(bad))


def _add(row: Row, split: Split, scenarios: dict[str, Scenario]) -> LineReason | None:
    """Add the line's conversation to `scenarios` unless it is known; returns why the line cannot be used."""
    if not row.situation:
        return LineReason.NO_SITUATION
    scenario = Scenario(row.conversation, row.situation, row.emotion or None, split)
    return None if scenarios.setdefault(row.conversation, scenario) == scenario else LineReason.CONTRADICTION
