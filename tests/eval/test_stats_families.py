"""Adjusting p-values for a family: worked examples, properties, slow against fast."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_eval.stats import holm

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
