"""Parquet shards: written atomically, with the counts of what went into them in their own footer.

Because a shard and its counts are one file, a killed stage can count what its finished shards hold without redoing
them. Rejected rows are written before the shard that dropped them, so a finished shard always has its rejects.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sage_data.errors import DamagedFileError, InputError
from sage_data.store.files import atomic_path
from sage_data.store.manifest import Counts

COUNTS_KEY = b"sage.counts"
REJECTED = "rejected"
"""Subfolder of a stage's rejected rows, in shards of the same numbers as those that rejected them."""
ROW_GROUP_ROWS = 65_536
_STORY = {"role", "emotion", "motivation", "topics", "model", "judge", "verdict", "status"}
_ORIGIN = {"corpus", "place", "file", "files", "reason", "split"}
REPETITIVE = frozenset(_STORY | _ORIGIN)
"""Names of columns whose values come again and again."""
WRITERS = {
    "dialogues": "`sage data load`, `sage data reddit`, `sage data annotate` or `sage eval rollout`",
    "scenarios": "`sage data scenarios`",
    "messages": "`sage data sac`",
    "turns": "`sage data sac`",
    "candidates": "`sage model search`",
    "steering": "`sage model steer`",
    "pair_verdicts": "`sage eval judge`",
    "bench_metrics": "`sage eval bench`",
    "bench_samples": "`sage eval bench`",
}
"""Table -> the commands that write it, for whoever gave a folder without it."""


def shard_name(name: str, index: int) -> str:
    """File name of shard `index`, for example `dialogues-00003.parquet`."""
    return f"{name}-{index:05d}.parquet"


def write_table(path: Path, table: pa.Table, counts: Iterable[Counts] = ()) -> None:
    """Write one Parquet file atomically: zstd, deterministic, row groups of at most `ROW_GROUP_ROWS` rows.

    Only columns of few distinct values get a dictionary: for ids and texts it costs more than it saves.
    """
    packed = json.dumps([one.model_dump(mode="json") for one in counts], sort_keys=True).encode()
    metadata = {**(table.schema.metadata or {}), COUNTS_KEY: packed}
    with atomic_path(path) as temporary:
        pq.write_table(
            table.replace_schema_metadata(metadata),
            temporary,
            compression="zstd",
            row_group_size=ROW_GROUP_ROWS,
            use_dictionary=[path for path, name in _leaves(table.schema) if name in REPETITIVE],
        )


def _leaves(fields: Iterable[pa.Field], above: str = "", name: str = "") -> Iterator[tuple[str, str]]:
    """Parquet's path of each column that holds values, with the name of the innermost field a person named."""
    for field in fields:
        path = f"{above}{field.name}"
        own = name if field.name == "element" and name else field.name
        if pa.types.is_nested(field.type):
            inner = field.type
            children = [inner.field(index) for index in range(inner.num_fields)]
            if pa.types.is_struct(inner):
                yield from _leaves(children, f"{path}.", own)
            else:
                yield from _leaves([child.with_name("element") for child in children], f"{path}.list.", own)
        else:
            yield path, own


def read_counts(path: Path) -> list[Counts]:
    """Counts stored in a shard's footer.

    Raises:
        DamagedFileError: the file is not Parquet.
    """
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (pa.ArrowInvalid, OSError) as error:
        raise DamagedFileError(f"{path}: not a readable Parquet file: {error}") from error
    return [Counts.model_validate(raw) for raw in json.loads(metadata.get(COUNTS_KEY, b"[]"))]


def total_counts(shards: Iterable[Path]) -> list[Counts]:
    """Add up the counts of many shards, one result per unit, in order of first appearance."""
    totals: dict[str, Counts] = {}
    for shard in shards:
        for counts in read_counts(shard):
            totals[counts.unit] = totals[counts.unit] + counts if counts.unit in totals else counts
    return list(totals.values())


def shard_paths(folder: Path, name: str) -> list[Path]:
    """All shards of a table in order. Numbers may be missing: a shard that rejected nothing leaves no rejects.

    Raises:
        InputError: there is none.
    """
    found = sorted(folder.glob(f"{name}-[0-9][0-9][0-9][0-9][0-9]*.parquet"))
    if not found:
        raise InputError(
            f"{folder}: expected files {name}-00000.parquet, ...; found none",
            next_step=f"give the --out folder of {WRITERS.get(name, 'the command that writes them')}, or in a recipe, "
            "the stage that writes them",
        )
    return found


def read_table(folder: Path, name: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Read all shards of a table into memory.

    Raises:
        InputError: there is none.
    """
    return pa.concat_tables(read_shards(folder, name, columns), promote_options="default")


def read_shards(folder: Path, name: str, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Read the shards of a table one after another.

    Raises:
        InputError: there is none.
        DamagedFileError: one of them is not Parquet.
    """
    for path in shard_paths(folder, name):
        try:
            yield pq.read_table(path, columns=columns)
        except (pa.ArrowInvalid, OSError) as error:
            raise DamagedFileError(f"{path}: not a readable Parquet file: {error}") from error
