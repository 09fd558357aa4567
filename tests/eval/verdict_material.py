"""Made-up verdict rows and folders of them, as the judge stage writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from sage_data.store.files import write_text
from sage_data.store.shards import shard_name, write_table
from sage_eval.plan import PLAN, AnalysisPlan, PlannedJudge
from sage_eval.significance import Pairs
from sage_eval.verdict import Verdict

Row = dict[str, Any]


def tally(a: int = 0, b: int = 0, **others: int) -> dict[Verdict, int]:
    """Counts of all six states."""
    return {verdict: others.get(verdict.value, 0) for verdict in Verdict} | {Verdict.A: a, Verdict.B: b}


def rows_of(
    verdicts: Iterable[str], judge: str = "j", a: str = "x", b: str = "y", *, first: int = 0, **others: Any
) -> list[Row]:
    """One row a scenario."""
    same = {"judge": judge, "spec_hash": others.pop("spec", judge), "model_a": a, "model_b": b, **others}
    return [
        {**same, "scenario_id": f"s{number}", "verdict": Verdict(verdict).value}
        for number, verdict in enumerate(verdicts, first)
    ]


def rollouts_of(scenarios: Sequence[str], **others: Any) -> list[Row]:
    """One row a rollout: "BBa" is a scenario with two wins of B and one of A, "t" is a tie, "i" inconsistent, "e" an
    error."""
    letters = {"A": "A", "B": "B", "t": "tie", "i": "inconsistent", "e": "error", "m": "malformed"}
    return [
        row
        for number, scenario in enumerate(scenarios)
        for sample, letter in enumerate(scenario)
        for row in rows_of([letters[letter]], first=number, sample=sample, **others)
    ]


def pairs_of(counts: Mapping[Verdict, int]) -> Pairs:
    """Pairs with so many of each state, one rollout a scenario."""
    return Pairs(tuple(rows_of(verdict for verdict, count in counts.items() for _ in range(count))))


def plan_of(
    pairs: Sequence[tuple[str, str]] = (("x", "y"),), judges: Sequence[str] = ("j",), **changes: Any
) -> AnalysisPlan:
    """A plan with these judges."""
    planned = tuple(PlannedJudge(name=name, identity=name, spec_hash=name) for name in judges)
    settings = {"panel": False, "transcripts": {}, "scenarios": {}} | changes
    return AnalysisPlan(pairs=tuple(pairs), judges=planned, **settings)


def folder_of(path: Path, rows: Sequence[Row], plan: AnalysisPlan | None = None) -> Path:
    """What a judge stage leaves behind."""
    path.mkdir(parents=True)
    write_table(path / shard_name("pair_verdicts", 0), pa.Table.from_pylist(rows))
    if plan is not None:
        write_text(path / PLAN, plan.model_dump_json())
    return path
