"""Equivalence: other people's code, the interval's duality, what the data cannot show."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.weightstats import ttost_paired

from sage_eval.stats import equivalence, equivalence_of_scores, mcnemar


@st.composite
def changes(draw):
    n = draw(st.integers(1, 300))
    lost = draw(st.integers(0, n))
    return lost, draw(st.integers(0, n - lost)), n


@given(changes(), st.floats(0.005, 0.3), st.sampled_from([0.005, 0.05, 0.2]))
def test_equivalent_when_both_limits_lie_within_the_margin(change, margin, alpha):
    found = equivalence(*change, margin=margin, alpha=alpha)
    assert found.p == max(found.p_worse, found.p_better)
    if abs(found.p_worse - alpha) > 1e-6 and abs(found.p_better - alpha) > 1e-6:
        assert found.not_inferior == (found.limits.low > -margin)
        assert found.equivalent == (-margin < found.limits.low and found.limits.high < margin)


@given(changes(), st.floats(0.005, 0.3))
def test_exchanging_the_models_exchanges_the_two_tests(change, margin):
    lost, gained, n = change
    one, other = equivalence(lost, gained, n, margin=margin), equivalence(gained, lost, n, margin=margin)
    assert (one.p_worse, one.p_better, one.equivalent) == (other.p_better, other.p_worse, other.equivalent)
    assert one.limits.low == pytest.approx(-other.limits.high)


@given(changes(), st.floats(0.005, 0.2), st.floats(1.01, 3))
def test_a_wider_margin_is_never_harder_to_show(change, margin, factor):
    narrow, wide = (equivalence(*change, margin=one).p for one in (margin, margin * factor))
    assert wide <= narrow + 1e-9


def test_no_difference_shown_is_not_equivalence():
    # 20 documents of which 6 changed: McNemar shows nothing, and neither does this.
    assert mcnemar(3, 3, 20).p == 1.0
    assert not equivalence(3, 3, 20, margin=0.05).equivalent
    assert equivalence(300, 300, 20_000, margin=0.05).equivalent


def test_models_that_always_agree_need_documents_all_the_same():
    # The score at the margin is (n m - 1/2) / sqrt(n m (1 - m)): with m = .02 it passes 1.645 from 180 documents on.
    assert not equivalence(0, 0, 179, margin=0.02).equivalent
    assert equivalence(0, 0, 180, margin=0.02).equivalent
    assert not equivalence(0, 0, 1, margin=0.02).equivalent


def test_scores_as_another_library_tests_them():
    rng = np.random.default_rng(1)
    base = rng.normal(size=80)
    new = base + rng.normal(0.02, 0.2, size=80)
    found = equivalence_of_scores(base, new, margin=0.1)
    p, lower, upper = ttost_paired(new, base, -0.1, 0.1)
    assert found.p == pytest.approx(p)
    assert (found.p_worse, found.p_better) == (pytest.approx(lower[1]), pytest.approx(upper[1]))
    assert found.limits.level == pytest.approx(0.9)
    assert found.equivalent == (found.limits.low > -0.1 and found.limits.high < 0.1)


def test_clusters_that_move_together_are_few():
    rng = np.random.default_rng(2)
    shift = np.repeat(rng.normal(0, 0.1, 25), 40)
    base = rng.normal(size=1000)
    new = base + shift + rng.normal(0, 0.1, size=1000)
    ids = np.repeat(np.arange(25), 40).tolist()
    alone, together = (equivalence_of_scores(base, new, margin=0.05, clusters=one) for one in (None, ids))
    assert (alone.clusters, together.clusters) == (1000, 25)
    assert together.p > alone.p
    assert together.limits.high - together.limits.low > 2 * (alone.limits.high - alone.limits.low)


@pytest.mark.parametrize(
    ("base", "new", "reason"),
    [(np.zeros(19), np.ones(19), "at least 20"), (np.zeros(40), np.zeros(40), "nothing is known of its spread")],
)
def test_too_little_to_test_is_a_result(base, new, reason):
    found = equivalence_of_scores(base, new, margin=0.1)
    assert (found.p, found.limits, found.equivalent, found.not_inferior) == (None, None, False, False)
    assert reason in found.reason


@pytest.mark.parametrize("wrong", [{"margin": 0.0}, {"alpha": 0.5}, {"n": 5}, {"lost": -1}])
def test_refuses_what_has_no_meaning(wrong):
    with pytest.raises(ValueError, match=r"margin|alpha|fit|count"):
        equivalence(**({"lost": 3, "gained": 4, "n": 50, "margin": 0.02} | wrong))


def test_refuses_margins_and_alphas_of_scores():
    with pytest.raises(ValueError, match="margin"):
        equivalence_of_scores(np.zeros(30), np.zeros(30), margin=0.0)
    with pytest.raises(ValueError, match="alpha"):
        equivalence_of_scores(np.zeros(30), np.zeros(30), margin=0.1, alpha=0.6)
