"""The significance stage: the paper's Table 1 recomputed, failures kept out, one scenario one vote."""

import math
from random import Random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_dialogues import STIFF, WARM, dialogue, write
from made_dialogues import given as made

from sage_data.errors import InputError
from sage_data.stage import run_stage
from sage_data.store.shards import read_table, shard_name, write_table
from sage_eval.significance import Comparison, Conclusion, compare, count, summary
from sage_eval.verdict import Verdict, mirror

PAPER = {  # Table 1, GPT-3.5 and Mixtral: A wins, ties (which hold the inconsistent pairs), B wins
    ("GPT-3.5", "SAGE_0", "SAGE_1"): (688, 892, 964),
    ("GPT-3.5", "SAGE_1(-SAC)", "SAGE_1"): (823, 852, 869),
    ("GPT-3.5", "SAGE_0", "SAGE_DPO"): (542, 899, 1103),
    ("Mixtral", "SAGE_0", "SAGE_DPO"): (473, 1184, 887),
}
tallies = st.fixed_dictionaries({verdict: st.integers(0, 60) for verdict in Verdict})


def tally(a=0, b=0, **others):
    return {verdict: others.get(verdict.value, 0) for verdict in Verdict} | {Verdict.A: a, Verdict.B: b}


def one(counts, **others) -> Comparison:
    return compare({("j", "x", "y"): counts, **others}, alpha=0.05, level=0.95)[0]


def verdict_rows(verdicts, judge="j", a="x", b="y", *, spec="spec", first=0):
    same = {"judge": judge, "spec_hash": spec, "model_a": a, "model_b": b}
    return [
        {**same, "scenario_id": f"s{number}", "verdict": verdict.value}
        for number, verdict in enumerate(verdicts, first)
    ]


def test_the_papers_rows():
    found = compare({key: tally(a, b, tie=ties) for key, (a, ties, b) in PAPER.items()}, alpha=0.05, level=0.95)
    assert [row.n for row in found] == [2544] * 4
    assert [row.test.p for row in found] == pytest.approx([1.19e-11, 0.274, 3.34e-44, 1.52e-29], rel=5e-3)
    assert [row.conclusion for row in found] == [
        Conclusion.B_BETTER,
        Conclusion.NOT_SHOWN,
        Conclusion.B_BETTER,
        Conclusion.B_BETTER,
    ]
    assert [row.stars for row in found] == ["***", "", "***", "***"]
    assert found[0].net_win == pytest.approx((964 - 688) / 2544)
    assert found[0].p_holm == pytest.approx(2 * found[0].test.p)


def test_failures_are_neither_ties_nor_losses():
    clean, failing = one(tally(10, 30, tie=20)), one(tally(10, 30, tie=20, malformed=7, error=3))
    assert (failing.test, failing.n, failing.net_win) == (clean.test, clean.n, clean.net_win)
    assert failing.failed == 10
    assert failing.net_win_bounds == (pytest.approx(10 / 70), pytest.approx(30 / 70))


def test_inconsistent_pairs_are_no_ties_but_count_in_n():
    found = one(tally(10, 30, tie=5, inconsistent=15))
    assert (found.n, found.counts[Verdict.TIE], found.counts[Verdict.INCONSISTENT]) == (60, 5, 15)
    assert found.net_win == pytest.approx(20 / 60)
    assert found.half_tie_score == pytest.approx((30 + 20 / 2) / 60)


@pytest.mark.parametrize("counts", [tally(tie=9), tally(error=4), tally(inconsistent=2, malformed=2)])
def test_no_decisive_pair_is_undecidable_and_still_in_the_family(counts):
    found, other = compare({("j", "x", "y"): counts, ("j", "x", "z"): tally(0, 6)}, alpha=0.05, level=0.95)
    assert (found.conclusion, found.test.p, found.p_holm, found.stars) == (Conclusion.UNDECIDABLE, None, None, "")
    assert (other.family_size, other.p_holm) == (2, pytest.approx(2 * 2 / 2**6))


def test_holm_can_take_a_claim_back():
    strong, weak = tally(0, 20), tally(10, 23)
    alone = one(weak)
    family = compare({("j", "x", "y"): weak, ("j", "x", "z"): strong, ("j", "y", "z"): weak}, alpha=0.05, level=0.95)
    assert alone.conclusion is Conclusion.B_BETTER
    assert [row.conclusion for row in family] == [Conclusion.NOT_SHOWN, Conclusion.B_BETTER, Conclusion.NOT_SHOWN]


@given(tallies)
def test_renaming_the_models_mirrors_everything(counts):
    found, mirrored = one(counts), one({mirror(verdict): number for verdict, number in counts.items()})
    names = {Conclusion.A_BETTER: Conclusion.B_BETTER, Conclusion.B_BETTER: Conclusion.A_BETTER}
    assert mirrored.conclusion is names.get(found.conclusion, found.conclusion)
    assert mirrored.test.p == found.test.p
    if found.net_win is not None:
        assert mirrored.net_win == pytest.approx(-found.net_win)
        assert mirrored.half_tie_score == pytest.approx(1 - found.half_tie_score)


@given(tallies)
def test_bounds_hold_the_net_win_of_any_outcome_of_the_failed_pairs(counts):
    found = one(counts)
    if found.net_win_bounds is None:
        return
    low, high = found.net_win_bounds
    for to_a in {0, found.failed // 2, found.failed}:
        net = (counts[Verdict.B] + found.failed - to_a - counts[Verdict.A] - to_a) / (found.n + found.failed)
        assert low - 1e-12 <= net <= high + 1e-12


@given(st.lists(st.sampled_from(Verdict), min_size=1, max_size=50))
def test_counts_every_verdict_once(verdicts):
    counted = count(verdict_rows(verdicts))[("j", "x", "y")]
    assert sum(counted.values()) == len(verdicts)
    assert all(counted[verdict] == verdicts.count(verdict) for verdict in Verdict)


def test_a_scenario_votes_once():
    rows = verdict_rows([Verdict.A])
    with pytest.raises(InputError, match="two verdicts"):
        count([*rows, *rows])


def test_two_judges_of_one_name_are_not_pooled():
    rows = verdict_rows([Verdict.A] * 3)
    with pytest.raises(InputError, match="two judges of x and y are called j: spec spec and spec other"):
        count([*rows, *verdict_rows([Verdict.A] * 3, spec="other", first=3)])
    assert count([*rows, *verdict_rows([Verdict.B], first=3)])["j", "x", "y"].total() == 4


@pytest.mark.parametrize("first", [0, 1])
def test_a_pair_in_both_orders_is_refused_whatever_the_scenarios(first):
    with pytest.raises(InputError, match="compares x with y and also y with x"):
        count([*verdict_rows([Verdict.A]), *verdict_rows([Verdict.B], a="y", b="x", first=first)])


def folder(path, rows):
    path.mkdir()
    write_table(path / shard_name("pair_verdicts", 0), pa.Table.from_pylist(rows))
    return path


def test_the_stage_joins_folders_and_tells_all(tmp_path):
    first = folder(tmp_path / "a", verdict_rows([Verdict.B] * 9 + [Verdict.A] + [Verdict.ERROR] * 2))
    second = folder(tmp_path / "b", verdict_rows([Verdict.TIE] * 4 + [Verdict.MALFORMED], judge="k"))
    manifest = run_stage("sage_eval.significance", {}, {"verdicts": [first, second]}, tmp_path / "out")
    counts = manifest.counts[0]
    assert (counts.came_in, counts.kept, counts.dropped) == (17, 14, {"error": 2, "malformed": 1})
    rows = read_table(tmp_path / "out", "significance").to_pylist()
    assert [(row["judge"], row["wins_a"], row["wins_b"], row["ties"], row["error"]) for row in rows] == [
        ("j", 1, 9, 0, 2),
        ("k", 0, 0, 4, 0),
    ]
    assert rows[0]["p"] == pytest.approx(22 / 1024)
    assert rows[0]["p_holm"] == pytest.approx(44 / 1024)
    assert (rows[1]["p"], rows[1]["share_b_low"], rows[1]["conclusion"]) == (None, None, "undecidable")
    text = (tmp_path / "out" / "summary.txt").read_text()
    assert [line.split()[-1] for line in text.splitlines()[2:4]] == ["y", "undecidable"]


def test_the_stage_refuses_the_same_folder_twice(tmp_path):
    first = folder(tmp_path / "a", verdict_rows([Verdict.B]))
    with pytest.raises(InputError, match="two verdicts"):
        run_stage("sage_eval.significance", {}, {"verdicts": [first, first]}, tmp_path / "out")


def test_the_summary_fits_and_shows_what_underflows():
    names = ("rubric:plain", "SAGE_1(-SAC)", "SAGE_DPO")
    found = compare({names: tally(0, 5000, tie=1000, inconsistent=1000)}, alpha=0.05, level=0.95)
    text = summary(found)
    assert max(map(len, text.splitlines())) <= 125
    assert f"1e{math.log10(2) * (1 - 5000):.0f}" in text


def talkative(folder, name, warmth, count=60):
    """A model that is warm in a share `warmth` of its dialogues, drawn from a seed."""
    rng = Random(name)
    dialogues = [
        dialogue(f"s{number:03}", WARM if rng.random() < warmth else STIFF, model=name) for number in range(count)
    ]
    return made(write(folder / name, dialogues), f"rollout-{name}")


def test_from_transcripts_to_claims_the_planted_better_model_wins_and_the_null_pair_does_not(tmp_path):
    models = [talkative(tmp_path, name, warmth) for name, warmth in (("cold", 0.3), ("twin", 0.3), ("warm", 0.8))]
    run_stage("sage_eval.judge", {}, {"transcripts": models}, tmp_path / "judged")
    run_stage("sage_eval.significance", {}, {"verdicts": [tmp_path / "judged"]}, tmp_path / "out")
    rows = read_table(tmp_path / "out", "significance").to_pylist()
    found = {(row["judge"], row["model_a"], row["model_b"]): row for row in rows}
    assert len(found) == 6
    for judge in ("rubric:warm", "rubric:plain"):
        assert found[judge, "cold", "twin"]["conclusion"] == "not shown"
        for rival in ("cold", "twin"):
            assert found[judge, rival, "warm"]["conclusion"] == "B better"
            # About 60 (.8 .7) = 34 wins to 60 (.2 .3) = 4 losses are planted: p near 1e-6.
            assert 1e-10 < found[judge, rival, "warm"]["p"] < 1e-3
