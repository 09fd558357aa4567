"""Paired comparisons: worked examples, properties, slow against fast."""

import math
from itertools import product
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import norm
from scipy.stats import t as student
from statsmodels.stats.contingency_tables import mcnemar as oracle

from sage_eval.stats import mcnemar, paired_bootstrap, tango_interval
from sage_eval.stats.paired import tango_score


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
    means = np.array([np.mean(sample) for sample in product(new - base, repeat=5)])
    found = paired_bootstrap(base, new, seed=1, resamples=200_000, level=0.8)
    # Hesterberg's widening for five documents: Student's quantile with 4 degrees of freedom, times sqrt(5 / 4).
    ranks = norm.cdf(np.sqrt(5 / 4) * student.ppf([0.1, 0.9], 4))
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(np.quantile(means, ranks)), abs=0.03)
    # Sums of every pattern of signs of .5, .5, 1, 2 and 1: 3 is seen, and 8 of 32 patterns reach it on either side.
    sums = [abs(np.dot(signs, new - base)) for signs in product((-1, 1), repeat=5)]
    assert found.p == pytest.approx(np.mean(np.array(sums) >= 3 - 1e-9))


def test_few_documents_that_all_gained_the_same_prove_nothing():
    # A bootstrap p would be at its smallest: its resamples show no spread.
    assert paired_bootstrap(np.zeros(5), np.full(5, 0.1), seed=0).p == pytest.approx(2 / 32)


@given(changes())
def test_mcnemar_as_another_library_has_it(change):
    lost, gained, n = change
    if lost + gained:
        assert mcnemar(lost, gained, n).p == pytest.approx(oracle([[n, lost], [gained, 0]], exact=True).pvalue)


@given(changes(), st.sampled_from([0.0, 0.5, 1.0]))
def test_tango_limits_with_a_correction_lie_further_out(change, correction):
    lost, gained, n = change
    plain, corrected = tango_interval(lost, gained, n), tango_interval(lost, gained, n, correction=correction)
    assert corrected.low <= plain.low + 1e-9
    assert corrected.high >= plain.high - 1e-9
    if corrected.low > -1.0:
        # It is the limit at which the corrected score is at the quantile.
        score = tango_score(corrected.low, lost, gained, n, correction)
        assert score == pytest.approx(NormalDist().inv_cdf(0.975), abs=1e-4)


def test_results_carry_their_settings():
    assert paired_bootstrap(np.zeros(3), np.ones(3), seed=7, resamples=10).as_dict()["seed"] == 7
    assert '"method": "mcnemar"' in mcnemar(3, 1, 10).to_json()


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
