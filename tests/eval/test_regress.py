"""The regress stage: paired on hashes or refused, exact where scores are right or wrong, a verdict with a margin."""

import numpy as np
import pyarrow as pa
import pytest

from sage_data.errors import InputError
from sage_data.stage import run_stage
from sage_data.store.shards import read_table, shard_name, write_table
from sage_eval.bench.pairing import Scores, pair
from sage_eval.bench.records import METRIC_SCHEMA, SAMPLE_SCHEMA
from sage_eval.regress import Config, Outcome, compare, summary, table
from sage_eval.stats import mcnemar


def folder(path, scores, *, higher=True, changed=None):
    """Write a bench folder; `scores` maps (task, filter, metric) to the documents' values."""
    samples = [
        {
            "task": task,
            "filter": filter_name,
            "doc_id": doc_id,
            "doc_hash": f"d{doc_id}",
            "prompt_hash": f"p{doc_id}",
            "target_hash": f"t{doc_id}",
            "metric": metric,
            "value": value,
            **(changed or {}),
        }
        for (task, filter_name, metric), values in scores.items()
        for doc_id, value in enumerate(values)
    ]
    metrics = [
        {"task": task, "filter": filter_name, "metric": metric, "higher_is_better": higher}
        for task, filter_name, metric in scores
    ]
    path.mkdir(parents=True)
    write_table(path / shard_name("bench_samples", 0), pa.Table.from_pylist(samples, schema=SAMPLE_SCHEMA))
    write_table(path / shard_name("bench_metrics", 0), pa.Table.from_pylist(metrics, schema=METRIC_SCHEMA))
    return path


def outcomes(new, base=None, *, higher=True, **config):
    base = np.ones(len(new)) if base is None else np.asarray(base)
    scores = [Scores("t", "none", "acc", base, np.asarray(new), higher)]
    return compare(scores, Config(**config), seed=0)[0]


def binary(right, n):
    return np.array([1.0] * right + [0.0] * (n - right))


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
    assert found.change.method == "mcnemar"
    assert found.outcome is outcome


def test_where_less_is_better_the_sign_turns():
    found = outcomes(binary(400, 500), binary(300, 500), higher=False)
    assert found.outcome is Outcome.REGRESSED
    assert found.change.difference == pytest.approx(0.2)
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
    assert (worse.change.method, worse.outcome) == ("bootstrap", Outcome.REGRESSED)
    assert outcomes(base, base).outcome is Outcome.EQUIVALENT


def test_a_bootstrap_over_few_documents_proves_nothing_equivalent():
    scores = np.linspace(0.1, 0.9, 10)
    assert outcomes(scores, scores).outcome is Outcome.UNDECIDED


@pytest.mark.parametrize("documents", [1, 3, 5, 29])
def test_few_equal_losses_are_no_regression(documents):
    # Equal differences leave the bootstrap without spread, and its p at the smallest there is.
    found = outcomes(np.full(documents, 0.5), np.full(documents, 0.6))
    assert found.change.p < 0.001
    assert found.outcome is Outcome.UNDECIDED
    assert outcomes(np.full(documents, 0.6), np.full(documents, 0.5)).outcome is Outcome.UNDECIDED


def test_equivalence_is_adjusted_for_all_tasks_and_the_interval_shown_is_not():
    # One document of 300 changed: a loss of .02 is ruled out for one task, not for twenty at once.
    one = Scores("a", "none", "acc", binary(300, 300), binary(299, 300), True)
    alone, many = compare([one], Config(), seed=0)[0], compare([one] * 20, Config(), seed=0)[0]
    assert (alone.outcome, many.outcome) == (Outcome.EQUIVALENT, Outcome.UNDECIDED)
    assert alone.change.interval == many.change.interval
    assert alone.change.interval.level == Config().level
    assert many.gain_low == mcnemar(1, 0, 300, 1 - 2 * 0.05 / 20).interval.low
    assert [row["gain_low"] for row in table([alone, many]).to_pylist()] == [alone.gain_low, many.gain_low]
    assert "adjusted for all tasks (0.995)" in summary([many] * 20, "x", "y")
    turned = Scores("a", "none", "err", 1 - one.base, 1 - one.new, False)
    assert compare([turned] * 20, Config(), seed=0)[0].gain_low == pytest.approx(many.gain_low)


def test_tasks_at_the_margin_are_rarely_called_equivalent_among_many():
    # Planted: a loss of exactly the margin on all ten tasks, so that every "equivalent" is false.
    rng = np.random.default_rng(5)
    runs, false = 60, 0
    for _ in range(runs):
        tasks = []
        for _ in range(10):
            lost = rng.random(300) < 0.05
            tasks.append(Scores("t", "none", "acc", np.ones(300), 1.0 - lost, True))
        found = compare(tasks, Config(margin=0.05), seed=0)
        false += any(one.outcome in (Outcome.EQUIVALENT, Outcome.IMPROVED) for one in found)
    # Ten intervals of 95 % each would be wrong in about 1 - .975**10 = 22 % of the runs.
    assert false / runs <= 0.1


def test_holm_runs_over_all_tasks():
    base, new = binary(60, 60), binary(54, 60)
    one = Scores("a", "none", "acc", base, new, True)
    alone = compare([one], Config(), seed=0)[0]
    many = compare([one] * 3, Config(), seed=0)[0]
    assert alone.p_holm == pytest.approx(2 / 64)
    assert many.p_holm == pytest.approx(6 / 64)
    assert (alone.outcome, many.outcome) == (Outcome.REGRESSED, Outcome.UNDECIDED)


def test_the_stage_writes_a_table_like_the_papers_second(tmp_path):
    names = [("arc", "none", "acc"), ("arc", "none", "acc_norm"), ("gsm", "flexible", "exact_match")]
    names.append(("gsm", "strict", "exact_match"))
    base = folder(tmp_path / "bench-base", {name: binary(80, 100) for name in names})
    new = folder(tmp_path / "bench-new", {name: binary(60, 100) for name in names})
    manifest = run_stage("sage_eval.regress", {}, {"base": [base], "new": [new]}, tmp_path / "out")
    rows = read_table(tmp_path / "out", "regressions").to_pylist()
    assert [(row["task"], row["filter"], row["metric"]) for row in rows] == [
        ("arc", "none", "acc_norm"),
        ("gsm", "flexible", "exact_match"),
        ("gsm", "strict", "exact_match"),
    ]
    first = rows[0]
    assert (first["n"], first["base"], first["new"]) == (100, 0.8, 0.6)
    assert (first["difference"], first["relative"]) == (pytest.approx(-0.2), pytest.approx(-0.25))
    assert (first["worse"], first["better"], first["verdict"], first["family_size"]) == (20, 0, "regressed", 3)
    assert first["p"] == pytest.approx(2 / 2**20)
    assert manifest.counts[0].came_in == 300
    assert manifest.warnings == ["bench-new is worse than bench-base on arc (none), gsm (flexible), gsm (strict)"]
    text = (tmp_path / "out" / "summary.txt").read_text()
    assert "Base bench-base, new bench-new" in text
    assert "3 regressed, 0 equivalent, 0 improved, 0 undecided." in text


def test_the_stage_is_deterministic_and_follows_the_seed(tmp_path):
    rng = np.random.default_rng(1)
    scores = {("t", "none", "acc"): rng.random(40).tolist()}
    sides = {
        "base": [folder(tmp_path / "a", scores)],
        "new": [folder(tmp_path / "b", {("t", "none", "acc"): rng.random(40).tolist()})],
    }
    hashes = {run_stage("sage_eval.regress", {}, sides, tmp_path / name).content_hash for name in ("x", "y")}
    assert len(hashes) == 1


NAME = ("t", "none", "acc")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"scores": {NAME: [1.0, 0.0]}, "changed": {"prompt_hash": "other"}}, "prompt_hash differs"),
        ({"scores": {NAME: [1.0, 0.0]}, "changed": {"doc_hash": "other"}}, "doc_hash differs"),
        ({"scores": {NAME: [1.0]}}, "1 are in one only"),
        ({"scores": {("u", "none", "acc"): [1.0, 0.0]}}, "different documents"),
        ({"scores": {("t", "strict", "acc"): [1.0, 0.0]}}, "different documents"),
        ({"scores": {("t", "none", "f1"): [1.0, 0.0]}}, "no single number for acc"),
        ({"scores": {NAME: [1.0, None]}}, "no single number for acc"),
    ],
)
def test_refuses_what_is_not_the_same_document(tmp_path, other, said):
    base = folder(tmp_path / "base", {NAME: [1.0, 1.0]})
    new = folder(tmp_path / "new", **other)
    with pytest.raises(InputError, match=said):
        pair(base, new, ("acc",))


def test_refuses_what_it_would_have_to_guess(tmp_path):
    base = folder(tmp_path / "base", {NAME: [1.0]}, higher=None)
    with pytest.raises(InputError, match="not known whether a higher acc"):
        pair(base, base, ("acc",))
    with pytest.raises(InputError, match="none of the metrics f1; it has acc"):
        pair(base, base, ("f1",))
    twice = folder(tmp_path / "twice", {NAME: [1.0], ("t", "none", "acc_norm"): [1.0]}, changed={"metric": "acc"})
    with pytest.raises(InputError, match="two scores"):
        pair(twice, twice, ("acc",))
