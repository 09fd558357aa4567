"""The plan comes before the first call; samples, repeats and the panel do what it says."""

import json
from collections import Counter

import pytest
from chat_server import UNAUTHORISED, ChatServer, always
from judging import BAD, GOOD, played, rows, run_judge, two_models, uri, verdict_on, work
from made_dialogues import STIFF, WARM, given, rollout
from planted_run import write_stage

from sage_data.errors import BackendError, ConfigError
from sage_data.stage import Context, Inputs, Output, resolve_path
from sage_data.store.dialogues import read_dialogues, to_table
from sage_data.store.manifest import as_ancestor, read_manifest, write_manifest
from sage_eval import judge
from sage_eval.judge.rubric import rubric_judge
from sage_eval.plan import PANEL, PLAN, AnalysisPlan, read_plan
from sage_eval.ratings.verdicts import read_verdicts

THREE = ["rubric:warm", "rubric:plain", {"uri": "rubric:warm", "name": "again"}]


def test_a_backend_that_fails_on_the_first_call_leaves_the_plan(tmp_path):
    models = two_models(tmp_path, 6)
    with ChatServer(schedule=always(UNAUTHORISED)) as server, pytest.raises(BackendError):
        run_judge(models, tmp_path / "judged", judges=[uri(server)], alpha=0.01, stop="e-value")
    plan = read_plan(work(tmp_path / "judged"))
    assert plan.alpha == 0.01
    assert plan.stopping == "e-value"
    assert [one.identity for one in plan.judges] == ["tiny"]
    assert plan.scenarios == {"a|b": 6}
    assert not list(work(tmp_path / "judged").glob("judge_calls*"))


def test_every_row_names_the_plan(tmp_path):
    run_judge(two_models(tmp_path, 4), tmp_path / "judged", judges=THREE, seed=3)
    plan = read_plan(tmp_path / "judged")
    for table in ("judge_calls", "pair_verdicts"):
        assert {row["plan_hash"] for row in rows(tmp_path / "judged", table)} == {plan.plan_hash}
    assert plan.plan_hash in (tmp_path / "judged" / "summary.txt").read_text()
    assert plan.family == tuple((name, "a", "b") for name in ("rubric:warm", "rubric:plain", "again", PANEL))
    assert plan.transcripts == {"a": "0" * 64, "b": "0" * 64}
    assert plan.seed == 3


def test_an_attempt_begun_under_another_plan_is_refused(tmp_path):
    out = Output(tmp_path / "attempt")
    config, inputs = judge.Config(self_test=False), Inputs({"transcripts": two_models(tmp_path, 3)})
    judge.run(config, inputs, out, Context(seed=7))
    raw = json.loads((out.path / PLAN).read_text())
    (out.path / PLAN).write_text(AnalysisPlan.model_validate({**raw, "alpha": 0.2}).model_dump_json())
    with pytest.raises(ConfigError, match="differs in alpha") as refused:
        judge.run(config, inputs, Output(tmp_path / "attempt"), Context(seed=7))
    assert "another folder" in refused.value.next_step


def test_samples_meet_their_like_and_odd_ones_are_counted(tmp_path):
    a = played(tmp_path / "a", "a", {("s1", 0): BAD, ("s1", 1): BAD, ("s2", 0): BAD, ("s3", 0): BAD})
    b = played(
        tmp_path / "b", "b", {("s1", 0): GOOD, ("s1", 2): GOOD, ("s2", 0): GOOD, ("s4", 0): GOOD, ("s4", 1): GOOD}
    )
    manifest = run_judge([a, b], tmp_path / "judged", judges=["rubric:warm"])
    found = rows(tmp_path / "judged", "pair_verdicts")
    assert [(row["scenario_id"], row["sample"], row["dialogue_b"]) for row in found] == [
        ("s1", 0, "b-s1-0"),
        ("s2", 0, "b-s2-0"),
    ]
    pairs = manifest.counts[1]
    assert pairs.dropped == {"only_in_a": 1, "only_in_b": 2, "sample_only_in_a": 1, "sample_only_in_b": 1}
    assert (pairs.came_in, pairs.kept) == (7, 2)


def test_dialogues_that_do_not_say_their_sample_are_the_first(tmp_path):
    old = given(rollout(tmp_path / "old", STIFF, count=2), "rollout-old")
    new = played(tmp_path / "new", "new", {("s000", 0): GOOD, ("s001", 0): GOOD})
    run_judge([old, new], tmp_path / "judged", judges=["rubric:warm"])
    assert {row["sample"] for row in rows(tmp_path / "judged", "pair_verdicts")} == {0}


def test_repeats_are_real_calls_on_a_drawn_share_and_rate_nothing(tmp_path):
    models = two_models(tmp_path, 20, samples=2)
    with ChatServer(verdict_on) as server:
        run_judge(models, tmp_path / "judged", judges=[uri(server)], replicates=3, replicate_share=0.25)
        seeds = Counter(call.body["seed"] for call in server.calls)
    calls, found = rows(tmp_path / "judged", "judge_calls"), rows(tmp_path / "judged", "pair_verdicts")
    # 40 pairs, and 5 of 20 scenarios with both samples asked twice more; each in two orders.
    assert len(calls) == server.count == 2 * (40 + 2 * 10)
    assert sorted(seeds.values()) == [20, 20, 80]
    assert len({row["scenario_id"] for row in found if row["replicate"]}) == 5
    assert Counter(row["replicate"] for row in found) == {0: 40, 1: 10, 2: 10}
    by_prompt = {(row["scenario_id"], row["sample"], row["order"]): set() for row in calls}
    for row in calls:
        by_prompt[row["scenario_id"], row["sample"], row["order"]].add(row["prompt_hash"])
    assert {len(prompts) for prompts in by_prompt.values()} == {1}
    judged, repeats = read_verdicts([tmp_path / "judged"])
    assert (sum(len(one.rows) for one in judged), repeats) == (40, 20)
    assert rows(tmp_path / "judged", "judge_bias")[0]["pairs"] == 40
    assert "20 more are repeats" in (tmp_path / "judged" / "summary.txt").read_text()
    assert read_plan(tmp_path / "judged").replicates == 3


def test_the_panel_speaks_from_three_judges_on(tmp_path):
    models = two_models(tmp_path, 5)
    manifest = run_judge(models, tmp_path / "three", judges=THREE)
    found = rows(tmp_path / "three", "pair_verdicts")
    panel = [row for row in found if row["judge"] == PANEL]
    assert len(panel) == 5
    assert {(row["verdict"], row["abstained"], row["choice_ab"], row["raw_ba"]) for row in panel} == {
        ("B", 0, None, None)
    }
    assert Counter(row["judge"] for row in found) == dict.fromkeys(["rubric:warm", "rubric:plain", "again", PANEL], 5)
    assert [one.unit for one in manifest.counts] == ["judge calls", "pairs", "panel verdicts"]
    assert manifest.warnings == [
        "judges rubric:warm and again are one and the same: the second adds nothing but its name"
    ]
    run_judge(models, tmp_path / "two", judges=THREE[:2])
    assert PANEL not in {row["judge"] for row in rows(tmp_path / "two", "pair_verdicts")}
    run_judge(models, tmp_path / "wanted", judges=THREE[:2], panel=True)
    assert PANEL in {row["judge"] for row in rows(tmp_path / "wanted", "pair_verdicts")}
    run_judge(models, tmp_path / "unwanted", judges=THREE, panel=False)
    assert PANEL not in {row["judge"] for row in rows(tmp_path / "unwanted", "pair_verdicts")}
    judged, _ = read_verdicts([tmp_path / "three"])
    assert judged[-1].judge == PANEL


def test_a_judge_that_chose_what_a_model_learnt_from_is_named(tmp_path):
    selector = {"selector": rubric_judge("rubric:warm").identity}
    table = to_table(read_dialogues(rollout(tmp_path / "plain", WARM)))
    above = write_stage(tmp_path, "search1", "sage_models.search", {"dialogues": table}, models=selector)
    folder = write_stage(tmp_path, "rollout-tuned", "sage_eval.rollout", {"dialogues": table})
    manifest = read_manifest(folder)
    write_manifest(folder, manifest.model_copy(update={"lineage": [as_ancestor(read_manifest(above))]}))
    other = given(rollout(tmp_path / "other", STIFF), "rollout-base")
    made = run_judge([other, resolve_path(folder)], tmp_path / "judged")
    assert made.warnings == [
        "judge rubric:warm chose the replies that tuned learnt from, as the selector of stage search1; it may favour "
        "what it chose"
    ]
