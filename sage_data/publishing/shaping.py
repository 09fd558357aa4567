"""Rows -> Parquet files whose bytes depend on the rows alone, not on how they were cut before.

Row groups end after `GROUP_ROWS` rows or `GROUP_BYTES` of values, whichever is first, and files at the first row group
that reaches their size. A row's bytes are counted from its values, as Arrow's own count depends on what lies around it.
The Hub's viewer reads row groups up to 286 MiB. Written with pyarrow: `datasets` aborts the process on a full disk.

    shards = write_split(tables, published_schema(schema), folder, "train", 256 << 20)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sage_data.errors import PublishError

GROUP_ROWS = 10_000
GROUP_BYTES = 64 << 20
VIEWER_BYTES = 286 << 20
"""Row groups above this are not shown by the Hub's viewer."""
_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
_LISTS = (pa.types.is_list, pa.types.is_large_list, pa.types.is_list_view, pa.types.is_fixed_size_list)
_NUMBERS = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating)
_LENGTH = 4
"""Bytes counted for the length of a string or list."""


def published_type(kind: pa.DataType) -> pa.DataType:
    """The plain type that stands for a type: string for large ones and dictionaries, list for large lists.

    Raises:
        PublishError: there is none; what scans cannot read is not published.
    """
    if pa.types.is_dictionary(kind):
        return published_type(kind.value_type)
    if _is(kind, _TEXTS):
        return pa.string()
    if _is(kind, _LISTS):
        return pa.list_(published_type(kind.value_type))
    if pa.types.is_struct(kind) and kind.num_fields:
        return pa.struct([pa.field(one.name, published_type(one.type)) for one in kind])
    if _is(kind, _NUMBERS):
        return kind
    raise PublishError(
        f"expected columns of text, numbers, lists and structs; found {kind}",
        next_step="leave the column out, or turn it into text",
    )


def _is(kind: pa.DataType, tests: Sequence[Callable[[pa.DataType], bool]]) -> bool:
    return any(test(kind) for test in tests)


def published_schema(schema: pa.Schema) -> pa.Schema:
    """The one schema that all files of a config are written with: plain types, nullable, no metadata.

    Raises:
        PublishError: a column has a type that is not published.
    """
    return pa.schema([pa.field(one.name, published_type(one.type)) for one in schema])


def row_bytes(array: pa.Array) -> np.ndarray:
    """Bytes that each entry's values take (entries,), whatever buffers they lie in."""
    kind = array.type
    if pa.types.is_struct(kind):
        children = [row_bytes(child) for child in array.flatten()]
        return np.asarray(np.sum(children, axis=0), np.int64)
    if pa.types.is_list(kind):
        parents = pc.list_parent_indices(array).to_numpy()
        inside = np.bincount(parents, weights=row_bytes(pc.list_flatten(array)), minlength=len(array))
        return inside.astype(np.int64) + _LENGTH
    if pa.types.is_string(kind):
        lengths: np.ndarray = pc.fill_null(pc.binary_length(array), 0).to_numpy().astype(np.int64)
        return lengths + _LENGTH
    return np.full(len(array), max(1, kind.bit_width // 8), np.int64)


class Grouper:
    """Cuts a stream of tables into row groups."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._held: list[pa.Table] = []
        self._rows = self._bytes = 0

    def groups(self, tables: Iterable[pa.Table]) -> Iterator[tuple[pa.Table, int]]:
        """(rows, bytes of their values) of each row group.

        Raises:
            PublishError: one row is larger than the Hub's viewer can show.
        """
        for table in tables:
            whole = table.cast(self._schema).combine_chunks()
            for batch in whole.to_batches():
                yield from self._cut(batch)
        if self._rows:
            yield self._release()

    def _cut(self, batch: pa.RecordBatch) -> Iterator[tuple[pa.Table, int]]:
        sizes = np.sum([row_bytes(column) for column in batch.columns], axis=0)
        _check_sizes(sizes)
        start = 0
        while start < batch.num_rows:
            upto = np.cumsum(sizes[start : start + GROUP_ROWS - self._rows])
            taken = min(int(np.searchsorted(upto, GROUP_BYTES - self._bytes)) + 1, len(upto))
            self._held.append(pa.Table.from_batches([batch.slice(start, taken)]))
            self._rows, self._bytes, start = self._rows + taken, self._bytes + int(upto[taken - 1]), start + taken
            if self._rows == GROUP_ROWS or self._bytes >= GROUP_BYTES:
                yield self._release()

    def _release(self) -> tuple[pa.Table, int]:
        group = pa.concat_tables(self._held).combine_chunks(), self._bytes
        self._held, self._rows, self._bytes = [], 0, 0
        return group


def _check_sizes(sizes: np.ndarray) -> None:
    largest = int(sizes.max(initial=0))
    if largest > VIEWER_BYTES - GROUP_BYTES:
        raise PublishError(
            f"expected rows of at most {(VIEWER_BYTES - GROUP_BYTES) >> 20} MiB, which the Hub's viewer shows; "
            f"found one of {largest >> 20} MiB",
            next_step="leave that row out",
        )


def write_split(
    tables: Iterable[pa.Table], schema: pa.Schema, folder: Path, split: str, shard_bytes: int
) -> list[Path]:
    """Write the rows of one split as `<split>-00000-of-0000N.parquet`; a split without rows is one empty file.

    Raises:
        PublishError: one row is larger than the Hub's viewer can show.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    writer: pq.ParquetWriter | None = None
    size = 0
    try:
        for group, group_bytes in Grouper(schema).groups(tables):
            if writer is None or size >= shard_bytes:
                if writer is not None:
                    writer.close()
                written.append(folder / f"{split}-{len(written):05d}.unnumbered")
                writer, size = open_writer(written[-1], schema), 0
            writer.write_table(group, row_group_size=max(1, group.num_rows))
            size += group_bytes
    finally:
        if writer is not None:
            writer.close()
    return _number(written or [_empty(folder, schema, split)], split)


def open_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Pages end where their content says, so that the Hub stores once what a later version has in common."""
    return pq.ParquetWriter(path, schema, compression="zstd", use_content_defined_chunking=True, write_page_index=True)


def _empty(folder: Path, schema: pa.Schema, split: str) -> Path:
    path = folder / f"{split}-00000.unnumbered"
    with open_writer(path, schema) as writer:
        writer.write_table(schema.empty_table())
    return path


def _number(paths: list[Path], split: str) -> list[Path]:
    """How many files there are is known at the end, and stands in their names."""
    named = [path.with_name(f"{split}-{index:05d}-of-{len(paths):05d}.parquet") for index, path in enumerate(paths)]
    for path, final in zip(paths, named, strict=True):
        path.replace(final)
    return named
