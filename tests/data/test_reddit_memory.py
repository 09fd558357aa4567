"""Memory of dumps -> gated dialogues stays below the stated cap, in the whole process tree.

A short run of `benchmarks/reddit/memory.py`; by hand it weighs ten millions. It is a process of its
own, because it adopts whatever orphans its commands leave.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "reddit" / "memory.py"


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("workers", "comments"), [(1, 1_000_000), (2, 250_000)])
def test_memory_stays_below_the_cap(tmp_path: Path, workers: int, comments: int) -> None:
    command = [sys.executable, str(SCRIPT), f"--comments={comments}", f"--workers={workers}", f"--folder={tmp_path}"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    weighed = json.loads((tmp_path / "memory.json").read_text(encoding="utf-8"))
    (run,) = weighed["runs"]
    assert run["comments"] > 0.8 * comments
    assert 0 < run["usage"]["peak_bytes"] < weighed["cap_bytes"]
