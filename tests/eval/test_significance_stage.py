"""The significance stage: terms from the plan, mixtures refused, repeats left out, everything written."""

import json
from random import Random
from xml.etree import ElementTree

import pytest
from made_dialogues import STIFF, WARM, dialogue, write
from made_dialogues import given as made
from verdict_material import folder_of, plan_of, rollouts_of, rows_of

from sage_data.errors import ConfigError, InputError
from sage_data.stage import run_stage
from sage_data.store.shards import read_table
from sage_eval.judge.self_test_rules import Outcome
from sage_eval.plan import PANEL, Correction, StoppingRule, TieRule
from sage_eval.significance.chart import Scale
from sage_eval.verdict import Verdict
from sage_eval.warehouse import connect

STAGE = "sage_eval.significance"
CLEAR = ["B"] * 18 + ["A"] * 2


def run(tmp_path, *folders, **config):
    """Run the stage; gives its manifest, rows and summary."""
    out = tmp_path / "out"
    manifest = run_stage(STAGE, config, {"verdicts": list(folders)}, out)
    return manifest, read_table(out, "significance").to_pylist(), (out / "summary.txt").read_text()


def planned(tmp_path, rows, *, name="judged", **changes):
    return folder_of(tmp_path / name, rows, plan_of(**changes))


def test_the_stage_joins_folders_and_tells_all(tmp_path):
    first = folder_of(tmp_path / "a", rows_of(["B"] * 9 + ["A"] + ["error"] * 2))
    second = folder_of(tmp_path / "b", rows_of(["tie"] * 4 + ["malformed"], judge="k"))
    manifest, rows, text = run(tmp_path, first, second)
    counts = manifest.counts[0]
    assert (counts.came_in, counts.kept, counts.dropped) == (17, 14, {"error": 2, "malformed": 1})
    assert [(row["judge"], row["wins_a"], row["wins_b"], row["ties"], row["error"]) for row in rows] == [
        ("j", 1, 9, 0, 2),
        ("k", 0, 0, 4, 0),
    ]
    assert rows[0]["p"] == pytest.approx(22 / 1024)
    assert rows[0]["p_holm"] == pytest.approx(44 / 1024)
    assert (rows[1]["p"], rows[1]["share_b_low"], rows[1]["conclusion"]) == (None, None, "undecidable")
    assert (rows[0]["planned"], rows[0]["plan_hash"], rows[0]["correction"]) == (None, None, "holm")
    assert [line.split()[-1] for line in text.splitlines()[2:4]] == ["y", "undecidable"]
    assert "Undecidable: k, x against y: no pair has a winner." in text
    # With both failed pairs on A's side, 9 to 3 is no longer shown.
    assert (rows[0]["holds"], rows[0]["largest_p"]) == (False, pytest.approx(598 / 4096))
    assert any("may owe its lead over x to 2 failed pairs" in warning for warning in manifest.warnings)


def test_the_plans_terms_are_used_and_named(tmp_path):
    judges = ["j", "k"]
    plan = plan_of([("x", "y"), ("x", "z")], judges, panel=True, alpha=0.01, correction="bh", tie_rule="half")
    rows = [row for judge in judges for b in "yz" for row in rows_of(CLEAR, judge, b=b)]
    manifest, found, text = run(tmp_path, folder_of(tmp_path / "judged", rows, plan))
    assert [(row["judge"], row["model_b"]) for row in found] == [
        (judge, b) for judge in ("j", "k", PANEL) for b in ("y", "z")
    ]
    row = found[0]
    assert (row["alpha"], row["correction"], row["tie_rule"], row["stopping"]) == (0.01, "bh", "half", "fixed")
    assert (row["family_size"], row["planned"], row["plan_hash"]) == (6, True, plan.plan_hash)
    assert plan.plan_hash in text
    assert manifest.warnings == []
    # The panel was planned and never heard of: it stays in the family, where it weighs.
    assert [row["conclusion"] for row in found] == ["B better"] * 4 + ["undecidable"] * 2
    assert found[4]["reason"] == "there is no verdict"
    assert row["p_bh"] == pytest.approx(row["p"] * 6 / 4)
    assert row["p_holm"] == pytest.approx(row["p"] * 6)


def test_options_override_the_plan_and_say_so(tmp_path):
    folder = planned(tmp_path, rows_of(CLEAR))
    manifest, (row,), _ = run(
        tmp_path, folder, alpha=0.1, correction="bh", tie_rule="half", stopping="e-value", family_size=3
    )
    assert manifest.warnings == [
        "alpha is 0.1, where the analysis plan said 0.05",
        "correction is bh, where the analysis plan said holm",
        "tie_rule is half, where the analysis plan said drop",
        "stopping is e-value, where the analysis plan said fixed",
        "family_size is 3, where plan and verdicts make 1",
    ]
    assert (row["alpha"], row["correction"], row["tie_rule"], row["stopping"]) == (0.1, "bh", "half", "e-value")
    assert (row["family_size"], row["e_threshold"]) == (3, pytest.approx(30))


def test_plans_that_differ_need_an_option(tmp_path):
    one = planned(tmp_path, rows_of(CLEAR), name="one", alpha=0.01)
    other = planned(tmp_path, rows_of(CLEAR, judge="k"), name="other", judges=["k"], tie_rule=TieRule.HALF)
    with pytest.raises(ConfigError, match=r"differ in alpha: 0\.01, 0\.05"):
        run(tmp_path, one, other)
    with pytest.raises(ConfigError, match="differ in tie_rule: drop, half"):
        run(tmp_path, one, other, alpha=0.05)
    manifest, rows, _ = run(tmp_path, one, other, alpha=0.05, tie_rule="drop")
    assert [row["family_size"] for row in rows] == [2, 2]
    assert rows[0]["plan_hash"].count(", ") == 1
    assert manifest.warnings == [
        "alpha is 0.05, where the analysis plan said 0.01",
        "tie_rule is drop, where the analysis plan said half",
    ]


def test_the_family_cannot_be_made_smaller(tmp_path):
    folder = planned(tmp_path, rows_of(CLEAR), judges=["j", "k"])
    with pytest.raises(ConfigError, match="the family has 2 members, planned or found; --family-size is 1"):
        run(tmp_path, folder, family_size=1)


def test_what_was_not_planned_enlarges_the_family(tmp_path):
    folder = planned(tmp_path, rows_of(CLEAR))
    manifest, rows, _ = run(tmp_path, folder, folder_of(tmp_path / "more", rows_of(CLEAR, b="z")))
    assert [(row["model_b"], row["planned"], row["family_size"]) for row in rows] == [("y", True, 2), ("z", False, 2)]
    assert "1 comparisons are not in the analysis plan and enlarge the family: x against z by j" in manifest.warnings


def test_p_is_no_claim_where_the_plan_let_judging_stop(tmp_path):
    # 13 to 2: p = .0074, yet E = 2^15 13! 2! / 16! = 19.5; one more win and it is claimed.
    for wins, conclusion, stopped in ((13, "not shown", None), (14, "B better", 16)):
        rows = rows_of(["A", "B", "A"] + ["B"] * (wins - 1))
        folder = planned(tmp_path / conclusion, rows, stopping=StoppingRule.E_VALUE)
        _, (row,), text = run(tmp_path / conclusion, folder)
        assert row["p"] < 0.008
        assert (row["p_holm"], row["conclusion"], row["stopped_after"]) == (None, conclusion, stopped)
    assert "claims rest on the e-value: at least 20" in " ".join(text.split())
    assert "log10 E" in text.splitlines()[0]
    with pytest.raises(ConfigError, match="p is not valid"):
        run(tmp_path, folder, stopping="fixed")


def test_repeats_are_counted_and_are_no_evidence(tmp_path):
    rows = [row | {"replicate": 0, "sample": 0} for row in rows_of(CLEAR)]
    again = [row | {"replicate": number, "verdict": "B"} for number in (1, 2) for row in rows[:7]]
    _, (once,), _ = run(tmp_path / "one", folder_of(tmp_path / "a", rows))
    manifest, (repeated,), text = run(tmp_path / "two", folder_of(tmp_path / "b", rows + again))
    assert repeated == once | {"repeats": 14}
    assert manifest.counts[0].dropped == {"repeat": 14}
    assert "Not counted: 14 verdicts that repeat a pair." in text


@pytest.mark.parametrize("stage", [STAGE, "sage_eval.ratings"])
@pytest.mark.parametrize(
    ("outcome", "doubted"), [(Outcome.FAILED, True), (Outcome.NOT_ASKED, True), (Outcome.PASSED, False)]
)
def test_a_judge_that_did_not_give_the_known_answers_is_named(tmp_path, stage, outcome, doubted):
    rows = [*rows_of(CLEAR, self_test=outcome.value), *rows_of(CLEAR, "sound", self_test="passed")]
    manifest = run_stage(stage, {}, {"verdicts": [folder_of(tmp_path / "a", rows)]}, tmp_path / "out")
    named = [warning.split()[0] for warning in manifest.warnings if "do not rest a claim on its verdicts" in warning]
    assert named == (["j"] if doubted else [])


def test_the_panel_is_a_judge_of_its_own_and_comes_last(tmp_path):
    rows = [row for judge in (PANEL, "j", "k") for row in rows_of(CLEAR, judge)]
    _, found, _ = run(tmp_path, folder_of(tmp_path / "a", rows))
    assert [row["judge"] for row in found] == ["j", "k", PANEL]
    assert {row["family_size"] for row in found} == {3}


def test_samples_make_scenarios_clusters(tmp_path):
    rows = rollouts_of(["BBB", "BBt", "BAB", "tBB", "BBB", "BBB", "AtB", "BBB"])
    _, (row,), text = run(tmp_path, folder_of(tmp_path / "a", rows))
    assert (row["method"], row["scenarios"], row["n"], row["tested"]) == ("scenario means", 8, 24, 8)
    assert row["share_b_exact_low"] is None
    assert row["net_win_interval_low"] < row["net_win"] < row["net_win_interval_high"]
    assert "sign-flip test of scenarios' means, ties dropped" in text


def test_a_pair_votes_once(tmp_path):
    first = folder_of(tmp_path / "a", rows_of(["B"]))
    with pytest.raises(InputError, match="two verdicts on x against y in scenario s0, sample 0"):
        run(tmp_path, first, first)


def test_two_judges_of_one_name_are_not_pooled(tmp_path):
    rows = [*rows_of(["A"] * 3), *rows_of(["A"] * 3, spec="other", first=3)]
    with pytest.raises(InputError, match="two judges are called j: spec j and spec other"):
        run(tmp_path, folder_of(tmp_path / "a", rows))


@pytest.mark.parametrize("first", [0, 1])
def test_a_pair_in_both_orders_is_refused_whatever_the_scenarios(tmp_path, first):
    rows = [*rows_of(["A"]), *rows_of(["B"], a="y", b="x", first=first)]
    with pytest.raises(InputError, match="two verdicts" if first == 0 else "compares x with y and also y with x"):
        run(tmp_path, folder_of(tmp_path / "a", rows))


def test_a_folder_without_verdicts_is_refused(tmp_path):
    rows = [{name: value for name, value in row.items() if name != "spec_hash"} for row in rows_of(["A"])]
    with pytest.raises(InputError, match="lacks the columns spec_hash"):
        run(tmp_path, folder_of(tmp_path / "a", rows))


def test_the_same_input_gives_the_same_bytes_in_json_and_svg(tmp_path):
    names = ("a<b>&\u202e", "y" * 40)
    rows = rows_of([*CLEAR, "tie", "error"], a=names[0], b=names[1]) + rows_of(["tie"], "k", *names)
    folder = folder_of(tmp_path / "a", rows)
    for name in ("one", "two"):
        run(tmp_path / name, folder)
    files = [
        {file: (tmp_path / name / "out" / file).read_bytes() for file in ("significance.json", "significance.svg")}
        for name in ("one", "two")
    ]
    assert files[0] == files[1]
    told = json.loads(files[0]["significance.json"])
    assert [row["conclusion"] for row in told["comparisons"]] == ["B better", "undecidable"]
    drawing = ElementTree.fromstring(files[0]["significance.svg"])
    words = [element.text for element in drawing.iter() if element.text]
    assert "a<b>&\ufffd" in words
    assert f"{'y' * 16}\u2026 better" in words
    assert "undecidable" in words
    (dot,) = [element for element in drawing.iter() if element.tag.endswith("circle")]
    assert dot.get("class") == "b"


@pytest.mark.parametrize("reach", [0.06, 0.11, 0.3, 0.52])
def test_the_scale_of_the_chart_is_symmetric_with_few_ticks(reach):
    scale = Scale(reach)
    ticks = scale.ticks()
    assert 3 <= len(ticks) <= 11
    assert 0.5 in ticks
    assert scale.x(0.5 + reach / 2) - scale.x(0.5) == pytest.approx(scale.x(0.5) - scale.x(0.5 - reach / 2), abs=0.02)


def test_the_warehouse_takes_every_column_and_the_win_table_reads_it(tmp_path):
    run(tmp_path, planned(tmp_path, rows_of(CLEAR, words_a=10.0, words_b=12.0), correction=Correction.BH))
    run_stage("sage_eval.warehouse", {}, {"runs": [tmp_path / "out"]}, tmp_path / "warehouse")
    with connect(tmp_path / "warehouse") as connection:
        found = connection.execute("SELECT correction, planned, p_bh, length_note, log_e FROM significance").fetchall()
    ((correction, is_planned, p_bh, note, log_e),) = found
    assert (correction, is_planned) == ("bh", True)
    assert p_bh < 0.001
    assert note.startswith("20 decisive pairs")
    assert log_e > 0


def test_the_page_says_what_the_claims_rest_on(tmp_path):
    shaky = rows_of(["error"] * 4 + ["B"] * 9)
    run(tmp_path, planned(tmp_path, shaky, stopping=StoppingRule.E_VALUE))
    run_stage("sage_eval.warehouse", {}, {"runs": [tmp_path / "out"]}, tmp_path / "warehouse")
    run_stage("sage_eval.report", {}, {"warehouse": [tmp_path / "warehouse"]}, tmp_path / "report")
    page = " ".join((tmp_path / "report" / "index.html").read_text(encoding="utf-8").split())
    assert "claims rest on the e-value, at α = 0.05 over 1 comparison;" in page
    assert "adjusted by Holm" not in page
    assert "<b>y</b> is better; " in page
    assert "failed pairs could undo it" in page


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
    _, rows, _ = run(tmp_path, tmp_path / "judged")
    found = {(row["judge"], row["model_a"], row["model_b"]): row for row in rows}
    for judge in ("rubric:warm", "rubric:plain"):
        assert found[judge, "cold", "twin"]["conclusion"] == "not shown"
        for rival in ("cold", "twin"):
            assert found[judge, rival, "warm"]["conclusion"] == "B better"
            # About 60 (.8 .7) = 34 wins to 60 (.2 .3) = 4 losses are planted: p near 1e-6.
            assert 1e-10 < found[judge, rival, "warm"]["p"] < 1e-3
    assert {row["repeats"] for row in rows} == {0}
    assert all(Verdict(row["conclusion"][0]) is Verdict.B for row in rows if row["conclusion"].endswith("better"))


def test_a_plan_that_was_changed_after_judging_decides_nothing(tmp_path):
    plan = plan_of(alpha=0.01)
    rows = rows_of(CLEAR, plan_hash=plan.plan_hash)
    assert run(tmp_path / "kept", folder_of(tmp_path / "kept" / "judged", rows, plan))[1][0]["alpha"] == 0.01
    for name, other in (("changed", plan_of(alpha=0.1)), ("gone", None)):
        with pytest.raises(InputError, match=r"expected the analysis plan that the verdicts were judged under"):
            run(tmp_path / name, folder_of(tmp_path / name / "judged", rows, other))
