"""From what readers find to dialogues with ids, states kept or not, and every count.

intake = Intake(corpus=None, labels="keep")
block = intake.take(part, items)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import pyarrow as pa

from sage_data.corpora.formats import Format
from sage_data.corpora.ids import Ids, Records
from sage_data.corpora.parts import Part
from sage_data.corpora.records import DROPPED_LINES, Found, Item, Note, Reason, Rejected, head
from sage_data.dialogue import Dialogue, Role, Scenario, Source, Split, State
from sage_data.stage import Counts

Labels = Literal["keep", "drop"]
REJECT_SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("line", pa.int64()),
        ("unit", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("text", pa.string()),
    ]
)
DUPLICATE = "duplicate"
"""Why a record is dropped that came before."""
SPLITS: tuple[Split, ...] = get_args(Split)
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(slots=True)
class Block:
    """What becomes one shard."""

    dialogues: list[Dialogue] = field(default_factory=list)
    scenarios: list[Scenario] = field(default_factory=list)
    rejected: list[tuple[str, Rejected]] = field(default_factory=list)
    """With the name of the file."""
    lines: int = 0
    """Lines that the dialogues were put together from."""
    dropped: Counter[str] = field(default_factory=Counter)
    """What was left out of dialogues, by reason."""
    duplicates: Counter[str] = field(default_factory=Counter)
    """Dialogues, messages and lines of records that came again, by unit."""

    def counts(self) -> list[Counts]:
        """Lines (where there are any), dialogues and messages; each adds up."""
        bad = Counter(rejected.unit for _, rejected in self.rejected)
        messages = sum(len(dialogue.utterances) for dialogue in self.dialogues)
        of_lines = {drop: number for drop, number in self.dropped.items() if drop in DROPPED_LINES}
        others = {drop: number for drop, number in self.dropped.items() if drop not in DROPPED_LINES}
        counted = [
            self._counts("dialogues", len(self.dialogues), {}, bad["dialogues"]),
            self._counts("messages", messages, others, 0),
        ]
        if self.lines or bad["lines"]:
            kept = self.lines - sum(of_lines.values()) - self.duplicates["lines"]
            counted.insert(0, self._counts("lines", kept, of_lines, bad["lines"]))
        return counted

    def _counts(self, unit: str, kept: int, dropped: Mapping[str, int], bad: int) -> Counts:
        again = {DUPLICATE: self.duplicates[unit]} if self.duplicates[unit] else {}
        reasons = dict(sorted({**dropped, **again}.items()))
        came_in = kept + sum(reasons.values()) + bad
        return Counts(unit=unit, came_in=came_in, kept=kept, dropped=reasons, quarantined=bad)

    def rejects(self) -> pa.Table:
        """The rejected records with file, line and reason."""
        rows = [
            {
                "file": file,
                "line": one.line,
                "unit": one.unit,
                "reason": one.reason.value,
                "detail": head(one.detail),
                "text": one.text,
            }
            for file, one in self.rejected
        ]
        return pa.Table.from_pylist(rows, schema=REJECT_SCHEMA)


@dataclass(slots=True)
class Tally:
    """What was found in one file."""

    format: Format
    split: str | None
    dialogues: int = 0
    messages: int = 0
    duplicates: int = 0
    """Records that came before, be it in another file."""
    records: int = 0
    """Everything that came in: dialogues, or the lines that they are put together from."""
    rejected: Counter[Reason] = field(default_factory=Counter)


@dataclass(slots=True)
class Intake:
    """Everything taken in so far. Taking the same items again, as a resumed run does, gives the same."""

    corpus: str | None
    """Short name of the corpus; None: the format's, or that of the dataset."""
    labels: Labels
    ids: Ids = field(default_factory=Ids)
    scenario_ids: Ids = field(default_factory=Ids)
    records: Records = field(default_factory=Records)
    files: dict[str, Tally] = field(default_factory=dict)
    notes: Counter[Note] = field(default_factory=Counter)
    labelled: int = 0
    """Utterances with a state."""

    def take(self, items: Iterable[tuple[Part, Item]]) -> Block:
        """Make a block of items."""
        block = Block()
        for part, item in items:
            tally = self.files.setdefault(part.name, Tally(part.format, part.split))
            fit = _fit(self._relabelled(item))
            tally.records += 1 if isinstance(fit, Rejected) else max(fit.lines, 1)
            if isinstance(fit, Rejected):
                block.rejected.append((part.name, fit))
                tally.rejected[fit.reason] += 1
            else:
                self._add(fit, part, block, tally)
        return block

    def _relabelled(self, item: Item) -> Item:
        if isinstance(item, Rejected) or self.labels == "keep":
            return item
        return replace(item, utterances=tuple(replace(one, state=None) for one in item.utterances))

    def _add(self, found: Found, part: Part, block: Block, tally: Tally) -> None:
        block.lines += found.lines
        block.dropped.update({drop.value: number for drop, number in found.dropped.items()})
        corpus = self.corpus or (part.stem if part.format is Format.AUTO else part.format.value)
        if self._came_before(found, corpus):
            tally.duplicates += 1
            block.duplicates.update(_sizes(found))
            return
        dialogue = self._dialogue(found, part, corpus)
        block.dialogues.append(dialogue)
        if found.situation is not None:
            block.scenarios.append(_scenario(found, dialogue))
        tally.dialogues += 1
        tally.messages += len(dialogue.utterances)
        self.notes.update(found.notes)
        if len({one.role for one in found.utterances}) < len(ROLES):
            self.notes[Note.NO_EXCHANGE] += 1
        self.labelled += sum(one.state is not None for one in dialogue.utterances)

    def _came_before(self, found: Found, corpus: str) -> bool:
        """True for a record of the corpus that has the id, the words and the labels of an earlier one."""
        if found.key is None:
            return False
        content = (found.utterances, found.situation, found.emotion, found.place, found.model)
        return self.records.again(repr((corpus, found.key)), repr(content))

    def _dialogue(self, found: Found, part: Part, corpus: str) -> Dialogue:
        key = found.key or f"{part.stem}:{found.line}"
        wanted = "-".join(one for one in (corpus, part.split, key) if one)
        told = next((split for split in SPLITS if split == part.split), None)
        source = Source(corpus=corpus, thread=found.key, place=found.place, files=(part.name,), split=told)
        scenario = self.scenario_ids.unique(found.key or wanted) if found.situation is not None else None
        return Dialogue(self.ids.unique(wanted), found.utterances, source, scenario, found.model)


def _sizes(found: Found) -> dict[str, int]:
    """What a record counts for in each unit, without what was left out of it anyway."""
    lines = found.lines - sum(number for drop, number in found.dropped.items() if drop in DROPPED_LINES)
    return {"dialogues": 1, "messages": len(found.utterances), "lines": lines}


def _scenario(found: Found, dialogue: Dialogue) -> Scenario:
    told = next((split for split in SPLITS if split == dialogue.source.split), SPLITS[0])
    return Scenario(dialogue.scenario_id or dialogue.id, found.situation or "", found.emotion, told)


def _fit(item: Item) -> Item:
    """The item, unless one of its texts or labels can be written to no file."""
    if isinstance(item, Rejected):
        return item
    texts = [item.key, item.place, item.model, item.situation, item.emotion]
    for one in item.utterances:
        state = one.state or State()
        texts += [one.text, state.motivation, state.emotion, *state.topics]
    try:
        "".join(text for text in texts if text).encode()
    except UnicodeEncodeError as error:
        return Rejected(item.line, Reason.NOT_UNICODE, head("".join(one.text for one in item.utterances)), str(error))
    return item
