"""Seat, length and own model: what is counted, against planted judges."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_eval.judge import self_preference
from sage_eval.judge.bias import measure, table, totals, totals_table
from sage_eval.judge.bias_text import summary
from sage_eval.judge.self_preference import Origin, Relation
from sage_eval.judge.shares import clustered_share
from sage_eval.verdict import Choice, combine

choices = st.sampled_from(Choice)


def row(ab, ba, words_a=10.0, words_b=10.0, judge="j"):
    names = {"judge": judge, "model_a": "x", "model_b": "y"}
    found = {"choice_ab": ab.value, "choice_ba": ba.value, "verdict": combine(ab, ba).value}
    return {**names, **found, "words_a": words_a, "words_b": words_b}


def one(rows):
    return measure(rows)["j", "x", "y"]


def test_a_judge_of_seats_is_found_out():
    found = one([row(Choice.FIRST, Choice.FIRST)] * 12)
    assert (found.first_seat_share, found.position.wins_b, found.position.wins_a) == (1.0, 12, 0)
    assert found.position.p == pytest.approx(2 / 2**12)


def test_a_consistent_judge_uses_both_seats_alike():
    found = one([row(Choice.FIRST, Choice.SECOND)] * 12)
    assert found.first_seat_share == 0.5
    assert not found.position.decidable


def test_a_judge_of_length_is_found_out():
    shorter_first, shorter_second = (10.0, 40.0), (40.0, 10.0)
    rows = [row(Choice.FIRST, Choice.SECOND, *shorter_first)] * 5 + [
        row(Choice.SECOND, Choice.FIRST, *shorter_second)
    ] * 5
    found = one(rows)
    assert (found.length.wins_b, found.length.wins_a) == (10, 0)
    assert found.length.p == pytest.approx(2 / 2**10)
    assert (found.words_a, found.words_b) == (25.0, 25.0)


def test_equal_lengths_and_silent_dialogues_say_nothing_of_length():
    found = one([row(Choice.FIRST, Choice.SECOND), row(Choice.ERROR, Choice.ERROR, None, 10.0)])
    assert found.length.n == 0
    assert (found.words_a, found.words_b) == (10.0, 10.0)


@pytest.mark.parametrize("words", [(None, 10.0), (10.0, None), (None, None)])
def test_a_winner_beside_a_dialogue_without_replies_says_nothing_of_length(words):
    found = one([row(Choice.FIRST, Choice.SECOND, *words), row(Choice.FIRST, Choice.SECOND, 5.0, 9.0)])
    assert (found.length.n, found.length.wins_b) == (1, 1)


@given(st.lists(st.tuples(choices, choices), min_size=1, max_size=30))
def test_every_call_is_counted_once(pairs):
    found = one([row(*pair) for pair in pairs])
    assert sum(found.calls.values()) == 2 * len(pairs)
    assert found.pairs == len(pairs)
    assert found.position.n <= len(pairs)


def test_one_row_a_judge_and_pair():
    rows = [row(Choice.TIE, Choice.TIE), row(Choice.FIRST, Choice.SECOND, judge="k")]
    found = table(measure(rows)).to_pylist()
    assert [(one["judge"], one["first_seat_share"], one["position_p"]) for one in found] == [
        ("j", None, None),
        ("k", 0.5, None),
    ]


# -- scenarios, second askings, totals --------------------------------------------------------------------------------


def of_scenario(scenario, *choices, sample=0, replicate=0, **more):
    return {**row(*choices, **more), "scenario_id": scenario, "sample": sample, "replicate": replicate}


FIRST_TWICE, SECOND_TWICE = (Choice.FIRST, Choice.FIRST), (Choice.SECOND, Choice.SECOND)
A_WINS, B_WINS = (Choice.FIRST, Choice.SECOND), (Choice.SECOND, Choice.FIRST)


def test_samples_of_a_scenario_are_no_new_evidence():
    one_each = [of_scenario(f"s{index}", *FIRST_TWICE) for index in range(6)]
    four_each = [of_scenario(f"s{index}", *FIRST_TWICE, sample=sample) for index in range(6) for sample in range(4)]
    once, often = one(one_each), one(four_each)
    assert (often.pairs, often.scenarios, often.position.wins_b) == (24, 6, 24)
    assert often.position_test.p == once.position_test.p == pytest.approx(once.position.p)
    assert once.position.p == pytest.approx(2 / 2**6)
    assert (often.first_seat.low, often.first_seat.high) == (once.first_seat.low, once.first_seat.high)
    assert often.first_seat.low < 1.0 == often.first_seat.high


def test_a_second_asking_does_not_count():
    rows = [of_scenario("s1", *A_WINS), of_scenario("s1", *FIRST_TWICE, replicate=1)]
    assert one(rows).verdicts == {"A": 1}
    assert totals(rows)["j"].pairs == 1
    assert one([of_scenario("s1", *A_WINS) | {"sample": None, "replicate": None}]).pairs == 1


def test_totals_are_of_all_pairs_of_a_judge():
    other = {"model_a": "y", "model_b": "z"}
    rows = [of_scenario(f"s{index}", *FIRST_TWICE) | names for index in range(8) for names in ({}, other)]
    found = totals_table(totals(rows)).to_pylist()
    assert len(found) == 1
    assert (found[0]["pairs"], found[0]["scenarios"], found[0]["first_seat_pairs"]) == (16, 8, 16)
    # Two pairs of a scenario are one coin.
    assert found[0]["position_p"] == pytest.approx(2 / 2**8)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=20))
def test_a_clustered_share_lies_in_its_interval_and_mirrors(counts):
    given_counts = [(min(pair), max(pair)) for pair in counts]
    found = clustered_share(given_counts)
    mirrored = clustered_share([(items - successes, items) for successes, items in given_counts])
    items = sum(n for _, n in given_counts)
    if not items:
        assert found is None
        return
    # The made-up clusters pull towards one half, so the share itself may lie at the very edge, never outside.
    assert found.low - 1e-9 <= sum(k for k, _ in given_counts) / items <= found.high + 1e-9
    assert (found.low, found.high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low))


@pytest.mark.parametrize(("share", "alike"), [(0.5, 0.0), (0.5, 1.0), (0.85, 0.5)])
def test_the_interval_of_a_clustered_share_covers(share, alike):
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(400):
        common = rng.random(25) < share
        own = rng.random((25, 4)) < share
        calls = np.where(rng.random((25, 4)) < alike, common[:, None], own)
        covered += share in clustered_share([(int(one.sum()), 4) for one in calls])
    assert covered / 400 >= 0.92


# -- length -----------------------------------------------------------------------------------------------------------


def judged_by_length(count, longer_by, seed=0):
    """A judge whose log-odds that B wins follow the length difference alone, which is `longer_by` words on average."""
    rng = np.random.default_rng(seed)
    difference = rng.normal(longer_by, 10.0, count)
    b_wins = rng.random(count) < 1.0 / (1.0 + np.exp(-2.0 * np.tanh(difference / 10.0)))
    return [
        of_scenario(f"s{index}", *(B_WINS if won else A_WINS), words_a=30.0, words_b=30.0 + float(apart))
        for index, (won, apart) in enumerate(zip(b_wins, difference, strict=True))
    ]


def test_a_win_by_length_alone_is_gone_at_equal_length():
    found = one(judged_by_length(600, longer_by=8.0))
    assert found.adjusted.share_b > 0.65
    assert 0.5 in found.adjusted.interval
    assert 0.65 not in found.adjusted.interval
    assert found.longer_share > 0.7
    assert found.longer.low > 0.6
    assert found.length_test.p < 1e-6
    assert found.words_difference == pytest.approx(8.0, abs=1.5)
    cells = table({("j", "x", "y"): found}).to_pylist()[0]
    assert (cells["adjusted_share_b"], cells["adjusted_note"]) == (found.adjusted.adjusted_share_b, None)


def test_without_enough_pairs_the_reason_stands_in_the_table():
    cells = table(measure(judged_by_length(20, 0.0))).to_pylist()[0]
    assert cells["adjusted_share_b"] is None
    assert "at least 30" in cells["adjusted_note"]


# -- exchanging the names ---------------------------------------------------------------------------------------------

lengths = st.none() | st.sampled_from([5.0, 10.0, 20.0])
some_rows = st.lists(
    st.builds(
        lambda scenario, ab, ba, a, b: of_scenario(scenario, ab, ba, words_a=a, words_b=b),
        st.sampled_from(["s1", "s2", "s3", "s4"]),
        *(choices, choices, lengths, lengths),
    ),
    min_size=1,
    max_size=25,
)


def exchanged(found):
    """The same judgements with A called B."""
    # What the ab call showed first is B's now, so it is the ba call of the exchanged pair.
    pair = Choice(found["choice_ba"]), Choice(found["choice_ab"])
    names = {"model_a": found["model_b"], "model_b": found["model_a"]}
    words = {"words_a": found["words_b"], "words_b": found["words_a"]}
    return (
        found
        | {"choice_ab": pair[0].value, "choice_ba": pair[1].value, "verdict": combine(*pair).value}
        | names
        | words
    )


@given(some_rows)
def test_exchanging_the_names_mirrors_the_report(rows):
    there = table(measure(rows)).to_pylist()[0]
    back = table(measure([exchanged(one) for one in rows])).to_pylist()[0]
    mirrored = {
        "model_a": there["model_b"],
        "model_b": there["model_a"],
        "words_a": there["words_b"],
        "words_b": there["words_a"],
        "words_difference": None if there["words_difference"] is None else -there["words_difference"],
        "share_b": None if there["share_b"] is None else 1.0 - there["share_b"],
    }
    for name, value in (there | mirrored).items():
        assert back[name] == (pytest.approx(value) if isinstance(value, float) else value), name


# -- own model --------------------------------------------------------------------------------------------------------

MODELS = {"x": Origin({"hf:base"}), "y": Origin({"hf:tuned"}, {"hf:base"}), "z": Origin({"hf:other"})}


def panel(favour, scenarios=40, seed=0):
    """Three judges of x against z; the first, which is x, turns a share `favour` of z's wins into wins of x."""
    rng = Random(seed)
    rows = []
    for index in range(scenarios):
        truth = rng.choice([A_WINS, B_WINS])
        own = A_WINS if rng.random() < favour else truth
        for judge, model, choice in (("own", "hf:base", own), ("j1", "m1", truth), ("j2", "m2", truth)):
            names = {"model_a": "x", "model_b": "z", "judge_model": model}
            rows.append(of_scenario(f"s{index}", *choice, judge=judge) | names)
    return rows


def own_of(rows, **settings):
    return [one for one in self_preference.measure(rows, models=MODELS, **settings) if one.judge == "own"]


def test_a_judge_that_favours_its_own_model_is_found_out():
    (found,) = own_of(panel(favour=0.8))
    assert (found.own_model, found.relation, found.others) == ("x", Relation.SAME, ("j1", "j2"))
    assert (found.pairs, found.scenarios) == (40, 40)
    assert found.own_score - found.others_score == pytest.approx(found.difference)
    assert found.interval.low > 0.1
    assert found.p < 0.001


def test_a_fair_judge_of_its_own_model_shows_no_difference():
    (found,) = own_of(panel(favour=0.0))
    assert (found.difference, found.p) == (0.0, None)
    assert 0.0 in found.interval


def test_the_side_of_the_own_model_does_not_matter():
    rows = panel(favour=0.8)
    (there,), (back,) = own_of(rows), own_of([exchanged(one) for one in rows])
    assert (back.own_score, back.others_score, back.difference, back.p) == (
        there.own_score,
        there.others_score,
        there.difference,
        there.p,
    )


def test_one_judge_alone_says_nothing_of_self_preference():
    (found,) = own_of([one for one in panel(0.5) if one["judge"] == "own"])
    assert (found.note, found.difference, found.p) == ("not measurable: one judge", None, None)
    assert found.own_score is not None


def test_lineage_counts_and_related_judges_are_no_yardstick():
    rows = [one | ({"judge_model": "hf:tuned"} if one["judge"] == "own" else {}) for one in panel(0.8)]
    (found,) = own_of(rows, judges={"own": Origin({"hf:tuned"}, {"hf:base"})})
    assert (found.own_model, found.relation) == ("x", Relation.LINEAGE)
    # j1 turns out to be the opponent, j2 to share the base: nobody is left to compare with.
    (found,) = own_of(rows, judges={"own": Origin({"hf:base"}), "j1": Origin({"hf:other"}), "j2": Origin({"hf:base"})})
    assert found.difference is None
    assert "no judge without a relation" in found.note


def test_judges_without_a_model_of_their_own_and_unknown_models_are_said():
    found = {one.judge: one for one in self_preference.measure(panel(0.5), models=MODELS)}
    assert (found["j1"].own_model, found["j1"].note) == (None, "none of the models is the judge's own")
    found = self_preference.measure(panel(0.5), models={"z": MODELS["z"]})
    assert {one.note for one in found} == {"not measurable: it is not known what model x is"}


def test_failures_take_no_part_on_either_side():
    rows = panel(0.8)
    broken = [row(Choice.ERROR, Choice.FIRST)["verdict"]]
    rows = [one | {"verdict": broken[0]} if one["scenario_id"] in ("s0", "s1") else one for one in rows]
    assert own_of(rows)[0].pairs == 38


def test_the_report_is_complete_and_fits_a_terminal():
    rows = [one | {"words_a": 12.0, "words_b": 9.0} for one in panel(0.5)]
    own = self_preference.measure(rows, models=MODELS)
    text = summary(measure(rows), totals(rows), own)
    for said in ("all", "same model", "none of the models is the judge's own", "no result at equal length"):
        assert said in text
    assert max(map(len, text.splitlines())) <= 110
    cells = self_preference.table(own).to_pylist()
    assert [one["judge"] for one in cells] == ["own", "j1", "j2"]
    assert (cells[0]["others"], cells[0]["relation"], cells[1]["own_model"]) == ("j1, j2", "same model", None)
