"""Exact and near-duplicates: planted pairs are found, unlike ones stay, and kept rows are all the memory there is."""

from __future__ import annotations

import random
import sys
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sage_data.errors import MissingDependencyError
from sage_data.gates.duplicates import MISSED, PERMUTATIONS, Duplicates, bands, shingles
from sage_data.reddit.reasons import DialogueReason

DUPLICATE, NEAR = DialogueReason.DUPLICATE, DialogueReason.NEAR_DUPLICATE


def planted(pair: int, words: int, changed: int) -> tuple[list[str], list[str]]:
    """Two dialogues of which every `words // changed`-th word differs, so that three shingles each do."""
    one = [f"w{pair}x{place}" for place in range(words)]
    other = list(one)
    for number in range(changed):
        place = 2 + number * (words // changed)
        other[place] = f"other{place}"
    half = words // 2
    return [" ".join(one[:half]), " ".join(one[half:])], [" ".join(other[: half + 1]), " ".join(other[half + 1 :])]


def exact(one: list[str], other: list[str]) -> float:
    first, second = set(shingles(one)), set(shingles(other))
    return len(first & second) / len(first | second)


@pytest.mark.parametrize(("threshold", "found"), [(0.8, 300), (0.9, 300), (0.91, 0)])
def test_planted_pairs_of_jaccard_nine_tenths(threshold: float, found: int) -> None:
    pairs = [planted(number, 59, 1) for number in range(300)]
    assert exact(*pairs[0]) == 0.9
    seen = Duplicates(exact=False, jaccard=threshold)
    assert [seen.reason(one) for one, _ in pairs] == [None] * 300
    assert [seen.reason(other) for _, other in pairs].count(NEAR) == found


@pytest.mark.parametrize(("threshold", "found"), [(0.8, 0), (0.51, 0), (0.5, 300), (0.3, 300)])
def test_planted_pairs_of_jaccard_one_half(threshold: float, found: int) -> None:
    pairs = [planted(number, 56, 6) for number in range(300)]
    assert exact(*pairs[0]) == 0.5
    seen = Duplicates(exact=False, jaccard=threshold)
    assert [seen.reason(text) for pair in pairs for text in pair].count(NEAR) == found


def test_bands_miss_fewer_than_promised_and_are_no_more_than_needed() -> None:
    def missed(threshold: float, count: int) -> float:
        return float((1 - threshold ** (PERMUTATIONS // count)) ** count)

    for threshold in (0.05, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0):
        count = bands(threshold)
        assert PERMUTATIONS % count == 0
        assert missed(threshold, count) < MISSED or count == PERMUTATIONS
        assert count == 1 or missed(threshold, count // 2) >= MISSED
    assert (bands(0.8), bands(1.0)) == (32, 1)


def test_case_and_white_space_do_not_count_but_utterances_do() -> None:
    seen = Duplicates(exact=True, jaccard=None)
    assert seen.reason(["Hello  there", "Straße"]) is None
    assert seen.reason([" hello\nTHERE ", "STRASSE"]) is DUPLICATE
    assert seen.reason(["Hello", "there Straße"]) is None
    assert seen.reason(["Hello there, Straße"]) is None


def test_the_first_of_several_stays_and_only_kept_ones_are_compared() -> None:
    one, other = planted(0, 59, 1)
    third = [" ".join(other).replace("w0x58", "end"), ""]
    assert exact(one, third) < 0.88 < exact(other, third)
    seen = Duplicates(exact=True, jaccard=0.88)
    assert [seen.reason(texts) for texts in (one, other, other, one, third)] == [None, NEAR, NEAR, DUPLICATE, None]


def test_dialogues_too_short_for_a_shingle() -> None:
    seen = Duplicates(exact=False, jaccard=0.8)
    texts = [["a", "b"], ["A b"], ["b a"], [""], [" ", ""], ["a b", "c"]]
    assert [seen.reason(one) for one in texts] == [None, NEAR, None, None, NEAR, None]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 12))
def test_remembering_kept_dialogues_is_as_good_as_having_judged_all(seed: int, killed_after: int) -> None:
    draw = random.Random(seed)
    texts = [[" ".join(draw.choices("abc", k=draw.randint(1, 5))) for _ in range(2)] for _ in range(14)]
    whole = Duplicates(exact=True, jaccard=0.5)
    unbroken = [whole.reason(one) for one in texts]
    resumed = Duplicates(exact=True, jaccard=0.5)
    for one, reason in zip(texts[:killed_after], unbroken, strict=False):
        if reason is None:
            resumed.remember(one)
    assert [resumed.reason(one) for one in texts[killed_after:]] == unbroken[killed_after:]
    kept = [one for one, reason in zip(texts, unbroken, strict=True) if reason is None]
    assert all(exact(one, other) < 0.5 for one, other in combinations(kept, 2))


def test_without_rensa_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rensa", None)
    Duplicates(exact=True, jaccard=None)
    with pytest.raises(MissingDependencyError) as missing:
        Duplicates(exact=True, jaccard=0.8)
    assert missing.value.next_step == "pip install 'sage-dialogue[gates]'"
