"""The folder that is published: made from scratch by allow list, so that nothing else can get into it.

Read are the shards of the configs' tables, and only those that its manifest names, with the bytes it names.
Written are `<config>/<split>-00000-of-0000N.parquet` by `sage_data.publishing.shaping`, one schema a config.

    staged = stage_tables(read_configs([Path("annotated")]), Path("out/dataset"), Plan(shard_bytes=256 << 20))
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sage_data.errors import ConfigError, InputError, PublishError
from sage_data.publishing.layout import SPLIT, DatasetConfig, Split, splits_in
from sage_data.publishing.places import public_models
from sage_data.publishing.shaping import published_schema, write_split
from sage_data.publishing.withholding import (
    NOTHING,
    Traced,
    drop_tombstones,
    from_comments,
    hashed,
    must_withhold,
    trace,
    withhold,
)
from sage_data.stage import Counts
from sage_data.store.files import sha256_file
from sage_data.store.shards import read_table, shard_paths

REWRITES = "rewrites"
"""Table in which an annotator keeps the words that it replaced."""
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)
_DATA_FILE = re.compile(r"[^/]+/[^/]+-\d{5}-of-\d{5}\.parquet")
_SPLIT = re.compile(r"\w+(?:\.\w+)*", re.ASCII)
_PAGE_FILE = re.compile(r"(?:[A-Za-z0-9][\w.-]*/)*[A-Za-z0-9][\w.-]*\.(?:html|css|js|json|svg|parquet)", re.ASCII)
FILES_SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("config", pa.string()),
        ("split", pa.string()),
        ("rows", pa.int64()),
        ("bytes", pa.int64()),
        ("sha256", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done to the rows on their way."""

    shard_bytes: int
    """Bytes of values after which a new file is begun."""
    text_release: bool = False
    """Text stays in even where its origin says that it should not."""
    tombstones: frozenset[str] = frozenset()
    """Ids of comments that must not appear."""


@dataclass(frozen=True, slots=True)
class StagedFile:
    """One file to publish."""

    path: str
    """Relative to the dataset's root, with forward slashes."""
    config: str | None
    split: str | None
    rows: int | None
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Staged:
    """What was written."""

    configs: tuple[DatasetConfig, ...]
    """As published: their schema and splits are those of the files."""
    files: tuple[StagedFile, ...]
    counts: tuple[Counts, ...]
    """Rows of each config that came in, and were dropped for a tombstone."""


def withheld(config: DatasetConfig, plan: Plan) -> bool:
    """True when a config's text stays out."""
    return must_withhold(config.manifest.origins) and not plan.text_release


def stage_tables(configs: Sequence[DatasetConfig], folder: Path, plan: Plan) -> Staged:
    """Write every config's Parquet files into `folder`.

    Raises:
        ConfigError: a config has a name that the Hub does not take.
        InputError: a shard is not what its manifest says, or a split has a name that the Hub does not take.
        PublishError: text cannot be withheld, or tombstoned rows cannot be found.
    """
    for config in configs:
        check_source(config)
    traced = _traced(configs, plan.tombstones)
    published, files, counts = [], [], []
    for config in configs:
        prepare = Preparation(config, plan, traced)
        made = list(_stage_config(config, prepare, folder, plan.shard_bytes))
        files += made
        counts.append(prepare.counts())
        published.append(replace(config, schema=prepare.schema, splits=_splits(made)))
    return Staged(tuple(published), tuple(files), tuple(counts))


def check_source(config: DatasetConfig) -> None:
    """Refuse names that the Hub does not take, and shards that the stage did not write as they are.

    Raises:
        ConfigError: the name cannot be one.
        InputError: there are no rows, or a shard is a link, unknown to the manifest, or changed.
    """
    if not _NAME.fullmatch(config.name):
        raise ConfigError(
            f"expected a folder name of letters, digits, `_`, `-` and `.`, which becomes a config's name; "
            f"found {config.name!r}",
            next_step="write the stage's output under another name",
        )
    if not sum(split.rows for split in config.splits):
        raise InputError(f"{config.folder}: expected rows to publish, found none", next_step="look at its funnel")
    known = {entry.path: entry.sha256 for entry in config.manifest.files}
    for path in shard_paths(config.folder, config.table):
        if path.is_symlink() or known.get(path.name) != sha256_file(path):
            raise InputError(
                f"{path}: expected a file as the manifest of {config.name} names it; found one that is changed, "
                "added or a link",
                next_step="run the stage that wrote the folder again",
            )


class Preparation:
    """What happens to each table of one config; counts rows as it goes."""

    def __init__(self, config: DatasetConfig, plan: Plan, traced: Traced) -> None:
        self._config, self._plan, self._traced = config, plan, traced
        self._originals = hashed(_rewrites(config)) if withheld(config, plan) else None
        self._comments = from_comments(config.manifest)
        self._came_in = self._dropped = 0
        first = pq.read_schema(shard_paths(config.folder, config.table)[0]).remove_metadata()
        self.schema = published_schema(self._strip(first.empty_table()).schema)

    def tables(self, split: str, *, count: bool) -> Iterator[pa.Table]:
        """The rows of one split to publish, row group by row group of the source."""
        for path in shard_paths(self._config.folder, self._config.table):
            with pq.ParquetFile(path) as file:
                for index in range(file.num_row_groups):
                    yield self._prepared(file.read_row_group(index).replace_schema_metadata(None), path, split, count)

    def counts(self) -> Counts:
        """Rows that came in, stayed and were dropped so far."""
        dropped = {"tombstone": self._dropped} if self._dropped else {}
        kept = self._came_in - self._dropped
        return Counts(unit=f"rows of {self._config.name}", came_in=self._came_in, kept=kept, dropped=dropped)

    def _prepared(self, table: pa.Table, path: Path, split: str, count: bool) -> pa.Table:
        kept, dropped = drop_tombstones(table, self._plan.tombstones, self._traced, comments=self._comments)
        if count:
            self._came_in, self._dropped = self._came_in + table.num_rows, self._dropped + dropped
        stripped = self._strip(public_models(_only(kept, split)))
        if stripped.column_names != self.schema.names:
            raise InputError(
                f"{path}: expected the columns {', '.join(self.schema.names)} as in the first shard; "
                f"found {', '.join(stripped.column_names)}",
                next_step="run the stage that wrote the folder again",
            )
        return stripped

    def _strip(self, table: pa.Table) -> pa.Table:
        return withhold(table, self._originals) if withheld(self._config, self._plan) else table


def _rewrites(config: DatasetConfig) -> pa.Table | None:
    if not any(config.folder.glob(f"{REWRITES}-[0-9]*.parquet")):
        return None
    return read_table(config.folder, REWRITES)


def _traced(configs: Sequence[DatasetConfig], ids: frozenset[str]) -> Traced:
    """The dialogues to publish, so that rows made from them can go with those that hold a tombstoned comment."""
    if not ids:
        return NOTHING
    told = [config for config in configs if "utterances" in config.schema.names]
    free = [config for config in configs if config.table == "scenarios" and not from_comments(config.manifest)]
    harmless: set[str] = set()
    for config in free:
        harmless.update(read_table(config.folder, config.table, ["id"])["id"].to_pylist())
    return trace((table for config in told for table in _named(config)), ids, harmless)


def _named(config: DatasetConfig) -> Iterator[pa.Table]:
    """What the rows of a config name: their ids, their comments and the scenario they were spoken from."""
    columns = [name for name in ("id", "utterances", "scenario_id") if name in config.schema.names]
    for path in shard_paths(config.folder, config.table):
        yield pq.read_table(path, columns=columns)


def _stage_config(config: DatasetConfig, prepare: Preparation, folder: Path, shard_bytes: int) -> Iterator[StagedFile]:
    place = folder / config.name
    for index, split in enumerate(config.splits):
        name = check_split(split.name, config)
        # Rows are read once for each split, and counted the first time.
        tables = prepare.tables(name, count=index == 0)
        for path in write_split(tables, prepare.schema, place, name, shard_bytes):
            rows = pq.read_metadata(path).num_rows
            yield StagedFile(f"{config.name}/{path.name}", config.name, name, rows, *measure(path))


def _only(table: pa.Table, split: str) -> pa.Table:
    named = splits_in(table)
    return table if named is None else table.filter(pc.equal(named, split))


def check_split(name: str, config: DatasetConfig) -> str:
    """A split's name, when the Hub takes it.

    Raises:
        InputError: it does not.
    """
    if not _SPLIT.fullmatch(name):
        raise InputError(
            f"{config.folder}: expected letters and digits in column `{SPLIT}`, found {name!r}",
            next_step="name splits as the Hub takes them, such as train, validation and test",
        )
    return name


def is_data_file(path: str) -> bool:
    """True for names like those of the files that are written here."""
    return _DATA_FILE.fullmatch(path) is not None


def is_page_file(path: str) -> bool:
    """True for names of what static pages are made of; nothing in it, or above it, is hidden."""
    return _PAGE_FILE.fullmatch(path) is not None


def measure(path: Path) -> tuple[int, str]:
    """(size in bytes, SHA-256) of a file."""
    return path.stat().st_size, sha256_file(path)


def _splits(files: Sequence[StagedFile]) -> tuple[Split, ...]:
    by_name: dict[str, list[StagedFile]] = {}
    for one in files:
        by_name.setdefault(str(one.split), []).append(one)
    return tuple(
        Split(name, sum(one.rows or 0 for one in made), sum(one.bytes for one in made), len(made))
        for name, made in by_name.items()
    )


def files_table(files: Sequence[StagedFile]) -> pa.Table:
    """One row a file."""
    rows = [{name: getattr(one, name) for name in FILES_SCHEMA.names} for one in files]
    return pa.Table.from_pylist(rows, schema=FILES_SCHEMA)


def read_files(table: pa.Table) -> tuple[StagedFile, ...]:
    """The inverse of `files_table`."""
    return tuple(StagedFile(**row) for row in table.to_pylist())


def check_staged(folder: Path, files: Sequence[StagedFile]) -> Mapping[str, Path]:
    """Path of each file to publish, by its published name, once its bytes are those that were checked.

    Raises:
        PublishError: a file is a link, or was changed since.
    """
    found = {}
    for one in files:
        path = folder / one.path
        if path.is_symlink() or not path.is_file() or measure(path) != (one.bytes, one.sha256):
            raise PublishError(
                f"{path}: changed after it was checked, or is a link",
                next_step="delete the output folder and publish again",
            )
        found[one.path] = path
    return found
