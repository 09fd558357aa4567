"""Net win and worst cases: by hand, properties, and every way that failed pairs could have come out."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sage_eval.stats import net_win, sign_test, tango_interval, worst_case

counts = st.integers(0, 60)


def test_the_papers_first_row():
    # Table 1, GPT-3.5, SAGE_0 against SAGE_1: 688 losses and 964 wins among 2544.
    found = net_win(688, 964, 892)
    assert (found.n, found.net_win) == (2544, pytest.approx(276 / 2544))
    assert found.half_tie_score == pytest.approx((964 + 892 / 2) / 2544)
    # By hand: the score interval of so many pairs is near Wald's, 1.96 sqrt((964 + 688 - 276^2 / 2544) / 2544^2).
    half = 1.959964 * ((1652 - 276**2 / 2544) ** 0.5) / 2544
    assert found.interval.low == pytest.approx(276 / 2544 - half, abs=2e-4)
    assert found.interval.high == pytest.approx(276 / 2544 + half, abs=2e-4)


@given(counts, counts, counts)
def test_exchanging_the_models_mirrors_it(wins_a, wins_b, neither):
    one, other = net_win(wins_a, wins_b, neither), net_win(wins_b, wins_a, neither)
    if one.n == 0:
        assert (one.net_win, one.interval, one.half_tie_score) == (None, None, None)
        return
    assert one.net_win == -other.net_win
    assert one.interval.low == pytest.approx(-other.interval.high, abs=1e-9)
    assert one.half_tie_interval.low == pytest.approx(1 - other.half_tie_interval.high, abs=1e-9)
    assert one.half_tie_interval.low <= one.half_tie_score <= one.half_tie_interval.high
    assert -1 <= one.interval.low <= one.net_win <= one.interval.high <= 1


@given(counts, counts, counts)
def test_another_win_of_b_never_moves_the_interval_down(wins_a, wins_b, neither):
    before, after = net_win(wins_a, wins_b, neither + 1), net_win(wins_a, wins_b + 1, neither)
    assert after.interval.low >= before.interval.low - 1e-9
    assert after.interval.high >= before.interval.high - 1e-9


def test_ties_widen_nothing_to_a_point():
    assert net_win(0, 0, 40).interval == tango_interval(0, 0, 40)
    assert net_win(0, 0, 40).interval.high > 0.08


small = st.integers(0, 7)


@settings(max_examples=30)
@given(small, small, small, st.integers(0, 5))
def test_worst_case_against_every_way_the_failed_pairs_could_go(wins_a, wins_b, neither, failed):
    found = worst_case(wins_a, wins_b, neither, failed)
    ways = [(a, b) for a, b in product(range(failed + 1), repeat=2) if a + b <= failed]
    tests = [sign_test(wins_a + a, wins_b + b) for a, b in ways]
    if wins_a + wins_b == 0:
        assert (found.largest_p, found.holds) == (None, False)
        return
    assert found.largest_p == pytest.approx(max(test.p for test in tests))
    total = wins_a + wins_b + neither + failed
    leads = [(wins_b + b - wins_a - a) / total for a, b in ways]
    assert found.net_win == pytest.approx((min(leads), max(leads)))
    shares = [test.share_b for test in tests]
    assert found.share_b == pytest.approx((min(shares), max(shares)))


def test_a_claim_that_failures_could_undo_does_not_hold():
    assert sign_test(10, 25).p < 0.05
    assert worst_case(10, 25, 5, 0).holds
    assert not worst_case(10, 25, 5, 10).holds
    assert worst_case(10, 25, 5, 10).largest_p > 0.05
    assert worst_case(100, 250, 5, 10).holds


def test_without_any_pair_there_is_no_bound():
    found = worst_case(0, 0, 0, 0)
    assert (found.net_win, found.share_b, found.interval, found.largest_p, found.holds) == (
        None,
        None,
        None,
        None,
        False,
    )


@pytest.mark.parametrize("wrong", [{"failed": -1}, {"neither": -1}, {"alpha": 0.0}, {"level": 1.0}])
def test_refuses_what_has_no_meaning(wrong):
    with pytest.raises(ValueError, match=r"count|alpha|level"):
        worst_case(**({"wins_a": 1, "wins_b": 2, "neither": 0, "failed": 0} | wrong))
