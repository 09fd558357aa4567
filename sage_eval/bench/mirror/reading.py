"""Reads benchmark files line by line into records that know where they stand, so that a bad one can be named.

for record in json_lines(Path("gsm8k/test.jsonl")):
    record.text("question")
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from sage_data.errors import InputError

MMLU_HEADER = ("question", "choice0", "choice1", "choice2", "choice3", "answer")
"""Columns of mmlu's files; the authors' own have no header, and letters for answers."""
LETTERS = "ABCD"


@dataclass(frozen=True, slots=True)
class Record:
    """One item of a file, with checks that say where it is wrong."""

    file: Path
    line: int
    fields: Mapping[str, Any]

    def wrong(self, expected: str, found: object) -> InputError:
        """An error that names this item."""
        shown = repr(found)
        return InputError(f"{self.file}:{self.line}: expected {expected}, found {shown[:80]}")

    def has(self, name: str) -> bool:
        """True when the field is there."""
        return name in self.fields

    def value(self, name: str) -> Any:
        """A field of any kind.

        Raises:
            InputError: it is not there.
        """
        if name not in self.fields:
            raise self.wrong(f"a field {name!r}", sorted(self.fields))
        return self.fields[name]

    def text(self, name: str) -> str:
        """A field that is text.

        Raises:
            InputError: it is missing, no text, or empty.
        """
        value = self.value(name)
        if not isinstance(value, str) or not value:
            raise self.wrong(f"{name} to be text", value)
        return value

    def texts(self, name: str, count: int | None = None) -> list[str]:
        """A field that is a list of texts.

        Args:
            name: the field.
            count: how many there must be; any number above one when left out.

        Raises:
            InputError: it is missing, no list of texts, or has another length.
        """
        value = self.value(name)
        sound = isinstance(value, list) and all(isinstance(one, str) and one for one in value)
        if not sound or (len(value) < 2 if count is None else len(value) != count):
            raise self.wrong(f"{name} to be a list of {count or 'two or more'} texts", value)
        return list(value)

    def index(self, name: str, below: int) -> int:
        """A field that is a whole number from 0 to `below` - 1, written as a number or as digits.

        Raises:
            InputError: it is missing, no such number, or out of bounds.
        """
        value = self.value(name)
        digits = isinstance(value, str) and value.isascii() and value.isdigit()
        number = int(value) if digits or (isinstance(value, int) and not isinstance(value, bool)) else -1
        if not 0 <= number < below:
            raise self.wrong(f"{name} to be a number from 0 to {below - 1}", value)
        return number

    def label(self, name: str, among: Sequence[str]) -> str:
        """A field that is one of several labels.

        Raises:
            InputError: it is missing, or none of them.
        """
        value = self.value(name)
        if value not in among:
            raise self.wrong(f"{name} to be one of {', '.join(among)}", value)
        return str(value)

    def inner(self, name: str) -> Record:
        """A field that holds fields.

        Raises:
            InputError: it is missing or does not.
        """
        return self.inside(self.value(name), name)

    def inside(self, value: object, name: str) -> Record:
        """A part of this item as a record.

        Raises:
            InputError: it holds no fields.
        """
        if not isinstance(value, Mapping):
            raise self.wrong(f"{name} to hold fields", value)
        return Record(self.file, self.line, value)


def json_lines(file: Path) -> Iterator[Record]:
    """Records of a JSON Lines file; blank lines are passed over.

    Raises:
        InputError: a line is no JSON object, or not UTF-8.
    """
    for number, line in enumerate(_text(file).split("\n"), 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except ValueError as error:
            raise InputError(f"{file}:{number}: expected a JSON object, found no JSON: {error}") from error
        if not isinstance(fields, dict):
            raise InputError(f"{file}:{number}: expected a JSON object, found {line[:80]!r}")
        yield Record(file, number, fields)


def labelled_lines(file: Path, labels: Path) -> Iterator[Record]:
    """Records of a JSON Lines file, each with the line of a second file as its field `label`.

    Raises:
        InputError: one file has more lines than the other, or a line is no JSON object.
    """
    records = list(json_lines(file))
    given = [line.strip() for line in _text(labels).splitlines() if line.strip()]
    if len(records) != len(given):
        raise InputError(
            f"{labels}: expected a label for each of the {len(records)} items of {file}, found {len(given)}"
        )
    for record, label in zip(records, given, strict=True):
        yield Record(file, record.line, {**record.fields, "label": label})


def tab_separated(file: Path) -> Iterator[Record]:
    """Records of a tab-separated file with a header; quotes mean nothing.

    Raises:
        InputError: a line has more or fewer columns than the header.
    """
    lines = _text(file).split("\n")
    header = lines[0].rstrip("\r").split("\t")
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        cells = line.rstrip("\r").split("\t")
        if len(cells) != len(header):
            raise InputError(f"{file}:{number}: expected {len(header)} columns, found {len(cells)}")
        yield Record(file, number, dict(zip(header, cells, strict=True)))


def mmlu_rows(file: Path) -> Iterator[Record]:
    """Records of a subject of mmlu, answers as numbers: with a header and numbers, or without and letters.

    Raises:
        InputError: a row has not six cells, or its answer is none of the four.
    """
    reader = csv.reader(_text(file).splitlines(keepends=True), strict=True)
    try:
        first = next(reader, None)
        headed = first == list(MMLU_HEADER)
        line = 1 if not headed else reader.line_num + 1
        for cells in reader if headed or first is None else chain([first], reader):
            if len(cells) != len(MMLU_HEADER):
                raise InputError(f"{file}:{line}: expected {len(MMLU_HEADER)} cells, found {len(cells)}")
            record = Record(file, line, dict(zip(MMLU_HEADER, cells, strict=True)))
            yield record if headed else _numbered(record)
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{file}:{reader.line_num}: not a readable CSV file: {error}") from error


def _numbered(record: Record) -> Record:
    answer = LETTERS.index(record.label("answer", LETTERS))
    return Record(record.file, record.line, {**record.fields, "answer": answer})


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8 at byte {error.start}", next_step="save it as UTF-8") from error
