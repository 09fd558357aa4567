"""Reads pair verdicts as evidence: each scenario and sample once, by judge, and repeats for test-retest apart.

read_evidence([Path("judged/")]).judges["rubric:warm"]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sage_data.errors import InputError
from sage_data.store.shards import read_table
from sage_eval.plan import PANEL, PLAN, written_hash

TABLE = "pair_verdicts"
_COLUMNS = ("judge", "spec_hash", "model_a", "model_b", "scenario_id", "verdict")
_LATER_COLUMNS = ("sample", "replicate", "words_a", "words_b", "self_test", "plan_hash")
"""Older tables lack some; sample and replicate then count as 0, the others as unknown."""
_DOUBTED = {"failed": "failed its self-test", "could not be asked": "could not be put to its self-test"}
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What judges found, in the order it was stored."""

    judges: Mapping[str, tuple[Row, ...]]
    """Verdicts by judge; the panel, which is made of the others, is the last."""
    repeats: tuple[Row, ...]
    """Verdicts on pairs that were judged already, to see how steady the judge is; they are evidence of nothing else."""


def read_evidence(folders: Sequence[Path]) -> Evidence:
    """Read the verdicts of judge stages.

    Raises:
        InputError: there is no verdict; a pair is judged twice in one scenario and sample by one judge, so that it
            would count as independent evidence; two judges have one name; a table lacks a column; or the analysis plan
            beside the verdicts is not the one that they were judged under.
    """
    rows = [row for folder in folders for row in _rows(folder)]
    if not rows:
        raise InputError("the folders hold no verdict at all", next_step="look at the judge stage's summary")
    first, repeats = ([row for row in rows if bool(row.get("replicate")) is again] for again in (False, True))
    _refuse_mixtures(first)
    judges: dict[str, list[Row]] = {}
    for row in first:
        judges.setdefault(row["judge"], []).append(row)
    ordered = sorted(judges, key=lambda judge: judge == PANEL)
    return Evidence({judge: tuple(judges[judge]) for judge in ordered}, tuple(repeats))


def doubts(judges: Mapping[str, Sequence[Row]]) -> list[str]:
    """A sentence for each judge that did not give the known answers; its verdicts stand, and prove little."""
    return [
        f"{judge} {words}: do not rest a claim on its verdicts (see the judge stage's self-test.txt)"
        for judge, rows in judges.items()
        for state, words in _DOUBTED.items()
        if any(row.get("self_test") == state for row in rows)
    ]


def _rows(folder: Path) -> list[Row]:
    table = read_table(folder, TABLE)
    if missing := [name for name in _COLUMNS if name not in table.column_names]:
        raise InputError(
            f"{folder}: {TABLE} lacks the columns {', '.join(missing)}",
            next_step="give a folder that `sage eval judge` wrote",
        )
    rows: list[Row] = table.select([n for n in (*_COLUMNS, *_LATER_COLUMNS) if n in table.column_names]).to_pylist()
    _refuse_other_plan(folder, rows)
    return rows


def _refuse_other_plan(folder: Path, rows: Sequence[Row]) -> None:
    """A plan that was changed after judging, or taken away, must not decide what is claimed."""
    named = sorted({row["plan_hash"] for row in rows if row.get("plan_hash") is not None})
    there = written_hash(folder)
    if named and named != [there]:
        raise InputError(
            f"{folder / PLAN}: expected the analysis plan that the verdicts were judged under ({', '.join(named)}), "
            f"found {'none' if there is None else there}",
            next_step="put the plan back that the judge stage wrote; to claim under other terms, give them as options",
        )


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
