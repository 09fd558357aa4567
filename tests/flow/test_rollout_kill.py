"""A rollout between two served models is killed with SIGKILL: it repeats no finished call and no byte differs.

pytest -m "slow or not slow" tests/flow/test_rollout_kill.py
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from chat_server import SERVER_ERROR, Ask, Call, ChatServer, shares, too_many

from sage_data.dialogue import Scenario
from sage_data.stage import Context, run_stage
from sage_data.store.dialogues import read_dialogues, scenarios_to_table
from sage_data.store.manifest import read_manifest
from sage_data.store.shards import write_table

SAGE = (sys.executable, "-c", "from sage_data.cli.main import main; main()")
CONCURRENCY, SCENARIOS, SAMPLES, EXCHANGES = 4, 5, 2, 3
NEEDED = SCENARIOS * SAMPLES * (2 * EXCHANGES - 1)
"""Calls: the situation is the user's first utterance."""


def reply(ask: Ask) -> str:
    return f"{ask.body['model']} drew {ask.body['seed']} after {len(ask.last)} letters."


def settings(server: ChatServer) -> dict[str, str | int]:
    """Two models at one address, so that each has its own connections and its own calls in the journal."""
    pace = f"concurrency={CONCURRENCY}&retry_wait=0.01&retry_wait_max=0.05&breaker_wait=0.05"
    uris = {f"{role}_uri": f"openai:{role}@{server.url}?{pace}" for role in ("agent", "user")}
    return {**uris, "samples": SAMPLES, "exchanges": EXCHANGES, "block": 3}


def rollout(server: ChatServer, scenarios: Path, out: Path, *more: str) -> subprocess.Popen[bytes]:
    options = [f"--{name.replace('_', '-')}={value}" for name, value in settings(server).items()]
    command = [*SAGE, "eval", "rollout", "--scenarios", str(scenarios), "--out", str(out), "--seed", "4", "-q"]
    return subprocess.Popen([*command, *options, *more], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


@pytest.fixture
def scenarios(tmp_path: Path) -> Path:
    listed = [Scenario(f"t{number}", f"Story {number}.", None, "test") for number in range(SCENARIOS)]
    write_table(tmp_path / "sc" / "scenarios-00000.parquet", scenarios_to_table(listed))
    return tmp_path / "sc"


def asked(call: Call) -> str:
    """What a call asks, whatever became of it."""
    return json.dumps([call.body["model"], call.body["messages"], call.body["seed"]])


def wait_for_calls(server: ChatServer, count: int, process: subprocess.Popen[bytes]) -> None:
    begun = time.monotonic()
    while server.count < count and time.monotonic() - begun < 60:
        assert process.poll() is None, "it ended before it was killed"
        time.sleep(0.005)


@pytest.mark.parametrize("kills", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_a_killed_rollout_goes_on_where_it_was(kills: int, scenarios: Path, tmp_path: Path) -> None:
    trouble = shares({SERVER_ERROR: 0.05, too_many("0"): 0.05}, seed=5)
    with ChatServer(reply, delay_s=0.05, schedule=trouble) as server:
        given = {"scenarios": scenarios}
        whole = run_stage("sage_eval.rollout", settings(server), given, tmp_path / "whole", Context(seed=4))
        needed = {asked(call) for call in server.calls}
        assert len(needed) == NEEDED
        server.calls.clear()
        for kill in range(kills):
            process = rollout(server, scenarios, tmp_path / "out")
            wait_for_calls(server, (kill + 1) * NEEDED // (kills + 1), process)
            process.kill()
            process.wait()
        assert not (tmp_path / "out").exists()
        assert rollout(server, scenarios, tmp_path / "out").wait(100) == 0
        answered = Counter(asked(call) for call in server.calls if call.fault is None)
    assert set(answered) == needed
    # Each of the two backends may have had so many calls in flight.
    assert answered.total() - NEEDED <= kills * 2 * CONCURRENCY
    broken = read_manifest(tmp_path / "out")
    assert broken is not None
    assert broken.content_hash == whole.content_hash
    assert broken.counts == whole.counts
    found = [(one.scenario_id, one.sample) for one in read_dialogues(tmp_path / "out")]
    assert found == [(f"t{number}", sample) for number in range(SCENARIOS) for sample in range(SAMPLES)]


@pytest.mark.slow
def test_an_interrupted_rollout_waits_for_no_slow_call(scenarios: Path, tmp_path: Path) -> None:
    with ChatServer(reply, delay_s=60) as server:
        process = rollout(server, scenarios, tmp_path / "out")
        wait_for_calls(server, CONCURRENCY, process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"finished work is kept" in errors
    assert b"Traceback" not in errors


@pytest.mark.slow
def test_the_command_ends_with_four_at_its_allowed_cost_and_goes_on_with_more(scenarios: Path, tmp_path: Path) -> None:
    prices = ("--output-price", "1000000", "--user-output-price", "1000000")
    with ChatServer(reply) as server:
        stopped = rollout(server, scenarios, tmp_path / "out", *prices, "--max-cost", "120")
        _, errors = stopped.communicate(timeout=100)
        assert stopped.returncode == 4, errors
        assert b"stopped at the allowed cost of 120 USD" in errors
        assert b"higher --max-cost goes on" in errors
        # Each reply has six words.
        assert 120 / 6 <= server.count <= 120 / 6 + 2 * CONCURRENCY
        assert rollout(server, scenarios, tmp_path / "out", *prices, "--max-cost", "1000").wait(100) == 0
        assert server.count == NEEDED
