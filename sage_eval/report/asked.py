"""Named queries, each asked once: `sage eval sql --example NAME` gives every number on a page again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sage_eval.warehouse.contract import sql_files
from sage_eval.warehouse.database import Connection
from sage_eval.warehouse.query import ask

Row = Mapping[str, Any]


class Asked:
    """What a page asked an open warehouse, with the text of each question."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._files = sql_files("examples")
        self._answers: dict[str, tuple[Row, ...]] = {}
        self.sql: dict[str, str] = {}
        """Name -> text of every query asked so far."""

    def rows(self, name: str) -> tuple[Row, ...]:
        """All rows of a named query.

        Raises:
            QueryError: the warehouse cannot answer.
            KeyError: there is no query of that name.
        """
        if name not in self._answers:
            self.sql[name] = self._files[name].read_text(encoding="utf-8")
            self._answers[name] = tuple(ask(self._connection, self.sql[name]).records())
        return self._answers[name]
