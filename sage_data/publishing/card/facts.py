"""What the counts of a dataset say about it, in rows for tables: tags, places, time, lengths, what the gates did.

bias_facts(contents, stages)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sage_data.publishing.card.contents import NONE, ROLES, SLOTS, Contents
from sage_data.store.manifest import Ancestor

SENTIMENT, LANGUAGE = "low_sentiment", "other_language"
GATES = "sage_data.gates"
SHOWN_PLACES = 10


@dataclass(frozen=True, slots=True)
class TagTable:
    """How often each tag of one slot occurs on one role's utterances."""

    role: str
    slot: str
    annotated: int
    """Utterances with a state."""
    nothing: int
    """Those of them without such a tag."""
    distinct: int
    rows: tuple[tuple[str, ...], ...]
    """(tag, utterances, share of the annotated ones), most frequent first."""
    others: int
    """Distinct tags that are not shown."""


@dataclass(frozen=True, slots=True)
class Gated:
    """What one run of the gates did with sentiment and language."""

    stage: str
    compound: float | None
    """Every utterance's compound score had to be above this; None: any mood passed."""
    came_in: int
    dropped: int
    """Dialogues dropped for it."""
    language: str | None


def share(part: int, whole: int) -> str:
    """A share in per cent; never rounded to none or to all when it is neither."""
    if not whole:
        return "-"
    if 0 < part / whole < 0.0005:
        return "<0.1%"
    return ">99.9%" if 0.9995 <= part / whole < 1 else f"{part / whole:.1%}"


def tag_tables(contents: Contents, most: int) -> list[TagTable]:
    """One table for each role and slot; none when no utterance was annotated."""
    return [
        _tag_table(contents, role, slot, most)
        for slot in SLOTS
        for role in ROLES
        if (role, slot) in contents.tags and contents.annotated[role]
    ]


def _tag_table(contents: Contents, role: str, slot: str, most: int) -> TagTable:
    counted = contents.tags[role, slot]
    total = contents.annotated[role]
    tags = ranked(Counter({tag: number for tag, number in counted.items() if tag != NONE}))
    rows = tuple((tag, f"{number:,}", share(number, total)) for tag, number in tags[:most])
    return TagTable(role, slot, total, counted[NONE], len(tags), rows, max(0, len(tags) - most))


def ranked(counter: Counter[Any]) -> list[tuple[Any, int]]:
    """Most frequent first, equals by name."""
    return sorted(counter.items(), key=lambda one: (-one[1], one[0]))


def shares(counter: Counter[str], most: int = SHOWN_PLACES) -> list[tuple[str, ...]]:
    """(value, rows, share) of the most frequent ones; the rest in one row."""
    total, listed = counter.total(), ranked(counter)
    rows: list[tuple[str, ...]] = [(value, f"{number:,}", share(number, total)) for value, number in listed[:most]]
    rest = sum(number for _, number in listed[most:])
    return rows + ([(f"{len(listed) - most:,} others", f"{rest:,}", share(rest, total))] if rest else [])


def length_facts(contents: Contents) -> Mapping[str, str] | None:
    """Fewest, mean and most utterances of a row; None when rows hold none."""
    if not contents.lengths:
        return None
    rows = contents.lengths.total()
    lengths = sorted(contents.lengths)
    return {"least": f"{lengths[0]:,}", "mean": f"{contents.turns / rows:.1f}", "most": f"{lengths[-1]:,}"}


def gated(stages: Sequence[Ancestor]) -> list[Gated]:
    """What every run of the gates did with sentiment and language."""
    return [_gated(stage) for stage in stages if stage.uses == GATES]


def _gated(stage: Ancestor) -> Gated:
    dialogues = [counts for counts in stage.counts if counts.unit == "dialogues"]
    return Gated(
        stage=stage.stage,
        compound=stage.config.get("min_compound_exclusive"),
        came_in=sum(one.came_in for one in dialogues),
        dropped=sum(one.dropped.get(SENTIMENT, 0) for one in dialogues),
        language=stage.config.get("language"),
    )
