"""Stage: dialogues published without their text, and dumps -> the dialogues with their text, each checked by its hash.

    sage data hydrate small-talk/ --dumps RC_2005-12.zst --dumps RC_2006-01.zst --out dialogues/

The dumps are read once and wanted comments laid aside (`gathering.py`), then dialogues are put together part by part
(`rebuilding.py`): memory depends on the dataset, not on the dumps. Texts are cleaned as the Reddit stage cleans them.
What is written is a folder of dialogues like any other, so gates, annotators and chains work on it. A dialogue one of
whose comments is missing, deleted, changed or on the list of tombstones stands in `rejected/` by its id, with the
reason; the command then ends with code 3, unless tombstones were the only reason.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Literal

import pyarrow.compute as pc
from pydantic import Field

from sage_data.errors import InputError
from sage_data.funnel import steps_of, svg
from sage_data.inputs import maker
from sage_data.publishing.hydrate.finding import find_withheld, read_parts, read_source_ids, stated_origin
from sage_data.publishing.hydrate.gathering import GatherTally, GatherTask, Wanted, gather, read_texts
from sage_data.publishing.hydrate.rebuilding import LOSSES, ORIGINAL, Loss, rebuild
from sage_data.publishing.withholding import read_tombstones
from sage_data.reddit import ORIGIN, SMALL_BYTES
from sage_data.reddit.executors import open_executor
from sage_data.reddit.reader import SUBMISSION, Kind
from sage_data.reddit.sources import Dump, find_dumps
from sage_data.reddit.spill import read_progress
from sage_data.stage import Context, Counts, Inputs, Need, Output, StageConfig
from sage_data.store.files import remove

VERSION = 2
INPUTS = (
    Need("dataset", "published dataset, one config of it, or a staged one: dialogues without text"),
    Need("dumps", "Pushshift comment dumps: folders, files, URLs", many=True, remote=True, origin=ORIGIN),
    Need("submissions", "submission dumps, for titles", many=True, optional=True, remote=True, origin=ORIGIN),
    Need("tombstones", "text file of comment ids that must not come back, one a line", optional=True),
)
SPILL = ".spill"
"""Where wanted comments are laid aside, in the stage's work folder; gone when the stage is done."""
MOST_WORKERS = 8
SHOWN_FILES = 5


class Config(StageConfig):
    """Settings of the stage."""

    volatile: ClassVar[frozenset[str]] = frozenset({"workers"})

    config: str | None = Field(default=None, description="Which config of the dataset, when it has several.")
    split: str | None = Field(default=None, description="Which split, when it has several.")
    files: str = Field(default="RC_*", description="Which files of an input folder are comment dumps (glob pattern).")
    submission_files: str = Field(default="RS_*", description="Which files of a folder are submission dumps.")
    changed: Literal["keep", "reject"] = Field(
        default="reject",
        description="What to do with a comment whose text is not the one that was published: take it as it is now, or "
        "reject its dialogue.",
    )
    allow_truncated: bool = Field(
        default=False, description="Of a damaged dump, use what precedes the damage (the command then ends with 3)."
    )
    workers: int | None = Field(
        default=None, ge=1, description="Processes that read dumps; by CPUs and dumps if not given."
    )


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Read the dumps, put the texts back, check them, say what could not be rebuilt.

    Raises:
        InputError: the dataset has no dialogues without text, or the dumps none of their comments; a dump cannot be
            read; a line of the tombstones is no id.
        DamagedFileError: a dump is empty, cut short or corrupt, and that is not allowed; a shard is no Parquet.
        ConfigError: the dataset has several configs or splits, and none is named.
        MissingDependencyError: a URL needs a package that is not installed.
    """
    dataset = inputs.one("dataset")
    if maker(dataset) is None:
        out.add_origin(stated_origin(dataset.path))
    shards = find_withheld(dataset.path, config.config, config.split)
    listed = inputs.optional("tombstones")
    tombstones = frozenset[str]() if listed is None else read_tombstones(listed.path)
    spill = out.path / SPILL
    spill.mkdir(exist_ok=True)
    wanted = Wanted.of(read_source_ids(shards), tombstones)
    wanted.save(spill)
    tallies = _gather(config, _tasks(config, inputs, spill), context)
    if len(wanted.keys) and not sum(tally.found for tally in tallies):
        raise _nothing_found(shards, tallies)
    with context.progress("rebuilding", wanted.count, "parts") as bar:
        for index, part in enumerate(read_parts(shards)):
            if not out.has_shard("dialogues", index):
                rebuilt = rebuild(part, read_texts(spill, index), tombstones, keep_changed=config.changed == "keep")
                out.write_shard("dialogues", index, rebuilt.dialogues, counts=rebuilt.counts, rejected=rebuilt.rejected)
            bar.advance()
    _report(shards, tallies, inputs, out)
    remove(spill)


def _tasks(config: Config, inputs: Inputs, spill: Path) -> list[GatherTask]:
    """One task a dump: comments first, each kind in order of names, which decides between lines of the same id."""
    comments = find_dumps([one.location for one in inputs.many("dumps")], config.files)
    dumps = [(dump, Kind.COMMENTS) for dump in comments]
    given = [one.location for one in inputs.many("submissions")]
    dumps += [(dump, Kind.SUBMISSIONS) for dump in (find_dumps(given, config.submission_files) if given else ())]
    return [
        GatherTask(dump, index, kind, str(spill), allow_truncated=config.allow_truncated)
        for index, (dump, kind) in enumerate(dumps)
    ]


def _gather(config: Config, tasks: Sequence[GatherTask], context: Context) -> list[GatherTally]:
    """Phase 1 over all dumps; what became of their lines, in order."""
    total = sum(task.dump.bytes for task in tasks)
    workers = config.workers or _workers([task.dump for task in tasks])
    seen = 0
    with (
        open_executor("local", workers, None) as executor,
        context.progress("reading dumps", total, "bytes") as bar,
    ):

        def poll() -> None:
            nonlocal seen
            now = read_progress(Path(tasks[0].folder))
            bar.advance(now - seen)
            seen = now

        found = dict(executor.run(gather, tasks, poll))
    return [found[index] for index in range(len(tasks))]


def _workers(dumps: Sequence[Dump]) -> int:
    """How many processes are worth their start."""
    small = sum(dump.bytes for dump in dumps) < SMALL_BYTES
    return 1 if small else min(len(os.sched_getaffinity(0)), len(dumps), MOST_WORKERS)


def _report(shards: Sequence[Path], tallies: Sequence[GatherTally], inputs: Inputs, out: Output) -> None:
    """`funnel.json`, `funnel.svg`, `summary.txt`, and what a person should be told."""
    by_unit = {counts.unit: counts for counts in out.counts()}
    dialogues = by_unit["dialogues"]
    for failure in _failures(dialogues, tallies):
        out.fail(failure)
    for warning in _advice(by_unit, shards, tallies, inputs):
        out.warn(warning)
    funnel: dict[str, Any] = dialogues.model_dump(mode="json")
    funnel["order"] = [str(loss) for loss in LOSSES]
    funnel |= {unit: by_unit[unit].model_dump(mode="json", exclude={"unit"}) for unit in ("utterances", "texts")}
    funnel["files"] = {tally.pop("file"): tally for tally in map(asdict, tallies)}
    out.write_json("funnel.json", funnel)
    out.write_text("funnel.svg", svg(steps_of(funnel), "From ids to dialogues"))
    out.write_text("summary.txt", _summary(by_unit, tallies))


def _failures(dialogues: Counts, tallies: Sequence[GatherTally]) -> Iterator[str]:
    """What could not be done although it was asked for; tombstones were asked for themselves."""
    for tally in tallies:
        if tally.damage is not None:
            yield f"{tally.damage}; the {tally.lines:,} lines before it were read"
    lost = {reason: count for reason, count in dialogues.dropped.items() if reason != Loss.TOMBSTONED}
    if lost:
        named = ", ".join(f"{count:,} {reason}" for reason, count in lost.items())
        yield f"{sum(lost.values()):,} of {dialogues.came_in:,} dialogues could not be rebuilt: {named}"


def _advice(
    by_unit: dict[str, Counts], shards: Sequence[Path], tallies: Sequence[GatherTally], inputs: Inputs
) -> Iterator[str]:
    """What may explain why words are missing, or are not those that were published."""
    if by_unit["utterances"].dropped.get(Loss.MISSING):
        yield from _missing_files(shards, tallies)
        if not inputs.many("submissions") and (titles := _titles(shards)):
            yield f"{titles:,} utterances are titles of submissions: give their dumps with --submissions"
    texts = by_unit["texts"].dropped
    if originals := texts.get(ORIGINAL):
        yield f"{originals:,} utterances had been rewritten by the annotator; they are back in their authors' words"
    if changed := texts.get(Loss.CHANGED):
        yield f"{changed:,} utterances are not what was published: their comments were edited since, or rewritten"


def _missing_files(shards: Sequence[Path], tallies: Sequence[GatherTally]) -> Iterator[str]:
    """The months that the dataset was made from and that are not among the dumps, whatever their compression."""
    given = {_month(tally.file) for tally in tallies}
    made_from: set[str] = set()
    for part in read_parts(shards):
        files = pc.unique(pc.list_flatten(pc.struct_field(part["source"], "files")))
        made_from.update(files.drop_null().to_pylist())
    lacking = sorted(name for name in made_from if _month(name) not in given)
    if lacking:
        more = f" and {len(lacking) - SHOWN_FILES:,} more" if len(lacking) > SHOWN_FILES else ""
        yield f"the dataset was also made from {', '.join(lacking[:SHOWN_FILES])}{more}: not among the dumps given"


def _month(file: str) -> str:
    """`RC_2006-01` of `RC_2006-01.zst`."""
    return PurePosixPath(file).name.partition(".")[0]


def _titles(shards: Sequence[Path]) -> int:
    """How many utterances are titles."""
    return sum(pc.sum(pc.starts_with(ids, SUBMISSION)).as_py() or 0 for ids in read_source_ids(shards))


def _summary(by_unit: dict[str, Counts], tallies: Sequence[GatherTally]) -> str:
    rows = [(f"lines in {len(tallies)} {'file' if len(tallies) == 1 else 'files'}", sum(one.lines for one in tallies))]
    rows += [("  that cannot be used", sum(sum(one.bad.values()) for one in tallies))]
    rows += [("  wanted comments", sum(one.found for one in tallies))]
    for unit, kept in (("dialogues", "rebuilt"), ("texts", "as published")):
        counts = by_unit[unit]
        rows.append(("utterances rebuilt" if unit == "texts" else "dialogues in the dataset", counts.came_in))
        rows += [(f"  {reason}", number) for reason, number in counts.dropped.items()]
        rows.append((f"  {kept}", counts.kept))
    return "".join(f"{label:<32}{number:>14,}\n" for label, number in rows)


def _nothing_found(shards: Sequence[Path], tallies: Sequence[GatherTally]) -> InputError:
    hints = "; ".join(_missing_files(shards, tallies))
    return InputError(
        f"expected dumps that hold comments of this dataset; found none of them in {len(tallies):,} "
        f"{'file' if len(tallies) == 1 else 'files'} of {sum(one.comments for one in tallies):,} comments",
        next_step=hints or "check that these are the dumps of the months that the dataset's card names",
    )
