"""Six states, kept apart: reading a reply strictly, and combining two order-swapped calls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_eval.verdict import REPLIES, Choice, Order, Verdict, combine, mirror, read_choice, seen_by_model

choices = st.sampled_from(Choice)
FAILURES = (Choice.MALFORMED, Choice.ERROR)


@pytest.mark.parametrize(
    ("reply", "choice"),
    [
        ("VERDICT: FIRST", Choice.FIRST),
        ("VERDICT: SECOND", Choice.SECOND),
        ("VERDICT: TIE", Choice.TIE),
        (" VERDICT: FIRST", Choice.FIRST),  # a leading space loses no win
        ("\nVERDICT: SECOND\n", Choice.SECOND),
    ],
)
def test_reads_the_three_verdict_lines(reply, choice):
    assert read_choice(reply) is choice


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "FIRST",
        "verdict: first",
        "VERDICT: FIRST.",
        "VERDICT: FIRST VERDICT: SECOND",
        "VERDICT: FIRST\nVERDICT: SECOND",
        '{"winner":"A"} ... {"winner":"B"}',
        "Dialog X is better",
        "VERDICT: FIRST because it is warmer",
        "I think VERDICT: FIRST",
        "VERDICT: THIRD",
    ],
)
def test_anything_else_is_malformed(reply):
    assert read_choice(reply) is Choice.MALFORMED


@given(st.text())
def test_only_the_listed_replies_are_ever_read(reply):
    assert (read_choice(reply) is Choice.MALFORMED) == (reply.strip() not in REPLIES)


@pytest.mark.parametrize(
    ("ab", "ba", "verdict"),
    [
        (Choice.FIRST, Choice.SECOND, Verdict.A),
        (Choice.SECOND, Choice.FIRST, Verdict.B),
        (Choice.TIE, Choice.TIE, Verdict.TIE),
        (Choice.FIRST, Choice.FIRST, Verdict.INCONSISTENT),
        (Choice.SECOND, Choice.SECOND, Verdict.INCONSISTENT),
        (Choice.FIRST, Choice.TIE, Verdict.INCONSISTENT),
        (Choice.TIE, Choice.FIRST, Verdict.INCONSISTENT),
        (Choice.MALFORMED, Choice.FIRST, Verdict.MALFORMED),
        (Choice.TIE, Choice.MALFORMED, Verdict.MALFORMED),
        (Choice.ERROR, Choice.MALFORMED, Verdict.ERROR),
        (Choice.SECOND, Choice.ERROR, Verdict.ERROR),
    ],
)
def test_two_calls_make_a_verdict(ab, ba, verdict):
    assert combine(ab, ba) is verdict


@given(choices, choices)
def test_renaming_the_models_mirrors_the_verdict(ab, ba):
    # With the names exchanged, what was the call with A first is the call with B first.
    assert combine(ba, ab) is mirror(combine(ab, ba))


@given(choices, choices)
def test_a_failure_is_never_a_tie_a_win_or_a_loss(ab, ba):
    failed = ab in FAILURES or ba in FAILURES
    assert combine(ab, ba).failed == failed
    if failed:
        assert not combine(ab, ba).decisive


@given(choices, choices)
def test_a_win_needs_both_calls(ab, ba):
    if combine(ab, ba).decisive:
        assert seen_by_model(ab, Order.AB) is seen_by_model(ba, Order.BA) is combine(ab, ba)


@given(choices)
def test_a_judge_that_only_looks_at_the_seat_never_decides(choice):
    if choice in (Choice.FIRST, Choice.SECOND):
        assert combine(choice, choice) is Verdict.INCONSISTENT


@given(st.sampled_from(Verdict))
def test_mirroring_twice_changes_nothing(verdict):
    assert mirror(mirror(verdict)) is verdict


def test_there_are_six_states():
    assert [state.value for state in Verdict] == ["A", "B", "tie", "inconsistent", "malformed", "error"]
