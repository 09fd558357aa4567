"""What a published dataset consists of: configs, their splits and columns, as the Hub's viewer knows them.

Each publishable table of a stage folder becomes a config: its main one under the folder's name, others as
`<name>-<table>`, such as `chains-turns`. A table is one split, `train`, unless its rows name their splits, as scenarios
do.
The files are `<config>/<split>-00000-of-0000N.parquet`.

    configs = read_configs([Path("runs/mine/annotated"), Path("runs/mine/chains")])
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sage_data.errors import ConfigError, InputError
from sage_data.store.manifest import Manifest, read_manifest
from sage_data.store.shards import read_table, shard_paths

TABLES = ("dialogues", "messages", "completions", "conversations", "turns", "scenarios")
"""Tables that can be published; the first one that a folder holds is its main table."""
SPLIT = "split"
WHOLE = "train"
"""Split of a table whose rows name none."""


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
        raise InputError(f"{folder}: not a finished stage's folder: it has no manifest", next_step="sage plan RECIPE")
    for index, table in enumerate(tables_in(folder)):
        name = f"{manifest.stage}-{table}" if index else manifest.stage
        schema = pq.read_schema(shard_paths(folder, table)[0]).remove_metadata()
        yield DatasetConfig(name, table, folder, manifest, schema, _splits(folder, table, schema), default=False)


def _splits(folder: Path, table: str, schema: pa.Schema) -> tuple[Split, ...]:
    paths = shard_paths(folder, table)
    size = sum(path.stat().st_size for path in paths)
    if SPLIT not in schema.names:
        rows = sum(pq.read_metadata(path).num_rows for path in paths)
        return (Split(WHOLE, rows, size, len(paths)),)
    counted = pc.value_counts(read_table(folder, table, [SPLIT])[SPLIT]).to_pylist()
    total = sum(one["counts"] for one in counted)
    return tuple(Split(one["values"], one["counts"], size * one["counts"] // total, 1) for one in counted)
