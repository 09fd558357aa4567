"""Stage: Pushshift dumps to dialogues (paper section 3.1, "following the recipe from DialoGPT").

    sage data reddit RC_2005-12.zst RC_2006-01.zst --out dialogues/

All dumps are read together, because threads cross months. Work goes in two phases: each dump is read once and its
comments are laid aside by thread (`spill.py`), then each partition of threads is cut into dialogues (`building.py`).
Memory does not grow with the dumps, and any number of processes or machines may take part. Written are
`dialogues-*.parquet`, one shard a partition, with the dropped comments in `rejected/`; `quarantine-*.parquet`, one
shard a dump, with the lines that could not be used; `funnel.json`, `funnel.svg` and `summary.txt`. Bytes depend neither
on who did what nor on the order in which files are named, nor on the order of lines, but for duplicates: the first by
file name and line stays.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from sage_data.errors import ConfigError, InputError, StageError
from sage_data.progress import Bar
from sage_data.reddit.building import BuildTask, build_partition
from sage_data.reddit.comments import CommentGates
from sage_data.reddit.dumps import PACKED, PARQUET
from sage_data.reddit.executors import Executor, open_executor
from sage_data.reddit.reader import Kind
from sage_data.reddit.repeats import repeats_across
from sage_data.reddit.sources import Dump, find_dumps
from sage_data.reddit.spill import SortTask, read_progress, sort_dump
from sage_data.reddit.threads import Policy, Window
from sage_data.reddit.writing import write_funnel, write_quarantine
from sage_data.stage import Context, Inputs, Need, Origin, Output, StageConfig
from sage_data.store.files import remove

VERSION = 3
ORIGIN = Origin(
    name="Reddit comments",
    license="other",
    url="https://www.reddit.com",
    note="Their authors keep their rights; Reddit's terms bind whoever uses them. Text of deleted comments must go.",
    withhold_text=True,
)
INPUTS = (
    Need("dumps", "Pushshift comment dumps: folders, files, URLs", many=True, remote=True, origin=ORIGIN),
    Need("submissions", "submission dumps, for titles", many=True, optional=True, remote=True, origin=ORIGIN),
)

SPILL = ".spill"
"""Where phase 1 lays comments aside, in the stage's work folder; gone when the stage is done."""
PARTITION_BYTES = 67_108_864
"""Decompressed bytes of dumps for each partition, by guess: what keeps phase 2 small."""
PACKED_RATIO = 10
"""How many times larger a compressed dump is taken to be once unpacked."""
FEWEST_PARTITIONS, MOST_PARTITIONS = 8, 16_384
SMALL_BYTES = 67_108_864
"""Dumps smaller than this together are not worth starting processes for."""
MOST_WORKERS = 8


class Config(CommentGates, StageConfig):
    """Settings of the stage."""

    volatile: ClassVar[frozenset[str]] = frozenset({"workers", "executor", "ray_address"})

    files: str = Field(default="RC_*", description="Which files of an input folder are comment dumps (glob pattern).")
    submission_files: str = Field(default="RS_*", description="Which files of a folder are submission dumps.")
    policy: Policy = Field(
        default=Policy.ALTERNATING,
        description="How threads are cut: two people in turn; anyone in turn; every run of "
        "window_least to window_most replies; or the submission's title first, then two people in turn.",
    )
    min_utterances: int = Field(
        default=2, ge=2, description="Shortest chain that is written; with 5, what the paper's gates drop first is not."
    )
    titles: bool = Field(
        default=False, description="Let top-level comments answer their submission's title, under any policy."
    )
    window_least: int = Field(default=2, ge=2, description="Policy windows: fewest utterances.")
    window_most: int = Field(default=10, ge=2, description="Policy windows: most utterances.")
    missing_authors: bool = Field(
        default=False, description="Keep comments whose author is null; an unknown author equals nobody."
    )
    allow_truncated: bool = Field(
        default=False, description="Of a damaged dump, keep what precedes the damage (the command then ends with 3)."
    )
    partitions: int | None = Field(
        default=None,
        ge=1,
        le=MOST_PARTITIONS,
        description="Parts that threads are spread over, one output shard each; by the size of the dumps if not given.",
    )
    workers: int | None = Field(
        default=None,
        ge=1,
        description="Processes; by CPUs and dumps if not given. Each needs up to 540 MB, and 2.1 GB more while it "
        "reads a dump packed with a long window.",
    )
    executor: Literal["local", "ray"] = Field(default="local", description="Where the work is done.")
    ray_address: str | None = Field(default=None, description="A running Ray cluster; without it, one is started here.")

    @model_validator(mode="after")
    def _windows_have_two_ends(self) -> Self:
        if self.window_most < self.window_least:
            raise ValueError(f"window_most must be at least window_least, found {self.window_most}")
        if self.policy is not Policy.WINDOWS and (idle := {"window_least", "window_most"} & self.model_fields_set):
            raise ValueError(f"{', '.join(sorted(idle))} would do nothing under the policy {self.policy.value}")
        return self


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Read the dumps, drop comments, cut threads, write dialogues and the reasons for all else.

    Raises:
        InputError: there is no dump, or one cannot be opened, has an unknown format or holds no comment.
        DamagedFileError: a dump is empty, cut short or corrupt, and that is not allowed.
        ConfigError: titles are wanted and there are no submissions.
        MissingDependencyError: a URL or executor needs a package that is not installed.
    """
    _warn(config, inputs, out)
    spill = out.path / SPILL
    spill.mkdir(exist_ok=True)
    tasks = _sort_tasks(config, inputs, spill)
    sizes = sum(task.dump.bytes for task in tasks)
    workers = config.workers or _workers(len(tasks), sizes)
    with open_executor(config.executor, workers, config.ray_address) as executor:
        with context.progress("reading dumps", sizes, "bytes") as bar:
            tallies = dict(executor.run(sort_dump, tasks, _following(spill, bar)))
        with context.progress("cutting threads", tasks[0].partitions, "partitions") as bar:
            _build(executor, _build_tasks(config, out, spill, tasks), out, bar)
    for index, task in enumerate(tasks):
        tally = tallies[index]
        write_quarantine(task, tally, out)
        if tally.damage is not None:
            out.fail(f"{tally.damage}; the {tally.lines:,} lines before it were read")
    write_funnel([tallies[index] for index in range(len(tasks))], out)
    remove(spill)


def _warn(config: Config, inputs: Inputs, out: Output) -> None:
    """Say what was asked for and cannot do what it seems to."""
    titled = config.titles or config.policy is Policy.TITLE
    if inputs.many("submissions") and not titled:
        out.warn("the submissions are not used: give --titles, or --policy title-as-first-turn")
    if config.ray_address is not None and config.executor != "ray":
        out.warn("the Ray address is not used: give --executor ray")
    if config.missing_authors and config.policy in (Policy.ALTERNATING, Policy.TITLE):
        out.warn(
            "comments of unknown authors make dialogues of two utterances only; --policy any does not ask who speaks"
        )


def partitions_for(dumps: Sequence[Dump]) -> int:
    """How many partitions keep each one small, judging by the sizes of the dumps."""
    unpacked = sum(dump.bytes * (PACKED_RATIO if _is_packed(dump) else 1) for dump in dumps)
    return min(max(FEWEST_PARTITIONS, -(-unpacked // PARTITION_BYTES)), MOST_PARTITIONS)


def _is_packed(dump: Dump) -> bool:
    return PurePosixPath(dump.name).suffix.lower() in {*PACKED, PARQUET}


def _submissions(config: Config, inputs: Inputs) -> list[Dump]:
    """The submission dumps, if titles are wanted."""
    if not config.titles and config.policy is not Policy.TITLE:
        return []
    found = inputs.many("submissions")
    if not found:
        raise ConfigError(
            "titles as first turns need submission dumps, found none",
            next_step="add them: --submissions RS_2006-01.zst",
        )
    return find_dumps([one.location for one in found], config.submission_files)


def _workers(dumps: int, sizes: int) -> int:
    """How many processes are worth their start."""
    return 1 if sizes < SMALL_BYTES else min(len(os.sched_getaffinity(0)), dumps, MOST_WORKERS)


def _sort_tasks(config: Config, inputs: Inputs, spill: Path) -> list[SortTask]:
    """The tasks of phase 1: comment dumps first, each kind in order of names."""
    comments = find_dumps([one.location for one in inputs.many("dumps")], config.files)
    dumps = [(dump, Kind.COMMENTS) for dump in comments]
    dumps += [(dump, Kind.SUBMISSIONS) for dump in _submissions(config, inputs)]
    names = Counter(dump.name for dump, _ in dumps)
    twice = [dump.location for dump, _ in dumps if names[dump.name] > 1]
    if twice:
        raise InputError(
            f"expected dumps of different names, found {' and '.join(twice)}", next_step="rename one of them"
        )
    partitions = config.partitions or partitions_for([dump for dump, _ in dumps])
    gates = CommentGates(**config.model_dump(include=set(CommentGates.model_fields)))
    return [
        SortTask(
            dump,
            index,
            kind,
            str(spill),
            gates,
            partitions,
            missing_authors=config.missing_authors,
            allow_truncated=config.allow_truncated,
        )
        for index, (dump, kind) in enumerate(dumps)
    ]


def _build_tasks(config: Config, out: Output, spill: Path, tasks: Sequence[SortTask]) -> list[BuildTask]:
    """The tasks of phase 2 that no earlier attempt finished."""
    count = tasks[0].partitions
    left = [index for index in range(count) if not out.has_shard("dialogues", index)]
    repeats = repeats_across(spill, len(tasks), count) if left else {}
    return [
        BuildTask(
            str(spill),
            str(out.path),
            index,
            tuple(task.dump.name for task in tasks),
            config.policy,
            Window(config.window_least, config.window_most),
            config.min_utterances,
            tuple(repeats.get(index, ())),
        )
        for index in left
    ]


def _build(executor: Executor, tasks: Sequence[BuildTask], out: Output, bar: Bar) -> None:
    """Phase 2 over all partitions that are left."""
    for index, _ in executor.run(build_partition, tasks, _nothing):
        if not out.has_shard("dialogues", tasks[index].partition):  # which also makes its counts count
            raise StageError(
                f"expected shard {tasks[index].partition} of dialogues in {out.path}, found none after it was written",
                next_step="with several machines, each must see this folder",
            )
        bar.advance()


def _following(spill: Path, bar: Bar) -> Callable[[], None]:
    """Moves the bar by what the readers, wherever they are, say that they have read."""
    seen = 0

    def poll() -> None:
        nonlocal seen
        now = read_progress(spill)
        bar.advance(now - seen)
        seen = now

    return poll


def _nothing() -> None:
    """A bar that moves by finished tasks needs no polling."""
