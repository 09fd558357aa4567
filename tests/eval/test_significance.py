"""One family of comparisons: the paper's Table 1 recomputed, failures kept out, one scenario one vote."""

import json
import math
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from verdict_material import pairs_of, rollouts_of, rows_of, tally

from sage_eval.plan import Correction, StoppingRule, TieRule
from sage_eval.significance import Comparison, Conclusion, Method, Pairs, Terms, compare, summary
from sage_eval.stats import cluster_test, e_path, log_e_value, mean_e_path, net_win
from sage_eval.verdict import Verdict, mirror

PAPER = {  # Table 1, GPT-3.5 and Mixtral: A wins, ties (which hold the inconsistent pairs), B wins
    ("GPT-3.5", "SAGE_0", "SAGE_1"): (688, 892, 964),
    ("GPT-3.5", "SAGE_1(-SAC)", "SAGE_1"): (823, 852, 869),
    ("GPT-3.5", "SAGE_0", "SAGE_DPO"): (542, 899, 1103),
    ("Mixtral", "SAGE_0", "SAGE_DPO"): (473, 1184, 887),
}
NAMES = {Conclusion.A_BETTER: Conclusion.B_BETTER, Conclusion.B_BETTER: Conclusion.A_BETTER}
tallies = st.fixed_dictionaries({verdict: st.integers(0, 60) for verdict in Verdict})
scenarios = st.lists(st.text("ABtie", min_size=1, max_size=3), min_size=1, max_size=12)


def all_of(pairs, **terms):
    """Compare a family of so many members."""
    return compare(pairs, Terms(**{"family_size": len(pairs)} | terms)).comparisons


def one(pairs, **terms) -> Comparison:
    pairs = pairs if isinstance(pairs, Pairs) else pairs_of(pairs)
    return all_of({("j", "x", "y"): pairs}, **terms)[0]


def several(*listed, **terms) -> Comparison:
    return one(Pairs(tuple(rollouts_of(listed))), **terms)


def test_the_papers_rows():
    found = all_of({key: pairs_of(tally(a, b, tie=ties)) for key, (a, ties, b) in PAPER.items()})
    assert [row.n for row in found] == [2544] * 4
    assert [row.shown.p for row in found] == pytest.approx([1.19e-11, 0.274, 3.34e-44, 1.52e-29], rel=5e-3)
    assert [row.conclusion.value for row in found] == ["B better", "not shown", "B better", "B better"]
    assert [row.better for row in found] == ["SAGE_1", None, "SAGE_DPO", "SAGE_DPO"]
    assert [row.stars for row in found] == ["***", "", "***", "***"]
    assert found[0].shown.net_win == pytest.approx((964 - 688) / 2544)
    assert found[0].p_holm == pytest.approx(2 * found[0].shown.p)
    assert found[0].bet.log_e == pytest.approx(log_e_value(688, 964))


def test_against_scipy_and_statsmodels():
    counts = [(40, 61), (17, 34), (55, 50), (3, 12)]
    found = all_of({("j", "x", str(index)): pairs_of(tally(*one)) for index, one in enumerate(counts)}, level=0.9)
    p = [binomtest(b, a + b).pvalue for a, b in counts]
    assert [row.shown.p for row in found] == pytest.approx(p, rel=1e-12)
    assert [row.p_holm for row in found] == pytest.approx(multipletests(p, method="holm")[1].tolist())
    assert [row.p_bh for row in found] == pytest.approx(multipletests(p, method="fdr_bh")[1].tolist())
    for row, (a, b) in zip(found, counts, strict=True):
        for interval, method in ((row.shown.share_interval, "wilson"), (row.shown.share_exact, "beta")):
            expected = proportion_confint(b, a + b, alpha=0.1, method=method)
            assert (interval.low, interval.high) == pytest.approx(expected, abs=1e-9)


def test_failures_are_neither_ties_nor_losses():
    clean, failing = one(tally(10, 30, tie=20)), one(tally(10, 30, tie=20, malformed=7, error=3))
    assert failing.shown == clean.shown
    assert (failing.n, failing.failures.n) == (60, 10)
    assert failing.failures.net_win == (pytest.approx(10 / 70), pytest.approx(30 / 70))
    assert failing.bet.log_e == clean.bet.log_e


def test_a_claim_that_failed_pairs_could_undo_says_so():
    safe, shaky = one(tally(10, 60, error=5)), one(tally(10, 30, error=15))
    assert (safe.conclusion, safe.holds) == (Conclusion.B_BETTER, True)
    assert (shaky.conclusion, shaky.holds) == (Conclusion.B_BETTER, False)
    assert shaky.failures.largest_p == pytest.approx(binomtest(25, 55).pvalue)
    assert one(tally(10, 12, error=3)).holds is None


def test_what_fails_elsewhere_in_the_family_can_undo_a_claim():
    """Holm asks less of the second p once the first is shown: a first that may not be takes that away."""
    first, second = pairs_of(tally(4, 20)), pairs_of(tally(10, 23))
    failing = pairs_of(tally(4, 20, error=9))
    for other, holds in ((first, True), (failing, False)):
        found = all_of({("j", "x", "y"): other, ("j", "x", "z"): second})
        assert [row.conclusion for row in found] == [Conclusion.B_BETTER] * 2
        assert found[1].holds is holds


def test_inconsistent_pairs_are_no_ties_but_count_in_n():
    found = one(tally(10, 30, tie=5, inconsistent=15))
    assert (found.n, found.counts[Verdict.TIE], found.counts[Verdict.INCONSISTENT]) == (60, 5, 15)
    assert found.shown.net_win == pytest.approx(20 / 60)
    assert found.shown.half_tie_score == pytest.approx((30 + 20 / 2) / 60)
    assert found.shown.net_win_interval == net_win(10, 30, 20).interval
    assert found.shown.half_tie_interval == net_win(10, 30, 20).half_tie_interval


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        (tally(tie=9), "no pair has a winner"),
        (tally(error=4), "all failed"),
        (tally(inconsistent=2, malformed=2), "no pair has a winner"),
        (tally(), "there is no verdict"),
    ],
)
def test_no_decisive_pair_is_undecidable_and_still_in_the_family(counts, reason):
    found, other = all_of({("j", "x", "y"): pairs_of(counts), ("j", "x", "z"): pairs_of(tally(0, 6))})
    assert (found.conclusion, found.shown.p, found.p_holm, found.stars) == (Conclusion.UNDECIDABLE, None, None, "")
    assert (found.shown.reason, found.holds, found.least_share) == (reason, None, None)
    assert (other.terms.family_size, other.p_holm) == (2, pytest.approx(2 * 2 / 2**6))


def test_five_pairs_can_show_nothing_at_5_percent():
    assert one(tally(0, 5)).conclusion is Conclusion.NOT_SHOWN
    assert one(tally(0, 5)).least_share is None
    assert one(tally(0, 6)).conclusion is Conclusion.B_BETTER
    # In a family of two, six cannot either.
    assert one(tally(0, 6), family_size=2).least_share is None


def test_holm_can_take_a_claim_back_and_bh_may_let_it_stand():
    weak, strong = pairs_of(tally(10, 23)), pairs_of(tally(0, 20))
    pairs = {("j", "x", "y"): weak, ("j", "x", "z"): strong, ("j", "y", "z"): weak}
    assert one(weak).conclusion is Conclusion.B_BETTER
    by_holm, by_bh = (all_of(pairs, correction=correction) for correction in Correction)
    assert [row.conclusion.value for row in by_holm] == ["not shown", "B better", "not shown"]
    assert [row.conclusion.value for row in by_bh] == ["B better"] * 3
    assert by_bh[0].p_adjusted == by_holm[0].p_bh


def test_untested_members_of_a_larger_family_count():
    assert one(tally(1, 9), family_size=4).p_holm == pytest.approx(4 * 22 / 1024)
    with pytest.raises(ValueError, match="2 comparisons are given, but the family has 1"):
        all_of({("j", "x", "y"): Pairs(), ("j", "x", "z"): Pairs()}, family_size=1)


@given(tallies)
@settings(max_examples=25, deadline=None)
def test_renaming_the_models_mirrors_everything(counts):
    found, mirrored = one(counts), one({mirror(verdict): number for verdict, number in counts.items()})
    assert mirrored.conclusion is NAMES.get(found.conclusion, found.conclusion)
    assert (mirrored.shown.p, mirrored.holds, mirrored.failures.largest_p) == (
        found.shown.p,
        found.holds,
        found.failures.largest_p,
    )
    if found.shown.net_win is not None:
        assert mirrored.shown.net_win == pytest.approx(-found.shown.net_win)
        assert mirrored.shown.half_tie_score == pytest.approx(1 - found.shown.half_tie_score)


@given(tallies)
@settings(max_examples=25, deadline=None)
def test_bounds_hold_the_net_win_of_any_outcome_of_the_failed_pairs(counts):
    found = one(counts)
    if found.failures.net_win is None:
        return
    low, high = found.failures.net_win
    for to_a in {0, found.failures.n // 2, found.failures.n}:
        net = (counts[Verdict.B] + found.failures.n - to_a - counts[Verdict.A] - to_a) / (found.n + found.failures.n)
        assert low - 1e-12 <= net <= high + 1e-12


# ---- several rollouts a scenario


def test_several_rollouts_count_as_one_scenario_each():
    listed = ["BBB", "BBt", "BAB", "tBB", "BBB", "BBB", "AtB", "BBB"]
    found = several(*listed)
    assert (found.shown.method, found.scenarios, found.n) == (Method.MEANS, 8, 24)
    expected = cluster_test(
        {number: [{"A": -1, "B": 1}[one] for one in scenario if one in "AB"] for number, scenario in enumerate(listed)},
        seed=0,
    )
    assert (found.shown.p, found.shown.n) == (pytest.approx(expected.p), 8)
    assert found.shown.share_b == pytest.approx((1 + expected.mean) / 2)
    assert found.shown.share_exact is None
    # 20 wins to 2 by rollouts: a sign test of these would say 1e-4.
    assert found.shown.p > 100 * binomtest(20, 22).pvalue


def test_copies_of_a_rollout_are_no_evidence():
    once = one(Pairs(tuple(rollouts_of(["B"] * 9 + ["A"]))))
    copied = several(*["BBBB"] * 9, "AAAA")
    assert once.shown.method is Method.SIGN
    assert copied.shown.p == pytest.approx(once.shown.p)
    assert copied.bet.log_e == pytest.approx(once.bet.log_e, abs=1e-6)


def test_the_tie_rule_says_what_is_averaged():
    listed = ["Bttt", "Bttt", "Bttt", "AAAA", "BBBt", "Btii", "BBee", "Bttt"]
    drop, half = (several(*listed, tie_rule=rule) for rule in TieRule)
    # With ties dropped, each of 7 scenarios is wholly B's, one wholly A's: the sign test.
    assert drop.shown.p == pytest.approx(binomtest(7, 8).pvalue)
    assert half.shown.p == pytest.approx(
        cluster_test(
            {n: [{"A": -1, "B": 1, "t": 0, "i": 0}[x] for x in one if x != "e"] for n, one in enumerate(listed)}, seed=0
        ).p
    )
    assert half.shown.p > drop.shown.p
    assert drop.shown.net_win == half.shown.net_win == pytest.approx((4 * 0.25 - 1 + 0.75 + 0.25 + 1) / 8)
    assert drop.shown.share_b == half.shown.share_b == pytest.approx(7 / 8)
    assert (drop.shown.lead, half.shown.lead) == (pytest.approx(0.75), half.shown.net_win)


@given(tallies)
@settings(max_examples=25, deadline=None)
def test_with_one_rollout_both_tie_rules_give_the_same_p(counts):
    drop, half = (one(counts, tie_rule=rule) for rule in TieRule)
    assert (drop.shown, drop.p_holm, drop.conclusion) == (half.shown, half.p_holm, half.conclusion)
    scores = {n: [{Verdict.A: -1, Verdict.B: 1}.get(v, 0)] for n, v in enumerate(_readable(counts))}
    by_flips = cluster_test(scores, seed=0).p
    assert by_flips == half.shown.p or by_flips == pytest.approx(half.shown.p, rel=1e-6)


def _readable(counts):
    return [verdict for verdict, count in counts.items() for _ in range(count) if not verdict.failed]


def test_ties_alone_are_undecidable_by_either_rule():
    for rule in TieRule:
        found = several("tt", "ti", "t", tie_rule=rule)
        assert (found.conclusion, found.shown.p) == (Conclusion.UNDECIDABLE, None)
        assert found.shown.reason in ("no scenario has a score", "every scenario's mean is 0")


@given(scenarios, st.sampled_from(TieRule))
@settings(max_examples=25, deadline=None)
def test_renaming_the_models_mirrors_scenarios_means(listed, rule):
    swapped = [scenario.translate(str.maketrans("AB", "BA")) for scenario in listed]
    found, mirrored = several(*listed, tie_rule=rule), several(*swapped, tie_rule=rule)
    assert mirrored.conclusion is NAMES.get(found.conclusion, found.conclusion)
    assert mirrored.shown.p == pytest.approx(found.shown.p)
    assert mirrored.holds is found.holds
    if found.shown.share_b is not None:
        assert mirrored.shown.share_b == pytest.approx(1 - found.shown.share_b)
    if found.failures.net_win is not None:
        low, high = found.failures.net_win
        assert mirrored.failures.net_win == (pytest.approx(-high), pytest.approx(-low))
        assert low - 1e-12 <= (found.shown.net_win if found.n else 0.0) <= high + 1e-12


def test_failed_rollouts_that_could_turn_the_lead():
    clean = ["BB", "BB", "BB", "BB", "BB", "BB", "BB", "BA"]
    safe, shaky = several(*clean, "Be"), several(*clean, *["ee"] * 9)
    assert (safe.conclusion, safe.holds) == (Conclusion.B_BETTER, True)
    assert (shaky.conclusion, shaky.holds, shaky.failures.largest_p) == (Conclusion.B_BETTER, False, 1.0)
    assert shaky.failures.net_win[0] < 0 < shaky.failures.net_win[1]


# ---- optional stopping


def test_after_optional_stopping_the_claim_is_the_e_values():
    """14 to 3 gives p = .013, which no longer counts; the e-value is 17, short of 20."""
    verdicts = [Verdict.B] * 14 + [Verdict.A] * 3
    fixed, stopped = (one(Pairs(tuple(rows_of(verdicts))), stopping=rule) for rule in StoppingRule)
    assert (fixed.conclusion, fixed.p_holm) == (Conclusion.B_BETTER, pytest.approx(binomtest(3, 17).pvalue))
    path = e_path(verdicts)
    assert (stopped.bet.log_e, stopped.bet.p) == (path.log_e[-1], path.p[-1])
    # All fourteen in a row passed 20 on the way, and that claim stays.
    assert stopped.bet.stopped_after == path.stopped_after == 8
    assert stopped.conclusion is Conclusion.B_BETTER
    assert (stopped.p_holm, stopped.p_bh, stopped.stars) == (None, None, "")
    assert stopped.shown.p == fixed.shown.p
    mixed = [Verdict.A] * 3 + [Verdict.B] * 14
    late = one(Pairs(tuple(rows_of(mixed))), stopping=StoppingRule.E_VALUE)
    assert late.bet.log_e == pytest.approx(stopped.bet.log_e)
    assert (late.bet.stopped_after, late.conclusion) == (None, Conclusion.NOT_SHOWN)


def test_the_threshold_grows_with_the_family_and_undecisive_pairs_leave_it():
    verdicts = [Verdict.TIE, Verdict.ERROR, *[Verdict.A] * 12, Verdict.INCONSISTENT]
    alone, member = (
        one(Pairs(tuple(rows_of(verdicts))), stopping=StoppingRule.E_VALUE, family_size=size) for size in (1, 4)
    )
    assert (alone.bet.threshold, member.bet.threshold) == (20, 80)
    assert (alone.bet.stopped_after, member.bet.stopped_after) == (10, 12)
    assert (alone.bet.better, alone.conclusion, alone.better) == (Verdict.A, Conclusion.A_BETTER, "x")
    assert alone.shown.share_interval.high > one(Pairs(tuple(rows_of(verdicts)))).shown.share_interval.high


def test_an_e_value_over_rollouts_is_one_of_scenarios_means():
    listed = ["BBt", "BtB", "BBB", "ttt", "BBA", "eee", "BBB", "BBB", "BBB", "BBB", "BBB", "BBB"]
    found = several(*listed, stopping=StoppingRule.E_VALUE)
    means = [1, 1, 1, 0, 1 / 3, 0, 1, 1, 1, 1, 1, 1]
    path = mean_e_path(means)
    assert (found.bet.log_e, found.bet.stopped_after) == (pytest.approx(path.log_e[-1]), path.stopped_after)
    assert (found.conclusion, found.bet.n) == (Conclusion.B_BETTER, 12)


def test_a_bet_that_failed_pairs_could_undo_says_so():
    safe = [*[Verdict.B] * 20, Verdict.ERROR]
    shaky = [*[Verdict.ERROR, Verdict.B] * 8]
    for verdicts, holds in ((safe, True), (shaky, False)):
        found = one(Pairs(tuple(rows_of(verdicts))), stopping=StoppingRule.E_VALUE)
        assert (found.conclusion, found.holds) == (Conclusion.B_BETTER, holds)


# ---- length


def long_winners(count=80, **others):
    """Whoever is longer wins, three times of four; both are longer equally often."""
    rows = rows_of([Verdict.B, Verdict.A] * (count // 2), **others)
    for number, row in enumerate(rows):
        longer = "words_b" if (row["verdict"] == "B") is (number % 8 < 6) else "words_a"
        row.update({"words_a": 20.0 + number % 3, "words_b": 20.0 + number % 5} | {longer: 40.0})
    return rows


def test_the_result_at_equal_length_stands_beside():
    found = one(Pairs(tuple(long_winners())))
    assert found.length.estimable
    assert found.length.coefficient > 0
    assert found.length.adjusted_share_b == pytest.approx(0.5, abs=0.1)
    assert one(Pairs(tuple(long_winners(20)))).length.reason.startswith("20 decisive pairs")


def test_without_lengths_there_is_none():
    unknown = long_winners()
    unknown[5]["words_a"] = None
    assert one(Pairs(tuple(unknown))).length is None
    assert one(tally(10, 30)).length is None


# ---- what is handed out


def test_results_are_frozen_print_as_tables_and_speak_json():
    found = compare({("j", "x", "y"): pairs_of(tally(4, 20, tie=3, error=1))}, Terms(seed=7))
    with pytest.raises(FrozenInstanceError):
        found.terms.alpha = 0.5
    told = json.loads(found.to_json())
    assert (told["n"], told["seed"], told["terms"]["alpha"], told["terms"]["tie_rule"]) == (1, 7, 0.05, "drop")
    (row,) = told["comparisons"]
    assert row["counts"] == {"A": 4, "B": 20, "tie": 3, "inconsistent": 0, "malformed": 0, "error": 1}
    assert row["shown"]["p"] == found.comparisons[0].shown.p
    assert (row["conclusion"], row["better"], row["stars"]) == ("B better", "y", "**")
    assert "j: x against y" in str(found)
    assert "conclusion" in str(found.comparisons[0])


def test_the_summary_fits_and_shows_what_underflows():
    names = ("rubric:plain", "SAGE_1(-SAC)", "SAGE_DPO")
    text = summary(compare({names: pairs_of(tally(0, 5000, tie=1000, inconsistent=1000))}, Terms()))
    assert max(map(len, text.splitlines())) <= 125
    assert f"1e{math.log10(2) * (1 - 5000):.0f}" in text
    lines = [line for line in text.splitlines() if line.split()[:3] == list(names)]
    assert len(lines) == 1
