"""Agreement figures, against values worked by hand and by their definitions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_data.annotation.agreement import agreement, compare, read_gold
from sage_data.dialogue import Dialogue, State, Utterance
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


def dialogue(name: str, *states: State) -> Dialogue:
    turns = (Utterance("assistant" if n % 2 else "user", "x", one, source_id="t1_c1") for n, one in enumerate(states))
    return Dialogue(name, tuple(turns))


def test_dialogues_against_gold_by_id_or_first_source_id(tmp_path: Path) -> None:
    gold = [
        {"dialogue": "c1", "index": 0, "motivation": "sharing", "emotion": "sad", "topics": ["cats"]},
        {"dialogue": "c1", "index": 1, "motivation": "comfort", "emotion": None, "topics": ["cat", "food"]},
    ]
    pq.write_table(pa.Table.from_pylist(gold), tmp_path / "states.parquet")
    said = dialogue("d", State("sharing", "glad", ("cat", "tea")), State("comfort", None, ("cat",)), State("asking"))
    found = compare([said], read_gold(tmp_path))
    assert found == compare([replace(said, id="c1")], read_gold(tmp_path / "states.parquet"))
    assert found.labels["user"]["motivation"].accuracy == 1.0
    assert found.labels["user"]["emotion"].accuracy == 0.0
    assert found.labels["assistant"]["emotion"].n == 1
    assert found.topic_precision == pytest.approx(2 / 3)
    assert found.topic_recall == pytest.approx(2 / 3)
    assert found.without_gold == 1


def test_gold_that_fits_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="knows none"):
        compare([dialogue("d", State("sharing"))], {})
    with pytest.raises(InputError, match="expected a table"):
        read_gold(tmp_path)
    pq.write_table(pa.table({"dialogue": ["c1"]}), tmp_path / "states.parquet")
    with pytest.raises(InputError, match="expected a table"):
        read_gold(tmp_path)
