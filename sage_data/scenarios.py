"""EmpatheticDialogues -> scenarios: one situation to talk about from each conversation (paper section 3.4).

The files are read line by line and cut at commas, as their authors wrote them: text holds `_comma_` for a comma and
unbalanced quotes, which a quote-aware CSV reader would join into one field over many lines, losing 1,689 of the 19,533
training conversations. A row has 8 fields, or 9 in the held-out files (candidate replies last).

Accepted: the original `.tar.gz`, a folder with `train`, `valid` and `test` as `.csv` or `.csv.gz`, or one such file.

    sage data scenarios path/to/empathetic_dialogues
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO, Literal, get_args

import pyarrow as pa
from pydantic import Field

from sage_data.dialogue import Scenario, Split
from sage_data.errors import DamagedFileError, InputError
from sage_data.stage import Context, Counts, Inputs, Need, Output, StageConfig
from sage_data.store.dialogues import scenarios_to_table

VERSION = 1
INPUTS = (Need("archive", "EmpatheticDialogues: its .tar.gz, or a folder with train / valid / test .csv or .csv.gz"),)

SPLITS: tuple[Split, ...] = get_args(Split)
FIELDS = ("conv_id", "utterance_idx", "context", "prompt", "speaker_idx", "utterance", "selfeval", "tags")
_SPLIT_OF_NAME: dict[str, Split] = {
    "train": "train",
    "valid": "dev",
    "validation": "dev",
    "dev": "dev",
    "test": "test",
}
REJECT_SCHEMA = pa.schema(
    [("file", pa.string()), ("line", pa.int64()), ("reason", pa.string()), ("text", pa.string())]
)


class Config(StageConfig):
    """Which scenarios to take."""

    splits: tuple[Split, ...] | None = Field(
        None, description="Splits to take; null takes every split the archive holds."
    )
    limit: int | None = Field(None, ge=1, description="Take at most this many scenarios of each split, in file order.")
    leaked: Literal["keep", "drop"] = Field(
        "keep",
        description="What to do with a scenario whose situation also stands in a later split (train, dev, test): keep "
        "and report it, or drop it from the earlier split, so that the held-out one stays whole.",
    )


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
    """Counted from 1, the header being line 1."""
    reason: LineReason
    text: str


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """What one file holds."""

    scenarios: tuple[Scenario, ...]
    """One a conversation, in order of first appearance."""
    lines: int
    """Lines read, without the header and blank lines."""
    bad: tuple[BadLine, ...]


@dataclass(frozen=True, slots=True)
class Leak:
    """A situation that stands in more than one split."""

    situation: str
    ids: dict[Split, tuple[str, ...]] = field(default_factory=dict)


# --- finding the files --------------------------------------------------------------------------------------------


def split_of(name: str) -> Split | None:
    """The split a file holds, told from its name; None when it is not one of the corpus' files."""
    base = name.rsplit("/", 1)[-1].removesuffix(".gz")
    return _SPLIT_OF_NAME.get(base.removesuffix(".csv")) if base.endswith(".csv") else None


def open_archive(path: Path) -> Iterator[tuple[str, Split, IO[bytes]]]:
    """Yield (file name, split, unpacked bytes) for each file of the corpus below `path`.

    Raises:
        InputError: there is none, or two hold the same split.
        DamagedFileError: the archive is cut short or corrupt.
    """
    found: dict[Split, str] = {}
    for name, stream in _members(path):
        split = split_of(name)
        if split is None:
            continue
        if split in found:
            raise InputError(f"{path}: {found[split]} and {name} both hold the {split} split; expected one of them")
        found[split] = name
        yield name, split, gzip.open(stream) if name.endswith(".gz") else stream
    if not found:
        raise InputError(
            f"{path}: expected train.csv, valid.csv or test.csv (also .csv.gz, or a .tar.gz of them); found none",
            next_step="give the folder that holds them, or the original empatheticdialogues.tar.gz",
        )


def _members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if path.name.endswith((".tar.gz", ".tgz", ".tar")):
        yield from _tar_members(path)
        return
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        if file.is_file():
            with file.open("rb") as stream:
                yield file.name, stream


def _tar_members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                stream = archive.extractfile(member)
                # Names that begin with "._" are what macOS adds beside the real files.
                if stream is not None and "/._" not in f"/{member.name}":
                    yield member.name, stream
    except (tarfile.ReadError, EOFError, zlib.error) as error:
        raise DamagedFileError(f"{path}: not a whole tar archive: {error}", next_step="fetch the file again") from error


# --- reading one file ---------------------------------------------------------------------------------------------


def read_scenarios_csv(stream: Iterable[bytes], file: str, split: Split) -> ScenarioFile:
    """Read one file of the corpus.

    Raises:
        InputError: the first line is not the corpus' header.
        DamagedFileError: the file is cut short or corrupt.
    """
    scenarios: dict[str, Scenario] = {}
    bad: list[BadLine] = []
    lines = 0
    for number, raw in _numbered(stream, file):
        if number == 1:
            _check_header(raw, file)
        elif raw:
            lines += 1
            reason = _read_line(raw, split, scenarios)
            if reason is not None:
                bad.append(BadLine(file, number, reason, raw.decode("utf-8", "backslashreplace")))
    if number_of_rows_is_zero := not lines and not scenarios:
        del number_of_rows_is_zero
        raise InputError(f"{file}: expected rows below the header, found none")
    return ScenarioFile(tuple(scenarios.values()), lines, tuple(bad))
