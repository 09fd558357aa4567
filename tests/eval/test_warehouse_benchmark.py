"""`benchmarks/warehouse/warehouse_speed.py` in small: every layout gives the same answers, and so does a second one."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from warehouse_layouts import layouts
from warehouse_speed import QUESTIONS, main

from sage_data.store.manifest import read_manifest
from sage_eval.warehouse import query


def test_the_benchmark_prints_six_questions_with_equal_answers(tmp_path: Path) -> None:
    found = CliRunner().invoke(main, ["--turns", "1200", "--folder", str(tmp_path / "made"), "--repeats", "1"])
    assert found.exit_code == 0, found.output
    lines = found.output.splitlines()
    assert [line[:24].strip() for line in lines[3:]] == list(QUESTIONS)
    assert all(line.endswith("equal") for line in lines[3:])
    assert not (tmp_path / "made").exists()


@pytest.mark.slow
def test_the_same_size_gives_the_same_rows(tmp_path: Path) -> None:
    one, two = (layouts(tmp_path / name, 120) for name in ("one", "two"))
    assert one.turns == two.turns == 120
    manifests = [read_manifest(made.warehouse) for made in (one, two)]
    assert manifests[0] is not None
    assert manifests[1] is not None
    assert manifests[0].content_hash == manifests[1].content_hash


def test_the_flat_tables_hold_what_was_made(tmp_path: Path) -> None:
    made = layouts(tmp_path / "made", 600)
    sql = "SELECT count(*), count(DISTINCT model), (SELECT count(*) FROM verdict_turns) FROM turns"
    # Ten scenarios and six models of ten turns; each scenario has three verdicts on two dialogues.
    assert query(made.warehouse, sql).rows() == [(600, 6, 10 * 3 * 2 * 10)]
