"""The shipped quickstart with everything made smaller: every real stage, end to end, whole and killed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

SMALLER = {
    "world.threads": 300,
    "world.train": 40,
    "world.valid": 20,
    "world.test": 20,
    "world.task_documents": 20,
    "world.base_documents": 300,
    "base.hidden": 64,
    "base.layers": 2,
    "base.tokens": 100_000,
    "base.checkpoint_every": 5,
    "sage1.epochs": 1,
    "selected.missing": "omit",
    "train-scenarios.limit": 6,
    "test-scenarios.limit": 8,
    "search.candidates": 4,
    "search.exchanges": 2,
    "search.block": 2,
    **{f"rollout-{model}.exchanges": 2 for model in ("sage0", "sage1", "sage2", "sage-dpo")},
    **{f"rollout-{model}.block": 4 for model in ("sage0", "sage1", "sage2", "sage-dpo")},
    **{f"{stage}.threads": 1 for stage in ("base", "sage1", "sage2", "sage-dpo")},
}
SAGE = [sys.executable, "-m", "sage_data.cli.main"]
# One thread: sums are taken in the same order whatever else the machine does.
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def command(run_dir: Path) -> list[str]:
    overrides = [part for key, value in SMALLER.items() for part in ("--set", f"{key}={value}")]
    return [*SAGE, "run", "quickstart", "--run-dir", str(run_dir), *overrides]


def content(run_dir: Path) -> dict[str, str]:
    """Run to the end and return each stage's content hash."""
    done = subprocess.run(
        [*command(run_dir), "--json", "-q"], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    hashes: dict[str, str] = json.loads(done.stdout)["content"]
    return hashes


def ask(run_dir: Path, sql: str) -> list[dict[str, object]]:
    done = subprocess.run(
        [*SAGE, "eval", "sql", sql, "--warehouse", str(run_dir), "--json"], capture_output=True, text=True, check=True
    )
    rows: list[dict[str, object]] = json.loads(done.stdout)
    return rows


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    run_dir = tmp_path_factory.mktemp("whole") / "run"
    return run_dir, content(run_dir)


def test_killed_at_five_random_moments_it_ends_with_the_same_bytes(
    unbroken: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    dice = random.Random(2026)
    for _ in range(5):
        process = subprocess.Popen(
            [*command(tmp_path / "run"), "-q"],
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(2 + 8 * dice.random())
        process.kill()
        assert process.wait() == -signal.SIGKILL, "the run was over before it was killed"
    assert list((tmp_path / "run/.work").iterdir()), "no kill met a stage at work"
    assert content(tmp_path / "run") == unbroken[1]


def test_a_second_run_finds_everything_fresh(unbroken: tuple[Path, dict[str, str]]) -> None:
    run_dir, _ = unbroken
    began = time.monotonic()
    done = subprocess.run(command(run_dir), capture_output=True, text=True, check=True)
    assert time.monotonic() - began < 20
    assert "0 stages ran" in done.stdout
    for stage in ("gated", "significance", "regressions", "steered", "warehouse", "report"):
        assert f"== {stage} =" in done.stdout
    assert "page: " in done.stdout


def test_the_funnel_is_the_gold_file_s(unbroken: tuple[Path, dict[str, str]]) -> None:
    run_dir, _ = unbroken
    gold = json.loads((run_dir / "world/gold/funnel.json").read_text())
    funnel = {
        (row["stage"], row["unit"], row["outcome"], row["reason"] or ""): row["n"]
        for row in ask(run_dir, "SELECT * FROM funnel WHERE stage IN ('dialogues', 'gated')")
    }

    def dropped(stage: str, unit: str) -> dict[str, object]:
        return {key[3]: n for key, n in funnel.items() if key[:3] == (stage, unit, "dropped")}

    assert funnel["dialogues", "lines", "came_in", ""] == gold["lines"]
    assert funnel["dialogues", "lines", "quarantined", ""] == sum(gold["quarantined"].values())
    assert dropped("dialogues", "lines") == {"blank": gold["blank"]}
    assert dropped("dialogues", "comments") == {**gold["comments_dropped"], "single": gold["single"]}
    assert dropped("gated", "dialogues") == gold["dialogues_dropped"]
    assert funnel["gated", "dialogues", "came_in", ""] == gold["dialogues"]
    assert funnel["gated", "dialogues", "kept", ""] == gold["kept"] > 0


def test_every_number_of_the_demo_can_be_asked_for(unbroken: tuple[Path, dict[str, str]]) -> None:
    run_dir, _ = unbroken
    summary = (run_dir / "significance/summary.txt").read_text()
    assert len(ask(run_dir, "SELECT * FROM significance")) == 8
    assert len(ask(run_dir, "SELECT * FROM regressions")) == 3
    assert len(ask(run_dir, "SELECT * FROM dose_response")) == 4
    for row in ask(run_dir, "SELECT judge, model_a, model_b, wins_a, ties, wins_b FROM significance"):
        (line,) = [
            line
            for line in summary.splitlines()
            if line.split()[:3] == [str(row["judge"]), str(row["model_a"]), str(row["model_b"])]
        ]
        for key in ("wins_a", "ties", "wins_b"):
            assert f" {row[key]} (" in line
    regressions = (run_dir / "regressions/summary.txt").read_text()
    for row in ask(run_dir, "SELECT task, n FROM regressions"):
        assert any(line.startswith(str(row["task"])) and f" {row['n']} " in line for line in regressions.splitlines())
    doses = (run_dir / "steered/summary.txt").read_text()
    for row in ask(run_dir, "SELECT replies, share FROM dose_response"):
        assert f"{row['share']:.3f}" in doses
