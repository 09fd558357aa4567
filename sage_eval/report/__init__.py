"""The report stage: a warehouse as static pages that open from disk, and ask for nothing outside their folder.

    sage eval report runs/demo/warehouse --out runs/demo/report

`index.html` is the leaderboard, `explorer.html` reads every judged dialogue out of `data/`; both share `assets/`.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from sage_data.stage import Context, Inputs, Need, Output, StageConfig
from sage_eval.report import explorer
from sage_eval.report.explorer import Written, write_explorer
from sage_eval.report.page import read_page
from sage_eval.report.render import ASSETS, EXPLORER, INDEX, TEMPLATES, render_explorer, render_index
from sage_eval.warehouse.contract import sql_files
from sage_eval.warehouse.database import Connection
from sage_eval.warehouse.output import as_table
from sage_eval.warehouse.query import ask, connect

VERSION = 2
INPUTS = (Need("warehouse", "the warehouse to show"),)
RESOURCES: tuple[Path, ...] = (
    *sorted(TEMPLATES.iterdir()),
    *sorted(ASSETS.iterdir()),
    *explorer.RESOURCES,
    *sql_files("examples").values(),
)
SUMMARY_ROWS = 12


class Config(StageConfig):
    """What to show."""

    title: str = Field("Evaluation report", min_length=1, description="Heading of the pages.")
    dialogues: int = Field(3, ge=0, description="Pairs of dialogues shown on the first page for each pair of models.")
    unjudged: int = Field(
        500, ge=0, description="Dialogues of each stage that the explorer shows although no judge saw them."
    )
    example: str = Field("reply_style", description="Shipped query that the summary asks and answers.")

    @field_validator("example")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in sql_files("examples"):
            raise ValueError(f"no such query; expected one of {', '.join(sql_files('examples'))}")
        return name


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write `index.html`, `explorer.html`, `assets/` and `data/`.

    Raises:
        InputError: the input is no warehouse.
        SchemaVersionError: the warehouse was written by a newer version.
    """
    with (
        connect(inputs.one("warehouse").path) as connection,
        context.progress("report", total=2, unit="pages") as bar,
    ):
        with out.folder("data") as data:
            written = write_explorer(connection, data, config.unjudged)
        for asset in sorted(ASSETS.iterdir()):
            out.write_text(f"assets/{asset.name}", asset.read_text(encoding="utf-8"))
        out.write_text(EXPLORER, render_explorer(config.title, written, _notices(written)))
        bar.advance(1)
        out.write_text(INDEX, render_index(read_page(connection, config.title, config.dialogues)))
        out.write_text("summary.txt", _asked(connection, config.example) + "\n" + _told(written))
        bar.advance(1)


def _notices(written: Written) -> list[str]:
    """What a reader would miss, and which stage brings it."""
    found = []
    if not written.judged:
        found.append("No judge has been called, so dialogues are shown one by one: sage_eval.judge compares them.")
    if not written.states:
        found.append("No utterance carries a state: models tuned on State-Action Chains declare them.")
    if not written.candidates:
        found.append(
            "No dialogue comes from a search, so no candidate was rejected: sage_models.search keeps them all."
        )
    return found


def _told(written: Written) -> str:
    return (
        f"Explorer: {written.judged:,} judged pairs and {written.alone:,} other dialogues on {written.scenarios:,} "
        f"scenarios, {written.words:,} words to search for; {written.files:,} files, {written.bytes / 1e6:.1f} MB\n"
    )


def _asked(connection: Connection, example: str) -> str:
    """One shipped query with the command that asks it again, its text and its answer."""
    sql = sql_files("examples")[example].read_text(encoding="utf-8").strip()
    return f"$ sage eval sql --example {example}\n{sql}\n\n{as_table(ask(connection, sql), SUMMARY_ROWS)}"
