"""The evaluation rollout with servers behind it: the same user for every agent, budgets, failures, what is kept."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from chat_server import CONTENT_POLICY, SERVER_ERROR, TOO_LONG, Ask, ChatServer, Fault
from click.testing import CliRunner
from pydantic import ValidationError

from sage_data.cli.main import cli
from sage_data.dialogue import Scenario
from sage_data.errors import BackendError, BudgetStopError, ConfigError, InputError
from sage_data.stage import Context, run_stage
from sage_data.store.dialogues import read_dialogues, scenarios_to_table
from sage_data.store.manifest import Manifest
from sage_data.store.shards import read_table, write_table
from sage_eval.rollout import Config

STAGE = "sage_eval.rollout"
PACE = "retry_wait=0.01&retry_wait_max=0.02&attempts=2"
Row = dict[str, Any]


def echo(ask: Ask) -> str:
    """Says what was drawn for it and how much it has heard, so that both can be told from a transcript."""
    return f"Drawn {ask.body['seed']} after {len(ask.messages)}."


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(echo) as made:
        yield made


@pytest.fixture
def scenarios(tmp_path: Path) -> Path:
    listed = [Scenario(f"t{n}", f"Story {n}.", None, "test") for n in range(4)]
    write_table(tmp_path / "sc" / "scenarios-00000.parquet", scenarios_to_table(listed))
    return tmp_path / "sc"


def uri(server: ChatServer, model: str = "tiny", concurrency: int = 4) -> str:
    return f"openai:{model}@{server.url}?concurrency={concurrency}&{PACE}"


def scripted(path: Path, *said: str) -> str:
    answers = [{"when": {"messages": 2 * place + 1}, "say": [text]} for place, text in enumerate(said)]
    path.write_text(json.dumps({"model": path.stem, "answers": answers}), encoding="utf-8")
    return f"scripted:{path}"


def rollout(config: Mapping[str, Any], scenarios: Path, out: Path, seed: int = 3) -> Manifest:
    """Run the stage as the command does: finished calls are kept beside its folder."""
    context = Context(seed=seed, journal=out.parent / ".work" / "journal.sqlite")
    given = {"exchanges": 3, "block": 2, **config}
    return run_stage(STAGE, given, {"scenarios": scenarios}, out, context)


def users_words(out: Path) -> dict[str, list[str]]:
    return {one.id: [said.text for said in one.utterances if said.role == "user"] for one in read_dialogues(out)}


def test_two_agents_in_this_process_meet_the_same_draws_of_a_user_behind_a_server(
    server: ChatServer, scenarios: Path, tmp_path: Path
) -> None:
    met = {}
    for name in ("first", "second"):
        agent = scripted(tmp_path / f"{name}.json", *(f"The {name} says {n}." for n in range(3)))
        config = {"agent_uri": agent, "user_uri": uri(server), "samples": 2}
        rollout(config, scenarios, tmp_path / name / "out")
        met[name] = users_words(tmp_path / name / "out")
    assert met["first"] == met["second"]
    assert list(met["first"]) == ["t0", "t0#1", "t1", "t1#1", "t2", "t2#1", "t3", "t3#1"]
    drawn = [text for words in met["first"].values() for text in words[1:]]
    assert len(set(drawn)) == len(drawn) == 8 * 2
    agents = {name: next(read_dialogues(tmp_path / name / "out")).utterances[1].text for name in met}
    assert agents == {"first": "The first says 0.", "second": "The second says 0."}


def test_more_samples_leave_the_first_as_it_was(server: ChatServer, scenarios: Path, tmp_path: Path) -> None:
    config = {"agent_uri": uri(server, "agent"), "user_uri": uri(server, "user")}
    rollout(config, scenarios, tmp_path / "one" / "out")
    manifest = rollout({**config, "samples": 3, "block": 5}, scenarios, tmp_path / "three" / "out")
    one, three = (list(read_dialogues(tmp_path / name / "out")) for name in ("one", "three"))
    assert [dialogue for dialogue in three if dialogue.sample == 0] == one
    assert [(dialogue.scenario_id, dialogue.sample) for dialogue in three] == [
        (f"t{number}", sample) for number in range(4) for sample in range(3)
    ]
    rows = [read_table(tmp_path / name / "out", "outcomes").to_pylist() for name in ("one", "three")]
    assert [row for row in rows[1] if row["sample"] == 0] == rows[0]
    [counts] = manifest.counts
    assert (counts.came_in, counts.kept) == (4 * 3, 12)
    assert "4 scenarios with 3 samples each" in (tmp_path / "three" / "out" / "summary.txt").read_text()


def test_the_size_of_blocks_changes_no_dialogue(server: ChatServer, scenarios: Path, tmp_path: Path) -> None:
    config = {"agent_uri": uri(server, "agent"), "user_uri": uri(server, "user"), "samples": 2}
    found = []
    for block in (1, 3, 64):
        rollout({**config, "block": block}, scenarios, tmp_path / str(block) / "out")
        found.append(list(read_dialogues(tmp_path / str(block) / "out")))
    assert found[0] == found[1] == found[2]


class TestFailures:
    def test_a_dialogue_that_breaks_off_is_kept_with_its_reason_and_counted(
        self, scenarios: Path, tmp_path: Path
    ) -> None:
        def schedule(number: int, body: Mapping[str, Any]) -> Fault | None:
            words = body["messages"][0]["content"] + body["messages"][-1]["content"]
            if body["model"] == "agent" and len(body["messages"]) == 3 and "Story 1." in words:
                return CONTENT_POLICY
            return SERVER_ERROR if body["model"] == "user" and "Story 2." in str(body["messages"]) else None

        with ChatServer(echo, schedule=schedule) as server:
            config = {"agent_uri": uri(server, "agent"), "user_uri": uri(server, "user"), "samples": 2}
            manifest = rollout(config, scenarios, tmp_path / "out")
        [counts] = manifest.counts
        assert (counts.came_in, counts.kept, counts.dropped) == (8, 4, {"backend_failed": 4})
        lost = read_table(tmp_path / "out" / "rejected", "dialogues").to_pylist()
        found = [(row["id"], row["sample"], row["reason"], len(row["utterances"])) for row in lost]
        assert found == [
            ("t1", 0, "backend_failed", 3),
            ("t1#1", 1, "backend_failed", 3),
            ("t2", 0, "backend_failed", 2),
            ("t2#1", 1, "backend_failed", 2),
        ]
        assert lost[0]["utterances"][2]["text"].startswith("Drawn ")
        errors = {row["dialogue_id"]: row["error"] for row in read_table(tmp_path / "out", "outcomes").to_pylist()}
        assert "flagged" in errors["t1"]
        assert "server had an error" in errors["t2#1"]
        assert errors["t0"] is None
        [warning] = manifest.warnings
        assert "4 of 8 dialogues broke off" in warning
        assert manifest.failures == []

    def test_a_rollout_of_which_nothing_is_left_counts_as_failed(self, scenarios: Path, tmp_path: Path) -> None:
        with ChatServer(echo, schedule=lambda number, body: CONTENT_POLICY) as server:
            manifest = rollout({"agent_uri": uri(server), "user_uri": uri(server)}, scenarios, tmp_path / "out")
        [failure] = manifest.failures
        assert "4 of 4 dialogues broke off" in failure
        assert [one.dropped for one in manifest.counts] == [{"backend_failed": 4}]

    def test_a_server_with_a_short_memory_is_told_less(self, scenarios: Path, tmp_path: Path) -> None:
        def schedule(number: int, body: Mapping[str, Any]) -> Fault | None:
            return TOO_LONG if body["model"] == "agent" and len(body["messages"]) > 3 else None

        with ChatServer(echo, schedule=schedule) as server:
            config = {"agent_uri": uri(server, "agent"), "user_uri": uri(server, "user"), "exchanges": 4}
            manifest = rollout(config, scenarios, tmp_path / "out")
        assert [one.kept for one in manifest.counts] == [4]
        rows = read_table(tmp_path / "out", "outcomes").to_pylist()
        assert {(row["stop_reason"], row["exchanges"], row["forgotten"]) for row in rows} == {("exchanges", 4, 4)}


class TestBudget:
    @pytest.mark.parametrize("concurrency", [1, 4])
    def test_it_stops_goes_on_and_ends_with_the_same_bytes(
        self, concurrency: int, server: ChatServer, scenarios: Path, tmp_path: Path
    ) -> None:
        """One call at a time is lock-step: the first blocks are finished when it stops, and their cost counts too."""
        priced = {"input_price": 1_000.0, "user_input_price": 2_000.0, "user_output_price": 500.0, "samples": 2}
        uris = {f"{role}_uri": uri(server, role, concurrency) for role in ("agent", "user")}
        config = {**uris, **priced}
        whole = rollout(config, scenarios, tmp_path / "whole" / "out")
        needed = server.count
        cost = self.cost(read_table(tmp_path / "whole" / "out", "outcomes").to_pylist())
        assert f": {cost:.4f} USD" in (tmp_path / "whole" / "out" / "summary.txt").read_text()
        out = tmp_path / "stopped" / "out"
        spent = []
        for share in (0.3, 0.3, 0.7, 0.7):
            with pytest.raises(BudgetStopError) as caught:
                rollout({**config, "max_cost": share * cost}, scenarios, out)
            assert caught.value.exit_code == 4
            spent.append(server.count - needed)
        assert not out.exists()
        assert 0 < spent[0] < needed
        assert spent[1] == spent[0] < spent[2] == spent[3] < needed, "stopping again at the same cost is free"
        assert concurrency > 1 or list((tmp_path / "stopped" / ".work" / "out").glob("dialogues-*"))
        manifest = rollout({**config, "max_cost": 2 * cost}, scenarios, out)
        assert server.count == 2 * needed, "no finished call was made again"
        assert manifest.content_hash == whole.content_hash
        assert manifest.counts == whole.counts

    def test_the_figures_of_a_stop_hold_the_calls_that_were_open(self, scenarios: Path, tmp_path: Path) -> None:
        """Calls differ in length, so that some are open when another finds the budget used up."""

        def slow(ask: Ask) -> str:
            time.sleep(0.02 + 0.03 * (int(ask.body["seed"]) % 7))
            return echo(ask)

        priced = {"input_price": 1_000.0, "user_input_price": 1_000.0}
        with ChatServer(slow) as server:
            uris = {f"{role}_uri": uri(server, role, 8) for role in ("agent", "user")}
            with pytest.raises(BudgetStopError) as caught:
                rollout({**uris, **priced, "samples": 4, "max_cost": 0.1}, scenarios, tmp_path / "out")
            said = re.findall(r"([0-9,]+) calls, ([0-9,]+) prompt", caught.value.message)
            assert sum(int(calls) for calls, _ in said) == server.count

    @staticmethod
    def cost(rows: Sequence[Row]) -> float:
        agent = sum(row["prompt_tokens"] - row["user_prompt_tokens"] for row in rows)
        read, said = (sum(row[f"user_{name}_tokens"] for row in rows) for name in ("prompt", "completion"))
        return (agent * 1_000 + read * 2_000 + said * 500) / 1e6

    def test_what_costs_nothing_is_not_counted(self, server: ChatServer, scenarios: Path, tmp_path: Path) -> None:
        """An agent in this process beside a paid user: its tokens are free."""
        agent = scripted(tmp_path / "agent.json", *(f"How so {n}? {'Tell me more. ' * 50}" for n in range(3)))
        config = {"agent_uri": agent, "user_uri": uri(server), "user_output_price": 1_000_000.0, "max_cost": 33.0}
        rollout(config, scenarios, tmp_path / "out")
        assert server.count == 8
        assert ": 32.0000 USD" in (tmp_path / "out" / "summary.txt").read_text()

    def test_another_allowed_cost_leaves_a_finished_rollout_as_it_is(
        self, server: ChatServer, scenarios: Path, tmp_path: Path
    ) -> None:
        config = {"agent_uri": uri(server), "user_uri": uri(server), "input_price": 1.0}
        done = rollout({**config, "max_cost": 5.0}, scenarios, tmp_path / "out")
        stamp = (tmp_path / "out" / "manifest.json").stat().st_mtime_ns
        assert rollout({**config, "max_cost": 6.0}, scenarios, tmp_path / "out") == done
        assert (tmp_path / "out" / "manifest.json").stat().st_mtime_ns == stamp

    def test_a_cost_is_bounded_only_where_there_is_a_price(self) -> None:
        with pytest.raises(ValidationError, match="max_cost needs a price"):
            Config(max_cost=1.0)
        assert Config(max_cost=1.0, user_output_price=0.1).max_cost == 1.0


def test_one_server_in_both_roles_is_asked_no_more_at_once_than_it_allows(scenarios: Path, tmp_path: Path) -> None:
    with ChatServer(echo, delay_s=0.01) as server:
        config = {"agent_uri": uri(server), "user_uri": uri(server), "samples": 4}
        manifest = rollout(config, scenarios, tmp_path / "out")
        assert 1 < server.most_at_once <= 4
    assert manifest.models["agent"] == manifest.models["user"]


@pytest.mark.parametrize("stage", [STAGE, "sage_models.search"])
@pytest.mark.parametrize("role", ["agent", "user"])
def test_a_folder_that_the_uri_names_must_be_given(
    stage: str, role: str, server: ChatServer, scenarios: Path, tmp_path: Path
) -> None:
    """Its other side is named by a URI and needs no folder."""
    named = {"agent_uri": uri(server), "user_uri": uri(server)}
    del named[f"{role}_uri"]
    with pytest.raises(ConfigError, match=f"hf:@{role}: expected a model in the input '{role}'") as caught:
        run_stage(stage, {**named, "split": "test"}, {"scenarios": scenarios}, tmp_path / "out")
    assert f"give the input '{role}'" in str(caught.value.next_step)


def test_a_search_plays_with_servers_alone(server: ChatServer, scenarios: Path, tmp_path: Path) -> None:
    config = {"agent_uri": uri(server), "user_uri": uri(server), "split": "test", "candidates": 2, "exchanges": 2}
    manifest = run_stage("sage_models.search", config, {"scenarios": scenarios}, tmp_path / "out")
    [dialogues] = [one for one in manifest.counts if one.unit == "dialogues"]
    assert (dialogues.came_in, dialogues.kept) == (4, 4)
    names = pq.read_schema(tmp_path / "out" / "dialogues-00000.parquet").names
    assert "sample" not in names
    assert {row["sample"] for row in read_table(tmp_path / "out", "outcomes").to_pylist()} == {0}


@pytest.mark.parametrize("ids", [("a", "a"), ("a", "a#1")])
def test_two_rollouts_with_one_id_are_refused(ids: tuple[str, str], tmp_path: Path) -> None:
    listed = [Scenario(one, "Story.", None, "test") for one in ids]
    write_table(tmp_path / "sc" / "scenarios-00000.parquet", scenarios_to_table(listed))
    with pytest.raises(InputError, match=f"two rollouts would have the id '{ids[1]}'"):
        rollout({"samples": 2}, tmp_path / "sc", tmp_path / "out")


class TestCommand:
    def test_servers_alone_need_no_folder_of_a_model(self, server: ChatServer, scenarios: Path, tmp_path: Path) -> None:
        command = ["eval", "rollout", "--agent-uri", uri(server), "--user-uri", uri(server)]
        command += ["--scenarios", str(scenarios), "--out", str(tmp_path / "out"), "--samples", "2", "-q"]
        done = CliRunner().invoke(cli, command, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        assert "8 dialogues, 64 replies" in done.output
        assert "4 scenarios with 2 samples each" in done.output

    def test_the_folder_of_the_agent_may_stand_first(self, server: ChatServer, scenarios: Path, tmp_path: Path) -> None:
        """No model can be loaded from it; that it is tried shows what it was taken for."""
        command = ["eval", "rollout", str(scenarios), "--user-uri", uri(server), "--scenarios", str(scenarios)]
        done = CliRunner().invoke(cli, [*command, "--out", str(tmp_path / "out"), "-q"])
        assert isinstance(done.exception, BackendError)
        assert str(scenarios) in str(done.exception)

    def test_a_missing_model_is_said(self, scenarios: Path, tmp_path: Path) -> None:
        done = CliRunner().invoke(cli, ["eval", "rollout", "--scenarios", str(scenarios), "--out", str(tmp_path / "o")])
        assert done.exit_code != 0
        message = f"{done.output} {done.exception}"
        assert "hf:@agent: expected a model in the input 'agent'" in message

    def test_help_names_samples_and_prices(self) -> None:
        shown = CliRunner().invoke(cli, ["eval", "rollout", "--help"]).output
        assert "[OPTIONS] [AGENT]" in shown
        for part in ("--samples", "--max-cost", "--user-input-price", "--agent-uri", "--user PATH"):
            assert part in shown
