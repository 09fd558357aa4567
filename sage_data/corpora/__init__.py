"""Dialogues that others published -> dialogues of one shape, each with its source, labels, licence and origin.

    sage data load sharegpt.jsonl --out loaded/ --license apache-2.0
    sage data load dailydialog/ --out loaded/ --split test
    sage data load hf://datasets/ORG/NAME --split train_sft --out loaded/

Read are the `messages` and ShareGPT dialects (JSON lines, JSON arrays, Parquet, a dataset of the Hub or one that was
saved to disk), DailyDialog, RECCON, ESConv, Topical-Chat, PersonaChat and EmpatheticDialogues; how, says the module of
each format. Which split a file holds its name tells (train; dev, valid, validation; test).

Ids are `corpus-split-id`, with file and line where the corpus has no ids. A record that has the id, the words and the
labels of an earlier one, be it of another file, is dropped as its duplicate; one that differs is kept, and where ids
would be the same, ends in `#2`. Files of no split are read last, so that a sample of a split is what is dropped.
Labels become states, with `--labels keep`, in the corpus' own words: acts and strategies as motivations, sentiments
and emotions as emotions. `sage data annotate` keeps such states; `--existing replace` annotates anew. A situation with
its emotion becomes a scenario beside the dialogues (`scenarios-*.parquet`); every dialogue names its own. Whoever
opens the dialogue is the user, unless the format says who is.

A file is read as its first readable record tells; where more than half of it is rejected, a warning says so.
Messages are kept in their order, several of one speaker in a row as well; `sage data sac` joins them. System prompts
are left out and counted. A record that cannot be used stands in `rejected/` with file, line and reason. `funnel.json`,
`funnel.svg` and `summary.txt` count everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from pydantic import Field

from sage_data.corpora.complaints import check_kept, warn
from sage_data.corpora.formats import Format
from sage_data.corpora.intake import Block, Intake, Labels
from sage_data.corpora.parts import Part, Parts, Wanted, find_parts
from sage_data.corpora.records import Item
from sage_data.corpora.speaking import System
from sage_data.corpora.writing import write_funnel
from sage_data.errors import InputError
from sage_data.stage import Context, Inputs, Need, Origin, Output, StageConfig
from sage_data.store.dialogues import scenarios_to_table, to_table
from sage_data.store.shards import shard_name

VERSION = 2
INPUTS = (
    Need(
        "source",
        "files or folders of a corpus, a dataset saved to disk, or hf://datasets/ORG/NAME",
        many=True,
        remote=True,
    ),
)
UNKNOWN = "unknown"


class Config(StageConfig):
    """What to read, and how."""

    format: Format = Field(
        default=Format.AUTO, description="What the files hold; auto tells from the first readable record of each."
    )
    split: str | None = Field(
        default=None,
        min_length=1,
        description="Read this split only: files by their names, a dataset of the Hub by its own name for it.",
    )
    subset: str | None = Field(default=None, description="Configuration of a dataset of the Hub.")
    revision: str | None = Field(default=None, description="Branch, tag or commit of a dataset of the Hub.")
    corpus: str | None = Field(
        default=None, min_length=1, description="Short name of the corpus, for ids and sources; else the format's."
    )
    license: str | None = Field(
        default=None, description="The Hub's licence id of what is read, where its format does not imply one."
    )
    url: str | None = Field(default=None, description="Where it is published, where its format does not imply it.")
    labels: Labels = Field(default="keep", description="Keep the corpus' labels as states, or drop them.")
    system: System = Field(
        default="drop", description="Leave system prompts out and count them, or reject dialogues that have one."
    )
    limit: int | None = Field(default=None, ge=1, description="Read at most this many records.")
    shard_rows: int = Field(default=5_000, ge=1, description="Records in a shard, which is the unit of resume.")


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Read every part in turn; write shards of dialogues, with rejects and scenarios, then the funnel.

    Raises:
        InputError: there is nothing to read, every record is rejected, or a dataset cannot be reached.
        DamagedFileError: a file is cut short or corrupt.
        MissingDependencyError: a dataset of the Hub needs a package that is not installed.
    """
    found = find_parts(inputs.many("source"), _wanted(config))
    _add_origins(config, found, out)
    intake = Intake(config.corpus, config.labels)
    items = islice(_items(found), config.limit)
    with context.progress("loading", config.limit, "records") as bar:
        for index, block in enumerate(_blocks(items, config.shard_rows, intake)):
            # What an earlier attempt finished is read again for its ids and notes, and not written again.
            if not out.has_shard("dialogues", index):
                _write(block, index, out)
            bar.advance(len(block.dialogues) + len(block.rejected) + block.duplicates["dialogues"])
    if not intake.files:
        raise InputError(f"{', '.join(part.name for part in found.parts)}: no dialogue and no other record in it")
    check_kept(intake)
    warn(intake, out)
    write_funnel(intake, found, out)


def _wanted(config: Config) -> Wanted:
    return Wanted(config.format, config.split, config.revision, config.subset, config.system, config.license)


def _items(found: Parts) -> Iterator[tuple[Part, Item]]:
    for part in found.parts:
        for item in part.read():
            yield part, item


def _blocks(items: Iterator[tuple[Part, Item]], size: int, intake: Intake) -> Iterator[Block]:
    while taken := list(islice(items, size)):
        yield intake.take(taken)


def _write(block: Block, index: int, out: Output) -> None:
    if block.scenarios:
        out.write_table(shard_name("scenarios", index), scenarios_to_table(block.scenarios))
    out.write_shard("dialogues", index, to_table(block.dialogues), counts=block.counts(), rejected=block.rejects())


def _add_origins(config: Config, found: Parts, out: Output) -> None:
    """Record what the rows derive from; the options fill in what the format, or the dataset's card, does not state."""
    licence = config.license.lower() if config.license else None
    unused = {"--license": licence, "--url": config.url}
    for part in found.parts:
        stated = part.origins or (Origin(name=config.corpus or part.stem, license=UNKNOWN, url=config.url),)
        licences = {origin.license for origin in stated}
        unused["--license"] = None if {UNKNOWN, licence} & licences else unused["--license"]
        unused["--url"] = unused["--url"] if part.origins else None
        for origin in stated:
            out.add_origin(_with_licence(origin, licence))
    if names := [name for name, value in unused.items() if value]:
        out.warn(f"not used: {' and '.join(names)}: what was read states its own")


def _with_licence(origin: Origin, given: str | None) -> Origin:
    return origin.model_copy(update={"license": given}) if given and origin.license == UNKNOWN else origin
