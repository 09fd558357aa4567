"""The report stage: a warehouse as one static page that opens from disk, makes no request and runs no script.

sage eval report runs/demo/warehouse --out runs/demo/report
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from sage_data.stage import Context, Inputs, Need, Output, StageConfig
from sage_eval.report.page import read_page
from sage_eval.report.render import TEMPLATES, render
from sage_eval.warehouse.contract import sql_files
from sage_eval.warehouse.query import connect

VERSION = 1
INPUTS = (Need("warehouse", "the warehouse to show"),)
RESOURCES: tuple[Path, ...] = (*sorted(TEMPLATES.iterdir()), *sql_files("examples").values())
PAGE = "index.html"


class Config(StageConfig):
    """What to show."""

    title: str = Field("Evaluation report", min_length=1, description="Heading of the page.")
    dialogues: int = Field(3, ge=0, description="Pairs of dialogues shown for each pair of models.")


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
        bar.advance(1)
    out.write_text("summary.txt", f"Report: {PAGE} (opens in any browser, offline)\n")
