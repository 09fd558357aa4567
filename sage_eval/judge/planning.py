"""Draws up the analysis plan, and the calls that follow from it.

plan = make_plan(config, inputs, matched, judges, checks=(), seed=7)
tasks = tasks_of(config, plan, matched, judges, seed=7)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from sage_data.stage import Inputs, derive_seed
from sage_eval.judge.opening import model_name
from sage_eval.judge.pilot import Task
from sage_eval.judge.protocol import Judge
from sage_eval.judge.records import Comparison
from sage_eval.judge.settings import Config
from sage_eval.judge.stopping import in_random_order
from sage_eval.judge.transcripts import Matched, Pair, Place
from sage_eval.plan import AnalysisPlan, PlannedJudge, StoppingRule

Matches = Mapping[tuple[str, str], Matched]
"""(A, B) -> their dialogues that meet."""


def make_plan(
    config: Config, inputs: Inputs, matched: Matches, judges: Sequence[Judge], checks: Sequence[str], seed: int
) -> AnalysisPlan:
    """Say what will be compared, tested and claimed; nothing in it depends on a reply.

    Args:
        config: the stage's settings.
        inputs: its inputs, for the hashes of the transcripts.
        matched: what is compared.
        judges: who judges.
        checks: names of the checks each judge has to pass.
        seed: the run's seed.
    """
    compared = {name for pair in matched for name in pair}
    samples = [len(list(group)) for one in matched.values() for _, group in groupby(one.pairs, _scenario)]
    return AnalysisPlan(
        pairs=tuple(matched),
        judges=tuple(
            PlannedJudge(name=judge.name, identity=judge.identity, spec_hash=judge.spec_hash) for judge in judges
        ),
        panel=config.has_panel,
        transcripts={
            name: one.fingerprint for one in inputs.many("transcripts") if (name := model_name(one, config)) in compared
        },
        scenarios={f"{a}|{b}": len(one.scenarios) for (a, b), one in matched.items()},
        samples=max(samples),
        replicates=config.replicates,
        replicate_share=config.replicate_share if config.replicates > 1 else 1.0,
        alpha=config.alpha,
        correction=config.correction,
        tie_rule=config.tie_rule,
        stopping=config.stop,
        self_test=tuple(checks),
        seed=seed,
    )


def tasks_of(
    config: Config, plan: AnalysisPlan, matched: Matches, judges: Sequence[Judge], seed: int
) -> tuple[list[Task], list[dict[str, int]]]:
    """Every comparison with its pairs, judge by judge; and for each, reason -> dialogues that meet none."""
    prices = {judge.name: config.prices(spec) for judge, spec in zip(judges, config.judges, strict=True)}
    tasks, left_out = [], []
    for judge in judges:
        for (a, b), found in matched.items():
            drawn = _drawn(found, seed, a, b)
            early = plan.stopping is StoppingRule.E_VALUE
            comparison = Comparison(judge, a, b, plan.plan_hash, prices[judge.name])
            tasks.append(Task(comparison, drawn if early else found.pairs, drawn, _repeats(found, plan, seed)))
            left_out.append(found.left_out(a, b))
    return tasks, left_out


def _scenario(pair: Pair) -> str:
    return pair.scenario_id


def _drawn(found: Matched, seed: int, a: str, b: str) -> tuple[Pair, ...]:
    groups = {scenario: tuple(pairs) for scenario, pairs in groupby(found.pairs, _scenario)}
    return tuple(pair for scenario in in_random_order(found.scenarios, seed, a, b) for pair in groups[scenario])


def _repeats(found: Matched, plan: AnalysisPlan, seed: int) -> dict[Place, int]:
    """Place -> how often it is asked: all samples of the drawn share of scenarios, the same for all judges."""
    if plan.replicates == 1:
        return {}
    count = max(1, round(plan.replicate_share * len(found.scenarios)))
    order = sorted(found.scenarios, key=lambda scenario: derive_seed(seed, "judge", "replicates", scenario))
    chosen = set(order[:count])
    return {pair.place: plan.replicates for pair in found.pairs if pair.scenario_id in chosen}
