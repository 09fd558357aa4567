"""The evaluation rollout as a stage, on scripted models: tables, counts, identities, resuming."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sage_data.dialogue import Scenario
from sage_data.errors import InputError
from sage_data.rollout import Talk, Transcript, play_together
from sage_data.stage import Context, run_stage
from sage_data.store.dialogues import read_dialogues, scenarios_to_table
from sage_data.store.shards import read_table, write_table

STAGE = "sage_eval.rollout"


def script(path: Path, *answers: dict[str, Any]) -> str:
    path.write_text(json.dumps({"model": path.stem, "answers": answers}), encoding="utf-8")
    return f"scripted:{path}"


@pytest.fixture
def world(tmp_path: Path) -> dict[str, Any]:
    scenarios = [Scenario(f"t{n}", f"Story {n}.", None, "test") for n in range(5)]
    write_table(
        tmp_path / "sc" / "scenarios-00000.parquet", scenarios_to_table([*scenarios, Scenario("d", "D", None, "dev")])
    )
    inputs = {"agent": [tmp_path / "sc"], "user": [tmp_path / "sc"], "scenarios": [tmp_path / "sc"]}
    config = {
        "agent_uri": script(
            tmp_path / "agent.json",
            {"when": {"contains": "Story 2"}, "status": "refused", "error": "no"},
            {"when": {"contains": "Story 3"}, "status": "empty"},
            {"when": {"messages": 1}, "say": ["How so?"]},
            {"say": ["I see, and then?"]},
        ),
        "user_uri": script(tmp_path / "user.json", {"say": ["That is how it went."]}),
        "exchanges": 2,
        "block": 2,
    }
    return {"inputs": inputs, "config": config, "path": tmp_path}


def test_transcripts_outcomes_counts_and_identities(world: dict[str, Any]) -> None:
    final = world["path"] / "out"
    manifest = run_stage(STAGE, world["config"], world["inputs"], final)
    dialogues = list(read_dialogues(final))
    assert [one.scenario_id for one in dialogues] == ["t0", "t1", "t4"]
    assert [one.text for one in dialogues[0].utterances] == [
        "Story 0.", "How so?", "That is how it went.", "I see, and then?",
    ]  # fmt: skip
    outcomes = read_table(final, "outcomes").to_pylist()
    stops = {row["scenario_id"]: (row["stop_reason"], row["error"]) for row in outcomes}
    assert stops["t2"] == ("failed", "no")
    assert stops["t3"][0] == "empty"
    [counts] = manifest.counts
    assert (counts.came_in, counts.kept, counts.dropped) == (5, 3, {"backend_failed": 1, "no_reply": 1})
    rejected = read_table(final / "rejected", "dialogues").to_pylist()
    assert [(row["id"], row["reason"]) for row in rejected] == [("t2", "backend_failed"), ("t3", "no_reply")]
    assert manifest.models["agent"].startswith("agent@")
    assert manifest.models["user"].startswith("user@")


def test_a_stopped_rollout_goes_on_to_the_same_bytes(world: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run_stage(STAGE, world["config"], world["inputs"], world["path"] / "whole", Context(seed=3))
    played: list[str] = []

    def stopping(talks: Sequence[Talk], *rest: Any) -> list[Transcript]:
        played.extend(one.id for one in talks)
        if len(played) == 4:
            raise KeyboardInterrupt
        return play_together(talks, *rest)

    monkeypatch.setattr("sage_data.rollout.threads.play_together", stopping)
    final = world["path"] / "resumed"
    with pytest.raises(KeyboardInterrupt):
        run_stage(STAGE, world["config"], world["inputs"], final, Context(seed=3))
    resumed = run_stage(STAGE, world["config"], world["inputs"], final, Context(seed=3))
    assert played == ["t0", "t1", "t2", "t3", "t2", "t3", "t4"]
    assert resumed.content_hash == whole.content_hash
    assert resumed.counts == whole.counts


def test_no_scenario_of_the_split_is_said_with_what_there_is(world: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"no scenario of split 'train'; found \{'test': 5, 'dev': 1\}"):
        run_stage(STAGE, {**world["config"], "split": "train"}, world["inputs"], world["path"] / "out")


def test_limit_takes_the_first(world: dict[str, Any]) -> None:
    run_stage(STAGE, {**world["config"], "limit": 2}, world["inputs"], world["path"] / "out")
    assert [one.id for one in read_dialogues(world["path"] / "out")] == ["t0", "t1"]
