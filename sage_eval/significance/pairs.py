"""All verdicts of one judge on two models: counted, scored by scenario, and filled in where there is none.

group(read_evidence([Path("judged/")]), family)["rubric:warm", "base", "tuned"].counts
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sage_data.errors import InputError
from sage_eval.betting import scores_of
from sage_eval.evidence import Evidence, Row
from sage_eval.plan import TieRule
from sage_eval.significance.terms import Key
from sage_eval.verdict import Verdict

FILLS = (None, Verdict.A, Verdict.B, Verdict.TIE)
"""What failed pairs are taken for: left out, all won by A, all won by B, all without a winner."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Verdicts of one comparison, in the order they were judged."""

    rows: tuple[Row, ...] = ()
    repeats: int = 0
    """Verdicts on pairs that were judged already; not among `rows`."""

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """Pairs by verdict, all six."""
        found = Counter(Verdict(row["verdict"]) for row in self.rows)
        return {verdict: found[verdict] for verdict in Verdict}

    @property
    def scenarios(self) -> int:
        """Scenarios that were judged."""
        return len({row["scenario_id"] for row in self.rows})

    @property
    def clustered(self) -> bool:
        """True when a scenario has several rollouts, so that its pairs are not independent."""
        return len(self.rows) > self.scenarios

    def filled(self, fill: Verdict | None) -> Pairs:
        """The same with every failed pair taken for `fill`; None leaves them failed."""
        if fill is None:
            return self
        rows = tuple({**row, "verdict": fill.value} if Verdict(row["verdict"]).failed else row for row in self.rows)
        return Pairs(rows, self.repeats)

    def scores(self, rule: TieRule) -> dict[str, list[float]]:
        """Scenario -> scores of its rollouts: 1 where B won, -1 where A did, 0 where neither unless these are dropped.

        Scenarios stand in the order they were first judged; one without a score keeps its place.
        """
        return {scenario: scores_of(verdicts, rule) for scenario, verdicts in self.by_scenario().items()}

    def by_scenario(self) -> dict[str, list[Verdict]]:
        """Scenario -> verdicts of its rollouts, in the order they were first judged."""
        found: dict[str, list[Verdict]] = {}
        for row in self.rows:
            found.setdefault(row["scenario_id"], []).append(Verdict(row["verdict"]))
        return found

    @property
    def measured(self) -> bool:
        """True when the words of both sides are known in every decisive pair, and there is one."""
        decisive = self.decisive()
        return bool(decisive) and all(row.get(side) is not None for row in decisive for side in ("words_a", "words_b"))

    def decisive(self) -> list[Row]:
        """Pairs that one of the models won."""
        return [row for row in self.rows if Verdict(row["verdict"]).decisive]


def found_in(evidence: Evidence) -> list[Key]:
    """Every comparison that there is a verdict on, by judge and in order of appearance."""
    rows = (row for judged in evidence.judges.values() for row in judged)
    return list(dict.fromkeys(_key(row) for row in rows))


def group(evidence: Evidence, family: Sequence[Key]) -> dict[Key, Pairs]:
    """Verdicts by comparison, for each member of the family; one without any verdict stays, with none.

    Raises:
        InputError: a pair stands both as (A, B) and as (B, A) with one judge: one comparison would be tested as two.
    """
    every = [row for judged in evidence.judges.values() for row in judged]
    _refuse_both_orders([*family, *(_key(row) for row in every)])
    rows: dict[Key, list[Row]] = {key: [] for key in family}
    for row in every:
        rows[_key(row)].append(row)
    repeats = Counter(_key(row) for row in evidence.repeats)
    return {key: Pairs(tuple(listed), repeats[key]) for key, listed in rows.items()}


def _key(row: Mapping[str, Any]) -> Key:
    return row["judge"], row["model_a"], row["model_b"]


def _refuse_both_orders(keys: Iterable[Key]) -> None:
    firsts: dict[tuple[str, frozenset[str]], Key] = {}
    for judge, a, b in keys:
        if firsts.setdefault((judge, frozenset((a, b))), (judge, a, b)) != (judge, a, b):
            raise InputError(
                f"judge {judge} compares {b} with {a} and also {a} with {b}: one comparison would be tested as two",
                next_step="list each pair in one order only, in all judge stages",
            )
