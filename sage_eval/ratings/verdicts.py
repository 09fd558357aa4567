"""Reads pair verdicts for rating: which count as games, and what became of those that do not.

read_verdicts([Path("judged/")])
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sage_data.errors import InputError
from sage_eval.evidence import Row, read_evidence
from sage_eval.plan import PANEL
from sage_eval.stats.davidson import Game, Outcome
from sage_eval.verdict import Verdict

POOLED = "pooled"
"""Name that all judges together have in the tables."""
_OUTCOMES = {Verdict.A: Outcome.FIRST, Verdict.B: Outcome.SECOND, Verdict.TIE: Outcome.TIE}
_NO_GAMES = (Verdict.INCONSISTENT, Verdict.MALFORMED, Verdict.ERROR)


class Ties(StrEnum):
    """Which verdicts are ties in Davidson's model."""

    TIE = "tie"
    """Those that call both equally good, in both orders. An inconsistent pair is left out and counted: there the seat
    decided, which says something of the judge and nothing of how equal the models are."""
    TIE_INCONSISTENT = "tie+inconsistent"
    """Inconsistent pairs too, as the paper's table counts them. Draws strengths together."""


@dataclass(frozen=True, slots=True)
class Judged:
    """All verdicts of one judge."""

    judge: str
    rows: tuple[Row, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """Every model the judge was asked about, in order of appearance."""
        return tuple(dict.fromkeys(name for row in self.rows for name in (row["model_a"], row["model_b"])))

    @property
    def scenarios(self) -> int:
        """Scenarios it was asked about."""
        return len({row["scenario_id"] for row in self.rows})

    def games(self, ties: Ties) -> list[Game]:
        """The verdicts that count, with the scenario as their cluster."""
        outcomes = {**_OUTCOMES, **({Verdict.INCONSISTENT: Outcome.TIE} if ties is Ties.TIE_INCONSISTENT else {})}
        return [
            Game(row["scenario_id"], row["model_a"], row["model_b"], outcomes[verdict])
            for row in self.rows
            if (verdict := Verdict(row["verdict"])) in outcomes
        ]

    def states(self, model: str) -> Counter[Verdict]:
        """How often each state came up in verdicts on a model."""
        return Counter(Verdict(row["verdict"]) for row in self.rows if model in (row["model_a"], row["model_b"]))

    def why_unrated(self, model: str) -> str:
        """Why a model has no strength."""
        states = self.states(model)
        listed = ", ".join(f"{states[state]} {state.value}" for state in _NO_GAMES if states[state])
        return f"none of its {states.total()} verdicts is a win, a tie or a loss: {listed}"


def read_verdicts(folders: Sequence[Path]) -> tuple[list[Judged], int]:
    """Verdicts by judge, the panel last, and how many were repeats for test-retest, which rate nothing.

    Raises:
        InputError: see `sage_eval.evidence.read_evidence`.
    """
    found = read_evidence(folders)
    return [Judged(judge, rows) for judge, rows in found.judges.items()], len(found.repeats)


def pooled(judged: Iterable[Judged]) -> Judged:
    """All judges' verdicts as one, without the panel's, which are made of them.

    Raises:
        InputError: a judge bears the name that stands for all.
    """
    judges = [one for one in judged if one.judge != PANEL]
    if any(one.judge == POOLED for one in judges):
        raise InputError(f"a judge is called {POOLED!r}, which stands for all judges", next_step="rename the judge")
    return Judged(POOLED, tuple(row for one in judges for row in one.rows))
