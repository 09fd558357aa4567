"""The one place that imports DuckDB: opening connections, and locking them before anyone else's SQL runs.

DuckDB's spelling of a few things is kept here too, so that no other module pastes names or paths into SQL.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

Connection = duckdb.DuckDBPyConnection
Relation = duckdb.DuckDBPyRelation
DatabaseError = duckdb.Error
OutOfMemory = duckdb.OutOfMemoryException
StatementType = duckdb.StatementType
_TABLES_HERE = """
SELECT table_name, comment FROM duckdb_tables()
WHERE NOT internal AND schema_name = current_schema() AND database_name = current_database()
UNION ALL
SELECT view_name, comment FROM duckdb_views()
WHERE NOT internal AND schema_name = current_schema() AND database_name = current_database()
"""
_COLUMNS_HERE = """
SELECT table_name, column_name, data_type, NOT is_nullable, comment FROM duckdb_columns()
WHERE NOT internal AND schema_name = current_schema() AND database_name = current_database()
ORDER BY table_name, column_index
"""
_UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "PiB": 2**50}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table or view."""

    name: str
    type: str
    required: bool
    comment: str | None


@dataclass(frozen=True, slots=True)
class Declared:
    """One table as `sql/tables/` declares it."""

    name: str
    comment: str | None
    columns: tuple[Column, ...]


def open_memory(memory_limit: str | None = None, spill: Path | None = None) -> Connection:
    """A private in-memory database that neither downloads extensions nor sees Python variables.

    Args:
        memory_limit: for example "2GB"; DuckDB's own limit when left out.
        spill: folder for what does not fit into memory; without one, a query that needs more fails.

    Raises:
        duckdb.Error: the memory limit cannot be read.
    """
    settings: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
        "temp_directory": "" if spill is None else str(spill),
    }
    if memory_limit is not None:
        settings["memory_limit"] = memory_limit
    connection = duckdb.connect(":memory:", config=settings)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def open_file(path: Path, start: Path | None = None) -> Connection:
    """A new database file; relative paths in its views are found below `start` while this connection is open."""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
    }
    connection = duckdb.connect(str(path), config=settings)
    if start is not None:
        connection.execute(f"SET file_search_path = {quoted(str(start))}")
    return connection


def lock(connection: Connection, readable: Sequence[Path]) -> None:
    """From here on the connection reads `readable` and nothing else, writes nothing, and cannot be reconfigured."""
    listed = ", ".join(quoted(str(path)) for path in readable)
    connection.execute(f"SET allowed_paths = [{listed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def limit_of(connection: Connection) -> int:
    """The memory limit of a connection, in bytes."""
    found = connection.execute("SELECT current_setting('memory_limit')").fetchall()[0][0]
    number, unit = found.split()
    return int(float(number) * _UNITS[unit])


def quoted(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def create_schema(connection: Connection, name: str) -> None:
    """Make a schema."""
    connection.execute(f"CREATE SCHEMA {identifier(name)}")


def use_schema(connection: Connection, name: str) -> None:
    """From here on bare names mean the tables of this schema."""
    connection.execute(f"USE {identifier(name)}")


def schema_in_use(connection: Connection) -> str:
    """The schema that bare names mean."""
    return str(connection.execute("SELECT current_schema()").fetchall()[0][0])


def declared_tables(connection: Connection) -> dict[str, Declared]:
    """Every table and view of the schema in use, with its columns in order."""
    comments = dict(connection.execute(_TABLES_HERE).fetchall())
    columns: dict[str, list[Column]] = {name: [] for name in comments}
    listed = connection.execute(_COLUMNS_HERE).fetchall()
    for table, *column in listed:
        columns[table].append(Column(*column))
    return {name: Declared(name, comments[name], tuple(found)) for name, found in columns.items()}


def read_parquet(connection: Connection, files: Sequence[Path]) -> Relation:
    """Rows of several Parquet files in order; a column that some of them lack is NULL there."""
    return connection.read_parquet([str(file) for file in files], union_by_name=True)


def as_declared(relation: Relation, columns: Sequence[Column]) -> Relation:
    """The declared columns of a relation, cast to their types; those that it lacks are NULL."""
    return relation.project(_cast(columns, set(relation.columns)))


def _cast(columns: Sequence[Column], present: Collection[str]) -> str:
    return ", ".join(
        f"CAST({identifier(one.name) if one.name in present else 'NULL'} AS {one.type}) AS {identifier(one.name)}"
        for one in columns
    )


def parquet_view(table: Declared, files: Sequence[str], present: Collection[str]) -> str:
    """The statement that makes a view with the declared columns over Parquet files; without files it has no rows.

    Args:
        table: what is declared.
        files: paths as they shall stand in the view.
        present: columns that one of the files has; those that all lack are NULL.
    """
    start = f"CREATE VIEW {identifier(table.name)} AS SELECT {_cast(table.columns, present)}"
    if not files:
        return f"{start} WHERE false"
    return f"{start} FROM read_parquet([{', '.join(map(quoted, files))}], union_by_name = true)"


def set_comments(connection: Connection, tables: Sequence[Declared]) -> None:
    """Give views the comments of the tables they stand for."""
    targets = [(f"VIEW {identifier(table.name)}", table.comment) for table in tables]
    targets += [
        (f"COLUMN {identifier(table.name)}.{identifier(column.name)}", column.comment)
        for table in tables
        for column in table.columns
    ]
    connection.execute(
        "".join(f"COMMENT ON {target} IS {quoted(comment)};" for target, comment in targets if comment is not None)
    )
