"""Phase 1 of rebuilding: reads one dump once and lays the wanted comments aside, by the part that wants them.

Ids are compared as numbers (`sage_data.reddit.keys`), so that an unwanted comment costs little more than its parsing.
Texts are cleaned exactly as the Reddit stage cleans them. Memory: 12 bytes for each wanted id, and one block of texts.

    tally = gather(GatherTask(dump, 0, Kind.COMMENTS, folder))
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sage_data.errors import DamagedFileError, InputError
from sage_data.reddit.comments import clean
from sage_data.reddit.dumps import PARQUET, read_runs
from sage_data.reddit.keys import COMMENT, keys_of
from sage_data.reddit.reader import SUBMISSION, Kind, Parsed, Rows, reader_of
from sage_data.reddit.reasons import LineReason
from sage_data.reddit.sources import Dump, open_dump
from sage_data.store.files import atomic_path, write_json

BLOCK_BYTES = 16_777_216
"""Bytes of text that are held before they are written."""
GROUP_ROWS = 4_096
"""Comments whose ids are looked up together."""
PARQUET_ROWS = 65_536
SCHEMA = pa.schema([("key", pa.uint64()), ("text", pa.string())])
"""One wanted comment, cleaned; in the order of lines."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which comments are wanted, and by which part: pairs in ascending order of keys, each pair once."""

    keys: np.ndarray
    """Keys of ids (pairs,), uint64."""
    parts: np.ndarray
    """Number of the part (pairs,), int32."""
    count: int
    """How many parts there are."""

    @classmethod
    def of(cls, parts: Iterable[pa.StringArray], without: frozenset[str]) -> Wanted:
        """From the ids (utterances,) of each part; those in `without` are not wanted at all."""
        keys, numbers, count = [np.zeros(0, np.uint64)], [np.zeros(0, np.int32)], 0
        unwanted = id_keys(pa.array(sorted(without), pa.string()))
        for count, ids in enumerate(parts, start=1):
            own = np.setdiff1d(id_keys(ids), unwanted)
            keys.append(own[own != 0])
            numbers.append(np.full(len(keys[-1]), count - 1, dtype=np.int32))
        together = np.concatenate(keys)
        order = np.argsort(together, kind="stable")
        return cls(together[order], np.concatenate(numbers)[order], count)

    def save(self, folder: Path) -> None:
        """Write where other processes find it."""
        with atomic_path(folder / "wanted.npz") as temporary, temporary.open("wb") as file:
            np.savez(file, keys=self.keys, parts=self.parts, count=self.count)

    @classmethod
    def load(cls, folder: Path) -> Wanted:
        """Read what `save` wrote."""
        with np.load(folder / "wanted.npz") as saved:
            return cls(saved["keys"], saved["parts"], int(saved["count"]))

    def pairs(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(row, pair) for each of `keys` (rows,) that is wanted, once for each part that wants it, in order of rows."""
        if not len(self.keys):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        first = np.searchsorted(self.keys, keys)
        rows = np.flatnonzero(self.keys[np.minimum(first, len(self.keys) - 1)] == keys)
        first = first[rows]
        numbers = np.searchsorted(self.keys, keys[rows], side="right") - first
        within = np.arange(int(numbers.sum())) - np.repeat(np.cumsum(numbers) - numbers, numbers)
        return np.repeat(rows, numbers), np.repeat(first, numbers) + within


@dataclass(frozen=True, slots=True)
class GatherTask:
    """What phase 1 needs to read one dump."""

    dump: Dump
    index: int
    """Place of the dump in the order of names."""
    kind: Kind
    folder: str
    """Where `wanted.npz` lies and the texts are laid aside."""
    allow_truncated: bool = False

    def path(self, what: str) -> Path:
        """A file of this dump in the folder."""
        return Path(self.folder) / f"{self.index:05d}-{what}"


@dataclass(frozen=True, slots=True)
class GatherTally:
    """What was read of one dump: lines = blank + bad + comments."""

    file: str
    lines: int
    blank: int
    bad: dict[str, int]
    """Lines that could not be used, by reason."""
    comments: int
    found: int
    """Lines that hold a wanted comment."""
    damage: str | None = None
    """What is wrong with the file, when what precedes the damage was used."""


def id_keys(ids: pa.StringArray) -> np.ndarray:
    """Keys (ids,) of comments' ids, with or without `t1_`, and of submissions' (`t3_`)."""
    return keys_of(ids.fill_null(""), prefixes=(COMMENT, SUBMISSION), bare=True)


def gather(task: GatherTask) -> GatherTally:
    """Read one dump and lay its wanted comments aside, unless an earlier attempt did.

    Raises:
        InputError: the dump cannot be opened, has an unknown format, or none of its lines can be used.
        DamagedFileError: it is empty, cut short or corrupt, and that is not allowed.
    """
    done = task.path("done.json")
    if done.is_file():
        return GatherTally(**json.loads(done.read_text(encoding="utf-8")))
    reader = _Reader(task)
    damage = None
    try:
        reader.read()
    except DamagedFileError as error:
        if not task.allow_truncated:
            raise
        damage = error.message.replace(task.dump.location, task.dump.name)
    reader.blocks.flush()
    tally = reader.tally(damage)
    if not tally.comments and damage is None:
        raise _nothing_usable(task, tally)
    write_json(done, asdict(tally))
    return tally


def read_texts(folder: Path, part: int) -> pa.Table:
    """Every text that was found for a part (columns of `SCHEMA`), in the order of dumps and lines."""
    batches = []
    for path in sorted(folder.glob("[0-9]*-texts-*.arrow")):
        with pa.OSFile(str(path)) as raw, pa.ipc.open_file(raw) as file:
            batches.append(file.get_batch(part))
    return pa.Table.from_batches(batches, SCHEMA)


@dataclass(slots=True)
class _Blocks:
    """Wanted texts of one dump, written a block at a time: one record batch a part."""

    task: GatherTask
    wanted: Wanted
    pairs: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    size: int = 0
    number: int = 0

    def add(self, pair: int, text: str) -> None:
        self.pairs.append(pair)
        self.texts.append(text)
        self.size += len(text)
        if self.size >= BLOCK_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        if not self.pairs:
            return
        pairs = np.array(self.pairs, dtype=np.int64)
        parts = self.wanted.parts[pairs]
        order = np.argsort(parts, kind="stable")
        columns = [pa.array(self.wanted.keys[pairs[order]]), pa.array(self.texts, pa.string()).take(pa.array(order))]
        batch = pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
        bounds = np.searchsorted(parts[order], np.arange(self.wanted.count + 1)).tolist()
        path = self.task.path(f"texts-{self.number:06d}.arrow")
        with atomic_path(path) as temporary, pa.ipc.new_file(str(temporary), SCHEMA) as file:
            for start, end in pairwise(bounds):
                file.write_batch(batch.slice(start, end - start))
        self.pairs, self.texts, self.size = [], [], 0
        self.number += 1


class _Reader:
    """Reads one dump and keeps what is wanted."""

    def __init__(self, task: GatherTask) -> None:
        self._task = task
        self._wanted = Wanted.load(Path(task.folder))
        # A dataset may hold comments of unknown authors; nobody's name is looked at here.
        self._parsed = Parsed(reader_of(task.kind, missing_authors=True))
        self._bad: Counter[str] = Counter()
        self._comments = self._found = self._raw_bytes = 0
        self.blocks = _Blocks(task, self._wanted)

    def read(self) -> None:
        """Read the dump to its end, or to where it is damaged."""
        if PurePosixPath(self._task.dump.name).suffix.lower() == PARQUET:
            self._read_parquet()
            return
        try:
            for run in read_runs(self._task.dump, self._advance):
                self._parsed.add(run)
                if len(self._parsed.rows) >= GROUP_ROWS:
                    self._take_rows()
        finally:
            self._take_rows()

    def _take_rows(self) -> None:
        """Keep the wanted ones of the lines read so far, and forget the rest."""
        rows, bad = self._parsed.rows, self._parsed.bad
        self._parsed.rows, self._parsed.bad = Rows(), []
        self._bad.update(str(one.reason) for one in bad)
        self._take(pa.array(rows.ids, pa.string()), rows.bodies)
        self._task.path("progress").write_text(str(self._raw_bytes), encoding="ascii")

    def _take(self, ids: pa.StringArray, bodies: Sequence[str] | pa.Array) -> None:
        rows, pairs = self._wanted.pairs(id_keys(ids))
        for row, pair in zip(rows.tolist(), pairs.tolist(), strict=True):
            self.blocks.add(pair, clean(str(bodies[row])))
        self._comments += len(ids)
        self._found += len(np.unique(rows))

    def _read_parquet(self) -> None:
        """The same of a Parquet dump, of which nothing but two columns is read."""
        titles = self._task.kind is Kind.SUBMISSIONS
        for batch, share in _parquet_batches(self._task.dump, ["id", "title" if titles else "body"]):
            ids, texts = (column.cast(pa.string()) for column in batch.columns)
            usable = pc.and_(pc.greater(pc.utf8_length(ids.fill_null("")), 0), pc.is_valid(texts))
            lacking = batch.num_rows - int(pc.sum(usable).as_py() or 0)
            self._bad.update({str(LineReason.MISSING_FIELD): lacking} if lacking else {})
            ids, texts = ids.filter(usable), texts.filter(usable)
            if titles:
                ids = pc.binary_join_element_wise(SUBMISSION, pc.replace_substring_regex(ids, f"^{SUBMISSION}", ""), "")
            self._take(ids, texts)
            self._parsed.lines += batch.num_rows
            self._advance(int(self._task.dump.bytes * share))

    def _advance(self, raw_bytes: int) -> None:
        self._raw_bytes += raw_bytes

    def tally(self, damage: str | None) -> GatherTally:
        """What became of all lines."""
        bad = dict(sorted(self._bad.items()))
        name, parsed = self._task.dump.name, self._parsed
        return GatherTally(name, parsed.lines, parsed.blank, bad, self._comments, self._found, damage)


def _parquet_batches(dump: Dump, names: list[str]) -> Iterator[tuple[pa.RecordBatch, float]]:
    """Two columns of a Parquet dump in batches, each with its share of all rows."""
    with open_dump(dump) as raw:
        try:
            file = pq.ParquetFile(raw)
            if missing := [name for name in names if name not in file.schema_arrow.names]:
                raise InputError(
                    f"expected the columns {' and '.join(names)}, found none called {' or '.join(missing)}, in "
                    f"{dump.location}",
                    next_step="comments go with --dumps, submissions with --submissions",
                )
            for batch in file.iter_batches(PARQUET_ROWS, columns=names):
                yield batch.select(names), batch.num_rows / file.metadata.num_rows
        except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
            raise DamagedFileError(
                f"expected a whole Parquet dump, found a damaged one: {error}, in {dump.location}",
                next_step="download it again and compare its checksum",
            ) from error


def _nothing_usable(task: GatherTask, tally: GatherTally) -> InputError:
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in tally.bad.items()) or "all blank"
    other = "a submissions dump goes with --submissions" if task.kind is Kind.COMMENTS else "comments go with --dumps"
    return InputError(
        f"expected a dump of {task.kind}, found {tally.lines:,} lines and none that can be used ({reasons}), in "
        f"{task.dump.location}",
        next_step=other,
    )
