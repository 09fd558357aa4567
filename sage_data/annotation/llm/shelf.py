"""Shards on their way: dialogues to ask about go out, finished ones come back in any order, whole shards are written.

shelf = Shelf(folder, out, replace_states=False); for job in asking.run(shelf.jobs()): shelf.put(job)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sage_data.annotation.annotator import AnnotationFailure, FailureKind
from sage_data.annotation.llm.asking import Job
from sage_data.annotation.llm.outcome import (
    ASKED,
    REWRITES,
    asked_row,
    asked_to_table,
    earlier_rewrites,
    rewrites_to_table,
    unasked_row,
)
from sage_data.annotation.llm.reply import Annotated
from sage_data.annotation.llm.wording import Rewrite
from sage_data.annotation.shards import stated, write_annotated
from sage_data.dialogue import Dialogue
from sage_data.stage import Output
from sage_data.store.dialogues import from_table
from sage_data.store.shards import read_shards, shard_name

Place = tuple[int, int]
"""(shard, row) of a dialogue."""


def needs_asking(dialogue: Dialogue, *, replace_states: bool) -> bool:
    """True for a dialogue with something to annotate: finished ones pass unless their states are to be replaced."""
    return any(replace_states or one.state is None for one in dialogue.utterances)


class Alike:
    """Tells which dialogues have the id and words of one before, so that one call answers both; 100 bytes each."""

    def __init__(self) -> None:
        self._met: set[bytes] = set()

    def met(self, dialogue: Dialogue) -> bool:
        """True when one like it was met before."""
        said = repr((dialogue.id, [(one.role, one.text) for one in dialogue.utterances]))
        mark = hashlib.blake2b(said.encode(), digest_size=16).digest()
        found = mark in self._met
        self._met.add(mark)
        return found


@dataclass(slots=True)
class _Shard:
    """One shard whose answers are coming in."""

    dialogues: list[Dialogue]
    jobs: dict[int, Job | None]
    """Row -> its job, None until it is finished; only of those that are asked about."""
    earlier: Mapping[str, list[Rewrite]]

    @property
    def whole(self) -> bool:
        return all(job is not None for job in self.jobs.values())


class Shelf:
    """Keeps shards until they are whole."""

    def __init__(
        self, folder: Path, out: Output, *, replace_states: bool, known: Mapping[Place, Job] | None = None
    ) -> None:
        """`known`: jobs that are finished already, those of the pilot."""
        self._folder, self._out, self._replace = folder, out, replace_states
        self._known = known or {}
        self._open: dict[int, _Shard] = {}
        self.passed_by = 0
        """Dialogues met so far that nobody needed to be asked about now."""

    def jobs(self) -> Iterator[Job]:
        """What is still to ask, in order; shards are read as they are reached, and finished ones are left out."""
        alike = Alike()
        for index, table in enumerate(read_shards(self._folder, "dialogues")):
            dialogues = from_table(table)
            jobs = {
                row: Job(index, row, one, repeat=alike.met(one))
                for row, one in enumerate(dialogues)
                if needs_asking(one, replace_states=self._replace)
            }
            if self._out.has_shard("dialogues", index):
                self.passed_by += table.num_rows
                continue
            known = {row: self._known.get((index, row)) for row in jobs}
            self._open[index] = _Shard(dialogues, known, earlier_rewrites(self._folder, index))
            asked = [job for row, job in jobs.items() if known[row] is None]
            self.passed_by += len(dialogues) - len(asked)
            yield from asked

    def put(self, job: Job) -> None:
        """Take a finished job, and write every shard that is whole now."""
        self._open[job.shard].jobs[job.row] = job
        self.write()

    def write(self) -> None:
        """Write the shards that are whole, the earliest first."""
        for index in sorted(self._open):
            if self._open[index].whole:
                self._write(index, self._open.pop(index))

    def _write(self, index: int, shard: _Shard) -> None:
        annotated: list[Dialogue] = []
        failures: list[AnnotationFailure] = []
        rewrites: list[tuple[str, Rewrite]] = []
        rows: list[dict[str, Any]] = []
        left = 0
        for row, dialogue in enumerate(shard.dialogues):
            job = self._heeded(shard.jobs.get(row))
            done, row_of_it = self._done(dialogue, job)
            rows.append(row_of_it)
            if isinstance(done, AnnotationFailure):
                failures.append(done)
            else:
                annotated.append(done)
                left += 0 if self._replace else stated(dialogue)
                rewrites += [
                    (dialogue.id, one) for one in _changes(dialogue, done, job, shard.earlier.get(dialogue.id, ()))
                ]
        self._out.write_table(shard_name(ASKED, index), asked_to_table(rows))
        self._out.write_table(shard_name(REWRITES, index), rewrites_to_table(rewrites))
        write_annotated(self._out, index, shard.dialogues, annotated, failures, left)

    def _done(self, dialogue: Dialogue, job: Job | None) -> tuple[Dialogue | AnnotationFailure, dict[str, Any]]:
        """What becomes of a dialogue, and its row in the table of outcomes."""
        if job is None:
            failure = None if dialogue.utterances else _nothing_there(dialogue)
            return failure or dialogue, unasked_row(dialogue, failure)
        if not isinstance(job.result, Annotated):
            return job.result or _nothing_there(dialogue), asked_row(job)
        return replace(dialogue, utterances=job.result.utterances), asked_row(job)

    def _heeded(self, job: Job | None) -> Job | None:
        """A job with what counts of its reply: nothing that it says of utterances that keep their states."""
        if job is None or self._replace or not isinstance(job.result, Annotated):
            return job
        return replace(job, result=job.result.keeping(job.dialogue.utterances))


def _changes(before: Dialogue, after: Dialogue, job: Job | None, earlier: Sequence[Rewrite]) -> list[Rewrite]:
    """What differs now from what it was at first, by index: an earlier annotation's changes with the new ones."""
    first = {one.index: one for one in earlier}
    result = None if job is None else job.result
    new = {one.index: one for one in result.rewrites} if isinstance(result, Annotated) else {}
    merged = []
    for index, utterance in enumerate(after.utterances):
        old, now = first.get(index), new.get(index)
        if now is not None and utterance.text != before.utterances[index].text:
            merged.append(now if old is None else Rewrite.of(index, old.original, now.rewritten, now.bridge))
        elif old is not None:
            merged.append(old)
    return merged


def _nothing_there(dialogue: Dialogue) -> AnnotationFailure:
    return AnnotationFailure(
        dialogue, FailureKind.NO_UTTERANCES, f"{dialogue.id}: expected at least one utterance, found none"
    )
