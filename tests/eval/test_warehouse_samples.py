"""Several rollouts of one scenario in the warehouse, beside folders from before there were any."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from planted_run import said, write_stage

from sage_data.dialogue import Dialogue
from sage_data.rollout.recording import OUTCOME_SCHEMA
from sage_data.stage import run_stage
from sage_data.store.dialogues import rollouts_to_table, to_table
from sage_eval.warehouse import query
from sage_eval.warehouse.query import connect, describe

TALK = Dialogue("t0", (said("user", "Hello."), said("assistant", "Hi, how are you?")), scenario_id="t0", model="m@1")
SAMPLES = [TALK, replace(TALK, id="t0#1", sample=1), replace(TALK, id="t0#2", sample=2)]
OUTCOMES = [
    {"dialogue_id": one.id, "scenario_id": "t0", "sample": one.sample or 0, "stop_reason": "exchanges"}
    for one in SAMPLES
]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    new = {
        "dialogues": rollouts_to_table(replace(one, sample=one.sample or 0) for one in SAMPLES),
        "outcomes": pa.Table.from_pylist(OUTCOMES, OUTCOME_SCHEMA),
    }
    later = ["sample", "user_prompt_tokens", "user_completion_tokens"]
    old = {
        "dialogues": to_table([TALK]),
        "outcomes": pa.Table.from_pylist(OUTCOMES[:1], OUTCOME_SCHEMA).drop_columns(later),
    }
    found = {"dialogues": to_table([replace(TALK, scenario_id=None, model=None)])}
    stages = [
        write_stage(folder, name, uses, tables)
        for name, uses, tables in (
            ("new", "sage_eval.rollout", new),
            ("old", "sage_eval.rollout", old),
            ("found", "sage_data.reddit", found),
        )
    ]
    assert run_stage("sage_eval.warehouse", {}, {"runs": stages}, folder / "warehouse").warnings == []
    return folder / "warehouse"


@pytest.mark.parametrize(("table", "rows"), [("dialogues", 1), ("turns", 2), ("rollout_outcomes", 1)])
def test_samples_are_told_apart_and_old_rollouts_are_the_first(warehouse: Path, table: str, rows: int) -> None:
    asked = f"SELECT sample, count(*) FROM {table} WHERE stage = '%s' GROUP BY sample ORDER BY sample"
    assert query(warehouse, asked % "new").rows() == [(0, rows), (1, rows), (2, rows)]
    assert query(warehouse, asked % "old").rows() == [(0, rows)]


def test_dialogues_that_nobody_rolled_out_have_no_sample(warehouse: Path) -> None:
    assert query(warehouse, "SELECT DISTINCT sample FROM turns WHERE stage = 'found'").rows() == [(None,)]


def test_a_turn_knows_the_neighbours_of_its_own_sample_alone(warehouse: Path) -> None:
    asked = "SELECT count(*), count(DISTINCT dialogue_id) FROM turns WHERE stage = 'new' AND turn = 1"
    assert query(warehouse, asked).rows() == [(3, 3)]


def test_every_column_of_the_outcomes_has_its_place(warehouse: Path) -> None:
    with connect(warehouse) as connection:
        [declared] = [table for table, _ in describe(connection) if table.name == "rollout_outcomes"]
    assert [column.name for column in declared.columns] == ["stage", *OUTCOME_SCHEMA.names]
