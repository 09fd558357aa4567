"""Agreement of judges, and of a judge with itself: planted agreement, hand-worked coefficients, failures as missing."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_eval.judge.agreement import Kind, measure, summary, table
from sage_eval.verdict import Verdict, mirror

STATES = ("A", "B", "tie", "inconsistent")


def row(judge, scenario, verdict, **more):
    return {"judge": judge, "model_a": "x", "model_b": "y", "scenario_id": scenario, "verdict": verdict, **more}


def rows(judge, verdicts, **more):
    return [row(judge, f"s{index}", verdict, **more) for index, verdict in enumerate(verdicts)]


def of(found, kind, judge=None):
    return next(one for one in found if one.kind is kind and judge in (None, one.judge))


def quick(given_rows, **settings):
    return measure(given_rows, resamples=200, **settings)


def test_hand_worked_coefficients_of_two_judges():
    # Ten pairs: both A on 4, both B on 3, A/B on 2, B/A on 1. Observed .7.
    one, other = "AAAABBBAAB", "AAAABBBBBA"
    found = of(quick(rows("j", one) + rows("k", other)), Kind.JUDGES)
    assert (found.found.units, found.found.percent.value, found.opposed) == (10, pytest.approx(0.7), 3)
    # j says A 6 times, k 5 times: by chance .6 * .5 + .4 * .5 = .5.
    assert found.found.kappa.value == pytest.approx((0.7 - 0.5) / 0.5)
    # Of 20 ratings 11 are A, 9 B: disagreement expected is 2 * 11 * 9 / (20 * 19).
    assert found.found.alpha.value == pytest.approx(1 - 0.3 / (2 * 11 * 9 / (20 * 19)))
    # AC1 over four categories, of which two are empty: by chance (.55 * .45 * 2) / 3.
    by_chance = 0.55 * 0.45 * 2 / 3
    assert found.found.ac1.value == pytest.approx((0.7 - by_chance) / (1 - by_chance))


def test_a_judge_asked_again_is_compared_with_itself_alone():
    again = rows("j", "AB", replicate=1) + rows("j", "BB", replicate=2)
    found = quick(rows("j", "ABAAAA", replicate=0) + again + rows("k", "AAAAAA"))
    retest = of(found, Kind.RETEST, "j")
    # s0 was said to be A, A, B: one of three pairs of askings agrees; s1 agrees throughout.
    assert (retest.found.units, retest.found.raters, retest.found.missing) == (2, 3, 0)
    assert retest.found.percent.value == pytest.approx((1 / 3 + 1) / 2)
    assert retest.opposed == 1
    assert of(found, Kind.JUDGES).found.units == 6
    assert of(found, Kind.RETEST, "k").note == "no pair was put to this judge again"


def test_failures_are_missing_and_never_agree():
    found = of(quick(rows("j", ["error", "malformed", "A", "B"]) + rows("k", ["error", "A", "A", "B"])), Kind.JUDGES)
    assert (found.found.units, found.found.single, found.found.missing) == (2, 1, 3)
    assert found.found.percent.value == 1.0
    broken = of(quick(rows("j", ["error"] * 3) + rows("k", "AAA")), Kind.JUDGES)
    assert (broken.found.units, broken.note) == (0, "no pair has two readable verdicts")
    assert broken.found.percent.value is None


def test_three_judges_are_a_panel_and_one_is_none():
    three = quick([one for judge in "jkl" for one in rows(judge, "AABB")])
    assert [one.kind for one in three] == [Kind.JUDGES] * 3 + [Kind.PANEL] + [Kind.RETEST] * 3
    panel = of(three, Kind.PANEL)
    assert (panel.found.raters, panel.found.alpha.value, panel.found.kappa) == (3, 1.0, None)
    alone = quick(rows("j", "AABB"))
    assert [one.kind for one in alone] == [Kind.RETEST]
    assert "One judge: nothing is known of agreement between judges." in summary(alone)
    assert quick([]) == []


def test_samples_and_pairs_are_units_and_scenarios_clusters():
    given_rows = [
        row(judge, f"s{index}", "A", sample=sample, model_b=model)
        for judge in "jk"
        for index in range(5)
        for sample in range(2)
        for model in ("y", "z")
    ]
    found = of(quick(given_rows), Kind.JUDGES).found
    assert (found.units, found.clusters) == (20, 5)
    with pytest.raises(ValueError, match="rated twice"):
        quick([*given_rows, given_rows[0]])


def test_random_judges_agree_by_chance_and_a_copy_fully():
    rng = Random(3)
    first, second = ([rng.choice(STATES) for _ in range(400)] for _ in range(2))
    found = quick(rows("j", first) + rows("k", second) + rows("copy", first))
    apart, same = (next(one for one in found if one.other == name).found for name in ("k", "copy"))
    for name in ("kappa", "alpha", "ac1"):
        assert 0.0 in getattr(apart, name).interval
        assert abs(getattr(apart, name).value) < 0.1
        assert getattr(same, name).value == pytest.approx(1.0)


verdicts = st.lists(st.tuples(*[st.sampled_from([state.value for state in Verdict])] * 2), min_size=1, max_size=20)


@given(verdicts)
def test_neither_the_names_of_models_nor_the_order_of_judges_matters(pairs):
    there = rows("j", [one for one, _ in pairs]) + rows("k", [other for _, other in pairs])
    back = [one | {"verdict": mirror(Verdict(one["verdict"])).value, "model_a": "y", "model_b": "x"} for one in there]
    turned = sorted(there, key=lambda one: one["judge"], reverse=True)
    found, mirrored, other = (
        table(measure(given_rows, resamples=50)).to_pylist()[0] for given_rows in (there, back, turned)
    )
    for name in ("units", "missing", "opposed", "percent", "kappa", "alpha", "ac1"):
        expected = pytest.approx(found[name]) if isinstance(found[name], float) else found[name]
        assert mirrored[name] == expected
        assert other[name] == expected


def test_one_row_a_comparison_and_a_text_that_fits():
    found = quick(rows("rubric:warm", "ABABABABAB") + rows("rubric:plain", "ABABABABBA"), seed=4)
    cells = table(found).to_pylist()
    assert [(one["kind"], one["judge"], one["other"]) for one in cells] == [
        ("judges", "rubric:warm", "rubric:plain"),
        ("retest", "rubric:warm", None),
        ("retest", "rubric:plain", None),
    ]
    assert (cells[0]["units"], cells[0]["scenarios"], cells[0]["seed"], cells[0]["resamples"]) == (10, 10, 4, 200)
    assert cells[0]["kappa_low"] < cells[0]["kappa"] < cells[0]["kappa_high"]
    assert (cells[1]["units"], cells[1]["percent"]) == (0, None)
    text = summary(found)
    assert "rubric:warm and rubric:plain" in text
    assert "rubric:plain, asked again: no pair was put to this judge again." in text
    assert max(map(len, text.splitlines())) <= 110
