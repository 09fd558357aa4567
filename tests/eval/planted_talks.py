"""Two models in two scenarios before two judges, small enough that every answer can be worked out in the head."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from planted_run import rollout, said, write_stage

from sage_data.annotation.llm.outcome import ASKED_SCHEMA, REWRITE_SCHEMA
from sage_data.dialogue import Dialogue, Scenario, Source
from sage_data.rollout.recording import OUTCOME_SCHEMA
from sage_data.stage import run_stage
from sage_data.store.dialogues import scenarios_to_table, to_table
from sage_eval.bench.records import METRIC_SCHEMA, SAMPLE_SCHEMA
from sage_eval.judge.records import CALL_SCHEMA, VERDICT_SCHEMA
from sage_models.search.candidates import CANDIDATE_SCHEMA

TOLD = (Scenario("s1", "My cat is ill.", "sad", "test"), Scenario("s2", "I won the race!", "proud", "test"))
MOTIVATIONS = {
    "x": (("empathy", "advice"), ("empathy", "advice")),
    "y": (("curiosity", "empathy"), ("praise", "advice")),
}
"""What each model means in its two replies, scenario by scenario."""
VERDICTS = {"j1": ("B", "A"), "j2": ("A", "tie")}
"""What each judge says of (x, y), scenario by scenario: they disagree on s1."""
_SEATS = {"A": ("first", "second"), "B": ("second", "first"), "tie": ("tie", "tie")}


def talks(parent: Path) -> list[Path]:
    """Write every stage folder."""
    return [
        annotated(parent),
        write_stage(parent, "scenarios", "sage_data.scenarios", {"scenarios": scenarios_to_table(TOLD)}),
        _played(parent, "x"),
        _played(parent, "y"),
        _judged(parent),
        _bench(parent),
    ]


def warehouse(parent: Path) -> Path:
    """Write the stages and their warehouse; returns the warehouse."""
    run_stage("sage_eval.warehouse", {}, {"runs": talks(parent)}, parent / "warehouse")
    return parent / "warehouse"


def annotated(parent: Path) -> Path:
    """An annotation stage: one dialogue annotated by a model, which rewrote its reply, and one that failed."""
    kept = Dialogue(
        "d1",
        (said("user", "I lost my key.", "sharing", "upset", "key"), said("assistant", "Oh no. Where?", "curiosity")),
        Source("reddit"),
    )
    lost = to_table([Dialogue("d2", (said("user", "..."),), Source("reddit"))])
    for name, value in (("reason", "malformed"), ("detail", "no JSON"), ("reply", "Sure!")):
        lost = lost.append_column(name, pa.array([value]))
    asked = [
        {"id": "d1", "outcome": "annotated", "failures": ["malformed"], "calls": 2, "repairs": 1, "rounds": 1},
        {
            "id": "d2",
            "outcome": "failed",
            "failures": ["malformed", "malformed"],
            "calls": 2,
            "repairs": 1,
            "rounds": 1,
        },
    ]
    spent = {"prompt_tokens": 100, "completion_tokens": 10}
    rewrite = {"dialogue": "d1", "index": 1, "original": "oh no", "rewritten": "Oh no.", "bridge": "Where?"}
    figures = {"n": 4, "accuracy": 0.75, "macro_f1": 0.6, "kappa": 0.5, "majority_accuracy": 0.5}
    gold = {"labels": {"user": {"emotion": {**figures, "majority_macro_f1": 0.25}}}, "topic_precision": 1.0}
    return write_stage(
        parent,
        "annotated",
        "sage_data.annotation",
        {
            "dialogues": to_table([kept]),
            "rejected/dialogues": lost,
            "asked": pa.Table.from_pylist([{**row, **spent} for row in asked], schema=ASKED_SCHEMA),
            "rewrites": pa.Table.from_pylist([{**rewrite, "similarity": 0.9}], schema=REWRITE_SCHEMA),
        },
        models={"annotator": "openai:annotator"},
        jsons={"agreement.json": gold},
    )


def _played(parent: Path, model: str) -> Path:
    dialogues = [_talk(scenario, model, means) for scenario, means in zip(TOLD, MOTIVATIONS[model], strict=True)]
    outcomes = [
        {
            "dialogue_id": one.id,
            "scenario_id": one.scenario_id,
            "stop_reason": stop,
            "exchanges": 2,
            "agent_well_formed": 2,
            "agent_untagged": 0,
            "agent_malformed": 0,
            "prompt_tokens": 30,
            "completion_tokens": 8,
        }
        for one, stop in zip(dialogues, ("exchanges", "farewell"), strict=True)
    ]
    tables = {"dialogues": to_table(dialogues), "outcomes": pa.Table.from_pylist(outcomes, OUTCOME_SCHEMA)}
    if model == "y":
        tables["candidates"] = pa.Table.from_pylist(_drawn(dialogues[0]), CANDIDATE_SCHEMA)
    return write_stage(
        parent,
        f"rollout-{model}",
        "sage_eval.rollout",
        tables,
        inputs={"agent": [f"train-{model}"]},
        models={"agent": f"hf:{model}"},
    )


def _talk(scenario: Scenario, model: str, means: Sequence[str]) -> Dialogue:
    first, second = (said("assistant", f"{model} means {one}.", one, "calm") for one in means)
    opening = said("user", scenario.situation, "sharing", scenario.emotion)
    return rollout(scenario.id, model, opening, first, said("user", "I see.", "answering"), second)


def _drawn(dialogue: Dialogue) -> list[dict[str, object]]:
    """Three candidates for y's first reply to s1: one said, one left out, and a twin of the one left out."""
    same = {"dialogue_id": dialogue.id, "scenario_id": "s1", "turn": 0, "context": [], "status": "ok"}
    said_text = dialogue.utterances[1].text
    return [
        {**same, "candidate": 0, "selected": False, "text": "Cats die.", "score": 0.1, "a_motivation": "advice"},
        {**same, "candidate": 1, "selected": True, "text": said_text, "score": 0.8, "a_motivation": "curiosity"},
        {**same, "candidate": 2, "selected": False, "text": "Cats die.", "merged_into": 0, "a_motivation": "advice"},
    ]


def _judged(parent: Path) -> Path:
    calls, verdicts = [], []
    for judge, said_of in VERDICTS.items():
        same = {"judge": judge, "judge_model": f"openai:{judge}", "spec_hash": f"spec-{judge}"}
        pair = {"model_a": "x", "model_b": "y"}
        for scenario, verdict in zip(TOLD, said_of, strict=True):
            seats = dict(zip(("ab", "ba"), _SEATS[verdict], strict=True))
            row = {**same, **pair, "scenario_id": scenario.id, "verdict": verdict}
            for order, choice in seats.items():
                cell = {"prompt_hash": "p", "order": order, "raw": choice, "choice": choice, "status": "ok"}
                calls.append({**row, **cell, "prompt_tokens": 50, "completion_tokens": 2})
            raws = {f"{part}_{order}": choice for order, choice in seats.items() for part in ("choice", "raw")}
            ids = {"dialogue_a": f"x/{scenario.id}", "dialogue_b": f"y/{scenario.id}"}
            # x says 4 words a reply where y says 2, so that length and verdict can be set side by side.
            verdicts.append({**row, **raws, **ids, "words_a": 4.0, "words_b": 2.0})
    tables = {
        "judge_calls": pa.Table.from_pylist(calls, schema=CALL_SCHEMA),
        "pair_verdicts": pa.Table.from_pylist(verdicts, schema=VERDICT_SCHEMA),
    }
    config, inputs = {"strip_prefix": "rollout-"}, {"transcripts": ["rollout-x", "rollout-y"]}
    return write_stage(parent, "judged", "sage_eval.judge", tables, config=config, inputs=inputs)


def _bench(parent: Path) -> Path:
    same = {"task": "sums", "filter": "none", "metric": "acc"}
    rows = [
        {**same, "doc_id": doc, "doc_hash": f"d{doc}", "prompt_hash": "p", "target_hash": "t", "value": value}
        for doc, value in enumerate((1.0, 0.0, 0.0))
    ]
    total = {**same, "value": 1 / 3, "n": 3, "higher_is_better": True, "is_group": False}
    tables = {
        "bench_samples": pa.Table.from_pylist(rows, schema=SAMPLE_SCHEMA),
        "bench_metrics": pa.Table.from_pylist([total], schema=METRIC_SCHEMA),
    }
    return write_stage(parent, "bench-y", "sage_eval.bench", tables, inputs={"model": ["train-y"]})
