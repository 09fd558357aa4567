"""The planted leaderboard says what it was told to say, and the stages that read it find just that."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from planted_leaderboard import JUDGES, MODELS, Leaderboard, leaderboard
from scipy.stats import binomtest

from sage_data.stage import run_stage
from sage_data.store.manifest import read_manifest
from sage_data.store.shards import read_table
from sage_eval.verdict import Choice, Verdict, combine
from sage_eval.warehouse import query

SCENARIOS = 300


@pytest.fixture(scope="module")
def planted_board(tmp_path_factory: pytest.TempPathFactory) -> Leaderboard:
    return leaderboard(tmp_path_factory.mktemp("board"), scenario_count=SCENARIOS, exchanges=2)


def test_every_pair_of_six_models_is_judged_on_every_scenario_by_both_judges(planted_board: Leaderboard) -> None:
    assert len(planted_board.counts) == 2 * 15
    assert all(sum(counts.values()) == SCENARIOS for counts in planted_board.counts.values())
    assert planted_board.groups == (("sage-dpo",), ("sage2", "sage3"), ("sage1",), ("sage1-plain",), ("sage0",))


def test_the_folders_hold_what_was_planted(planted_board: Leaderboard) -> None:
    rows = read_table(planted_board.judged, "pair_verdicts").to_pylist()
    found = Counter((row["judge"], row["model_a"], row["model_b"], row["verdict"]) for row in rows)
    planted = {(*key, verdict): n for key, counts in planted_board.counts.items() for verdict, n in counts.items() if n}
    assert found == planted
    # No verdict contradicts its own two calls.
    assert all(combine(Choice(row["choice_ab"]), Choice(row["choice_ba"])) == row["verdict"] for row in rows)


def test_twins_win_equally_often_and_the_better_model_more(planted_board: Leaderboard) -> None:
    twins = planted_board.counts["warm", "sage2", "sage3"]
    assert twins[Verdict.A] == twins[Verdict.B] > 0
    # Davidson by hand: of 264 readable pairs, odds e^2 and nu .5 give 264 * e^2 / (1 + e^2 + .5 * e) = 200.1.
    assert planted_board.counts["warm", "sage0", "sage-dpo"][Verdict.B] == 200


def test_the_judges_agree_more_often_than_chance(planted_board: Leaderboard) -> None:
    rows = read_table(planted_board.judged, "pair_verdicts").to_pylist()
    said = {(row["judge"], row["model_a"], row["model_b"], row["scenario_id"]): row["verdict"] for row in rows}
    twins = [key[3] for key in said if key[:3] == ("warm", "sage2", "sage3")]
    both = Counter((said["warm", "sage2", "sage3", one], said["strict", "sage2", "sage3", one]) for one in twins)
    assert both["A", "A"] + both["B", "B"] > 3 * (both["A", "B"] + both["B", "A"])


def test_candidates_are_those_of_the_replies_that_were_said(planted_board: Leaderboard) -> None:
    folder = next(one for one in planted_board.folders if one.name == "rollout-sage2")
    said = {
        row["id"]: [one["text"] for one in row["utterances"]] for row in read_table(folder, "dialogues").to_pylist()
    }
    rows = read_table(folder, "candidates").to_pylist()
    assert len(rows) == SCENARIOS * 2 * 4
    assert all((row["text"] == said[row["dialogue_id"]][2 * row["turn"] + 1]) == row["selected"] for row in rows)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    hashes = []
    for name in ("one", "two"):
        found = leaderboard(tmp_path / name, scenario_count=8, exchanges=1, documents=4)
        manifests = [read_manifest(folder) for folder in found.folders]
        hashes.append([manifest.content_hash for manifest in manifests if manifest])
    assert hashes[0] == hashes[1]


def test_significance_gives_the_planted_p_values(planted_board: Leaderboard, tmp_path: Path) -> None:
    run_stage("sage_eval.significance", {}, {"verdicts": [planted_board.judged]}, tmp_path / "s")
    rows = {
        (row["judge"], row["model_a"], row["model_b"]): row
        for row in read_table(tmp_path / "s", "significance").to_pylist()
    }
    assert rows.keys() >= planted_board.counts.keys()
    for key, counts in planted_board.counts.items():
        wins_a, wins_b = counts[Verdict.A], counts[Verdict.B]
        assert (rows[key]["wins_a"], rows[key]["wins_b"]) == (wins_a, wins_b)
        assert rows[key]["p"] == pytest.approx(binomtest(wins_b, wins_a + wins_b).pvalue, rel=1e-9)


def test_ratings_find_the_planted_order_and_strengths(planted_board: Leaderboard, tmp_path: Path) -> None:
    run_stage("sage_eval.ratings", {"resamples": 100}, {"verdicts": [planted_board.judged]}, tmp_path / "r")
    table = pq.read_table(tmp_path / "r" / "ratings-00000.parquet").to_pylist()
    planted = {model.name: model.strength for model in MODELS}
    middle = sum(planted.values()) / len(planted)
    for judge in JUDGES:
        found = {row["model"]: row["strength"] for row in table if row["judge"] == judge.name}
        for name, strength in found.items():
            # Counts are whole scenarios and the prior draws a little to the middle.
            assert strength == pytest.approx(planted[name] - middle, abs=0.05), (judge.name, name)


@pytest.mark.slow
def test_the_whole_leaderboard_is_built_in_less_than_a_minute_of_one_core(tmp_path: Path) -> None:
    board = leaderboard(tmp_path / "run")
    began = time.process_time()
    run_stage("sage_eval.significance", {}, {"verdicts": [board.judged]}, tmp_path / "run" / "significance")
    run_stage("sage_eval.ratings", {}, {"verdicts": [board.judged]}, tmp_path / "run" / "ratings")
    folders = [*board.folders, tmp_path / "run" / "significance", tmp_path / "run" / "ratings"]
    run_stage("sage_eval.warehouse", {}, {"runs": folders}, tmp_path / "run" / "warehouse")
    # The time of all threads together, so that a busy machine does not count.
    assert time.process_time() - began < 60
    counts = (
        "SELECT (SELECT count(*) FROM pair_verdicts), (SELECT count(*) FROM judge_calls), (SELECT count(*) FROM turns)"
    )
    rolled = len(MODELS) * 2544 * 16
    found = query(tmp_path / "run" / "warehouse", counts).rows()
    assert found == [(len(JUDGES) * 15 * 2544, 2 * len(JUDGES) * 15 * 2544, rolled + 25 * 4)]
