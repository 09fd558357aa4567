"""Simulations of what the ratings promise: coverage of intervals, and false claims where there is nothing to claim.

The seeds are fixed, so a figure is the same each time.

    python -m pytest -m slow -s tests/eval/test_simulations_ratings.py   # prints the figures
    python benchmarks/statistics/figures.py                              # all of them, as one table
"""

import numpy as np
import pytest
from scipy.special import expit
from simulated import LEVEL, NOMINAL, POINTS, at_most, note

from sage_eval.stats.agreement import agreement
from sage_eval.stats.davidson import Games, RatingSettings, bootstrap, goodness, observed_fit, rate
from sage_eval.stats.davidson.model import chances
from sage_eval.stats.lengths import length_adjusted

pytestmark = pytest.mark.slow


def pairs_of(models):
    return np.array([(i, j) for i in range(models) for j in range(i + 1, models)])


def world(rng, strengths, scenarios, *, log_ties, spread, samples, pairs=None):
    """Games of the pairs in every scenario; a model's strength differs between scenarios by `spread`."""
    pairs = pairs_of(len(strengths)) if pairs is None else pairs
    own = np.asarray(strengths) + rng.normal(0.0, spread, (scenarios, len(strengths)))
    limits = chances(own, np.full(scenarios, log_ties), pairs).cumsum(axis=2)
    drawn = rng.random((samples, scenarios, len(pairs), 1))
    outcome = (drawn > limits).sum(axis=3)
    counts = (outcome[..., None] == np.arange(3)).sum(axis=0).astype(float)
    return Games(tuple(f"m{index}" for index in range(len(strengths))), pairs, counts)


def truth(strengths, **settings):
    """What a fit of endless scenarios would say: a spread between scenarios shrinks strengths a little."""
    games = world(np.random.default_rng(0), strengths, 200_000, **{**settings, "samples": 1})
    return observed_fit(games, 0.5).strengths[0]


@pytest.mark.parametrize(
    ("strengths", "scenarios", "settings", "level"),
    [
        ([0.0, 0.6], 60, {"log_ties": 0.0, "spread": 0.0, "samples": 1}, 0.95),
        ([0.0, 0.0, 0.0, 0.0], 40, {"log_ties": 0.0, "spread": 0.0, "samples": 1}, 0.95),
        ([-1.0, 0.0, 0.4, 0.6], 40, {"log_ties": -1.0, "spread": 1.0, "samples": 3}, 0.95),
        ([-1.5, 0.0, 0.5, 1.0], 60, {"log_ties": -0.5, "spread": 1.5, "samples": 2}, 0.9),
        ([-0.5, -0.2, 0.0, 0.1, 0.2, 0.4], 150, {"log_ties": 0.3, "spread": 0.8, "samples": 1}, 0.95),
        ([0.0, 1.0, 2.0, 3.0], 60, {"log_ties": -3.0, "spread": 0.5, "samples": 1}, 0.95),
    ],
)
def test_intervals_cover_strengths_and_differences(strengths, scenarios, settings, level):
    runs, rng, expected = 400, np.random.default_rng(1), truth(strengths, **settings)
    differences = expected[pairs_of(len(strengths))[:, 1]] - expected[pairs_of(len(strengths))[:, 0]]
    of_strengths, of_differences = [], []
    for run in range(runs):
        found = rate(world(rng, strengths, scenarios, **settings), RatingSettings(level=level, resamples=300), seed=run)
        by_name = {one.model: one.interval for one in found.models}
        of_strengths.append([expected[index] in by_name[f"m{index}"] for index in range(len(expected))])
        of_differences.append([one in each.interval for one, each in zip(differences, found.pairs, strict=True)])
    covered = {"coverage_strengths": np.mean(of_strengths), "coverage_differences": np.mean(of_differences)}
    setting = f"{len(strengths)} models, {scenarios} scenarios of {settings['samples']}, spread {settings['spread']}"
    note("Davidson, bootstrap intervals", setting, runs=runs, seed=1, level=level, **covered)
    assert list(covered.values()) == pytest.approx([level, level], abs=POINTS)


def by_verdict(games):
    """The same games with each verdict as a cluster of its own."""
    outcomes = games.counts.reshape(-1, 3).astype(int)
    each = np.concatenate([np.eye(3)[np.repeat(np.arange(3), row)] for row in outcomes])
    pairs = len(games.pairs)
    places = np.repeat(np.tile(np.arange(pairs), len(games.counts)), outcomes.sum(axis=1))
    counts = np.zeros((len(each), pairs, 3))
    counts[np.arange(len(each)), places] = each
    return Games(games.models, games.pairs, counts)


@pytest.mark.parametrize(
    ("name", "samples", "times", "spread"),
    [("rollouts of their own", 4, 1, 1.5), ("both orders as two games", 1, 2, 0.0)],
)
def test_naive_intervals_would_not(name, samples, times, spread):
    """Trap: with each sample, or each order, as evidence of its own, the same intervals cover far too little."""
    settings = {"log_ties": -0.5, "spread": spread, "samples": samples}
    strengths, runs, few, rng = [0.0, 0.3, 0.6], 800, 200, np.random.default_rng(3)
    expected, hits = truth(strengths, **settings), {"scenario": 0, "verdict": 0}
    for run in range(runs):
        games = world(rng, strengths, 60, **settings)
        games = Games(games.models, games.pairs, times * games.counts)
        for by in ("scenario", "verdict")[: 1 + (run < few)]:
            one = games if by == "scenario" else by_verdict(games)
            pair = rate(one, RatingSettings(level=0.9, resamples=300), seed=run).pairs[1]
            hits[by] += expected[2] - expected[0] in pair.interval
    rates = {"coverage": hits["scenario"] / runs, "naive_coverage": hits["verdict"] / few}
    setting = f"3 models, 60 scenarios, {name}"
    note("Davidson, bootstrap intervals", setting, runs=runs, seed=3, level=0.9, coverage=rates["coverage"])
    note("Davidson, bootstrap intervals", setting, runs=few, seed=3, naive_coverage=rates["naive_coverage"])
    assert rates["coverage"] == pytest.approx(0.9, abs=POINTS)
    assert rates["naive_coverage"] < 0.82


@pytest.mark.parametrize(
    ("models", "scenarios", "settings"),
    [
        (3, 20, {"log_ties": 0.0, "spread": 0.0, "samples": 1}),
        (6, 60, {"log_ties": 0.0, "spread": 1.0, "samples": 2}),
        (5, 200, {"log_ties": -2.0, "spread": 0.0, "samples": 1}),
    ],
)
def test_equal_models_are_seldom_told_apart(models, scenarios, settings):
    runs, rng = 800, np.random.default_rng(2)
    claims = 0
    for _ in range(runs):
        found = rate(world(rng, [0.0] * models, scenarios, **settings), RatingSettings(resamples=1))
        claims += any(one.letters != "a" or one.rank_low != 1 for one in found.models)
    setting = f"{models} equal models, {scenarios} scenarios of {settings['samples']}"
    note("Davidson, groups and ranks", setting, runs=runs, seed=2, any_false_claim=claims / runs)
    assert at_most(claims / runs, runs)


@pytest.mark.parametrize(
    ("strengths", "scenarios", "settings"),
    [
        ([0.0, 0.5, 1.0, 0.2], 50, {"log_ties": -0.3, "spread": 0.0, "samples": 1}),
        ([0.0, 0.5, 1.0, 0.2], 300, {"log_ties": -0.3, "spread": 0.0, "samples": 1}),
        ([0.0, 0.0, 0.0], 80, {"log_ties": -0.3, "spread": 0.0, "samples": 4}),
    ],
)
def test_a_model_that_holds_is_seldom_rejected(strengths, scenarios, settings):
    runs, rng, rejected = 500, np.random.default_rng(4), 0
    for run in range(runs):
        games = world(rng, strengths, scenarios, **settings)
        draws = bootstrap(games, prior=0.5, resamples=300, seed=run)
        rejected += goodness(games, observed_fit(games, 0.5), draws, prior=0.5).p < 0.05
    setting = f"{len(strengths)} models, {scenarios} scenarios of {settings['samples']}"
    note("Davidson, goodness of fit", setting, runs=runs, seed=4, rejected=rejected / runs)
    assert at_most(rejected / runs, runs)


def test_a_fit_of_dependent_verdicts_is_seldom_rejected():
    """Samples that repeat each other: chi-square rejects far too often, the bootstrap over scenarios does not."""
    runs, rng, rejected = 400, np.random.default_rng(5), np.zeros(2)
    for run in range(runs):
        games = world(rng, [0.0, 0.4, 0.8], 100, log_ties=-0.3, spread=0.0, samples=1)
        games = Games(games.models, games.pairs, 4 * games.counts)
        found = goodness(
            games, observed_fit(games, 0.5), bootstrap(games, prior=0.5, resamples=300, seed=run), prior=0.5
        )
        rejected += [found.p < 0.05, found.p_chi_square < 0.05]
    rates = dict(zip(("rejected", "naive_chi_square"), rejected / runs, strict=True))
    note("Davidson, goodness of fit", "3 models, 100 scenarios of 4 copies", runs=runs, seed=5, **rates)
    assert at_most(rejected[0] / runs, runs)
    assert rejected[1] / runs > 0.3


SHARES = np.array([0.45, 0.3, 0.15, 0.1])


def rated(rng, scenarios, samples, raters, agreeing):
    """Raters who say what is true of the unit, or chance; how often differs between scenarios."""
    sure = rng.beta(6 * agreeing, 6 * (1 - agreeing), (scenarios, 1, 1))
    true = rng.choice(4, (scenarios, samples, 1), p=SHARES)
    own = rng.choice(4, (scenarios, samples, raters), p=SHARES)
    said = np.where(rng.random((scenarios, samples, raters)) < sure, true, own).reshape(-1, raters)
    return [[("A", "B", "tie", "inconsistent")[one] for one in row] for row in said], np.repeat(
        np.arange(scenarios), samples
    )


@pytest.mark.parametrize(
    ("scenarios", "samples", "raters", "agreeing"),
    [(40, 1, 2, 0.6), (60, 4, 2, 0.8), (50, 2, 3, 0.7), (200, 2, 3, 0.5)],
)
def test_intervals_cover_agreement(scenarios, samples, raters, agreeing):
    runs, rng = 1000, np.random.default_rng(6)
    names = ("percent", "alpha", "ac1", "kappa")[: 3 + (raters == 2)]
    units, _ = rated(np.random.default_rng(7), 60_000, 1, raters, agreeing)
    expected = agreement(units, resamples=2)
    hits = dict.fromkeys(names, 0)
    for run in range(runs):
        units, clusters = rated(rng, scenarios, samples, raters, agreeing)
        found = agreement(units, clusters=clusters.tolist(), resamples=400, seed=run)
        for name in names:
            interval = getattr(found, name).interval
            hits[name] += interval is not None and getattr(expected, name).value in interval
    covered = {f"coverage_{name}": hit / runs for name, hit in hits.items()}
    setting = f"{raters} raters, {scenarios} scenarios of {samples}, agreeing {agreeing}"
    note("agreement, bootstrap intervals", setting, runs=runs, seed=6, **covered)
    assert list(covered.values()) == pytest.approx([LEVEL] * len(names), abs=POINTS)


@pytest.mark.parametrize(
    ("scenarios", "samples", "intercept", "slope"),
    [(40, 1, 0.0, 1.0), (100, 1, 0.6, 1.0), (60, 4, 0.3, -0.5), (30, 5, 0.0, 0.0)],
)
def test_intervals_cover_the_length_adjusted_share(scenarios, samples, intercept, slope):
    runs, rng = 2000, np.random.default_rng(8)
    spread = 0.0 if samples == 1 else 0.8
    hits, claims, given, wrong = 0, 0, 0, 0
    # With a spread between scenarios, the fit of endless ones is what is estimated.
    big = drawn(np.random.default_rng(9), 200_000, 1, intercept, slope, spread)
    expected = length_adjusted(*big[:3])
    for _ in range(runs):
        won, a, b, clusters = drawn(rng, scenarios, samples, intercept, slope, spread)
        found = length_adjusted(won, a, b, clusters=clusters)
        if found.estimable:
            given += 1
            hits += expected.adjusted_share_b in found.interval
            claims += expected.coefficient in found.coefficient_interval
            wrong += found.p < NOMINAL
    assert given / runs > 0.99
    rates = {"coverage_share": hits / given, "coverage_coefficient": claims / given}
    if intercept == 0.0:
        rates["false_positives"] = wrong / given
        assert at_most(wrong / given, given)
    setting = f"{scenarios} scenarios of {samples}, intercept {intercept}, slope {slope}"
    note("at equal length", setting, runs=given, seed=8, **rates)
    assert (hits / given, claims / given) == pytest.approx((LEVEL, LEVEL), abs=POINTS)


def drawn(rng, scenarios, samples, intercept, slope, spread):
    """Decisive pairs whose log-odds are intercept + the scenario's own + slope * tanh(difference / 30)."""
    difference = rng.normal(10.0, 30.0, (scenarios, samples))
    odds = intercept + rng.normal(0.0, spread, (scenarios, 1)) + slope * np.tanh(difference / 30.0)
    won = (rng.random((scenarios, samples)) < expit(odds)).ravel().tolist()
    clusters = np.repeat(np.arange(scenarios), samples).tolist()
    return won, np.zeros(len(won)), difference.ravel(), clusters
