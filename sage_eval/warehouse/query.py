"""Ask warehouses in SQL, safely: one SELECT, read-only, no file but their own, limited time and memory.

result = query(Path("runs/quickstart/warehouse"), "SELECT count(*) FROM turns")
result.rows(), result.arrow(), result.polars()
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sage_data.errors import ConfigError, MissingDependencyError
from sage_eval.warehouse.contract import TABLES
from sage_eval.warehouse.database import Connection, DatabaseError, Declared, OutOfMemory, declared_tables, limit_of
from sage_eval.warehouse.guard import LIST_HINT, QueryError, check
from sage_eval.warehouse.opening import Warehouses, connect

if TYPE_CHECKING:
    import polars

__all__ = ["QueryError", "Result", "ask", "connect", "describe", "query"]

BATCH_ROWS = 100_000
"""Rows of an answer that are taken over at a time."""


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

    def arrow(self) -> pa.Table:
        """The answer as an Arrow table."""
        return self.table

    def polars(self) -> polars.DataFrame:
        """The answer as a polars frame; of two columns with one name, polars refuses both.

        Raises:
            MissingDependencyError: polars is not installed.
            QueryError: two columns share a name.
        """
        try:
            import polars
        except ImportError as error:
            raise MissingDependencyError(
                "a polars frame needs the package polars, which is not installed",
                next_step="pip install 'sage-dialogue[eval]'",
            ) from error
        refuse_twins(self)
        frame = polars.from_arrow(self.table)
        assert isinstance(frame, polars.DataFrame)
        return frame

    def records(self) -> list[dict[str, Any]]:
        """All rows as dictionaries; of two columns with one name the last wins."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows()]


def query(warehouses: Warehouses, sql: str, *, timeout_s: float = 60.0, memory_limit: str = "2GB") -> Result:
    """Answer one SELECT from a warehouse, or from several by name (see `connect`).

    Raises:
        QueryError: it is not exactly one SELECT, DuckDB refuses it, it runs longer than `timeout_s` seconds, or it
            needs more memory than `memory_limit` (while it is worked out, or for its answer).
        InputError: there is no readable warehouse.
        SchemaVersionError: a newer version of this software wrote it.
    """
    with connect(warehouses, memory_limit=memory_limit) as connection:
        return ask(connection, sql, timeout_s=timeout_s)


def ask(connection: Connection, sql: str, *, timeout_s: float = 60.0) -> Result:
    """Answer one SELECT on an open warehouse.

    Raises:
        QueryError: as `query`.
    """
    if timeout_s <= 0:
        raise ConfigError(f"timeout: expected seconds above 0, found {timeout_s}")
    check(connection, sql)
    limit = limit_of(connection)
    with _interrupted_after(connection, timeout_s) as stopped:
        try:
            return Result(sql, _collect(connection.sql(sql).to_arrow_reader(BATCH_ROWS), limit))
        # What goes wrong between two batches comes through Arrow, as an error of its own or as an OSError.
        except (DatabaseError, pa.ArrowException, OSError, MemoryError) as error:
            if stopped.is_set():
                raise QueryError(
                    f"the query was stopped after {timeout_s:g} s", next_step="narrow it, or raise --timeout"
                ) from error
            if isinstance(error, MemoryError | OutOfMemory):
                raise QueryError(
                    f"the query needs more memory than its limit of {limit / 1e6:.0f} MB",
                    next_step="narrow it, or raise --memory",
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


def refuse_twins(result: Result) -> None:
    """Refuse an answer of which a form that knows columns by name would lose one.

    Raises:
        QueryError: two columns share a name.
    """
    twins = sorted({name for name in result.columns if result.columns.count(name) > 1})
    if twins:
        raise QueryError(f"two columns are called {', '.join(twins)}", next_step="name them apart with AS")


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
