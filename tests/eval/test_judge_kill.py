"""A process that judges is killed with SIGKILL, again and again: it repeats no finished call and no byte differs.

pytest -m slow tests/eval/test_judge_kill.py
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from chat_server import SERVER_ERROR, Call, ChatServer, shares, too_many
from judging import two_models, verdict_on

from sage_data.stage import Input
from sage_data.store.manifest import read_manifest

CONCURRENCY, KILLS, SCENARIOS = 4, 5, 60
OPTIONS = f"concurrency={CONCURRENCY}&retry_wait=0.01&retry_wait_max=0.1&breaker_wait=0.05"
SAGE = (sys.executable, "-c", "from sage_data.cli.main import main; main()")
PLANNED = ("--stop", "e-value", "--alpha", "0.0001", "--block", "4", "--replicates", "2", "--pilot-pairs", "5")


def judge(server: ChatServer, models: Sequence[Input], out: Path) -> subprocess.Popen[bytes]:
    command = [*SAGE, "eval", "judge", *(str(one.path) for one in models), "--out", str(out), "--no-self-test", "-q"]
    command += ["--judges", f"openai:tiny@{server.url}?{OPTIONS}", *PLANNED]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def asked(call: Call) -> str:
    """What a call asks, whatever became of it."""
    return json.dumps([call.body["messages"], call.body["seed"]])


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_killed_process_goes_on_where_it_was(tmp_path: Path) -> None:
    models = two_models(tmp_path, SCENARIOS, better=lambda number: "a" if number % 4 == 0 else "b")
    die = random.Random(11)
    with ChatServer(
        verdict_on, delay_s=0.1, schedule=shares({SERVER_ERROR: 0.1, too_many("0"): 0.1}, seed=5)
    ) as server:
        assert judge(server, models, tmp_path / "once" / "judged").wait(200) == 0
        needed = {asked(call) for call in server.calls}
        server.calls.clear()
        points = sorted(die.sample(range(3, len(needed)), KILLS))
        for point in points:
            process = judge(server, models, tmp_path / "out" / "judged")
            begun = time.monotonic()
            while server.count < point and process.poll() is None and time.monotonic() - begun < 60:
                time.sleep(0.002)
            assert process.poll() is None, "it ended before it was killed"
            process.kill()
            process.wait()
        assert judge(server, models, tmp_path / "out" / "judged").wait(200) == 0
        answered = Counter(asked(call) for call in server.calls if call.fault is None)
    assert set(answered) == needed
    assert answered.total() - len(needed) <= KILLS * CONCURRENCY
    whole, resumed = (read_manifest(tmp_path / name / "judged") for name in ("once", "out"))
    assert resumed.content_hash == whole.content_hash
    assert resumed.counts == whole.counts
