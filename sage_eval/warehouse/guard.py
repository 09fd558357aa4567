"""Read a query before it runs: one SELECT, over the warehouse's tables, with functions that only work out values.

The connection is locked as well (see `database.lock`), which keeps other files and the network out of reach, but not
the warehouse's own files from being written over. What is refused here besides are settings, variables, DuckDB's own
catalogue (it tells paths) and functions that run other SQL, write logs or only wait.

    check(connection, "SELECT count(*) FROM turns")
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sage_data.errors import SageError
from sage_eval.warehouse.database import Connection, DatabaseError, StatementType

LIST_HINT = "sage eval sql --list shows every table and column"
TABLE_FUNCTIONS = frozenset(
    {
        *("range", "generate_series", "unnest", "repeat", "repeat_row", "json_each", "json_tree"),
        *("histogram", "histogram_values", "summary", "test_all_types", "test_vector_types"),
        *("icu_calendar_names", "pg_timezone_names"),
    }
)
"""Functions that may stand after FROM: those that make rows of their arguments."""
REFUSED_FUNCTIONS = frozenset(
    {
        *("current_setting", "getvariable", "getenv", "pg_get_viewdef", "pg_get_expr", "pg_get_constraintdef"),
        *("write_log", "parse_duckdb_log_message", "json_serialize_plan", "json_deserialize_sql"),
        *("sleep_ms", "pg_sleep", "nextval", "currval", "setval", "setseed"),
    }
)
QUERY_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
"""What a query and each part of it may be. To DuckDB a WITH that holds COPY, INSERT, UPDATE or DELETE is a SELECT as
well, and such a COPY may write over the very files that may be read."""
SHOWN = frozenset({"tables", "schemas", "databases", "__show_tables_expanded"})
"""What SHOW may show, besides a table."""
_INFORMATION = frozenset({"tables", "columns", "schemata"})
_SYSTEM_PREFIXES = ("duckdb_", "pragma_", "sqlite_", "pg_")
_FILE_MARKS = ("/", "\\", "*", "?", ":", ".")
"""Characters that no table's name has, and every file's."""


class QueryError(SageError):
    """The SQL was refused, is wrong, took too long, or its answer is too large or unreadable (exit code 2)."""

    exit_code = 2


def check(connection: Connection, sql: str) -> None:
    """Refuse whatever is not one harmless SELECT.

    Raises:
        QueryError: with the reason.
    """
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
    for node in _nodes(_parsed(connection, sql)):
        _check_node(node)


def _parsed(connection: Connection, sql: str) -> Any:
    try:
        text = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchall()[0][0]
        tree = json.loads(text)
    except (DatabaseError, RecursionError) as error:
        raise QueryError(f"the query cannot be read: {error}", next_step="make it simpler") from error
    if tree.get("error"):
        raise QueryError(f"the query cannot be read: {tree.get('error_message')}", next_step=LIST_HINT)
    return tree["statements"]


def _nodes(tree: Any) -> Iterator[Mapping[str, Any]]:
    """Every object of a syntax tree, without recursion: trees can be deep."""
    waiting = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _check_node(node: Mapping[str, Any]) -> None:
    kind = node.get("type")
    if kind == "TABLE_FUNCTION":
        name = _name(node["function"])
        if name not in TABLE_FUNCTIONS:
            _refuse(f"the function {name} may not be read from", f"allowed: {', '.join(sorted(TABLE_FUNCTIONS))}")
    elif kind == "BASE_TABLE":
        _check_table(node)
    elif isinstance(kind, str) and kind.endswith("_NODE") and kind not in QUERY_NODES:
        what = kind.removesuffix("_NODE").removesuffix("_QUERY")
        _refuse(f"only SELECT is answered, found {what} inside the query: the warehouse is read-only")
    elif kind == "SHOW_REF" and node.get("show_type") == "SHOW_SPECIAL":
        shown = str(node.get("table_name")).strip('"').lower()
        if shown not in SHOWN:
            _refuse(f"SHOW {shown.upper()} is not answered: settings and variables stay closed")
    elif node.get("class") == "FUNCTION" and _name(node) in REFUSED_FUNCTIONS:
        _refuse(f"the function {_name(node)} may not be used: it reads settings, waits, or does more than compute")


def _name(function: Mapping[str, Any]) -> str:
    return str(function.get("function_name", "")).lower()


def _check_table(node: Mapping[str, Any]) -> None:
    schema, name = (str(node.get(part, "")).lower() for part in ("schema_name", "table_name"))
    if any(mark in name for mark in _FILE_MARKS):
        _refuse(f"{name} looks like a file or an address; only the tables of the warehouse are read")
    closed = schema == "pg_catalog" or (schema == "information_schema" and name not in _INFORMATION)
    if closed or name.startswith(_SYSTEM_PREFIXES):
        _refuse(f"{name} is DuckDB's own catalogue, which tells paths and settings")


def _refuse(reason: str, next_step: str = LIST_HINT) -> None:
    raise QueryError(reason, next_step=next_step)
