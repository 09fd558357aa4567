"""Stopping by e-value: a planted difference ends a comparison early, none does not, and few claims are false."""

import json
import math
import random
from xml.etree import ElementTree

import pytest
from chat_server import ChatServer
from hypothesis import given, settings
from hypothesis import strategies as st
from judging import rows, run_judge, two_models, uri, verdict_on

from sage_data.errors import BudgetStopError
from sage_data.stage import derive_seed
from sage_eval.judge.chart import chart
from sage_eval.judge.stopping import evidence, in_random_order
from sage_eval.plan import PANEL, AnalysisPlan, read_plan
from sage_eval.stats.sequential import log_e_value
from sage_eval.verdict import Verdict

EARLY = {"stop": "e-value", "block": 4}


def plan(**changes):
    made = {"pairs": (("a", "b"),), "judges": ({"name": "j", "identity": "j", "spec_hash": "h"},), "panel": False}
    return AnalysisPlan.model_validate({**made, "transcripts": {}, "scenarios": {"a|b": 9}, **changes})


def row(scenario, verdict, sample=0, replicate=0):
    return {"scenario_id": scenario, "sample": sample, "verdict": verdict, "replicate": replicate}


def test_a_strong_pair_ends_early_and_says_what_that_saved(tmp_path):
    models = two_models(tmp_path, 60, better=lambda number: "a" if number % 10 == 0 else "b")
    with ChatServer(verdict_on) as server:
        judge = {"uri": uri(server), "name": "tiny", "input_price": 1000.0, "output_price": 1000.0}
        manifest = run_judge(models, tmp_path / "judged", judges=[judge], pilot_pairs=5, **EARLY)
        made = server.count
    stop = rows(tmp_path / "judged", "judge_stops")[0]
    assert made == stop["calls_made"] == 2 * stop["judged"] < 60
    assert stop["calls_saved"] == 120 - made
    assert stop["planned"] == 60
    assert stop["judged"] - 4 < stop["stopped_after"] <= stop["judged"]
    paid = sum(one["cost_usd"] for one in rows(tmp_path / "judged", "judge_calls"))
    assert stop["usd_saved"] == pytest.approx(paid / made * stop["calls_saved"])
    pairs = manifest.counts[1]
    assert (pairs.came_in, pairs.kept, pairs.dropped) == (60, made // 2, {"not_needed": 60 - made // 2})
    summary = (tmp_path / "judged" / "summary.txt").read_text()
    assert f"{made} calls were made and {120 - made} saved" in summary
    assert next(line for line in summary.splitlines() if line.startswith("tiny") and " 60 " in line).split()[7] == "b"


def test_the_path_is_the_e_value_after_each_scenario_in_the_drawn_order(tmp_path):
    models = two_models(tmp_path, 12, better=lambda number: "ab"[number % 2])
    run_judge(models, tmp_path / "judged", judges=["rubric:warm"], seed=5, **EARLY)
    path = rows(tmp_path / "judged", "e_paths")
    assert [one["scenario_id"] for one in path] == in_random_order([f"s{n:04}" for n in range(12)], 5, "a", "b")
    wins = {"A": 0, "B": 0}
    for step, one in enumerate(path, start=1):
        wins["AB"[int(one["scenario_id"][1:]) % 2]] += 1
        assert (one["step"], one["wins_a"], one["wins_b"]) == (step, wins["A"], wins["B"])
        assert one["log_e"] == pytest.approx(log_e_value(wins["A"], wins["B"]), abs=1e-12)
        assert one["bound"] == pytest.approx(math.log(1 / 0.05))
    assert rows(tmp_path / "judged", "judge_stops")[0]["stopped_after"] is None
    assert rows(tmp_path / "judged", "judge_stops")[0]["calls_saved"] == 0


def test_the_bound_is_for_the_whole_family(tmp_path):
    judges = [{"uri": "rubric:warm", "name": name} for name in ("one", "two", "three")]
    run_judge(two_models(tmp_path, 30), tmp_path / "judged", judges=judges, alpha=0.1, **EARLY)
    stops = {one["judge"]: one for one in rows(tmp_path / "judged", "judge_stops")}
    assert [one["bound"] for one in stops.values()] == pytest.approx([math.log(4 / 0.1)] * 4)
    # n wins in a row make E = 2^n / (n + 1): 2^9 / 10 is the first beyond 40.
    assert {one["stopped_after"] for one in stops.values()} == {9}
    assert {one["judged"] for one in stops.values()} == {12}
    assert (stops[PANEL]["calls_made"], stops[PANEL]["calls_saved"]) == (None, None)


def test_the_panel_follows_the_scenarios_that_all_its_judges_judged(tmp_path):
    """One judge sees a difference and ends early, the other never does: the panel has the first one's scenarios."""
    with ChatServer(verdict_on) as sees, ChatServer(json.dumps({"verdict": "TIE"})) as blind:
        other = uri(blind).replace("tiny", "other")
        judges = [{"uri": uri(sees), "name": "sees"}, {"uri": other, "name": "blind"}]
        run_judge(two_models(tmp_path, 30), tmp_path / "judged", judges=judges, panel=True, pilot_pairs=0, **EARLY)
    judged = {one["judge"]: one["judged"] for one in rows(tmp_path / "judged", "judge_stops")}
    assert judged == {"sees": 12, "blind": 30, PANEL: 12}
    panel = [one["verdict"] for one in rows(tmp_path / "judged", "pair_verdicts") if one["judge"] == PANEL]
    assert panel == ["inconsistent"] * 12


def test_equal_models_are_judged_to_the_end_under_most_seeds():
    """Verdicts by a fair coin: the share that stops at all is at most alpha, whatever the order."""
    scenarios = [f"s{number:03}" for number in range(150)]
    stopped = 0
    for seed in range(400):
        coin = random.Random(derive_seed("coin", seed))
        said = {scenario: coin.choice(("A", "B")) for scenario in scenarios}
        order = in_random_order(scenarios, seed, "a", "b")
        stopped += evidence("j", "a", "b", [row(one, said[one]) for one in order], plan()).reached
    # Ville: at most 5 %; 400 draws of 5 % exceed 8 % once in 200 times.
    assert stopped / 400 <= 0.08


def test_a_real_difference_is_found_under_every_seed():
    scenarios = [f"s{number:03}" for number in range(150)]
    ends = []
    for seed in range(50):
        coin = random.Random(derive_seed("coin", seed))
        said = {scenario: "B" if coin.random() < 0.8 else "A" for scenario in scenarios}
        order = in_random_order(scenarios, seed, "a", "b")
        ends.append(evidence("j", "a", "b", [row(one, said[one]) for one in order], plan()).path.stopped_after)
    assert None not in ends
    assert sum(ends) / len(ends) < 60


def test_several_rollouts_of_a_scenario_are_one_step(tmp_path):
    models = two_models(tmp_path, 12, samples=3)
    run_judge(models, tmp_path / "judged", judges=["rubric:warm"], **EARLY)
    assert read_plan(tmp_path / "judged").samples == 3
    path = rows(tmp_path / "judged", "e_paths")
    # Three rollouts that say the same tell no more than one: E = 2^n / (n + 1) after n scenarios, not 3 n.
    assert [one["log_e"] for one in path] == pytest.approx([math.log(2**n / (n + 1)) for n in range(1, len(path) + 1)])
    assert [one["wins_b"] for one in path] == [3 * n for n in range(1, len(path) + 1)]
    assert len(path) == 8


def test_failures_and_repeats_bet_nothing():
    said = [row("s1", "B"), row("s2", "error"), row("s3", "malformed"), row("s4", "tie"), row("s1", "A", replicate=1)]
    found = evidence("j", "a", "b", said, plan())
    assert found.path.log_e == pytest.approx([0.0] * 4)
    assert found.scenarios == ("s1", "s2", "s3", "s4")
    several = [row("s1", "B", 0), row("s1", "error", 1), row("s1", "malformed", 2)]
    one, three = evidence("j", "a", "b", [several[0]], plan()), evidence("j", "a", "b", several, plan(samples=3))
    assert three.path.log_e == pytest.approx(one.path.log_e)


@given(st.permutations([f"s{number}" for number in range(9)]), st.integers(0, 2**63 - 1))
def test_the_order_depends_on_the_seed_and_the_names_alone(scenarios, seed):
    order = in_random_order(scenarios, seed, "a", "b")
    assert order == in_random_order(sorted(scenarios), seed, "a", "b")
    assert sorted(order) == sorted(scenarios)


@settings(max_examples=40)
@given(st.lists(st.sampled_from(Verdict), max_size=30))
def test_exchanging_the_models_leaves_the_evidence(said):
    swap = {Verdict.A: Verdict.B, Verdict.B: Verdict.A}
    one = evidence("j", "a", "b", [row(f"s{n}", v) for n, v in enumerate(said)], plan())
    other = evidence("j", "b", "a", [row(f"s{n}", swap.get(v, v)) for n, v in enumerate(said)], plan())
    assert one.path.log_e == pytest.approx(other.path.log_e, abs=1e-12)
    assert one.path.stopped_after == other.path.stopped_after


def test_the_chart_draws_every_path_and_nothing_else(tmp_path):
    judges = ["rubric:warm", {"uri": "rubric:plain", "name": "<script>alert(1)</script>&"}]
    run_judge(two_models(tmp_path, 20), tmp_path / "judged", judges=judges, **EARLY)
    text = (tmp_path / "judged" / "e-values.svg").read_text()
    tree = ElementTree.fromstring(text)
    lines = tree.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 2
    judged = [one["judged"] for one in rows(tmp_path / "judged", "judge_stops")]
    assert [len(line.get("points").split()) for line in lines] == [1 + count for count in judged]
    assert "<script" not in text
    assert tree.findall(".//{http://www.w3.org/2000/svg}script") == []
    assert chart([], plan()).count("<polyline") == 0


def test_a_resumed_run_stops_where_an_unbroken_one_does(tmp_path):
    models = two_models(tmp_path, 40, better=lambda number: "a" if number % 5 == 0 else "b")
    with ChatServer(verdict_on) as server:
        judges = [{"uri": uri(server, "&concurrency=2"), "name": "tiny", "input_price": 1000.0, "output_price": 0.0}]
        whole = run_judge(models, tmp_path / "one" / "judged", judges=judges, pilot_pairs=5, **EARLY)
        server.calls.clear()
        for budget in (1.5, 2.5, 3.5):
            with pytest.raises(BudgetStopError):
                _judge_on(models, tmp_path / "two", judges, budget)
        again = _judge_on(models, tmp_path / "two", judges, 100.0)
        assert server.count == whole.counts[0].came_in
    assert again.content_hash == whole.content_hash


def _judge_on(models, parent, judges, budget):
    return run_judge(models, parent / "judged", judges=judges, pilot_pairs=5, max_cost=budget, **EARLY)


def test_fixed_runs_have_no_paths(tmp_path):
    run_judge(two_models(tmp_path, 5), tmp_path / "judged")
    assert not list((tmp_path / "judged").glob("e_paths*"))
    assert not (tmp_path / "judged" / "e-values.svg").exists()
