"""A judged run in which everything that anyone can write is an attack: words, tags, names, ids, answers, errors."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from planted_evaluation import ALL_ATTACKS, ATTACKS
from planted_run import write_stage

from sage_data.dialogue import Dialogue, Scenario, Source, State, Utterance
from sage_data.store.dialogues import scenarios_to_table, to_table
from sage_eval.judge.records import CALL_SCHEMA, VERDICT_SCHEMA

NAMES = ("<img src=x onerror=alert(1)>", "'\"><svg onload=alert(1)>")
"""The two models. A stage is a folder, so its name holds no slash."""
JUDGE = "</script><script>alert(2)</script>"
IDS = (*ATTACKS, "__proto__", "constructor", "id&a=other#x", "a b+c%20d\u2028e", "\U0001f600 \ufffd")
"""Ids of the scenarios: what could break a link or an object is among them."""
LAST = "</script><!-- \u2028\u2029 \u0000 \x7f ]]> ${1} `"


def hostile_run(parent: Path) -> list[Path]:
    """Write scenarios, two rollouts with candidates, and a judge."""
    scenarios = [Scenario(one, f"{one} {LAST}", one, "test") for one in IDS]
    return [
        write_stage(parent, "scenarios", "sage_data.scenarios", {"scenarios": scenarios_to_table(scenarios)}),
        *(_played(parent, name) for name in NAMES),
        judged(parent),
    ]


def _played(parent: Path, model: str) -> Path:
    state = State("__proto__", ATTACKS[1], (*ATTACKS, "constructor"))
    dialogues = [
        Dialogue(
            f"{one}|{place}",
            (
                Utterance("user", f"{one} {ALL_ATTACKS}", state),
                Utterance("assistant", ALL_ATTACKS + LAST, state, state),
            ),
            Source("rollout"),
            one,
            model,
        )
        for place, one in enumerate(IDS)
    ]
    candidates = [
        {
            "dialogue_id": one.id,
            "scenario_id": one.scenario_id,
            "turn": 0,
            "context": [],
            "candidate": number,
            "selected": number == 0,
            "text": ALL_ATTACKS,
            "score": [0.9, float("nan")][number],
            "a_motivation": "__proto__",
            "a_topics": list(ATTACKS),
            "status": ATTACKS[0],
            "problems": list(ATTACKS),
        }
        for one in dialogues
        for number in (0, 1)
    ]
    tables = {"dialogues": to_table(dialogues), "candidates": pa.Table.from_pylist(candidates)}
    return write_stage(parent, model, "sage_models.search", tables, models={"agent": model})


def judged(parent: Path, name: str = "judged", times: int = 1) -> Path:
    """A judge that answers about every pair `times` times, never with a verdict."""
    verdicts, calls = [], []
    for place, one in enumerate(IDS * times):
        same = {
            "judge": JUDGE,
            "judge_model": JUDGE,
            "spec_hash": "s",
            "scenario_id": one,
            "model_a": NAMES[0],
            "model_b": NAMES[1],
        }
        dialogue = f"{one}|{place % len(IDS)}"
        said = {"choice_ab": "malformed", "choice_ba": "error", "raw_ab": ALL_ATTACKS, "raw_ba": ""}
        pair = {"dialogue_a": dialogue, "dialogue_b": dialogue, "verdict": "error", "words_a": 1.0, "words_b": 2.0}
        verdicts.append({**same, **pair, **said})
        call = {"prompt_hash": "p", "order": "ba", "raw": "", "choice": "error", "verdict": "error"}
        calls.append({**same, **call, "status": "api_error", "error": ALL_ATTACKS})
    tables = {
        "judge_calls": pa.Table.from_pylist(calls, schema=CALL_SCHEMA),
        "pair_verdicts": pa.Table.from_pylist(verdicts, schema=VERDICT_SCHEMA),
    }
    return write_stage(parent, name, "sage_eval.judge", tables, inputs={"transcripts": list(NAMES)})
