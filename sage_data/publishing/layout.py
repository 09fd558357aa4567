"""What a published dataset consists of: configs, their splits and columns, as the Hub's viewer knows them.

Each publishable table of a stage folder becomes a config: its main one under the folder's name, others as
`<name>-<table>`, such as `chains-turns`. Rows that name their split (column `split`, or `source.split` of dialogues) go
to it, all others to `train`.
The files are `<config>/<split>-00000-of-0000N.parquet`.

    configs = read_configs([Path("runs/mine/annotated"), Path("runs/mine/chains")])
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sage_data.errors import ConfigError, InputError
from sage_data.publishing.licenses import unstated
from sage_data.store.manifest import Manifest, Origin, read_manifest
from sage_data.store.shards import shard_paths

TABLES = ("dialogues", "messages", "completions", "conversations", "turns", "scenarios")
"""Tables that can be published; the first one that a folder holds is its main table."""
SPLIT = "split"
SOURCE = "source"
"""Struct of dialogues that holds their `split`, where the corpus has splits."""
WHOLE = "train"
"""Split of rows that name none."""
ORDER = (WHOLE, "validation", "dev", "test")
"""Splits that come first, in this order; others follow as they occur."""


@dataclass(frozen=True, slots=True)
class Split:
    """One split of a config."""

    name: str
    rows: int
    bytes: int
    """Size of its Parquet files."""
    shards: int


@dataclass(frozen=True, slots=True)
class DatasetConfig:
    """One config of a dataset: a table with one schema."""

    name: str
    table: str
    folder: Path
    """The stage folder that it is made from."""
    manifest: Manifest
    schema: pa.Schema
    splits: tuple[Split, ...]
    default: bool
    """True for the one config that `load_dataset` takes when none is named: the first."""


def read_configs(folders: Sequence[Path]) -> list[DatasetConfig]:
    """The configs of finished stage folders, in the order given, as their shards are now.

    Raises:
        ConfigError: two folders have the same name, or none is given.
        InputError: a folder is not a finished stage's, or holds no table that can be published.
    """
    configs = [config for folder in folders for config in _read(folder)]
    configs[:1] = [replace(first, default=True) for first in configs[:1]]
    names = [config.name for config in configs]
    if not names or len(set(names)) < len(names):
        raise ConfigError(f"expected stage folders with different names, found {', '.join(names) or 'none'}")
    return configs


def tables_in(folder: Path) -> list[str]:
    """Names of the tables of a stage folder that can be published, the main one first.

    Raises:
        InputError: it holds none.
    """
    found = [name for name in TABLES if any(folder.glob(f"{name}-[0-9]*.parquet"))]
    if not found:
        raise InputError(
            f"{folder}: expected a table among {', '.join(TABLES)}; found none",
            next_step="give the folder that a stage wrote",
        )
    return found


def _read(folder: Path) -> Iterator[DatasetConfig]:
    manifest = read_manifest(folder)
    if manifest is None:
        raise InputError(
            f"{folder}: not a finished stage's folder: it has no manifest",
            next_step="give the --out folder of a sage command that ended, or the folder of a stage that did",
        )
    for index, table in enumerate(tables_in(folder)):
        name = f"{manifest.stage}-{table}" if index else manifest.stage
        schema = pq.read_schema(shard_paths(folder, table)[0]).remove_metadata()
        yield DatasetConfig(name, table, folder, manifest, schema, _splits(folder, table), default=False)


def origins_of(configs: Sequence[DatasetConfig]) -> list[Origin]:
    """What the rows of all configs derive from, each once; a folder that names no source counts as one nobody knows."""
    listed = (one for config in configs for one in config.manifest.origins or [unstated(config.manifest.stage)])
    found = {one.model_dump_json(): one for one in listed}
    return [found[key] for key in sorted(found)]


def splits_in(table: pa.Table) -> pa.ChunkedArray | None:
    """The split of each row (rows,), `train` where it names none; None when the table has no such column."""
    if SPLIT in table.column_names:
        named = table[SPLIT]
    elif names_split(table.schema):
        named = pc.struct_field(table[SOURCE], SPLIT)
    else:
        return None
    return pc.fill_null(named.cast(pa.string()), WHOLE)


def names_split(schema: pa.Schema) -> bool:
    """True when a table has a place for the split of each row."""
    if SPLIT in schema.names:
        return True
    kind = schema.field(SOURCE).type if SOURCE in schema.names else pa.null()
    return bool(pa.types.is_struct(kind)) and SPLIT in [field.name for field in kind]


def _splits(folder: Path, table: str) -> tuple[Split, ...]:
    paths = shard_paths(folder, table)
    size = sum(path.stat().st_size for path in paths)
    rows = Counter[str]()
    for path in paths:
        rows.update(_rows_by_split(path))
    if len(rows) < 2:
        return (Split(next(iter(rows), WHOLE), rows.total(), size, len(paths)),)
    names = sorted(rows, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
    return tuple(Split(name, rows[name], size * rows[name] // rows.total(), 1) for name in names)


def _rows_by_split(path: Path) -> dict[str, int]:
    """Split -> rows of one shard that belong to it, in the order in which they occur."""
    with pq.ParquetFile(path) as file:
        if not names_split(file.schema_arrow):
            return {WHOLE: file.metadata.num_rows}
        column = SPLIT if SPLIT in file.schema_arrow.names else f"{SOURCE}.{SPLIT}"
        named = splits_in(file.read(columns=[column]))
    return {one["values"]: one["counts"] for one in pc.value_counts(named).to_pylist()}
