"""The ratings stage: verdicts in, tables, text and chart out; failures counted, nothing pooled that must not be."""

import itertools
from random import Random
from xml.etree import ElementTree

import pyarrow as pa
import pytest

from sage_data.errors import ConfigError, InputError
from sage_data.stage import run_stage
from sage_data.store.files import write_text
from sage_data.store.shards import read_table, shard_name, write_table
from sage_eval.plan import PLAN, AnalysisPlan
from sage_eval.ratings.chart import Scale
from sage_eval.ratings.tables import FIT_SCHEMA, MODEL_SCHEMA, PAIR_SCHEMA
from sage_eval.warehouse.contract import sql_files

STAGE = "sage_eval.ratings"
QUICK = {"resamples": 200}


def rows(verdicts, judge="j", a="x", b="y", *, spec=None, first=0, **others):
    return [
        {
            "judge": judge,
            "spec_hash": spec or judge,
            "model_a": a,
            "model_b": b,
            "scenario_id": f"s{number}",
            "verdict": verdict,
            **others,
        }
        for number, verdict in enumerate(verdicts, first)
    ]


def tournament(judge="j", models="abc", scenarios=60, seed=0):
    """Models that come later in the alphabet win more often."""
    random = Random(seed)
    return [
        row
        for a, b in itertools.combinations(models, 2)
        for row in rows(
            random.choices(["A", "tie", "B", "inconsistent"], [1, 1, 2.5, 1], k=scenarios), judge, a, b, sample=0
        )
    ]


def folder(path, listed, plan=None):
    path.mkdir(parents=True)
    write_table(path / shard_name("pair_verdicts", 0), pa.Table.from_pylist(listed))
    if plan is not None:
        write_text(path / PLAN, plan.model_dump_json())
    return path


def run(tmp_path, listed, config=None, plan=None):
    """Run the stage over one folder; gives its manifest, tables and summary."""
    judged = folder(tmp_path / "judged", listed, plan)
    out = tmp_path / "out"
    manifest = run_stage(STAGE, QUICK | (config or {}), {"verdicts": [judged]}, out)
    tables = {name: read_table(out, name).to_pylist() for name in ("ratings", "rating_pairs", "rating_fit")}
    return manifest, tables, (out / "summary.txt").read_text()


def plan(**changes):
    return AnalysisPlan(pairs=(("a", "b"),), judges=(), panel=False, transcripts={}, scenarios={}, **changes)


def test_the_better_model_comes_first_in_every_output(tmp_path):
    manifest, tables, summary = run(tmp_path, tournament(scenarios=150))
    models = tables["ratings"]
    assert [row["model"] for row in models] == ["c", "b", "a"]
    assert (models[0]["rank_low"], models[0]["rank_high"]) == (1, 1)
    assert sum(row["strength"] for row in models) == pytest.approx(0)
    assert all(row["low"] < row["strength"] < row["high"] for row in models)
    assert all(row["n"] == row["wins"] + row["ties"] + row["losses"] > 0 for row in models)
    pair = next(row for row in tables["rating_pairs"] if (row["model_a"], row["model_b"]) == ("a", "c"))
    assert pair["difference"] > 0
    assert pair["p_holm"] < 0.05
    assert (pair["family_size"], pair["alpha"], pair["ties_rule"]) == (3, 0.05, "tie")
    assert tables["rating_fit"][0]["models"] == "a, b, c"
    assert "Judge j" in summary
    assert "c" in summary.splitlines()[4]
    inconsistent = sum(row["inconsistent"] for row in models) // 2
    assert manifest.counts[0].dropped == {"inconsistent": inconsistent}
    assert manifest.counts[0].came_in == 450


def test_inconsistent_pairs_are_ties_only_when_asked(tmp_path):
    listed = rows(["A"] * 20 + ["B"] * 20 + ["tie"] * 5 + ["inconsistent"] * 15)
    _, apart, _ = run(tmp_path / "one", listed)
    _, together, summary = run(tmp_path / "two", listed, {"ties": "tie+inconsistent"})
    assert [(row["ties"], row["inconsistent"], row["n"]) for row in apart["ratings"]] == [(5, 15, 45)] * 2
    assert [(row["ties"], row["inconsistent"], row["n"]) for row in together["ratings"]] == [(20, 15, 60)] * 2
    assert "inconsistent pairs count as ties" in summary
    assert together["rating_fit"][0]["tie_parameter"] > apart["rating_fit"][0]["tie_parameter"]


def test_failures_change_counts_and_nothing_else(tmp_path):
    listed = tournament()
    failed = rows(["malformed"] * 4 + ["error"] * 3, a="a", b="b", first=900)
    _, clean, _ = run(tmp_path / "one", listed)
    manifest, failing, summary = run(tmp_path / "two", listed + failed)
    for one, other in zip(clean["ratings"], failing["ratings"], strict=True):
        assert {**one, "malformed": 0, "error": 0} == {**other, "malformed": 0, "error": 0}
    assert {row["model"]: (row["malformed"], row["error"]) for row in failing["ratings"]} == {
        "a": (4, 3),
        "b": (4, 3),
        "c": (0, 0),
    }
    assert manifest.counts[0].dropped["malformed"] == 4
    assert "failed" in summary


def test_a_model_without_readable_verdict_is_listed_with_the_reason(tmp_path):
    listed = tournament() + rows(["error"] * 7 + ["inconsistent"] * 2, a="a", b="mute")
    manifest, tables, summary = run(tmp_path, listed)
    mute = tables["ratings"][-1]
    assert (mute["model"], mute["strength"], mute["component"], mute["n"]) == ("mute", None, None, 0)
    assert mute["unrated"] == "none of its 9 verdicts is a win, a tie or a loss: 2 inconsistent, 7 error"
    assert mute["unrated"] in summary
    assert any("mute" in message for message in manifest.warnings)
    assert next(row for row in tables["rating_pairs"] if row["model_b"] == "mute")["p"] is None


def test_a_judge_who_never_answered_rates_nobody(tmp_path):
    _, tables, summary = run(tmp_path, rows(["error"] * 5))
    assert [row["unrated"] is not None for row in tables["ratings"]] == [True, True]
    assert (tables["rating_fit"][0]["component"], tables["rating_fit"][0]["n"]) == (None, 0)
    assert "unrated" in summary


def test_replicates_rate_nothing(tmp_path):
    listed = [row | {"replicate": 0} for row in tournament()]
    repeats = [row | {"replicate": 1, "verdict": "A"} for row in listed[:50]]
    _, clean, _ = run(tmp_path / "one", listed)
    manifest, repeated, _ = run(tmp_path / "two", listed + repeats)
    assert repeated == clean
    assert manifest.counts[0].dropped["repeat"] == 50


def test_samples_of_a_scenario_are_one_cluster(tmp_path):
    listed = rows(["A"] * 20 + ["B"] * 15, sample=0)
    _, once, _ = run(tmp_path / "one", listed)
    _, thrice, _ = run(tmp_path / "two", [row | {"sample": sample} for row in listed for sample in range(3)])
    assert thrice["ratings"][0]["n"] == 3 * once["ratings"][0]["n"]
    assert thrice["rating_fit"][0]["scenarios"] == 35
    assert thrice["rating_pairs"][0]["p"] == pytest.approx(once["rating_pairs"][0]["p"], rel=0.05)


def test_judges_are_rated_apart_and_pooled_on_demand(tmp_path):
    listed = tournament("k") + tournament("panel", seed=2) + tournament("j", seed=1)
    _, apart, _ = run(tmp_path / "one", listed)
    assert list(dict.fromkeys(row["judge"] for row in apart["ratings"])) == ["k", "j", "panel"]
    _, tables, _ = run(tmp_path / "two", listed, {"pooled": True})
    pooled = [row for row in tables["ratings"] if row["judge"] == "pooled"]
    own = [row for row in tables["ratings"] if row["judge"] in ("j", "k")]
    assert sum(row["n"] for row in pooled) == sum(row["n"] for row in own)
    assert next(row for row in tables["rating_fit"] if row["judge"] == "pooled")["scenarios"] == 60


def test_a_judge_called_pooled_is_refused_when_pooling(tmp_path):
    with pytest.raises(InputError, match="'pooled'"):
        run(tmp_path, tournament("pooled"), {"pooled": True})


def test_the_plan_is_named_and_its_alpha_taken(tmp_path):
    made = plan(alpha=0.01)
    _, tables, summary = run(tmp_path, tournament(), plan=made)
    assert {row["plan_hash"] for row in tables["ratings"]} == {made.plan_hash}
    assert {row["alpha"] for row in tables["rating_pairs"]} == {0.01}
    assert made.plan_hash in summary


def test_another_alpha_than_planned_is_said(tmp_path):
    manifest, tables, _ = run(tmp_path, tournament(), {"alpha": 0.1}, plan(alpha=0.01))
    assert tables["ratings"][0]["alpha"] == 0.1
    assert "alpha is 0.1, where the analysis plan said 0.01" in manifest.warnings


def test_plans_that_differ_need_an_alpha(tmp_path):
    one = folder(tmp_path / "one", tournament("j"), plan(alpha=0.01))
    other = folder(tmp_path / "other", tournament("k"), plan(alpha=0.05))
    with pytest.raises(ConfigError, match=r"differ in alpha: 0\.01, 0\.05"):
        run_stage(STAGE, QUICK, {"verdicts": [one, other]}, tmp_path / "out")
    run_stage(STAGE, QUICK | {"alpha": 0.05}, {"verdicts": [one, other]}, tmp_path / "out")
    assert len({row["plan_hash"] for row in read_table(tmp_path / "out", "ratings").to_pylist()}) == 1


def test_folders_with_and_without_the_new_columns_go_together(tmp_path):
    old = folder(tmp_path / "old", rows(["A"] * 20 + ["B"] * 20))
    new = folder(tmp_path / "new", rows(["A"] * 20 + ["B"] * 20, a="y", b="z", sample=0, replicate=0))
    run_stage(STAGE, QUICK, {"verdicts": [old, new]}, tmp_path / "out")
    assert {row["model"]: row["n"] for row in read_table(tmp_path / "out", "ratings").to_pylist()} == {
        "x": 40,
        "y": 80,
        "z": 40,
    }


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        (rows(["A"]) * 2, "two verdicts on x against y in scenario s0, sample 0"),
        (rows(["A"]) + rows(["B"], a="y", b="x"), "two verdicts on y against x"),
        (rows(["A"] * 2) + rows(["B"], a="y", b="z", spec="other"), "two judges are called j"),
    ],
)
def test_mixed_up_verdicts_are_refused(tmp_path, listed, said):
    with pytest.raises(InputError, match=said):
        run(tmp_path, listed)


def test_no_verdict_and_an_unknown_anchor_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="the anchor q is not among the models of judge j: a, b, c"):
        run(tmp_path / "one", tournament(), {"anchor": "q"})
    empty = pa.Table.from_pylist(rows(["A"])).slice(0, 0)
    (tmp_path / "empty").mkdir()
    write_table(tmp_path / "empty" / shard_name("pair_verdicts", 0), empty)
    with pytest.raises(InputError, match="no verdict at all"):
        run_stage(STAGE, QUICK, {"verdicts": [tmp_path / "empty"]}, tmp_path / "out")


def test_equal_input_gives_equal_bytes(tmp_path):
    judged = folder(tmp_path / "judged", tournament())
    one, other = (
        run_stage(STAGE, QUICK, {"verdicts": [judged]}, tmp_path / name).content_hash for name in ("one", "other")
    )
    assert one == other


def test_the_chart_is_well_formed_and_holds_names_as_text(tmp_path):
    listed = tournament(models=["<b>&", "b" * 80, "c\u0007"]) + rows(["error"], a="<b>&", b="mute")
    run(tmp_path, listed + rows(["A"] * 40, "k", "u", "v"))
    text = (tmp_path / "out" / "ratings.svg").read_text()
    drawn = ElementTree.fromstring(text)
    said = [one.text for one in drawn.iter() if one.tag.endswith("text")]
    assert "<b>&" in said
    assert any(one.endswith("\u2026") and len(one) == 30 for one in said)
    assert "mute: not rated for want of a win, tie or loss" in said
    assert "prefers-color-scheme" in text
    assert 'class="arrow"' in text  # 40 to 0: the interval goes on


@pytest.mark.parametrize(("low", "high"), [(-0.04, 0.05), (-0.6, 0.7), (-3.0, 2.0), (-14.0, 30.0)])
def test_the_axis_has_a_handful_of_ticks(low, high):
    ticks = Scale(low, high).ticks()
    assert 2 <= len(ticks) <= 8
    assert all(low <= tick <= high for tick in ticks)
    assert 0.0 in ticks


@pytest.mark.parametrize(
    ("name", "schema"), [("ratings", MODEL_SCHEMA), ("rating_pairs", PAIR_SCHEMA), ("rating_fit", FIT_SCHEMA)]
)
def test_the_warehouse_declares_every_column(name, schema):
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as database:
        database.execute(sql_files("tables")[name].read_text())
        declared = [row[0] for row in database.execute(f"DESCRIBE {name}").fetchall()]
        said = database.execute("SELECT count(*) FROM duckdb_columns() WHERE comment IS NOT NULL").fetchall()[0][0]
    assert declared == ["stage", *schema.names]
    assert said == len(declared)


def test_ratings_of_judging_that_stopped_early_say_that_their_levels_do_not_hold(tmp_path):
    said = [
        any(
            "let judging stop on its results" in warning
            for warning in run(tmp_path / stop, rows, plan=made)[0].warnings
        )
        for stop, rows, made in (
            ("fixed", tournament(), plan()),
            ("e-value", tournament(), plan(stopping="e-value")),
        )
    ]
    assert said == [False, True]
