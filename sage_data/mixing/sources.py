"""What is mixed: one table in several folders, brought into one schema as it is read.

sources = open_sources(inputs.many("datasets"), None)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sage_data.chains.exports import CONVERSATION_SCHEMA, MESSAGE_SCHEMA
from sage_data.errors import ConfigError, DamagedFileError, InputError
from sage_data.inputs import Input
from sage_data.store.dialogues import DIALOGUE_SCHEMA
from sage_data.store.shards import shard_paths

SCHEMAS: dict[str, pa.Schema] = {
    "dialogues": DIALOGUE_SCHEMA,
    "messages": MESSAGE_SCHEMA,
    "conversations": CONVERSATION_SCHEMA,
}
"""Tables that can be mixed, in the order they are looked for."""
CONTENT = {"dialogues": "utterances", "messages": "messages", "conversations": "conversations"}
"""Table -> the column that holds what is said."""
PROVENANCE = [pa.field("source_datasets", pa.list_(pa.string())), pa.field("source_ids", pa.list_(pa.string()))]
BATCH_ROWS = 8_192
"""Rows that are read together."""


@dataclass(frozen=True, slots=True)
class Source:
    """One input."""

    label: str
    """Name of the stage that made it; made unique where two have the same."""
    path: Path
    fingerprint: str
    table: str
    shards: tuple[Path, ...]
    rows: int
    """That can be taken."""
    left_out: tuple[str, ...]
    """Columns of its own that the mixed table does not have."""
    apart: int = 0
    """Rows that cannot be taken."""
    fitting: np.ndarray | None = None
    """Numbers of the rows that can be taken, ascending; None: all."""

    def read(self, columns: Sequence[str] | None = None) -> Iterator[tuple[int, pa.Table]]:
        """Its rows a few thousand at a time, in the mixed table's schema, each time with the number of the first.

        Raises:
            InputError: a column has another type, or a row lacks its id or what is said.
            DamagedFileError: a shard is damaged.
        """
        first = 0
        for path in self.shards:
            for batch in _batches(path, columns):
                table = self._conform(batch, columns, path, first)
                yield first, table
                first += table.num_rows

    def _conform(self, batch: pa.RecordBatch, columns: Sequence[str] | None, path: Path, first: int) -> pa.Table:
        fields = [field for field in SCHEMAS[self.table] if columns is None or field.name in columns]
        arrays = [_column(batch, field, path) for field in fields]
        for field, array in zip(fields, arrays, strict=True):
            if array.null_count and field.name in ("id", CONTENT[self.table]):
                row = first + array.is_null().to_pylist().index(True)
                raise InputError(f"{self.path}, row {row} of table {self.table}: `{field.name}` is null")
        return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _batches(path: Path, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
    try:
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(BATCH_ROWS, columns=columns)
    except (pa.ArrowInvalid, OSError) as error:
        raise DamagedFileError(f"{path}: not a readable Parquet file: {error}") from error


def _column(batch: pa.RecordBatch, field: pa.Field, path: Path) -> pa.Array:
    if field.name not in batch.schema.names:
        return pa.nulls(batch.num_rows, field.type)
    try:
        return batch.column(field.name).cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, TypeError, ValueError) as error:
        found = batch.schema.field(field.name).type
        raise InputError(
            f"{path}: expected the column `{field.name}` as {field.type}, found {found}",
            next_step="bring it into this shape first: sage data load",
        ) from error


def open_sources(inputs: Sequence[Input], table: str | None) -> list[Source]:
    """Look at every input, reading no rows: its table, shards and number of rows.

    Raises:
        ConfigError: there is no table that all of them hold.
        InputError: one is empty or lacks a column.
    """
    chosen = table or common_table(inputs)
    labels: list[str] = []
    for one in inputs:
        labels.append(_unique(one.label, labels))
    return [_open(one, label, chosen) for one, label in zip(inputs, labels, strict=True)]


def common_table(inputs: Sequence[Input]) -> str:
    """The first table that all inputs hold.

    Raises:
        ConfigError: there is none.
    """
    held = [[name for name in SCHEMAS if any(one.path.glob(f"{name}-[0-9]*.parquet"))] for one in inputs]
    for name in SCHEMAS:
        if all(name in some for some in held):
            return name
    found = "; ".join(f"{one.path} holds {', '.join(some) or 'none'}" for one, some in zip(inputs, held, strict=True))
    raise ConfigError(
        f"expected one table among {', '.join(SCHEMAS)} in every input; {found}",
        next_step="turn dialogues into messages first: sage data sac DIALOGUES --no-sac --out FOLDER",
    )


def _unique(label: str, taken: Sequence[str]) -> str:
    number, name = 1, label
    while name in taken:
        number += 1
        name = f"{label}-{number}"
    return name


def _open(given: Input, label: str, table: str) -> Source:
    shards = tuple(shard_paths(given.path, table))
    rows, names = 0, set[str]()
    for path in shards:
        try:
            metadata = pq.read_metadata(path)
        except (pa.ArrowInvalid, OSError) as error:
            raise DamagedFileError(f"{path}: not a readable Parquet file: {error}") from error
        rows += metadata.num_rows
        own = set(metadata.schema.to_arrow_schema().names)
        if missing := {"id", CONTENT[table]} - own:
            raise InputError(f"{path}: expected the columns id and {CONTENT[table]}; missing: {', '.join(missing)}")
        names |= own
    if not rows:
        raise InputError(f"{given.path}: the table {table} has no rows", next_step="leave this input out")
    known = {*SCHEMAS[table].names, *(field.name for field in PROVENANCE)}
    return Source(label, given.path, given.fingerprint, table, shards, rows, tuple(sorted(names - known)))


def check_ids(source: Source) -> None:
    """See that no two rows of a source have one id; holds 8 bytes a row.

    Raises:
        InputError: two have; says which.
    """
    hashes = np.fromiter((hash(name) for _, name in _ids(source)), np.int64, source.rows)
    values, counts = np.unique(hashes, return_counts=True)
    suspects = set(values[counts > 1].tolist())
    seen: dict[str, int] = {}
    for row, name in _ids(source) if suspects else ():
        if hash(name) in suspects and seen.setdefault(name, row) != row:
            raise InputError(
                f"{source.path}: rows {seen[name]} and {row} of table {source.table} have one id, {name!r}",
                next_step="ids must be unique within a dataset; if the rows are equal, drop one of them",
            )


def _ids(source: Source) -> Iterator[tuple[int, Any]]:
    for first, table in source.read(["id"]):
        yield from enumerate(table["id"].to_pylist(), first)
