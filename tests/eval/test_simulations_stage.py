"""Simulations of what is planned before judging and claimed after it: power, stopping times, and the stage as a whole.

python -m pytest -m slow -s tests/eval/test_simulations_stage.py     # prints the figures
"""

from math import sqrt

import numpy as np
import pytest
from scipy.special import betaln
from simulated import NOMINAL, at_most, note
from verdict_material import rows_of

from sage_eval.plan import StoppingRule, TieRule
from sage_eval.significance import Pairs, Terms, compare
from sage_eval.stats import (
    EProcess,
    cluster_test,
    detectable_share,
    exact_pairs,
    exact_power,
    formula_pairs,
    pairs_to_judge,
    share_of_net_win,
    sign_test,
    stopping_time,
)
from sage_eval.verdict import Verdict

pytestmark = pytest.mark.slow
POWER = 0.8


def near(rate, expected, runs):
    """Within three standard errors of the drawing."""
    return abs(rate - expected) <= 3 * sqrt(expected * (1 - expected) / runs)


def claimed(wins, n, alpha):
    """How often the sign test says p < alpha; each number of wins is tested once."""
    found, counts = np.unique(wins, return_counts=True)
    return (
        sum(int(k) for w, k in zip(found, counts, strict=True) if sign_test(n - int(w), int(w)).p < alpha) / wins.size
    )


@pytest.mark.parametrize(("share", "alpha"), [(0.55, 0.05), (0.6, 0.05), (0.6, 0.00625), (0.75, 0.05)])
def test_planned_pairs_have_their_power(share, alpha):
    rng = np.random.default_rng(20)
    runs, rates = 20_000, {}
    for name, n in (
        ("exact", exact_pairs(share, alpha=alpha, power=POWER)),
        ("formula", formula_pairs(share, alpha=alpha, power=POWER)),
    ):
        rates[name] = claimed(rng.binomial(n, share, runs), n, alpha)
        assert near(rates[name], float(exact_power(n, share, alpha=alpha)), runs)
    named = {f"power_{name}_pairs": rate for name, rate in rates.items()}
    note("planned decisive pairs", f"share {share}, alpha {alpha}", runs=runs, seed=20, **named)
    assert rates["exact"] >= POWER - 3 * sqrt(POWER * (1 - POWER) / runs)
    # The textbook's formula falls a little short of what it promises, as the exact test has no p of just alpha.
    assert POWER - 0.1 <= rates["formula"] <= rates["exact"]


@pytest.mark.parametrize("n", [20, 100, 1650])
def test_the_least_share_is_shown_as_often_as_said(n):
    rng = np.random.default_rng(21)
    runs, share = 20_000, detectable_share(n, power=POWER)
    rate = claimed(rng.binomial(n, share, runs), n, NOMINAL)
    note("least detectable share", f"{n} decisive pairs: {share:.3f}", runs=runs, seed=21, power=rate)
    assert near(rate, POWER, runs)


@pytest.mark.parametrize(("rollouts", "correlation", "decisive"), [(1, 0.0, 0.6), (3, 0.2, 0.6), (5, 0.5, 0.8)])
def test_planned_scenarios_have_their_power(rollouts, correlation, decisive):
    """Correlation is that of two rollouts' scores, ties among them: of decisive ones it is as much higher."""
    rng = np.random.default_rng(22)
    runs, lead = 1500, 0.12
    share = share_of_net_win(lead, decisive)
    scenarios = pairs_to_judge(exact_pairs(share, power=POWER), decisive, rollouts, correlation)
    within = correlation * (decisive - lead**2) / (decisive**2 * 4 * share * (1 - share))
    hits = 0
    for _ in range(runs):
        own = np.full(scenarios, share)
        if within:
            own = rng.beta(share * (1 / within - 1), (1 - share) * (1 / within - 1), scenarios)
        won = np.where(rng.random((scenarios, rollouts)) < own[:, None], 1.0, -1.0)
        scores = np.where(rng.random((scenarios, rollouts)) < decisive, won, 0.0)
        hits += cluster_test(dict(enumerate(scores.tolist())), seed=0).p < NOMINAL
    setting = f"net win {lead}, {scenarios} scenarios of {rollouts}, icc {correlation}"
    note("planned scenarios", setting, runs=runs, seed=22, power=hits / runs)
    assert abs(hits / runs - POWER) < 0.05


@pytest.mark.parametrize(("share", "family"), [(0.5835, 1), (0.67, 1), (0.67, 8), (0.55, 1)])
def test_stopping_times_are_as_predicted(share, family):
    rng = np.random.default_rng(23)
    runs, most = 1500, 4000
    predicted = stopping_time(share, family_size=family, most=most)
    wins = np.cumsum(rng.random((runs, most)) < share, axis=1, dtype=np.int32)
    n = np.arange(1, most + 1)
    over = betaln(1 + wins, 1 + n - wins) + n * np.log(2) >= np.log(family / NOMINAL)
    times = np.where(over.any(axis=1), over.argmax(axis=1) + 1, most)
    spread = float(times.std()) / sqrt(runs)
    assert abs(times.mean() - predicted.mean) < 3 * spread
    by_quantile = {part: (times <= at).mean() for part, at in zip((10, 50, 90), predicted.quantiles, strict=True)}
    rates = {f"power_stopped_by_{part}_percent_time": rate for part, rate in by_quantile.items()}
    setting = f"share {share}, family {family}: mean {predicted.mean:.1f}, drawn {times.mean():.1f}"
    note("stopping time", setting, runs=runs, seed=23, **rates)
    for part, rate in by_quantile.items():
        # Where a time is whole, a little more than the part has stopped by then.
        assert part / 100 - 3 * sqrt(0.25 / runs) <= rate <= part / 100 + 0.05
    process = EProcess(alpha=NOMINAL, family_size=family)
    for won in np.diff(wins[0], prepend=0):
        process = process.add(Verdict.B if won else Verdict.A)
    assert process.stopped_at == times[0]


STAGES = [
    ("sign test", 1, {}),
    ("ties dropped", 3, {}),
    ("ties as half", 3, {"tie_rule": TieRule.HALF}),
    ("e-value", 1, {"stopping": StoppingRule.E_VALUE}),
    ("e-value", 3, {"stopping": StoppingRule.E_VALUE}),
]


@pytest.mark.parametrize(("name", "rollouts", "terms"), STAGES)
def test_the_stage_seldom_claims_of_equal_models(name, rollouts, terms):
    """A family of three, 40 scenarios each; rollouts of a scenario are alike, some fail, and all models are equal."""
    rng = np.random.default_rng(24)
    runs, wrong, held = 150, 0, 0
    settings = Terms(family_size=3, **terms)
    for _ in range(runs):
        found = compare({("j", "x", model): equal_models(rng, 40, rollouts) for model in "abc"}, settings)
        wrong += any(one.better is not None for one in found.comparisons)
        held += any(one.holds for one in found.comparisons)
    rates = {"any_false_claim": wrong / runs, "any_that_holds": held / runs}
    note(f"the stage: {name}", f"3 comparisons, 40 scenarios of {rollouts}", runs=runs, seed=24, **rates)
    assert at_most(wrong / runs, runs)
    assert held <= wrong


def equal_models(rng, scenarios, rollouts):
    """Verdicts where what suits a scenario is drawn for it, and for either model alike."""
    rows = []
    for number in range(scenarios):
        share = rng.beta(1.0, 1.0)
        for sample in range(rollouts):
            verdict = rng.choice(["B", "A", "tie", "error"], p=[0.75 * share, 0.75 * (1 - share), 0.2, 0.05])
            rows += rows_of([str(verdict)], first=number, sample=sample)
    return Pairs(tuple(rows))
