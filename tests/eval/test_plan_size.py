"""`sage eval plan-size`: what it prints, by hand and against a simulation of the plan."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from sage_data.errors import ConfigError
from sage_eval.sizes import Wish, describe, plan, plan_size
from sage_eval.stats import cluster_test, exact_power, stopping_time


def asked(*arguments):
    found = CliRunner().invoke(plan_size, list(arguments), catch_exceptions=False)
    assert found.exit_code == 0
    return found.output


def test_the_textbook_case():
    found = plan(Wish(win_share=0.55))
    assert (found.formula, found.exact, found.plan.scenarios) == (783, 820, 820)
    assert found.plan.calls == 2 * 820
    assert found.plan.power == pytest.approx(float(exact_power(820, 0.55)))
    assert found.net_win == pytest.approx(0.1)
    assert (found.n, found.seed) == (820, None)


def test_ties_failures_to_agree_judges_and_comparisons_add_calls():
    found = plan(Wish(win_share=0.55, ties=0.2, inconsistent=0.1, comparisons=3, judges=2))
    assert (found.family_size, found.alpha_each) == (6, pytest.approx(0.05 / 6))
    assert found.plan.pairs == pytest.approx(found.exact / 0.7, abs=1)
    assert found.plan.calls == found.plan.pairs * 2 * 3 * 2
    assert found.plan.decisive_pairs >= found.exact
    assert found.plan.detectable_share <= 0.5501


def test_money_by_hand():
    found = plan(Wish(pairs=1000, input_price=0.5, output_price=1.5, input_tokens=2000, output_tokens=10))
    # 2000 calls: 4 million tokens in, 20 thousand out.
    assert found.plan.cost_usd == pytest.approx(4 * 0.5 + 0.02 * 1.5)
    assert "$2.03" in describe(found)


def test_a_net_win_names_the_same_plan_as_its_share():
    by_share, by_lead = (plan(Wish(ties=0.3, **one)) for one in ({"win_share": 0.55}, {"net_win": 0.07}))
    assert by_lead.share == pytest.approx(0.55)
    assert by_lead.plan.scenarios == by_share.plan.scenarios


def test_given_the_pairs_it_says_what_they_can_show():
    found = plan(Wish(pairs=2544, ties=0.35, family=8))
    assert (found.exact, found.share, found.plan.power) == (None, None, None)
    assert float(exact_power(1653, found.plan.detectable_share, alpha=0.05 / 8)) == pytest.approx(0.8, abs=1e-4)
    assert found.plan.detectable_net_win == pytest.approx((2 * found.plan.detectable_share - 1) * 0.65)
    assert plan(Wish(pairs=2544, win_share=0.55)).plan.power > 0.99


def test_so_few_that_nothing_can_be_shown():
    text = asked("--pairs", "4")
    assert "nothing" in text
    assert plan(Wish(pairs=5)).plan.detectable_share is None


def test_stopping_by_e_value():
    found = plan(Wish(win_share=0.67, ties=0.5, pairs=400, sequential=True))
    assert found.stopping.unlimited == stopping_time(0.67)
    assert found.stopping.mean_pairs == pytest.approx(76.8 / 0.5, abs=1)
    assert found.stopping.mean_calls + found.stopping.calls_saved == found.plan.calls == 800
    assert found.stopping.calls_saved > 400
    assert "reaches 20" in describe(found)


def test_text_and_json_say_the_same():
    arguments = ["--win-share", "0.6", "--ties", "0.25", "--sequential"]
    found = json.loads(asked(*arguments, "--json"))
    text = asked(*arguments)
    assert found["plan"]["calls"] == plan(Wish(win_share=0.6, ties=0.25)).plan.calls
    assert f"{found['plan']['calls']} judge calls" in text
    assert found["settings"]["ties"] == 0.25
    assert "60.00% of decisive pairs (net win +15.0% of all pairs)" in text


def test_more_scenarios_show_smaller_differences():
    shown = [one.detectable_share for one in plan(Wish(win_share=0.55)).around]
    assert shown == sorted(shown, reverse=True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "say what is to be shown"),
        (["--win-share", "0.6", "--net-win", "0.1"], "not both"),
        (["--win-share", "1.5"], "--win-share"),
        (["--win-share", "0.5"], "too near one half"),
        (["--net-win", "0.9", "--ties", "0.3"], "cannot come from"),
        (["--win-share", "0.6", "--ties", "0.6", "--inconsistent", "0.4"], "no pair with a winner"),
        (["--pairs", "100", "--input-price", "1"], "belong together"),
        (["--pairs", "0"], "--pairs"),
        (["--pairs", "100", "--sequential"], "--sequential needs --win-share or --net-win"),
    ],
)
def test_refuses_what_cannot_be_planned(arguments, says):
    with pytest.raises(ConfigError, match=says):
        CliRunner().invoke(plan_size, arguments, catch_exceptions=False)


def test_the_plan_has_its_power_though_the_number_of_decisive_pairs_is_left_to_chance():
    found = plan(Wish(win_share=0.6, ties=0.3, inconsistent=0.1))
    decisive = np.random.default_rng(1).binomial(found.plan.scenarios, 0.6, size=4000)
    assert exact_power(decisive, 0.6).mean() == pytest.approx(0.8, abs=0.02)


@pytest.mark.slow
def test_the_plan_has_its_power_with_several_rollouts():
    # Scenarios differ in their win share (beta, mean .6) so that two decisive rollouts have a correlation of .3.
    ties, rollouts, concentration = 0.2, 3, 1 / 0.3 - 1
    rng = np.random.default_rng(2)
    # Of scores -1, 0, 1: covariance .64 * 4 * .24 * .3 over variance .8 - .16^2.
    icc = 0.64 * 4 * 0.24 * 0.3 / (0.8 - 0.16**2)
    found = plan(Wish(win_share=0.6, ties=ties, rollouts=rollouts, icc=icc))
    scenarios, shown, runs = found.plan.scenarios, 0, 600
    for _ in range(runs):
        shares = rng.beta(0.6 * concentration, 0.4 * concentration, size=(scenarios, 1))
        won = np.where(rng.random((scenarios, rollouts)) < shares, 1.0, -1.0)
        scores = np.where(rng.random((scenarios, rollouts)) < ties, 0.0, won)
        shown += cluster_test(dict(enumerate(scores)), seed=0).p < 0.05
    assert shown / runs == pytest.approx(0.8, abs=0.05)
