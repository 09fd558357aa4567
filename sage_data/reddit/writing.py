"""What the Reddit stage leaves on disk: shards, the funnel, and a summary a person reads.

Counts of lines, comments and dialogues each add up: came in = kept + dropped by reason + quarantined.

    write_quarantine(parted.tallies, out)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from sage_data.reddit.building import Built, Dropped, DumpTally
from sage_data.reddit.reader import BadLine
from sage_data.stage import Counts, Output
from sage_data.store.dialogues import to_table

QUARANTINE_SCHEMA = pa.schema(
    [("file", pa.string()), ("line", pa.int64()), ("reason", pa.string()), ("head", pa.string())]
)
DROPPED_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("reason", pa.string()),
        ("thread", pa.string()),
        ("place", pa.string()),
        ("created_utc", pa.int64()),
        ("text", pa.string()),
        ("file", pa.string()),
        ("line", pa.int64()),
    ]
)


def write_quarantine(tallies: Sequence[DumpTally], out: Output) -> None:
    """One shard of unusable lines a dump, empty ones too, with the count of its lines."""
    for index, tally in enumerate(tallies):
        counts = Counts(
            unit="lines",
            came_in=tally.lines,
            kept=tally.comments,
            dropped={"blank": tally.blank} if tally.blank else {},
            quarantined=len(tally.bad),
        )
        if not out.has_shard("quarantine", index):
            out.write_shard("quarantine", index, _bad_table(tally.bad), counts=counts)


def write_built(built: Built, index: int, out: Output) -> None:
    """One shard of dialogues, with its dropped comments in `rejected/`."""
    in_dialogues = sum(len(dialogue.utterances) for dialogue in built.dialogues)
    counts = [
        Counts(unit="comments", came_in=built.came_in, kept=in_dialogues, dropped=built.reasons, quarantined=0),
        Counts(unit="dialogues", came_in=len(built.dialogues), kept=len(built.dialogues), quarantined=0),
    ]
    out.write_shard("dialogues", index, to_table(built.dialogues), counts=counts, rejected=dropped_table(built.dropped))


def write_funnel(tallies: Sequence[DumpTally], out: Output) -> None:
    """`funnel.json` and `summary.txt`: what came in, what was kept, and every reason with its number."""
    by_unit = {counts.unit: counts for counts in out.counts()}
    bad_lines = Counter(str(bad.reason) for tally in tallies for bad in tally.bad)
    funnel = {unit: counts.model_dump(mode="json", exclude={"unit"}) for unit, counts in by_unit.items()}
    funnel["lines"]["quarantined_by_reason"] = dict(sorted(bad_lines.items()))
    funnel["files"] = {tally.file: {"lines": tally.lines, "comments": tally.comments} for tally in tallies}
    out.write_json("funnel.json", funnel)
    out.write_text("summary.txt", _summary(funnel, len(tallies)))


def dropped_table(dropped: Iterable[Dropped]) -> pa.Table:
    """Dropped comments with their reasons; author names are left out."""
    rows = [
        {
            "id": one.comment.id,
            "reason": one.reason,
            "thread": one.comment.thread,
            "place": one.comment.subreddit,
            "created_utc": one.comment.created_utc,
            "text": one.comment.text,
            "file": one.comment.file,
            "line": one.comment.line,
        }
        for one in dropped
    ]
    return pa.Table.from_pylist(rows, schema=DROPPED_SCHEMA)


def _bad_table(bad: Iterable[BadLine]) -> pa.Table:
    rows = [{"file": one.file, "line": one.line, "reason": one.reason, "head": one.head} for one in bad]
    return pa.Table.from_pylist(rows, schema=QUARANTINE_SCHEMA)


def _summary(funnel: dict[str, Any], files: int) -> str:
    lines, comments, dialogues = funnel["lines"], funnel["comments"], funnel["dialogues"]
    rows = [
        (f"lines in {files} {'file' if files == 1 else 'files'}", lines["came_in"]),
        *((f"  {reason}", number) for reason, number in lines["dropped"].items()),
        *((f"  quarantined: {reason}", number) for reason, number in lines["quarantined_by_reason"].items()),
        ("comments", comments["came_in"]),
        *((f"  dropped: {reason}", number) for reason, number in comments["dropped"].items()),
        ("  in dialogues", comments["kept"]),
        ("dialogues", dialogues["kept"]),
    ]
    return "".join(f"{label:<32}{number:>14,}\n" for label, number in rows)
