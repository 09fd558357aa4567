"""Stage: Pushshift comment dumps to dialogues (paper section 3.1, "following the recipe from DialoGPT").

    sage data reddit RC_2005-12.zst RC_2006-01.zst --out dialogues/

All dumps are read together, because threads cross months. Written are `dialogues-*.parquet`, one shard a partition of
threads, with the dropped comments in `rejected/`; `quarantine-*.parquet`, one shard a dump, with the lines that could
not be used; `funnel.json` and `summary.txt`. Bytes depend neither on the order in which files are named nor on
the order of lines, but for duplicates, of which the first by file name and line stays.
"""

from __future__ import annotations

from pydantic import Field

from sage_data.reddit.building import build_partition, find_dumps, sort_into_partitions
from sage_data.reddit.comments import CommentGates, comment_gates
from sage_data.reddit.threads import Policy
from sage_data.reddit.writing import write_built, write_funnel, write_quarantine
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
    """Read the dumps, drop comments, cut threads, write dialogues and the reasons for all else.

    Raises:
        InputError: there is no dump, or one cannot be opened or has an unknown format.
        DamagedFileError: a dump is empty, cut short or corrupt.
    """
    files = find_dumps([one.path for one in inputs.many("dumps")], config.files)
    with context.progress("reading dumps", sum(file.stat().st_size for file in files), "bytes") as bar:
        parted = sort_into_partitions(files, comment_gates(config.comments), config.partitions, bar)
    write_quarantine(parted.tallies, out)
    with context.progress("cutting threads", config.partitions, "partitions") as bar:
        for index, partition in enumerate(parted.partitions):
            if not out.has_shard("dialogues", index):
                write_built(build_partition(partition, config.policy), index, out)
            bar.advance()
    write_funnel(parted.tallies, out)
