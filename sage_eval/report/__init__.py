"""The report stage: a warehouse as one static page that opens from disk, makes no request and runs no script.

sage eval report runs/demo/warehouse --out runs/demo/report
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from sage_data.stage import Context, Inputs, Need, Output, StageConfig
from sage_eval.report.page import read_page
from sage_eval.report.render import TEMPLATES, render
from sage_eval.warehouse.contract import sql_files
from sage_eval.warehouse.database import Connection
from sage_eval.warehouse.output import as_table
from sage_eval.warehouse.query import ask, connect

VERSION = 2
INPUTS = (Need("warehouse", "the warehouse to show"),)
RESOURCES: tuple[Path, ...] = (*sorted(TEMPLATES.iterdir()), *sql_files("examples").values())
PAGE = "index.html"
SUMMARY_ROWS = 12


class Config(StageConfig):
    """What to show."""

    title: str = Field("Evaluation report", min_length=1, description="Heading of the page.")
    dialogues: int = Field(3, ge=0, description="Pairs of dialogues shown for each pair of models.")
    example: str = Field("reply_style", description="Shipped query that the summary asks and answers.")

    @field_validator("example")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in sql_files("examples"):
            raise ValueError(f"no such query; expected one of {', '.join(sql_files('examples'))}")
        return name


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write `index.html`.

    Raises:
        InputError: the input is no warehouse.
        SchemaVersionError: the warehouse was written by a newer version.
    """
    with (
        connect(inputs.one("warehouse").path) as connection,
        context.progress("report", total=1, unit="pages") as bar,
    ):
        page = read_page(connection, config.title, config.dialogues)
        out.write_text(PAGE, render(page))
        out.write_text("summary.txt", _asked(connection, config.example))
        bar.advance(1)


def _asked(connection: Connection, example: str) -> str:
    """One shipped query with the command that asks it again, its text and its answer."""
    sql = sql_files("examples")[example].read_text(encoding="utf-8").strip()
    return f"$ sage eval sql --example {example}\n{sql}\n\n{as_table(ask(connection, sql), SUMMARY_ROWS)}"
