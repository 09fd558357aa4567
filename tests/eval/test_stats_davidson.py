"""Davidson's model: his own example, closed forms, a general optimiser, other people's code, properties."""

import evalica
import numpy as np
import pytest
from evalica import Winner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import beta, norm

from sage_eval.stats.davidson import Game, Games, Outcome, bootstrap, equality_tests, fit, limits, observed_fit

# Davidson (JASA 65, 1970), chocolate puddings: brands, first preferred, second preferred, no preference.
PUDDINGS = """
1 2 19 22 16; 1 3 16 19 12; 2 3 19 19 10; 1 4 18 23 13; 2 4 23 19 9; 3 4 19 20 15; 1 5 13 19 18; 2 5 16 20 12;
3 5 16 15 17; 4 5 17 14 16; 1 6 18 21 12; 2 6 22 20 12; 3 6 13 18 10; 4 6 14 19 18; 5 6 11 21 12
"""
WORTHS = [0.1388005, 0.1729985, 0.1617420, 0.1653930, 0.1586805, 0.2023855]
"""Worths of these data as the R package PlackettLuce prints them, stopped at Davidson's precision; ties: 0.7468147."""
NAMES, PAIRS = "abcd", ("ab", "ac", "ad", "bc", "bd", "cd")


def table(counts, models=None):
    """(first, second) -> (wins, ties, losses) as games, one cluster each."""
    games = [
        Game((pair, outcome, number), *pair, outcome)
        for pair, record in counts.items()
        for outcome, count in zip(Outcome, record, strict=True)
        for number in range(count)
    ]
    return Games.of(games, models or ())


def brute_force(outcomes, pairs, models):
    """Textbook likelihood (worths, not logarithms of them), any optimiser."""

    def loss(x):
        worth, tie = np.exp(x[:-1]), np.exp(x[-1])
        one, other = worth[pairs[:, 0]], worth[pairs[:, 1]]
        both = tie * np.sqrt(one * other)
        shares = np.stack([one, both, other], axis=1) / (one + both + other)[:, None]
        return -(outcomes * np.log(shares)).sum() + 1e-9 * (x[:-1].sum()) ** 2

    found = minimize(loss, np.zeros(models + 1), method="BFGS", options={"gtol": 1e-9}).x
    return found[:-1] - found[:-1].mean(), found[-1]


def test_davidsons_puddings():
    rows = [[int(one) for one in row.split()] for row in PUDDINGS.split(";")]
    games = table(
        {(str(i), str(j)): (won, tied, lost) for i, j, won, lost, tied in rows}, [str(k) for k in range(1, 7)]
    )
    fitted = fit(games.totals[None], games.pairs, 6)
    worths = np.exp(fitted.strengths[0])
    assert worths / worths.sum() == pytest.approx(WORTHS, abs=3e-5)
    assert np.exp(fitted.log_ties[0]) == pytest.approx(0.7468147, abs=3e-5)


@pytest.mark.parametrize("prior", [0.5, 1.0])
def test_two_models_have_a_closed_form(prior):
    games = table({("a", "b"): (30, 12, 18)})
    fitted = observed_fit(games, prior)
    won, lost = 30 + prior, 18 + prior
    assert fitted.strengths[0, 0] - fitted.strengths[0, 1] == pytest.approx(np.log(won / lost))
    assert np.exp(fitted.log_ties[0]) == pytest.approx(12 / np.sqrt(won * lost))


def test_a_ten_to_nothing_record_is_finite_and_not_equal():
    # Trap: a known library ends at equal scores for it.
    theirs = evalica.bradley_terry(["a"] * 10, ["b"] * 10, [Winner.X] * 10).scores
    assert theirs["a"] == theirs["b"]
    ours = observed_fit(table({("a", "b"): (10, 0, 0)}), 0.5).strengths[0]
    assert ours[0] - ours[1] == pytest.approx(np.log(10.5 / 0.5))


records = st.tuples(st.integers(0, 12), st.integers(0, 6), st.integers(0, 12)).filter(lambda record: sum(record) > 0)
tournaments = st.fixed_dictionaries(dict.fromkeys(["ab", "ac", "ad", "bc", "bd", "cd"], records))


@settings(max_examples=30, deadline=None)
@given(tournaments)
def test_newton_finds_what_a_general_optimiser_finds(counts):
    games = table(counts, NAMES)
    fitted = observed_fit(games, 0.5)
    with_prior = games.totals + np.array([0.25, 0.0, 0.25])  # 1/2 * (4 - 1) / 6 pairs
    strengths, log_tie = brute_force(with_prior, games.pairs, 4)
    assert fitted.strengths[0] == pytest.approx(strengths, abs=2e-4)
    if games.totals[:, 1].sum():
        assert fitted.log_ties[0] == pytest.approx(log_tie, abs=2e-4)
    else:
        assert fitted.log_ties[0] == -np.inf


strong = st.tuples(st.integers(1, 12), st.integers(1, 6), st.integers(1, 12))


@settings(max_examples=20, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(["ab", "ac", "ad", "bc", "bd", "cd"], strong)))
def test_evalica_agrees_where_the_likelihood_has_a_maximum(counts):
    games = table(counts, NAMES)
    rows = [
        (*pair, winner)
        for pair, record in counts.items()
        for winner, count in zip((Winner.X, Winner.Draw, Winner.Y), record, strict=True)
        for _ in range(count)
    ]
    xs, ys, winners = zip(*rows, strict=True)
    theirs = evalica.newman(xs, ys, winners, tolerance=1e-12, limit=100_000)
    expected = np.log(theirs.scores.loc[list(NAMES)].to_numpy(float))
    fitted = fit(games.totals[None], games.pairs, 4)
    assert fitted.strengths[0] == pytest.approx(expected - expected.mean(), abs=1e-5)
    assert np.exp(fitted.log_ties[0]) == pytest.approx(2 * theirs.v, rel=1e-4)  # theirs is half of Davidson's


@settings(max_examples=30, deadline=None)
@given(tournaments, st.permutations(NAMES))
def test_names_and_order_do_not_matter(counts, order):
    one, other = table(counts, NAMES), table({(b, a): record[::-1] for (a, b), record in counts.items()}, order)
    first, second = observed_fit(one, 0.5), observed_fit(other, 0.5)
    for place, name in enumerate(NAMES):
        assert first.strengths[0, place] == pytest.approx(second.strengths[0, order.index(name)], abs=1e-6)
    assert first.strengths[0].sum() == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(tournaments)
def test_one_more_win_never_lowers_a_strength(counts):
    won, *rest = counts["ab"]
    more = counts | {"ab": (won + 1, *rest)}
    before, after = (observed_fit(table(one, NAMES), 0.5).strengths[0] for one in (counts, more))
    assert after[0] - after[1] >= before[0] - before[1] - 1e-7
    assert after[0] >= before[0] - 1e-7
    assert after[1] <= before[1] + 1e-7


@settings(max_examples=20, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(["ab", "ac", "ad", "bc", "bd", "cd"], strong)), st.integers(2, 50))
def test_the_same_shares_give_the_same_strengths(counts, times):
    games = table(counts, NAMES)
    one, many = fit(games.totals[None], games.pairs, 4), fit(times * games.totals[None], games.pairs, 4)
    assert many.strengths == pytest.approx(one.strengths, abs=1e-6)
    assert many.information[0, :4, :4] - 1 == pytest.approx(times * (one.information[0, :4, :4] - 1), rel=1e-5)


def test_many_tables_at_once_are_as_one_by_one():
    rng = np.random.default_rng(0)
    pairs = np.array([(0, 1), (0, 2), (1, 2)])
    outcomes = rng.gamma(0.3, 5.0, size=(50, 3, 3)) + 1e-3
    together = fit(outcomes, pairs, 3)
    for row in range(50):
        alone = fit(outcomes[row : row + 1], pairs, 3)
        assert together.strengths[row] == pytest.approx(alone.strengths[0], abs=1e-6)


def test_extreme_tables_still_have_a_maximum():
    pairs = np.array([(0, 1), (1, 2)])
    outcomes = np.array([[[2500.0, 0, 1e-9], [1e-9, 4.0, 1e-9]], [[1e-9, 1e5, 1e-9], [3.0, 0, 1e-9]]])
    fitted = fit(outcomes, pairs, 3)
    assert np.isfinite(fitted.strengths).all()
    games = outcomes.sum(axis=2, keepdims=True)
    away = (outcomes - games * fitted.chances) @ np.array([0.5, 0.0, -0.5])
    assert np.abs(away).max() < 1e-3


def test_models_that_nothing_connects_are_refused():
    games = table({("a", "b"): (3, 0, 2), ("c", "d"): (1, 0, 1)}, NAMES)
    with pytest.raises((ArithmeticError, np.linalg.LinAlgError)):
        fit(games.totals[None], games.pairs, 4)


def test_two_models_get_jeffreys_interval():
    games = table({("a", "b"): (7, 0, 33)})
    draws = bootstrap(games, prior=0.5, resamples=40_000, seed=0)
    difference = draws.strengths[:, 0] - draws.strengths[:, 1]
    shares = 1 / (1 + np.exp(-difference))
    for level in (0.05, 0.5, 0.95):
        assert np.quantile(shares, level) == pytest.approx(beta(7.5, 33.5).ppf(level), abs=0.004)
    low, high = limits(difference[:, None], level=0.95, clusters=40)
    assert low[0] < np.quantile(difference, 0.025) < np.quantile(difference, 0.975) < high[0]


def test_of_two_models_the_test_is_exact():
    # 10 to 0: of 1,024 ways to turn the signs, 2 lie as far out.
    games = table({("a", "b"): (10, 0, 0)})
    assert equality_tests(games, [(0, 1)], prior=0.5)[0] == pytest.approx(2 / 1024)
    even = table({("a", "b"): (6, 3, 6)})
    assert equality_tests(even, [(0, 1)], prior=0.5)[0] == 1.0


def test_score_test_of_three_models_by_hand():
    # With a and b set equal all three are. A win of a over b counts 1, of a over c or of c over b one half: the slope
    # is 10, its spread over 30 games sqrt(10 + 20 / 4).
    games = table({("a", "b"): (10, 0, 0), ("a", "c"): (5, 0, 5), ("b", "c"): (5, 0, 5)}, "abc")
    p = equality_tests(games, [(0, 1)], prior=0.5)[0]
    assert p == pytest.approx(2 * norm.sf(10 / np.sqrt(15)), rel=1e-6)


def test_score_test_counts_a_scenario_once():
    alone = Games.of([Game(number, "a", "b", Outcome(0 if number < 15 else 2)) for number in range(20)])
    copied = Games.of([Game(number % 20, "a", "b", Outcome(0 if number % 20 < 15 else 2)) for number in range(200)])
    one, many = (equality_tests(games, [(0, 1)], prior=0.5)[0] for games in (alone, copied))
    assert many == pytest.approx(one, rel=1e-6)


def test_score_test_compares_models_that_never_met():
    games = table({("a", "b"): (30, 5, 10), ("b", "c"): (30, 5, 10)}, "abc")
    p = equality_tests(games, [(0, 1), (0, 2), (1, 2)], prior=0.5)
    assert p[1] < p[0]
    assert p[0] == pytest.approx(p[2])
