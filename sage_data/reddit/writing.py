"""What the Reddit stage leaves on disk beside its dialogues: unusable lines, the funnel, a summary a person reads.

Counts of lines, comments and dialogues each add up: came in = kept + dropped by reason + quarantined.

    write_funnel(tallies, out)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from sage_data.errors import StageError
from sage_data.funnel import steps_of, svg
from sage_data.reddit.reader import Kind
from sage_data.reddit.spill import DumpTally, SortTask, read_bad_lines
from sage_data.stage import Counts, Output

QUARANTINE_SCHEMA = pa.schema(
    [("file", pa.string()), ("line", pa.int64()), ("reason", pa.string()), ("head", pa.string())]
)


def write_quarantine(task: SortTask, tally: DumpTally, out: Output) -> None:
    """One shard with the unusable lines of one dump, an empty one too, with the count of its lines."""
    if out.has_shard("quarantine", task.index):
        return
    counts = Counts(
        unit="lines",
        came_in=tally.lines,
        kept=tally.comments,
        dropped={"blank": tally.blank} if tally.blank else {},
        quarantined=sum(tally.bad.values()),
    )
    bad = read_bad_lines(Path(task.folder), task.index)
    rows = [{"file": tally.file, "line": one.line, "reason": one.reason, "head": one.head} for one in bad]
    table = pa.Table.from_pylist(rows, schema=QUARANTINE_SCHEMA)
    out.write_shard("quarantine", task.index, table, counts=counts)


def write_funnel(tallies: Sequence[DumpTally], out: Output) -> None:
    """`funnel.json`, `funnel.svg` and `summary.txt`: what came in, what was kept, and every reason with its number.

    With titles, submissions count as comments.

    Raises:
        StageError: what was read is not what was cut, so something was lost between the phases.
    """
    by_unit = {counts.unit: counts for counts in out.counts()}
    bad_lines: Counter[str] = sum((Counter(tally.bad) for tally in tallies), Counter())
    read = sum(tally.comments for tally in tallies)
    if by_unit["comments"].came_in != read:
        raise StageError(
            f"expected the {read:,} comments that were read, found {by_unit['comments'].came_in:,} in the partitions",
            next_step="with several machines, each must see the whole output folder; run again",
        )
    units = ("lines", "comments", "dialogues")
    funnel: dict[str, Any] = {unit: by_unit[unit].model_dump(mode="json", exclude={"unit"}) for unit in units}
    funnel["lines"]["quarantined_by_reason"] = dict(sorted(bad_lines.items()))
    funnel["files"] = {
        tally.file: {"lines": tally.lines, "comments": tally.comments, "damage": tally.damage} for tally in tallies
    }
    funnel["titles"] = sum(tally.comments for tally in tallies if tally.kind is Kind.SUBMISSIONS)
    out.write_json("funnel.json", funnel)
    out.write_text("funnel.svg", svg(steps_of(funnel), "From dumps to dialogues"))
    out.write_text("summary.txt", _summary(funnel, len(tallies)))


def _summary(funnel: dict[str, Any], files: int) -> str:
    lines, comments, dialogues = funnel["lines"], funnel["comments"], funnel["dialogues"]
    rows = [
        (f"lines in {files} {'file' if files == 1 else 'files'}", lines["came_in"]),
        *((f"  {reason}", number) for reason, number in lines["dropped"].items()),
        *((f"  quarantined: {reason}", number) for reason, number in lines["quarantined_by_reason"].items()),
        ("comments and titles" if funnel["titles"] else "comments", comments["came_in"]),
        *((f"  dropped: {reason}", number) for reason, number in comments["dropped"].items()),
        ("  in dialogues", comments["kept"]),
        ("dialogues", dialogues["kept"]),
    ]
    return "".join(f"{label:<32}{number:>14,}\n" for label, number in rows)
