"""Makes a mirror of benchmark data, inside which lm-eval's tasks run unmodified without a network.

With `--from`, the paper's ten tasks are converted from the files that their authors published (or common copies of
them), checked item by item. Without, any task's data is taken from the Hub's cache on this machine (`--cache`, else
HF_HOME), or with `--hub` from the Hub.

    sage eval bench mirror --from benchmarks/ --out mirror/
    sage eval bench mirror --tasks paper --hub --out mirror/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
from pydantic import Field

from sage_data.errors import ConfigError
from sage_data.stage import SUMMARY, Context, Counts, Inputs, Need, Output, StageConfig
from sage_eval.bench.conventions import PAPER
from sage_eval.bench.mirror.files import local_parts
from sage_eval.bench.mirror.hub import hub_parts
from sage_eval.bench.mirror.layout import INDEX, Split, index, readme
from sage_eval.bench.wording import named
from sage_eval.tables import text_table

VERSION = 1
INPUTS = (Need("from", "folder of benchmark files as their authors published them", optional=True),)


class Config(StageConfig):
    """Which tasks are mirrored, and where from."""

    volatile: ClassVar[frozenset[str]] = frozenset({"cache"})

    tasks: tuple[str, ...] = Field(
        (),
        description="Tasks by their lm-eval names, or `paper`; all must be there. Left out: with --from, whatever of "
        "the paper's tasks is found; else `paper`.",
    )
    cache: Path | None = Field(
        None, description="Hub cache to read (HF_HOME, or its folder hub); HF_HOME's if left out."
    )
    hub: bool = Field(False, description="Ask the Hub instead of its cache.")


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write every split as Parquet, a README for each dataset, `mirror.json` and `summary.txt`.

    Raises:
        ConfigError: options that contradict each other, or a task that has no converter.
        InputError: a file or dataset is missing, or an item is not what its format says.
        MissingDependencyError: lm-eval or datasets is not installed.
    """
    source = inputs.optional("from")
    if source is None:
        pairs, total = hub_parts(config.tasks or (PAPER,), config.cache, ask=config.hub), None
    else:
        pairs, total = _converted(source.path, config, out)
    splits: list[Split] = []
    with context.progress("mirror", total=total, unit="splits") as bar:
        for split, table in pairs:
            counts = Counts(unit="documents", came_in=split.rows, kept=split.rows, quarantined=0)
            out.write_shard(split.table, 0, table, counts=counts)
            splits.append(split)
            bar.advance(1)
    for dataset in sorted({split.dataset for split in splits}):
        out.write_text(f"{dataset}/README.md", readme(dataset, [one for one in splits if one.dataset == dataset]))
    out.write_json(INDEX, index(splits))
    if empty := [f"{one.dataset} ({one.config})" for one in splits if not one.rows]:
        out.warn(
            f"no examples for prompts, as the source lacks that split: {named(empty)}; "
            "these run with `num_fewshot: 0` alone"
        )
    out.write_text(SUMMARY, _summary(splits))


def _converted(folder: Path, config: Config, out: Output) -> tuple[Iterator[tuple[Split, pa.Table]], int]:
    """Every split made from local files, and how many there are."""
    if config.hub or config.cache is not None:
        raise ConfigError("--from reads local files; it goes with neither --hub nor --cache")
    found = local_parts(folder, config.tasks)
    if found.missing:
        out.warn(f"not mirrored, as no file was found: {named(found.missing)}")
    return ((part.split, part.table()) for part in found.parts), len(found.parts)


def _summary(splits: Sequence[Split]) -> str:
    """One line a dataset and split, configs added up."""
    totals: dict[tuple[str, str], list[Split]] = {}
    for one in splits:
        totals.setdefault((one.dataset, one.split), []).append(one)
    cells = [
        (dataset, split, str(len(listed)), f"{sum(one.rows for one in listed):,}")
        for (dataset, split), listed in sorted(totals.items())
    ]
    return f"{text_table(('dataset', 'split', 'configs', 'rows'), cells, left=2)}\n"
