"""Shares, means and differences over clusters: hand-worked, as properties, and by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_eval.states import differing
from sage_eval.states.estimates import Sums, average, difference, jackknife, proportion, tally
from sage_eval.states.material import Model
from sage_eval.states.variety import distinct, expected_distinct, variety_rows
from sage_eval.stats.signs import wilson_interval

CLUSTERED = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=5), min_size=2, max_size=8)


def sums(*clusters):
    """(hits, observations) of each cluster."""
    return Sums(
        {f"c{n}": float(hits) for n, (hits, _) in enumerate(clusters)},
        {f"c{n}": float(of) for n, (_, of) in enumerate(clusters)},
    )


def test_a_share_by_hand():
    found = proportion(sums((2, 2), (0, 2)), 0.95)
    assert (found.value, found.n, found.clusters) == (0.5, 4, 2)
    # Residuals 1 and -1, each over 1 - 1/2, over 4 squared: the variance is 0.25, so 4 observations count as one.
    # Student's t with one degree of freedom is 12.706: Wilson's interval is all but the whole range.
    t2 = 12.7062047**2
    half = (t2 / 4 * (1 + 1 / t2)) ** 0.5 * (t2**0.5) / (1 + t2) / (t2**0.5) * (t2**0.5)
    assert found.low == pytest.approx(0.5 - half, abs=1e-6)
    assert found.high == pytest.approx(0.5 + half, abs=1e-6)


def test_many_independent_observations_give_wilsons_interval():
    found = proportion(sums(*[(n % 4 == 0, 1) for n in range(2000)]), 0.95)
    plain = wilson_interval(500, 2000)
    assert found.low == pytest.approx(plain.low, abs=2e-4)
    assert found.high == pytest.approx(plain.high, abs=2e-4)


def test_repeating_every_utterance_narrows_nothing():
    once = proportion(sums(*[(n % 3 == 0, 1) for n in range(60)]), 0.95)
    four_times = proportion(sums(*[(4 * (n % 3 == 0), 4) for n in range(60)]), 0.95)
    assert (four_times.low, four_times.high) == (pytest.approx(once.low), pytest.approx(once.high))


def test_where_nobody_does_it_each_cluster_counts_once():
    found = proportion(sums(*[(0, 10)] * 30), 0.95)
    # Wilson at 0 of 30 with t(29) = 2.045: t^2 / (30 + t^2).
    assert (found.low, found.high) == (0.0, pytest.approx(2.04523**2 / (30 + 2.04523**2), abs=1e-5))


def test_a_mean_by_hand():
    found = average(sums((4, 2), (2, 2)), 0.95)
    # Residuals 1 and -1 over 1/2, over 16: variance 0.25; t(1) = 12.706.
    assert found.value == 1.5
    assert found.high - found.value == pytest.approx(12.7062047 * 0.5)


@pytest.mark.parametrize("estimate", [proportion, average])
def test_nothing_and_one_cluster_have_no_interval(estimate):
    nothing = estimate(Sums(), 0.95)
    assert (nothing.value, nothing.low, nothing.n) == (None, None, 0)
    one = estimate(sums((1, 4)), 0.95)
    assert (one.value, one.low, one.high, one.clusters) == (0.25, None, None, 1)


def test_a_difference_by_hand():
    a, b = sums((2, 2), (2, 2), (0, 1)), sums((0, 2), (1, 2), (0, 4))
    found = difference(a, b, level=0.95, seed=0, bounded=True)
    # Cluster means: 1, 1, 0 against 0, .5, 0. Two differ, both downwards: p = 2 / 2**2.
    assert (found.mean_a, found.mean_b) == (pytest.approx(2 / 3), pytest.approx(0.5 / 3))
    assert (found.value, found.p, found.clusters, found.n) == (pytest.approx(-0.5), 0.5, 3, 13)
    assert -1 <= found.low <= found.value <= found.high <= 1


def test_a_difference_needs_shared_clusters():
    found = difference(Sums({"x": 1}, {"x": 1}), Sums({"y": 1}, {"y": 1}), level=0.95, seed=0, bounded=True)
    assert (found.value, found.p, found.clusters) == (None, None, 0)


@given(CLUSTERED, st.permutations("abc"))
def test_names_and_order_of_values_do_not_matter(listed, renamed):
    names = dict(zip("abc", renamed, strict=True))
    pairs = [(f"c{n}", value) for n, values in enumerate(listed) for value in values]
    one, other = tally(pairs), tally((cluster, names[value]) for cluster, value in reversed(pairs))
    for value in one.counts:
        assert proportion(one.sums(value), 0.95) == proportion(other.sums(names[value]), 0.95)


@given(CLUSTERED)
def test_shares_add_up_and_limits_hold_them(listed):
    found = tally((f"c{n}", value) for n, values in enumerate(listed) for value in values)
    shares = [proportion(found.sums(value), 0.95) for value in found.values()]
    assert sum(one.value for one in shares) == pytest.approx(1.0)
    assert all(0.0 <= one.low <= one.value + 1e-12 and one.value <= one.high + 1e-12 <= 1.0 + 1e-11 for one in shares)


@given(CLUSTERED, st.integers(2, 4))
def test_duplicates_inside_a_cluster_change_no_share_and_no_limit(listed, times):
    pairs = [(f"c{n}", value) for n, values in enumerate(listed) for value in values]
    one, other = tally(pairs), tally(pairs * times)
    for value in one.counts:
        first, second = (proportion(found.sums(value), 0.95) for found in (one, other))
        assert first.value == pytest.approx(second.value)
        assert second.clusters == first.clusters
        # The effective number never exceeds the observations, of which there are fewer without the copies.
        assert second.high - second.low <= first.high - first.low + 1e-9


@given(CLUSTERED, CLUSTERED)
def test_a_difference_changes_its_sign_with_the_seats(one, other):
    a, b = (
        tally((f"c{n}", value) for n, values in enumerate(listed) for value in values).sums("a")
        for listed in (one, other)
    )
    there, back = (difference(*pair, level=0.95, seed=0, bounded=True) for pair in ((a, b), (b, a)))
    assert there.value == pytest.approx(-back.value)
    assert there.p == pytest.approx(back.p)
    assert there.low == pytest.approx(-back.high)


def test_the_jackknife_of_a_mean_is_its_standard_error():
    values = np.array([1.0, 2.0, 4.0, 9.0])
    parts = {f"c{n}": float(np.delete(values, n).mean()) for n in range(4)}
    found = jackknife(4.0, parts, 4, 0.95)
    assert found.high - 4.0 == pytest.approx(3.18244631 * values.std(ddof=1) / 2)


def test_distinct_by_hand():
    # "a a b": two different words among three.
    assert distinct({("a",): 2, ("b",): 1}) == pytest.approx(2 / 3)
    assert distinct({}) is None
    # Two drawn of {a, a, b}: aa in 1 of 3 ways (one different), ab in 2 (two different): 5/3 expected.
    assert expected_distinct({2: 1, 1: 1}, 2) == pytest.approx(5 / 3 / 2)
    assert expected_distinct({2: 1, 1: 1}, 4) is None


@given(st.lists(st.integers(1, 6), min_size=1, max_size=6), st.data())
def test_expected_distinct_equals_all_draws(counts, data):
    from itertools import combinations

    urn = [kind for kind, count in enumerate(counts) for _ in range(count)][:9]
    budget = data.draw(st.integers(1, len(urn)))
    drawn = [len({urn[i] for i in one}) for one in combinations(range(len(urn)), budget)]
    spectrum = {}
    for kind in set(urn):
        spectrum[urn.count(kind)] = spectrum.get(urn.count(kind), 0) + 1
    assert expected_distinct(spectrum, budget) == pytest.approx(sum(drawn) / len(drawn) / budget)


def test_distinct_of_a_fixed_budget_does_not_depend_on_length():
    random = np.random.default_rng(0)
    words = [[(f"w{word}",) for word in random.integers(0, 300, 20)] for _ in range(400)]
    short = {
        row["measure"]: row
        for row in variety_rows([(f"s{n}", one) for n, one in enumerate(words[:100])], 1, 1000, 0.95)
    }
    long = {row["measure"]: row for row in variety_rows([(f"s{n}", one) for n, one in enumerate(words)], 1, 1000, 0.95)}
    assert long["distinct_1"]["value"] < short["distinct_1"]["value"] / 2
    assert long["distinct_1_fixed"]["value"] == pytest.approx(short["distinct_1_fixed"]["value"], abs=0.01)
    assert short["distinct_1_fixed"]["low"] < long["distinct_1_fixed"]["value"] < short["distinct_1_fixed"]["high"]


@pytest.mark.slow
@pytest.mark.parametrize(("clusters", "share", "alike"), [(48, 0.2, 0.3), (96, 0.05, 0.5), (200, 0.5, 0.2)])
def test_intervals_of_shares_cover_what_they_say(clusters, share, alike):
    """Beta-distributed cluster shares with intraclass correlation `alike`, 2 to 6 observations each."""
    random = np.random.default_rng(5)
    runs, inside = 2000, 0
    weight = (1 - alike) / alike
    for _ in range(runs):
        sizes = random.integers(2, 7, clusters)
        hits = random.binomial(sizes, random.beta(share * weight, (1 - share) * weight, clusters))
        found = proportion(sums(*zip(hits, sizes, strict=True)), 0.95)
        inside += found.low <= share <= found.high
    assert inside / runs > 0.93


@pytest.mark.slow
def test_equal_models_are_seldom_called_different():
    """Two models, four replies in each of 60 scenarios, shares that vary between scenarios but not between models."""
    random = np.random.default_rng(6)
    runs, found, covered = 1000, 0, 0
    for _ in range(runs):
        shares = random.beta(0.6, 2.4, 60)
        a, b = (sums(*((hits, 4) for hits in random.binomial(4, shares))) for _ in range(2))
        one = difference(a, b, level=0.95, seed=0, bounded=True)
        found += one.p is not None and one.p < 0.05
        covered += one.low <= 0 <= one.high
    assert found / runs < 0.065
    assert covered / runs > 0.93


def test_a_clear_difference_can_be_claimed_in_a_large_family():
    """Six models and forty emotions may make 600 tests; where signs are drawn, p has a floor."""
    random = np.random.default_rng(3)
    low = sums(*((value, 1) for value in random.random(20)))
    high = sums(*((value, 1) for value in 2.0 + random.random(20)))
    a, b = (Model(name, (), {}, ()) for name in "ab")
    members = [(f"value {number}", a, b, low, high, False) for number in range(520)]
    rows = list(differing._family("action emotion", members, 0.95, 0))
    assert max(row["p_holm"] for row in rows) < 0.05
