"""Stopping as soon as the evidence will do: scenarios in a random order, and an e-value looked at after each.

The order is drawn from the seed before anything is judged and is the same for all judges, so that it cannot depend on
results. With one rollout a scenario the e-value bets on its verdict, with several on their mean under the plan's tie
rule, as `sage_eval.betting` says; failures bet nothing.
A block of scenarios is judged at a time, so a few may be judged beyond the one that reached the bound: their verdicts
stand, and the claim does too. The panel's path runs over the scenarios that all its judges judged.

    order = in_random_order(scenarios, seed, "base", "tuned")
    evidence("rubric:warm", "base", "tuned", rows, plan).reached
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import pyarrow as pa

from sage_data.stage import derive_seed
from sage_eval.betting import Bet, bet_on
from sage_eval.plan import AnalysisPlan
from sage_eval.stats.sequential import EPath, log_threshold
from sage_eval.verdict import Verdict

PATHS, STOPS = "e_paths", "judge_stops"
PATH_SCHEMA = pa.schema(
    [
        ("judge", pa.string()),
        ("model_a", pa.string()),
        ("model_b", pa.string()),
        ("step", pa.int64()),
        ("scenario_id", pa.string()),
        ("wins_a", pa.int64()),
        ("wins_b", pa.int64()),
        ("log_e", pa.float64()),
        ("bound", pa.float64()),
        ("plan_hash", pa.string()),
    ]
)
STOP_SCHEMA = pa.schema(
    [
        ("judge", pa.string()),
        ("model_a", pa.string()),
        ("model_b", pa.string()),
        ("planned", pa.int64()),
        ("judged", pa.int64()),
        ("stopped_after", pa.int64()),
        ("log_e", pa.float64()),
        ("bound", pa.float64()),
        ("p", pa.float64()),
        ("calls_made", pa.int64()),
        ("calls_saved", pa.int64()),
        ("usd_saved", pa.float64()),
        ("plan_hash", pa.string()),
    ]
)
Row = Mapping[str, Any]


def in_random_order(scenarios: Sequence[str], seed: int, a: str, b: str) -> list[str]:
    """Scenarios of one pair of models in the order in which they are judged."""
    order = sorted(scenarios)
    random.Random(derive_seed(seed, "judge", "order", a, b)).shuffle(order)
    return order


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one comparison after some scenarios."""

    judge: str
    model_a: str
    model_b: str
    scenarios: tuple[str, ...]
    """Those judged, in order."""
    wins: tuple[tuple[int, int], ...]
    """Wins of A and of B up to and with each scenario; rollouts are counted one by one."""
    bet: Bet

    @property
    def path(self) -> EPath:
        """The e-value after each scenario."""
        return self.bet.path

    @property
    def better(self) -> str | None:
        """The model that may be claimed to be better; None where none may."""
        better = self.bet.better
        return None if better is None else self.model_b if better is Verdict.B else self.model_a

    @property
    def reached(self) -> bool:
        """True once the bound was reached: the comparison may end, and be claimed."""
        return self.path.stopped_after is not None


def evidence(judge: str, a: str, b: str, rows: Iterable[Row], plan: AnalysisPlan) -> Evidence:
    """Follow the e-value over verdict rows in the order they were judged; repeats for test-retest take no part."""
    by_scenario: dict[str, list[Verdict]] = {}
    for row in rows:
        if not row["replicate"]:
            by_scenario.setdefault(row["scenario_id"], []).append(Verdict(row["verdict"]))
    groups = list(by_scenario.values())
    steps = [(group.count(Verdict.A), group.count(Verdict.B)) for group in groups]
    wins = accumulate(steps, lambda so_far, step: (so_far[0] + step[0], so_far[1] + step[1]))
    bet = bet_on(groups, plan.tie_rule, alpha=plan.alpha, family_size=len(plan.family))
    return Evidence(judge, a, b, tuple(by_scenario), tuple(wins), bet)


def path_table(found: Iterable[Evidence], plan: AnalysisPlan) -> pa.Table:
    """One row a comparison and scenario, in the order judged."""
    bound = log_threshold(plan.alpha, len(plan.family))
    rows = [
        {
            "judge": one.judge,
            "model_a": one.model_a,
            "model_b": one.model_b,
            "step": step,
            "scenario_id": scenario,
            "wins_a": wins[0],
            "wins_b": wins[1],
            "log_e": log_e,
            "bound": bound,
            "plan_hash": plan.plan_hash,
        }
        for one in found
        for step, (scenario, wins, log_e) in enumerate(
            zip(one.scenarios, one.wins, one.path.log_e, strict=True), start=1
        )
    ]
    return pa.Table.from_pylist(rows, schema=PATH_SCHEMA)


@dataclass(frozen=True, slots=True)
class Stop:
    """Where one comparison ended, and what that saved."""

    evidence: Evidence
    planned: int
    """Scenarios that would have been judged."""
    calls_made: int | None
    """None for the panel, which makes none."""
    calls_saved: int | None
    usd_saved: float | None
    """At the mean cost of the calls that were made; None where prices are not known."""


def stop_table(found: Iterable[Stop], plan: AnalysisPlan) -> pa.Table:
    """One row a comparison."""
    bound = log_threshold(plan.alpha, len(plan.family))
    rows = [
        {
            "judge": one.evidence.judge,
            "model_a": one.evidence.model_a,
            "model_b": one.evidence.model_b,
            "planned": one.planned,
            "judged": len(one.evidence.scenarios),
            "stopped_after": one.evidence.path.stopped_after,
            "log_e": one.evidence.path.log_e[-1] if one.evidence.path.log_e else 0.0,
            "bound": bound,
            "p": one.evidence.path.p[-1] if one.evidence.path.p else 1.0,
            "calls_made": one.calls_made,
            "calls_saved": one.calls_saved,
            "usd_saved": one.usd_saved,
            "plan_hash": plan.plan_hash,
        }
        for one in found
    ]
    return pa.Table.from_pylist(rows, schema=STOP_SCHEMA)
