"""Write a query's answer: a table for the eye, or JSON, CSV and Parquet for the next program."""

from __future__ import annotations

import csv
import io
import json
import math
import unicodedata
from enum import StrEnum
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.cells import cell_len

from sage_eval.warehouse.database import Declared
from sage_eval.warehouse.query import Result, refuse_twins

MAX_ROWS = 100
MAX_CELL = 60
"""Longest cell of a table, in terminal columns; the other formats cut nothing."""


class Format(StrEnum):
    """How to write an answer."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


def write(result: Result, form: Format) -> bytes:
    """The whole answer in one of the formats, text as UTF-8.

    Raises:
        QueryError: JSON or Parquet is asked for and two columns share a name.
    """
    if form is Format.TABLE:
        return as_table(result).encode()
    if form is Format.CSV:
        return _as_csv(result).encode()
    refuse_twins(result)
    return _as_json(result).encode() if form is Format.JSON else _as_parquet(result)


def as_table(result: Result, max_rows: int = MAX_ROWS) -> str:
    """Aligned columns, numbers to the right; long cells and long answers are cut, and say so."""
    first = Result(result.sql, result.table.slice(0, max_rows))
    lines = [[shown(name) for name in result.columns], *([_cell(value) for value in row] for row in first.rows())]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    right = [_numeric(field.type) for field in result.table.schema]
    laid = [_line(line, widths, right) for line in lines]
    rule = "  ".join("─" * width for width in widths)
    return "\n".join([laid[0], rule, *laid[1:], f"({_size(result.table.num_rows, max_rows)})"]) + "\n"


def _size(rows: int, shown_rows: int | None = None) -> str:
    words = f"{rows} row{'' if rows == 1 else 's'}"
    return f"{words}, first {shown_rows} shown" if shown_rows is not None and rows > shown_rows else words


def as_catalogue(tables: list[tuple[Declared, int | None]], examples: dict[str, str], above: str = "") -> str:
    """Every table with its columns and comments, then the named example queries."""
    parts = [above, ""] if above else []
    parts += [line for table, rows in tables for line in _described(table, "view" if rows is None else _size(rows))]
    parts.append("examples (sage eval sql --example NAME)")
    width = max(map(len, examples), default=0)
    parts += [f"  {name:<{width}}  {about}" for name, about in examples.items()]
    return "\n".join(parts) + "\n"


def _described(table: Declared, size: str) -> list[str]:
    width = max(len(column.name) for column in table.columns)
    kinds = max(len(column.type) for column in table.columns)
    columns = [
        f"  {column.name:<{width}}  {column.type.lower():<{kinds}}  {column.comment or ''}".rstrip()
        for column in table.columns
    ]
    return [f"{table.name} ({size})  {table.comment or ''}".rstrip(), *columns, ""]


def _numeric(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _line(cells: list[str], widths: list[int], right: list[bool]) -> str:
    padded = []
    for cell, width, numeric in zip(cells, widths, right, strict=True):
        space = " " * (width - cell_len(cell))
        padded.append(space + cell if numeric else cell + space)
    return "  ".join(padded).rstrip()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e6 else f"{value:g}"
    if isinstance(value, list | dict):
        return shown(json.dumps(value, ensure_ascii=False, default=str))
    return shown(str(value))


def shown(text: str) -> str:
    """One line without control characters: dialogue text must not drive a terminal."""
    plain = "".join(_visible(char) for char in text)
    if cell_len(plain) <= MAX_CELL:
        return plain
    while cell_len(plain) > MAX_CELL - 1:
        plain = plain[: MAX_CELL - 1] if len(plain) >= MAX_CELL else plain[:-1]
    return plain + "…"


def _visible(char: str) -> str:
    if char in "\n\r\t":
        return " "
    hidden = unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp") and char != "\u200d"
    return f"\\u{ord(char):04x}" if hidden else char


def _as_csv(result: Result) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(result.columns)
    for row in result.rows():
        writer.writerow([_plain(value) for value in row])
    return buffer.getvalue()


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict) else value


def _as_json(result: Result) -> str:
    records = [{key: _finite(value) for key, value in record.items()} for record in result.records()]
    return json.dumps(records, indent=2, ensure_ascii=False, default=str, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity; they become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_finite(one) for one in value]
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    return value


def _as_parquet(result: Result) -> bytes:
    sink = io.BytesIO()
    pq.write_table(result.table, sink, compression="zstd")
    return sink.getvalue()
