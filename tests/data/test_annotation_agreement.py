"""Agreement figures, against values worked by hand and by their definitions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_data.annotation.agreement import agreement
from sage_data.errors import InputError

LABELS = st.sampled_from(["a", "b", "c", None])
PAIRS = st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=40)


def test_worked_example() -> None:
    # 4 of 5 agree; by chance (3*2 + 2*3) / 25 = 0.48 would. F1 of x: 2*2 / (3+2), of y: 2*2 / (2+3).
    one = agreement(["x", "x", "x", "y", "y"], ["x", "x", "y", "y", "y"])
    assert one.n == 5
    assert one.accuracy == pytest.approx(0.8)
    assert one.kappa == pytest.approx((0.8 - 0.48) / 0.52)
    assert one.macro_f1 == pytest.approx(0.8)
    assert one.majority_accuracy == pytest.approx(0.6)
    assert one.majority_macro_f1 == pytest.approx((2 * 3 / (3 + 5)) / 2)


@given(PAIRS)
def test_bounds_and_majority(pairs: list[tuple[str | None, str | None]]) -> None:
    gold, predicted = [one for one, _ in pairs], [other for _, other in pairs]
    found = agreement(gold, predicted)
    assert 0.0 <= found.accuracy <= 1.0
    assert -1.0 <= found.kappa <= 1.0
    assert 0.0 <= found.macro_f1 <= 1.0
    most = max(set(gold), key=gold.count)
    always = agreement(gold, [most] * len(gold))
    assert always.accuracy == pytest.approx(found.majority_accuracy)
    assert always.macro_f1 == pytest.approx(found.majority_macro_f1)
    assert agreement(gold, gold).kappa == pytest.approx(1.0)


def test_lists_must_match() -> None:
    with pytest.raises(InputError, match="found 1 and 2"):
        agreement(["a"], ["a", "b"])
    with pytest.raises(InputError):
        agreement([], [])
