"""The judge stage stops by the very e-value that `significance` claims by, and both name the same model."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from verdict_material import plan_of, rollouts_of

from sage_eval.betting import bet_on, scores_of
from sage_eval.judge.stopping import evidence
from sage_eval.plan import TieRule
from sage_eval.significance import Pairs, Terms
from sage_eval.significance.testing import bet
from sage_eval.verdict import Verdict

SCENARIOS = st.lists(st.text("ABtiem", min_size=1, max_size=4), max_size=25)


@settings(max_examples=80)
@given(SCENARIOS, st.sampled_from(TieRule))
def test_judging_stops_where_significance_claims(scenarios, rule):
    rows = rollouts_of(scenarios, replicate=0)
    stopped = evidence("j", "x", "y", rows, plan_of(tie_rule=rule, samples=4))
    claimed = bet(Pairs(tuple(rows)), Terms(tie_rule=rule))
    assert stopped.path.stopped_after == claimed.stopped_after
    assert (stopped.path.log_e[-1] if scenarios else 0.0) == claimed.log_e
    assert stopped.better == {Verdict.A: "x", Verdict.B: "y", None: None}[claimed.better]


def test_ties_that_are_dropped_do_not_dilute_a_scenario():
    """One win and two ties are a whole win where ties are dropped, and a third of one where they are not."""
    said = [[Verdict.B, Verdict.TIE, Verdict.INCONSISTENT]] * 20
    dropped, halved = (bet_on(said, rule, alpha=0.05, family_size=1) for rule in (TieRule.DROP, TieRule.HALF))
    assert dropped.scores == (1.0,) * 20
    assert halved.scores == pytest.approx((1 / 3,) * 20)
    # n wins in a row make E = 2^n / (n + 1): 2^8 / 9 is the first beyond 20.
    assert dropped.path.stopped_after == 8
    assert (halved.path.stopped_after or 99) > 8


def test_who_is_ahead_goes_by_scenarios_not_by_rollouts():
    """A wins five rollouts of one scenario, B the only readable one of each of many: B is ahead, 12 scenarios to 1."""
    said = [[Verdict.A] * 20, *[[Verdict.B, Verdict.ERROR]] * 12]
    found = bet_on(said, TieRule.DROP, alpha=0.05, family_size=1)
    assert found.path.stopped_after is not None
    assert found.better is Verdict.B


def test_failures_have_no_score_under_either_rule():
    for rule in TieRule:
        assert scores_of([Verdict.ERROR, Verdict.MALFORMED], rule) == []
