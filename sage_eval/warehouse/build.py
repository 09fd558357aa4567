"""Fill the declared tables from the stages' Parquet, one table after the other, and write them back as sorted Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from sage_data.errors import InputError
from sage_eval.warehouse.contract import Table
from sage_eval.warehouse.database import Connection, DatabaseError, identifier, quoted
from sage_eval.warehouse.sources import Row, StageRun, columns_of

SHARD_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Declared:
    """One column as `sql/tables/` declares it."""

    name: str
    type: str
    required: bool


def declared_columns(connection: Connection, table: str) -> list[Declared]:
    """Columns of a table of the connection, in order."""
    rows = connection.execute(
        "SELECT column_name, data_type, NOT is_nullable FROM duckdb_columns() "
        "WHERE table_name = ? AND schema_name = 'main' ORDER BY column_index",
        [table],
    ).fetchall()
    return [Declared(*row) for row in rows]


def fill(connection: Connection, table: Table, runs: Sequence[StageRun], rows: Sequence[Row]) -> list[str]:
    """Create one table and insert its rows; returns warnings about columns that it has no place for.

    Raises:
        InputError: a stage's Parquet lacks a required column, or holds a value of another type.
    """
    connection.execute(table.ddl)
    if table.family is None:
        _insert_rows(connection, table.name, rows)
        return []
    declared = declared_columns(connection, table.name)
    warnings: list[str] = []
    for run in runs:
        if run.shards(table.family):
            warnings += _insert_shards(connection, table, run, declared)
    return warnings


def _insert_rows(connection: Connection, name: str, rows: Sequence[Row]) -> None:
    if rows:
        connection.register("given", pa.Table.from_pylist(list(rows)))
        connection.execute(f"INSERT INTO {identifier(name)} BY NAME SELECT * FROM given")
        connection.unregister("given")


def _insert_shards(connection: Connection, table: Table, run: StageRun, declared: Sequence[Declared]) -> list[str]:
    shards = run.shards(table.family or "")
    present = list(dict.fromkeys(column for shard in shards for column in columns_of(shard)))
    _open_source(connection, table, run, present)
    warnings: list[str] = []
    select = table.select
    if select is None:
        select, warnings = _take_over(table, run, declared, present)
    try:
        connection.execute(f"INSERT INTO {identifier(table.name)} BY NAME {select}")
    except DatabaseError as error:
        raise InputError(
            f"{run.path}: {table.family}-*.parquet does not fit the table {table.name}: {error}",
            next_step=f"run the stage {run.label} again with this version",
        ) from error
    return warnings


def _open_source(connection: Connection, table: Table, run: StageRun, present: Sequence[str]) -> None:
    files = ", ".join(quoted(str(shard)) for shard in run.shards(table.family or ""))
    kept = "* EXCLUDE (stage)" if "stage" in present else "*"
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW source_{(table.family or '').replace('/', '_')} AS "
        f"SELECT {quoted(run.label)} AS stage, {kept} FROM read_parquet([{files}], union_by_name = true)"
    )


def _take_over(
    table: Table, run: StageRun, declared: Sequence[Declared], present: Sequence[str]
) -> tuple[str, list[str]]:
    here = {"stage", *present}
    missing = [column.name for column in declared if column.required and column.name not in here]
    if missing:
        raise InputError(
            f"{run.path}: {table.family}-*.parquet has no column {', '.join(missing)}; it has {', '.join(present)}",
            next_step=f"run the stage {run.label} again with this version",
        )
    taken = [column.name for column in declared if column.name in here]
    extra = [column for column in present if column not in taken]
    warnings = [f"{run.label}: {table.family} has columns the warehouse does not take: {', '.join(extra)}"]
    columns = ", ".join(identifier(name) for name in taken)
    return f"SELECT {columns} FROM source_{(table.family or '').replace('/', '_')}", warnings if extra else []


def read_back(connection: Connection, table: Table) -> Iterator[pa.Table]:
    """Yield a filled table in its order, at most `SHARD_ROWS` rows at a time; one empty table when it has no rows."""
    order = f" ORDER BY {', '.join(table.order)}" if table.order else ""
    reader = connection.execute(f"SELECT * FROM {identifier(table.name)}{order}").to_arrow_reader(SHARD_ROWS)
    empty = True
    pending: list[pa.RecordBatch] = []
    for batch in reader:
        pending.append(batch)
        if sum(one.num_rows for one in pending) >= SHARD_ROWS:
            yield pa.Table.from_batches(pending, schema=reader.schema)
            pending, empty = [], False
    if pending or empty:
        yield pa.Table.from_batches(pending, schema=reader.schema)
