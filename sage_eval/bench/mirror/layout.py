"""How a mirror lies on disk: the folders that `datasets` takes for the Hub's datasets of the same names.

    <mirror>/mirror.json                                    every split with its rows
    <mirror>/allenai/ai2_arc/README.md                      which files are which config and split
    <mirror>/allenai/ai2_arc/ARC-Easy/test-00000.parquet

A task of lm-eval reads `allenai/ai2_arc` relative to the working directory, so it runs unmodified inside the mirror.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sage_data.errors import InputError

INDEX = "mirror.json"
NOTHING = "the source has no such split: one filler row, never to be shown"


@dataclass(frozen=True, slots=True, order=True)
class Split:
    """One split of one config of a dataset in the mirror."""

    dataset: str
    config: str
    split: str
    rows: int
    """0 where the source has no such split: then it holds one row that says so, for lm-eval to open."""
    source: str
    """The file it was made from, or the Hub's revision; empty where there was none."""

    @property
    def table(self) -> str:
        """Its files, without number and ending, below the mirror."""
        return f"{self.dataset}/{self.config}/{self.split}"


def readme(dataset: str, splits: Sequence[Split]) -> str:
    """The front matter that tells `datasets` which files belong to which config, and a table for people."""
    lines = ["---", "configs:"]
    for config in dict.fromkeys(one.config for one in splits):
        lines += [f"- config_name: {json.dumps(config)}", "  data_files:"]
        for one in splits:
            if one.config == config:
                lines += [f"  - split: {one.split}", f"    path: {json.dumps(f'{config}/{one.split}-*.parquet')}"]
    lines += [
        "---",
        f"# {dataset}, mirrored for lm-eval",
        "",
        "| config | split | rows | made from |",
        "|---|---|---|---|",
    ]
    lines += [f"| {one.config} | {one.split} | {one.rows} | {one.source or NOTHING} |" for one in splits]
    return "\n".join(lines) + "\n"


def index(splits: Iterable[Split]) -> dict[str, Any]:
    """What `mirror.json` holds."""
    fields = ("dataset", "config", "split", "rows", "source")
    return {"splits": [{name: getattr(one, name) for name in fields} for one in sorted(splits)]}


def read_index(mirror: Path) -> tuple[Split, ...]:
    """Every split of a mirror.

    Raises:
        InputError: the folder is no mirror.
    """
    try:
        found = json.loads((mirror / INDEX).read_text(encoding="utf-8"))
        return tuple(Split(**one) for one in found["splits"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{mirror}: expected a mirror with a {INDEX}, found none that can be read",
            next_step="sage eval bench mirror --from DIR --out mirror/",
        ) from error
