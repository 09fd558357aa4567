"""The warehouse stage: every finished stage of a run as flat, sorted, documented tables, ready for SQL.

Dialogues are written flat, one row an utterance with its model, scenario and neighbouring states beside it: that
answers the usual questions 4 to 190 times faster than nested or JSON layouts. Each table is Parquet; views over them
are made when the warehouse is opened, so the folder's bytes depend on the run alone.

    sage eval sql --list
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from pydantic import Field, field_validator

from sage_data.stage import Context, Inputs, Need, Output, StageConfig
from sage_data.store.manifest import UNHASHED
from sage_eval.warehouse.build import fill, read_back
from sage_eval.warehouse.contract import MARKER, SCHEMA_VERSION, SQL, TABLES, Table
from sage_eval.warehouse.database import Connection, open_memory
from sage_eval.warehouse.query import Result, connect, query
from sage_eval.warehouse.sources import manifest_rows, read_runs

__all__ = ["Config", "Result", "connect", "query", "run"]

VERSION = 4
INPUTS = (Need("runs", "the folders of all finished stages to look into", many=True, manifest=True),)
RESOURCES: tuple[Path, ...] = (*sorted((SQL / "tables").glob("*.sql")), *sorted((SQL / "build").glob("*.sql")))
SUMMARY_WIDTH = 100
"""Columns of the summary."""
_OPTIONAL = tuple(table.name for table in TABLES if table.family is not None)


class Config(StageConfig):
    """What to leave out."""

    leave_out: tuple[str, ...] = Field(
        (), description=f"Tables to leave empty, for example the turns of a huge corpus: {', '.join(_OPTIONAL)}."
    )

    @field_validator("leave_out")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in names if name not in _OPTIONAL]
        if unknown:
            raise ValueError(f"no table {', '.join(unknown)}; expected some of {', '.join(_OPTIONAL)}")
        return names


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write one set of Parquet shards per table and `warehouse.json`.

    Raises:
        InputError: a stage is unfinished, or its Parquet does not fit the tables.
        ConfigError: two stages share a name.
    """
    runs = read_runs(inputs.many("runs"))
    rows = manifest_rows(runs)
    counts: dict[str, int] = {}
    spill = out.path / UNHASHED
    spill.mkdir(exist_ok=True)
    with (
        open_memory(spill=spill) as connection,
        context.progress("warehouse", total=len(TABLES), unit="tables") as bar,
    ):
        for table in TABLES:
            for warning in fill(
                connection, table, [] if table.name in config.leave_out else runs, rows.get(table.name, [])
            ):
                out.warn(warning)
            counts[table.name] = _write(connection, table, out)
            bar.advance(1)
    out.write_json(MARKER, {"schema_version": SCHEMA_VERSION, "tables": counts})
    out.write_text("summary.txt", _summary(len(runs), counts))


def _write(connection: Connection, table: Table, out: Output) -> int:
    written = 0
    for index, part in enumerate(read_back(connection, table)):
        out.write_shard(table.name, index, part)
        written += part.num_rows
    if table.family is not None:
        connection.execute(f"DROP TABLE {table.name}")
    return written


def _summary(stages: int, counts: dict[str, int]) -> str:
    listed = ", ".join(f"{name}\N{NO-BREAK SPACE}{rows}" for name, rows in counts.items() if rows)
    text = f"Warehouse of {stages} stages (table and its rows): {listed}"
    return textwrap.fill(text, SUMMARY_WIDTH, break_on_hyphens=False).replace("\N{NO-BREAK SPACE}", " ") + "\n"
