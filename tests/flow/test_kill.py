"""kill -9 in the middle: the next run ends with the same bytes as one that was never broken."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

RECIPE = """
version: 1
name: killed
stages:
  first: {uses: toy_stages, with: {shards: 12, pause_s: 0.02}}
  second: {uses: toy_stages, inputs: {numbers: first}, with: {shards: 12, pause_s: 0.02}}
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}


def sage(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sage_data.cli.main", *arguments]
    return subprocess.Popen(
        command, cwd=cwd, env=ENVIRONMENT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def shards_made(tmp_path: Path) -> int:
    return len([path for path in (tmp_path / "broken").rglob("numbers-*.parquet") if path.parent.name != "rejected"])


def hashes(tmp_path: Path, run: str) -> dict[str, str]:
    process = sage("run", "killed.yaml", "--run-dir", run, "--json", "-q", cwd=tmp_path)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    found: dict[str, str] = json.loads(output)["content"]
    return found


@pytest.mark.slow
def test_kills_at_random_moments_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "killed.yaml").write_text(RECIPE, encoding="utf-8")
    unbroken = hashes(tmp_path, "whole")
    dice = random.Random(11)
    for _ in range(5):
        more = shards_made(tmp_path) + dice.randint(1, 4)
        process = sage("run", "killed.yaml", "--run-dir", "broken", "-q", cwd=tmp_path)
        wait_for(lambda more=more: shards_made(tmp_path) >= more)
        process.kill()
        assert process.wait() == -signal.SIGKILL, "the run was over before it was killed"
    assert hashes(tmp_path, "broken") == unbroken
    assert not list((tmp_path / "broken").rglob(".tmp-*"))


def test_killed_run_is_partial_and_resumes_by_folder(tmp_path: Path) -> None:
    text = RECIPE.replace("shards: 12, pause_s: 0.02", "shards: 30, pause_s: 0.05", 1)
    (tmp_path / "killed.yaml").write_text(text, encoding="utf-8")
    process = sage("run", "killed.yaml", "-q", cwd=tmp_path)
    work = tmp_path / "runs/killed/.work/first"
    wait_for(lambda: len(list(work.glob("numbers-*.parquet"))) >= 3)
    process.kill()
    process.wait()
    status = sage("status", "runs/killed", "--json", cwd=tmp_path)
    rows = {row["stage"]: row["state"] for row in json.loads(status.communicate(timeout=60)[0])}
    assert rows == {"first": "partial", "second": "missing"}
    stamps = {path.name: path.stat().st_mtime_ns for path in work.glob("numbers-*.parquet")}
    resumed = sage("resume", "runs/killed", "-q", cwd=tmp_path)
    assert resumed.wait(timeout=60) == 0
    for name, stamp in stamps.items():
        assert (tmp_path / "runs/killed/first" / name).stat().st_mtime_ns == stamp, f"{name} was made twice"


def test_a_killed_run_goes_on_with_other_volatile_settings(tmp_path: Path) -> None:
    (tmp_path / "patient.py").write_text(
        "import toy_stages\nfrom toy_stages import INPUTS, VERSION, run\n"
        "class Config(toy_stages.Config):\n    volatile = frozenset({'pause_s'})\n",
        encoding="utf-8",
    )
    text = "version: 1\nname: killed\nstages:\n  first: {uses: patient, with: {shards: 30, pause_s: 0.05}}\n"
    (tmp_path / "killed.yaml").write_text(text, encoding="utf-8")
    process = sage("run", "killed.yaml", "-q", cwd=tmp_path)
    work = tmp_path / "runs/killed/.work/first"
    wait_for(lambda: len(list(work.glob("numbers-*.parquet"))) >= 3)
    process.kill()
    process.wait()
    stamps = {path.name: path.stat().st_mtime_ns for path in work.glob("numbers-*.parquet")}
    again = sage("run", "killed.yaml", "-q", "--set", "first.pause_s=0", cwd=tmp_path)
    _, errors = again.communicate(timeout=60)
    assert again.returncode == 0, errors
    for name, stamp in stamps.items():
        assert (tmp_path / "runs/killed/first" / name).stat().st_mtime_ns == stamp, f"{name} was made twice"


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interruption_ends_soon_with_its_code(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    (tmp_path / "killed.yaml").write_text(RECIPE.replace("0.02", "0.2"), encoding="utf-8")
    process = sage("run", "killed.yaml", "-q", cwd=tmp_path)
    wait_for(lambda: list((tmp_path / "runs/killed/.work/first").glob("numbers-*")))
    began = time.monotonic()
    process.send_signal(sent)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == code
    assert time.monotonic() - began < 5
    assert "sage resume" in errors
    assert "Traceback" not in errors


def test_second_run_in_one_folder_exits_with_five(tmp_path: Path) -> None:
    (tmp_path / "killed.yaml").write_text(RECIPE.replace("0.02", "0.2"), encoding="utf-8")
    first = sage("run", "killed.yaml", "-q", cwd=tmp_path)
    wait_for(lambda: list((tmp_path / "runs/killed/.work/first").glob("numbers-*")))
    began = time.monotonic()
    second = sage("run", "killed.yaml", "-q", cwd=tmp_path)
    _, errors = second.communicate(timeout=10)
    assert second.returncode == 5, errors
    assert time.monotonic() - began < 2
    first.kill()
    first.wait()


def wait_for(condition: "object", seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "the run never came so far"
        time.sleep(0.01)
