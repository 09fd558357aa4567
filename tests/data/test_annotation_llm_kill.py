"""A process that annotates is killed with SIGKILL, again and again: it repeats no finished call and no byte differs.

pytest -m slow tests/data/test_annotation_llm_kill.py
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from annotating import dialogue, entries, write_dialogues
from chat_server import SERVER_ERROR, Ask, Call, ChatServer, shares, too_many

from sage_data.store.manifest import read_manifest

CONCURRENCY, KILLS, STEP = 4, 4, 10
OPTIONS = f"concurrency={CONCURRENCY}&retry_wait=0.01&retry_wait_max=0.1&breaker_wait=0.05"
SAGE = (sys.executable, "-c", "from sage_data.cli.main import main; main()")
DIALOGUES = 60


def reply(ask: Ask) -> str:
    """Good, but for one dialogue in ten, which is mended, and for one that never is."""
    utterances = json.loads(ask.messages[3]["content"])["utterances"]
    name = utterances[0]["text"]
    if "(2-7)" in name or (name.endswith("3)") and len(ask.messages) == 4):
        return "I would rather chat."
    return json.dumps({"utterances": entries(utterances)})


def annotate(server: ChatServer, folder: Path, out: Path) -> subprocess.Popen[bytes]:
    model = f"openai:tiny@{server.url}?{OPTIONS}"
    command = [*SAGE, "data", "annotate", str(folder), "--out", str(out), "--annotator", "llm", "--model", model, "-q"]
    return subprocess.Popen([*command, "--pilot-rows", "5"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def asked(call: Call) -> str:
    """What a call asks, whatever became of it."""
    return json.dumps([call.body["messages"], call.body["seed"]])


@pytest.mark.slow
def test_a_killed_process_goes_on_where_it_was(tmp_path: Path) -> None:
    shards = [[dialogue(f"{shard}-{row}") for row in range(20)] for shard in range(3)]
    folder = write_dialogues(tmp_path / "in", *shards)
    with ChatServer(reply, delay_s=0.1, schedule=shares({SERVER_ERROR: 0.1, too_many("0"): 0.1}, seed=5)) as server:
        assert annotate(server, folder, tmp_path / "once" / "whole").wait(100) == 3
        needed = {asked(call) for call in server.calls}
        assert len(needed) == DIALOGUES + 7
        server.calls.clear()
        for kill in range(KILLS):
            process = annotate(server, folder, tmp_path / "out")
            begun = time.monotonic()
            while server.count < STEP * (kill + 1) and process.poll() is None and time.monotonic() - begun < 60:
                time.sleep(0.005)
            assert process.poll() is None, "it ended before it was killed"
            process.kill()
            process.wait()
        assert annotate(server, folder, tmp_path / "out").wait(100) == 3
        answered = Counter(asked(call) for call in server.calls if call.fault is None)
        before = server.count
        assert annotate(server, folder, tmp_path / "out").wait(100) == 3
        assert server.count == before
    assert set(answered) == needed
    repeated = answered.total() - len(needed)
    assert repeated <= KILLS * CONCURRENCY
    assert max(answered.values()) <= 1 + KILLS
    assert read_manifest(tmp_path / "out").content_hash == read_manifest(tmp_path / "once" / "whole").content_hash
