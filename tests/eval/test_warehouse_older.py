"""Runs and warehouses that older versions wrote are read: what they had is there, what came later is NULL or empty."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from planted_run import said, write_stage
from planted_talks import warehouse as talks

from sage_data.dialogue import Dialogue, Source
from sage_data.errors import InputError
from sage_data.stage import run_stage
from sage_data.store.dialogues import to_table
from sage_eval.sql import examples
from sage_eval.warehouse import connect, query
from sage_eval.warehouse.contract import TABLES, sql_files
from sage_eval.warehouse.query import ask

pytestmark = pytest.mark.slow

# As the first versions declared them: no split in a source, no perceived state, no rollout number.
STATE = pa.struct([("motivation", pa.string()), ("emotion", pa.string()), ("topics", pa.list_(pa.string()))])
UTTERANCE = pa.struct([("role", pa.string()), ("text", pa.string()), ("state", STATE)])
SOURCE = pa.struct(
    [("corpus", pa.string()), ("thread", pa.string()), ("place", pa.string()), ("created_utc", pa.int64())]
)
DIALOGUES = pa.schema(
    [
        ("id", pa.string()),
        ("utterances", pa.list_(UTTERANCE)),
        ("source", SOURCE),
        ("scenario_id", pa.string()),
        ("model", pa.string()),
    ]
)
_KEYS = [(name, pa.string()) for name in ("judge", "judge_model", "spec_hash", "scenario_id", "model_a", "model_b")]
CALLS = pa.schema(
    [*_KEYS, *[(name, pa.string()) for name in ("prompt_hash", "order", "raw", "choice", "verdict", "status")]]
)
VERDICTS = pa.schema(
    [
        *_KEYS,
        *[(name, pa.string()) for name in ("dialogue_a", "dialogue_b", "verdict")],
        *[(name, pa.string()) for name in ("choice_ab", "choice_ba", "raw_ab", "raw_ba")],
    ]
)


def older_run(parent: Path) -> list[Path]:
    """Two rollouts and a judging stage in the older schemas."""
    folders = []
    for model in ("x", "y"):
        state = {"motivation": "empathy", "emotion": None, "topics": ["dog"]}
        spoken = [{"role": "user", "text": "Hi.", "state": None}, {"role": "assistant", "text": "Oh?", "state": state}]
        row = {
            "id": f"{model}1",
            "utterances": spoken,
            "source": {"corpus": "rollout"},
            "scenario_id": "s1",
            "model": model,
        }
        tables = {"dialogues": pa.Table.from_pylist([row], schema=DIALOGUES)}
        folders.append(write_stage(parent, f"rollout-{model}", "sage_eval.rollout", tables))
    same = {"judge": "j", "judge_model": "m", "spec_hash": "h", "scenario_id": "s1", "model_a": "x", "model_b": "y"}
    call = {**same, "prompt_hash": "p", "order": "ab", "raw": "", "choice": "first", "verdict": "A", "status": "ok"}
    choices = {"choice_ab": "first", "choice_ba": "second", "raw_ab": "", "raw_ba": ""}
    verdict = {**same, **choices, "dialogue_a": "x1", "dialogue_b": "y1", "verdict": "A"}
    tables = {
        "judge_calls": pa.Table.from_pylist([call], schema=CALLS),
        "pair_verdicts": pa.Table.from_pylist([verdict], schema=VERDICTS),
    }
    inputs = {"transcripts": ["rollout-x", "rollout-y"]}
    config = {"strip_prefix": "rollout-"}
    return [*folders, write_stage(parent, "judged", "sage_eval.judge", tables, config=config, inputs=inputs)]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of today over a run of then."""
    parent = tmp_path_factory.mktemp("older")
    manifest = run_stage("sage_eval.warehouse", {}, {"runs": older_run(parent)}, parent / "warehouse")
    assert manifest.warnings == []
    return parent / "warehouse"


@pytest.fixture(scope="module")
def ancient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of then: few tables, fewer columns, one shard that lacks what the next one has."""
    folder = tmp_path_factory.mktemp("ancient") / "warehouse"
    folder.mkdir()
    turn = {"stage": "rollout-x", "dialogue_id": "x1", "turn": 0, "role": "user", "text": "Hi.", "words": 1}
    verdict = {"stage": "judged", "judge": "j", "scenario_id": "s1", "model_a": "x", "model_b": "y", "verdict": "B"}
    verdict |= {"stage_a": "rollout-x", "dialogue_a": "x1", "stage_b": "rollout-y", "dialogue_b": "y1"}
    _write(folder / "turns-00000.parquet", turn)
    _write(folder / "turns-00001.parquet", {**turn, "turn": 1, "role": "assistant", "emotion": "calm"})
    _write(folder / "pair_verdicts-00000.parquet", verdict)
    (folder / "warehouse.json").write_text(json.dumps({"schema_version": 1, "tables": {"turns": 2}}), encoding="utf-8")
    return folder


def _write(path: Path, row: dict[str, object]) -> None:
    pq.write_table(pa.Table.from_pylist([row]), path)


def test_what_an_older_run_had_is_there_and_what_came_later_is_null(built: Path) -> None:
    sql = (
        "SELECT turn, role, motivation, topics, perceived_emotion, source_id FROM turns WHERE model = 'x' ORDER BY turn"
    )
    assert query(built, sql).rows() == [
        (0, "user", None, None, None, None),
        (1, "assistant", "empathy", ["dog"], None, None),
    ]
    assert query(built, "SELECT DISTINCT sample, place, words FROM dialogues").rows() == [(0, None, 2)]
    assert query(built, "SELECT prompt_tokens, error FROM judge_calls").rows() == [(None, None)]
    assert query(built, "SELECT stage_a, dialogue_a, words_a FROM pair_verdicts").rows() == [("rollout-x", "x1", None)]


def test_an_older_run_reaches_from_verdict_to_turn(built: Path) -> None:
    sql = "SELECT model, outcome, motivation FROM verdict_turns WHERE role = 'assistant' ORDER BY model"
    assert query(built, sql).rows() == [("x", "won", "empathy"), ("y", "lost", "empathy")]


def test_an_older_warehouse_opens_with_every_table_and_view_of_today(ancient: Path) -> None:
    sql = "SELECT turn, emotion, asks, next_emotion FROM turns ORDER BY turn"
    assert query(ancient, sql).rows() == [(0, None, None, None), (1, "calm", None, None)]
    with connect(ancient) as connection:
        for table in TABLES:
            rows = 2 if table.name == "turns" else int(table.name == "pair_verdicts")
            assert ask(connection, f"SELECT count(*) FROM {table.name}").rows() == [(rows,)]
    assert query(ancient, "SELECT outcome, emotion FROM verdict_turns ORDER BY turn").rows() == [
        ("lost", None),
        ("lost", "calm"),
    ]


@pytest.mark.parametrize("name", examples())
def test_every_example_can_be_asked_of_an_older_warehouse(ancient: Path, name: str) -> None:
    query(ancient, sql_files("examples")[name].read_text(encoding="utf-8"))


def test_old_and_new_stand_side_by_side(ancient: Path, tmp_path: Path) -> None:
    new = talks(tmp_path / "talks")
    sql = "SELECT run, count(*), count(motivation) FROM all_runs.turns GROUP BY run ORDER BY run"
    assert query({"old": ancient, "new": new}, sql).rows() == [("new", 18, 18), ("old", 2, 0)]


def test_shards_of_two_versions_in_one_stage_are_read_together(tmp_path: Path) -> None:
    row = {"id": "o1", "utterances": [{"role": "user", "text": "Hi.", "state": None}], "source": {"corpus": "c"}}
    older = pa.Table.from_pylist([row], schema=DIALOGUES)
    newer = to_table([Dialogue("n1", (said("user", "Yes.", "sharing"),), Source("c"))])
    folder = write_stage(tmp_path, "both", "sage_data.reddit", {"dialogues": [older, newer]})
    run_stage("sage_eval.warehouse", {}, {"runs": [folder]}, tmp_path / "w")
    found = query(tmp_path / "w", "SELECT dialogue_id, text, motivation FROM turns ORDER BY 1")
    assert found.rows() == [("n1", "Yes.", "sharing"), ("o1", "Hi.", None)]


def test_what_never_was_a_verdict_is_refused_with_the_columns_it_lacks(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([{"judge": "j", "verdict": "A"}])
    folder = write_stage(tmp_path, "judged", "sage_eval.judge", {"judge_calls": table})
    with pytest.raises(InputError, match=r"judge_calls-\*\.parquet has no column judge_model, spec_hash, prompt_hash"):
        run_stage("sage_eval.warehouse", {}, {"runs": [folder]}, tmp_path / "w")
