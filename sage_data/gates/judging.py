"""Judges a table of dialogues by column: Python strings are made only of what is left after the turn gates.

Most dialogues are too short, and their number of utterances stands in the list column's offsets, so they cost a few
nanoseconds. The text of the others is read straight from the column, some thousand dialogues at a time.

    judge = Judge(Thresholds(), Tools(compound=scorer.compound))
    verdicts = judge.verdicts(table)        # KEPT, or a position in REASONS
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sage_data.gates.checks import first_reason
from sage_data.gates.columns import texts_of, turn_counts
from sage_data.gates.duplicates import Duplicates
from sage_data.gates.order import Tools, gates_in_order
from sage_data.gates.thresholds import Thresholds
from sage_data.reddit.reasons import DialogueReason

REASONS = tuple(DialogueReason)
KEPT = -1

Verdicts = NDArray[np.int8]
"""One a dialogue: `KEPT`, or the position of its reason in `REASONS`."""

_TURN_REASONS = (DialogueReason.TOO_FEW_TURNS, DialogueReason.TOO_MANY_TURNS)


class Judge:
    """Judges tables in order; remembers the dialogues kept, if duplicates are to be dropped."""

    def __init__(self, limits: Thresholds, tools: Tools) -> None:
        self._limits = limits
        named = gates_in_order(limits, tools)
        self._gates = [gate for reason, gate in named if reason not in _TURN_REASONS]
        self._duplicates: Duplicates | None = None
        if limits.drop_duplicates or limits.near_duplicate_jaccard is not None:
            self._duplicates = Duplicates(exact=limits.drop_duplicates, jaccard=limits.near_duplicate_jaccard)
        last = [
            (DialogueReason.DUPLICATE, limits.drop_duplicates),
            (DialogueReason.NEAR_DUPLICATE, limits.near_duplicate_jaccard is not None),
        ]
        self.reasons = [reason for reason, _ in named] + [reason for reason, on in last if on]
        """The reasons of all gates that are on, in order."""

    def verdicts(self, table: pa.Table) -> Verdicts:
        """Judge every row of a `checked` table: (rows,)."""
        found = judge_turns(turn_counts(table), self._limits)
        for row, texts in texts_of(table, found == KEPT):
            reason = self._reason(texts)
            if reason is not None:
                found[row] = REASONS.index(reason)
        return found

    def remember(self, table: pa.Table) -> None:
        """Take note of rows kept by an earlier attempt, so that later duplicates of them are found."""
        if self._duplicates is not None:
            for _, texts in texts_of(table, np.ones(len(table), bool)):
                self._duplicates.remember(texts)

    def _reason(self, texts: Sequence[str]) -> DialogueReason | None:
        reason = first_reason(texts, self._gates)
        if reason is None and self._duplicates is not None:
            reason = self._duplicates.reason(texts)
        return reason


def judge_turns(turns: NDArray[np.int32], limits: Thresholds) -> Verdicts:
    """`too_few_turns` and `too_many_turns` for all dialogues at once; the other gates are still to be asked."""
    found = np.full(len(turns), KEPT, np.int8)
    if limits.max_turns is not None:
        found[turns > limits.max_turns] = REASONS.index(DialogueReason.TOO_MANY_TURNS)
    if limits.min_turns_exclusive is not None:
        found[turns <= limits.min_turns_exclusive] = REASONS.index(DialogueReason.TOO_FEW_TURNS)
    return found
