"""Agreement: the published examples, a count by hand, properties, and other people's code."""

import math
from itertools import permutations

import evalica
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from sage_eval.stats.agreement import Said, agreement, agreement_of

# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), example C: four observers, twelve units.
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)
UNITS = [[None if one is None else str(one) for one in unit] for unit in zip(*OBSERVERS, strict=True)]
# Cohen (1960), Table 1: shares of 200 units in three categories by two judges.
COHEN = ((88, 14, 18), (10, 40, 10), (2, 6, 12))
# The table that Feinstein and Cicchetti's paradox is shown with: 118 of 125 agree, nearly all in one category.
PARADOX = ((118, 5), (2, 0))
QUICK = {"resamples": 200, "seed": 1}


def rows(table):
    return [(f"{a}", f"{b}") for a, line in enumerate(table) for b, count in enumerate(line) for _ in range(count)]


def test_krippendorffs_example_with_missing_data():
    found = agreement(UNITS, **QUICK)
    assert found.alpha.value == pytest.approx(0.743, abs=5e-4)
    assert (found.units, found.single, found.missing, found.kappa) == (11, 1, 7, None)
    # Gwet's AC1 and percent agreement of the same table, as the R package irrCAC prints them.
    assert found.ac1.value == pytest.approx(0.77544, abs=5e-6)
    assert found.percent.value == pytest.approx(0.81818, abs=5e-6)


def test_cohens_example():
    found = agreement(rows(COHEN), **QUICK)
    assert found.percent.value == pytest.approx(0.70)
    assert found.kappa.value == pytest.approx(0.492, abs=5e-4)
    assert found.kappa.value == pytest.approx(cohens_kappa(np.array(COHEN)).kappa)


def test_rare_categories_ruin_kappa_and_not_ac1():
    found = agreement(rows(PARADOX), **QUICK)
    # By hand: agreement 118/125; kappa's chance 123*120/125^2 + 2*5/125^2; AC1's 2 q (1 - q), q = (123 + 120) / 250.
    agreeing = 118 / 125
    chance = (123 * 120 + 2 * 5) / 125**2
    q = 243 / 250
    assert found.kappa.value == pytest.approx((agreeing - chance) / (1 - chance))
    assert found.kappa.value < 0
    assert found.ac1.value == pytest.approx((agreeing - 2 * q * (1 - q)) / (1 - 2 * q * (1 - q)))
    assert found.ac1.value > 0.94


def test_coefficients_from_their_definitions():
    ratings = [["a", "a", "b"], ["b", None, "b"], ["c", "a", "a"], [None, "b", "c"], ["a", None, None]]
    found = agreement(ratings, **QUICK)
    pairs = [list(permutations([one for one in unit if one is not None], 2)) for unit in ratings]
    shares = [np.mean([a == b for a, b in unit]) for unit in pairs if unit]
    assert found.percent.value == pytest.approx(np.mean(shares))
    weights = [
        (1 / (len({*range(len(ratings[index]))} - {i for i, x in enumerate(ratings[index]) if x is None}) - 1), a, b)
        for index, unit in enumerate(pairs)
        for a, b in unit
    ]
    n = sum(weight for weight, *_ in weights)
    totals = {name: sum(weight for weight, a, _ in weights if a == name) for name in "abc"}
    observed = sum(weight for weight, a, b in weights if a != b) / n
    expected = sum(totals[a] * totals[b] for a, b in permutations("abc", 2)) / (n * (n - 1))
    assert found.alpha.value == pytest.approx(1 - observed / expected)


tables = st.lists(st.tuples(*[st.sampled_from(["x", "y", "z", None])] * 3), min_size=3, max_size=25)


@settings(max_examples=60, deadline=None)
@given(tables, st.permutations(["x", "y", "z"]), st.permutations(range(3)))
def test_names_and_order_of_raters_do_not_matter(ratings, names, order):
    first = agreement(ratings, categories="xyz", resamples=20)
    renamed = dict(zip("xyz", names, strict=True)) | {None: None}
    second = agreement([[renamed[row[one]] for one in order] for row in ratings], categories="xyz", resamples=20)
    for name in ("percent", "alpha", "ac1"):
        one, other = getattr(first, name).value, getattr(second, name).value
        assert one == other if one is None else math.isclose(one, other, abs_tol=1e-9)


@settings(max_examples=40, deadline=None)
@given(tables)
def test_alpha_is_evalicas(ratings):
    found = agreement(ratings, resamples=20).alpha.value
    if found is not None:
        coded = [
            [float("nan") if one is None else float("xyz".index(one)) for one in row]
            for row in zip(*ratings, strict=True)
        ]
        assert found == pytest.approx(evalica.alpha(pd.DataFrame(coded), distance="nominal").alpha, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from(["x", "y", None])] * 2), min_size=4, max_size=20))
def test_one_more_agreeing_unit_never_lowers_percent_agreement(ratings):
    before, after = agreement(ratings, resamples=20), agreement([*ratings, ("x", "x")], resamples=20)
    assert before.percent.value is None or after.percent.value >= before.percent.value - 1e-12


def test_full_agreement_has_exact_limits_and_no_bootstrap():
    found = agreement([("x", "x")] * 20 + [("y", "y")] * 20, **QUICK)
    assert (found.percent.value, found.kappa.value, found.alpha.value, found.ac1.value) == (1, 1, 1, 1)
    assert found.percent.interval.low == pytest.approx(0.025 ** (1 / 40))  # Clopper and Pearson's, 40 of 40
    assert found.alpha.interval is None
    assert "no spread" in found.alpha.note


def test_one_category_only_leaves_coefficients_undefined():
    found = agreement([("x", "x")] * 9, **QUICK)
    assert (found.percent.value, found.kappa.value, found.alpha.value, found.ac1.value) == (1, None, None, None)
    assert agreement([("x", "x")] * 9, categories=("x", "y"), **QUICK).ac1.value == 1


@pytest.mark.parametrize("ratings", [[], [("x", None)], [(None, None)], [("x", "y")]])
def test_too_little_is_a_result(ratings):
    found = agreement(ratings, **QUICK)
    assert found.percent.interval is None
    assert str(found)
    assert found.to_json()


def test_failures_are_missing_and_never_a_category():
    clean = agreement([("A", "A"), ("B", "A"), ("A", "B")] * 5, **QUICK)
    failing = agreement([*[("A", "A"), ("B", "A"), ("A", "B")] * 5, ("A", None), (None, None)], **QUICK)
    assert (failing.kappa.value, failing.alpha.value) == (clean.kappa.value, clean.alpha.value)
    assert (failing.missing, failing.single) == (3, 1)


def test_clusters_widen_the_interval():
    rng = np.random.default_rng(0)
    ratings, clusters = [], []
    for cluster in range(60):
        same = rng.random() < 0.7
        for _ in range(8):
            one = rng.choice(["x", "y"])
            ratings.append((one, one if same else {"x": "y", "y": "x"}[one]))
            clusters.append(cluster)
    naive, clustered = agreement(ratings, **QUICK), agreement(ratings, clusters=clusters, **QUICK)
    assert clustered.kappa.value == naive.kappa.value
    width = [one.kappa.interval.high - one.kappa.interval.low for one in (naive, clustered)]
    assert width[1] > 2 * width[0]
    assert clustered.clusters == 60


def test_the_seed_decides():
    ratings = rows(COHEN)
    assert agreement(ratings, seed=3, resamples=300) == agreement(ratings, seed=3, resamples=300)
    assert agreement(ratings, seed=3, resamples=300) != agreement(ratings, seed=4, resamples=300)


@pytest.mark.parametrize(
    ("ratings", "options", "said"),
    [
        ([("x", "y"), ("x",)], {}, "equally long"),
        ([("x",), ("y",)], {}, "two or more ratings"),
        ([("x", "q")], {"categories": ("x", "y")}, "in no category"),
        ([("x", "y")], {"clusters": [1, 2]}, "a cluster for each"),
        ([("x", "y")], {"level": 1.0}, "confidence level"),
    ],
)
def test_what_has_no_meaning_is_refused(ratings, options, said):
    with pytest.raises(ValueError, match=said):
        agreement(ratings, **options)


def test_replicates_of_a_judge_are_raters_too():
    said = [Said(f"u{unit}", f"s{unit // 2}", 0, "A" if unit % 3 else "B") for unit in range(12)]
    again = [Said(f"u{unit}", f"s{unit // 2}", 1, "A" if unit % 4 else None) for unit in range(8)]
    found = agreement_of([*said, *again], **QUICK)
    assert (found.raters, found.units, found.single, found.clusters) == (2, 6, 6, 4)
    assert found.percent.value == pytest.approx(4 / 6)  # units 3 and 6 changed from B to A
    assert "percent" in str(found)
    assert "0.667 [" in str(found)


def test_one_rater_agrees_with_nobody():
    assert agreement_of([Said("u", "s", "j", "A")], **QUICK).percent.value is None
    assert agreement_of([], **QUICK).units == 0


@pytest.mark.parametrize("second", [Said("u", "s", "j", "B"), Said("u", "other", "k", "A")])
def test_a_rating_is_given_once(second):
    with pytest.raises(ValueError, match="rated twice"):
        agreement_of([Said("u", "s", "j", "A"), second])
