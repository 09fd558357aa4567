"""Adjusting p-values for a family: worked examples, properties, slow against fast."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from sage_eval.plan import Correction
from sage_eval.stats import adjust, benjamini_hochberg, holm

families = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20)


def slow_holm(p_values, alpha):
    """Holm's rule as he states it: go through the ordered p-values and stop at the first that fails."""
    rejected = [False] * len(p_values)
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        if p_values[index] > alpha / (len(p_values) - rank):
            break
        rejected[index] = True
    return rejected


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_the_papers_mmlu_after_holm():
    # Ten tasks of Table 2: HellaSwag z = -4.40, MMLU z = -2.83, the rest beyond noise.
    adjusted = holm([1.08e-5, 0.00465, *[0.5] * 8])
    assert adjusted[1] == pytest.approx(0.0419, abs=1e-4)


def test_empty_families_stay_empty():
    assert holm([]) == []


# Bounds near a p-value are left out: there the two spellings may differ by rounding.
@given(families, st.floats(0.001, 0.5))
def test_holm_agrees_with_the_step_down_rule(p_values, alpha):
    adjusted = holm(p_values)
    if all(abs(p - alpha) > 1e-9 for p in adjusted):
        assert [p < alpha for p in adjusted] == slow_holm(p_values, alpha)


@given(families)
def test_order_is_kept_and_nothing_gets_smaller(p_values):
    adjusted = holm(p_values)
    assert all(new >= old or new == 1.0 for old, new in zip(p_values, adjusted, strict=True))
    assert all(0.0 <= p <= 1.0 for p in adjusted)
    by_p = [adjusted[index] for index in sorted(range(len(p_values)), key=lambda i: p_values[i])]
    assert by_p == sorted(by_p)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_refuses_what_is_no_probability(wrong):
    with pytest.raises(ValueError, match="p-value"):
        holm([0.5, wrong])


# Benjamini and Hochberg (1995), section 3.2: fifteen comparisons of two treatments of myocardial infarction.
MYOCARDIAL = [
    1e-4,
    4e-4,
    0.0019,
    0.0095,
    0.0201,
    0.0278,
    0.0298,
    0.0344,
    0.0459,
    0.324,
    0.4262,
    0.5719,
    0.6528,
    0.759,
    1,
]


def test_benjamini_and_hochbergs_example():
    # They reject the first four at .05, and Bonferroni's method the first three.
    assert sum(p <= 0.05 for p in benjamini_hochberg(MYOCARDIAL)) == 4
    assert sum(p <= 0.05 / 15 for p in MYOCARDIAL) == 3
    assert benjamini_hochberg(MYOCARDIAL)[3] == pytest.approx(0.0095 * 15 / 4)


def slow_bh(p_values, alpha):
    """The rule as they state it: the largest k with p_(k) <= k alpha / m, and all up to it."""
    ordered = sorted(p_values)
    most = max((k for k, p in enumerate(ordered, 1) if p <= k * alpha / len(p_values)), default=0)
    return [most > 0 and p <= ordered[most - 1] for p in p_values]


@given(families, st.floats(0.001, 0.5))
def test_bh_agrees_with_the_step_up_rule(p_values, alpha):
    adjusted = benjamini_hochberg(p_values)
    if all(abs(p - alpha) > 1e-9 for p in adjusted):
        assert [p < alpha for p in adjusted] == slow_bh(p_values, alpha)


@settings(max_examples=15)
@given(families)
def test_as_another_library_has_them(p_values):
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)
    assert benjamini_hochberg(p_values) == pytest.approx(multipletests(p_values, method="fdr_bh")[1], abs=1e-12)


@pytest.mark.parametrize("method", [holm, benjamini_hochberg])
@given(p_values=st.lists(st.none() | st.floats(0.0, 1.0), min_size=1, max_size=12), seed=st.randoms())
def test_what_cannot_be_tested_stays_a_member_and_order_does_not_matter(method, p_values, seed):
    adjusted = method(p_values)
    assert adjusted == method([1.0 if p is None else p for p in p_values])
    assert all(new == 1.0 for p, new in zip(p_values, adjusted, strict=True) if p is None)
    order = list(range(len(p_values)))
    seed.shuffle(order)
    assert method([p_values[index] for index in order]) == pytest.approx([adjusted[index] for index in order])


@given(families)
def test_bh_is_never_stricter_than_holm(p_values):
    assert all(bh <= one + 1e-12 for bh, one in zip(benjamini_hochberg(p_values), holm(p_values), strict=True))


def test_leaving_out_the_untestable_would_make_the_others_look_stronger():
    tested = adjust({"a": 0.02, "b": None, "c": None}, Correction.HOLM)
    assert (tested.n, tested.adjusted["a"], tested.rejected) == (3, pytest.approx(0.06), ())
    assert adjust({"a": 0.02}, Correction.HOLM).rejected == ("a",)
    assert adjust({"a": 0.02, "b": 0.03, "c": 0.04}, Correction.BH).rejected == ("a", "b", "c")
    assert '"correction": "holm"' in tested.to_json()


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_refuses_impossible_alphas(alpha):
    with pytest.raises(ValueError, match="alpha"):
        adjust({"a": 0.5}, Correction.BH, alpha)
