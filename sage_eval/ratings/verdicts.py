"""Reads pair verdicts for rating: which count as games, and what became of those that do not.

read_verdicts([Path("judged/")])
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sage_data.errors import InputError
from sage_data.store.shards import read_table
from sage_eval.plan import PANEL
from sage_eval.stats.davidson import Game, Outcome
from sage_eval.verdict import Verdict

TABLE = "pair_verdicts"
POOLED = "pooled"
"""Name that all judges together have in the tables."""
_COLUMNS = ("judge", "spec_hash", "model_a", "model_b", "scenario_id", "verdict")
_LATER_COLUMNS = ("sample", "replicate")
"""Older tables lack them; they count as 0."""
_OUTCOMES = {Verdict.A: Outcome.FIRST, Verdict.B: Outcome.SECOND, Verdict.TIE: Outcome.TIE}
_NO_GAMES = (Verdict.INCONSISTENT, Verdict.MALFORMED, Verdict.ERROR)
Row = Mapping[str, Any]


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
        InputError: there is no verdict; a pair is judged twice in one scenario and sample by one judge, so that it
            would count as independent evidence; two judges have one name; or a table lacks a column.
    """
    rows = [row for folder in folders for row in _rows(folder)]
    if not rows:
        raise InputError("the folders hold no verdict at all", next_step="look at the judge stage's summary")
    first = [row for row in rows if not row.get("replicate")]
    _refuse_mixtures(first)
    judges = dict.fromkeys(row["judge"] for row in first)
    ordered = sorted(judges, key=lambda judge: judge == PANEL)
    found = [Judged(judge, tuple(row for row in first if row["judge"] == judge)) for judge in ordered]
    return found, len(rows) - len(first)


def _rows(folder: Path) -> list[Row]:
    table = read_table(folder, TABLE)
    if missing := [name for name in _COLUMNS if name not in table.column_names]:
        raise InputError(
            f"{folder}: {TABLE} lacks the columns {', '.join(missing)}",
            next_step="give a folder that `sage eval judge` wrote",
        )
    rows: list[Row] = table.select([n for n in (*_COLUMNS, *_LATER_COLUMNS) if n in table.column_names]).to_pylist()
    return rows


def pooled(judged: Iterable[Judged]) -> Judged:
    """All judges' verdicts as one, without the panel's, which are made of them.

    Raises:
        InputError: a judge bears the name that stands for all.
    """
    judges = [one for one in judged if one.judge != PANEL]
    if any(one.judge == POOLED for one in judges):
        raise InputError(f"a judge is called {POOLED!r}, which stands for all judges", next_step="rename the judge")
    return Judged(POOLED, tuple(row for one in judges for row in one.rows))


def _refuse_mixtures(rows: Sequence[Row]) -> None:
    specs: dict[str, str] = {}
    seen: set[tuple[Any, ...]] = set()
    for row in rows:
        judge, a, b = row["judge"], row["model_a"], row["model_b"]
        spec = specs.setdefault(judge, row["spec_hash"])
        if spec != row["spec_hash"]:
            raise InputError(
                f"two judges are called {judge}: spec {spec} and spec {row['spec_hash']}",
                next_step="name them apart in the judge stages (judges: {uri: ..., name: ...}) and judge again",
            )
        once = (judge, row["scenario_id"], row.get("sample") or 0, frozenset((a, b)))
        if once in seen:
            raise InputError(
                f"judge {judge} has two verdicts on {a} against {b} in scenario {row['scenario_id']}, "
                f"sample {once[2]}; expected one",
                next_step="give each folder of verdicts once, and list each pair in one order only",
            )
        seen.add(once)
