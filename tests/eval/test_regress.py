"""The regress stage: paired on hashes or refused, exact where scores are right or wrong, a verdict with a margin."""

import numpy as np
import pytest
from regress_material import folder, one_task, regressions
from scipy.stats import binomtest

from sage_data.errors import InputError
from sage_data.stage import resolve_path, run_stage
from sage_data.store.shards import read_table
from sage_eval.bench.conventions import SUBJECTS, metric_for, subject_of
from sage_eval.regress import Config, Outcome, compare, read_side
from sage_eval.regress.comparing import Method
from sage_eval.regress.matching import match
from sage_eval.regress.records import table
from sage_eval.regress.text import summary
from sage_eval.regress.units import Compared
from sage_eval.stats import tango_interval


def outcomes(new, base=None, *, higher=True, **config):
    base = np.ones(len(new)) if base is None else np.asarray(base)
    return regressions(one_task(base, np.asarray(new), higher=higher), **config)[0]


def binary(right, n):
    return np.array([1.0] * right + [0.0] * (n - right))


def matched(base, new, **config):
    sides = (read_side(resolve_path(path)) for path in (base, new))
    return match(*sides, Config(**config))


@pytest.mark.parametrize(
    ("base", "new", "n", "outcome"),
    [
        (400, 300, 500, Outcome.REGRESSED),
        (300, 400, 500, Outcome.IMPROVED),
        (400, 400, 500, Outcome.EQUIVALENT),
        (40, 38, 50, Outcome.UNDECIDED),
        (10, 10, 20, Outcome.UNDECIDED),  # nothing changed, yet 20 documents cannot rule out a loss of .02
        (3990, 3980, 5000, Outcome.EQUIVALENT),  # significantly worse, by .002
    ],
)
def test_outcomes_of_right_or_wrong_scores(base, new, n, outcome):
    found = outcomes(binary(new, n), binary(base, n))
    assert found.method is Method.MCNEMAR
    assert found.outcome is outcome


def test_p_is_the_exact_mcnemar_test():
    # 9 documents lost, 2 gained: the binomial test of 2 in 11.
    base = np.array([1.0] * 9 + [0.0] * 2 + [1.0] * 30)
    new = np.array([0.0] * 9 + [1.0] * 2 + [1.0] * 30)
    found = outcomes(new, base)
    assert found.p == pytest.approx(binomtest(2, 11).pvalue) == pytest.approx(134 / 2048)
    assert (found.worse, found.better, found.n) == (9, 2, 41)


def test_where_less_is_better_the_sign_turns():
    found = outcomes(binary(400, 500), binary(300, 500), higher=False)
    assert found.outcome is Outcome.REGRESSED
    assert found.difference == pytest.approx(0.2)
    assert found.gain[0] == pytest.approx(-0.2)
    assert found.gain[1] < found.gain[0] < found.gain[2]


def test_the_margin_decides_what_is_equivalent():
    new, base = binary(390, 500), binary(400, 500)
    assert outcomes(new, base, margin=0.02).outcome is Outcome.REGRESSED
    assert outcomes(new, base, margin=0.05).outcome is Outcome.EQUIVALENT


def test_other_scores_go_to_the_bootstrap():
    rng = np.random.default_rng(2)
    base = rng.normal(0.5, 0.1, 200)
    worse = outcomes(base - 0.1 + rng.normal(0, 0.1, 200), base)
    assert (worse.method, worse.outcome) == (Method.BOOTSTRAP, Outcome.REGRESSED)
    assert outcomes(base, base).outcome is Outcome.EQUIVALENT


@pytest.mark.parametrize("documents", [1, 3, 5, 29])
def test_a_bootstrap_over_few_documents_proves_nothing(documents):
    # Equal differences leave the bootstrap without spread.
    better, worse = np.full(documents, 0.6), np.full(documents, 0.5)
    for base, new in ((better, worse), (worse, better), (better, better)):
        assert outcomes(new, base).outcome is Outcome.UNDECIDED


def test_equivalence_is_adjusted_for_all_tasks_and_the_interval_shown_is_not():
    # One document of 400 changed: a loss of .02 is ruled out for one task, not for fifty at once.
    one = one_task(binary(400, 400), binary(399, 400))
    alone, many = regressions(one)[0], regressions(*[one] * 50)[0]
    assert (alone.outcome, many.outcome) == (Outcome.EQUIVALENT, Outcome.UNDECIDED)
    assert (alone.low, alone.high) == (many.low, many.high)
    assert alone.level == Config().level
    # The limit that decides is moved out by half a document.
    assert many.gain_low == tango_interval(1, 0, 400, 1 - 2 * 0.05 / 50, 0.5).low
    assert [row["gain_low"] for row in table([alone, many]).to_pylist()] == [alone.gain_low, many.gain_low]
    assert "adjusted for all tasks (0.998)" in summary([many] * 50, "x", "y").replace("\n", " ")
    turned = one_task(1 - one.base, 1 - one.new, higher=False)
    assert regressions(*[turned] * 50)[0].gain_low == pytest.approx(many.gain_low)


def test_holm_runs_over_the_family_alone():
    one = one_task(binary(60, 60), binary(54, 60))
    assert regressions(one)[0].p_holm == pytest.approx(2 / 64)
    many = regressions(one, one, one)
    assert many[0].p_holm == pytest.approx(6 / 64)
    assert (regressions(one)[0].outcome, many[0].outcome) == (Outcome.REGRESSED, Outcome.UNDECIDED)
    beside = compare([Compared(one), Compared(one, member=False)], Config(), seed=0)
    assert [found.p_holm for found in beside] == [pytest.approx(2 / 64), None]
    assert {found.family_size for found in beside} == {1}


# -- mmlu --------------------------------------------------------------------------------------------------------------


def subjects(effects, documents, rng):
    """Scores over subjects whose documents move together by these effects."""
    base, new, clusters = [], [], []
    for index, effect in enumerate(effects):
        easy = rng.random(documents) < 0.6
        base.append(easy)
        new.append(np.where(rng.random(documents) < abs(effect), effect > 0, easy))
        clusters += [f"mmlu_s{index}"] * documents
    return one_task(np.concatenate(base) * 1.0, np.concatenate(new) * 1.0, task="mmlu", clusters=tuple(clusters))


def test_subjects_that_move_together_count_as_subjects():
    # Half of the subjects rise, half fall by as much or a little more: over documents that looks like a sure loss.
    rng = np.random.default_rng(4)
    scores = subjects([0.5, -0.5] * 10 + [-0.5] * 3, 60, rng)
    clustered = regressions(scores)[0]
    alone = regressions(one_task(scores.base, scores.new))[0]
    assert (clustered.method, clustered.clusters, clustered.n) == (Method.CLUSTERED, 23, 1380)
    assert clustered.difference == alone.difference
    assert alone.p < 0.05 < clustered.p
    assert clustered.high - clustered.low > 2 * (alone.high - alone.low)


def test_clusters_never_narrow_the_interval():
    scores = subjects([0.1] * 20, 30, np.random.default_rng(1))
    clustered, alone = regressions(scores)[0], regressions(one_task(scores.base, scores.new))[0]
    assert clustered.low <= alone.low
    assert alone.high <= clustered.high
    same = one_task(scores.base, scores.base, clusters=scores.clusters)
    assert regressions(same)[0].p == 1.0
    assert regressions(same)[0].low < 0 < regressions(same)[0].high


def test_few_subjects_prove_nothing():
    scores = subjects([-0.9] * 5, 60, np.random.default_rng(1))
    assert regressions(scores)[0].outcome is Outcome.UNDECIDED
    assert regressions(subjects([-0.9] * 8, 60, np.random.default_rng(1)))[0].outcome is Outcome.REGRESSED


def test_mmlu_is_one_line_and_its_subjects_are_shown_on_request(tmp_path):
    names = sorted(SUBJECTS)[:8]
    scores = {(f"mmlu_{name}", "none", "acc"): binary(8, 10) for name in names} | {("piqa", "none", "acc"): [1.0, 0.0]}
    base, new = folder(tmp_path / "a", scores), folder(tmp_path / "b", scores)
    lines = matched(base, new).lines
    assert [(line.scores.task, line.member) for line in lines] == [("mmlu", True), ("piqa", True)]
    assert lines[0].scores.base.size == 80
    shown = matched(base, new, subjects=True).lines
    assert [(line.scores.task, line.member) for line in shown[:2]] == [("mmlu", True), (f"mmlu_{names[0]}", False)]
    assert sum(line.member for line in shown) == 2
    assert [line.scores.task for line in matched(base, new, tasks=["mmlu"]).lines] == ["mmlu"]


@pytest.mark.parametrize(
    ("task", "found"),
    [
        ("mmlu_anatomy", ("mmlu", "anatomy")),
        ("mmlu_flan_cot_zeroshot_us_foreign_policy", ("mmlu_flan_cot_zeroshot", "us_foreign_policy")),
        ("hendrycksTest-high_school_us_history", ("hendrycksTest", "high_school_us_history")),
        ("mmlu_pro_law", None),
        ("anatomy", None),
        ("piqa", None),
    ],
)
def test_subjects_are_told_by_their_names(task, found):
    assert len(SUBJECTS) == 57
    assert subject_of(task) == found


def test_each_task_has_the_metric_of_the_papers_table():
    wanted = Config().metrics
    assert metric_for("arc_easy", ("acc", "acc_norm"), wanted) == "acc_norm"
    assert metric_for("mmlu", ("acc", "acc_norm"), wanted) == "acc"
    assert metric_for("sciq", ("acc", "acc_norm"), wanted) == "acc_norm"
    assert metric_for("arc_easy", ("acc", "acc_norm"), ("acc",)) == "acc"
    assert metric_for("gsm8k", ("f1",), wanted) is None


# -- the stage ---------------------------------------------------------------------------------------------------------


def sides(tmp_path, base, new):
    """Two folders with the same tasks, given the right answers of 100 on each."""
    names = [("arc", "none", "acc"), ("arc", "none", "acc_norm"), ("gsm8k", "flexible-extract", "exact_match")]
    names.append(("gsm8k", "strict-match", "exact_match"))
    return {
        "base": [folder(tmp_path / "bench-base", {name: binary(base, 100) for name in names})],
        "new": [folder(tmp_path / "bench-new", {name: binary(new, 100) for name in names})],
    }


def test_the_stage_writes_a_table_like_the_papers_second(tmp_path):
    manifest = run_stage("sage_eval.regress", {}, sides(tmp_path, 80, 60), tmp_path / "out")
    rows = read_table(tmp_path / "out", "regressions").to_pylist()
    assert [(row["task"], row["filter"], row["metric"], row["member"]) for row in rows] == [
        ("arc", "none", "acc_norm", True),
        ("gsm8k", "strict-match", "exact_match", True),
        ("gsm8k", "flexible-extract", "exact_match", False),
    ]
    first = rows[0]
    assert (first["n"], first["base"], first["new"]) == (100, 0.8, 0.6)
    assert (first["difference"], first["relative"]) == (pytest.approx(-0.2), pytest.approx(-0.25))
    assert (first["worse"], first["better"], first["verdict"], first["family_size"]) == (20, 0, "regressed", 2)
    assert first["p"] == pytest.approx(2 / 2**20)
    assert [row["p_holm"] for row in rows] == [pytest.approx(4 / 2**20), pytest.approx(4 / 2**20), None]
    assert manifest.counts[0].came_in == 300
    text = (tmp_path / "out" / "summary.txt").read_text()
    assert "Base bench-base, new bench-new" in text
    assert "2 regressed, 0 equivalent, 0 improved, 0 undecided." in text
    assert "-25.0%" in text
    assert "<svg" in (tmp_path / "out" / "regress.svg").read_text()


@pytest.mark.parametrize(
    ("right", "fail_on", "failures", "warnings"),
    [
        (60, "regressed", 1, 0),
        (60, "undecided", 1, 0),
        (60, "never", 0, 1),
        (78, "regressed", 0, 0),  # 2 of 80 lost: undecided
        (78, "undecided", 1, 0),
        (100, "undecided", 0, 0),
    ],
)
def test_a_regression_ends_the_command_with_a_failure(tmp_path, right, fail_on, failures, warnings):
    manifest = run_stage("sage_eval.regress", {"fail_on": fail_on}, sides(tmp_path, 80, right), tmp_path / "out")
    assert (len(manifest.failures), len(manifest.warnings)) == (failures, warnings)
    said = [*manifest.failures, *manifest.warnings]
    # What is only shown beside is no failure of its own.
    assert all(one.endswith("arc (none), gsm8k (strict-match)") for one in said)


def test_the_command_ends_with_code_3_when_something_regressed(tmp_path):
    from click.testing import CliRunner

    from sage_data.cli.stage_command import stage_command

    command = stage_command("regress", "sage_eval.regress", "compare", "")
    given = sides(tmp_path, 80, 60)
    arguments = [str(given["base"][0]), "--new", str(given["new"][0]), "--out", str(tmp_path / "out")]
    for _ in range(2):  # made, and found fresh
        done = CliRunner().invoke(command, arguments)
        assert done.exit_code == 3
        assert "failed: bench-new is worse than bench-base on arc (none), gsm8k (strict-match)" in done.stderr
    assert CliRunner().invoke(command, [*arguments, "--fail-on", "never"]).exit_code == 0


def test_the_stage_is_deterministic(tmp_path):
    rng = np.random.default_rng(1)
    given = {
        name: [folder(tmp_path / name, {("t", "none", "acc"): rng.random(40).tolist()})] for name in ("base", "new")
    }
    hashes = {run_stage("sage_eval.regress", {}, given, tmp_path / name).content_hash for name in ("x", "y")}
    assert len(hashes) == 1


# -- refusals ----------------------------------------------------------------------------------------------------------

NAME = ("t", "none", "acc")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"scores": {NAME: [1.0, 0.0]}, "changed": {"prompt_hash": "other"}}, "document 0 of t .*prompt_hash differs"),
        ({"scores": {NAME: [1.0, 0.0]}, "changed": {"doc_hash": "other"}}, "document 0 of t .*doc_hash differs"),
        ({"scores": {NAME: [1.0, 0.0]}, "changed": {"target_hash": "other"}}, "target_hash differs"),
        ({"scores": {NAME: [1.0]}}, "1 are on one side only, the first is document 1 of t .*in base"),
        ({"scores": {("u", "none", "acc"): [1.0, 0.0]}}, "2 tasks are on one side only, the first is t in base"),
        ({"scores": {("t", "strict", "acc"): [1.0, 0.0]}}, "on one side only"),
        ({"scores": {("t", "none", "f1"): [1.0, 0.0]}}, "no single number for acc"),
        ({"scores": {NAME: [1.0, None]}}, "document 1 of t .*no single number for acc"),
        ({"scores": {NAME: [1.0, 0.0]}, "terms": {"num_fewshot": 5}}, r"examples in the prompt: t \(0 / 5\)"),
        ({"scores": {NAME: [1.0, 0.0]}, "terms": {"version": "2"}}, r"version: t \(1 / 2\)"),
    ],
)
def test_refuses_what_is_not_the_same_document(tmp_path, other, said):
    base = folder(tmp_path / "base", {NAME: [1.0, 1.0]}, terms={"num_fewshot": 0, "version": "1"})
    new = folder(tmp_path / "new", **other)
    with pytest.raises(InputError, match=said):
        matched(base, new, metrics=("acc",))


def test_refuses_what_it_would_have_to_guess(tmp_path):
    base = folder(tmp_path / "base", {NAME: [1.0]}, higher=None)
    with pytest.raises(InputError, match="not known whether a higher acc"):
        matched(base, base)
    with pytest.raises(InputError, match="none of the metrics f1; it has acc"):
        matched(base, base, metrics=("f1",))
    with pytest.raises(InputError, match="base has no task u; it has t"):
        matched(base, base, tasks=("u",))
    twice = folder(tmp_path / "twice", {NAME: [1.0], ("t", "none", "acc_norm"): [1.0]}, changed={"metric": "acc"})
    with pytest.raises(InputError, match="two scores for acc; was a task run twice"):
        matched(twice, twice)


def test_a_task_without_the_metric_is_named_not_dropped(tmp_path):
    base = folder(tmp_path / "base", {NAME: [1.0], ("u", "none", "f1"): [0.5], ("v", "none", "f1"): [0.5]})
    found = matched(base, base)
    assert [line.scores.task for line in found.lines] == ["t"]
    assert found.warnings == (
        "not compared: u, v, as each has none of the metrics acc_norm, acc, exact_match; it has f1",
    )


# -- planted truth -----------------------------------------------------------------------------------------------------


def planted(rng, tasks, documents, loss):
    """Scores on tasks where the new model loses, and flips otherwise as often one way as the other."""
    found = []
    for index in range(tasks):
        base = (rng.random(documents) < 0.7) * 1.0
        flips = rng.random(documents) < 0.1
        new = np.where(flips, rng.random(documents) < 0.7, base)
        found.append(one_task(base, np.where(rng.random(documents) < loss, 0.0, new), task=f"t{index}"))
    return found


def test_a_planted_regression_is_found_and_the_rest_is_not():
    rng = np.random.default_rng(9)
    found = regressions(*planted(rng, 4, 1500, 0.0), *planted(rng, 1, 1500, 0.08))
    assert [one.outcome is Outcome.REGRESSED for one in found] == [False] * 4 + [True]


@pytest.mark.slow
def test_equal_models_rarely_regress():
    # Ten tasks, nothing lost: any "regressed" or "improved" is false; nominal 5 % of the runs.
    rng = np.random.default_rng(11)
    runs, false = 300, 0
    for _ in range(runs):
        found = regressions(*planted(rng, 10, 300, 0.0), margin=0.0)
        false += any(one.outcome in (Outcome.REGRESSED, Outcome.IMPROVED) for one in found)
    assert false / runs <= 0.05 + 2 * (0.05 * 0.95 / runs) ** 0.5


@pytest.mark.slow
def test_equal_models_rarely_regress_on_mmlu():
    # Subjects move together, up as often as down: 20 subjects of very different sizes.
    rng = np.random.default_rng(12)
    runs, naive, clustered = 300, 0, 0
    for _ in range(runs):
        parts = [
            subjects([effect], size, rng) for effect, size in zip(rng.normal(0, 0.1, 20), [20, 80] * 10, strict=True)
        ]
        base, new = (np.concatenate([getattr(one, side) for one in parts]) for side in ("base", "new"))
        names = tuple(f"s{index}" for index, one in enumerate(parts) for _ in range(one.base.size))
        clustered += regressions(one_task(base, new, clusters=names), resamples=100)[0].p < 0.05
        naive += regressions(one_task(base, new))[0].p < 0.05
    assert clustered / runs <= 0.05 + 2 * (0.05 * 0.95 / runs) ** 0.5
    assert naive / runs > 0.1


@pytest.mark.slow
def test_tasks_at_the_margin_are_rarely_called_equivalent_among_many():
    # Planted: a loss of exactly the margin on all ten tasks, so that every "equivalent" is false.
    rng = np.random.default_rng(5)
    runs, false = 300, 0
    for _ in range(runs):
        tasks = [one_task(np.ones(300), 1.0 - (rng.random(300) < 0.05)) for _ in range(10)]
        found = regressions(*tasks, margin=0.05)
        false += any(one.outcome in (Outcome.EQUIVALENT, Outcome.IMPROVED) for one in found)
    # Ten intervals of 95 % each would be wrong in about 1 - .975**10 = 22 % of the runs.
    assert false / runs <= 0.05 + 2 * (0.05 * 0.95 / runs) ** 0.5
