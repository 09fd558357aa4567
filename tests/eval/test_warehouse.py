"""The warehouse holds what the stages hold: flat, documented, complete and always the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from planted_evaluation import ALL_ATTACKS, evaluation
from planted_run import small_run, write_stage
from pydantic import ValidationError

from sage_data.errors import ConfigError, InputError, SchemaVersionError
from sage_data.stage import run_stage
from sage_data.store.manifest import read_manifest
from sage_eval.warehouse import Config, build, connect, query
from sage_eval.warehouse.contract import TABLES, sql_files
from sage_eval.warehouse.database import declared_tables
from sage_eval.warehouse.opening import find_warehouse
from sage_eval.warehouse.sources import family_of


def test_turns_are_flat_with_their_neighbours_states(planted: Path) -> None:
    rows = query(
        planted,
        "SELECT turn, role, words, asks, motivation, previous_user_motivation, previous_user_emotion, next_motivation, "
        "next_emotion, topics FROM turns WHERE stage = 'rollout-sage1' AND dialogue_id = 'sage1/s1' ORDER BY turn",
    ).rows()
    assert rows == [
        (0, "user", 5, False, "sharing", None, None, "answering", "relieved", ["exam"]),
        (1, "assistant", 6, True, "curiosity", "sharing", "proud", "praise", "warm", ["exam"]),
        (2, "user", 5, False, "answering", "sharing", "proud", None, None, ["exam"]),
        (3, "assistant", 3, False, "praise", "answering", "relieved", None, None, ["exam"]),
    ]


def test_turns_are_sorted_by_model_stage_dialogue_and_turn(planted: Path) -> None:
    stored = pq.read_table(planted / "turns-00000.parquet").to_pylist()
    keys = [(row["model"] is not None, row["model"], row["stage"], row["dialogue_id"], row["turn"]) for row in stored]
    assert keys == sorted(keys)


def test_dialogues_count_words_at_white_space(planted: Path) -> None:
    sql = "SELECT turns, words, assistant_words, corpus FROM dialogues WHERE stage = 'gated' ORDER BY dialogue_id"
    assert query(planted, sql).rows() == [(4, 19, 4.5, "rollout"), (2, 12, 4.0, "rollout")]


def test_funnel_adds_up_and_names_every_reason(planted: Path) -> None:
    rows = query(planted, "SELECT outcome, reason, n FROM funnel WHERE stage = 'gated'").rows()
    assert rows == [
        ("came_in", None, 10),
        ("dropped", "no_question", 5),
        ("dropped", "too_few_turns", 2),
        ("quarantined", None, 1),
        ("kept", None, 2),
    ]


def test_runs_tell_module_seed_hash_inputs_and_models(planted: Path) -> None:
    manifest = read_manifest(planted.parent / "judged")
    assert manifest is not None
    sql = "SELECT uses, seed, content_hash, config ->> '$.strip_prefix' FROM runs WHERE stage = 'judged'"
    assert query(planted, sql).rows() == [("sage_eval.judge", 7, manifest.content_hash, "rollout-")]
    assert query(planted, "SELECT input, label FROM run_inputs WHERE stage = 'judged'").rows() == [
        ("transcripts", "rollout-base"),
        ("transcripts", "rollout-tuned"),
    ]
    assert ("rollout-base", "agent", "hf:base") in query(planted, "SELECT * FROM run_models").rows()


def test_one_join_leads_from_a_verdict_to_its_turns_and_their_tags(planted: Path) -> None:
    sql = (
        "SELECT t.text, t.motivation, t.perceived_emotion FROM pair_verdicts v "
        "JOIN turns t ON t.stage = v.stage_b AND t.dialogue_id = v.dialogue_b "
        "WHERE v.judge = 'rubric:one' AND v.scenario_id = 't03' AND t.role = 'assistant'"
    )
    assert query(planted, sql).rows() == [(f"tuned 3 says {ALL_ATTACKS}", "empathy", "sad")]


def test_candidates_meet_the_turn_that_was_said(planted: Path) -> None:
    result = query(planted, sql_files("examples")["rejected_candidates"].read_text(encoding="utf-8"))
    assert [(row["said"], row["rejected"]) for row in result.records()] == [("Hello, how are you?", "I see.")]


def test_preference_pairs_lead_to_their_candidates(planted: Path) -> None:
    result = query(planted, sql_files("examples")["preference_pairs"].read_text(encoding="utf-8"))
    assert [(row["chosen"], row["rejected"]) for row in result.records()] == [("Hello, how are you?", "I see.")]


def test_benchmarks_and_regressions_name_their_models(planted: Path) -> None:
    assert query(planted, "SELECT DISTINCT model FROM bench_samples WHERE stage = 'bench-tuned'").rows() == [("tuned",)]
    sql = "SELECT base_stage, new_stage, worse, better, verdict FROM regressions"
    assert query(planted, sql).rows() == [("bench-base", "bench-tuned", 20, 0, "regressed")]


def test_seat_and_length_bias_are_a_table(planted: Path) -> None:
    sql = (
        "SELECT stage, judge, pairs, first_seat_calls, second_seat_calls, first_seat_pairs, shorter_wins, longer_wins, "
        "length_p FROM judge_bias"
    )
    # B's dialogues are the shorter ones, and win 9 to 1: 2 * (1 + 10) / 2**10.
    assert query(planted, sql).rows() == [
        ("judged", "rubric:one", 12, 12, 10, 1, 9, 1, pytest.approx(22 / 1024)),
        ("judged", "two<i>", 12, 0, 0, 0, 0, 0, None),
    ]


def test_summaries_fit_a_terminal_and_the_warehouse_counts_every_table(planted: Path) -> None:
    summaries = {path.parent.name: path.read_text(encoding="utf-8") for path in planted.parent.glob("*/summary.txt")}
    assert {"warehouse", "significance", "regress"} <= summaries.keys()
    for name, text in summaries.items():
        assert max(map(len, text.splitlines())) <= 136, name
    words = " ".join(summaries["warehouse"].split())
    for table, rows in json.loads((planted / "warehouse.json").read_text(encoding="utf-8"))["tables"].items():
        assert not rows or f"{table} {rows}" in words
    assert "\N{NO-BREAK SPACE}" not in summaries["warehouse"]


def test_every_table_and_column_is_documented(planted: Path) -> None:
    with connect(planted) as connection:
        for table in declared_tables(connection).values():
            assert table.comment, table.name
            for column in table.columns:
                assert column.comment, f"{table.name}.{column.name}"


def test_every_parquet_shard_is_in_a_table(planted: Path) -> None:
    assert query(planted, "SELECT stage, path FROM files WHERE in_table IS NULL AND path LIKE '%.parquet'").rows() == []


def test_the_same_stages_give_the_same_bytes(tmp_path: Path) -> None:
    hashes = []
    for name in ("one", "two"):
        folders = evaluation(tmp_path / name)
        hashes.append(run_stage("sage_eval.warehouse", {}, {"runs": folders}, tmp_path / name / "w").content_hash)
    assert hashes[0] == hashes[1]


def test_timings_do_not_change_the_bytes(planted: Path) -> None:
    assert not any("1.25" in path.read_bytes().decode("latin-1") for path in planted.glob("runs-*.parquet"))


def test_a_large_table_is_cut_into_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "SHARD_ROWS", 7)
    run_stage("sage_eval.warehouse", {}, {"runs": small_run(tmp_path)}, tmp_path / "w")
    assert len(list((tmp_path / "w").glob("turns-*.parquet"))) == 3
    assert query(tmp_path / "w", "SELECT count(*), count(DISTINCT (stage, dialogue_id, turn)) FROM turns").rows() == [
        (18, 18)
    ]


def test_leave_out_keeps_a_table_empty(tmp_path: Path) -> None:
    run_stage("sage_eval.warehouse", {"leave_out": ["turns"]}, {"runs": small_run(tmp_path)}, tmp_path / "w")
    assert query(tmp_path / "w", "SELECT (SELECT count(*) FROM turns), (SELECT count(*) FROM dialogues)").rows() == [
        (0, 6)
    ]


def test_leave_out_refuses_a_table_it_does_not_know() -> None:
    with pytest.raises(ValidationError, match="no table turn;"):
        Config(leave_out=("turn",))


def test_an_unfinished_stage_is_refused_by_name(tmp_path: Path) -> None:
    folders = small_run(tmp_path)
    (folders[1] / "manifest.json").unlink()
    with pytest.raises(InputError, match=r"scenarios: expected a finished stage folder"):
        run_stage("sage_eval.warehouse", {}, {"runs": folders}, tmp_path / "w")


def test_two_stages_of_one_name_are_refused(tmp_path: Path) -> None:
    first = small_run(tmp_path / "one")[0]
    second = small_run(tmp_path / "two")[0]
    with pytest.raises(ConfigError, match="called 'gated'"):
        run_stage("sage_eval.warehouse", {}, {"runs": [first, second]}, tmp_path / "w")


def test_a_missing_column_is_named_with_its_stage(tmp_path: Path) -> None:
    folder = write_stage(tmp_path, "steered", "sage_models.steer", {"dose_response": pa.table({"boost": [0.0]})})
    with pytest.raises(InputError, match=r"steered: dose_response-\*\.parquet has no column replies, hits"):
        run_stage("sage_eval.warehouse", {}, {"runs": [folder]}, tmp_path / "w")


def test_a_column_of_another_type_is_refused(tmp_path: Path) -> None:
    table = pa.table({"step": ["one"], "loss": [1.0]})
    folder = write_stage(tmp_path, "tuned", "sage_models.sft", {"curves": table})
    with pytest.raises(InputError, match="does not fit the table training_curves"):
        run_stage("sage_eval.warehouse", {}, {"runs": [folder]}, tmp_path / "w")


def test_a_null_in_a_required_column_is_refused(tmp_path: Path) -> None:
    table = pa.table({"step": pa.array([None], pa.int64()), "loss": [1.0]})
    folder = write_stage(tmp_path, "tuned", "sage_models.sft", {"curves": table})
    with pytest.raises(InputError, match="NOT NULL"):
        run_stage("sage_eval.warehouse", {}, {"runs": [folder]}, tmp_path / "w")


def test_columns_it_has_no_place_for_are_warned_of(tmp_path: Path) -> None:
    table = pa.table({"step": [1], "loss": [1.0], "novelty": [2.0]})
    folder = write_stage(tmp_path, "tuned", "sage_models.sft", {"curves": table})
    manifest = run_stage("sage_eval.warehouse", {}, {"runs": [folder]}, tmp_path / "w")
    assert manifest.warnings == ["tuned: curves has columns that the warehouse leaves out: novelty"]


def test_a_newer_schema_is_refused_and_an_older_one_completed(planted: Path, tmp_path: Path) -> None:
    copy = tmp_path / "w"
    shutil.copytree(planted, copy)
    older = pq.read_table(copy / "turns-00000.parquet").drop_columns(["next_emotion"])
    pq.write_table(older, copy / "turns-00000.parquet")
    (copy / "dose_response-00000.parquet").unlink()
    assert query(copy, "SELECT DISTINCT next_emotion FROM turns").rows() == [(None,)]
    assert query(copy, "SELECT count(*) FROM dose_response").rows() == [(0,)]
    (copy / "warehouse.json").write_text(json.dumps({"schema_version": 99}), encoding="utf-8")
    with pytest.raises(SchemaVersionError, match="schema 99 is newer than 1"):
        query(copy, "SELECT 1")


def test_shards_written_before_a_column_existed_are_read_with_later_ones(planted: Path, tmp_path: Path) -> None:
    copy = tmp_path / "w"
    shutil.copytree(planted, copy)
    whole = pq.read_table(copy / "turns-00000.parquet")
    pq.write_table(whole.drop_columns(["asks"]), copy / "turns-00001.parquet")
    assert query(copy, "SELECT count(*) FILTER (asks IS NULL) * 2 = count(*) FROM turns").rows() == [(True,)]


def test_a_damaged_warehouse_is_named(planted: Path, tmp_path: Path) -> None:
    copy = tmp_path / "w"
    shutil.copytree(planted, copy)
    (copy / "turns-00000.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(InputError, match="cannot open the warehouse"):
        query(copy, "SELECT 1")
    (copy / "warehouse.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="not a warehouse marker"):
        query(copy, "SELECT 1")


def test_a_warehouse_is_found_inside_its_run(planted: Path, tmp_path: Path) -> None:
    assert find_warehouse(planted.parent) == planted
    with pytest.raises(InputError, match="found none"):
        find_warehouse(tmp_path)


@pytest.mark.parametrize(
    ("path", "family"),
    [
        ("judge_calls-00002.parquet", "judge_calls"),
        ("curves.parquet", "curves"),
        ("rejected/dialogues-00000.parquet", "rejected/dialogues"),
        ("gold/dialogues.parquet", None),
        ("summary.txt", None),
        ("model/model.safetensors", None),
    ],
)
def test_a_file_belongs_to_a_family_by_its_name(path: str, family: str | None) -> None:
    assert family_of(path) == family


def test_every_sql_file_belongs_to_a_table() -> None:
    names = {table.name for table in TABLES}
    assert set(sql_files("tables")) == names
    assert {name.removeprefix("select_") for name in sql_files("build")} <= names
