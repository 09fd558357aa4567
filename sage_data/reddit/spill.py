"""Phase 1: reads one dump once and lays its comments aside, sorted into partitions of whole threads.

A dump is read in blocks. Each block becomes one Arrow file with one record batch a partition, written atomically, so a
killed run goes on at the block it was in, and phase 2 can read one partition without touching the others. Comments that
failed a gate are laid aside too, with their reason and without their text: duplicates must be found among them all.

    tally = sort_dump(SortTask(dump, 0, Kind.COMMENTS, folder, CommentGates(), partitions=8))
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sage_data.errors import DamagedFileError, InputError
from sage_data.reddit.comments import CommentGates, Gate, comment_gates, judge
from sage_data.reddit.dumps import PARQUET, read_runs
from sage_data.reddit.keys import COMMENT, keys_of, partitions_of
from sage_data.reddit.reader import SUBMISSION, BadLine, Kind, Parsed, Rows, reader_of
from sage_data.reddit.reasons import LineReason
from sage_data.reddit.sources import Dump, open_dump
from sage_data.store.files import atomic_path, remove, write_json

BLOCK_BYTES = 67_108_864
"""Decompressed bytes of a block: about 130,000 comments."""
GROUP_ROWS = 4_096
"""Comments that are judged and turned into columns together: few enough to stay in the processor's cache."""
PARQUET_ROWS = 65_536
"""Rows of a Parquet dump that make a block."""
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("author", pa.string()),
        ("text", pa.string()),
        ("created_utc", pa.int64()),
        ("thread", pa.string()),
        ("place", pa.string()),
        ("line", pa.int64()),
        ("key", pa.uint64()),
        ("parent_key", pa.uint64()),
        ("thread_key", pa.uint64()),
        ("reason", pa.uint8()),
    ]
)
_BLOCK_KEY = b"sage.block"
_EMPTY = pa.array([""], pa.string())


@dataclass(frozen=True, slots=True)
class SortTask:
    """What phase 1 needs to read one dump; can be sent to another machine."""

    dump: Dump
    index: int
    """Place of the dump in the order of names."""
    kind: Kind
    folder: str
    """Where blocks are laid aside: seen by every machine that takes part."""
    gates: CommentGates
    partitions: int
    missing_authors: bool = False
    allow_truncated: bool = False

    def path(self, what: str) -> Path:
        """A file of this dump in the folder."""
        return Path(self.folder) / f"{self.index:05d}-{what}"


@dataclass(frozen=True, slots=True)
class DumpTally:
    """What became of the lines of one dump: lines = blank + bad + comments."""

    file: str
    kind: Kind
    lines: int = 0
    blank: int = 0
    bad: dict[str, int] = field(default_factory=dict)
    """Quarantined lines by reason."""
    damage: str | None = None
    """What is wrong with the file, when what precedes the damage was kept."""

    @property
    def comments(self) -> int:
        """Lines that were read as comments."""
        return self.lines - self.blank - sum(self.bad.values())


@dataclass(slots=True)
class _Block:
    """Comments of one block as columns, in the order of lines."""

    groups: list[pa.RecordBatch] = field(default_factory=list)
    """Columns of `SCHEMA` without `text` and `reason`."""
    texts: list[pa.StringArray] = field(default_factory=list)
    """Texts as they stood, and behind those of each group the cleaned ones and an empty one."""
    places: list[np.ndarray] = field(default_factory=list)
    """Where in all texts each comment's text stands, an array (rows,) a group."""
    reasons: list[np.ndarray] = field(default_factory=list)
    """Reason codes, an array (rows,) a group."""
    held: int = 0
    """Texts so far."""

    def add(self, rows: Rows, gates: Sequence[Gate]) -> None:
        """Judge a group of comments and turn it into columns."""
        bodies = pa.array(rows.bodies, pa.string())
        authors = pa.array(rows.authors, pa.string())
        judged = judge(rows, bodies, authors, gates)
        places = np.arange(self.held, self.held + len(rows))
        empty = self.held + len(rows) + len(judged.changed)
        places[judged.changed] = np.arange(self.held + len(rows), empty)
        places[judged.reasons != 0] = empty
        self.texts += [bodies, judged.cleaned, _EMPTY]
        self.places.append(places)
        self.reasons.append(judged.reasons)
        self.held = empty + 1
        ids, threads = pa.array(rows.ids, pa.string()), pa.array(rows.threads, pa.string())
        columns = {
            "id": ids,
            "author": authors,
            "created_utc": np.array(rows.times, dtype=np.int64),
            "thread": threads,
            "place": pa.array(rows.places, pa.string()),
            "line": rows.numbers(),
            "key": keys_of(ids, prefixes=(COMMENT, SUBMISSION), bare=True),
            "parent_key": keys_of(pa.array(rows.parents, pa.string()), prefixes=(COMMENT, SUBMISSION), bare=False),
            "thread_key": keys_of(threads, prefixes=(SUBMISSION,), bare=True),
        }
        self.groups.append(pa.record_batch(columns))

    def by_partition(self, count: int) -> Iterator[pa.RecordBatch]:
        """One batch a partition, in the order of lines."""
        if not self.groups:
            yield from [pa.RecordBatch.from_pylist([], SCHEMA)] * count
            return
        table = pa.concat_batches(self.groups)
        partitions = partitions_of(table["thread_key"].to_numpy(), count)
        order = np.argsort(partitions, kind="stable")
        columns = {name: table[name].take(order) for name in table.schema.names}
        columns["text"] = pa.chunked_array(self.texts).take(np.concatenate(self.places)[order]).combine_chunks()
        columns["reason"] = pa.array(np.concatenate(self.reasons)[order])
        table = pa.record_batch([columns[name] for name in SCHEMA.names], schema=SCHEMA)
        bounds = np.searchsorted(partitions[order], np.arange(count + 1))
        for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            yield table.slice(start, end - start)


def sort_dump(task: SortTask) -> DumpTally:
    """Read one dump and lay its comments aside in `task.folder`; blocks that are there already are not made again.

    Raises:
        InputError: the dump cannot be opened, has an unknown format, or holds no comment at all.
        DamagedFileError: it is empty, cut short or corrupt, and that is not allowed.
    """
    done = task.path("done.json")
    if done.is_file():
        raw = json.loads(done.read_text(encoding="utf-8"))
        return DumpTally(**{**raw, "kind": Kind(raw["kind"])})
    try:
        tally, first_bad = _read(task)
    except _MisfitError:
        for path in block_paths(Path(task.folder), task.index):
            remove(path)
        tally, first_bad = _read(task)
    if not tally.comments and tally.damage is None:
        raise _nothing_usable(task, tally, first_bad)
    write_json(done, asdict(tally))
    return tally


class _MisfitError(Exception):
    """Blocks that an earlier attempt laid aside were cut at other places than this one cuts."""


def _read(task: SortTask) -> tuple[DumpTally, str]:
    """Lay the whole dump aside; what became of its lines, and the beginning of the first bad one."""
    sorter = _Sorter(task)
    damage = None
    try:
        sorter.read()
    except DamagedFileError as error:
        if not task.allow_truncated:
            raise
        # Where the dump lies must not change the bytes of what is written about it.
        damage = error.message.replace(task.dump.location, task.dump.name)
    sorter.flush()
    return sorter.tally(damage), sorter.first_bad


def read_bad_lines(task_folder: Path, index: int) -> list[BadLine]:
    """The quarantined lines of the dump `index`, in order."""
    bad = []
    for path in block_paths(task_folder, index):
        bad += [BadLine(line, LineReason(reason), head) for line, reason, head in _read_block(path)["bad"]]
    return bad


def block_paths(folder: Path, index: int) -> list[Path]:
    """The blocks of one dump, in order."""
    return sorted(folder.glob(f"{index:05d}-block-*.arrow"))


def read_progress(folder: Path) -> int:
    """Raw bytes of all dumps that were read so far."""
    total = 0
    for path in folder.glob("*-progress"):
        text = path.read_text(encoding="ascii")
        total += int(text) if text else 0
    return total


class _Sorter:
    """Reads one dump block by block."""

    def __init__(self, task: SortTask) -> None:
        self._task = task
        self._gates = comment_gates(task.gates)
        self._block = _Block()
        self._number = 0
        self._size = 0
        """Decompressed bytes of the present block so far."""
        self._raw_bytes = 0
        self._parsed = Parsed(reader_of(task.kind, missing_authors=task.missing_authors))
        self._blocks: list[dict[str, Any]] = []
        """What is known of each finished block: lines, blank, bad."""
        self._known = self._known_block()

    def read(self) -> None:
        """Read the dump to its end, or to where it is damaged."""
        if PurePosixPath(self._task.dump.name).suffix.lower() == PARQUET:
            self._read_parquet()
            return
        for run in read_runs(self._task.dump, self._advance):
            if self._known is None:
                self._parsed.add(run)
                self._group(GROUP_ROWS)
            self._size += 1 if run is None else len(run)
            if self._size >= BLOCK_BYTES:
                self.flush()

    def _read_parquet(self) -> None:
        names = self._parsed.reader.shape.__struct_fields__
        with open_dump(self._task.dump) as raw:
            for records, share in _parquet_rows(raw, names, self._task.dump):
                if self._known is None:
                    self._parsed.add_records(records)
                    self._group(1)
                self._size += len(records)
                self._advance(int(self._task.dump.bytes * share))
                self.flush()

    def _advance(self, raw_bytes: int) -> None:
        self._raw_bytes += raw_bytes

    def _group(self, least: int) -> None:
        """Judge the comments read so far, when there are at least so many."""
        if len(self._parsed.rows) >= least:
            self._block.add(self._parsed.rows, self._gates)
            self._parsed.rows = Rows()
            self._task.path("progress").write_text(str(self._raw_bytes), encoding="ascii")

    def flush(self) -> None:
        """Finish the present block, and open the next."""
        path = self._block_path()
        if self._known is None:
            self._group(1)
            about: dict[str, Any] = {
                "lines": self._parsed.lines,
                "size": self._size,
                "blank": self._parsed.blank,
                "bad": [(one.line, one.reason, one.head) for one in self._parsed.bad],
            }
            _write_block(path, about, self._block.by_partition(self._task.partitions))
            self._known = about
        elif self._known["size"] != self._size:
            raise _MisfitError(path)
        self._blocks.append(self._known)
        self._parsed.lines = self._known["lines"]
        self._parsed.blank, self._parsed.bad = 0, []
        self._block, self._size = _Block(), 0
        self._number += 1
        self._known = self._known_block()

    def _known_block(self) -> dict[str, Any] | None:
        path = self._block_path()
        return _read_block(path) if path.is_file() else None

    def _block_path(self) -> Path:
        return self._task.path(f"block-{self._number:06d}.arrow")

    @property
    def first_bad(self) -> str:
        """The beginning of the first quarantined line."""
        return next((str(head) for block in self._blocks for _, _, head in block["bad"]), "")

    def tally(self, damage: str | None) -> DumpTally:
        """What became of all lines."""
        bad = Counter(reason for block in self._blocks for _, reason, _ in block["bad"])
        return DumpTally(
            file=self._task.dump.name,
            kind=self._task.kind,
            lines=self._parsed.lines,
            blank=sum(block["blank"] for block in self._blocks),
            bad={str(reason): count for reason, count in sorted(bad.items())},
            damage=damage,
        )


def _parquet_rows(raw: BinaryIO, names: Sequence[str], dump: Dump) -> Iterator[tuple[list[dict[str, Any]], float]]:
    """Rows of a Parquet file in batches, each with its share of all rows."""
    try:
        file = pq.ParquetFile(raw)
        present = [name for name in names if name in file.schema_arrow.names]
        batches = file.iter_batches(PARQUET_ROWS, columns=present)
        while (batch := next(batches, None)) is not None:
            rows = _plain_times(batch).to_pylist()
            yield rows, len(rows) / file.metadata.num_rows
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
        raise DamagedFileError(
            f"expected a whole Parquet dump, found a damaged one: {error}, in {dump.location}",
            next_step="download it again and compare its checksum",
        ) from error


def _plain_times(batch: pa.RecordBatch) -> pa.RecordBatch:
    """With `created_utc` as seconds where the file has it as a timestamp."""
    place = batch.schema.get_field_index("created_utc")
    if place < 0 or not pa.types.is_timestamp(batch.schema.field(place).type):
        return batch
    seconds = batch.column(place).cast(pa.timestamp("s"), safe=False).cast(pa.int64())
    return batch.set_column(place, "created_utc", seconds)


def _write_block(path: Path, about: dict[str, Any], batches: Iterator[pa.RecordBatch]) -> None:
    schema = SCHEMA.with_metadata({_BLOCK_KEY: json.dumps(about).encode()})
    with atomic_path(path) as temporary, pa.ipc.new_file(str(temporary), schema) as file:
        for batch in batches:
            file.write_batch(batch)


def _read_block(path: Path) -> dict[str, Any]:
    with pa.ipc.open_file(pa.memory_map(str(path))) as file:
        about: dict[str, Any] = json.loads(file.schema.metadata[_BLOCK_KEY])
    return about


def _nothing_usable(task: SortTask, tally: DumpTally, head: str) -> InputError:
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in tally.bad.items()) or "all blank"
    wanted = "a submissions dump (RS_*)" if task.kind is Kind.SUBMISSIONS else "a comments dump (RC_*)"
    begins = f"; the first begins {head[:60]!r}" if head else ""
    next_step = f"a line of one has {', '.join(reader_of(task.kind).required)}"
    if '"title":' in head and task.kind is Kind.COMMENTS:
        next_step = "this looks like a submissions dump: give it with --submissions"
    elif '"author":null' in head.replace(" ", "") and not task.missing_authors:
        next_step = "its authors are null; to allow that: --missing-authors --policy any"
    return InputError(
        f"expected {wanted}, found {tally.lines:,} lines and none that can be used ({reasons}{begins}) in "
        f"{task.dump.location}",
        next_step=next_step,
    )
