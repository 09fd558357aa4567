"""How many pairs are needed: formulas by hand, every outcome counted, other people's code, properties."""

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.proportion import binom_test_reject_interval

from sage_eval.stats import (
    design_effect,
    detectable_share,
    exact_pairs,
    exact_power,
    formula_pairs,
    pairs_to_judge,
    power_curve,
    share_of_net_win,
)
from sage_eval.stats.power import critical_wins


@pytest.mark.parametrize(
    ("share", "pairs"),
    [
        (0.55, 783),  # ((1.96 / 2 + .8416 sqrt(.2475)) / .05)^2 = 782.5
        (0.52, 4904),
        (0.45, 783),
    ],
)
def test_the_normal_formula(share, pairs):
    assert formula_pairs(share) == pairs


def test_noethers_textbook_case():
    # Noether (JASA 82, 1987) for the sign test: n = (z_a + z_b)^2 / (4 (p - 1/2)^2), which takes the null's variance
    # on both sides: 1.645, 1.282 and p = .7 give 54; the formula here is a little below it.
    assert pytest.approx(53.5, abs=0.1) == (1.645 + 1.282) ** 2 / (4 * 0.2**2)
    assert 45 <= formula_pairs(0.7, alpha=0.1, power=0.9) <= 54


def slow_power(n, share, alpha):
    reached = [wins for wins in range(n + 1) if binomtest(wins, n).pvalue < alpha]
    return sum(comb(n, wins) * share**wins * (1 - share) ** (n - wins) for wins in reached)


@settings(max_examples=40)
@given(st.integers(1, 60), st.floats(0, 1), st.sampled_from([0.001, 0.01, 0.05, 0.2]))
def test_exact_power_counts_every_outcome(n, share, alpha):
    assert float(exact_power(n, share, alpha=alpha)) == pytest.approx(slow_power(n, share, alpha), abs=1e-9)


@given(st.integers(6, 3000), st.sampled_from([0.01, 0.05]))
def test_critical_wins_as_another_library_has_them(n, alpha):
    low, _ = binom_test_reject_interval(0.5, n, alpha)
    # Theirs is the first count that is not rejected less one; a p of exactly alpha is not below it.
    assert critical_wins(np.array([n]), alpha)[0] in (low, low - 1)
    assert binomtest(int(critical_wins(np.array([n]), alpha)[0]), n).pvalue < alpha if low >= 0 else True


@pytest.mark.parametrize("share", [0.55, 0.6, 0.75, 0.95])
@pytest.mark.parametrize("alpha", [0.05, 0.00625])
def test_exact_pairs_keep_the_power_from_there_on(share, alpha):
    found = exact_pairs(share, alpha=alpha)
    after = exact_power(np.arange(found, found + 600), share, alpha=alpha)
    assert after.min() >= 0.8
    assert float(exact_power(found - 1, share, alpha=alpha)) < 0.8
    assert found >= formula_pairs(share, alpha=alpha) * 0.9


def test_exact_pairs_against_known_values():
    assert (exact_pairs(0.55), exact_pairs(0.52)) == (820, 4984)
    # A certain win needs six: five can never reach .05.
    assert exact_pairs(0.9999) == 6


@given(st.integers(0, 5))
def test_five_pairs_can_show_nothing(n):
    assert detectable_share(n) is None


@settings(max_examples=30)
@given(st.integers(6, 4000), st.sampled_from([0.5, 0.8, 0.95]), st.sampled_from([0.005, 0.05]))
def test_the_detectable_share_has_the_power(n, power, alpha):
    found = detectable_share(n, power=power, alpha=alpha)
    if found is None:
        assert binomtest(0, n).pvalue >= alpha
        return
    assert float(exact_power(n, found, alpha=alpha)) == pytest.approx(power, abs=1e-5)


@given(st.integers(10, 2000), st.floats(0.5, 0.9), st.floats(0.001, 0.09))
def test_power_rises_with_the_lead_and_does_not_know_the_models_names(n, share, more):
    one, further = float(exact_power(n, share)), float(exact_power(n, share + more))
    assert further >= one - 1e-9
    assert float(exact_power(n, 1 - share)) == pytest.approx(one)


def test_the_formula_is_near_the_exact_count():
    for share in (0.52, 0.55, 0.6, 0.65):
        assert exact_pairs(share) == pytest.approx(formula_pairs(share), rel=0.15)


def test_curve():
    curve = power_curve(0.55, [100, 783, 2000])
    assert curve.n == (100, 783, 2000)
    assert curve.power == pytest.approx([float(exact_power(n, 0.55)) for n in curve.n])
    assert curve.power[1] == pytest.approx(0.8, abs=0.02)


def test_design_effect_and_pairs_by_hand():
    # Kish (1965): 1 + (m - 1) rho. 783 / .7 pairs with a winner; three rollouts at .3 count 3 / 1.6 scenarios.
    assert design_effect(3, 0.3) == pytest.approx(1.6)
    assert pairs_to_judge(783, 0.7) == 1119
    assert pairs_to_judge(783, 0.7, rollouts=3, correlation=0.3) == 597
    assert pairs_to_judge(783, 0.7, rollouts=3, correlation=1.0) == 1119
    assert pairs_to_judge(783, 1.0, rollouts=3) == 261


@given(st.integers(1, 5000), st.floats(0.05, 1), st.integers(1, 9), st.floats(0, 1))
def test_rollouts_never_count_as_more_than_as_many_scenarios(decisive, share, rollouts, correlation):
    scenarios = pairs_to_judge(decisive, share, rollouts, correlation)
    assert scenarios <= pairs_to_judge(decisive, share)
    assert scenarios * rollouts >= decisive


def test_share_of_a_net_win():
    assert share_of_net_win(0.1, 1.0) == pytest.approx(0.55)
    assert share_of_net_win(0.1, 0.5) == pytest.approx(0.6)
    with pytest.raises(ValueError, match="net win"):
        share_of_net_win(0.5, 0.4)


@pytest.mark.parametrize("wrong", [{"share": 0.5}, {"share": 0.5001}, {"share": 1.0}, {"alpha": 0.0}, {"power": 1.0}])
def test_refuses_what_cannot_be_planned(wrong):
    with pytest.raises(ValueError, match=r"share|alpha|power"):
        exact_pairs(**({"share": 0.6} | wrong))


@pytest.mark.parametrize("wrong", [(0, 0.1), (2, 1.5)])
def test_refuses_impossible_designs(wrong):
    with pytest.raises(ValueError, match="rollout"):
        design_effect(*wrong)
    with pytest.raises(ValueError, match="decisive"):
        pairs_to_judge(10, 0.0)
