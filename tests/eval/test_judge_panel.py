"""The panel: majorities by hand, and what must hold for all votes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_eval.judge.panel import majority
from sage_eval.verdict import Verdict, mirror

A, B, TIE, SEATS, BAD, ERROR = Verdict
votes = st.lists(st.sampled_from(Verdict), min_size=1, max_size=7)


@pytest.mark.parametrize(
    ("said", "verdict", "abstained"),
    [
        ([A, A, B], A, 0),
        ([A, B, TIE], SEATS, 0),
        ([TIE, TIE, A], TIE, 0),
        ([SEATS, SEATS, A], SEATS, 0),
        ([A, A, SEATS, SEATS], SEATS, 0),
        ([A, A, ERROR], A, 1),
        ([A, B, ERROR], SEATS, 1),
        ([A, ERROR, BAD], ERROR, 2),
        ([A, BAD, BAD], BAD, 2),
        ([B, ERROR], ERROR, 1),
        ([B, B], B, 0),
        ([A, B], SEATS, 0),
        ([B], B, 0),
    ],
)
def test_a_majority_of_those_who_can_be_read(said, verdict, abstained):
    ballot = majority(said)
    assert (ballot.verdict, ballot.abstained, ballot.readable) == (verdict, abstained, len(said) - abstained)


def test_nobody_is_no_panel():
    with pytest.raises(ValueError, match="at least one judge"):
        majority([])


@given(votes, st.randoms())
def test_the_order_of_the_judges_means_nothing(said, random):
    shuffled = list(said)
    random.shuffle(shuffled)
    assert majority(shuffled) == majority(said)


@given(votes)
def test_exchanging_the_models_exchanges_the_verdict(said):
    swapped = majority([mirror(vote) for vote in said])
    assert swapped.verdict is mirror(majority(said).verdict)


@given(votes)
def test_a_winner_has_more_than_half_of_the_readable_and_a_failure_no_quorum(said):
    ballot = majority(said)
    if ballot.verdict.decisive:
        assert 2 * said.count(ballot.verdict) > ballot.readable > ballot.abstained
    assert ballot.verdict.failed == (ballot.readable <= ballot.abstained)


@given(votes)
def test_a_failed_judge_never_becomes_a_vote(said):
    """Adding an abstention may silence the panel, but changes no verdict into another."""
    before, after = majority(said).verdict, majority([*said, ERROR]).verdict
    assert after in (before, ERROR)
