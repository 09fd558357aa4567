"""Ask the warehouse in SQL, safely: one SELECT, read-only, no file but the warehouse's own, limited time and memory.

result = query(Path("runs/quickstart/warehouse"), "SELECT count(*) FROM turns")
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from sage_data.errors import ConfigError, InputError, SageError, SchemaVersionError
from sage_eval.warehouse.contract import MARKER, SCHEMA_VERSION, TABLES, Table, sql_files
from sage_eval.warehouse.database import (
    Connection,
    DatabaseError,
    Declared,
    StatementType,
    as_declared,
    declared_tables,
    limit_of,
    lock,
    open_memory,
    read_parquet,
    set_comments,
)

LIST_HINT = "sage eval sql --list shows every table and column"
BATCH_ROWS = 100_000
"""Rows of an answer that are taken over at a time."""


class QueryError(SageError):
    """The SQL was refused, is wrong, took too long, or its answer is too large or unreadable (exit code 2)."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Result:
    """What a query answered."""

    sql: str
    table: pa.Table

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(self.table.column_names)

    def rows(self) -> list[tuple[Any, ...]]:
        """All rows as Python values.

        Raises:
            QueryError: a value has no Python form, for example a date beyond the year 9999.
        """
        return list(zip(*map(self._values, range(self.table.num_columns)), strict=True))

    def _values(self, index: int) -> list[Any]:
        try:
            return list(self.table.column(index).to_pylist())
        except (OverflowError, ValueError, pa.ArrowException) as error:
            field = self.table.schema.field(index)
            raise QueryError(
                f"column {field.name} ({field.type}) holds a value that cannot be shown: {error}",
                next_step=f"cast it: CAST({field.name} AS VARCHAR); or write Parquet, which keeps it",
            ) from error

    def records(self) -> list[dict[str, Any]]:
        """All rows as dictionaries; of two columns with one name the last wins."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows()]


def find_warehouse(path: Path) -> Path:
    """The warehouse at `path`: the folder itself, or the one stage of the run folder `path` that is one.

    Raises:
        InputError: there is none, or there are several.
    """
    if (path / MARKER).is_file():
        return path
    found = sorted(marker.parent for marker in path.glob(f"*/{MARKER}")) if path.is_dir() else []
    if len(found) == 1:
        return found[0]
    what = f"found {len(found)}: {', '.join(folder.name for folder in found)}" if found else "found none"
    raise InputError(
        f"{path}: expected a warehouse folder (with {MARKER}) or a run folder that holds one; {what}",
        next_step="sage run quickstart makes one; or name it: sage eval sql --warehouse RUN/STAGE ...",
    )


def connect(path: Path, *, memory_limit: str = "2GB") -> Connection:
    """Open a warehouse: a locked in-memory DuckDB connection with one view per table. Close it after use.

    Raises:
        InputError: `path` holds no warehouse, or one of its files is missing, damaged or a symbolic link.
        SchemaVersionError: a newer version of this software wrote it.
    """
    folder = find_warehouse(path)
    _check_version(folder)
    shards = {table.name: _shards(folder, table) for table in TABLES}
    connection = open_memory(memory_limit)
    try:
        _create_views(connection, shards)
        lock(connection, [shard for listed in shards.values() for shard in listed])
    except DatabaseError as error:
        connection.close()
        raise InputError(f"{folder}: cannot open the warehouse: {error}", next_step="run its stage again") from error
    return connection


def _check_version(folder: Path) -> None:
    try:
        version = json.loads((folder / MARKER).read_text(encoding="utf-8"))["schema_version"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder / MARKER}: not a warehouse marker: {error}", next_step="run its stage again"
        ) from error
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


def _create_views(connection: Connection, shards: dict[str, list[Path]]) -> None:
    """Replace each declared, empty table by a view of the same columns and comments over its Parquet."""
    connection.execute("".join(table.ddl for table in TABLES))
    declared = declared_tables(connection)
    for name, files in shards.items():
        if files:
            connection.execute(f"DROP TABLE {name}")
            as_declared(read_parquet(connection, files), declared[name].columns).create_view(name)
    for view in sql_files("views").values():
        connection.execute(view.read_text(encoding="utf-8"))
    set_comments(connection, [declared[name] for name, files in shards.items() if files])


def query(path: Path, sql: str, *, timeout_s: float = 60.0, memory_limit: str = "2GB") -> Result:
    """Answer one SELECT from the warehouse at `path`.

    Raises:
        QueryError: it is not exactly one SELECT, DuckDB refuses it, it runs longer than `timeout_s` seconds, or it
            needs more memory than `memory_limit` (while it is worked out, or for its answer).
        InputError: `path` holds no readable warehouse.
        SchemaVersionError: a newer version of this software wrote it.
    """
    with connect(path, memory_limit=memory_limit) as connection:
        return ask(connection, sql, timeout_s=timeout_s)


def ask(connection: Connection, sql: str, *, timeout_s: float = 60.0) -> Result:
    """Answer one SELECT on an open warehouse.

    Raises:
        QueryError: as `query`.
    """
    if timeout_s <= 0:
        raise ConfigError(f"timeout: expected seconds above 0, found {timeout_s}")
    _check_single_select(connection, sql)
    limit = limit_of(connection)
    with _interrupted_after(connection, timeout_s) as stopped:
        try:
            return Result(sql, _collect(connection.sql(sql).to_arrow_reader(BATCH_ROWS), limit))
        # What goes wrong between two batches comes through Arrow, as an error of its own or as an OSError.
        except (DatabaseError, pa.ArrowException, OSError) as error:
            if stopped.is_set():
                raise QueryError(
                    f"the query was stopped after {timeout_s:g} s", next_step="narrow it, or raise --timeout"
                ) from error
            raise QueryError(str(error).strip(), next_step=LIST_HINT) from error


def _collect(reader: pa.RecordBatchReader, limit: int) -> pa.Table:
    """The whole answer, which counts against the memory limit too: DuckDB itself limits only its working memory."""
    batches, size = [], 0
    for batch in reader:
        size += batch.nbytes
        if size > limit:
            raise QueryError(
                f"the answer is larger than the memory limit of {limit / 1e6:.0f} MB",
                next_step="add LIMIT, aggregate, or raise --memory",
            )
        batches.append(batch)
    return pa.Table.from_batches(batches, schema=reader.schema)


def _check_single_select(connection: Connection, sql: str) -> None:
    try:
        statements = connection.extract_statements(sql)
    except DatabaseError as error:
        raise QueryError(str(error).strip(), next_step=LIST_HINT) from error
    if len(statements) != 1:
        raise QueryError(f"expected exactly one SELECT, found {len(statements)} statements", next_step=LIST_HINT)
    kind = statements[0].type
    if kind != StatementType.SELECT:
        raise QueryError(
            f"only SELECT is answered, found {kind.name}: the warehouse is read-only",
            next_step="write results with --csv, --json or --parquet",
        )


@contextmanager
def _interrupted_after(connection: Connection, seconds: float) -> Iterator[threading.Event]:
    """Stop what runs inside after a time; the event tells that this happened."""
    stopped = threading.Event()

    def stop() -> None:
        stopped.set()
        connection.interrupt()

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield stopped
    finally:
        timer.cancel()
        timer.join()


def describe(connection: Connection) -> list[tuple[Declared, int | None]]:
    """Every table of an open warehouse with its number of rows, then every derived view with None."""
    declared = declared_tables(connection)
    stored = [table.name for table in TABLES]
    derived = sorted(set(declared) - set(stored))
    counted = [(declared[name], connection.table(name).count("*").fetchall()[0][0]) for name in stored]
    return [*counted, *((declared[name], None) for name in derived)]
