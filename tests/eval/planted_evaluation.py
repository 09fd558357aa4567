"""A whole small evaluation with planted outcomes: two models judged, tested, benchmarked, trained and steered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from planted_run import said, small_run, write_stage

from sage_data.dialogue import Dialogue, Scenario, Source, State, Utterance
from sage_data.stage import Counts, run_stage
from sage_data.store.dialogues import scenarios_to_table, to_table
from sage_eval.bench.records import METRIC_SCHEMA, SAMPLE_SCHEMA
from sage_eval.judge import bias
from sage_eval.judge.records import CALL_SCHEMA, VERDICT_SCHEMA
from sage_eval.maths.problems import problems

ATTACKS = (
    "</script><script>document.title='stolen'</script>",
    "<img src=x onerror=alert(1)>",
    "'\"><svg onload=alert(1)>",
    "</style><style>body{display:none}</style>",
    "{{ 7 * 7 }} {% include '/etc/passwd' %}",
    "<!-- --><base href='https://example.org/'>",
    "<a href='javascript:alert(1)'>click</a>",
    "&lt;script&gt; \u202egnp.exe \u0000 end",
)
"""Things that a user, a model or a judge may say, and that must stay words."""
ALL_ATTACKS = "\n".join(ATTACKS)
_NAMES = """
    a article b body circle code dd details div dl dt fieldset figcaption figure footer h1 h2 h3 h4 head
    header html i input label legend li link main meta nav ol option p path pre rect script section select
    small span summary svg table tbody td text th thead title tr ul
"""
ELEMENTS = set(_NAMES.split())
"""Kinds of elements that pages without scripts of their own may be made of."""
CLAIM = "\nMy dog does that too."
"""What the tuned model says in three scenarios."""
SCENARIOS = 12
VERDICTS = ("B",) * 9 + ("A", "tie", "inconsistent")
"""What the first judge says: 9 to 1 for B."""
_SEATS = {
    "A": ("first", "second"),
    "B": ("second", "first"),
    "tie": ("tie", "tie"),
    "inconsistent": ("first", "first"),
    "error": ("error", "tie"),
}


def evaluation(parent: Path) -> list[Path]:
    """Write every stage folder, in the order of a recipe."""
    folders = [
        *small_run(parent),
        _played(parent, "base"),
        _played(parent, "tuned"),
        judged(parent),
        *_benchmarks(parent),
        _trained(parent),
        _searched(parent),
        _preferred(parent),
        steered(parent),
    ]
    run_stage("sage_eval.significance", {}, {"verdicts": [parent / "judged"]}, parent / "significance")
    benches = {"base": [parent / "bench-base"], "new": [parent / "bench-tuned"]}
    run_stage("sage_eval.regress", {}, benches, parent / "regress")
    run_stage("sage_eval.ratings", {}, {"verdicts": [parent / "judged"]}, parent / "ratings")
    return [*folders, parent / "significance", parent / "regress", parent / "ratings", *_measured(parent)]


def warehouse(parent: Path) -> Path:
    """Write the evaluation and its warehouse; returns the warehouse."""
    run_stage("sage_eval.warehouse", {}, {"runs": evaluation(parent)}, parent / "warehouse")
    return parent / "warehouse"


def _played(parent: Path, model: str) -> Path:
    dialogues = []
    for index in range(SCENARIOS):
        attack = ATTACKS[index % len(ATTACKS)]
        reply = Utterance(
            "assistant",
            f"{model} {index} says {ALL_ATTACKS}" + (CLAIM if model == "tuned" and index < 3 else ""),
            State("empathy", attack, (attack, "plain")),
            State("sharing", "sad", ("dogs",)),
        )
        turns = (said("user", f"My day {index}. {attack}", "sharing", "sad"), reply)
        dialogues.append(Dialogue(f"{model}-{index}", turns, Source("rollout"), f"t{index:02d}", f"hf:{model}"))
    return write_stage(
        parent,
        f"rollout-{model}",
        "sage_eval.rollout",
        {"dialogues": to_table(dialogues)},
        models={"agent": f"hf:{model}", "user": "hf:user <b>bold</b>"},
        inputs={"agent": [model]},
    )


def judged(parent: Path, name: str = "judged", second: Sequence[str] = ("error",) * SCENARIOS) -> Path:
    """A judge stage: the first judge says `VERDICTS`, the second what is given."""
    calls, verdicts = [], []
    for judge, said_of in (("rubric:one", VERDICTS), ("two<i>", second)):
        for index, verdict in enumerate(said_of):
            same = {
                "judge": judge,
                "judge_model": judge,
                "spec_hash": "spec",
                "plan_hash": None,
                "scenario_id": f"t{index:02d}",
                "sample": 0,
                "replicate": 0,
                "model_a": "base",
                "model_b": "tuned",
            }
            seats = dict(zip(("ab", "ba"), _SEATS[verdict], strict=True))
            for order, choice in seats.items():
                status = "api_error" if choice == "error" else "ok"
                cell = {"prompt_hash": "p", "order": order, "raw": choice, "choice": choice, "verdict": verdict}
                told = {"status": status, "prompt_tokens": 10, "completion_tokens": 1, "provider_version": judge}
                calls.append({**same, **cell, **told})
            words = {"words_a": 30.0, "words_b": 10.0}
            raws = {f"{part}_{order}": choice for order, choice in seats.items() for part in ("choice", "raw")}
            pair = {"dialogue_a": f"base-{index}", "dialogue_b": f"tuned-{index}", "verdict": verdict}
            verdicts.append({**same, **pair, **raws, **words})
    return write_stage(
        parent,
        name,
        "sage_eval.judge",
        {
            "judge_calls": pa.Table.from_pylist(calls, schema=CALL_SCHEMA),
            "pair_verdicts": pa.Table.from_pylist(verdicts, schema=VERDICT_SCHEMA),
            bias.TABLE: bias.table(bias.measure(verdicts)),
        },
        config={"strip_prefix": "rollout-"},
        inputs={"transcripts": ["rollout-base", "rollout-tuned"]},
    )


def _benchmarks(parent: Path) -> list[Path]:
    return [_bench(parent, "base", right=40), _bench(parent, "tuned", right=20)]


def _bench(parent: Path, model: str, right: int) -> Path:
    same = {"task": "sums", "filter": "none", "metric": "acc"}
    rows = [
        {
            **same,
            "doc_id": index,
            "doc_hash": f"d{index}",
            "prompt_hash": f"p{index}",
            "target_hash": "t",
            "value": score,
        }
        for index in range(50)
        for score in [float(index < right)]
    ]
    total = {**same, "value": right / 50, "stderr": 0.05, "n": 50, "higher_is_better": True, "is_group": False}
    return write_stage(
        parent,
        f"bench-{model}",
        "sage_eval.bench",
        {
            "bench_samples": pa.Table.from_pylist(rows, schema=SAMPLE_SCHEMA),
            "bench_metrics": pa.Table.from_pylist([total], schema=METRIC_SCHEMA),
        },
        inputs={"model": [model]},
    )


def _trained(parent: Path) -> Path:
    steps = list(range(1, 301))
    curve = {"step": steps, "loss": [3.0 / step + 1.0 for step in steps], "lr": [0.001] * 300}
    rejects = Counts(unit="examples", came_in=301, kept=300, dropped={"too_long": 1})
    return write_stage(parent, "tuned", "sage_models.sft", {"curves": pa.table(curve)}, counts=[rejects])


def _searched(parent: Path) -> Path:
    dialogue = Dialogue(
        "d1", (said("user", "Hi."), said("assistant", "Hello, how are you?")), Source("self-play"), "s1"
    )
    shared = {"dialogue_id": "d1", "scenario_id": "s1", "turn": 0, "context": [], "status": "ok", "merged_into": None}
    candidates = [
        {**shared, "candidate": 0, "selected": False, "text": "I see.", "score": 0.2},
        {**shared, "candidate": 1, "selected": True, "text": "Hello, how are you?", "score": 0.9},
    ]
    tables = {"candidates": pa.Table.from_pylist(candidates), "dialogues": to_table([dialogue])}
    return write_stage(
        parent, "search1", "sage_models.search", tables, models={"agent": "hf:tuned", "selector": "rubric"}
    )


def _measured(parent: Path) -> list[Path]:
    """How the two models talk, and what an agent solves: it knows sums and nothing else."""
    stories = [Scenario(f"t{index:02d}", f"My day {index}.", "sad", "test") for index in range(SCENARIOS)]
    scenarios = write_stage(parent, "stories", "sage_data.scenarios", {"scenarios": scenarios_to_table(stories)})
    played = [parent / "rollout-base", parent / "rollout-tuned"]
    run_stage("sage_eval.states", {}, {"dialogues": played, "scenarios": [scenarios]}, parent / "behaviour")
    asked = problems(0, 16)
    answers: list[dict[str, object]] = [{"when": {"messages": 1}, "say": ["Oh?"]}]
    answers += [
        {"when": {"contains": one.question}, "say": [f"It is {one.answer if one.kind == 'add' else 1}."]}
        for one in asked
    ]
    script = parent / "agent.json"
    script.write_text(json.dumps({"model": "sums", "answers": answers}), encoding="utf-8")
    config = {"agent_uri": "scripted:@agent", "count": len(asked)}
    run_stage("sage_eval.maths", config, {"agent": [script]}, parent / "maths")
    return [scenarios, parent / "behaviour", parent / "maths"]


def _preferred(parent: Path) -> Path:
    pair = {"dialogue_id": "d1", "turn": 0, "chosen_candidate": 1, "rejected_candidate": 0, "others": 1}
    tables = {"pairs": pa.Table.from_pylist([pair])}
    return write_stage(parent, "dpo", "sage_models.dpo", tables, inputs={"trajectories": ["search1"]})


def steered(parent: Path, name: str = "steered", boost: float = 2.0, scenarios: int = 4) -> Path:
    """A steering stage at one amount of boost: it shows in every scenario but the first."""
    rows = [
        {
            "boost": amount,
            "scenario_id": f"t{index:02d}",
            "sample": 0,
            "seed": index,
            "situation": f"My day {index}. {ATTACKS[1]}",
            "text": f"{'Ha' if hit else 'Oh'}! {ATTACKS[0]}",
            "a_motivation": "humor" if hit else "empathy",
            "hit": hit,
        }
        for index in range(scenarios)
        for amount, hit in ((0.0, False), (boost, index > 0))
    ]
    doses = [
        {"boost": 0.0, "replies": 4, "hits": 0, "share": 0.0, "low": 0.0, "high": 0.49, "well_formed": 4},
        {"boost": boost, "replies": 4, "hits": 3, "share": 0.75, "low": 0.3, "high": 0.95, "well_formed": 4},
    ]
    tables = {"steering": pa.Table.from_pylist(rows), "dose_response": pa.Table.from_pylist(doses)}
    return write_stage(parent, name, "sage_models.steer", tables, models={"agent": "hf:tuned"})
