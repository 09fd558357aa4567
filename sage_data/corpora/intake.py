"""From what readers find to dialogues with ids, states kept or not, and every count.

intake = Intake(corpus=None, labels="keep")
block = intake.take(part, items)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import pyarrow as pa

from sage_data.corpora.formats import Format
from sage_data.corpora.ids import Ids
from sage_data.corpora.parts import Part
from sage_data.corpora.records import DROPPED_LINES, Found, Item, Note, Reason, Rejected, head
from sage_data.dialogue import Dialogue, Scenario, Source, Split
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
SPLITS: tuple[Split, ...] = get_args(Split)


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

    def counts(self) -> list[Counts]:
        """Lines (where there are any), dialogues and messages; each adds up."""
        bad = Counter(rejected.unit for _, rejected in self.rejected)
        messages = sum(len(dialogue.utterances) for dialogue in self.dialogues)
        of_lines = {drop: number for drop, number in self.dropped.items() if drop in DROPPED_LINES}
        others = {drop: number for drop, number in self.dropped.items() if drop not in DROPPED_LINES}
        counted = [
            _counts("dialogues", len(self.dialogues), {}, bad["dialogues"]),
            _counts("messages", messages, others, 0),
        ]
        if self.lines or bad["lines"]:
            counted.insert(0, _counts("lines", self.lines - sum(of_lines.values()), of_lines, bad["lines"]))
        return counted

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


def _counts(unit: str, kept: int, dropped: dict[str, int], bad: int) -> Counts:
    came_in = kept + sum(dropped.values()) + bad
    return Counts(unit=unit, came_in=came_in, kept=kept, dropped=dict(sorted(dropped.items())), quarantined=bad)


@dataclass(slots=True)
class Tally:
    """What was found in one file."""

    format: Format
    split: str | None
    dialogues: int = 0
    messages: int = 0
    rejected: Counter[Reason] = field(default_factory=Counter)


@dataclass(slots=True)
class Intake:
    """Everything taken in so far. Taking the same items again, as a resumed run does, gives the same."""

    corpus: str | None
    """Short name of the corpus; None: the format's, or that of the dataset."""
    labels: Labels
    ids: Ids = field(default_factory=Ids)
    files: dict[str, Tally] = field(default_factory=dict)
    notes: Counter[Note] = field(default_factory=Counter)
    labelled: int = 0
    """Utterances with a state."""

    def take(self, items: Iterable[tuple[Part, Item]]) -> Block:
        """Make a block of items."""
        block = Block()
        for part, item in items:
            tally = self.files.setdefault(part.name, Tally(part.format, part.split))
            fit = _fit(item)
            if isinstance(fit, Rejected):
                block.rejected.append((part.name, fit))
                tally.rejected[fit.reason] += 1
            else:
                self._add(fit, part, block, tally)
        return block

    def _add(self, found: Found, part: Part, block: Block, tally: Tally) -> None:
        dialogue = self._dialogue(found, part)
        block.dialogues.append(dialogue)
        if found.situation is not None:
            block.scenarios.append(_scenario(found, dialogue, part))
        block.lines += found.lines
        block.dropped.update({drop.value: number for drop, number in found.dropped.items()})
        tally.dialogues += 1
        tally.messages += len(dialogue.utterances)
        self.notes.update(found.notes)
        self.labelled += sum(one.state is not None for one in dialogue.utterances)

    def _dialogue(self, found: Found, part: Part) -> Dialogue:
        corpus = self.corpus or (part.stem if part.format is Format.AUTO else part.format.value)
        key = found.key or f"{part.stem}:{found.line}"
        wanted = "-".join(one for one in (corpus, part.split, key) if one)
        utterances = found.utterances
        if self.labels == "drop":
            utterances = tuple(replace(one, state=None) for one in utterances)
        source = Source(corpus=corpus, thread=found.key, place=found.place, files=(part.name,))
        scenario = (found.key or wanted) if found.situation is not None else None
        return Dialogue(self.ids.unique(wanted), utterances, source, scenario, found.model)


def _scenario(found: Found, dialogue: Dialogue, part: Part) -> Scenario:
    told = [split for split in SPLITS if split == part.split]
    return Scenario(
        dialogue.scenario_id or dialogue.id, found.situation or "", found.emotion, told[0] if told else SPLITS[0]
    )


def _fit(item: Item) -> Item:
    """The item, unless one of its texts can be written to no file."""
    if isinstance(item, Rejected):
        return item
    texts = [item.key, item.place, item.model, item.situation, item.emotion]
    texts += [one.text for one in item.utterances]
    try:
        "".join(text for text in texts if text).encode()
    except UnicodeEncodeError as error:
        return Rejected(item.line, Reason.NOT_UNICODE, head("".join(one.text for one in item.utterances)), str(error))
    return item
