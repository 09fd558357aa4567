"""e-values and confidence sequences: by hand, by integration, properties."""

import math
from dataclasses import FrozenInstanceError
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import betaln

from sage_eval.stats import EProcess, confidence_sequence, e_path, log_e_value, mean_e_path
from sage_eval.verdict import Verdict, mirror

counts = st.integers(0, 200)
verdicts = st.lists(st.sampled_from(list(Verdict)), max_size=60)


def followed(listed, **settings):
    process = EProcess(**settings)
    for verdict in listed:
        process = process.add(verdict)
    return process


def test_by_hand():
    # Wins only: the integral of p^5 is 1/6, against (1/2)^5; three wins, one loss: 3! 1! / 5! = 1/20, against 1/16.
    assert log_e_value(0, 5) == pytest.approx(math.log(32 / 6))
    assert log_e_value(1, 3) == pytest.approx(math.log(16 / 20))
    assert log_e_value(0, 0) == 0.0


@given(st.integers(0, 40), st.integers(0, 40))
def test_against_the_integral_over_win_shares(wins_a, wins_b):
    value, _ = quad(lambda p: (2 * p) ** wins_b * (2 * (1 - p)) ** wins_a, 0, 1, points=[0.5], epsabs=0, limit=200)
    assert log_e_value(wins_a, wins_b) == pytest.approx(math.log(value), abs=1e-6)


@given(counts, counts)
def test_under_the_null_the_next_pair_is_expected_to_gain_nothing(wins_a, wins_b):
    now = log_e_value(wins_a, wins_b)
    after = [log_e_value(wins_a + 1, wins_b) - now, log_e_value(wins_a, wins_b + 1) - now]
    assert np.mean(np.exp(after)) == pytest.approx(1.0, rel=1e-9)


@given(verdicts)
def test_path_and_process_say_the_same(listed):
    path, process = e_path(listed, alpha=0.1, family_size=2), followed(listed, alpha=0.1, family_size=2)
    assert path.n == process.judged == len(listed)
    assert (path.stopped_at, path.stopped_after) == (process.stopped_at, process.stopped_after)
    if listed:
        assert path.log_e[-1] == pytest.approx(process.log_e)
        assert path.p[-1] == pytest.approx(process.p)
        assert path.decisive[-1] == process.n
        last = confidence_sequence(process.wins_a, process.wins_b, 0.95)
        assert (path.share_b[-1].low, path.share_b[-1].high) == (pytest.approx(last.low), pytest.approx(last.high))


@given(verdicts)
def test_exchanging_the_models_changes_nothing_but_the_share(listed):
    one, other = e_path(listed), e_path([mirror(verdict) for verdict in listed])
    assert one.log_e == pytest.approx(other.log_e)
    assert one.p == pytest.approx(other.p)
    assert [x.low for x in one.share_b] == pytest.approx([1 - x.high for x in other.share_b])


@given(verdicts)
def test_what_is_not_decisive_leaves_the_evidence_as_it_is(listed):
    decisive = [verdict for verdict in listed if verdict.decisive]
    assert followed(listed).log_e == followed(decisive).log_e
    assert followed(listed).p == followed(decisive).p


@given(verdicts)
def test_p_never_rises_again(listed):
    assert all(after <= before for before, after in pairwise((1.0, *e_path(listed).p)))


@given(counts, counts.map(lambda more: more + 1))
def test_another_win_for_the_leader_is_more_evidence(wins_a, more):
    ahead = wins_a + more
    assert log_e_value(wins_a, ahead + 1) > log_e_value(wins_a, ahead) - 1e-9 or more < 2


@given(counts, counts, st.sampled_from([0.8, 0.95, 0.99]))
def test_confidence_sequence_holds_the_shares_that_are_not_refuted(wins_a, wins_b, level):
    found, n = confidence_sequence(wins_a, wins_b, level), wins_a + wins_b
    if n == 0:
        assert (found.low, found.high) == (0.0, 1.0)
        return
    assert 0.0 <= found.low <= wins_b / n <= found.high <= 1.0

    def evidence(share):
        return betaln(1 + wins_b, 1 + wins_a) - wins_b * math.log(share) - wins_a * math.log1p(-share)

    for limit, is_end in ((found.low, wins_b == 0), (found.high, wins_a == 0)):
        if not is_end:
            assert evidence(limit) == pytest.approx(-math.log(1 - level), abs=1e-6)
    if abs(log_e_value(wins_a, wins_b) + math.log(1 - level)) > 1e-9:
        assert (0.5 in found) == (log_e_value(wins_a, wins_b) < -math.log(1 - level))


def test_limits_by_hand():
    # Five wins of B: q is refuted when (1/6) / q^5 reaches 20.
    found = confidence_sequence(0, 5)
    assert found.low == pytest.approx((1 / 120) ** (1 / 5))
    assert found.high == 1.0


def test_it_stops_once_and_the_claim_stands():
    # 2^n / (n + 1) first reaches 20 at n = 8 (28.4).
    stopped = followed([Verdict.TIE, *[Verdict.B] * 8])
    assert (stopped.stopped_at, stopped.stopped_after, stopped.reached) == (8, 9, True)
    later = stopped
    for verdict in [Verdict.A] * 8 + [Verdict.ERROR]:
        later = later.add(verdict)
    assert later.log_e < 0 < later.max_log_e
    assert (later.stopped_at, later.stopped_after, later.p) == (8, 9, stopped.p)
    # For three tests it must reach 60: 2^9 / 10 is 51.2, 2^10 / 11 is 93.
    assert followed([Verdict.B] * 12, family_size=3).stopped_at == 10
    assert followed([Verdict.B] * 12, family_size=3).threshold == pytest.approx(60)


def test_calls_saved():
    stopped = followed([Verdict.B] * 8)
    assert stopped.calls_saved(2544) == 2 * (2544 - 8)
    assert stopped.calls_saved(2544, calls_a_pair=6) == 6 * (2544 - 8)
    assert followed([Verdict.B] * 7).calls_saved(2544) == 0
    with pytest.raises(ValueError, match="only 5"):
        stopped.calls_saved(5)


SCORE = {Verdict.A: -1.0, Verdict.B: 1.0}


@settings(max_examples=25)
@given(verdicts)
def test_with_one_rollout_a_scenario_the_mean_path_is_the_same(listed):
    one, other = e_path(listed), mean_e_path([SCORE.get(verdict, 0.0) for verdict in listed])
    assert one.log_e == pytest.approx(other.log_e, abs=1e-9)
    assert (one.stopped_at, one.stopped_after, one.decisive) == (other.stopped_at, other.stopped_after, other.decisive)


@settings(max_examples=20)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=12))
def test_mean_path_against_the_integral_over_bets(scores):
    value, _ = quad(lambda bet: np.prod(1 + bet * np.array(scores)) / 2, -1, 1, limit=200)
    assert mean_e_path(scores).log_e[-1] == pytest.approx(math.log(value), abs=1e-8)


def test_the_mean_path_does_not_depend_on_its_blocks(monkeypatch):
    scores = np.random.default_rng(0).uniform(-1, 1, 3000)
    whole = mean_e_path(scores)
    assert whole.n == 3000
    assert whole.log_e[999] == pytest.approx(mean_e_path(scores[:1000]).log_e[-1])


def test_nothing_judged_is_a_result():
    assert (e_path([]).n, e_path([]).stopped_after, mean_e_path([]).log_e) == (0, None, ())
    assert (EProcess().p, EProcess().n, EProcess().reached) == (1.0, 0, False)
    assert '"reached": false' in EProcess().to_json()


@pytest.mark.parametrize("wrong", [{"alpha": 0.0}, {"family_size": 0}])
def test_refuses_what_has_no_meaning(wrong):
    with pytest.raises(ValueError, match=r"alpha|family"):
        e_path([Verdict.A], **wrong)
    with pytest.raises(ValueError, match=r"alpha|family"):
        EProcess(**wrong).add(Verdict.A)


def test_refuses_scores_and_counts_that_are_none():
    with pytest.raises(ValueError, match="score"):
        mean_e_path([2.0])
    with pytest.raises(ValueError, match="count"):
        log_e_value(-1, 0)
    with pytest.raises(FrozenInstanceError):
        EProcess().wins_a = 3
