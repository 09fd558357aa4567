"""Every test and interval offered: false positives at most nominal, coverage within 2 points of it or conservative.

What can be counted is counted, without a die: the sign test, McNemar's, Wilson's, Clopper and Pearson's, Tango's and
the test of equivalence by adding up every outcome, the e-value by following every score. The rest is drawn, with seeds;
a rate of r over R draws has a standard error of sqrt(r (1 - r) / R), and two of these are allowed above a nominal rate.

    python -m pytest -m slow -s tests/eval/test_simulations_tests.py     # prints the figures
    python benchmarks/statistics/figures.py                              # all of them, as one table
"""

from math import comb, log, sqrt
from statistics import NormalDist

import numpy as np
import pytest
from scipy.special import betaln, gammaln, ndtr, xlogy
from simulated import LEVEL, NOMINAL, all_cover, at_most, covers, note

from sage_eval.stats import (
    benjamini_hochberg,
    cluster_test,
    e_path,
    equivalence_of_scores,
    exact_interval,
    flip_test,
    grouped_difference,
    holm,
    mcnemar,
    mean_e_path,
    net_win,
    paired_bootstrap,
    sign_test,
    stopping_time,
    wilson_interval,
    worst_case,
)
from sage_eval.stats.margins import HALF_A_DOCUMENT
from sage_eval.stats.paired import tango_score
from sage_eval.stats.power import critical_wins
from sage_eval.verdict import Choice, Verdict, combine

pytestmark = pytest.mark.slow

Z = NormalDist().inv_cdf(0.975)


# ---- counted


@pytest.mark.parametrize("n", [5, 6, 12, 25, 50, 100, 400, 1650])
def test_sign_test(n):
    critical = int(critical_wins(np.array([n]))[0])
    assert critical < 0 or sign_test(critical, n - critical).p < NOMINAL <= sign_test(critical + 1, n - critical - 1).p
    rate = 2 * sum(comb(n, wins) for wins in range(critical + 1)) / 2**n
    note("sign test", f"n={n}", runs=None, false_positives=rate)
    assert rate <= NOMINAL


def test_both_orders_as_two_votes_against_one_verdict():
    rng = np.random.default_rng(1)
    runs, pairs = 3000, 600
    prefers_b = rng.random((runs, pairs)) < 0.5
    # A judge that is sure of itself: whatever it prefers, it says so in both orders.
    votes = 2 * prefers_b.sum(axis=1)
    as_votes = np.mean(np.minimum(votes, 2 * pairs - votes) <= critical_wins(np.array([2 * pairs]))[0])
    verdict = {b: combine(*((Choice.SECOND, Choice.FIRST) if b else (Choice.FIRST, Choice.SECOND))) for b in (0, 1)}
    assert verdict == {0: Verdict.A, 1: Verdict.B}
    wins = np.array([sum(verdict[int(b)] is Verdict.B for b in run) for run in prefers_b[:1000]])
    as_verdicts = np.mean(np.minimum(wins, pairs - wins) <= critical_wins(np.array([pairs]))[0])
    note("both orders as two votes", f"{pairs} pairs", runs=runs, seed=1, naive_false_positives=as_votes)
    note("both orders as one verdict", f"{pairs} pairs", runs=1000, seed=1, false_positives=as_verdicts)
    assert 0.13 < as_votes < 0.19
    assert at_most(as_verdicts, 1000)


def binomial(n, share):
    k = np.arange(n + 1)
    return np.exp(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + xlogy(k, share) + xlogy(n - k, 1 - share))


@pytest.mark.parametrize("n", [10, 50, 100, 400])
def test_wilson_and_exact_intervals(n):
    shares = np.linspace(0.05, 0.95, 91)
    both = {}
    for name, method in (("wilson", wilson_interval), ("exact", exact_interval)):
        limits = [method(k, n) for k in range(n + 1)]
        low, high = (np.array([getattr(one, side) for one in limits]) for side in ("low", "high"))
        both[name] = np.array([binomial(n, p)[(low <= p) & (p <= high)].sum() for p in shares])
    wilson, exact = both["wilson"], both["exact"]
    inner = (shares >= 0.2) & (shares <= 0.8)
    found = {"mean": wilson.mean(), "least": wilson.min(), "least_for_.2_to_.8": wilson[inner].min()}
    note("Wilson", f"n={n}, shares .05-.95", runs=None, **{f"coverage_{name}": rate for name, rate in found.items()})
    note(
        "Clopper-Pearson",
        f"n={n}, shares .05-.95",
        runs=None,
        coverage_mean=exact.mean(),
        coverage_least=exact.min(),
    )
    assert exact.min() >= 0.95
    # Wilson's holds on average; single shares fall below, near the ends more than in the middle (Brown et al. 2001).
    assert abs(wilson.mean() - LEVEL) < 0.01
    assert wilson[inner].min() >= 0.92
    assert n < 50 or covers(wilson[inner].min())


def trinomial(n, lost, gained):
    """Chance of every (lost, gained), shape (n + 1, n + 1)."""
    a, b = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    same = n - a - b
    rest = np.maximum(same, 0)
    chance = gammaln(n + 1) - gammaln(a + 1) - gammaln(b + 1) - gammaln(rest + 1)
    chance += xlogy(a, lost) + xlogy(b, gained) + xlogy(rest, 1 - lost - gained)
    return np.where(same >= 0, np.exp(chance), 0.0)


def scored(n, delta, correction=0.0):
    """Tango's score of every (lost, gained)."""
    scores = np.zeros((n + 1, n + 1))
    for lost in range(n + 1):
        for gained in range(n + 1 - lost):
            scores[lost, gained] = tango_score(delta, lost, gained, n, correction)
    return scores


@pytest.mark.parametrize("n", [20, 50, 150])
@pytest.mark.parametrize("lead", [0.0, 0.05, 0.2, 0.5])
def test_net_win_interval(n, lead):
    inside = np.abs(scored(n, lead)) <= Z
    rates = {}
    for neither in (0.0, 0.3, 0.6, 0.9, 0.94):
        if 1 - neither >= lead:
            rates[f"coverage_ties_{neither}"] = trinomial(n, (1 - neither - lead) / 2, (1 - neither + lead) / 2)[
                inside
            ].sum()
    note("net win (Tango)", f"n={n}, net win {lead}", runs=None, **rates)
    # Below 50 pairs without ties, where the lead moves in steps of 2 / n, it falls a little short.
    assert all_cover(rates.values()) or (n == 20 and min(rates.values()) >= 0.92)


def test_net_win_interval_is_the_score_test_turned_round():
    inside = np.abs(scored(20, 0.2)) <= Z
    for wins_a in range(21):
        for wins_b in range(21 - wins_a):
            found = net_win(wins_a, wins_b, 20 - wins_a - wins_b)
            assert (0.2 in found.interval) == inside[wins_a, wins_b]
            assert (0.6 in found.half_tie_interval) == inside[wins_a, wins_b]


@pytest.mark.parametrize("n", [20, 50, 100])
@pytest.mark.parametrize("alpha", [0.05, 0.005])
def test_equivalence_of_models_at_the_margin(n, alpha):
    def most(correction):
        found = []
        for margin in (0.02, 0.05, 0.1, 0.3):
            passed = scored(n, -margin, correction) > NormalDist().inv_cdf(1 - alpha)
            for changed in (margin, margin + 0.02, margin + 0.1, 0.5, 0.9):
                found.append(trinomial(n, (changed + margin) / 2, (changed - margin) / 2)[passed].sum())
        return max(found)

    corrected = most(HALF_A_DOCUMENT)
    note(
        "equivalence (Tango), at the margin",
        f"n={n}, alpha={alpha}",
        runs=None,
        nominal=alpha,
        not_inferior=corrected,
        naive_without_correction=most(0.0),
    )
    assert corrected <= alpha


@pytest.mark.parametrize(("n", "changed"), [(30, 0.1), (100, 0.2), (1000, 0.05)])
def test_mcnemar(n, changed):
    # The sign test on however many documents changed.
    for m in range(1, n // 3 + 1):
        critical = int(critical_wins(np.array([m]))[0])
        assert critical < 0 or mcnemar(critical, m - critical, n).p < NOMINAL
        assert mcnemar(critical + 1, m - critical - 1, n).p >= NOMINAL
    each = [
        2 * sum(comb(m, k) for k in range(int(critical_wins(np.array([m]))[0]) + 1)) / 2**m for m in range(n // 3 + 1)
    ]
    rate = float(binomial(n, changed)[: len(each)] @ np.array(each))
    note("McNemar, exact", f"n={n}, changed {changed}", runs=None, false_positives=rate)
    assert rate <= NOMINAL


@pytest.mark.parametrize("most", [200, 1650, 20_000])
def test_e_value_looked_at_after_every_pair(most):
    rate = stopping_time(0.5, most=most).reached
    note("e-value, after every pair", f"up to {most} decisive pairs", runs=None, false_positives=rate)
    assert rate <= NOMINAL


# ---- drawn


def test_peeking_at_p_against_the_e_value():
    rng = np.random.default_rng(2)
    runs, most = 3000, 2544
    wins = np.cumsum(rng.random((runs, most)) < 0.5, axis=1, dtype=np.int32)
    looks = np.arange(25, most + 1, 25)
    fewer = np.minimum(wins[:, looks - 1], looks - wins[:, looks - 1])
    peeking = np.mean((fewer <= critical_wins(looks)).any(axis=1))
    n = np.arange(1, most + 1)
    log_e = betaln(1 + wins, 1 + n - wins) + n * log(2)
    betting = np.mean((log_e >= log(20)).any(axis=1))
    note("p, looked at every 25 pairs", f"up to {most} pairs", runs=runs, seed=2, naive_false_positives=peeking)
    note("e-value, after every pair", f"up to {most} pairs", runs=runs, seed=2, false_positives=betting)
    assert 0.31 < peeking < 0.38
    assert at_most(betting, runs)
    first = e_path([Verdict.B if won else Verdict.A for won in np.diff(wins[0], prepend=0)])
    assert first.log_e == pytest.approx(log_e[0])


def test_e_values_of_a_family():
    rng = np.random.default_rng(3)
    runs, most, family = 1500, 400, 5
    n = np.arange(1, most + 1)
    claimed = np.zeros(runs, dtype=bool)
    for _ in range(family):
        wins = np.cumsum(rng.random((runs, most)) < 0.5, axis=1)
        claimed |= (betaln(1 + wins, 1 + n - wins) + n * log(2) >= log(family / NOMINAL)).any(axis=1)
    note("e-values, any of a family", f"{family} comparisons", runs=runs, seed=3, false_positives=claimed.mean())
    assert at_most(claimed.mean(), runs)


@pytest.mark.parametrize("share", [0.5, 0.6, 0.9, 0.99])
def test_confidence_sequence_covers_at_all_times_at_once(share):
    rng = np.random.default_rng(4)
    runs, most = 1500, 1000
    wins = np.cumsum(rng.random((runs, most)) < share, axis=1)
    n = np.arange(1, most + 1)
    evidence = betaln(1 + wins, 1 + n - wins) - xlogy(wins, share) - xlogy(n - wins, 1 - share)
    missed = (evidence >= log(20)).any(axis=1).mean()
    note("confidence sequence, always", f"share {share}, up to {most} pairs", runs=runs, seed=4, coverage=1 - missed)
    assert at_most(missed, runs)
    path = e_path([Verdict.B if won else Verdict.A for won in np.diff(wins[0], prepend=0)])
    assert [share in limits for limits in path.share_b] == (evidence[0] < log(20)).tolist()


CLUSTERED = [
    # Scenarios, rollouts, share of ties, correlation of two decisive rollouts, mean win share.
    (8, 1, 0.2, 0.0, 0.5),
    (8, 5, 0.3, 0.3, 0.5),
    (20, 1, 0.9, 0.0, 0.5),
    (40, 5, 0.2, 0.5, 0.5),
    (40, None, 0.3, 0.3, 0.5),
    (200, 5, 0.3, 0.3, 0.5),
    (20, 1, 0.3, 0.0, 0.8),
    (20, 5, 0.3, 0.2, 0.8),
    (10, 5, 0.0, 0.2, 0.9),
    (20, 10, 0.0, 0.3, 0.95),
    (20, 5, 0.0, 0.65, 0.9),
    (50, None, 0.1, 0.25, 0.65),
]


def scenarios(rng, number, rollouts, ties, correlation, share):
    """Scores of each scenario's rollouts; None: 1 to 5 of them."""
    shares = np.full(number, share)
    if correlation:
        concentration = 1 / correlation - 1
        shares = rng.beta(share * concentration, (1 - share) * concentration, size=number)
    sizes = rng.integers(1, 6, number) if rollouts is None else np.full(number, rollouts)
    return {
        f"s{index}": np.where(rng.random(size) < ties, 0.0, np.where(rng.random(size) < one, 1.0, -1.0))
        for index, (size, one) in enumerate(zip(sizes, shares, strict=True))
    }


@pytest.mark.parametrize("setting", CLUSTERED)
def test_several_rollouts_a_scenario(setting):
    runs, truth = 2000, (1 - setting[2]) * (2 * setting[4] - 1)
    rng = np.random.default_rng(5)
    drawn = [scenarios(rng, *setting) for _ in range(runs)]
    found = [cluster_test(one, seed=0) for one in drawn]
    rates = {"coverage": np.mean([truth in one.interval for one in found])}
    if truth == 0:
        rates["flips"] = np.mean([one.p is not None and one.p < NOMINAL for one in found])
        rates["t"] = np.mean([one.p_t is not None and one.p_t < NOMINAL for one in found])
        wins = np.array([[np.sum(np.concatenate(list(one.values())) == side) for side in (-1, 1)] for one in drawn])
        rates["naive_by_rollouts"] = np.mean(wins.min(axis=1) <= critical_wins(wins.sum(axis=1)))
    note("scenarios' means", "G={} k={} ties={} icc={} share={}".format(*setting), runs=runs, seed=5, **rates)
    assert covers(rates["coverage"])
    assert truth or at_most(rates["flips"], runs)
    assert truth or at_most(rates["t"], runs)


def test_counting_rollouts_on_their_own():
    rng = np.random.default_rng(6)
    rates = []
    for correlation in (0.2, 0.3, 0.5):
        wrong, runs = 0, 800
        for _ in range(runs):
            every = np.concatenate(list(scenarios(rng, 100, 5, 0.3, correlation, 0.5).values()))
            fewer = min(np.sum(every > 0), np.sum(every < 0))
            wrong += fewer <= critical_wins(np.array([np.sum(every != 0)]))[0]
        rates.append(wrong / runs)
        note("rollouts on their own", f"100 scenarios of 5, icc {correlation}", runs=runs, seed=6, naive=rates[-1])
    assert 0.09 < rates[0] < rates[-1] < 0.25


def test_e_value_over_scenarios_means():
    rng = np.random.default_rng(7)
    runs, apart, together = 500, 0, 0
    for _ in range(runs):
        drawn = list(scenarios(rng, 200, 5, 0.2, 0.5, 0.5).values())
        together += mean_e_path([one.mean() for one in drawn]).stopped_after is not None
        verdicts = [{1.0: Verdict.B, -1.0: Verdict.A}.get(score, Verdict.TIE) for one in drawn for score in one]
        apart += e_path(verdicts).stopped_after is not None
    rates = {"false_positives": together / runs, "naive_by_rollouts": apart / runs}
    note("e-value of scenarios' means", "200 scenarios of 5, icc .5", runs=runs, seed=7, **rates)
    assert at_most(together / runs, runs)
    assert apart > together


def test_flips_drawn():
    rng = np.random.default_rng(8)
    runs = 1500
    drawn = [flip_test(rng.normal(size=30), seed=index, resamples=499) for index in range(runs)]
    assert {one.method for one in drawn} == {"monte-carlo"}
    rate = np.mean([one.p < NOMINAL for one in drawn])
    note("sign flips, drawn", "30 scores, 499 patterns", runs=runs, seed=8, false_positives=rate)
    assert at_most(rate, runs)


def test_failures_that_favour_one_model():
    rng = np.random.default_rng(9)
    runs, covered, claimed, trusting = 400, 0, 0, 0
    for _ in range(runs):
        b, a = rng.binomial(200, 0.4), 0
        a = rng.binomial(200 - b, 2 / 3)
        # Equal models; but a judge that breaks on a third of what A won, and on nothing else.
        failed = rng.binomial(a, 1 / 3)
        found = worst_case(a - failed, b, 200 - a - b, failed)
        covered += 0.0 in found.interval
        claimed += found.holds
        trusting += sign_test(a - failed, b).p < NOMINAL
    note(
        "worst case over failures",
        "200 pairs, a third of A's wins lost",
        runs=runs,
        seed=9,
        coverage=covered / runs,
        holds=claimed / runs,
        naive_ignoring_them=trusting / runs,
    )
    assert covers(covered / runs)
    assert at_most(claimed / runs, runs)
    assert trusting / runs > 0.3


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_families(correlation):
    rng = np.random.default_rng(10)
    runs, tests, real = 5000, 10, 4
    z = sqrt(correlation) * rng.normal(size=(runs, 1)) + sqrt(1 - correlation) * rng.normal(size=(runs, tests))
    shift = np.where(np.arange(tests) < real, 3.0, 0.0)
    false_claims, share, complete = 0, 0.0, 0
    for row in z:
        p = list(2 * ndtr(-np.abs(row + shift)))
        false_claims += any(one < NOMINAL for one in holm(p)[real:])
        rejected = np.array(benjamini_hochberg(p)) < NOMINAL
        share += rejected[real:].sum() / max(1, rejected.sum())
        complete += any(one < NOMINAL for one in holm(list(2 * ndtr(-np.abs(row)))))
    rates = {"holm_all_null": complete / runs, "holm_4_real": false_claims / runs, "bh_false_share": share / runs}
    note("family of 10", f"correlation {correlation}", runs=runs, seed=10, **rates)
    assert all(at_most(rate, runs) for rate in rates.values())


SHAPES = {
    "normal": lambda rng, size: rng.normal(size=size),
    "skewed": lambda rng, size: rng.exponential(size=size) - 1.0,
    "mostly equal": lambda rng, size: rng.choice([-0.5, 0.0, 0.25], size=size, p=[0.1, 0.7, 0.2]),
}


@pytest.mark.parametrize(("shape", "n"), [("normal", 20), ("normal", 80), ("skewed", 200), ("mostly equal", 80)])
def test_paired_bootstrap(shape, n):
    rng = np.random.default_rng(11)
    runs, covered, wrong = 2000, 0, 0
    for run in range(runs):
        gains = SHAPES[shape](rng, n)
        covered += 0.0 in paired_bootstrap(np.zeros(n), gains, seed=run, resamples=400).interval
        # Exchangeable models: the sign of each gain is a matter of chance.
        flipped = gains * rng.choice([-1.0, 1.0], size=n)
        wrong += paired_bootstrap(np.zeros(n), flipped, seed=run, resamples=199).p < NOMINAL
    rates = {"coverage": covered / runs, "false_positives": wrong / runs}
    note("paired bootstrap", f"{shape}, n={n}", runs=runs, seed=11, **rates)
    assert covers(covered / runs)
    assert at_most(wrong / runs, runs)


GROUPED = [
    ("equal", 8, 0.1),
    ("equal", 25, 0.1),
    ("mmlu", 57, 0.0),
    ("mmlu", 57, 0.2),
    ("few", 30, 0.4),
    ("few", 200, 0.1),
]


def documents(rng, kind, clusters, spread):
    """Answers of two equally good models; which subject suits whom is a matter of chance."""
    sizes = {
        "equal": np.full(clusters, 25),
        "mmlu": rng.lognormal(4.5, 0.8, clusters).astype(int) + 20,
        "few": rng.integers(1, 8, clusters),
    }[kind]
    ids = np.repeat(np.arange(clusters), sizes)
    suits = rng.normal(0, spread / 2, clusters)[ids]
    sides = (np.clip(0.6 + sign * suits, 0.02, 0.98) for sign in (-1, 1))
    base, new = ((rng.random(ids.size) < share).astype(float) for share in sides)
    return base, new, ids.tolist()


@pytest.mark.parametrize("setting", GROUPED)
def test_documents_in_clusters(setting):
    rng = np.random.default_rng(12)
    runs = 1500
    found = []
    for run in range(runs):
        base, new, ids = documents(rng, *setting)
        found.append(grouped_difference(base, new, clusters=ids, seed=run, resamples=300))
    rates = {
        "coverage_t": np.mean([0.0 in one.interval for one in found]),
        "coverage_bootstrap": np.mean([0.0 in one.bootstrap for one in found]),
        "flips": np.mean([one.p is not None and one.p < NOMINAL for one in found]),
        "t": np.mean([one.p_t < NOMINAL for one in found]),
    }
    note("documents in clusters", "{}, {} clusters, spread {}".format(*setting), runs=runs, seed=12, **rates)
    assert covers(rates["coverage_t"])
    assert covers(rates["coverage_bootstrap"])
    assert at_most(rates["flips"], runs)
    assert at_most(rates["t"], runs)


def test_documents_in_strata():
    rng = np.random.default_rng(13)
    runs, covered, resampled = 1500, 0, 0
    sizes = rng.integers(20, 60, 12)
    ids = np.repeat(np.arange(12), sizes)
    gains = np.linspace(-0.2, 0.2, 12)[ids]
    truth = gains.mean()
    for run in range(runs):
        base, new = (rng.random(ids.size) < 0.6).astype(float), (rng.random(ids.size) < 0.6 + gains).astype(float)
        found = grouped_difference(base, new, strata=ids.tolist(), seed=run, resamples=300)
        covered += truth in found.interval
        resampled += truth in found.bootstrap
    rates = {"coverage_t": covered / runs, "coverage_bootstrap": resampled / runs}
    note("documents in strata", "12 subjects, all there", runs=runs, seed=13, **rates)
    assert covers(covered / runs)
    assert covers(resampled / runs)


@pytest.mark.parametrize(("shape", "n", "clusters"), [("normal", 20, None), ("skewed", 200, None), ("normal", 400, 25)])
def test_equivalence_of_scores_at_the_margin(shape, n, clusters):
    rng = np.random.default_rng(14)
    runs, passed, covered = 2000, 0, 0
    ids = None if clusters is None else np.repeat(np.arange(clusters), n // clusters).tolist()
    for _ in range(runs):
        gains = 0.2 * SHAPES[shape](rng, n) - 0.1
        if ids is not None:
            gains = gains + 0.1 * rng.normal(size=clusters)[ids]
        found = equivalence_of_scores(np.zeros(n), gains, margin=0.1, clusters=ids)
        passed += found.not_inferior
        covered += -0.1 in found.limits
    rates = {"not_inferior": passed / runs, "coverage": covered / runs}
    note("equivalence (t), at the margin", f"{shape}, n={n}", runs=runs, seed=14, level=0.9, **rates)
    assert at_most(passed / runs, runs)
    assert covers(covered / runs, 0.9)
