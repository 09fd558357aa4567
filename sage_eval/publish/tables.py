"""Writes tables of a warehouse as the files of a dataset: one config a table, one schema, `train` alone.

staged = stage_results(Path("warehouse"), manifest, folder, chosen_tables((), words=False), options)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sage_data.errors import InputError
from sage_data.publishing.layout import WHOLE, DatasetConfig, Split
from sage_data.publishing.places import public_models
from sage_data.publishing.shaping import published_schema, write_split
from sage_data.publishing.staging import Staged, StagedFile, check_source, measure
from sage_data.stage import Counts
from sage_data.store.manifest import Manifest
from sage_data.store.shards import shard_paths
from sage_eval.publish.columns import MODELS, published_columns
from sage_eval.warehouse.contract import TABLES


@dataclass(frozen=True, slots=True)
class Kept:
    """What of a warehouse stayed here."""

    empty: tuple[str, ...]
    """Tables that would have been published, had they rows."""
    tables: tuple[str, ...]
    """Tables with rows that are not published."""
    columns: tuple[tuple[str, tuple[str, ...]], ...]
    """(table, its columns that are not published)."""


def stage_results(
    warehouse: Path, manifest: Manifest, folder: Path, tables: Sequence[str], *, words: bool, shard_bytes: int
) -> tuple[Staged, Kept]:
    """Write the files of every table that has rows into `folder`.

    Raises:
        InputError: none has, or a shard is not what the warehouse's manifest says.
        PublishError: a column has a type that is not published.
    """
    rows = {name: _rows(warehouse, name) for name in tables}
    full = [name for name in tables if rows[name]]
    if not full:
        raise InputError(
            f"{warehouse}: expected rows in one of {', '.join(tables)}; found none",
            next_step="gather the judging or benchmark stages too: sage eval warehouse judged/ ... --out warehouse/",
        )
    configs: list[DatasetConfig] = []
    files, columns = [], []
    for name in full:
        schema, gone = _schema(warehouse, name, words=words)
        config = DatasetConfig(name, name, warehouse, manifest, schema, (Split(WHOLE, rows[name], 0, 1),), not configs)
        check_source(config)
        made = list(_write(config, folder, shard_bytes))
        split = Split(WHOLE, rows[name], sum(one.bytes for one in made), len(made))
        configs.append(replace(config, splits=(split,)))
        files += made
        columns += [(name, gone)] if gone else []
    counts = tuple(Counts(unit=f"rows of {name}", came_in=rows[name], kept=rows[name]) for name in full)
    left = [table.name for table in TABLES if table.name not in tables and _rows(warehouse, table.name)]
    kept = Kept(tuple(name for name in tables if not rows[name]), tuple(left), tuple(columns))
    return Staged(tuple(configs), tuple(files), counts), kept


def shards_of(warehouse: Path, table: str) -> list[Path]:
    """A table's files; none for a table that an older version did not write."""
    return shard_paths(warehouse, table) if any(warehouse.glob(f"{table}-[0-9]*.parquet")) else []


def _rows(warehouse: Path, table: str) -> int:
    return sum(pq.read_metadata(path).num_rows for path in shards_of(warehouse, table))


def _schema(warehouse: Path, table: str, *, words: bool) -> tuple[pa.Schema, tuple[str, ...]]:
    """What is published of a table, and the names of the columns that are not."""
    whole = pq.read_schema(shards_of(warehouse, table)[0]).remove_metadata()
    names = published_columns(table, whole, words=words)
    return published_schema(pa.schema([whole.field(name) for name in names])), tuple(
        name for name in whole.names if name not in names
    )


def _write(config: DatasetConfig, folder: Path, shard_bytes: int) -> Iterator[StagedFile]:
    for path in write_split(_tables(config), config.schema, folder / config.name, WHOLE, shard_bytes):
        rows = pq.read_metadata(path).num_rows
        yield StagedFile(f"{config.name}/{path.name}", config.name, WHOLE, rows, *measure(path))


def _tables(config: DatasetConfig) -> Iterator[pa.Table]:
    for path in shards_of(config.folder, config.table):
        with pq.ParquetFile(path) as file:
            for index in range(file.num_row_groups):
                group = file.read_row_group(index, columns=config.schema.names).replace_schema_metadata(None)
                yield public_models(group.select(config.schema.names), MODELS)
