"""The search as a stage, on scripted models: every candidate kept, duplicates merged, second draws, trajectories."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from sage_data.chat import Completion, CompletionStatus, Conversation, Message, Sampling
from sage_data.dialogue import Scenario, State
from sage_data.rollout import Ask, Speaker, StopReason
from sage_data.stage import Context, load_stage, run_stage
from sage_data.store.dialogues import read_dialogues, scenarios_to_table
from sage_data.store.shards import read_table, write_table
from sage_models.search import Config, _counts
from sage_models.search.candidates import CANDIDATE_SCHEMA, ChosenBy, SearchingSpeaker
from sage_models.search.rubric import RubricSelector

TAGS = (
    "{u_motivation: sharing, u_emotion: sad, u_topic: [boat]} {a_motivation: empathy, a_emotion: warm, a_topic: [boat]}"
)
GOOD = f"{TAGS} I am so sorry about your old boat. Was anybody hurt when it sank last night?"
NEXT = f"{TAGS} I can imagine how much you miss sailing. What did you love most about the sea?"
SCENARIOS = [
    Scenario(f"s{n}", f"My old boat sank last night, and I am so sad, number {n}.", "sad", "train") for n in range(3)
]


def write_script(path: Path, answers: Sequence[dict[str, Any]]) -> str:
    path.write_text(json.dumps({"answers": answers}), encoding="utf-8")
    return f"scripted:{path}"


@pytest.fixture
def world(tmp_path: Path) -> dict[str, Any]:
    write_table(tmp_path / "sc" / "scenarios-00000.parquet", scenarios_to_table(SCENARIOS))
    agent = [
        {"when": {"messages": 1}, "say": ["Boat.", "", GOOD, "Boat."]},
        {"when": {"messages": 3}, "say": ["{ x", "{ y", "{ x", "{ y"]},
        {"when": {"messages": 5}, "say": [NEXT, GOOD]},
    ]
    config = {
        "agent_uri": write_script(tmp_path / "agent.json", agent),
        "user_uri": write_script(tmp_path / "user.json", [{"say": ["I miss sailing on the sea with my boat."]}]),
        "candidates": 4,
        "exchanges": 3,
        "block": 2,
    }
    inputs = {"agent": [tmp_path / "sc"], "user": [tmp_path / "sc"], "scenarios": [tmp_path / "sc"]}
    return {"config": config, "inputs": inputs, "path": tmp_path}


def test_every_candidate_is_kept_with_what_was_thought_of_it(world: dict[str, Any]) -> None:
    manifest = run_stage("sage_models.search", world["config"], world["inputs"], world["path"] / "out")
    table = read_table(world["path"] / "out", "candidates")
    assert table.schema.names == CANDIDATE_SCHEMA.names
    rows = [row for row in table.to_pylist() if row["dialogue_id"] == "s0"]
    first = rows[:4]
    assert [row["selected"] for row in first] == [False, False, True, False]
    assert [row["merged_into"] for row in first] == [None, None, None, 0]
    assert [row["score"] is None for row in first] == [False, True, False, False]
    assert (first[2]["a_motivation"], first[2]["u_emotion"], first[2]["a_topics"]) == ("empathy", "sad", ["boat"])
    assert first[2]["context"] == [{"role": "user", "content": SCENARIOS[0].situation}]
    assert first[0]["score"] == first[3]["score"] < first[2]["score"]
    [candidates, dialogues] = sorted(manifest.counts, key=lambda one: one.unit)
    assert (candidates.unit, candidates.came_in, candidates.kept) == ("candidates", 3 * 16, 9)
    assert candidates.dropped["no_text"] == 3
    assert (dialogues.came_in, dialogues.kept) == (3, 3)
    assert manifest.models["selector"] == "rubric-1"


def test_a_turn_without_a_good_candidate_draws_again_and_falls_back(world: dict[str, Any]) -> None:
    run_stage("sage_models.search", world["config"], world["inputs"], world["path"] / "out")
    rows = [row for row in read_table(world["path"] / "out", "candidates").to_pylist() if row["scenario_id"] == "s1"]
    second = [row for row in rows if row["turn"] == 1]
    assert [row["draw"] for row in second] == [0] * 4 + [1] * 4
    assert {row["chosen_by"] for row in second} == {"fallback"}
    assert sum(row["selected"] for row in second) == 1
    third = [row for row in rows if row["turn"] == 2]
    assert {row["chosen_by"] for row in third} == {"selector"}


def test_the_trajectory_is_the_selected_path(world: dict[str, Any]) -> None:
    run_stage("sage_models.search", world["config"], world["inputs"], world["path"] / "out")
    chosen: dict[str, list[str]] = {}
    for row in read_table(world["path"] / "out", "candidates").to_pylist():
        if row["selected"]:
            chosen.setdefault(row["dialogue_id"], []).append(row["text"])
    dialogues = list(read_dialogues(world["path"] / "out"))
    assert [one.id for one in dialogues] == ["s0", "s1", "s2"]
    for dialogue in dialogues:
        assert [one.text for one in dialogue.utterances if one.role == "assistant"] == chosen[dialogue.id]
        assert dialogue.source.corpus == "self-play"
    assert dialogues[0].utterances[1].state == State("empathy", "warm", ("boat",))
    assert dialogues[0].utterances[1].perceived == State("sharing", "sad", ("boat",))
    assert "mean score: all candidates" in (world["path"] / "out" / "summary.txt").read_text()


def test_the_same_seed_gives_the_same_bytes(world: dict[str, Any]) -> None:
    one, two = (
        run_stage("sage_models.search", world["config"], world["inputs"], world["path"] / name, Context(seed=1))
        for name in ("one", "two")
    )
    assert one.content_hash == two.content_hash


@pytest.mark.parametrize("stage", ["sage_models.search", "sage_models.steer", "sage_eval.rollout"])
def test_no_option_has_the_name_of_an_input(stage: str) -> None:
    module = load_stage(stage)
    assert not set(module.Config.model_fields) & {need.name for need in module.INPUTS}


class Drawing:
    """Says good things only when asked with another seed than `first`."""

    identity = "drawing@1"

    def __init__(self, first: int, good: str) -> None:
        self.first, self.good = first, good
        self.asked: list[int] = []

    def generate(self, conversations: Sequence[Conversation], sampling: Sampling, n: int = 1) -> list[list[Completion]]:
        self.asked += [conversation.seed for conversation in conversations]
        said = ["Hm" if conversation.seed == self.first else self.good for conversation in conversations]
        return [[Completion(text, CompletionStatus.OK, self.identity)] * n for text in said]


def ask(seed: int) -> Ask:
    return Ask(SCENARIOS[0], "assistant", 0, (Message("user", SCENARIOS[0].situation),), seed)


def test_a_second_draw_uses_other_draws_and_is_recorded() -> None:
    backend = Drawing(first=5, good=GOOD)
    searching = SearchingSpeaker(Speaker(backend, Sampling()), RubricSelector(), candidates=3)
    [kept, again] = searching([ask(6), ask(5)])
    assert kept.completion.text == again.completion.text == GOOD
    assert len(backend.asked) == 3
    assert backend.asked[:2] == [6, 5]
    assert backend.asked[2] not in (5, 6)
    assert [turn.chosen_by for turn in searching.turns] == [ChosenBy.SELECTOR, ChosenBy.SECOND_DRAW]
    rows = searching.rows()
    assert [row["candidate"] for row in rows if row["selected"]] == [0, 3]
    assert len(rows) == 9


def test_no_text_at_all_ends_the_turn_with_nothing() -> None:
    searching = SearchingSpeaker(Speaker(Drawing(first=0, good=""), Sampling()), RubricSelector(), candidates=2)
    [reply] = searching([ask(6)])
    assert reply.stop is not None
    assert [row["chosen_by"] for row in searching.rows()] == ["nothing"] * 4
    assert not any(row["selected"] for row in searching.rows())


class Failing:
    """Gives one completion of each status that it was made with, in order."""

    identity = "failing@1"

    def __init__(self, *statuses: CompletionStatus) -> None:
        self.statuses = statuses

    def generate(self, conversations: Sequence[Conversation], sampling: Sampling, n: int = 1) -> list[list[Completion]]:
        row = [Completion("", status, self.identity, error=status.value, logprob=-1.23456) for status in self.statuses]
        return [row for _ in conversations]


def test_a_failure_behind_an_empty_candidate_is_a_failure_of_the_backend() -> None:
    backend = Failing(CompletionStatus.EMPTY, CompletionStatus.API_ERROR, CompletionStatus.REFUSED)
    searching = SearchingSpeaker(Speaker(backend, Sampling()), RubricSelector(), candidates=3)
    [reply] = searching([ask(6)])
    assert (reply.stop, reply.completion.error) == (StopReason.FAILED, "api_error")
    counts = _counts(pa.Table.from_pylist(searching.rows(), CANDIDATE_SCHEMA))
    assert counts.dropped == {"no_text": 2, "api_error": 2, "refused": 2}
    assert counts.adds_up()
    assert {row["logprob"] for row in searching.rows()} == {-1.2346}


def test_the_selector_is_the_one_named(world: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(RubricSelector):
        identity = "other-1"

    monkeypatch.setattr("sage_models.search.SELECTORS", {"rubric": RubricSelector, "other": Other})
    config = {**world["config"], "selector": "other"}
    manifest = run_stage("sage_models.search", config, world["inputs"], world["path"] / "out")
    assert manifest.models["selector"] == "other-1"


def test_an_unknown_selector_is_refused() -> None:
    with pytest.raises(ValidationError, match="selector must be one of rubric; found 'oracle'"):
        Config.model_validate({"selector": "oracle"})
