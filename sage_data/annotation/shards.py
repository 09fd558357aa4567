"""Write one shard of annotated dialogues, with those that failed kept apart.

write_annotated(out, index, came_in, annotated, failures, left)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pyarrow as pa

from sage_data.annotation.annotator import AnnotationFailure
from sage_data.dialogue import Dialogue
from sage_data.stage import Counts, Output
from sage_data.store.dialogues import to_table

STATES, HAD_ONE = "states", "had one already"
"""The unit of states in the counts, and why this annotator gave none."""


def write_annotated(
    out: Output,
    index: int,
    came_in: Sequence[Dialogue],
    annotated: Sequence[Dialogue],
    failures: Sequence[AnnotationFailure],
    left: int,
) -> None:
    """Write shard `index` of the dialogues, and of the failed ones into `rejected/`, both in the order given.

    `left`: utterances of `annotated` that had a state already and keep it; where there are any, the states are
    counted as well, so that it can be told how many of them this annotator gave.
    """
    lost_dialogues: Counter[str] = Counter()
    lost_utterances: Counter[str] = Counter()
    for failure in failures:
        lost_dialogues[failure.kind.value] += 1
        lost_utterances[failure.kind.value] += len(failure.dialogue.utterances)
    counts = [
        _counts("dialogues", len(came_in), len(annotated), lost_dialogues),
        _counts("utterances", _utterances(came_in), _utterances(annotated), lost_utterances),
    ]
    if left:
        given = counts[1].kept - left
        counts.append(_counts(STATES, counts[1].kept, given, Counter({HAD_ONE: left})))
    out.write_shard("dialogues", index, to_table(annotated), counts=counts, rejected=failure_table(failures))


def keep_existing(before: Dialogue, after: Dialogue) -> Dialogue:
    """`after`, but with the utterances of `before` that had a state already."""
    pairs = zip(before.utterances, after.utterances, strict=True)
    return replace(after, utterances=tuple(old if old.state is not None else new for old, new in pairs))


def stated(dialogue: Dialogue) -> int:
    """How many utterances have a state."""
    return sum(one.state is not None for one in dialogue.utterances)


def left_lines(counts: Iterable[Counts]) -> list[str]:
    """A line on the states that were there before, where there are any."""
    left = sum(one.dropped.get(HAD_ONE, 0) for one in counts if one.unit == STATES)
    return [f"{left:,} utterances had a state already and were left as they were"] if left else []


def failure_table(failures: Sequence[AnnotationFailure]) -> pa.Table:
    """The failed dialogues as they came in, with three columns more: `reason`, `detail` and the model's `reply`."""
    table = to_table(failure.dialogue for failure in failures)
    added = {
        "reason": [failure.kind.value for failure in failures],
        "detail": [failure.detail for failure in failures],
        "reply": [failure.reply for failure in failures],
    }
    for name, values in added.items():
        table = table.append_column(name, pa.array(values, pa.string()))
    return table


def _counts(unit: str, came_in: int, kept: int, lost: Counter[str]) -> Counts:
    dropped = {reason: lost[reason] for reason in sorted(lost) if lost[reason]}
    return Counts(unit=unit, came_in=came_in, kept=kept, dropped=dropped)


def _utterances(dialogues: Iterable[Dialogue]) -> int:
    return sum(len(dialogue.utterances) for dialogue in dialogues)
