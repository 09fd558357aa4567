"""The sign test and its intervals: worked examples, properties, slow against fast."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from sage_eval.stats import exact_interval, sign_test, wilson_interval

counts = st.integers(0, 300)
wins = st.tuples(counts, counts).filter(lambda pair: sum(pair) > 0)


def slow_p(wins_a, wins_b):
    """Add up every outcome of a fair coin that is no likelier than the one seen, in exact fractions."""
    n = wins_a + wins_b
    ways = [math.comb(n, k) for k in range(n + 1)]
    return Fraction(sum(way for way in ways if way <= ways[wins_b]), 2**n)


@pytest.mark.parametrize(
    ("wins_a", "wins_b", "p"),
    [
        (688, 964, 1.19e-11),  # the paper's Table 1: the one starred row of GPT-3.5 that holds as printed
        (823, 869, 0.274),  # starred in the paper, yet no difference
        (542, 1103, 3.34e-44),
        (473, 887, 1.52e-29),
        (0, 5, 0.0625),  # five pairs can never reach .05
        (1, 9, 22 / 1024),  # by hand: 2 (1 + 10) / 2^10
        (4, 4, 1.0),
    ],
)
def test_worked_examples(wins_a, wins_b, p):
    assert sign_test(wins_a, wins_b).p == pytest.approx(p, rel=5e-3)


@given(wins)
def test_agrees_with_exact_fractions(pair):
    test = sign_test(*pair)
    assert test.p == pytest.approx(float(slow_p(*pair)), rel=1e-9)
    assert test.log_p == pytest.approx(math.log(slow_p(*pair)), abs=1e-8)


@given(wins)
def test_exchanging_the_models_changes_nothing_but_the_share(pair):
    one, other = sign_test(*pair), sign_test(*pair[::-1])
    assert one.p == other.p
    assert one.log_p == pytest.approx(other.log_p)
    assert one.share_b == pytest.approx(1.0 - other.share_b)
    assert one.wilson.low == pytest.approx(1.0 - other.wilson.high, abs=1e-12)
    assert one.exact.high == pytest.approx(1.0 - other.exact.low, abs=1e-12)


@given(counts, st.integers(0, 300), st.integers(1, 50))
def test_a_larger_lead_is_never_weaker_evidence(wins_b, extra, more):
    ahead, further = sign_test(wins_b, wins_b + extra), sign_test(wins_b, wins_b + extra + more)
    if ahead.decidable:
        assert further.p <= ahead.p + 1e-12


@given(wins)
def test_intervals_hold_the_share_and_the_exact_one_agrees_with_the_test(pair):
    test = sign_test(*pair)
    assert test.share_b in test.wilson
    assert test.share_b in test.exact
    if test.p >= 0.05:
        # Clopper-Pearson inverts two one-sided tests at .025 each, which is this test at .05 for a fair coin.
        assert 0.5 in test.exact


def test_no_decisive_pair_is_a_result():
    test = sign_test(0, 0)
    assert not test.decidable
    assert (test.n, test.p, test.log_p, test.share_b, test.wilson, test.exact) == (0, None, None, None, None, None)


def test_log_p_is_finite_where_p_underflows():
    test = sign_test(0, 5000)
    assert test.p == 0.0
    assert test.log_p == pytest.approx(math.log(2) - 5000 * math.log(2))


def test_wilson_by_hand():
    # Wilson (1927) at z = 1.96: centre (x + z^2/2) / (n + z^2), half-width z sqrt(x (n - x) / n + z^2/4) / (n + z^2).
    z, x, n = 1.959963984540054, 15, 50
    centre = (x + z * z / 2) / (n + z * z)
    half = z * math.sqrt(x * (n - x) / n + z * z / 4) / (n + z * z)
    found = wilson_interval(x, n)
    assert (found.low, found.high) == (pytest.approx(centre - half), pytest.approx(centre + half))


def test_exact_interval_by_hand():
    # With no success in n, the upper limit solves (1 - p)^n = .025.
    found = exact_interval(0, 20)
    assert found.low == 0.0
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 20))


@pytest.mark.parametrize("arguments", [(-1, 3), (3, -1)])
def test_refuses_negative_counts(arguments):
    with pytest.raises(ValueError, match="count"):
        sign_test(*arguments)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_refuses_impossible_levels(level):
    with pytest.raises(ValueError, match="level"):
        sign_test(1, 2, level)


def test_the_library_alone_would_crash_without_a_decisive_pair():
    with pytest.raises(ValueError, match="n"):
        binomtest(0, 0)
    assert not sign_test(0, 0).decidable


@pytest.mark.parametrize("n", range(1, 6))
def test_five_pairs_can_never_reach_the_usual_bound(n):
    found = [sign_test(wins, n - wins) for wins in range(n + 1)]
    assert min(test.p for test in found) == found[0].smallest_p > 0.05
    assert sign_test(0, 6).smallest_p < 0.05


@given(wins, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_intervals_as_another_library_has_them(pair, level):
    test = sign_test(*pair, level)
    wilson = proportion_confint(pair[1], sum(pair), 1 - level, method="wilson")
    exact = proportion_confint(pair[1], sum(pair), 1 - level, method="beta")
    assert (test.wilson.low, test.wilson.high) == pytest.approx(wilson, abs=1e-10)
    assert (test.exact.low, test.exact.high) == pytest.approx(exact, abs=1e-10)


def test_it_carries_its_settings_and_prints():
    test = sign_test(1, 9, 0.9)
    assert test.as_dict() | {"n": 10, "level": 0.9, "seed": None, "decidable": True} == test.as_dict()
    assert "0.0214844" in str(test)
    assert '"p": null' in sign_test(0, 0).to_json()
