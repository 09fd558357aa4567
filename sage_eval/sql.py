"""What `sage eval sql` does, without the command line: one question to a warehouse, one answer in bytes.

sage eval sql "SELECT model, count(*) FROM turns GROUP BY model"
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sage_data.errors import ConfigError
from sage_eval.warehouse.contract import sql_files
from sage_eval.warehouse.output import Format, as_catalogue, write
from sage_eval.warehouse.query import ask, connect, describe


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


def examples() -> dict[str, str]:
    """Names of the shipped queries, each with what it answers (the first comment line of its file)."""
    return {name: _about(path) for name, path in sql_files("examples").items()}


def answer(warehouse: Path, question: Question) -> bytes:
    """Answer a question; `warehouse` is a warehouse folder or a run folder that holds one.

    Raises:
        ConfigError: not exactly one thing is asked, or the example is unknown.
        QueryError: the SQL is refused, wrong, or takes too long.
        InputError: there is no readable warehouse.
    """
    sql = question_sql(question)
    with connect(warehouse, memory_limit=question.memory_limit) as connection:
        if sql is None:
            return as_catalogue(describe(connection), examples()).encode()
        return write(ask(connection, sql, timeout_s=question.timeout_s), question.form)


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
