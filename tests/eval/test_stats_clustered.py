"""Several rollouts a scenario: by hand, degenerate cases, properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student
from statsmodels.api import OLS

from sage_eval.stats import cluster_interval, cluster_test, sign_test
from sage_eval.stats.clustered import likeness, ratio_variance
from sage_eval.verdict import Choice, Verdict, combine

scores = st.dictionaries(
    st.integers(0, 30), st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=0, max_size=5), max_size=12
)


def test_by_hand():
    # Means 1, 1/3, -1/2: in sixths 6, 2, -3. Sums of all signs: 11, 7, 5, 1 and their negatives; 5 is seen.
    found = cluster_test({"s1": [1], "s2": [1, 1, -1], "s3": [0, -1], "s4": []}, seed=0)
    assert (found.n, found.scores, found.empty) == (3, 6, 1)
    assert found.mean == pytest.approx(5 / 18)
    assert found.p == pytest.approx(6 / 8)
    assert found.half_tie_score == pytest.approx((1 + 5 / 18) / 2)
    assert found.standard_error == pytest.approx(np.std([1, 1 / 3, -1 / 2], ddof=1) / np.sqrt(3))


def test_one_rollout_a_scenario_is_the_sign_test_and_bonett_and_prices_interval():
    # 8 losses, 20 wins, 12 of neither. Bonett and Price (2012): one more win and one more loss, then Wald's interval;
    # here with Student's quantile and the two made-up pairs as clusters, n + 2 over n + 1.
    found = cluster_test({i: [one] for i, one in enumerate([-1] * 8 + [1] * 20 + [0] * 12)}, seed=0)
    assert found.p == pytest.approx(sign_test(8, 20).p)
    assert found.log_p == pytest.approx(sign_test(8, 20).log_p)
    won, lost = 21 / 42, 9 / 42
    error = np.sqrt((won + lost - (won - lost) ** 2) / 41)
    half = student.ppf(0.975, 39) * error
    assert found.interval.low == pytest.approx(won - lost - half)
    assert found.interval.high == pytest.approx(won - lost + half)
    assert found.p_t == pytest.approx(2 * student.sf((won - lost) / error, 39))


@pytest.mark.parametrize("empty", [{}, {"a": []}])
def test_no_score_is_a_result(empty):
    found = cluster_test(empty, seed=0)
    assert not found.decidable
    assert found.reason == "undecidable: no scenario has a score"
    assert (found.n, found.mean, found.interval, found.p, found.p_t, found.standard_error) == (0, *[None] * 5)
    assert found.empty == len(empty)


def test_nothing_but_ties_is_a_result_with_an_interval():
    found = cluster_test({"a": [0], "b": [0, 0], "c": [1, -1]}, seed=0)
    assert (found.decidable, found.mean, found.p) == (False, 0.0, None)
    assert found.reason == "undecidable: every scenario's mean is 0"
    assert found.interval.low < -0.5
    assert found.interval.high > 0.5


def test_one_scenario_shows_nothing_however_many_rollouts():
    found = cluster_test({"a": [1] * 100}, seed=0)
    assert (found.p, found.p_t, found.mean) == (pytest.approx(1.0), None, 1.0)
    assert (found.interval.low, found.interval.high) == (-1.0, 1.0)


def test_scenarios_that_all_agree_keep_an_interval():
    found = cluster_test({i: [1, 1, 1] for i in range(12)}, seed=0)
    assert found.interval.high == 1.0
    assert 0.2 < found.interval.low < 0.9
    assert found.p == pytest.approx(2.0**-11)


@given(scores)
def test_exchanging_the_models_mirrors_it(rated):
    one, other = cluster_test(rated, seed=0), cluster_test({k: [-x for x in v] for k, v in rated.items()}, seed=0)
    assert one.p == pytest.approx(other.p)
    if one.interval is not None:
        assert one.mean == pytest.approx(-other.mean)
        assert one.p_t == pytest.approx(other.p_t)
        assert one.interval.low == pytest.approx(-other.interval.high)
        assert -1 <= one.interval.low <= one.mean + 1e-12
        assert one.mean - 1e-12 <= one.interval.high <= 1


@given(scores, st.randoms())
def test_names_and_order_of_scenarios_do_not_matter(rated, rng):
    renamed = [(f"s{k}", v) for k, v in rated.items()]
    rng.shuffle(renamed)
    one, other = cluster_test(rated, seed=0), cluster_test(dict(renamed), seed=0)
    assert (one.n, one.scores, one.empty) == (other.n, other.scores, other.empty)
    assert one.p == pytest.approx(other.p)
    assert one.p_t == pytest.approx(other.p_t)


@given(scores)
def test_the_interval_misses_zero_exactly_when_the_t_test_says_so(rated):
    found = cluster_test(rated, seed=0)
    if found.p_t is not None and abs(found.p_t - 0.05) > 1e-9:
        assert (0.0 in found.interval) == (found.p_t > 0.05)


def test_repeating_each_rollout_adds_no_evidence():
    rated = {i: [1, 1, 0] if i % 3 else [-1, 0, 0] for i in range(20)}
    once, tenfold = cluster_test(rated, seed=0), cluster_test({k: v * 10 for k, v in rated.items()}, seed=0)
    assert tenfold.p == pytest.approx(once.p)
    assert tenfold.standard_error == pytest.approx(once.standard_error)


def test_both_orders_cannot_become_two_votes():
    # The verdict is of the pair: two calls that agree make one win, and two that do not make none.
    assert combine(Choice.FIRST, Choice.SECOND) is Verdict.A
    assert combine(Choice.FIRST, Choice.FIRST) is Verdict.INCONSISTENT
    # Given as rollouts of their scenario they weigh no more than one.
    once = cluster_test({i: [1] if i < 15 else [-1] for i in range(20)}, seed=0)
    twice = cluster_test({i: [1, 1] if i < 15 else [-1, -1] for i in range(20)}, seed=0)
    assert twice.p == pytest.approx(once.p)
    assert sign_test(10, 30).p < sign_test(5, 15).p == pytest.approx(once.p)


@pytest.mark.parametrize("wrong", [[1.5], [float("nan")], [-2]])
def test_refuses_scores_that_are_none(wrong):
    with pytest.raises(ValueError, match="score"):
        cluster_test({"a": wrong}, seed=0)


def test_ratio_variance_as_another_library_has_it():
    # Clusters of equal size: CR1, which it offers, and CR2 are the same there.
    rng = np.random.default_rng(1)
    values, ids = rng.normal(size=60), np.repeat(np.arange(12), 5)
    fitted = OLS(values, np.ones(60)).fit(cov_type="cluster", cov_kwds={"groups": ids})
    sums = np.bincount(ids, weights=values)
    assert ratio_variance(sums, np.full(12, 5.0)) == pytest.approx(float(fitted.bse[0]) ** 2)


def test_likeness_runs_from_independent_to_identical_rollouts():
    rng = np.random.default_rng(2)
    apart = rng.choice([-1.0, 1.0], size=(4000, 4))
    assert likeness(apart.ravel(), apart.mean(axis=1)) == pytest.approx(1 / 4, abs=0.02)
    same = np.repeat(apart[:, :1], 4, axis=1)
    assert likeness(same.ravel(), same.mean(axis=1)) == pytest.approx(1.0)
    assert likeness(np.ones(4), np.ones(2)) == 1.0


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=20), st.integers(1, 9))
def test_more_rollouts_behind_the_same_means_never_widen_the_interval_beyond_its_bounds(means, rollouts):
    found = cluster_interval(np.array(means), rollouts)
    assert -1 <= found.low < found.high <= 1
