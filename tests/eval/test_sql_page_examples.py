"""The queries that the pages are made of answer what the planted rows demand; each was worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from planted_run import rollout, said, write_stage

from sage_data.rollout.recording import OUTCOME_SCHEMA
from sage_data.stage import Origin, run_stage
from sage_data.store.dialogues import to_table
from sage_data.store.manifest import read_manifest, write_manifest
from sage_eval.judge.stopping import PATH_SCHEMA
from sage_eval.warehouse import query
from sage_eval.warehouse.contract import sql_files

Row = dict[str, Any]
BOUND = math.log(100.0)


def asked(folder: Path, name: str) -> list[Row]:
    return query(folder, sql_files("examples")[name].read_text(encoding="utf-8")).records()


def path_rows() -> list[Row]:
    """500 scenarios: the evidence reaches the bound at the 203rd, falls below it, and reaches it again at the 400th."""
    same = {"judge": "warm", "model_a": "a", "model_b": "b", "bound": BOUND, "wins_a": 0}
    over = {203, *range(400, 501)}
    return [
        {**same, "step": n, "scenario_id": f"s{n}", "wins_b": n, "log_e": BOUND + 1.0 if n in over else 0.5}
        for n in range(1, 501)
    ]


@pytest.fixture(scope="module")
def planted_pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A paid rollout, one without a price, and a judge's path; both rollouts derive from one source."""
    parent = tmp_path_factory.mktemp("pages")
    talk = rollout("s1", "paid", said("user", "Hi.", "sharing", "sad"), said("assistant", "Oh?", "curiosity", "calm"))
    counted = {
        "dialogue_id": talk.id,
        "scenario_id": "s1",
        "stop_reason": "exchanges",
        "exchanges": 1,
        "agent_well_formed": 1,
        "agent_untagged": 0,
        "agent_malformed": 0,
        "problems": [],
        "forgotten": 0,
        "prompt_tokens": 2_000_000,
        "completion_tokens": 1_000_000,
        "user_prompt_tokens": 500_000,
        "user_completion_tokens": 100_000,
    }
    prices = {"input_price": 0.5, "output_price": 2.0, "user_input_price": 0.0, "user_output_price": 0.0}
    outcomes = pa.Table.from_pylist([counted], OUTCOME_SCHEMA)
    tables = {"dialogues": to_table([talk]), "outcomes": outcomes}
    folders = [
        write_stage(parent, "paid", "sage_eval.rollout", tables, config=prices, models={"agent": "hf:paid"}),
        write_stage(parent, "free", "sage_eval.rollout", {"outcomes": outcomes}),
        write_stage(parent, "judged", "sage_eval.judge", {"e_paths": pa.Table.from_pylist(path_rows(), PATH_SCHEMA)}),
    ]
    for folder in folders[:2]:
        manifest = read_manifest(folder)
        assert manifest is not None
        origin = Origin(name="Talks", license="cc-by-4.0", note="Say who.", withhold_text=folder.name == "free")
        write_manifest(folder, manifest.model_copy(update={"origins": [origin]}))
    run_stage("sage_eval.warehouse", {}, {"runs": folders}, parent / "warehouse")
    return parent / "warehouse"


def test_dollars_are_counted_where_a_price_is_stated_and_nowhere_else(planted_pages: Path) -> None:
    found = [
        (row["stage"], row["role"], row["prompt_tokens"], row["usd"]) for row in asked(planted_pages, "cost_by_role")
    ]
    assert found == [
        ("paid", "agent", 2_000_000, pytest.approx(2 * 0.5 + 1 * 2.0)),
        ("paid", "user", 500_000, None),
        ("free", "agent", 2_000_000, None),
        ("free", "user", 500_000, None),
    ]


def test_a_thinned_path_keeps_its_ends_and_the_step_that_reaches_the_bound_first(planted_pages: Path) -> None:
    rows = asked(planted_pages, "evidence_paths")
    steps = [row["step"] for row in rows]
    assert steps == sorted({1, 203, 500, *range(4, 501, 4)})
    assert [row["step"] for row in rows if row["crosses"]] == [203]
    assert {row["last_step"] for row in rows} == {500}
    assert rows[0]["log10_bound"] == pytest.approx(2.0)
    assert rows[0]["log10_e"] == pytest.approx(0.5 / math.log(10))


def test_a_source_stands_once_with_all_stages_that_go_back_to_it(planted_pages: Path) -> None:
    assert asked(planted_pages, "origins") == [
        {
            "name": "Talks",
            "license": "cc-by-4.0",
            "url": None,
            "note": "Say who.",
            "withhold_text": True,
            "synthetic": False,
            "stages": 2,
            "in_stages": ["paid", "free"],
        }
    ]


def test_tags_are_shares_of_what_is_stated_by_each_speaker(planted_pages: Path) -> None:
    found = [tuple(row.values()) for row in asked(planted_pages, "tag_counts")]
    assert found == [
        ("paid", "hf:paid", "user", "motivation", "sharing", 1, 1, 1, 1.0),
        ("paid", "hf:paid", "user", "emotion", "sad", 1, 1, 1, 1.0),
        ("paid", "hf:paid", "assistant", "motivation", "curiosity", 1, 1, 1, 1.0),
        ("paid", "hf:paid", "assistant", "emotion", "calm", 1, 1, 1, 1.0),
    ]


def test_outcomes_of_judges_count_every_pair_once(planted: Path) -> None:
    found = [tuple(row.values()) for row in asked(planted, "judge_outcomes")]
    assert found == [
        ("judged", "rubric:one", 12, 10, 1, 1, 0, 0, pytest.approx(11 / 12)),
        ("judged", "two<i>", 12, 0, 0, 0, 0, 12, None),
    ]


def test_plans_style_and_fit_are_those_of_the_planted_evaluation(planted: Path) -> None:
    plan = asked(planted, "analysis_plans")[0]
    assert (plan["stage"], plan["plan_hash"], plan["family_size"], plan["correction"]) == (
        "significance",
        None,
        2,
        "holm",
    )
    words = {row["model"]: row["value"] for row in asked(planted, "style_by_model") if row["measure"] == "words"}
    # Three of the tuned model's twelve replies are five words longer.
    assert words == {"base": 28.0, "tuned": pytest.approx(28.0 + 3 * 5 / 12)}
    fit = asked(planted, "rating_checks")
    assert [(row["judge"], row["n"]) for row in fit] == [("rubric:one", 11), ("two<i>", 0)]


def test_kept_examples_are_whole_dialogues_of_stages_that_drop_some(planted: Path) -> None:
    rows = asked(planted, "examples_kept")
    assert {row["stage"] for row in rows} == {"gated"}
    assert sorted({row["dialogue_id"] for row in rows}) == ["found/s1", "found/s2"]
    assert [row["turn"] for row in rows if row["dialogue_id"] == "found/s1"] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "name",
    ["agreement_of_judges", "early_stops", "examples_rejected", "judge_checks", "seat_and_length", "self_preference"],
)
def test_what_was_not_measured_has_no_row(planted_pages: Path, name: str) -> None:
    assert asked(planted_pages, name) == []
