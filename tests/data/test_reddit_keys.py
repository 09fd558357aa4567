"""Keys stand for ids: distinct, in order, and the same from whichever column they were read."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from sage_data.reddit.keys import COMMENT, HASHED, keys_of, partitions_of
from sage_data.reddit.reader import SUBMISSION

BASE36 = st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)
ANY = st.text(max_size=12) | BASE36 | BASE36.map(SUBMISSION.__add__) | BASE36.map(COMMENT.__add__)


def ids(names: list[str]) -> np.ndarray:
    return keys_of(pa.array(names, pa.string()), prefixes=(SUBMISSION,), bare=True)


def parents(names: list[str]) -> np.ndarray:
    return keys_of(pa.array(names, pa.string()), prefixes=(COMMENT, SUBMISSION), bare=False)


def test_worked_examples() -> None:
    assert ids(["1", "a", "1a", ""]).tolist() == [0x31, 0x61, 0x3161, 0]
    assert parents(["t1_1a", "t3_1a", "t1_", "1a", "t2_1a", ""]).tolist() == [0x3161, 0x31E1, 0, 0, 0, 0]
    assert ids(["t3_1a"]).tolist() == [0x31E1]
    assert (ids(["abcdefghi", "é", "\x00a", "t1_1a"]) >= HASHED).tolist() == [True, True, True, False]


def test_a_long_id_is_not_its_submission() -> None:
    names = [f"longid{number:05}" for number in range(200)]
    assert not set(ids(names).tolist()) & set(ids([SUBMISSION + name for name in names]).tolist())


@given(st.lists(BASE36, unique=True, max_size=20))
def test_usual_ids_are_sorted_as_by_length_and_text(names: list[str]) -> None:
    keys = ids(names)
    assert [names[place] for place in np.argsort(keys)] == sorted(names, key=lambda name: (len(name), name))


@given(st.lists(ANY, unique=True, max_size=20))
def test_distinct_ids_have_distinct_keys(names: list[str]) -> None:
    keys = ids(names)
    assert len(set(keys.tolist())) == len(names)
    assert [key == 0 for key in keys.tolist()] == [name in {"", SUBMISSION} for name in names] or SUBMISSION in names


@given(st.lists(ANY, max_size=20))
def test_a_parents_name_finds_the_comment(names: list[str]) -> None:
    plain = [name for name in names if not name.startswith(SUBMISSION)]
    assert parents([COMMENT + name for name in plain]).tolist() == ids(plain).tolist()
    assert (
        parents([SUBMISSION + name for name in names]).tolist() == ids([SUBMISSION + name for name in names]).tolist()
    )


@given(st.lists(ANY, min_size=1, max_size=20), st.integers(0, 19))
def test_neighbours_do_not_matter(names: list[str], start: int) -> None:
    whole = pa.array(names, pa.string())
    part = whole.slice(start % len(names))
    assert ids(part.to_pylist()).tolist() == keys_of(part, prefixes=(SUBMISSION,), bare=True).tolist()


def test_partitions_are_fixed_for_all_time() -> None:
    """A change here moves every dialogue to another shard."""
    threads = ids([f"t3_{number:x}" for number in range(1_000)])
    counts = np.bincount(partitions_of(threads, 8), minlength=8)
    assert partitions_of(ids(["t3_15xh", "t3_1abcdef", "x"]), 4096).tolist() == GOLDEN
    assert counts.min() > 80


GOLDEN = [4081, 2047, 3827]
