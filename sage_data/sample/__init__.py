"""Stage: the miniature world, for machines without data or weights. All of its text was written for this project (CC0).

sage data sample --out world

dumps/      Pushshift-shaped monthly dumps with planted dirt
gold/       what must come out of the dumps and why the rest must not; states of utterances and scenarios
scenarios/  train, valid and test in the format of EmpatheticDialogues
tasks/      small benchmark tasks in lm-eval's format
base/       base_corpus.parquet, from which the tiny base learns
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import Field

from sage_data.sample.base import base_table
from sage_data.sample.dumps import MONTHS, SUFFIXES, write_dumps
from sage_data.sample.gold import write_scenario_states
from sage_data.sample.situations import write_situations
from sage_data.sample.tasks import write_tasks
from sage_data.sample.wording import BASE_FILE, TOPIC_FILES, TURN_FILE
from sage_data.stage import Context, Inputs, Need, Origin, Output, StageConfig

VERSION = 1
INPUTS: tuple[Need, ...] = ()
RESOURCES = (*TOPIC_FILES, TURN_FILE, BASE_FILE)
ORIGIN = Origin(
    name="the miniature world of sage-dialogue",
    license="cc0-1.0",
    note="Made by a program; nobody's words.",
    synthetic=True,
)


class Config(StageConfig):
    """How large the world is."""

    threads: int = Field(1500, ge=0, description="Threads in the dumps; about 7 comments each.")
    months: tuple[str, ...] = Field(MONTHS, min_length=1, description="Months of the dumps, such as 2012-11, in order.")
    suffixes: tuple[str, ...] = Field(
        SUFFIXES, min_length=1, description="Compression of the dumps, month by month: zst, bz2, gz or jsonl."
    )
    dirt: bool = Field(True, description="Add lines that cannot be used: bad JSON, missing fields, lines too long.")
    train: int = Field(600, ge=0, description="Scenarios in train.csv.")
    valid: int = Field(120, ge=0, description="Scenarios in valid.csv.")
    test: int = Field(120, ge=0, description="Scenarios in test.csv.")
    task_documents: int = Field(200, ge=1, description="Documents in each benchmark task.")
    base_documents: int = Field(6000, ge=1, description="Documents in the corpus of the tiny base.")


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write the world.

    Raises:
        ConfigError: the months are not in order or not written like 2012-11.
    """
    out.add_origin(ORIGIN)
    seed = context.seed
    sizes = {"train": config.train, "valid": config.valid, "test": config.test}
    if not out.has("gold"):
        # The gold folder is the outer one, so it appears last and stands for both.
        with out.folder("gold") as gold, out.folder("dumps") as dumps:
            _write_dumps(config, seed, dumps, gold)
            write_scenario_states(gold / "scenario_states.parquet", seed=seed, sizes=sizes)
    with out.folder("scenarios") as folder:
        write_situations(folder, seed=seed, sizes=sizes)
    with out.folder("tasks") as folder:
        write_tasks(folder, seed=seed, size=config.task_documents)
    out.write_table("base/base_corpus.parquet", base_table(seed, config.base_documents))
    out.write_text("summary.txt", _summary(config, sum(sizes.values()), out.path / "gold" / "funnel.json"))


def _write_dumps(config: Config, seed: int, dumps: Path, gold: Path) -> None:
    write_dumps(
        dumps,
        gold,
        seed=seed,
        threads=config.threads,
        months=config.months,
        suffixes=config.suffixes,
        dirt=config.dirt,
    )


def _summary(config: Config, scenarios: int, funnel: Path) -> str:
    counts = json.loads(funnel.read_text(encoding="utf-8"))
    return (
        f"a miniature world: {config.threads:,} threads with {counts['comments']:,} comments in {len(config.months)} "
        f"months, of whose {counts['dialogues']:,} dialogues {counts['kept']:,} pass the paper's gates; "
        f"{scenarios:,} scenarios; {config.base_documents:,} documents for the base\n"
    )
