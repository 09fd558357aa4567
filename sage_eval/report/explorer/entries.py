"""What the explorer lists: scenarios, dialogues, and rows (two dialogues that were judged, or one that was not).

All three are numbered in the order of the scenarios, so that what belongs together lies together, and the columns
that the browser filters by are small whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sage_eval.report.explorer.packed import Numbers, column
from sage_eval.warehouse.database import Connection

SQL = Path(__file__).parent / "sql"
STEPS = ("verdicts", "dialogues", "scenarios", "numbered", "rows", "answers")
NEWER = {"pair_verdicts": ("replicate",), "dialogues": ("sample",)}
"""Columns of numbers that not every warehouse has; they count as missing values there."""
LETTERS = {"A": "A", "B": "B", "tie": "T", "inconsistent": "I", "malformed": "M", "error": "E"}
"""How the six verdicts are written in a column; anything else, or nothing, is a dot."""
_NONE = "."


@dataclass(frozen=True, slots=True)
class Entries:
    """The numbered rows of a report, as columns."""

    judgings: tuple[dict[str, Any], ...]
    """Each judge of each stage: name, stage, which of its answers (from 1), model, and whether it is a panel, whose
    verdict follows from those of others and that has no answers of its own."""
    pairs: tuple[tuple[str, str | None], ...]
    """(model A, model B), or (stage, None) for dialogues that nobody judged."""
    scenario: Numbers
    pair: Numbers
    sample: Numbers
    a: Numbers
    """Number of A's dialogue plus 1; 0: the warehouse does not hold it."""
    b: Numbers
    verdicts: tuple[str, ...]
    """For each judging one letter a row."""
    emotions: tuple[str, ...]
    """What the scenarios are labelled with, sorted."""
    labels: Numbers
    """For each scenario the place of its label plus 1; 0: none."""
    sizes: Numbers
    """For each scenario its number of turns and candidates, for reading them in portions of bounded size."""
    dialogues: int

    def as_index(self) -> dict[str, Any]:
        """The columns as the browser reads them."""
        return {
            "judgings": list(self.judgings),
            "pairs": [list(pair) for pair in self.pairs],
            "rows": len(self.scenario),
            "scenario": column(self.scenario),
            "pair": column(self.pair),
            "sample": column(self.sample),
            "a": column(self.a),
            "b": column(self.b),
            "verdicts": list(self.verdicts),
            "emotions": list(self.emotions),
            "labels": column(self.labels),
            "scenarios": len(self.labels),
            "dialogues": self.dialogues,
        }


def number(connection: Connection, most: int) -> Entries:
    """Number everything that is shown, in temporary tables of the connection, and read the columns.

    Args:
        connection: an open warehouse.
        most: dialogues of each stage that are shown although no judge saw them.
    """
    for table, columns in NEWER.items():
        held = connection.table(table)
        lacking = [f"NULL::BIGINT AS {name}" for name in columns if name not in held.columns]
        held.project(", ".join(["*", *lacking])).create_view(f"read_{table}")
    for step in STEPS:
        sql = _sql(step)
        connection.execute(sql, {"most": most} if "$most" in sql else None)
    rows = _table(connection, "SELECT scenario, pair, sample, a + 1 AS a, b + 1 AS b FROM shown_rows ORDER BY row")
    judgings = _judgings(connection)
    emotions = _strings(
        connection, "SELECT DISTINCT emotion FROM shown_scenarios WHERE emotion IS NOT NULL ORDER BY emotion"
    )
    place = {name: index + 1 for index, name in enumerate(emotions)}
    labelled = connection.execute("SELECT emotion FROM shown_scenarios ORDER BY scenario").fetchall()
    pairs = connection.execute("SELECT DISTINCT pair, model_a, model_b FROM shown_rows ORDER BY pair").fetchall()
    return Entries(
        judgings=judgings,
        pairs=tuple((a, b) for _, a, b in pairs),
        scenario=_numbers(rows, "scenario"),
        pair=_numbers(rows, "pair"),
        sample=_numbers(rows, "sample"),
        a=_numbers(rows, "a"),
        b=_numbers(rows, "b"),
        verdicts=_letters(connection, len(judgings), rows.num_rows),
        emotions=emotions,
        labels=np.array([place.get(label, 0) for (label,) in labelled], dtype=np.int64),
        sizes=_numbers(_table(connection, _sql("sizes")), "n"),
        dialogues=connection.execute("SELECT count(*) FROM shown_dialogues").fetchall()[0][0],
    )


def _judgings(connection: Connection) -> tuple[dict[str, Any], ...]:
    found = connection.execute(
        "SELECT judge, stage, repeat, min(judge_model), bool_and(choice_ab IS NULL) FROM shown_verdicts "
        "GROUP BY judging, judge, stage, repeat ORDER BY judging"
    ).fetchall()
    names = ("judge", "stage", "repeat", "model", "panel")
    return tuple(dict(zip(names, row, strict=True)) for row in found)


def _letters(connection: Connection, judgings: int, rows: int) -> tuple[str, ...]:
    columns = [np.full(rows, _NONE, dtype="U1") for _ in range(judgings)]
    for judging in range(judgings):
        said = _table(connection, _sql("letters"), {"judging": judging})
        columns[judging][_numbers(said, "row")] = [
            LETTERS.get(verdict, _NONE) for verdict in said.column("verdict").to_pylist()
        ]
    return tuple("".join(letters.tolist()) for letters in columns)


def _sql(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def _table(connection: Connection, sql: str, given: dict[str, int] | None = None) -> pa.Table:
    return connection.sql(sql, params=given).to_arrow_table()


def _strings(connection: Connection, sql: str) -> tuple[str, ...]:
    return tuple(row[0] for row in connection.execute(sql).fetchall())


def _numbers(table: pa.Table, name: str) -> Numbers:
    filled = table.column(name).combine_chunks().fill_null(0)
    return np.asarray(filled.to_numpy(zero_copy_only=False), dtype=np.int64)
