"""The sign-flip test: Fisher's example, every pattern, properties, other people's code."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import permutation_test

from sage_eval.stats import flip_test, sign_test

# Fisher, The Design of Experiments (1935), section 21: Darwin's fifteen pairs of plants, in eighths of an inch.
DARWIN = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], dtype=float)

rounds = st.lists(st.integers(-12, 12), min_size=1, max_size=10)


def slow_p(scores):
    sums = [abs(np.dot(signs, scores)) for signs in product((-1, 1), repeat=len(scores))]
    return np.mean(np.array(sums) >= abs(np.sum(scores)) - 1e-9)


def test_fishers_example():
    # He counts 863 of the 32768 patterns with a sum of 314 or more: the same on the other side.
    found = flip_test(DARWIN, seed=0)
    assert found.method == "exact"
    assert found.p == pytest.approx(2 * 863 / 2**15, rel=1e-9)


@given(rounds)
def test_against_every_pattern(scores):
    found = flip_test(np.array(scores, dtype=float), seed=0)
    if not any(scores):
        assert (found.p, found.method, found.n) == (None, "none", 0)
        return
    assert found.p == pytest.approx(slow_p(scores), rel=1e-9)
    assert found.log_p == pytest.approx(math.log(found.p), abs=1e-9)


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=9))
def test_scores_without_a_common_unit_too(scores):
    values = np.array(scores)
    found = flip_test(values, seed=0)
    if found.p is not None and np.abs(values[values != 0]).min() > 1e-6:
        assert found.p == pytest.approx(slow_p(values), rel=1e-6)


@given(st.integers(0, 300), st.integers(0, 300))
def test_wins_and_losses_make_it_the_sign_test(wins_a, wins_b):
    found = flip_test(np.repeat([-1.0, 1.0, 0.0], [wins_a, wins_b, 5]), seed=0)
    test = sign_test(wins_a, wins_b)
    assert (found.p is None) == (test.p is None)
    if test.p is not None:
        assert found.p == pytest.approx(test.p, rel=1e-8)
        assert found.log_p == pytest.approx(test.log_p, abs=1e-7)


@pytest.mark.parametrize("wins", [(0, 5000), (10, 4990)])
def test_log_p_is_finite_where_p_underflows(wins):
    found = flip_test(np.repeat([-1.0, 1.0], wins), seed=0)
    assert found.p == 0.0
    assert found.log_p == pytest.approx(sign_test(*wins).log_p, rel=1e-9)


@given(rounds, st.floats(0.01, 100))
def test_exchanging_the_models_order_and_unit_change_nothing(scores, unit):
    values = np.array(scores, dtype=float)
    p = flip_test(values, seed=0).p
    for other in (-values, values[::-1].copy(), values * unit):
        assert flip_test(other, seed=0).p == pytest.approx(p)


@given(rounds.filter(lambda scores: sum(scores) >= 0), st.integers(0, 9))
def test_a_loss_turned_to_a_win_is_never_weaker_evidence(scores, place):
    better = list(scores)
    better[place % len(scores)] = abs(better[place % len(scores)])
    before, after = (flip_test(np.array(one, dtype=float), seed=0).p for one in (scores, better))
    if before is not None:
        assert after <= before + 1e-9


def test_as_another_library_draws_it():
    rng = np.random.default_rng(4)
    scores = rng.normal(0.2, 1, size=60)
    found = flip_test(scores, seed=1, resamples=20_000)
    assert (found.method, found.seed, found.resamples) == ("monte-carlo", 1, 20_000)
    other = permutation_test(
        (scores,), np.sum, permutation_type="samples", n_resamples=20_000, rng=np.random.default_rng(2)
    )
    assert found.p == pytest.approx(other.pvalue, abs=0.01)
    assert found == flip_test(scores, seed=1, resamples=20_000)


def test_drawing_does_not_depend_on_the_size_of_its_blocks(monkeypatch):
    scores = np.random.default_rng(5).normal(size=50)
    whole = flip_test(scores, seed=3, resamples=999)
    monkeypatch.setattr("sage_eval.stats.flips._BLOCK", 700)
    assert flip_test(scores, seed=3, resamples=999).p == pytest.approx(whole.p, abs=0.05)


def test_thousands_of_means_of_unequal_numbers_of_rollouts_are_exact_and_quick():
    rng = np.random.default_rng(6)
    scores = np.array([rng.integers(-1, 2, rollouts).mean() for rollouts in rng.integers(1, 6, 2500)])
    found = flip_test(scores, seed=0)
    assert found.method == "exact"
    drawn = np.abs((rng.integers(0, 2, (4000, 2500)) * 2 - 1) @ scores)
    assert found.p == pytest.approx(np.mean(drawn >= abs(scores.sum())), abs=0.03)


def test_rounding_is_no_score():
    assert flip_test(np.array([1.0, 1.0, 0.1 + 0.2 - 0.3]), seed=0).n == 2


def test_refuses_what_is_not_finite():
    with pytest.raises(ValueError, match="finite"):
        flip_test(np.array([1.0, np.nan]), seed=0)
