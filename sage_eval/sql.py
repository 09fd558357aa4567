"""What `sage eval sql` does, without the command line: one question to one or several warehouses, one answer in bytes.

sage eval sql "SELECT model, count(*) FROM turns GROUP BY model"
sage eval sql --warehouse a=runs/a --warehouse b=runs/b "SELECT run, count(*) FROM all_runs.turns GROUP BY run"
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from sage_data.errors import ConfigError, InputError
from sage_data.inputs import is_url
from sage_eval.warehouse.confine import confined
from sage_eval.warehouse.contract import sql_files
from sage_eval.warehouse.database import limit_of
from sage_eval.warehouse.export import NOT_SANDBOXED, export
from sage_eval.warehouse.opening import ALL_RUNS, Location, Warehouses, open_all
from sage_eval.warehouse.output import Format, as_catalogue, write
from sage_eval.warehouse.query import ask, connect, describe

_NAMED = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<location>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask: exactly one of `sql`, `file`, `example` and `catalogue`."""

    sql: str | None = None
    file: Path | None = None
    """File that holds the SQL."""
    example: str | None = None
    """Name of a query that ships with the warehouse."""
    catalogue: bool = False
    """List tables, columns and examples instead."""
    form: Format = Format.TABLE
    timeout_s: float = 60.0
    memory_limit: str = "2GB"
    alone: bool = False
    """This process does nothing else: it is limited as a whole, and ended if a query cannot be interrupted."""


def read_warehouses(given: Sequence[str]) -> Warehouses:
    """What `--warehouse` names: one folder or URL, or several as NAME=FOLDER.

    Raises:
        ConfigError: several are given and one has no name, or two have the same.
        InputError: a folder does not exist.
    """
    parts = [_named(one) for one in given]
    for _, location in parts:
        if isinstance(location, Path) and not location.exists():
            raise InputError(f"{location}: no such folder", next_step="name a warehouse or run folder, or NAME=FOLDER")
    if len(parts) == 1 and parts[0][0] is None:
        return parts[0][1]
    named = {name: location for name, location in parts if name is not None}
    if len(named) < len(parts):
        listed = ", ".join(given)
        raise ConfigError(
            f"several warehouses need a name each, every name once; found {listed}",
            next_step="sage eval sql --warehouse a=runs/a --warehouse b=runs/b ...",
        )
    return named


def _named(given: str) -> tuple[str | None, Location]:
    match = None if is_url(given) or Path(given).exists() else _NAMED.fullmatch(given)
    name, place = (match["name"], match["location"]) if match else (None, given)
    return name, place if is_url(place) else Path(place)


def examples() -> dict[str, str]:
    """Names of the shipped queries, each with what it answers (the first comment line of its file)."""
    return {name: _about(path) for name, path in sql_files("examples").items()}


def answer(warehouses: Warehouses, question: Question) -> bytes:
    """Answer a question; a warehouse is a warehouse folder, a run folder that holds one, or the URL of either.

    Raises:
        ConfigError: not exactly one thing is asked, or the example is unknown.
        QueryError: the SQL is refused, wrong, or takes too long.
        InputError: there is no readable warehouse.
    """
    sql = question_sql(question)
    with connect(warehouses, memory_limit=question.memory_limit) as connection:
        if sql is None:
            return as_catalogue(describe(connection), examples(), _names_line(warehouses)).encode()
        alone = confined(limit_of(connection), question.timeout_s) if question.alone else nullcontext()
        with alone:
            result = ask(connection, sql, timeout_s=question.timeout_s)
    return write(result, question.form)


def export_views(warehouses: Warehouses, file: Path, question: Question, *, relative: bool) -> str:
    """Write a DuckDB file of views over the warehouses; returns what to do with it.

    Raises:
        ConfigError: something is asked as well, or the file exists.
        InputError: there is no readable warehouse.
    """
    if any((question.sql, question.file, question.example, question.catalogue)):
        raise ConfigError("--export-duckdb answers no question: leave out the query, --file, --example and --list")
    export(open_all(warehouses), file, relative=relative)
    where = f"cd {file.parent} && duckdb {file.name}" if relative else f"duckdb {file}"
    return f"Wrote {file}. Open it with: {where}\n{NOT_SANDBOXED}"


def _names_line(warehouses: Warehouses) -> str:
    if isinstance(warehouses, Path | str):
        return ""
    first, *_ = names = list(warehouses)
    listed = ", ".join(f"{name} ({warehouses[name]})" for name in names)
    return (
        f"warehouses: {listed}\nNAME.TABLE is one's table, TABLE is {first}.TABLE, and {ALL_RUNS}.TABLE has the rows "
        "of all, with the column run first."
    )


def question_sql(question: Question) -> str | None:
    """The SQL of a question; None when it asks for the catalogue.

    Raises:
        ConfigError: not exactly one thing is asked, or the example is unknown.
    """
    asked = [question.sql is not None, question.file is not None, question.example is not None, question.catalogue]
    if sum(asked) != 1:
        raise ConfigError(
            f"expected one of a query, --file, --example and --list; found {sum(asked)}",
            next_step='sage eval sql "SELECT * FROM runs"',
        )
    if question.file is not None:
        return question.file.read_text(encoding="utf-8")
    return question.sql if question.example is None else _example(question.example)


def _example(name: str) -> str:
    known = sql_files("examples")
    if name not in known:
        raise ConfigError(f"no example {name!r}; expected one of {', '.join(known)}")
    return known[name].read_text(encoding="utf-8")


def _about(path: Path) -> str:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("--").strip()
