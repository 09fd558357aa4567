"""The report stage: a warehouse as static pages that open from disk, and ask for nothing outside their folder.

    sage eval report runs/demo/warehouse --out runs/demo/report

`index.html` is the leaderboard, `explorer.html` reads every judged dialogue out of `data/`, `data.html` tells where the
training data comes from and what became of it; all share `assets/`.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from sage_data.errors import InputError
from sage_data.stage import Context, Input, Inputs, Need, Output, StageConfig
from sage_eval.report import explorer
from sage_eval.report.dataset import read_dataset
from sage_eval.report.explorer import Written, write_explorer
from sage_eval.report.leaderboard import read_board
from sage_eval.report.render import (
    ASSETS,
    DATA,
    EXPLORER,
    INDEX,
    TEMPLATES,
    render_data,
    render_explorer,
    render_index,
)
from sage_eval.warehouse.contract import sql_files
from sage_eval.warehouse.database import Connection
from sage_eval.warehouse.output import as_table
from sage_eval.warehouse.query import ask, connect

VERSION = 3
INPUTS = (
    Need("warehouse", "the warehouse to show"),
    Need("card", "dataset card, or a folder that `sage data publish` staged, to show on the data page", optional=True),
)
CARDS = ("README.md", "dataset/README.md")
"""Where a folder's card lies."""
RESOURCES: tuple[Path, ...] = (
    *sorted(TEMPLATES.rglob("*.j2")),
    *sorted(ASSETS.iterdir()),
    *explorer.RESOURCES,
    *sql_files("examples").values(),
)
SUMMARY_ROWS = 12


class Config(StageConfig):
    """What to show."""

    title: str = Field("Evaluation report", min_length=1, description="Heading of the pages.")
    dialogues: int = Field(3, ge=0, description="Pairs of dialogues shown on the first page for each pair of models.")
    examples: int = Field(3, ge=0, le=5, description="Rows kept, and rows rejected for each reason, on the data page.")
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
    """Write `index.html`, `explorer.html`, `data.html`, `assets/` and `data/`.

    Raises:
        InputError: the input is no warehouse, or there is no readable card where one was promised.
        SchemaVersionError: the warehouse was written by a newer version.
    """
    card = _card(inputs.optional("card"))
    with (
        connect(inputs.one("warehouse").path) as connection,
        context.progress("report", total=3, unit="pages") as bar,
    ):
        with out.folder("data") as data:
            written = write_explorer(connection, data, config.unjudged)
        for asset in sorted(ASSETS.iterdir()):
            out.write_text(f"assets/{asset.name}", asset.read_text(encoding="utf-8"))
        out.write_text(EXPLORER, render_explorer(config.title, written, _notices(written)))
        bar.advance(1)
        out.write_text(INDEX, render_index(read_board(connection, config.title, config.dialogues)))
        bar.advance(1)
        out.write_text(DATA, render_data(config.title, read_dataset(connection, config.examples, card)))
        out.write_text("summary.txt", _asked(connection, config.example) + "\n" + _told(written))
        bar.advance(1)


def _card(given: Input | None) -> str | None:
    if given is None:
        return None
    places = [given.path] if given.path.is_file() else [given.path / name for name in CARDS]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise InputError(
            f"{given.path}: expected a dataset card, that is {' or '.join(CARDS)}, found none",
            next_step="sage data publish FOLDERS --dry-run --out published/",
        )
    try:
        return found.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{found}: expected a card in UTF-8, found other bytes at {error.start}") from error


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
