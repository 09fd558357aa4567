"""Turns the lines of a dump into typed comments; a line that cannot be used gets a reason and is never fatal.

The dumps drifted over the years: `created_utc` is a number or a text, `score` is null in places, `edited` is a bool or
a number, `name` comes and goes, `retrieved_on` became `retrieved_utc`. Only the fields below are read, each in all the
types that were published; the rest may be anything.

    for parsed in read_comments(Path("RC_2006-01.zst")): ...
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from sage_data.reddit.dumps import LineBytes, read_lines
from sage_data.reddit.reasons import REQUIRED_FIELDS, LineReason

HEAD_CHARACTERS = 200
"""How much of a quarantined line is kept, so that a person can see what it was."""

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]*)?", re.ASCII)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_LARGEST_TIME = 2**53


class Comment(msgspec.Struct, frozen=True, gc=False):
    """One comment as published, with where it stood."""

    id: str
    """Base-36 id without a `t1_` prefix."""
    author: str
    text: str
    """The body, not yet cleaned."""
    created_utc: int
    """Seconds since 1970-01-01 UTC."""
    thread: str
    """`link_id`: the submission, for example "t3_15xh"."""
    parent_id: str
    """A comment ("t1_...") or the submission ("t3_...")."""
    subreddit: str
    score: float | None
    """Up minus down votes; None where the dump has none."""
    file: str
    """Name of the dump file."""
    line: int
    """Line number in it, from 1."""


class BadLine(msgspec.Struct, frozen=True, gc=False):
    """A line that was set aside."""

    file: str
    line: int
    reason: LineReason
    head: str
    """The first `HEAD_CHARACTERS` characters, undecodable bytes replaced; empty for a line over the size limit."""


class BlankLine(msgspec.Struct, frozen=True, gc=False):
    """A line of nothing but JSON whitespace: no fault, only counted."""


Parsed = Comment | BadLine | BlankLine
_BLANK = BlankLine()


class _Fields(msgspec.Struct, gc=False):
    """What is read from a line, in every type that was published."""

    id: str
    author: str
    body: str
    created_utc: int | float | str
    link_id: str
    parent_id: str
    subreddit: str
    score: int | float | None = None


_DECODER = msgspec.json.Decoder(_Fields)


class _UnusableLineError(Exception):
    """Carries the reason out of the parsing steps."""

    def __init__(self, reason: LineReason) -> None:
        super().__init__(reason)
        self.reason = reason


def read_comments(path: Path) -> Iterator[Parsed]:
    """Every line of one dump, in order.

    Raises:
        InputError: the file cannot be opened or its format is unknown.
        DamagedFileError: the file is empty, cut short or corrupt.
    """
    for number, line in read_lines(path):
        yield parse_line(line, path.name, number)


def parse_line(line: LineBytes, file: str, number: int) -> Parsed:
    """Parse one line, given without its newline; None is a line over the size limit."""
    if line is None:
        return BadLine(file, number, LineReason.TOO_LONG_LINE, "")
    if not line.strip(b" \t\r"):
        return _BLANK
    try:
        fields = _fields(line)
        return Comment(
            id=fields.id,
            author=fields.author,
            text=fields.body,
            created_utc=_seconds(fields.created_utc),
            thread=fields.link_id,
            parent_id=fields.parent_id,
            subreddit=fields.subreddit,
            score=fields.score,
            file=file,
            line=number,
        )
    except _UnusableLineError as unusable:
        head = line[: 4 * HEAD_CHARACTERS].decode("utf-8", "replace")[:HEAD_CHARACTERS]
        return BadLine(file, number, unusable.reason, head)


def _fields(line: bytes) -> _Fields:
    try:
        if not line.isascii():
            # msgspec does not look inside the fields it skips.
            line.decode("utf-8")
        return _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _fields_slowly(line)


def _fields_slowly(line: bytes) -> _Fields:
    """Read a line the fast decoder refused, with the first true reason, or repaired.

    An escaped half of a surrogate pair is good JSON but no character; it becomes U+FFFD.
    """
    try:
        value: Any = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise _UnusableLineError(LineReason.BAD_JSON) from None
    if not isinstance(value, dict):
        raise _UnusableLineError(LineReason.BAD_JSON)
    if any(value.get(name) is None for name in REQUIRED_FIELDS):
        raise _UnusableLineError(LineReason.MISSING_FIELD)
    named = {name: _repaired(value.get(name)) for name in _Fields.__struct_fields__}
    try:
        return msgspec.convert(named, _Fields)
    except msgspec.ValidationError:
        raise _UnusableLineError(LineReason.BAD_TYPE) from None


def _repaired(value: Any) -> Any:
    return _LONE_SURROGATE.sub("\ufffd", value) if isinstance(value, str) else value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _seconds(value: float | str) -> int:
    """Whole seconds from any type `created_utc` ever had; fractions are cut off."""
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value.strip()):
            raise _UnusableLineError(LineReason.BAD_TYPE)
        value = int(value.strip().partition(".")[0])
    if not math.isfinite(value) or abs(value) > _LARGEST_TIME:
        raise _UnusableLineError(LineReason.BAD_TYPE)
    return int(value)
