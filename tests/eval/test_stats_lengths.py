"""The length-adjusted result: planted truth, the slow way, other people's code, and data that cannot tell."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from sage_eval.stats.lengths import SMALLEST, length_adjusted, logistic


def planted(n=600, *, intercept=0.0, slope=1.0, mean=15.0, spread=30.0, seed=0):
    """B wins with log-odds intercept + slope * tanh(difference / spread)."""
    rng = np.random.default_rng(seed)
    difference = rng.normal(mean, spread, n)
    won = rng.random(n) < 1 / (1 + np.exp(-intercept - slope * np.tanh(difference / spread)))
    return won.tolist(), [100.0] * n, (100.0 + difference).tolist()


def test_statsmodels_says_the_same():
    won, a, b = planted(200)
    found = length_adjusted(won, a, b)
    difference = np.array(b) - np.array(a)
    fitted = sm.Logit(np.array(won, float), sm.add_constant(np.tanh(difference / difference.std(ddof=1)))).fit(disp=0)
    assert found.coefficient == pytest.approx(fitted.params[1], abs=1e-6)
    assert found.adjusted_share_b == pytest.approx(1 / (1 + np.exp(-fitted.params[0])), abs=1e-8)
    assert (found.p, found.coefficient_p) == pytest.approx(tuple(fitted.pvalues), rel=1e-6)
    assert found.scale == pytest.approx(difference.std(ddof=1))


def test_statsmodels_says_the_same_of_clusters():
    won, a, b = planted(300)
    clusters = [index // 3 for index in range(300)]
    found = length_adjusted(won, a, b, clusters=clusters)
    difference = np.array(b) - np.array(a)
    design = sm.add_constant(np.tanh(difference / difference.std(ddof=1)))
    fitted = sm.Logit(np.array(won, float), design).fit(
        disp=0, cov_type="cluster", cov_kwds={"groups": np.array(clusters), "use_correction": False}
    )
    width = found.coefficient_interval.high - found.coefficient
    assert width == pytest.approx(fitted.bse[1] * np.sqrt(100 / 99) * 1.98422, rel=1e-5)  # t with 99 df
    assert found.clusters == 100


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_newton_finds_what_a_general_optimiser_finds(seed):
    rng = np.random.default_rng(seed)
    design = np.stack([np.ones(60), rng.normal(size=60)], axis=1)
    outcome = (rng.random(60) < 0.5).astype(float)
    beta, _ = logistic(outcome, design)
    slow = minimize(lambda b: np.logaddexp(0, design @ b).sum() - outcome @ design @ b, np.zeros(2), method="BFGS")
    assert beta == pytest.approx(slow.x, abs=1e-4)


def test_a_win_by_length_alone_vanishes_at_equal_length():
    found = length_adjusted(*planted(3000, slope=1.5))
    assert found.share_b > 0.58
    assert 0.5 in found.interval
    assert found.p > 0.05
    assert found.coefficient_p < 1e-6
    assert 1.5 in found.coefficient_interval


def test_a_real_win_survives():
    found = length_adjusted(*planted(3000, intercept=0.5, slope=0.0))
    assert found.adjusted_share_b == pytest.approx(0.62, abs=0.03)
    assert found.p < 1e-6
    assert 0.0 in found.coefficient_interval


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_swapping_the_models_mirrors_the_result(seed):
    won, a, b = planted(80, seed=seed)
    one, other = length_adjusted(won, a, b), length_adjusted([not win for win in won], b, a)
    assert other.adjusted_share_b == pytest.approx(1 - one.adjusted_share_b)
    assert other.coefficient == pytest.approx(one.coefficient)
    assert (other.p, other.coefficient_p) == pytest.approx((one.p, one.coefficient_p))
    assert other.interval.low == pytest.approx(1 - one.interval.high)


def test_the_unit_of_length_does_not_matter():
    won, a, b = planted(100)
    one = length_adjusted(won, a, b)
    other = length_adjusted(won, [7 * x for x in a], [7 * x for x in b])
    assert other.adjusted_share_b == pytest.approx(one.adjusted_share_b)
    assert other.scale == pytest.approx(7 * one.scale)


@pytest.mark.parametrize(
    ("won", "difference", "reason"),
    [
        ([], [], "0 decisive pairs"),
        ([True, False] * 9, [1.0, 2.0] * 9, f"at least {SMALLEST}"),
        ([True] * 30, list(range(30)), "won every decisive pair"),
        ([True, False] * 15, [5.0] * 30, "the same in all pairs"),
        ([True, False] * 15, [0.0] * 30, "the same in all pairs"),
        ([True, False, False] * 10, list(range(1, 31)), "B is longer in every pair"),
        ([True, False, False] * 10, list(range(-30, 0)), "A is longer in every pair"),
        ([True] * 15 + [False] * 15, [*range(1, 16), *range(-15, 0)], "length alone"),
        ([True] * 15 + [False] * 15, [*range(0, 15), *range(-14, 1)], "length alone"),
        ([False] * 15 + [True] * 15, [*range(1, 16), *range(-15, 0)], "length alone"),
    ],
)
def test_what_cannot_be_estimated_says_why(won, difference, reason):
    found = length_adjusted(won, [0.0] * len(won), [float(one) for one in difference])
    assert not found.estimable
    assert (found.adjusted_share_b, found.interval, found.p, found.coefficient) == (None, None, None, None)
    assert reason in found.reason
    assert found.share_b == (sum(won) / len(won) if won else None)
    assert found.to_json()


def test_many_samples_of_few_scenarios_are_few():
    won, a, b = planted(200)
    found = length_adjusted(won, a, b, clusters=[index % 10 for index in range(200)])
    assert "10 decisive pairs or clusters" in found.reason


def test_an_overlap_that_tanh_flattens_is_no_crash():
    difference = [-1.0] * 3 + [5000.0 + index for index in range(60)]
    found = length_adjusted([False] * 3 + [True, False] * 30, [0.0] * 63, difference)
    assert found.estimable or found.reason


def test_separable_data_have_no_estimate():
    with pytest.raises(ValueError, match="separable"):
        logistic(np.array([0.0, 0.0, 1.0, 1.0]), np.array([[1.0, -2], [1, -1], [1, 1], [1, 2]]))


@pytest.mark.parametrize("lengths", [[1.0, float("nan")], [1.0]])
def test_lengths_must_be_numbers(lengths):
    with pytest.raises(ValueError, match="finite lengths"):
        length_adjusted([True, False], [1.0, 1.0], lengths)
