"""Fill the declared tables from the stages' Parquet, one table after the other, and read them back sorted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from sage_data.errors import InputError
from sage_eval.warehouse.contract import Table
from sage_eval.warehouse.database import (
    Column,
    Connection,
    DatabaseError,
    Relation,
    as_declared,
    declared_tables,
    quoted,
    read_parquet,
)
from sage_eval.warehouse.sources import Row, StageRun

SHARD_ROWS = 1_000_000


def fill(connection: Connection, table: Table, runs: Sequence[StageRun], rows: Sequence[Row]) -> list[str]:
    """Create one table and insert its rows; returns warnings about columns that it has no place for.

    Args:
        connection: a database that holds the tables made from manifests already.
        table: the table to fill.
        runs: the stages whose shards are taken when the table is made of a family of shards.
        rows: its rows when it is made from manifests.

    Raises:
        InputError: a stage's Parquet lacks a required column, or holds a value of another type.
    """
    connection.execute(table.ddl)
    declared = declared_tables(connection)[table.name].columns
    if table.family is None:
        if rows:
            given = connection.from_arrow(pa.Table.from_pylist(list(rows)))
            as_declared(given, declared).insert_into(table.name)
        return []
    warnings: list[str] = []
    for run in runs:
        for family in run.families(table.family):
            try:
                warnings += _insert_shards(connection, table, run, family, declared)
            except DatabaseError as error:
                raise InputError(
                    f"{run.path}: {family}-*.parquet does not fit the table {table.name}: {error}",
                    next_step=f"run the stage {run.label} again with this version",
                ) from error
    return warnings


def _insert_shards(
    connection: Connection, table: Table, run: StageRun, family: str, declared: Sequence[Column]
) -> list[str]:
    source = read_parquet(connection, run.shards(family))
    kept = "* EXCLUDE (stage)" if "stage" in source.columns else "*"
    named = quoted(family.removeprefix("rejected/"))
    source = source.project(f"{quoted(run.label)} AS stage, {named} AS family, {kept}")
    source = _with_later(source, table)
    warnings: list[str] = []
    if table.select is not None and (table.only_if is None or table.only_if in source.columns):
        source.create_view("source", replace=True)
        source = connection.sql(table.select)
    else:
        extra = sorted(set(source.columns) - {column.name for column in declared} - {"family"})
        if extra:
            warnings.append(f"{run.label}: {family} has columns that the warehouse leaves out: {', '.join(extra)}")
    _check_required(run, family, source, declared)
    as_declared(source, declared).insert_into(table.name)
    return warnings


def _with_later(source: Relation, table: Table) -> Relation:
    named = [tuple(one.split(" ", 1)) for one in table.later]
    added = [f"CAST(NULL AS {kind}) AS {name}" for name, kind in named if name not in source.columns]
    return source.project(", ".join(["*", *added])) if added else source


def _check_required(run: StageRun, family: str, source: Relation, declared: Sequence[Column]) -> None:
    missing = [column.name for column in declared if column.required and column.name not in source.columns]
    if missing:
        raise InputError(
            f"{run.path}: {family}-*.parquet has no column {', '.join(missing)}; it has {', '.join(source.columns)}",
            next_step=f"run the stage {run.label} again with this version",
        )


def read_back(connection: Connection, table: Table) -> Iterator[pa.Table]:
    """Yield a filled table in its order, at most `SHARD_ROWS` rows at a time; one empty table when it has no rows."""
    relation = connection.table(table.name)
    if table.order:
        relation = relation.order(", ".join(table.order))
    reader = relation.to_arrow_reader(SHARD_ROWS)
    pending: list[pa.RecordBatch] = []
    rows, parts = 0, 0
    for batch in reader:
        pending.append(batch)
        rows += batch.num_rows
        if rows >= SHARD_ROWS:
            yield pa.Table.from_batches(pending)
            pending, rows, parts = [], 0, parts + 1
    if pending or not parts:
        yield pa.Table.from_batches(pending, schema=reader.schema)
