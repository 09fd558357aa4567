"""What follows what: the user's state and the assistant's action, and one action and the next.

Lift is the share of the follower after this state over its share after any: above 1 it follows more often than if both
were independent. Pairs are counted where both utterances have a state; None, stated as none, is a value like others.

transition_rows(model, level=0.95)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from sage_data.dialogue import State
from sage_eval.states.counting import ESTIMATE_FIELDS, limits
from sage_eval.states.estimates import Sums, proportion
from sage_eval.states.material import Kind, Model, Talk

TABLE = "state_transitions"
SLOT_PAIRS = (("motivation", "motivation"), ("emotion", "emotion"), ("emotion", "motivation"))
"""(Slot of the first, slot of the second); the last asks what is done about a feeling."""
SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("step", pa.string()),
        ("from_slot", pa.string()),
        ("to_slot", pa.string()),
        ("from_value", pa.string()),
        ("to_value", pa.string()),
        ("count", pa.int64()),
        ("from_count", pa.int64()),
        ("to_count", pa.int64()),
        ("pairs", pa.int64()),
        ("share", pa.float64()),
        ("lift", pa.float64()),
        *ESTIMATE_FIELDS,
    ]
)


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of transition."""

    name: str
    first: Kind
    second: Kind


STEPS = (
    Step("perceived > action", Kind.PERCEIVED, Kind.ACTION),
    Step("user > action", Kind.USER, Kind.ACTION),
    Step("action > action", Kind.ACTION, Kind.ACTION),
)
"""What the assistant read in the user and what it then did; what the user stated and what the assistant then did; one
reply's action and the next reply's."""

Pair = tuple[str | None, str | None]


@dataclass(slots=True)
class Table:
    """Pairs of values by cluster."""

    pairs: dict[Pair, Counter[str]]
    firsts: dict[str | None, Counter[str]]
    seconds: Counter[str | None]

    @property
    def total(self) -> int:
        """All pairs."""
        return self.seconds.total()


def steps_of(talk: Talk, step: Step) -> Iterator[tuple[State, State]]:
    """Every pair of states of one dialogue; a reply and the reading inside it stand at one place."""
    distance = {Kind.PERCEIVED: 0, Kind.USER: 1, Kind.ACTION: 2}[step.first]
    first = dict(talk.states(step.first))
    for place, second in talk.states(step.second):
        before = first.get(place - distance)
        if before is not None and second is not None:
            yield before, second


def count_pairs(model: Model, step: Step, from_slot: str, to_slot: str) -> Table:
    """Count one kind of transition between two slots."""
    table = Table({}, {}, Counter())
    for talk in model.talks:
        for first, second in steps_of(talk, step):
            pair = (getattr(first, from_slot), getattr(second, to_slot))
            table.pairs.setdefault(pair, Counter())[talk.cluster] += 1
            table.firsts.setdefault(pair[0], Counter())[talk.cluster] += 1
            table.seconds[pair[1]] += 1
    return table


def transition_rows(model: Model, level: float) -> Iterator[dict[str, Any]]:
    """One row a pair that occurs, the most frequent first."""
    for step in STEPS:
        for from_slot, to_slot in SLOT_PAIRS:
            if step.first is Kind.ACTION and from_slot != to_slot:
                continue
            table = count_pairs(model, step, from_slot, to_slot)
            named = {"model": model.name, "step": step.name, "from_slot": from_slot, "to_slot": to_slot}
            yield from ({**named, **row} for row in _rows(table, level))


def _rows(table: Table, level: float) -> Iterator[dict[str, Any]]:
    order = sorted(table.pairs, key=lambda pair: (-table.pairs[pair].total(), str(pair[0]), str(pair[1])))
    for first, second in order:
        counts, firsts = table.pairs[first, second], table.firsts[first]
        share = proportion(Sums({one: float(counts[one]) for one in firsts}, dict(firsts)), level)
        usual = table.seconds[second] / table.total
        yield {
            "from_value": first,
            "to_value": second,
            "count": counts.total(),
            "from_count": firsts.total(),
            "to_count": table.seconds[second],
            "pairs": table.total,
            "share": share.value,
            "lift": (counts.total() / firsts.total()) / usual,
            **limits(share),
        }
