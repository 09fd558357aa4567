"""A few of what was kept and of what was rejected, for every reason; taken by hash, so that nobody picks them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from sage_eval.report.asked import Row


@dataclass(frozen=True, slots=True)
class Kept:
    """Dialogues that one stage kept."""

    stage: str
    dialogues: tuple[tuple[str, tuple[Row, ...]], ...]
    """(id, turns)."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """What one stage dropped, by reason."""

    stage: str
    reasons: tuple[tuple[str, tuple[Row, ...]], ...]


def kept(rows: Sequence[Row], most: int) -> tuple[Kept, ...]:
    """At most `most` dialogues a stage; none: no stage."""
    found = []
    for stage, group in groupby(rows, key=lambda row: row["stage"]):
        dialogues = ((one, tuple(turns)) for one, turns in groupby(group, key=lambda row: row["dialogue_id"]))
        found.append(Kept(stage, tuple(islice(dialogues, most))))
    return tuple(one for one in found if one.dialogues)


def rejected(rows: Sequence[Row], most: int) -> tuple[Rejected, ...]:
    """At most `most` of each stage and reason; none: no stage."""
    found = []
    for stage, group in groupby(rows, key=lambda row: row["stage"]):
        by_reason = groupby(group, key=lambda row: row["reason"])
        reasons = tuple((reason, shown) for reason, ones in by_reason if (shown := tuple(ones)[:most]))
        found.append(Rejected(stage, reasons))
    return tuple(one for one in found if one.reasons)
