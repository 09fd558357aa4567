"""Seat and length: what is counted, against planted judges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_eval.judge.bias import measure, table
from sage_eval.verdict import Choice, combine

choices = st.sampled_from(Choice)


def row(ab, ba, words_a=10.0, words_b=10.0, judge="j"):
    names = {"judge": judge, "model_a": "x", "model_b": "y"}
    found = {"choice_ab": ab.value, "choice_ba": ba.value, "verdict": combine(ab, ba).value}
    return {**names, **found, "words_a": words_a, "words_b": words_b}


def one(rows):
    return measure(rows)["j", "x", "y"]


def test_a_judge_of_seats_is_found_out():
    found = one([row(Choice.FIRST, Choice.FIRST)] * 12)
    assert (found.first_seat_share, found.position.wins_b, found.position.wins_a) == (1.0, 12, 0)
    assert found.position.p == pytest.approx(2 / 2**12)


def test_a_consistent_judge_uses_both_seats_alike():
    found = one([row(Choice.FIRST, Choice.SECOND)] * 12)
    assert found.first_seat_share == 0.5
    assert not found.position.decidable


def test_a_judge_of_length_is_found_out():
    shorter_first, shorter_second = (10.0, 40.0), (40.0, 10.0)
    rows = [row(Choice.FIRST, Choice.SECOND, *shorter_first)] * 5 + [
        row(Choice.SECOND, Choice.FIRST, *shorter_second)
    ] * 5
    found = one(rows)
    assert (found.length.wins_b, found.length.wins_a) == (10, 0)
    assert found.length.p == pytest.approx(2 / 2**10)
    assert (found.words_a, found.words_b) == (25.0, 25.0)


def test_equal_lengths_and_silent_dialogues_say_nothing_of_length():
    found = one([row(Choice.FIRST, Choice.SECOND), row(Choice.ERROR, Choice.ERROR, None, 10.0)])
    assert found.length.n == 0
    assert (found.words_a, found.words_b) == (10.0, 10.0)


@pytest.mark.parametrize("words", [(None, 10.0), (10.0, None), (None, None)])
def test_a_winner_beside_a_dialogue_without_replies_says_nothing_of_length(words):
    found = one([row(Choice.FIRST, Choice.SECOND, *words), row(Choice.FIRST, Choice.SECOND, 5.0, 9.0)])
    assert (found.length.n, found.length.wins_b) == (1, 1)


@given(st.lists(st.tuples(choices, choices), min_size=1, max_size=30))
def test_every_call_is_counted_once(pairs):
    found = one([row(*pair) for pair in pairs])
    assert sum(found.calls.values()) == 2 * len(pairs)
    assert found.pairs == len(pairs)
    assert found.position.n <= len(pairs)


def test_one_row_a_judge_and_pair():
    rows = [row(Choice.TIE, Choice.TIE), row(Choice.FIRST, Choice.SECOND, judge="k")]
    found = table(measure(rows)).to_pylist()
    assert [(one["judge"], one["first_seat_share"], one["position_p"]) for one in found] == [
        ("j", None, None),
        ("k", 0.5, None),
    ]
