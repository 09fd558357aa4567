"""Stage: Pushshift comment dumps to dialogues (paper section 3.1, "following the recipe from DialoGPT").

    sage data reddit RC_2005-12.zst RC_2006-01.zst --out dialogues/

All dump files are read together, because threads cross months. Written are `dialogues-*.parquet`, one shard a partition
of threads, with the dropped comments beside it in `rejected/`; `quarantine-*.parquet`, one shard a dump, with the lines that
could not be used; `funnel.json` and `summary.txt`. Bytes depend neither on the order in which files are named nor on
the order of lines, but for duplicates, of which the first by file name and line stays.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from sage_data.reddit.comments import CommentGates
from sage_data.reddit.threads import Policy
from sage_data.stage import Context, Inputs, Need, Output, StageConfig

VERSION = 1
INPUTS = (Need("dumps", "Pushshift comment dumps: folders, files, or both", many=True),)


class Config(StageConfig):
    """Settings of the stage."""

    files: str = Field("RC_*", description="Which files of an input folder are dumps (glob pattern).")
    policy: Policy = Field(Policy.ALTERNATING, description="How threads are cut into dialogues.")
    comments: CommentGates = Field(default_factory=CommentGates, description="Which comment gates apply.")
    partitions: int = Field(8, ge=1, le=4096, description="Parts that threads are spread over: one output shard each.")


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Read the dumps, drop comments, cut threads, write dialogues with the reasons for all else."""
    # Imported late: the command line reads this module for its settings alone.
    from sage_data.reddit.building import build

    paths: list[Path] = [one.path for one in inputs.many("dumps")]
    build(config, paths, out, context)
