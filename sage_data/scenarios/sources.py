"""What scenarios are read from: the corpus' archive, its CSV files, a copy of it in Parquet, or any dialogues.

A copy in Parquet is a folder as the Hub lays it out, `data/train-00000-of-00001.parquet` or
`<config>/<split>/0000.parquet`; several files may hold one split. From a folder of dialogues, the first utterance of
each user becomes a situation.

    files = read_files(Path("empatheticdialogues.tar.gz"), None)
"""

from __future__ import annotations

import gzip
import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from sage_data.dialogue import Dialogue, Scenario, Split
from sage_data.errors import DamagedFileError, InputError
from sage_data.scenarios.lines import BadLine, LineReason, Row, ScenarioFile, clean, read_rows, scenarios_of
from sage_data.store.dialogues import read_dialogues

COLUMNS = ("conv_id", "utterance_idx", "context", "prompt")
"""What a copy in Parquet must have."""
LOAD_FIRST = "sage data load SOURCE --out loaded/, then sage data scenarios loaded/ --split-if-unknown train"
"""How any dialogues become scenarios."""
PIECE_BYTES = 1_048_576
_SPLIT_OF_NAME: dict[str, Split] = {
    "train": "train",
    "valid": "dev",
    "validation": "dev",
    "dev": "dev",
    "test": "test",
}


def split_of(name: str) -> Split | None:
    """The split a CSV file holds, told from its name; None when it is not one of the corpus' files."""
    base = name.rsplit("/", 1)[-1].removesuffix(".gz")
    return _SPLIT_OF_NAME.get(base.removesuffix(".csv")) if base.endswith(".csv") else None


def tells_split(name: str) -> bool:
    """True for the name of a CSV or Parquet file that tells its split."""
    return split_of(name) is not None or (name.endswith(".parquet") and _split_of_parquet(Path(name)) is not None)


def read_files(path: Path, unknown: Split | None) -> dict[Split, ScenarioFile]:
    """Every split below `path`; `unknown` is the split of what tells none itself: a lone file, or dialogues.

    Raises:
        InputError: there is none, two files hold the same split, or a file tells none and `unknown` is None.
        DamagedFileError: a file is cut short or corrupt.
    """
    if is_dialogues(path):
        split = _told(None, unknown, path)
        return {split: of_dialogues(read_dialogues(path), path.name, split)}
    if parquet := _parquet_files(path):
        return _read_parquet(parquet, unknown)
    return {
        split: scenarios_of(read_rows(lines, name), name, split) for name, split, lines in open_archive(path, unknown)
    }


def _told(split: Split | None, unknown: Split | None, path: Path) -> Split:
    if split is None and unknown is None:
        raise InputError(
            f"{path.name}: expected a name that tells the split (train, valid, test), found none",
            next_step="say which it is: --split-if-unknown train",
        )
    return split or unknown or "train"


# --- archive and CSV ----------------------------------------------------------------------------------------------


def open_archive(path: Path, unknown: Split | None = None) -> Iterator[tuple[str, Split, Iterable[bytes]]]:
    """Yield (file name, split, unpacked lines) for each CSV file of the corpus below `path`.

    Raises:
        InputError: there is none, or two hold the same split.
        DamagedFileError: the archive is cut short or corrupt.
    """
    found: dict[Split, str] = {}
    for name, stream in _members(path):
        split = split_of(name)
        if split is None and path.is_file() and re.search(r"\.csv(\.gz)?$", name) and not _is_tar(path):
            split = _told(None, unknown, path)
        if split is None:
            continue
        if split in found:
            raise InputError(f"{path}: {found[split]} and {name} both hold the {split} split; expected one of them")
        found[split] = name
        yield name, split, gzip.GzipFile(fileobj=stream) if name.endswith(".gz") else stream
    if not found:
        raise InputError(
            f"{path}: expected train.csv, valid.csv or test.csv (also .csv.gz, .parquet, or a .tar.gz of them); "
            "found none",
            next_step="give the folder that holds them, or the original empatheticdialogues.tar.gz",
        )


def _is_tar(path: Path) -> bool:
    return path.name.endswith((".tar.gz", ".tgz", ".tar"))


def _members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if _is_tar(path):
        yield from _tar_members(path)
        return
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        if file.is_file():
            with file.open("rb") as stream:
                yield file.name, stream


def _tar_members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    _check_tar(path)
    with tarfile.open(path) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            # Names that begin with "._" are what macOS adds beside the real files.
            if stream is not None and "/._" not in f"/{member.name}":
                yield member.name, stream


def _check_tar(path: Path) -> None:
    """Read an archive once to its end; `tarfile` itself takes one that was cut behind a member for a whole one.

    Raises:
        DamagedFileError: it is cut short or corrupt.
    """
    try:
        with tarfile.open(path) as archive:
            for _ in archive:
                pass
            if not _ends_here(archive):
                raise tarfile.ReadError("its end mark is missing")
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DamagedFileError(f"{path}: not a whole tar archive: {error}", next_step="fetch the file again") from error


def _ends_here(archive: tarfile.TarFile) -> bool:
    """True when an empty block stands where the members end; reads what follows, for its checksum if packed."""
    raw: Any = archive.fileobj
    raw.seek(archive.offset)
    empty = raw.read(tarfile.BLOCKSIZE) == bytes(tarfile.BLOCKSIZE)
    while raw.read(PIECE_BYTES):
        pass
    return bool(empty)


# --- Parquet ------------------------------------------------------------------------------------------------------


def _parquet_files(path: Path) -> list[Path]:
    """The Parquet files below a path that may hold a copy of the corpus."""
    found = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    return [one for one in found if one.suffix == ".parquet" and one.is_file()]


def _read_parquet(paths: list[Path], unknown: Split | None) -> dict[Split, ScenarioFile]:
    by_split: dict[Split, list[Path]] = {}
    for path in paths:
        by_split.setdefault(_told(_split_of_parquet(path), unknown, path), []).append(path)
    return {
        split: scenarios_of((row for one in same for row in _parquet_rows(one)), same[0].name, split)
        for split, same in by_split.items()
    }


def _split_of_parquet(path: Path) -> Split | None:
    """The split of `train-00000-of-00001.parquet` or `train/0000.parquet`."""
    return _SPLIT_OF_NAME.get(re.split(r"[-.]", path.name)[0]) or _SPLIT_OF_NAME.get(path.parent.name)


def _parquet_rows(path: Path) -> Iterator[Row | BadLine]:
    try:
        with pq.ParquetFile(path) as table:
            if missing := [name for name in COLUMNS if name not in table.schema_arrow.names]:
                raise InputError(
                    f"{path}: expected the columns {', '.join(COLUMNS)}; missing: {', '.join(missing)}",
                    next_step=f"for any other dialogues: {LOAD_FIRST}",
                )
            number = 0
            for batch in table.iter_batches(columns=list(COLUMNS)):
                for row in batch.to_pylist():
                    number += 1
                    yield _row(row, number, path.name)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DamagedFileError(
            f"{path}: not a whole Parquet file: {error}", next_step="fetch the file again"
        ) from error


def _row(row: Mapping[str, Any], number: int, file: str) -> Row | BadLine:
    conversation, index, emotion, situation = (clean(str(row[name] or "")) for name in COLUMNS)
    raw = ",".join((conversation, index, emotion, situation))
    if not conversation:
        return BadLine(file, number, LineReason.NO_ID, raw)
    return Row(number, conversation, index, emotion, situation, "", "", raw)


# --- dialogues ----------------------------------------------------------------------------------------------------


def is_dialogues(path: Path) -> bool:
    """True for a stage's folder of dialogues."""
    return path.is_dir() and next(path.glob("dialogues-*.parquet"), None) is not None


def of_dialogues(dialogues: Iterable[Dialogue], file: str, split: Split) -> ScenarioFile:
    """The first utterance of each dialogue's user, under the dialogue's id."""
    scenarios: list[Scenario] = []
    bad: list[BadLine] = []
    for number, dialogue in enumerate(dialogues, 1):
        opening = next((one.text.strip() for one in dialogue.utterances if one.role == "user"), "")
        if opening:
            scenarios.append(Scenario(dialogue.id, opening, None, split))
        else:
            bad.append(BadLine(file, number, LineReason.NO_SITUATION, dialogue.id))
    return ScenarioFile(tuple(scenarios), len(scenarios) + len(bad), tuple(bad))
