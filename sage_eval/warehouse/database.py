"""The one place that imports DuckDB: opening connections, and locking them before anyone else's SQL runs.

    from sage_eval.warehouse import connect
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from sage_data.errors import MissingDependencyError

try:
    import duckdb
except ModuleNotFoundError as error:
    raise MissingDependencyError(
        "the warehouse needs the package 'duckdb', which is not installed",
        next_step="pip install 'sage-dialogue[eval]'",
    ) from error

Connection = duckdb.DuckDBPyConnection
DatabaseError = duckdb.Error
InterruptedQuery = duckdb.InterruptException
Statement = duckdb.Statement
StatementType = duckdb.StatementType


def open_memory(memory_limit: str | None = None) -> Connection:
    """A private in-memory database that neither downloads extensions nor sees Python variables."""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
        "temp_directory": "",
        "TimeZone": "UTC",
    }
    if memory_limit is not None:
        settings["memory_limit"] = memory_limit
    return duckdb.connect(":memory:", config=settings)


def open_building(folder: Path) -> Connection:
    """A database that may spill to `folder` while tables larger than memory are sorted."""
    connection = open_memory()
    spill = tempfile.mkdtemp(prefix=".tmp-spill-", dir=folder)
    connection.execute(f"SET temp_directory = {quoted(spill)}")
    return connection


def lock(connection: Connection, readable: Sequence[Path]) -> None:
    """From here on the connection reads `readable` and nothing else, writes nothing, and cannot be reconfigured."""
    listed = ", ".join(quoted(str(path)) for path in readable)
    connection.execute(f"SET allowed_paths = [{listed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def quoted(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
