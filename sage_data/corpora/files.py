"""Files of a corpus: which there are, which split they hold, and their lines, JSON values and rows one after another.

Everything is read in pieces, compressed or not, and damage always has a file's name. A split is told from the file's
name (`valid_freq.json`, `dialogues_train.txt`): train, dev (also valid, validation, val) or test.

    for line in read_lines(CorpusFile.at(Path("valid.jsonl.gz"))): ...
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from sage_data.corpora.records import Reason, Rejected, head
from sage_data.dialogue import Split
from sage_data.errors import DamagedFileError
from sage_data.reddit.dumps import PACKED
from sage_data.reddit.dumps import read_lines as read_dump_lines
from sage_data.reddit.dumps import read_pieces as read_dump_pieces
from sage_data.reddit.sources import Dump, local_dump

SNIFFED_CHARACTERS = 262_144
ITEM_LIMIT_CHARACTERS = 67_108_864
"""Longest element of a JSON array that is waited for."""
ROWS = 512
"""Rows of a Parquet file that are in memory at once."""
_SPLITS: dict[str, Split] = {
    "train": "train", "training": "train", "dev": "dev", "valid": "dev", "validation": "dev", "val": "dev",
    "test": "test", "testing": "test",
}  # fmt: skip
_MARKS = re.compile(r"(?i:training|train|validation|valid|val|dev|testing|test)(?![a-z])")
_SPACE = re.compile(r"[\s,]*")


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """One file of a corpus."""

    path: Path
    name: str
    """File name without folders."""
    split: Split | None
    """None: the name does not tell."""

    @classmethod
    def at(cls, path: Path, folder: Path | None = None) -> Self:
        """The file at a path; inside `folder`, the folder it lies in may tell the split (`train/0000.parquet`)."""
        told = split_of(path.name)
        if told is None and folder is not None and path.parent != folder:
            told = _SPLITS.get(path.parent.name.lower())
        return cls(path, path.name, told)

    @property
    def stem(self) -> str:
        """The name without its endings."""
        return self.name.partition(".")[0] or self.name

    @property
    def ending(self) -> str:
        """What kind of file it is once unpacked, such as `.json`."""
        suffixes = [one.lower() for one in self.path.suffixes]
        return next((one for one in reversed(suffixes) if one not in PACKED), "")


def split_of(name: str) -> Split | None:
    """The split that a name tells; None when it tells none, or two."""
    begins = re.split(r"[^A-Za-z0-9]+", name)
    found = {_SPLITS[mark[0].lower()] for part in begins if (mark := _MARKS.match(part))}
    return found.pop() if len(found) == 1 else None


def read_pieces(file: CorpusFile) -> Iterator[bytes]:
    """The unpacked content of a file, piece by piece.

    Raises:
        DamagedFileError: it is empty, cut short or corrupt.
    """
    try:
        yield from read_dump_pieces(_dump(file))
    except DamagedFileError as error:
        raise _damaged(file, error) from error


def read_lines(file: CorpusFile) -> Iterator[tuple[int, str | Rejected]]:
    """Lines with their numbers from 1, without line ends and blank ones; a line that is no text comes as rejected.

    Raises:
        DamagedFileError: the file is empty, cut short or corrupt.
    """
    try:
        for number, raw in read_dump_lines(_dump(file)):
            if raw is None:
                yield number, Rejected(number, Reason.LINE_TOO_LONG, "", "over 1 MiB")
            elif raw.strip():
                yield number, _decoded(raw.rstrip(b"\r"), number)
    except DamagedFileError as error:
        raise _damaged(file, error) from error


def _decoded(raw: bytes, number: int) -> str | Rejected:
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        return Rejected(number, Reason.NOT_UTF8, head(raw), str(error))


def read_head(file: CorpusFile) -> str:
    """How a text file begins, for telling its format.

    Raises:
        DamagedFileError: the file is empty, or damaged at its very beginning.
    """
    text, decoder = "", codecs.getincrementaldecoder("utf-8-sig")("replace")
    for piece in read_pieces(file):
        text += decoder.decode(piece)
        if len(text) >= SNIFFED_CHARACTERS:
            break
    return text[:SNIFFED_CHARACTERS]


def read_whole(file: CorpusFile) -> Any:
    """The one JSON value of a file.

    Raises:
        DamagedFileError: it is no JSON, or not all of it.
    """
    try:
        return json.loads(b"".join(read_pieces(file)))
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"{file.name}: not a whole JSON file: {error}", next_step=_AGAIN) from error


def read_values(file: CorpusFile) -> Iterator[tuple[int, Any]]:
    """JSON values with their numbers from 1: one a line, or the elements of an array; a bad line comes as rejected.

    Raises:
        DamagedFileError: the file is cut short or corrupt, or the array breaks off.
    """
    if file.ending == ".json" and read_head(file).lstrip().startswith("["):
        yield from enumerate(_elements(file), 1)
        return
    for number, line in read_lines(file):
        yield number, line if isinstance(line, Rejected) else parse_json(line, number)


def parse_json(line: str, number: int) -> Any:
    """The JSON value of one line, or why it is none."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        return Rejected(number, Reason.NOT_JSON, head(line), str(error))


def _elements(file: CorpusFile) -> Iterator[Any]:
    """The elements of a JSON array that need not fit into memory."""
    pieces = read_pieces(file)
    decoder, text = codecs.getincrementaldecoder("utf-8-sig")(), json.JSONDecoder()
    held, more = "", True
    place = -1
    while more:
        piece = next(pieces, None)
        more = piece is not None
        held = held[max(place, 0) :] + _text(file, decoder, piece)
        place = 0 if place >= 0 else held.find("[") + 1
        for value, end in _complete(text, held, place, last=not more):
            yield value
            place = end
        if len(held) - place > ITEM_LIMIT_CHARACTERS:
            break
    if held[place:].strip() != "]":
        raise DamagedFileError(f"{file.name}: its JSON array breaks off or is malformed", next_step=_AGAIN)


def _text(file: CorpusFile, decoder: codecs.IncrementalDecoder, piece: bytes | None) -> str:
    try:
        return decoder.decode(piece or b"", final=piece is None)
    except UnicodeDecodeError as error:
        raise DamagedFileError(f"{file.name}: not UTF-8: {error}", next_step=_AGAIN) from error


def _complete(decoder: json.JSONDecoder, held: str, place: int, *, last: bool) -> Iterator[tuple[Any, int]]:
    """Elements of the array that `held` holds whole from `place` on, each with the place behind it."""
    while True:
        begin = _after_space(held, place)
        try:
            value, place = decoder.raw_decode(held, begin)
        except (ValueError, RecursionError):
            return
        if place == len(held) and not last:
            return  # a number may go on in the next piece
        yield value, _after_space(held, place)


def _after_space(held: str, place: int) -> int:
    found = _SPACE.match(held, place)
    return found.end() if found else place


def head_values(begins: str, *, array: bool) -> Iterator[tuple[str, Any]]:
    """The JSON values that the beginning of a file holds whole, each with its text; those that are none left out.

    They are the elements of an array, or one a line.
    """
    if array:
        place = begins.find("[") + 1
        for value, end in _complete(json.JSONDecoder(), begins, place, last=True):
            yield begins[place:end].strip(), value
            place = end
        return
    for number, line in enumerate(begins.split("\n"), 1):
        value = parse_json(line, number)
        if not isinstance(value, Rejected):
            yield line.strip(), value


def read_records(file: CorpusFile) -> Iterator[tuple[int, Any]]:
    """Numbered records of JSON lines, a JSON array or Parquet."""
    return read_rows(file) if file.ending == ".parquet" else read_values(file)


def read_rows(file: CorpusFile) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows of a Parquet file with their numbers from 1.

    Raises:
        DamagedFileError: it is no whole Parquet file.
    """
    try:
        number = 0
        with pq.ParquetFile(file.path) as table:
            for batch in table.iter_batches(batch_size=ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DamagedFileError(f"{file.name}: not a whole Parquet file: {error}", next_step=_AGAIN) from error


def first_value(file: CorpusFile) -> Any:
    """The first row of a Parquet file; None when it has none."""
    return next((row for _, row in islice(read_rows(file), 1)), None)


_AGAIN = "fetch the file again"


def _dump(file: CorpusFile) -> Dump:
    # The reader of dumps goes by the ending of the name: a packed file's, or none for plain text.
    ending = file.path.suffix.lower()
    return replace(local_dump(file.path), name=f"file{ending}" if ending in PACKED else "file")


def _damaged(file: CorpusFile, error: DamagedFileError) -> DamagedFileError:
    cause = error.message.partition(": ")[2].rpartition(", in ")[0]
    return DamagedFileError(f"{file.name}: cut short or corrupt: {cause}", next_step=_AGAIN)
