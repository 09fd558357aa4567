"""Documents in clusters and strata: other people's code, slow against fast, degenerate cases, properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student
from statsmodels.api import OLS

from sage_eval.stats import flip_test, grouped_difference, mcnemar
from sage_eval.stats.grouped import degrees_of_freedom

QUICK = {"seed": 3, "resamples": 300}


def answers(sizes, gain=0.0, seed=0):
    """Right and wrong answers of two models on documents in clusters of the given sizes."""
    rng = np.random.default_rng(seed)
    ids = np.repeat(np.arange(len(sizes)), sizes)
    base = (rng.random(ids.size) < 0.6).astype(float)
    return base, (rng.random(ids.size) < 0.6 + gain).astype(float), ids.tolist()


def test_equal_clusters_as_another_library_has_them():
    base, new, ids = answers([20] * 15)
    found = grouped_difference(base, new, clusters=ids, **QUICK)
    fitted = OLS(new - base, np.ones(300)).fit(cov_type="cluster", cov_kwds={"groups": np.array(ids)}, use_t=True)
    assert found.standard_error == pytest.approx(float(fitted.bse[0]))
    assert found.freedom == pytest.approx(14.0)
    assert found.p_t == pytest.approx(float(fitted.pvalues[0]))
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(fitted.conf_int()[0]))


def slow_freedom(sizes):
    """From the definition: 2 mean^2 / variance of a quadratic form in independent normal sums, by matrices."""
    share = sizes / sizes.sum()
    residual = np.eye(sizes.size) - np.outer(share, np.ones(sizes.size))
    form = residual.T @ np.diag(1 / (1 - share)) @ residual @ np.diag(sizes**2.0)
    return np.trace(form) ** 2 / np.trace(form @ form)


@given(st.lists(st.integers(1, 900), min_size=2, max_size=25))
def test_degrees_of_freedom_against_matrices(sizes):
    found = degrees_of_freedom(np.array(sizes, dtype=float))
    assert found == pytest.approx(slow_freedom(np.array(sizes)), rel=1e-4)
    assert 0.99 <= found <= len(sizes) - 1 + 1e-6


def test_strata_by_hand():
    # Two strata of four documents: variance of the mean is the sum of (1/2)^2 s^2 / 4 over both.
    base, new = np.zeros(8), np.array([1.0, 0, 0, 1, 0, 1, 0, 0])
    found = grouped_difference(base, new, strata=list("aaaabbbb"), **QUICK)
    variances = [np.var(new[:4], ddof=1) / 16, np.var(new[4:], ddof=1) / 16]
    assert (found.clusters, found.strata) == (8, 2)
    assert found.standard_error == pytest.approx(np.sqrt(sum(variances)))
    freedom = sum(variances) ** 2 / sum(one**2 / 3 for one in variances)
    assert found.freedom == pytest.approx(freedom)
    assert found.interval.high - 3 / 8 == pytest.approx(student.ppf(0.975, freedom) * found.standard_error)


def test_clusters_of_one_are_documents():
    base, new, _ = answers([1] * 200)
    found = grouped_difference(base, new, **QUICK)
    lost, gained = int(np.sum(base > new)), int(np.sum(new > base))
    assert found.p == pytest.approx(mcnemar(lost, gained, 200).p)
    assert found.standard_error == pytest.approx(np.std(new - base, ddof=1) / np.sqrt(200))
    assert found.bootstrap.low == pytest.approx(found.interval.low, abs=0.03)


def test_a_cluster_that_moves_as_one_counts_as_one():
    # Ten subjects, of which seven improved throughout: no document more is evidence than the seven.
    gains = np.repeat([1.0] * 7 + [-1.0] * 3, 50)
    found = grouped_difference(np.zeros(500), gains, clusters=np.repeat(np.arange(10), 50).tolist(), **QUICK)
    assert found.p == pytest.approx(flip_test(np.array([1.0] * 7 + [-1.0] * 3), seed=0).p) == pytest.approx(0.34375)
    assert grouped_difference(np.zeros(500), gains, **QUICK).p < 1e-10


def test_strata_of_a_single_cluster_are_put_together():
    base, new, ids = answers([10] * 5)
    lone = grouped_difference(base, new, clusters=ids, strata=ids, **QUICK)
    whole = grouped_difference(base, new, clusters=ids, **QUICK)
    assert (lone.strata, lone.standard_error) == (1, pytest.approx(whole.standard_error))
    mixed = grouped_difference(base, new, clusters=ids, strata=[min(one, 1) for one in ids], **QUICK)
    assert mixed.strata == 1


def test_a_single_cluster_or_no_change_is_a_result():
    base, new, _ = answers([8])
    alone = grouped_difference(base, new, clusters=["s"] * 8, **QUICK)
    assert (alone.interval, alone.bootstrap, alone.standard_error, alone.p_t) == (None, None, None, None)
    same = grouped_difference(base, base, clusters=list("aabbccdd"), **QUICK)
    assert (same.difference, same.p, same.interval, same.flips.method) == (0.0, None, None, "none")


@settings(max_examples=25)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=9), st.integers(0, 1000), st.randoms())
def test_mirror_names_and_order(sizes, seed, rng):
    base, new, ids = answers(sizes, 0.1, seed)
    one = grouped_difference(base, new, clusters=ids, **QUICK)
    other = grouped_difference(new, base, clusters=ids, **QUICK)
    assert (one.difference, one.p) == (pytest.approx(-other.difference), other.p)
    if one.interval is not None:
        assert one.interval.low == pytest.approx(-other.interval.high)
        assert one.bootstrap.low == pytest.approx(-other.bootstrap.high)
    order = list(range(len(ids)))
    rng.shuffle(order)
    moved = grouped_difference(base[order], new[order], clusters=[f"c{ids[index]}" for index in order], **QUICK)
    assert (moved.p, moved.standard_error) == (pytest.approx(one.p), pytest.approx(one.standard_error))


def test_it_repeats_and_does_not_depend_on_blocks(monkeypatch):
    base, new, ids = answers([5] * 30)
    whole = grouped_difference(base, new, clusters=ids, **QUICK)
    assert grouped_difference(base, new, clusters=ids, **QUICK) == whole
    monkeypatch.setattr("sage_eval.stats.grouped._BLOCK", 300)
    assert grouped_difference(base, new, clusters=ids, **QUICK) == whole


def test_refuses_a_cluster_in_two_strata():
    with pytest.raises(ValueError, match="two strata"):
        grouped_difference(np.zeros(4), np.ones(4), clusters=list("aabb"), strata=list("xyyy"), seed=0)
    with pytest.raises(ValueError, match="cluster for each"):
        grouped_difference(np.zeros(4), np.ones(4), clusters=list("aab"), seed=0)
