"""Reads a printed table from CSV. Which of two forms it has, its heading says.

Win tables, one row a judge and pair (percentages and stars as printed; those columns may be left out):

    judge,model_a,model_b,wins_a,percent_a,ties,percent_ties,wins_b,percent_b,stars
    GPT-3.5,SAGE_0,SAGE_1,688,27.0%,892,35.0%,964,38.0%,*

Benchmark tables, one row a task (standard errors, differences and n may be left out):

    task,base,base_se,new,new_se,diff,n
    HellaSwag,0.860,0.003,0.838,0.004,-2.58%,10042

    table = read_table(Path("table1.csv"))
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sage_data.errors import InputError
from sage_eval.paper.printed import Printed

WIN_COLUMNS = ("judge", "model_a", "model_b", "wins_a", "ties", "wins_b")
WIN_EXTRAS = ("percent_a", "percent_ties", "percent_b", "stars")
SCORE_COLUMNS = ("task", "base", "new")
SCORE_EXTRAS = ("base_se", "new_se", "diff", "n")
MOST = 10_000_000
"""Largest count that is read: exact tests take time and memory in proportion."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WinRow:
    """One printed comparison of two models."""

    line: int
    judge: str
    model_a: str
    model_b: str
    wins_a: int
    ties: int
    wins_b: int
    percents: Mapping[str, Printed]
    """Of wins_a, ties and wins_b, where printed."""
    stars: str | None
    """None when the table has no column of stars."""

    @property
    def place(self) -> str:
        """How messages name the row."""
        return f"{self.judge}, {self.model_a} vs {self.model_b}"

    @property
    def counts(self) -> dict[str, int]:
        """Wins of A, ties and wins of B."""
        return {"wins_a": self.wins_a, "ties": self.ties, "wins_b": self.wins_b}

    @property
    def total(self) -> int:
        """What the counts add up to."""
        return self.wins_a + self.ties + self.wins_b


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One printed benchmark task."""

    line: int
    task: str
    base: Printed
    new: Printed
    base_se: Printed | None
    new_se: Printed | None
    diff: Printed | None
    n: int | None

    @property
    def place(self) -> str:
        """How messages name the row."""
        return self.task


def read_table(path: Path) -> Sequence[WinRow] | Sequence[ScoreRow]:
    """Read a table of either form.

    Raises:
        InputError: it is of neither, or a cell cannot be read; the file, line, column and value are named.
    """
    header, lines = _lines(path)
    form = _form(path, header)
    rows = [_Cells(path, number, dict(zip(header, cells, strict=True))) for number, cells in lines]
    if form == "wins":
        return _distinct(path, [_win_row(one) for one in rows])
    return _distinct(path, [_score_row(one) for one in rows])


def _lines(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The heading, and the cells of every other line with its number."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.reader(opened, strict=True)
            lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if any(cells)]
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise InputError(f"{path}: not readable as CSV: {error}", next_step="give a CSV file in UTF-8") from error
    if len(lines) < 2:
        raise InputError(f"{path}: expected a heading and at least one row, found {len(lines)} lines")
    (_, header), *rest = lines
    for number, cells in rest:
        if len(cells) != len(header):
            raise InputError(f"{path}, line {number}: expected {len(header)} cells, found {len(cells)}")
    return header, rest


def _form(path: Path, header: Sequence[str]) -> str:
    forms = {"wins": (WIN_COLUMNS, WIN_EXTRAS), "scores": (SCORE_COLUMNS, SCORE_EXTRAS)}
    for form, (needed, extras) in forms.items():
        if set(needed) <= set(header):
            unknown = [name for name in header if name not in (*needed, *extras)]
            if unknown or len(set(header)) < len(header):
                twice = [name for name in header if header.count(name) > 1]
                raise InputError(
                    f"{path}, line 1: column {(unknown or twice)[0]!r} is unknown or there twice; "
                    f"known are {', '.join((*needed, *extras))}"
                )
            return form
    raise InputError(
        f"{path}, line 1: expected the columns {', '.join(WIN_COLUMNS)} of a win table or {', '.join(SCORE_COLUMNS)} "
        f"of a benchmark table, found {', '.join(header)}",
        next_step="sage eval check-paper --help shows both forms",
    )


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of one line by column."""

    path: Path
    line: int
    cells: Mapping[str, str]

    def read(self, column: str, parse: Callable[[str], T], what: str) -> T:
        """One cell that must be there."""
        text = self.cells[column]
        try:
            return parse(text)
        except ValueError as error:
            raise InputError(
                f"{self.path}, line {self.line}, column {column}: expected {what}, found {text!r}"
            ) from error

    def optional(self, column: str, parse: Callable[[str], T], what: str) -> T | None:
        """One cell that may be empty, or whose column may be missing."""
        return self.read(column, parse, what) if self.cells.get(column) else None

    def text(self, column: str) -> str:
        """A name."""
        return self.read(column, _name, "a name")


def _name(text: str) -> str:
    if not text:
        raise ValueError("empty")
    return text


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > len(str(MOST)) or int(text) > MOST:
        raise ValueError(f"not a count: {text!r}")
    return int(text)


def _positive(text: str) -> int:
    if _count(text) < 1:
        raise ValueError("0")
    return int(text)


def _percent(text: str) -> Printed:
    printed = Printed.parse(text)
    if not 0.0 <= printed.value <= 100.0:
        raise ValueError(f"not between 0 and 100: {text!r}")
    return printed


def _error(text: str) -> Printed:
    printed = Printed.parse(text)
    if printed.high <= 0.0 or printed.value < 0.0:
        raise ValueError(f"negative: {text!r}")
    return printed


def _win_row(cells: _Cells) -> WinRow:
    columns = {"wins_a": "percent_a", "ties": "percent_ties", "wins_b": "percent_b"}
    printed = {name: cells.optional(column, _percent, "a percentage from 0 to 100") for name, column in columns.items()}
    wins_a, ties, wins_b = (cells.read(name, _count, f"a count from 0 to {MOST}") for name in columns)
    return WinRow(
        cells.line,
        cells.text("judge"),
        cells.text("model_a"),
        cells.text("model_b"),
        wins_a,
        ties,
        wins_b,
        percents={name: percent for name, percent in printed.items() if percent is not None},
        stars=cells.cells.get("stars"),
    )


def _score_row(cells: _Cells) -> ScoreRow:
    return ScoreRow(
        cells.line,
        cells.text("task"),
        cells.read("base", Printed.parse, "a score"),
        cells.read("new", Printed.parse, "a score"),
        cells.optional("base_se", _error, "a standard error, 0 or more"),
        cells.optional("new_se", _error, "a standard error, 0 or more"),
        cells.optional("diff", Printed.parse, "a difference"),
        cells.optional("n", _positive, f"a number of documents from 1 to {MOST}"),
    )


Row = TypeVar("Row", WinRow, ScoreRow)


def _distinct(path: Path, rows: list[Row]) -> list[Row]:
    seen: dict[str, int] = {}
    for row in rows:
        if row.place in seen:
            raise InputError(f"{path}, line {row.line}: {row.place} is also in line {seen[row.place]}")
        seen[row.place] = row.line
    return rows
