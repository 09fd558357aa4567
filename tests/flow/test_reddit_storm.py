"""kill -9 at random moments of dumps -> gated dialogues: whatever is hit, the next run ends with the same bytes.

A short run of the benchmark that goes on for ten minutes on a million comments. It is a process of its own, because it
adopts whatever orphans its commands leave.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "reddit" / "storm.py"


@pytest.mark.slow
def test_kills_change_nothing(tmp_path: Path) -> None:
    options = {"minutes": 0.25, "comments": 60_000, "seed": 5, "longest": 2, "partitions": 8, "folder": tmp_path}
    command = [sys.executable, str(SCRIPT), *(f"--{name}={value}" for name, value in options.items())]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    storm = json.loads((tmp_path / "storm.json").read_text(encoding="utf-8"))
    assert storm["faults"] == []
    assert storm["kills"] >= 3
