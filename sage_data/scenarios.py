"""EmpatheticDialogues -> scenarios: one situation to talk about from each conversation (paper section 3.4).

The files are read line by line and cut at commas, as their authors wrote them: text holds `_comma_` for a comma and
unbalanced quotes, which a quote-aware CSV reader would join into one field over many lines, losing 1,689 of the 19,533
training conversations. A row has 8 fields, or 9 in the held-out files (candidate replies last).

Accepted: the original `.tar.gz`, a folder with `train`, `valid` and `test` as `.csv` or `.csv.gz`, or one such file.

    sage data scenarios empatheticdialogues.tar.gz --out scenarios/
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Literal, get_args

import pyarrow as pa
from pydantic import Field

from sage_data.dialogue import Scenario, Split
from sage_data.errors import DamagedFileError, InputError
from sage_data.stage import Context, Counts, Inputs, Need, Origin, Output, StageConfig
from sage_data.store.dialogues import scenarios_to_table

VERSION = 1
ORIGIN = Origin(
    name="EmpatheticDialogues",
    license="cc-by-nc-4.0",
    url="https://github.com/facebookresearch/EmpatheticDialogues",
    note="Rashkin et al., ACL 2019.",
)
INPUTS = (
    Need(
        "archive",
        "EmpatheticDialogues: its .tar.gz, or a folder with train / valid / test .csv or .csv.gz",
        origin=ORIGIN,
    ),
)

SPLITS: tuple[Split, ...] = get_args(Split)
FIELDS = ("conv_id", "utterance_idx", "context", "prompt", "speaker_idx", "utterance", "selfeval", "tags")
_SPLIT_OF_NAME: dict[str, Split] = {
    "train": "train",
    "valid": "dev",
    "validation": "dev",
    "dev": "dev",
    "test": "test",
}
REJECT_SCHEMA = pa.schema([("file", pa.string()), ("line", pa.int64()), ("reason", pa.string()), ("text", pa.string())])


class Config(StageConfig):
    """Which scenarios to take."""

    splits: tuple[Split, ...] | None = Field(
        default=None, description="Splits to take; null takes every split the archive holds."
    )
    limit: int | None = Field(
        default=None, ge=1, description="Take at most this many scenarios of each split, in file order."
    )
    leaked: Literal["keep", "drop"] = Field(
        default="keep",
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
    ids: dict[Split, tuple[str, ...]]
    """Split -> ids of the scenarios that have it."""


# --- finding the files --------------------------------------------------------------------------------------------


def split_of(name: str) -> Split | None:
    """The split a file holds, told from its name; None when it is not one of the corpus' files."""
    base = name.rsplit("/", 1)[-1].removesuffix(".gz")
    return _SPLIT_OF_NAME.get(base.removesuffix(".csv")) if base.endswith(".csv") else None


def open_archive(path: Path) -> Iterator[tuple[str, Split, Iterable[bytes]]]:
    """Yield (file name, split, unpacked lines) for each file of the corpus below `path`.

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
        yield name, split, gzip.GzipFile(fileobj=stream) if name.endswith(".gz") else stream
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


def read_scenarios(stream: Iterable[bytes], file: str, split: Split) -> ScenarioFile:
    """Read the lines of one file of the corpus.

    Raises:
        InputError: the first line is not the corpus' header.
        DamagedFileError: the file is cut short or corrupt.
    """
    scenarios: dict[str, Scenario] = {}
    bad: list[BadLine] = []
    lines = 0
    numbered = _numbered(stream, file)
    _check_header(next(numbered, (1, b""))[1], file)
    for number, raw in numbered:
        if not raw:
            continue
        lines += 1
        reason = _read_line(raw, split, scenarios)
        if reason is not None:
            bad.append(BadLine(file, number, reason, raw.decode("utf-8", "backslashreplace")))
    return ScenarioFile(tuple(scenarios.values()), lines, tuple(bad))


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


def _read_line(raw: bytes, split: Split, scenarios: dict[str, Scenario]) -> LineReason | None:
    """Add the line's conversation to `scenarios` unless it is known; returns why the line cannot be used."""
    try:
        fields = raw.decode("utf-8").split(",")
    except UnicodeDecodeError:
        return LineReason.NOT_UTF8
    if len(fields) not in (len(FIELDS), len(FIELDS) + 1):
        return LineReason.FIELD_COUNT
    conversation, _, emotion, prompt = (value.replace("_comma_", ",").strip() for value in fields[:4])
    if not conversation:
        return LineReason.NO_ID
    if not prompt:
        return LineReason.NO_SITUATION
    scenario = Scenario(conversation, prompt, emotion or None, split)
    return None if scenarios.setdefault(conversation, scenario) == scenario else LineReason.CONTRADICTION


# --- several splits together --------------------------------------------------------------------------------------


def find_leaks(files: Mapping[Split, ScenarioFile]) -> tuple[Leak, ...]:
    """Situations that stand in more than one split; case and white space are not heeded."""
    groups: dict[str, list[Scenario]] = {}
    for scenario in (one for file in files.values() for one in file.scenarios):
        groups.setdefault(_normal(scenario.situation), []).append(scenario)
    return tuple(
        Leak(key, {split: ids for split in SPLITS if (ids := tuple(one.id for one in same if one.split == split))})
        for key, same in sorted(groups.items())
        if len({one.split for one in same}) > 1
    )


def _normal(situation: str) -> str:
    return " ".join(situation.casefold().split())


def leaked_ids(leaks: Iterable[Leak]) -> set[tuple[Split, str]]:
    """What to drop so that no situation stands in two splits: all but those of the last split that has it."""
    return {(split, one) for leak in leaks for split, ids in list(leak.ids.items())[:-1] for one in ids}


# --- the stage ----------------------------------------------------------------------------------------------------


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write one shard of scenarios per split, `leakage.json`, and a summary."""
    archive = inputs.one("archive").path
    files: dict[Split, ScenarioFile] = {}
    with context.progress("scenarios", None, "files") as bar:
        for name, split, lines in open_archive(archive):
            files[split] = read_scenarios(lines, name, split)
            bar.advance(1)
    chosen = _chosen(files, config.splits, archive)
    # Splits not taken count too: a training set must not hold what another stage tests on.
    leaks = [leak for leak in find_leaks(files) if not chosen.keys().isdisjoint(leak.ids)]
    drop = leaked_ids(leaks) if config.leaked == "drop" else set()
    out.write_json("leakage.json", [{"situation": leak.situation, "ids": leak.ids} for leak in leaks])
    if leaks:
        out.warn(f"{len(leaks)} situations stand in more than one split, see leakage.json; leaked: {config.leaked}")
    kept = {split: _write_split(out, split, file, config.limit, drop) for split, file in chosen.items()}
    out.write_text("summary.txt", _summary(chosen, kept, len(leaks)))


def _chosen(
    files: dict[Split, ScenarioFile], wanted: tuple[Split, ...] | None, archive: Path
) -> dict[Split, ScenarioFile]:
    """The wanted splits in the order of `SPLITS`; None wants all there are.

    Raises:
        InputError: a wanted split is not there.
    """
    for split in wanted or ():
        if split not in files:
            raise InputError(
                f"{archive}: no file for the split {split}; found {', '.join(files)}",
                next_step="leave `splits` out to take what is there",
            )
    return {split: files[split] for split in SPLITS if split in (wanted or files)}


def _summary(files: dict[Split, ScenarioFile], kept: dict[Split, int], leaks: int) -> str:
    rows = [f"{'split':6} {'lines':>8} {'bad':>6} {'conversations':>14} {'kept':>8}"]
    for split, file in files.items():
        rows.append(f"{split:6} {file.lines:8,} {len(file.bad):6,} {len(file.scenarios):14,} {kept[split]:8,}")
    return "\n".join([*rows, f"situations in more than one split: {leaks}"]) + "\n"


def _write_split(out: Output, split: Split, file: ScenarioFile, limit: int | None, drop: set[tuple[Split, str]]) -> int:
    """Write the shard of one split; returns how many scenarios it holds."""
    clean = [one for one in file.scenarios if (split, one.id) not in drop]
    kept = clean[:limit]
    index = SPLITS.index(split)
    if out.has_shard("scenarios", index):
        return len(kept)
    dropped = {"leaked": len(file.scenarios) - len(clean), "limit": len(clean) - len(kept)}
    bad = len(file.bad)
    lines = Counts(unit="lines", came_in=file.lines, kept=file.lines - bad, dropped={}, quarantined=bad)
    scenarios = Counts(
        unit="scenarios",
        came_in=len(file.scenarios),
        kept=len(kept),
        dropped={reason: count for reason, count in dropped.items() if count},
        quarantined=0,
    )
    rejected = pa.Table.from_pylist([_bad_row(one) for one in file.bad], schema=REJECT_SCHEMA)
    out.write_shard("scenarios", index, scenarios_to_table(kept), counts=[lines, scenarios], rejected=rejected)
    return len(kept)


def _bad_row(bad: BadLine) -> dict[str, str | int]:
    return {"file": bad.file, "line": bad.line, "reason": bad.reason.value, "text": bad.text}
