"""A leaderboard with a known truth: six models, two judges and all fifteen pairs, as the stages would leave them.

How often each model wins follows Davidson's model with the planted strengths, rounded to whole scenarios, so order,
ties between equal models and every p-value can be worked out beforehand. Two of the models are twins.

    python tests/eval/planted_leaderboard.py runs/planted      # 2,544 scenarios; takes about ten seconds
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from planted_run import write_stage
from planted_words import Manner, dialogue, reply_text, scenarios

from sage_data.dialogue import Dialogue, Scenario
from sage_data.rollout.recording import OUTCOME_SCHEMA
from sage_data.stage import Counts
from sage_data.store.dialogues import scenarios_to_table, to_table
from sage_eval.bench.records import METRIC_SCHEMA, SAMPLE_SCHEMA
from sage_eval.judge import bias
from sage_eval.judge.records import CALL_SCHEMA, VERDICT_SCHEMA
from sage_eval.verdict import Choice, Order, Verdict, seen_by_model
from sage_models.search.candidates import CANDIDATE_SCHEMA

SCENARIOS = 2544
"""Scenarios of the test split of EmpatheticDialogues."""
TASKS = ("sums", "riddles", "manners")
Key = tuple[str, str, str]
"""Judge, model A, model B."""


@dataclass(frozen=True, slots=True)
class Model:
    """One planted model."""

    name: str
    strength: float
    """Log of Davidson's worth: of two models, A's odds against B are exp(A - B)."""
    manner: Manner
    right: float
    """Share of the benchmark documents it gets right."""
    searches: bool = False
    """Whether its dialogues come with candidates, as those of `sage model search` do."""


@dataclass(frozen=True, slots=True)
class PlantedJudge:
    """One planted judge."""

    name: str
    ties: float
    """Davidson's nu: how often equal models tie."""
    inconsistent: float
    """Share of the readable pairs in which the seat decides."""
    first_seat: float
    """Share of those that go to the first seat."""
    malformed: float = 0.0
    error: float = 0.0


MODELS = (
    Model("sage0", -1.1, Manner(4, (0.1, 0.1, 0.1, 0.6, 0.1)), 0.70),
    Model("sage1-plain", -0.4, Manner(3, (0.3, 0.1, 0.1, 0.4, 0.1)), 0.70),
    Model("sage1", 0.0, Manner(2, (0.3, 0.3, 0.1, 0.2, 0.1)), 0.68),
    Model("sage2", 0.4, Manner(2, (0.3, 0.4, 0.1, 0.1, 0.1)), 0.68, searches=True),
    Model("sage3", 0.4, Manner(1, (0.2, 0.5, 0.1, 0.1, 0.1)), 0.66, searches=True),
    Model("sage-dpo", 0.9, Manner(1, (0.4, 0.3, 0.1, 0.1, 0.1)), 0.50),
)
"""Weakest first; sage2 and sage3 are twins."""
JUDGES = (
    PlantedJudge("warm", ties=0.5, inconsistent=0.12, first_seat=0.7),
    PlantedJudge("strict", ties=0.2, inconsistent=0.2, first_seat=0.4, malformed=0.01, error=0.02),
)


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """What was written, and what is true of it."""

    folders: tuple[Path, ...]
    """Finished stage folders, in the order of a recipe."""
    counts: Mapping[Key, Mapping[Verdict, int]]
    """How often each verdict was planted."""
    groups: tuple[tuple[str, ...], ...]
    """Models of equal strength together, best first."""
    judged: Path = field(default=Path())
    """The judging stage among them."""


def leaderboard(
    parent: Path,
    *,
    scenario_count: int = SCENARIOS,
    models: Sequence[Model] = MODELS,
    judges: Sequence[PlantedJudge] = JUDGES,
    exchanges: int = 8,
    candidates: int = 4,
    documents: int = 200,
    seed: int = 7,
) -> Leaderboard:
    """Write gates, scenarios, training, rollouts, judging and benchmarks as finished stages below `parent`.

    Args:
        parent: folder of the run.
        scenario_count: scenarios that every model is rolled out on.
        models: who is compared, every pair in this order.
        judges: who judges.
        exchanges: user utterances, each with a reply.
        candidates: candidates a reply of a model that searches.
        documents: documents of each benchmark task.
        seed: of everything drawn.
    """
    told = scenarios(scenario_count)
    folders = [_gated(parent, told), write_stage(parent, "scenarios", "sage_data.scenarios", _scenario_tables(told))]
    folders += [_trained(parent, model) for model in models[1:]]
    words: dict[str, list[float]] = {}
    for model in models:
        played = [dialogue(one, i, model.name, model.manner, exchanges, seed) for i, one in enumerate(told)]
        words[model.name] = [_mean_words(one) for one in played]
        folders.append(_rolled(parent, model, played, candidates, seed))
    counts = {
        (judge.name, a.name, b.name): planted_counts(judge, a, b, scenario_count)
        for judge in judges
        for a, b in combinations(models, 2)
    }
    judged = _judged(parent, models, judges, told, counts, words, seed)
    folders += [judged, *(_bench(parent, model, documents, place) for place, model in enumerate(models))]
    strengths = sorted({model.strength for model in models}, reverse=True)
    groups = tuple(tuple(model.name for model in models if model.strength == one) for one in strengths)
    return Leaderboard(tuple(folders), counts, groups, judged)


def planted_counts(judge: PlantedJudge, a: Model, b: Model, n: int) -> dict[Verdict, int]:
    """Verdicts of a judge on one pair over `n` scenarios: Davidson's shares, rounded so that they add up to n."""
    malformed, error = round(n * judge.malformed), round(n * judge.error)
    inconsistent = round((n - malformed - error) * judge.inconsistent)
    left = n - malformed - error - inconsistent
    worth_a, worth_b = math.exp(a.strength), math.exp(b.strength)
    total = worth_a + worth_b + judge.ties * math.sqrt(worth_a * worth_b)
    wins_a, wins_b = round(left * worth_a / total), round(left * worth_b / total)
    return {
        Verdict.A: wins_a,
        Verdict.B: wins_b,
        Verdict.TIE: left - wins_a - wins_b,
        Verdict.INCONSISTENT: inconsistent,
        Verdict.MALFORMED: malformed,
        Verdict.ERROR: error,
    }


def _mean_words(one: Dialogue) -> float:
    lengths = [len(said.text.split()) for said in one.utterances if said.role == "assistant"]
    return sum(lengths) / len(lengths)


def _gated(parent: Path, told: Sequence[Scenario]) -> Path:
    found = [dialogue(one, index, "people", Manner(2, (0.2,) * 5), 2, 1) for index, one in enumerate(told[:50])]
    kept, lost = found[: len(found) // 2], found[len(found) // 2 :]
    counts = Counts(
        unit="dialogues", came_in=len(found) + 3, kept=len(kept), dropped={"no_question": len(lost)}, quarantined=3
    )
    rejected = to_table(lost).append_column("reason", pa.array(["no_question"] * len(lost), pa.string()))
    tables = {"dialogues": to_table(kept), "rejected/dialogues": rejected}
    return write_stage(parent, "gated", "sage_data.gates", tables, counts=[counts])


def _scenario_tables(told: Sequence[Scenario]) -> dict[str, pa.Table]:
    return {"scenarios": scenarios_to_table(told)}


def _trained(parent: Path, model: Model) -> Path:
    steps = list(range(1, 101))
    curve = {"step": steps, "loss": [3.0 / step**0.5 + 1.0 - model.strength / 10 for step in steps]}
    return write_stage(parent, model.name, "sage_models.sft", {"curves": pa.table(curve)}, models={"base": "hf:sage0"})


def _rolled(parent: Path, model: Model, played: Sequence[Dialogue], candidates: int, seed: int) -> Path:
    outcomes = [
        {
            "dialogue_id": one.id,
            "scenario_id": one.scenario_id,
            "stop_reason": "exchanges",
            "exchanges": len(one.utterances) // 2,
            "agent_well_formed": len(one.utterances) // 2,
            "agent_untagged": 0,
            "agent_malformed": 0,
            "problems": [],
            "forgotten": 0,
            "prompt_tokens": 60 * len(one.utterances),
            "completion_tokens": 12 * len(one.utterances),
        }
        for one in played
    ]
    tables = {"dialogues": to_table(played), "outcomes": pa.Table.from_pylist(outcomes, OUTCOME_SCHEMA)}
    if model.searches:
        drawn = [row for place, one in enumerate(played) for row in _candidates(model, one, place, candidates, seed)]
        tables["candidates"] = pa.Table.from_pylist(drawn, CANDIDATE_SCHEMA)
    count = Counts(unit="dialogues", came_in=len(played), kept=len(played))
    return write_stage(
        parent,
        f"rollout-{model.name}",
        "sage_models.search" if model.searches else "sage_eval.rollout",
        tables,
        counts=[count],
        inputs={"agent": [model.name], "user": ["sage1"], "scenarios": ["scenarios"]},
        models={"agent": f"hf:{model.name}", "user": "hf:sage1"},
        config={"exchanges": len(played[0].utterances) // 2},
    )


def _candidates(model: Model, one: Dialogue, place: int, count: int, seed: int) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng([seed, place, *model.name.encode(), 1])
    for turn, said in enumerate(one.utterances[1::2]):
        chosen, scores = int(rng.integers(count)), np.round(rng.uniform(0.1, 0.8, size=count), 3)
        for number in range(count):
            selected = number == chosen
            # What the selector leaves is one sentence longer, so that a query can find what it rejects.
            longer = reply_text("advice", place, number, model.manner.sentences + 1)
            yield {
                "dialogue_id": one.id,
                "scenario_id": one.scenario_id,
                "turn": turn,
                "candidate": number,
                "draw": 0,
                "selected": selected,
                "chosen_by": "selector",
                "forgotten": 0,
                "text": said.text if selected else longer,
                "a_motivation": said.state.motivation if selected and said.state else "advice",
                "score": 0.9 if selected else float(scores[number]),
                "acceptable": selected,
                "completion_tokens": 12,
                "status": "ok",
                "problems": [],
            }


_CHOICES = {
    Verdict.A: (Choice.FIRST, Choice.SECOND),
    Verdict.B: (Choice.SECOND, Choice.FIRST),
    Verdict.TIE: (Choice.TIE, Choice.TIE),
    Verdict.MALFORMED: (Choice.MALFORMED, Choice.FIRST),
    Verdict.ERROR: (Choice.TIE, Choice.ERROR),
}
_RAW = {Choice.FIRST: "VERDICT: FIRST", Choice.SECOND: "VERDICT: SECOND", Choice.TIE: "VERDICT: TIE"}


def _judged(
    parent: Path,
    models: Sequence[Model],
    judges: Sequence[PlantedJudge],
    told: Sequence[Scenario],
    counts: Mapping[Key, Mapping[Verdict, int]],
    words: Mapping[str, Sequence[float]],
    seed: int,
) -> Path:
    calls: list[dict[str, Any]] = []
    verdicts: list[dict[str, Any]] = []
    for judge in judges:
        for a, b in combinations(models, 2):
            said = _assigned(counts[judge.name, a.name, b.name], judge, (a, b), len(told), seed)
            same = {
                "judge": judge.name,
                "judge_model": f"planted:{judge.name}",
                "spec_hash": f"spec-{judge.name}",
                "model_a": a.name,
                "model_b": b.name,
            }
            seats = 0
            for place, (one, verdict) in enumerate(zip(told, said, strict=True)):
                choices = _CHOICES.get(verdict)
                if choices is None:
                    first = seats < round(judge.first_seat * counts[judge.name, a.name, b.name][verdict])
                    choices = (Choice.FIRST,) * 2 if first else (Choice.SECOND,) * 2
                    seats += 1
                calls += _calls(same, one.id, choices)
                verdicts.append(
                    {
                        **same,
                        "scenario_id": one.id,
                        "dialogue_a": one.id,
                        "dialogue_b": one.id,
                        "verdict": verdict.value,
                        "choice_ab": choices[0].value,
                        "choice_ba": choices[1].value,
                        "raw_ab": _RAW.get(choices[0], ""),
                        "raw_ba": _RAW.get(choices[1], ""),
                        "words_a": words[a.name][place],
                        "words_b": words[b.name][place],
                    }
                )
    failed = {name: sum(row["choice"] == name for row in calls) for name in ("error", "malformed")}
    lost = {name: count for name, count in failed.items() if count}
    counted = Counts(unit="judge calls", came_in=len(calls), kept=len(calls) - sum(lost.values()), dropped=lost)
    return write_stage(
        parent,
        "judged",
        "sage_eval.judge",
        {
            "judge_calls": pa.Table.from_pylist(calls, schema=CALL_SCHEMA),
            "pair_verdicts": pa.Table.from_pylist(verdicts, schema=VERDICT_SCHEMA),
            bias.TABLE: bias.table(bias.measure(verdicts)),
        },
        counts=[counted],
        config={"strip_prefix": "rollout-"},
        inputs={"transcripts": [f"rollout-{model.name}" for model in models]},
        models={f"judge {judge.name}": f"planted:{judge.name}" for judge in judges},
    )


def _calls(same: Mapping[str, Any], scenario: str, choices: Sequence[Choice]) -> Iterator[dict[str, Any]]:
    for order, choice in zip(Order, choices, strict=True):
        yield {
            **same,
            "prompt_hash": f"{scenario}-{order}",
            "scenario_id": scenario,
            "order": order.value,
            "raw": _RAW.get(choice, ""),
            "choice": choice.value,
            "verdict": seen_by_model(choice, order).value,
            "status": "api_error" if choice is Choice.ERROR else "ok",
            "prompt_tokens": 600,
            "completion_tokens": 4,
        }


def _assigned(
    counts: Mapping[Verdict, int], judge: PlantedJudge, pair: tuple[Model, Model], n: int, seed: int
) -> list[Verdict]:
    """One verdict a scenario: what the judges share decides most of who wins where, so that they mostly agree."""
    names = "|".join(model.name for model in pair).encode()
    shared = np.random.default_rng([seed, *names]).normal(size=n)
    own = np.random.default_rng([seed, *names, *judge.name.encode()])
    order = own.permutation(n)
    unclear = [v for v in (Verdict.INCONSISTENT, Verdict.MALFORMED, Verdict.ERROR) for _ in range(counts[v])]
    clear = order[len(unclear) :]
    leaning = shared + own.normal(scale=0.5, size=n)
    clear = clear[np.argsort(leaning[clear], kind="stable")]
    said: list[Verdict] = [Verdict.TIE] * n
    for place, verdict in zip(order, unclear, strict=False):
        said[int(place)] = verdict
    for place in clear[: counts[Verdict.A]]:
        said[int(place)] = Verdict.A
    for place in clear[len(clear) - counts[Verdict.B] :]:
        said[int(place)] = Verdict.B
    return said


def _bench(parent: Path, model: Model, documents: int, place: int) -> Path:
    samples, totals = [], []
    right = round(model.right * documents)
    for number, task in enumerate(TASKS):
        same = {"task": task, "filter": "none", "metric": "acc"}
        # Another start for each model and task, so that two models are wrong on different documents.
        first = 7 * place * (number + 1)
        values = [float((doc + first) % documents < right) for doc in range(documents)]
        samples += [
            {
                **same,
                "doc_id": doc,
                "doc_hash": f"{task}{doc}",
                "prompt_hash": f"p{doc}",
                "target_hash": "t",
                "value": v,
            }
            for doc, v in enumerate(values)
        ]
        mean = right / documents
        error = math.sqrt(mean * (1 - mean) / documents)
        totals.append(
            {**same, "value": mean, "stderr": error, "n": documents, "higher_is_better": True, "is_group": False}
        )
    tables = {
        "bench_samples": pa.Table.from_pylist(samples, schema=SAMPLE_SCHEMA),
        "bench_metrics": pa.Table.from_pylist(totals, schema=METRIC_SCHEMA),
    }
    return write_stage(parent, f"bench-{model.name}", "sage_eval.bench", tables, inputs={"model": [model.name]})


def main() -> None:
    """Write the whole leaderboard into the folder that is given."""
    found = leaderboard(Path(sys.argv[1]))
    sys.stdout.write("\n".join(map(str, found.folders)) + "\n")


if __name__ == "__main__":
    main()
