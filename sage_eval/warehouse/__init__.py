"""The warehouse stage: every finished stage of a run as flat, sorted, documented tables, ready for SQL.

Dialogues are written flat, one row an utterance with its model, scenario and neighbouring states beside it, because
that answers the usual questions 4 to 190 times faster than nested or JSON layouts. Each table is Parquet; views over
them are made when the warehouse is opened, so the folder's bytes depend on the run alone.

    sage eval sql --list
"""

from __future__ import annotations

import shutil
from pathlib import Path

from pydantic import Field

from sage_data.stage import Context, Inputs, Need, Output, StageConfig
from sage_eval.warehouse.contract import MARKER, SCHEMA_VERSION, SQL, TABLES, Table
from sage_eval.warehouse.sources import Row, StageRun, manifest_rows, read_runs

VERSION = 1
INPUTS = (Need("runs", "the folders of all finished stages to look into", many=True),)
RESOURCES: tuple[Path, ...] = (*sorted((SQL / "tables").glob("*.sql")), *sorted((SQL / "build").glob("*.sql")))


class Config(StageConfig):
    """Settings of the warehouse stage."""

    leave_out: tuple[str, ...] = Field((), description="Tables to leave empty, for example turns of a huge corpus.")


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write one set of Parquet shards per table and `warehouse.json`.

    Raises:
        InputError: a stage is unfinished, or its Parquet does not fit the tables.
        ConfigError: `leave_out` names no table, or two stages share a name.
    """
    _check_names(config)
    runs = read_runs(inputs.many("runs"))
    rows = manifest_rows(runs)
    counts: dict[str, int] = {}
    with context.progress("warehouse", total=len(TABLES), unit="tables") as bar:
        for table in TABLES:
            counts[table.name] = _write(table, [] if table.name in config.leave_out else runs, rows, out)
            bar.advance(1)
    out.write_json(MARKER, {"schema_version": SCHEMA_VERSION, "tables": counts})
    out.write_text("summary.txt", _summary(counts))


def _check_names(config: Config) -> None:
    from sage_data.errors import ConfigError

    names = [table.name for table in TABLES]
    for name in config.leave_out:
        if name not in names:
            raise ConfigError(f"leave_out: no table {name!r}; expected one of {', '.join(names)}")


def _write(table: Table, runs: list[StageRun], rows: dict[str, list[Row]], out: Output) -> int:
    # DuckDB is imported here, so that reading this stage's Config does not need it.
    from sage_eval.warehouse.build import fill, read_back
    from sage_eval.warehouse.database import open_building

    spill = out.path / "logs"
    spill.mkdir(exist_ok=True)
    with open_building(spill) as connection:
        for warning in fill(connection, table, runs, rows.get(table.name, [])):
            out.warn(warning)
        written = 0
        for index, part in enumerate(read_back(connection, table)):
            out.write_shard(table.name, index, part)
            written += part.num_rows
    return written
