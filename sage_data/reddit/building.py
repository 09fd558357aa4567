"""Phase 2: one partition of whole threads becomes one shard of dialogues, with the reason for every comment not in one.

A pure function of what phase 1 laid aside: any number of partitions may be built at once, here or elsewhere. Joins
look at ids, authors and times alone; nothing here makes an object a comment.

    build_partition(BuildTask(folder, out, partition=0, files=("RC_2005-12.zst",)))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sage_data.errors import InputError
from sage_data.reddit.comments import DELETED, REASONS
from sage_data.reddit.keys import HASHED
from sage_data.reddit.reasons import SHORT, SINGLE, CommentReason
from sage_data.reddit.spill import SCHEMA, block_paths
from sage_data.reddit.threads import Chains, Policy, Window, cut
from sage_data.stage import Counts, Output
from sage_data.store.dialogues import DIALOGUE_SCHEMA

CORPUS = "reddit"
MEMORY_CAP_BYTES = 536_870_912
"""Most memory of one worker in either phase, whatever the size of the dumps; reading a dump packed with a long window
(`zstd --long=31`) takes 2.1 GB more."""
DROPPED_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("reason", pa.string()),
        ("thread", pa.string()),
        ("file", pa.string()),
        ("line", pa.int64()),
    ]
)
"""A comment that is in no dialogue; all else about it stands in line `line` of `file`."""

NOBODY = pa.array(["", DELETED])
"""Authors who may be anyone."""
_DUPLICATE = REASONS.index(CommentReason.DUPLICATE) + 1
_SINGLE = len(REASONS) + 1
_SHORT = _SINGLE + 1
_REASON_NAMES = ("", *map(str, REASONS), SINGLE, SHORT)
"""By code: 0 for a comment in a dialogue."""


@dataclass(frozen=True, slots=True)
class BuildTask:
    """What phase 2 needs to build one partition; can be sent to another machine."""

    folder: str
    """Where phase 1 laid the comments aside."""
    out: str
    """The stage's work folder."""
    partition: int
    files: tuple[str, ...]
    """Names of the dumps, by index."""
    policy: Policy = Policy.ALTERNATING
    window: Window = field(default_factory=Window)
    min_utterances: int = 2
    duplicates: tuple[tuple[int, int], ...] = ()
    """Dump and line of comments whose id stands earlier in another partition."""


@dataclass(frozen=True, slots=True)
class Partition:
    """The comments of some threads, whole threads only, in order of dump and line."""

    rows: pa.RecordBatch
    """Columns of `spill.SCHEMA`."""
    dumps: np.ndarray
    """Index of each comment's dump (rows,)."""

    def numbers(self, name: str) -> np.ndarray:
        """A column of numbers (rows,)."""
        column: np.ndarray = self.rows[name].to_numpy(zero_copy_only=False)
        return column


def build_partition(task: BuildTask) -> None:
    """Cut the threads of one partition, and write its dialogues and its dropped comments.

    Raises:
        InputError: the partition is too large for one shard.
    """
    part = load(Path(task.folder), task.partition, len(task.files))
    reasons, rows, chains = chain_up(part, task)
    try:
        table = to_table(part, rows, chains, task)
    except pa.ArrowInvalid as error:
        raise _too_large(task.partition) from error
    dropped = np.flatnonzero(reasons)
    by_reason = np.bincount(reasons[dropped], minlength=len(_REASON_NAMES))
    counts = [
        Counts(
            unit="comments",
            came_in=len(reasons),
            kept=len(reasons) - len(dropped),
            dropped={name: int(count) for name, count in sorted(zip(_REASON_NAMES, by_reason, strict=True)) if count},
        ),
        Counts(unit="dialogues", came_in=len(chains), kept=len(chains)),
    ]
    rejected = dropped_table(part, reasons, dropped, task.files)
    Output(Path(task.out)).write_shard("dialogues", task.partition, table, counts=counts, rejected=rejected)


def load(folder: Path, partition: int, dumps: int) -> Partition:
    """Read one partition of all blocks.

    Raises:
        InputError: it is too large for one shard.
    """
    batches, indices = [], []
    for dump in range(dumps):
        for path in block_paths(folder, dump):
            with pa.ipc.open_file(pa.memory_map(str(path))) as file:
                batch = file.get_batch(partition)
            batches.append(batch)
            indices.append(np.full(batch.num_rows, dump, dtype=np.int32))
    try:
        rows = pa.concat_batches(batches) if batches else pa.RecordBatch.from_pylist([], SCHEMA)
    except pa.ArrowInvalid as error:
        raise _too_large(partition) from error
    return Partition(rows, np.concatenate(indices) if indices else np.zeros(0, np.int32))


def _too_large(partition: int) -> InputError:
    return InputError(
        f"expected a partition of at most 2 GiB of text, found more in partition {partition}",
        next_step="raise --partitions",
    )


def chain_up(part: Partition, task: BuildTask) -> tuple[np.ndarray, np.ndarray, Chains]:
    """Reason codes (rows of the partition,), the rows that may be in dialogues in order of time, and their chains."""
    keys = part.numbers("key")
    reasons = part.numbers("reason").copy()
    reasons[_repeated(keys)] = _DUPLICATE
    reasons[_at_lines(part, task.duplicates)] = _DUPLICATE
    rows = np.flatnonzero(reasons == 0)
    rows = rows[_by_age(part.numbers("created_utc")[rows], keys[rows], part.rows["id"], rows)]
    chains = cut(_parents(part, keys, rows), _authors(part, rows), task.policy, task.window)
    long_enough = chains.at_least(task.min_utterances)
    reasons[np.delete(rows, long_enough.members)] = _SHORT
    reasons[rows[chains.single]] = _SINGLE
    return reasons, rows, long_enough


def _repeated(keys: np.ndarray) -> np.ndarray:
    """Rows whose key stands in an earlier row."""
    order = np.argsort(keys, kind="stable")
    same = keys[order[1:]] == keys[order[:-1]]
    repeated: np.ndarray = order[1:][same]
    return repeated


def _at_lines(part: Partition, lines: Sequence[tuple[int, int]]) -> np.ndarray:
    """The rows at some lines of dumps."""
    numbers = part.numbers("line")
    found = [np.flatnonzero((part.dumps == dump) & (numbers == line)) for dump, line in lines]
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def _by_age(times: np.ndarray, keys: np.ndarray, ids: pa.StringArray, rows: np.ndarray) -> np.ndarray:
    """Order by time, then by id: the shorter first, then by text."""
    if (keys & HASHED).any():
        # A hashed key says nothing about order.
        names = ids.take(rows).to_pylist()
        listed = times.tolist()
        return np.array(
            sorted(range(len(rows)), key=lambda row: (listed[row], len(names[row]), names[row])), dtype=np.int64
        )
    order: np.ndarray = np.lexsort((keys, times))
    return order


def _parents(part: Partition, keys: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """For each of `rows`, the place in `rows` of the comment it answers in its own thread, or -1: int64 (rows,)."""
    wanted, threads, own = part.numbers("parent_key")[rows], part.numbers("thread_key")[rows], keys[rows]
    order = np.argsort(own, kind="stable")
    places = np.searchsorted(own[order], wanted)
    candidates = order[np.minimum(places, len(order) - 1)] if len(order) else places
    found = (wanted != 0) & (own[candidates] == wanted) & (threads[candidates] == threads)
    parents: np.ndarray = np.where(found, candidates, -1).astype(np.int64)
    return parents


def _authors(part: Partition, rows: np.ndarray) -> np.ndarray:
    """A code for each row's author; an unknown or deleted one equals nobody: int64 (rows,)."""
    coded = part.rows["author"].take(rows).dictionary_encode()
    codes: np.ndarray = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    unknown = pc.is_in(coded.dictionary, NOBODY).to_numpy(zero_copy_only=False)
    nobody = np.flatnonzero(unknown[codes])
    codes[nobody] = -1 - nobody
    return codes


def to_table(part: Partition, rows: np.ndarray, chains: Chains, task: BuildTask) -> pa.Table:
    """Chains as dialogues: the first speaker is the user, speakers take turns. One row a chain."""
    members = rows[chains.members]
    first, last = members[chains.offsets[:-1]], members[chains.offsets[1:] - 1]
    lengths = np.diff(chains.offsets)
    turns = np.arange(len(members)) - np.repeat(chains.offsets[:-1], lengths)
    names = part.rows["id"]
    nobody = pa.nulls(len(members), DIALOGUE_SCHEMA.field("utterances").type.value_type.field("state").type)
    utterances = pa.StructArray.from_arrays(
        [
            pa.array(["user", "assistant"]).take(pa.array(turns % 2)),
            part.rows["text"].take(members),
            nobody,
            nobody,
            names.take(members),
        ],
        fields=list(DIALOGUE_SCHEMA.field("utterances").type.value_type),
    )
    ends = [pc.cast(pa.array(lengths), pa.string())]
    if task.policy is Policy.WINDOWS:
        # Windows that part ways later have their beginning and may have their length in common.
        ends = [names.take(last), *ends]
    source = pa.StructArray.from_arrays(
        [
            pa.repeat(CORPUS, len(first)),
            part.rows["thread"].take(first),
            part.rows["place"].take(first),
            part.rows["created_utc"].take(first),
            _files(part.dumps[members], chains.offsets, task.files),
            pa.nulls(len(first), pa.string()),
        ],
        fields=list(DIALOGUE_SCHEMA.field("source").type),
    )
    return pa.Table.from_arrays(
        [
            pc.binary_join_element_wise(pa.scalar(CORPUS), names.take(first), *ends, "-"),
            pa.ListArray.from_arrays(pa.array(chains.offsets, pa.int32()), utterances),
            source,
            pa.nulls(len(first), pa.string()),
            pa.nulls(len(first), pa.string()),
        ],
        schema=DIALOGUE_SCHEMA,
    )


def _files(dumps: np.ndarray, offsets: np.ndarray, files: Sequence[str]) -> pa.ListArray:
    """Names of the files that hold each chain's comments, sorted."""
    if len(offsets) == 1:
        return pa.array([], pa.list_(pa.string()))
    lowest, highest = np.minimum.reduceat(dumps, offsets[:-1]), np.maximum.reduceat(dumps, offsets[:-1])
    chains, chosen = np.arange(len(lowest)), lowest.astype(np.int64)
    mixed = lowest != highest
    if mixed.any():
        lengths = np.diff(offsets)
        inside = np.repeat(mixed, lengths)
        pairs = np.repeat(chains, lengths)[inside] * len(files) + dumps[inside]
        pairs = np.concatenate([chains[~mixed] * len(files) + chosen[~mixed], pairs])
        chains, chosen = np.divmod(np.unique(pairs), len(files))
    names = pa.array(files, pa.string()).take(pa.array(chosen))
    bounds = np.searchsorted(chains, np.arange(len(lowest) + 1))
    return pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), names)


def dropped_table(part: Partition, reasons: np.ndarray, dropped: np.ndarray, files: Sequence[str]) -> pa.Table:
    """Dropped comments with their reasons, in order of file and line; author names and texts are left out."""
    chosen = part.rows.select(["id", "thread", "line"]).take(pa.array(dropped))
    columns = {name: chosen[name] for name in chosen.schema.names}
    columns["reason"] = pa.array(_REASON_NAMES, pa.string()).take(pa.array(reasons[dropped]))
    columns["file"] = pa.array(files, pa.string()).take(pa.array(part.dumps[dropped]))
    return pa.Table.from_arrays([columns[name] for name in DROPPED_SCHEMA.names], schema=DROPPED_SCHEMA)
