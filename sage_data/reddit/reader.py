"""Turns the lines of a dump into columns; a line that cannot be used gets a reason and is never fatal.

The dumps drifted over the years: `created_utc` is a number or a text, `score` is null in places, `edited` is a bool or
a number, `name` comes and goes, `retrieved_on` became `retrieved_utc`. Only the fields below are read, each in all the
types that were published; the rest may be anything. `read_line` is the definition; half a megabyte of good lines is
read in one step, and line by line when there is any doubt.

    parsed = Parsed(reader_of(Kind.COMMENTS))
    for run in read_runs(dump): parsed.add(run)
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NoReturn

import msgspec
import numpy as np

from sage_data.reddit.dumps import LineBytes
from sage_data.reddit.reasons import LineReason

HEAD_CHARACTERS = 200
"""How much of a quarantined line is kept, so that a person can see what it was."""
LARGEST_TIME = 2**53
MOST_DIGITS = 400
SUBMISSION = "t3_"
"""Prefix of a submission's full name; a comment's is `t1_`."""

_LF, _CR, _OPEN, _CLOSE = b"\n\r{}"
_FRACTION = re.compile(r"(-?[0-9]+)\.[0-9]*", re.ASCII)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Comment(msgspec.Struct, gc=False):
    """What is read from a line, in every type that was published; the text of a number counts as the number."""

    id: str
    """Base-36 id without a `t1_` prefix; a submission's with its `t3_`."""
    author: str
    """Empty: unknown, and so nobody's equal (only when `missing_authors` allows it)."""
    body: str
    """Not yet cleaned; a submission's title."""
    created_utc: int
    """Seconds since 1970-01-01 UTC."""
    link_id: str
    """The submission, for example "t3_15xh"."""
    parent_id: str
    """A comment ("t1_...") or the submission ("t3_..."); a submission itself has none ("")."""
    subreddit: str
    score: float | None = None
    """Up minus down votes; None where the dump has none."""


class _AnyAuthor(msgspec.Struct, gc=False):
    """A comment whose author may be unknown."""

    id: str
    body: str
    created_utc: int
    link_id: str
    parent_id: str
    subreddit: str
    author: str | None = None
    score: float | None = None


class _Title(msgspec.Struct, gc=False):
    """A submission."""

    id: str
    title: str
    created_utc: int
    subreddit: str
    author: str | None = None
    score: float | None = None


class Kind(StrEnum):
    """What the lines of a dump are."""

    COMMENTS = "comments"
    SUBMISSIONS = "submissions"


@dataclass(frozen=True, slots=True)
class LineReader:
    """How lines of one kind are read."""

    shape: type[msgspec.Struct]
    decoder: msgspec.json.Decoder[Any]
    required: tuple[str, ...]
    """Fields without which a line cannot be used; null counts as missing, and so does an empty id or author."""


def reader_of(kind: Kind, *, missing_authors: bool = False) -> LineReader:
    """The reader for one kind of dump; with `missing_authors`, a line may lack its author."""
    shape: type[msgspec.Struct] = _Title if kind is Kind.SUBMISSIONS else _AnyAuthor if missing_authors else Comment
    optional = {"score", "author"} if missing_authors else {"score"}
    required = tuple(name for name in shape.__struct_fields__ if name not in optional)
    return LineReader(shape, msgspec.json.Decoder(shape, strict=False), required)


class BadLine(msgspec.Struct, frozen=True, gc=False):
    """A line that was set aside."""

    line: int
    """Line number in its dump, from 1."""
    reason: LineReason
    head: str
    """The first `HEAD_CHARACTERS` characters, undecodable bytes replaced; empty for a line over the size limit."""


class UnusableLineError(Exception):
    """Carries the reason out of the parsing steps."""

    def __init__(self, reason: LineReason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Rows:
    """Comments as columns; all lists have the same length. The fields are those of `Comment`."""

    ids: list[str] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    threads: list[str] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    scores: list[float | None] = field(default_factory=list)
    lines: list[range] = field(default_factory=list)
    """Line numbers of the comments in their dump, from 1, in runs."""

    def __len__(self) -> int:
        """How many comments there are."""
        return len(self.ids)

    @classmethod
    def of(cls, comments: Sequence[Comment], first: int, reader: LineReader) -> Rows:
        """Comments of lines in a row as columns, if each has an id, an author where one is needed, and a possible time.

        Raises:
            UnusableLineError: one of them has not.
        """
        rows = cls(
            ids=[one.id for one in comments],
            authors=[one.author for one in comments],
            bodies=[one.body for one in comments],
            times=[one.created_utc for one in comments],
            threads=[one.link_id for one in comments],
            parents=[one.parent_id for one in comments],
            places=[one.subreddit for one in comments],
            scores=[one.score for one in comments],
            lines=[range(first, first + len(comments))],
        )
        rows._check(reader)
        return rows

    def _check(self, reader: LineReader) -> None:
        if "" in self.ids or ("" in self.authors and "author" in reader.required):
            raise UnusableLineError(LineReason.MISSING_FIELD)
        if self.times and not -LARGEST_TIME <= min(self.times) <= max(self.times) <= LARGEST_TIME:
            raise UnusableLineError(LineReason.BAD_TYPE)

    def comment(self, row: int) -> Comment:
        """One row."""
        return Comment(
            self.ids[row],
            self.authors[row],
            self.bodies[row],
            self.times[row],
            self.threads[row],
            self.parents[row],
            self.places[row],
            self.scores[row],
        )

    def numbers(self) -> np.ndarray:
        """Line number of each comment (rows,), int64."""
        runs = [np.arange(lines.start, lines.stop) for lines in self.lines]
        return np.concatenate(runs) if runs else np.zeros(0, dtype=np.int64)

    def extend(self, more: Rows) -> None:
        """Add the rows of `more` at the end."""
        for name in self.__dataclass_fields__:
            getattr(self, name).extend(getattr(more, name))


@dataclass(slots=True)
class Parsed:
    """What became of some lines in a row: lines = rows + bad + blank."""

    reader: LineReader
    lines: int = 0
    """Lines read so far, with those of `before`."""
    rows: Rows = field(default_factory=Rows)
    bad: list[BadLine] = field(default_factory=list)
    blank: int = 0
    """Lines of nothing but JSON white space: no fault, only counted."""

    def add(self, run: bytes | None) -> None:
        """Read a run of whole lines, each with its LF; None is one line over the size limit."""
        if run is None:
            self.lines += 1
            self.bad.append(BadLine(self.lines, LineReason.TOO_LONG_LINE, ""))
            return
        rows = self._all_good(run)
        if rows is None:
            self._line_by_line(run)
        else:
            self.rows.extend(rows)
            self.lines += len(rows)

    def add_records(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Read rows of a Parquet dump; a row counts as a line."""
        for record in records:
            self.lines += 1
            try:
                self.rows.extend(read_record(record, self.reader, self.lines))
            except UnusableLineError as unusable:
                head = repr(dict(record))[:HEAD_CHARACTERS]
                self.bad.append(BadLine(self.lines, unusable.reason, head))

    def _line_by_line(self, run: bytes) -> None:
        for line in run[:-1].split(b"\n"):
            self.lines += 1
            if not line.strip(b" \t\r"):
                self.blank += 1
                continue
            try:
                self.rows.extend(read_line(line, self.reader, self.lines))
            except UnusableLineError as unusable:
                head = line[: 4 * HEAD_CHARACTERS].decode("utf-8", "replace")[:HEAD_CHARACTERS]
                self.bad.append(BadLine(self.lines, unusable.reason, head))

    def _all_good(self, run: bytes) -> Rows | None:
        """The rows of a run when every line is one good object, else None."""
        lines = _lines_of_objects(run)
        if not lines:
            return None
        try:
            if not run.isascii():
                run.decode("utf-8")  # the decoder does not look inside the fields it skips
            found = self.reader.decoder.decode_lines(run)
            if len(found) != lines:
                return None
            return Rows.of(_as_comments(found, self.reader), self.lines + 1, self.reader)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, UnusableLineError):
            return None


def _lines_of_objects(run: bytes) -> int:
    """How many lines a run has, or 0 when one of them does not both begin and end with a brace.

    The decoder would also take two objects in a line, or one over two lines. Neither can be when there are as many
    objects as lines and each line begins and ends with a brace: inside an object, no `}` LF `{` is JSON.
    """
    if not run.startswith(b"{"):
        return 0
    data = np.frombuffer(run, dtype=np.uint8)
    ends = np.flatnonzero(data == _LF)
    last = data[ends - 1]
    last = np.where(last == _CR, data[ends - 2], last)
    braced = (data[ends[:-1] + 1] == _OPEN).all() and (last == _CLOSE).all()
    return len(ends) if braced else 0


def read_line(line: LineBytes, reader: LineReader, number: int) -> Rows:
    """Read line `number`, given without its LF, as one row; None is a line over the size limit.

    Raises:
        UnusableLineError: it cannot be used; the first true reason is named.
    """
    if line is None:
        raise UnusableLineError(LineReason.TOO_LONG_LINE)
    try:
        value: Any = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant, parse_int=_integer)
    except (ValueError, RecursionError):
        raise UnusableLineError(LineReason.BAD_JSON) from None
    if not isinstance(value, dict):
        raise UnusableLineError(LineReason.BAD_JSON)
    return read_record(value, reader, number)


def read_record(value: Mapping[str, Any], reader: LineReader, number: int) -> Rows:
    """Check one record, a JSON object or a row of a Parquet dump, and give it as one row.

    An escaped half of a surrogate pair is good JSON but no character; it becomes U+FFFD.

    Raises:
        UnusableLineError: a field is missing or of a type never published.
    """
    if any(value.get(name) is None for name in reader.required):
        raise UnusableLineError(LineReason.MISSING_FIELD)
    named = {name: _repaired(value.get(name)) for name in reader.shape.__struct_fields__}
    named["created_utc"] = _whole(named["created_utc"])
    try:
        row = msgspec.convert(named, reader.shape, strict=False)
    except msgspec.ValidationError:
        raise UnusableLineError(LineReason.BAD_TYPE) from None
    return Rows.of(_as_comments([row], reader), number, reader)


def _as_comments(rows: list[Any], reader: LineReader) -> list[Comment]:
    """Rows of any shape as comments."""
    if reader.shape is _Title:
        return [_from_title(row) for row in rows]
    return [_with_author(row) for row in rows] if reader.shape is _AnyAuthor else rows


def _from_title(row: _Title) -> Comment:
    name = SUBMISSION + row.id.removeprefix(SUBMISSION)
    return Comment(name, row.author or "", row.title, row.created_utc, name, "", row.subreddit, row.score)


def _with_author(row: _AnyAuthor) -> Comment:
    return Comment(
        row.id, row.author or "", row.body, row.created_utc, row.link_id, row.parent_id, row.subreddit, row.score
    )


def _repaired(value: Any) -> Any:
    return _LONE_SURROGATE.sub("\ufffd", value) if isinstance(value, str) else value


def _integer(digits: str) -> int | float:
    """A whole number; one too long for Python is no time or score anyway, and may stand in a field nobody reads."""
    return int(digits) if len(digits) < MOST_DIGITS else math.inf


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _whole(value: Any) -> Any:
    """A time without its fraction, which is cut off; what is no time is left for the type check."""
    if isinstance(value, float) and math.isfinite(value):
        return int(value)
    if isinstance(value, str) and (parts := _FRACTION.fullmatch(value)):
        return int(parts[1])
    return value
