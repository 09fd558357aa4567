"""What the cards of an evaluation tell, read from the very rows that are published.

read_facts(warehouse)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from sage_data.publishing.places import public
from sage_eval.publish.tables import shards_of
from sage_eval.report.numbers import p_value
from sage_eval.verdict import Verdict

HASH_SHOWN = 16
Row = dict[str, Any]
Rows = Callable[[str], list[Row]]


@dataclass(frozen=True, slots=True)
class Facts:
    """Rows of the cards' tables, as text."""

    models: tuple[tuple[str, ...], ...]
    """(model, pairs judged, benchmark scores)."""
    judges: tuple[tuple[str, ...], ...]
    """(judge, model or rubric, start of the hash of its settings, calls, calls without an answer)."""
    verdicts: tuple[tuple[str, ...], ...]
    """(judge, A, B, and how many pairs ended in each of the six states)."""
    plans: tuple[str, ...]
    """Hashes of the analysis plans."""
    significance: tuple[tuple[str, ...], ...]
    """(judge, A, B, A won, B won, neither, p, p after Holm, conclusion)."""


def read_facts(warehouse: Path) -> Facts:
    """Everything that the cards tell of what was judged."""

    def rows(table: str, *columns: str) -> list[Row]:
        found: list[Row] = []
        for path in shards_of(warehouse, table):
            there = [name for name in columns if name in pq.read_schema(path).names]
            found += pq.read_table(path, columns=there).to_pylist()
        return found

    pairs = rows("pair_verdicts", "judge", "model_a", "model_b", "verdict")
    tested = rows("significance", *_TESTED, "plan_hash")
    scores = rows("bench_metrics", "model", "task")
    calls = rows("judge_calls", "judge", "judge_model", "spec_hash", "status")
    rated = [*tested, *rows("ratings", "plan_hash")]
    return Facts(
        _models(pairs, scores),
        _judges(calls),
        _verdicts(pairs),
        tuple(sorted({one["plan_hash"] for one in rated if one.get("plan_hash")})),
        tuple(_tested(one) for one in tested),
    )


_TESTED = ("judge", "model_a", "model_b", "wins_a", "wins_b", "n", "p", "log_p", "p_holm", "conclusion")


def _models(pairs: list[Row], scores: list[Row]) -> tuple[tuple[str, ...], ...]:
    judged = Counter(public(one[side]) for one in pairs for side in ("model_a", "model_b"))
    scored = Counter(public(one["model"]) for one in scores if one["model"] is not None)
    return tuple((name, f"{judged[name]:,}", f"{scored[name]:,}") for name in sorted({*judged, *scored}))


def _judges(calls: list[Row]) -> tuple[tuple[str, ...], ...]:
    asked = Counter((one["judge"], one["judge_model"], one["spec_hash"]) for one in calls)
    failed = Counter((one["judge"], one["judge_model"], one["spec_hash"]) for one in calls if one["status"] != "ok")
    return tuple(
        (public(key[0]), public(key[1]), key[2][:HASH_SHOWN], f"{number:,}", f"{failed[key]:,}")
        for key, number in sorted(asked.items())
    )


def _verdicts(pairs: list[Row]) -> tuple[tuple[str, ...], ...]:
    found: dict[tuple[str, ...], Counter[str]] = {}
    for one in pairs:
        found.setdefault((one["judge"], one["model_a"], one["model_b"]), Counter())[one["verdict"]] += 1
    states = (Verdict.A, Verdict.B, Verdict.TIE, Verdict.INCONSISTENT, Verdict.MALFORMED, Verdict.ERROR)
    return tuple(
        (*map(public, key), *(f"{counted[state.value]:,}" for state in states))
        for key, counted in sorted(found.items())
    )


def _tested(row: Row) -> tuple[str, ...]:
    neither = row["n"] - row["wins_a"] - row["wins_b"]
    return (
        *(public(row[name]) for name in ("judge", "model_a", "model_b")),
        *(f"{number:,}" for number in (row["wins_a"], row["wins_b"], neither)),
        p_value(row["p"], row.get("log_p")),
        p_value(row["p_holm"]),
        row["conclusion"],
    )
