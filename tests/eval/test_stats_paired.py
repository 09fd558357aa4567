"""Paired comparisons: worked examples, properties, slow against fast."""

import math
from itertools import product
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from sage_eval.stats import mcnemar, paired_bootstrap, tango_interval


@st.composite
def changes(draw):
    n = draw(st.integers(1, 200))
    lost = draw(st.integers(0, n))
    return lost, draw(st.integers(0, n - lost)), n


def slow_score(delta, lost, gained, n):
    """Tango's statistic with the nuisance parameter found by searching for the largest likelihood."""
    same = n - lost - gained

    def unlikely(only_base):
        terms = ((lost, only_base), (gained, only_base + delta), (same, 1 - 2 * only_base - delta))
        return -sum(count * math.log(max(p, 1e-300)) for count, p in terms if count)

    bounds = (max(0.0, -delta), (1 - delta) / 2)
    only_base = minimize_scalar(unlikely, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
    return (gained - lost - n * delta) / math.sqrt(n * (2 * only_base + delta * (1 - delta)))


@pytest.mark.parametrize(
    ("lost", "gained", "n", "low", "high"),
    [
        # Published examples (Fagerland, Lydersen, Laake, 2014): airway reactivity, and complete response.
        (7, 1, 21, -0.5172, -0.0260),
        (16, 6, 161, -0.1240, -0.0054),
    ],
)
def test_tango_worked_examples(lost, gained, n, low, high):
    found = tango_interval(lost, gained, n)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_tango_keeps_its_width_when_nothing_changed():
    z2 = NormalDist().inv_cdf(0.975) ** 2
    found = tango_interval(0, 0, 20)
    assert found.high == pytest.approx(z2 / (20 + z2))
    assert found.low == pytest.approx(-found.high)


@pytest.mark.parametrize(("lost", "gained", "n"), [(7, 1, 21), (16, 6, 161), (3, 40, 300), (5, 5, 12)])
def test_tango_limits_against_a_search(lost, gained, n):
    found = tango_interval(lost, gained, n)
    z = NormalDist().inv_cdf(0.975)
    assert slow_score(found.low, lost, gained, n) == pytest.approx(z, abs=1e-3)
    assert slow_score(found.high, lost, gained, n) == pytest.approx(-z, abs=1e-3)


@given(changes())
def test_tango_holds_the_difference_and_mirrors(change):
    lost, gained, n = change
    found, mirrored = tango_interval(lost, gained, n), tango_interval(gained, lost, n)
    assert -1.0 <= found.low <= (gained - lost) / n <= found.high <= 1.0
    assert found.low == pytest.approx(-mirrored.high, abs=1e-9)


@given(changes())
def test_mcnemar_looks_only_at_the_documents_that_changed(change):
    lost, gained, n = change
    assert mcnemar(lost, gained, n).p == mcnemar(lost, gained, n + 1000).p == mcnemar(gained, lost, n).p


def test_mcnemar_by_hand():
    # Ten documents changed, nine for the worse: 2 (1 + 10) / 2^10.
    found = mcnemar(lost=9, gained=1, n=40)
    assert found.p == pytest.approx(22 / 1024)
    assert found.difference == pytest.approx(-0.2)


def test_mcnemar_without_any_change_has_p_one():
    assert mcnemar(0, 0, 10).p == 1.0


@pytest.mark.parametrize("counts", [(3, 3, 5), (0, 0, 0), (-1, 0, 5)])
def test_mcnemar_refuses_counts_that_do_not_fit(counts):
    with pytest.raises(ValueError, match=r"count|fit"):
        mcnemar(*counts)


def test_bootstrap_against_every_possible_resample():
    base, new = np.array([0.0, 1.0, 2.0, 0.5, 1.0]), np.array([0.5, 1.5, 1.0, 2.5, 2.0])
    differences = new - base
    means = np.array([np.mean(sample) for sample in product(differences, repeat=5)])
    found = paired_bootstrap(base, new, seed=1, resamples=200_000)
    assert found.interval.low == pytest.approx(np.quantile(means, 0.025), abs=0.03)
    assert found.interval.high == pytest.approx(np.quantile(means, 0.975), abs=0.03)
    exact_p = np.mean(np.abs(means - differences.mean()) >= abs(differences.mean()) - 1e-12)
    assert found.p == pytest.approx(exact_p, abs=0.01)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=1, max_size=40), st.integers(0, 2**31))
def test_bootstrap_mirrors_and_repeats(pairs, seed):
    base, new = (np.array(side) for side in zip(*pairs, strict=True))
    found = paired_bootstrap(base, new, seed=seed, resamples=200)
    mirrored = paired_bootstrap(new, base, seed=seed, resamples=200)
    assert found == paired_bootstrap(base, new, seed=seed, resamples=200)
    assert found.difference == pytest.approx(-mirrored.difference)
    assert found.p == mirrored.p
    assert found.interval.low == pytest.approx(-mirrored.interval.high, abs=1e-9)


def test_bootstrap_of_equal_scores():
    scores = np.linspace(0.0, 1.0, 50)
    found = paired_bootstrap(scores, scores, seed=0)
    assert (found.difference, found.p) == (0.0, 1.0)


def test_bootstrap_does_not_depend_on_the_size_of_its_blocks(monkeypatch):
    rng = np.random.default_rng(3)
    base, new = rng.normal(size=40), rng.normal(size=40)
    whole = paired_bootstrap(base, new, seed=5, resamples=500)
    monkeypatch.setattr("sage_eval.stats.paired._BLOCK", 400)
    assert paired_bootstrap(base, new, seed=5, resamples=500) == whole


@pytest.mark.parametrize(
    ("base", "new"),
    [
        (np.zeros(3), np.zeros(4)),
        (np.zeros(0), np.zeros(0)),
        (np.array([np.nan]), np.zeros(1)),
        (np.zeros((2, 2)),) * 2,
    ],
)
def test_bootstrap_refuses_what_is_not_paired(base, new):
    with pytest.raises(ValueError, match=r"scores|finite"):
        paired_bootstrap(base, new, seed=0)


@pytest.mark.slow
def test_false_positives_stay_at_the_nominal_rate():
    rng = np.random.default_rng(11)
    trials = 4000
    exact = 0
    for _ in range(trials):
        base, new = rng.integers(0, 2, 80), rng.integers(0, 2, 80)
        exact += mcnemar(int(np.sum(base > new)), int(np.sum(new > base)), 80).p < 0.05
    assert exact / trials <= 0.05
    boot = 0
    for trial in range(trials // 4):
        noise = rng.normal(size=80)
        boot += paired_bootstrap(noise, noise + rng.normal(size=80), seed=trial, resamples=500).p < 0.05
    # The bootstrap is only asymptotically right: two points of slack, as for the intervals.
    assert boot / (trials // 4) <= 0.07
