"""Which rows can be blended: those that go from user to assistant in turn. The others are kept apart, and counted.

A row with a system message, two messages of one speaker in a row, or no answer at its end would, joined with others,
put an instruction in the middle of a context or one role twice in a row. Such rows are left out before anything is
drawn, so that the shares stay exact, and written to `rejected/` as they are, with the input they are from and a reason.

    sources = set_apart(sources, out, shard_rows=20_000)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sage_data.chains.exports import SHAREGPT_NAMES
from sage_data.errors import InputError
from sage_data.mixing.sources import CONTENT, SCHEMAS, Source
from sage_data.stage import Output
from sage_data.store.shards import shard_name

REASON = "not_in_turn"
FILE = "rejected/unblended"
_ROLE = {"messages": "role", "conversations": "from"}
_FIRST = {"messages": "user", "conversations": SHAREGPT_NAMES["user"]}
_SECOND = {"messages": "assistant", "conversations": SHAREGPT_NAMES["assistant"]}


def set_apart(sources: Sequence[Source], out: Output, shard_rows: int) -> list[Source]:
    """The sources with their fitting rows alone; writes the others, `shard_rows` a file, and warns of them.

    Raises:
        InputError: no row of a source fits.
    """
    schema = pa.schema([*SCHEMAS[sources[0].table], pa.field("source", pa.string()), pa.field("reason", pa.string())])
    waiting, files, fitting = schema.empty_table(), 0, []
    for source in sources:
        rows = [np.empty(0, np.int64)]
        for first, table in source.read():
            unfit = out_of_turn(table[CONTENT[source.table]], source.table)
            rows.append(first + np.setdiff1d(np.arange(table.num_rows), unfit))
            waiting = pa.concat_tables([waiting, _told(table.take(pa.array(unfit)), source, schema)])
            for full in _full(waiting, shard_rows):
                out.write_table(_file(files), full)
                files, waiting = files + 1, waiting.slice(shard_rows)
        fitting.append(_fitting(source, np.concatenate(rows), out))
    if waiting.num_rows:
        out.write_table(_file(files), waiting)
    return fitting


def out_of_turn(column: pa.ChunkedArray, content: str) -> np.ndarray:
    """Numbers of the rows that do not go user, assistant, user, ... to an assistant at the end, ascending."""
    lists = column.combine_chunks()
    lengths = pc.list_value_length(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    roles = pc.struct_field(lists.flatten(), _ROLE[content])
    starts = np.cumsum(lengths) - lengths
    turns = np.arange(len(roles)) - np.repeat(starts, lengths)
    expected = np.where(turns % 2 == 0, _FIRST[content], _SECOND[content])
    wrong = np.repeat(np.arange(len(lengths)), lengths)[roles.to_numpy(zero_copy_only=False) != expected]
    found: np.ndarray = np.union1d(wrong, np.flatnonzero((lengths % 2 == 1) | (lengths == 0))).astype(np.int64)
    return found


def _fitting(source: Source, rows: np.ndarray, out: Output) -> Source:
    apart = source.rows - len(rows)
    shape = f"go from {_FIRST[source.table]} to {_SECOND[source.table]} in turn"
    if not len(rows):
        raise InputError(
            f"{source.path}: blending needs rows that {shape}, the one first and the other last; none of "
            f"{source.rows:,} does",
            next_step="leave blend out, or bring the input into shape: sage data load, then sage data sac --no-sac",
        )
    if not apart:
        return source
    out.warn(f"{source.label}: {apart:,} of {source.rows:,} rows do not {shape}; they stand in rejected/, unblended")
    return replace(source, rows=len(rows), apart=apart, fitting=rows)


def _full(waiting: pa.Table, shard_rows: int) -> Iterator[pa.Table]:
    for first in range(0, waiting.num_rows - shard_rows + 1, shard_rows):
        yield waiting.slice(first, shard_rows)


def _told(rows: pa.Table, source: Source, schema: pa.Schema) -> pa.Table:
    for value in (source.label, REASON):
        rows = rows.append_column(schema.field(rows.num_columns), pa.array([value] * rows.num_rows, pa.string()))
    return rows


def _file(number: int) -> str:
    return shard_name(FILE, number)
