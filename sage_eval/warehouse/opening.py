"""Open one warehouse, or several under names: views over their Parquet in a database that is then locked.

One warehouse has its tables under their own names. Of several, each has a schema of its name (`a.turns`); bare names
mean the first one, and `all_runs.turns` has the rows of all, with the column `run` first. Bare names do not mean all of
them because stages of different runs share their names, so that every join would mix rows of different runs.

    connect("runs/quickstart")
    connect({"old": "runs/old", "new": "hf://datasets/OWNER/NAME@REVISION", "far": "s3://bucket/run"})
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sage_data.errors import ConfigError, InputError, SchemaVersionError
from sage_data.inputs import is_url
from sage_eval.warehouse.contract import MARKER, SCHEMA_VERSION, TABLES, Table, sql_files
from sage_eval.warehouse.database import (
    Connection,
    DatabaseError,
    Declared,
    create_schema,
    declared_tables,
    identifier,
    lock,
    open_memory,
    parquet_view,
    set_comments,
    use_schema,
)
from sage_eval.warehouse.remote import fetch

ALL_RUNS = "all_runs"
"""Schema of the rows of all warehouses that are open under names."""
RUN = "run"
"""Column that says in it which warehouse a row is from."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_TAKEN = {ALL_RUNS, "main", "temp", "system", "memory", "information_schema", "pg_catalog"}
Location = Path | str
Warehouses = Location | Mapping[str, Location]
"""A warehouse or run folder, local or behind a URL; or several by name."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A warehouse as it lies on this machine."""

    folder: Path
    shards: Mapping[str, Sequence[Path]]
    """Table -> its Parquet files in order."""

    @property
    def files(self) -> list[Path]:
        """Every Parquet file of it."""
        return [shard for listed in self.shards.values() for shard in listed]


def connect(warehouses: Warehouses, *, memory_limit: str = "2GB") -> Connection:
    """Open warehouses: a locked in-memory DuckDB connection with one view per table. Close it after use.

    Args:
        warehouses: a warehouse or run folder, or several by name (see above). `hf://` and `s3://` are read over the
            network, into a private cache; nothing else is.
        memory_limit: what a query may use, for example "2GB".

    Raises:
        ConfigError: a name cannot be used, or a URL's file system is unknown.
        InputError: there is no warehouse, or one of its files is missing, damaged or a symbolic link.
        MissingDependencyError: a package that reads a URL is not installed.
        SchemaVersionError: a newer version of this software wrote it.
    """
    found = open_all(warehouses)
    connection = open_memory(memory_limit)
    try:
        create_all(connection, found)
        lock(connection, [file for one in found.values() for file in one.files])
    except DatabaseError as error:
        connection.close()
        listed = ", ".join(str(one.folder) for one in found.values())
        raise InputError(f"{listed}: cannot open the warehouse: {error}", next_step="run its stage again") from error
    return connection


def open_all(warehouses: Warehouses) -> dict[str | None, Opened]:
    """Find (and fetch) every warehouse and its files; a single one without a name has the name None.

    Raises:
        ConfigError: a name cannot be used.
        InputError: as `connect`.
    """
    if isinstance(warehouses, Mapping):
        check_names(list(warehouses))
        return {name: _opened(location) for name, location in warehouses.items()}
    return {None: _opened(warehouses)}


def check_names(names: Sequence[str]) -> None:
    """Refuse names that are no plain identifiers, that DuckDB or this module uses, or that differ in case only.

    Raises:
        ConfigError: one of them is.
    """
    if not names:
        raise ConfigError("expected at least one warehouse, found none")
    for name in names:
        if not _NAME.fullmatch(name):
            raise ConfigError(f"a warehouse cannot be called {name!r}: expected letters, digits and _, no digit first")
        if name.lower() in _TAKEN or name.lower().startswith("duckdb"):
            raise ConfigError(f"a warehouse cannot be called {name!r}: the name has a meaning already")
        if [other.lower() for other in names].count(name.lower()) > 1:
            raise ConfigError(f"two warehouses are called {name!r} (upper and lower case are one)")


def find_warehouse(path: Path) -> Path:
    """The warehouse at `path`: the folder itself, or the one stage of the run folder `path` that is one.

    Raises:
        InputError: there is none, or there are several, or it is a symbolic link.
    """
    if (path / MARKER).is_file():
        return path
    found = sorted(marker.parent for marker in path.glob(f"*/{MARKER}")) if path.is_dir() else []
    if len(found) == 1:
        if found[0].is_symlink():
            raise InputError(f"{found[0]}: a symbolic link inside a run folder, expected a folder; name it itself")
        return found[0]
    what = f"found {len(found)}: {', '.join(folder.name for folder in found)}" if found else "found none"
    raise InputError(
        f"{path}: expected a warehouse folder (with {MARKER}) or a run folder that holds one; {what}",
        next_step="sage run quickstart makes one; or name it: sage eval sql --warehouse RUN/STAGE ...",
    )


def _opened(location: Location) -> Opened:
    folder = fetch(location) if isinstance(location, str) and is_url(location) else find_warehouse(Path(location))
    _check_version(folder)
    return Opened(folder, {table.name: _shards(folder, table) for table in TABLES})


def _check_version(folder: Path) -> None:
    marker = folder / MARKER
    if marker.is_symlink():
        raise InputError(f"{marker}: a symbolic link, expected a regular file; links are not followed")
    try:
        version = int(json.loads(marker.read_text(encoding="utf-8"))["schema_version"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{marker}: not a warehouse marker: {error}", next_step="run its stage again") from error
    if version > SCHEMA_VERSION:
        raise SchemaVersionError(
            f"{folder}: warehouse schema {version} is newer than {SCHEMA_VERSION}, the newest this version reads",
            next_step="pip install --upgrade sage-dialogue",
        )


def _shards(folder: Path, table: Table) -> list[Path]:
    found = sorted(folder.glob(f"{table.name}-[0-9][0-9][0-9][0-9][0-9].parquet"))
    for shard in found:
        if shard.is_symlink():
            raise InputError(f"{shard}: a symbolic link, expected a regular file; links are not followed")
    return [shard.resolve() for shard in found]


def create_all(connection: Connection, found: Mapping[str | None, Opened], start: Path | None = None) -> None:
    """Make the views of every warehouse, in a schema of its name where it has one, and those over all of them.

    Args:
        connection: an empty database.
        found: the warehouses; bare names will mean the first.
        start: folder that the views' paths are relative to; absolute paths without one.

    Raises:
        InputError: a file is not Parquet.
    """
    # One transaction: each of a thousand statements would otherwise be put on the disk by itself.
    connection.execute("BEGIN")
    for name, opened in found.items():
        if name is not None:
            create_schema(connection, name)
            use_schema(connection, name)
        _create_views(connection, opened, start)
    names = [name for name in found if name is not None]
    if names:
        _create_unions(connection, names)
        use_schema(connection, names[0])
    connection.execute("COMMIT")


@cache
def declared() -> dict[str, Declared]:
    """Every table as `sql/tables/` declares it; read once, for it takes longer than to open a warehouse."""
    with open_memory() as connection:
        connection.execute("".join(table.ddl for table in TABLES))
        return declared_tables(connection)


def _create_views(connection: Connection, opened: Opened, start: Path | None) -> None:
    """Make a view of the declared columns and comments over the Parquet of each table, then the derived views."""
    statements = []
    for name, files in opened.shards.items():
        paths = [_from(start, file) for file in files]
        statements.append(parquet_view(declared()[name], paths, _columns(files)))
    connection.execute(";".join(statements))
    for view in sql_files("views").values():
        connection.execute(view.read_text(encoding="utf-8"))
    set_comments(connection, list(declared().values()))


def _from(start: Path | None, file: Path) -> str:
    return str(file) if start is None else Path(os.path.relpath(file, start)).as_posix()


def _columns(files: Sequence[Path]) -> set[str]:
    """Every column that one of the files has."""
    found: set[str] = set()
    for file in files:
        try:
            found.update(pq.read_schema(file).names)
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                f"{file.parent}: cannot open the warehouse: {file.name}: {error}", next_step="run its stage again"
            ) from error
    return found


def _create_unions(connection: Connection, names: Sequence[str]) -> None:
    described = declared_tables(connection)
    create_schema(connection, ALL_RUNS)
    use_schema(connection, ALL_RUNS)
    union = " UNION ALL BY NAME "
    about = f"{RUN}: name of the warehouse that the row is from."
    made = []
    for table in described.values():
        parts = (f"FROM {identifier(one)}.{identifier(table.name)} SELECT '{one}' AS {RUN}, *" for one in names)
        connection.execute(f"CREATE VIEW {identifier(table.name)} AS {union.join(parts)}")
        made.append(Declared(table.name, f"{table.comment} ({about})", table.columns))
        comment = "Name of the warehouse that the row is from."
        connection.execute(f"COMMENT ON COLUMN {identifier(table.name)}.{RUN} IS '{comment}'")
    set_comments(connection, made)
