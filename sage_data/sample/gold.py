"""The truth about a planted dump, in files: what must come out of it and why everything else does not.

    gold/dialogues.parquet   each dialogue and single: comment ids and texts in order, plan, outcome
    gold/comments.parquet    each comment the `sage` preset drops: file, line, id, reason
    gold/lines.parquet       each line that cannot be used: file, line, reason
    gold/states.parquet      state of each utterance of each dialogue that is kept
    gold/funnel.json         the counts
    gold/scenario_states.parquet   the same as states, for the scenarios: split and conv_id

Reasons are those of `sage_data/reddit/reasons.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from sage_data.dialogue import State
from sage_data.reddit.reasons import SINGLE
from sage_data.sample.situations import situations
from sage_data.sample.threads import KEEP, GoldDialogue, Thread
from sage_data.store.files import write_json

BLANK = "blank"
BATCH_ROWS = 20_000
_WORDS = pa.list_(pa.string())
SCHEMAS = {
    "dialogues": pa.schema(
        [
            ("id", pa.string()),
            ("thread", pa.string()),
            ("place", pa.string()),
            ("plan", pa.string()),
            ("outcome", pa.string()),
            ("created_utc", pa.int64()),
            ("comment_ids", _WORDS),
            ("texts", _WORDS),
        ]
    ),
    "comments": pa.schema([("file", pa.string()), ("line", pa.int64()), ("id", pa.string()), ("reason", pa.string())]),
    "lines": pa.schema([("file", pa.string()), ("line", pa.int64()), ("reason", pa.string())]),
    "states": pa.schema(
        [
            ("dialogue", pa.string()),
            ("index", pa.int32()),
            ("role", pa.string()),
            ("motivation", pa.string()),
            ("emotion", pa.string()),
            ("topics", _WORDS),
        ]
    ),
}
"""Schemas of the gold tables; `id` and `dialogue` are the id of the dialogue's first comment, without `t1_`."""


class GoldTable:
    """One gold table, written in batches so that memory stays flat."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")
        self._schema = schema
        self._rows: list[dict[str, Any]] = []

    def add(self, **row: Any) -> None:
        """Add one row."""
        self._rows.append(row)
        if len(self._rows) >= BATCH_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what was added so far."""
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, self._schema))
            self._rows.clear()

    def close(self) -> None:
        """Write the rest and the footer."""
        self.flush()
        self._writer.close()


class GoldWriter:
    """Collects the truth while the dumps are written."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._tables = {name: GoldTable(folder / f"{name}.parquet", schema) for name, schema in SCHEMAS.items()}
        self.comments = self.lines = self.blank = 0
        self.quarantined: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.plans: Counter[str] = Counter()

    def __enter__(self) -> Self:
        """Start."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the tables and, when nothing went wrong, write the funnel."""
        for table in self._tables.values():
            table.close()
        if kind is None:
            write_json(self._folder / "funnel.json", self.funnel())

    def line(self, file: str, number: int, tag: str) -> None:
        """Note a written line: `tag` is "", a `LineReason`, "blank", or a `CommentReason` with the comment's id."""
        self.lines += 1
        if not tag:
            self.comments += 1
            return
        reason, _, comment = tag.partition(" ")
        if reason == BLANK:
            self.blank += 1
        elif comment:
            self.comments += 1
            self.dropped[reason] += 1
            self._tables["comments"].add(file=file, line=number, id=comment, reason=reason)
        else:
            self.quarantined[reason] += 1
            self._tables["lines"].add(file=file, line=number, reason=reason)

    def thread(self, thread: Thread, times: dict[str, int]) -> None:
        """Note what must come out of a thread; `times` gives `created_utc` by comment id."""
        self.plans[thread.plan] += 1
        for gold in thread.gold:
            self.outcomes[gold.outcome] += 1
            first = gold.comments[0].id
            self._tables["dialogues"].add(
                id=first,
                thread=gold.comments[0].link,
                place=thread.place,
                plan=thread.plan,
                outcome=gold.outcome,
                created_utc=times[first],
                comment_ids=[comment.id for comment in gold.comments],
                texts=[comment.body for comment in gold.comments],
            )
            if gold.outcome == KEEP:
                self._states(gold)

    def _states(self, gold: GoldDialogue) -> None:
        for index, turn in enumerate(gold.turns):
            self._tables["states"].add(**state_row(gold.comments[0].id, index, turn.state))

    def funnel(self) -> dict[str, Any]:
        """The counts, which add up as `reasons.py` says."""
        dropped = {name: count for name, count in self.outcomes.items() if name not in (KEEP, SINGLE)}
        return {
            "lines": self.lines,
            "blank": self.blank,
            "quarantined": dict(self.quarantined),
            "comments": self.comments,
            "comments_dropped": dict(self.dropped),
            "single": self.outcomes[SINGLE],
            "dialogues": self.outcomes[KEEP] + sum(dropped.values()),
            "dialogues_dropped": dropped,
            "kept": self.outcomes[KEEP],
            "plans": dict(self.plans),
        }


def state_row(dialogue: str, index: int, state: State) -> dict[str, Any]:
    """One row of a table of states."""
    return {
        "dialogue": dialogue,
        "index": index,
        "role": "assistant" if index % 2 else "user",
        "motivation": state.motivation,
        "emotion": state.emotion,
        "topics": list(state.topics),
    }


def write_scenario_states(path: Path, *, seed: int, sizes: Mapping[str, int]) -> None:
    """Write the state of each utterance of each scenario's conversation."""
    schema = pa.schema([("split", pa.string()), *SCHEMAS["states"]])
    table = GoldTable(path, schema)
    for split, size in sizes.items():
        for one in situations(seed, split, size):
            for index, turn in enumerate(one.turns):
                state = state_row(one.id, index, turn.state)
                table.add(split=split, **state)
    table.close()
