"""lm-eval's own output as a side of regress: paired with samples, unpaired and said so without, old keys and new."""

import json
from math import erfc, sqrt

import pytest
from regress_material import STAMP, folder, outputs

from sage_data.errors import InputError
from sage_data.stage import resolve_path, run_stage
from sage_data.store.shards import read_table
from sage_eval.bench.conventions import SUBJECTS
from sage_eval.regress import Config, read_side
from sage_eval.regress.matching import match
from sage_eval.regress.outputs import bare, implied_n
from sage_eval.regress.sides import Aggregate, pooled

NAMES = [("arc_easy", "none", "acc_norm"), ("gsm8k", "strict-match", "exact_match")]


def right(count, n):
    return [1] * count + [0] * (n - count)


def scores(count, n=100):
    return {name: right(count, n) for name in NAMES}


def matched(base, new, **config):
    return match(read_side(resolve_path(base)), read_side(resolve_path(new)), Config(**config))


def stage(tmp_path, base, new, **config):
    manifest = run_stage("sage_eval.regress", config, {"base": [base], "new": [new]}, tmp_path / "out")
    return manifest, read_table(tmp_path / "out", "regressions").to_pylist()


def test_samples_are_paired(tmp_path):
    base, new = outputs(tmp_path / "a", scores(80)), outputs(tmp_path / "b", scores(60), model="org/new")
    manifest, rows = stage(tmp_path, base, new)
    assert [(row["task"], row["method"], row["worse"]) for row in rows] == [
        ("arc_easy", "mcnemar", 20),
        ("gsm8k", "mcnemar", 20),
    ]
    assert manifest.failures == ["regressed: org/new is worse than org/base on arc_easy (none), gsm8k (strict-match)"]
    assert "Base org/base, new org/new" in (tmp_path / "out" / "summary.txt").read_text()
    # A results file finds the samples beside it.
    alone = read_side(resolve_path(base / f"results_{STAMP}.json"))
    assert alone.documents == read_side(resolve_path(base)).documents


def test_results_without_a_task_are_named(tmp_path):
    whole, empty = outputs(tmp_path / "a", scores(80)), tmp_path / "empty.json"
    empty.write_text('{"results": {}}', encoding="utf-8")
    with pytest.raises(
        InputError, match=r"empty\.json: expected scores of tasks under `results`; it holds no task"
    ) as no:
        stage(tmp_path, whole, empty)
    assert "results of a whole run" in (no.value.next_step or "")


def test_the_same_model_on_both_sides_is_remarked(tmp_path):
    given = [outputs(tmp_path / name, scores(80), model=model) for name, model in zip("abc", "xxy", strict=True)]
    same, other = matched(given[0], given[1]), matched(given[0], given[2])
    said = "both sides say that they are of the same model, x: is each the one that was meant?"
    assert (said in same.warnings, said.replace("model, x", "model, y") in other.warnings) == (True, False)
    assert not any("same model" in one for one in other.warnings)


def test_without_samples_the_test_is_unpaired_and_says_so(tmp_path):
    base = outputs(tmp_path / "a", scores(80), samples=False)
    new = outputs(tmp_path / "b", scores(60), model="org/new", samples=False)
    manifest, rows = stage(tmp_path, base, new)
    row = rows[0]
    error = sqrt((0.8 * 0.2 + 0.6 * 0.4) / 99)
    assert (row["method"], row["n"], row["better"]) == ("unpaired", 100, None)
    assert row["p"] == pytest.approx(erfc(0.2 / error / sqrt(2)))
    assert (row["low"], row["high"]) == (
        pytest.approx(-0.2 - 1.959964 * error),
        pytest.approx(-0.2 + 1.959964 * error),
    )
    assert "unpaired, as scores by document are missing: arc_easy, gsm8k" in manifest.warnings[0]
    text = (tmp_path / "out" / "summary.txt").read_text()
    assert "UNPAIRED" in text
    assert "paired" not in text.replace("UNPAIRED", "").replace("Unpaired", "").replace("paired ones", "")
    # The same scores, paired, show far more.
    paired = stage(tmp_path / "paired", *(outputs(tmp_path / name, scores(n)) for name, n in (("c", 80), ("d", 60))))
    assert paired[1][0]["p"] < row["p"] / 100


def test_one_side_with_samples_is_not_enough(tmp_path):
    base = folder(tmp_path / "bench", {name: [float(one) for one in right(80, 100)] for name in NAMES})
    new = outputs(tmp_path / "b", scores(60))
    with pytest.raises(InputError, match="doc_hash, prompt_hash, target_hash differs"):
        matched(base, new)
    with pytest.raises(InputError, match="has none of the metrics"):  # the bench folder states no score over all
        matched(base, outputs(tmp_path / "c", scores(60), samples=False))


def old_keys(path, values, *, shots=0, model="EleutherAI/pythia,revision=step1"):
    """What lm-eval 0.3 wrote: bare metric names, no number of documents."""
    results = {
        task: {"acc": mean, "acc_stderr": sqrt(mean * (1 - mean) / (n - 1))} for task, (mean, n) in values.items()
    }
    content = {
        "results": results,
        "versions": dict.fromkeys(results, 0),
        "config": {"model_args": f"pretrained={model}", "num_fewshot": shots, "limit": None},
    }
    path.write_text(json.dumps(content))
    return path


def test_reads_the_keys_of_version_0_3(tmp_path):
    subjects = sorted(SUBJECTS)[:9]
    values = {f"hendrycksTest-{one}": (0.25, 100 + 4 * index) for index, one in enumerate(subjects)}
    base = old_keys(tmp_path / "a.json", {**values, "piqa": (0.7, 1000)})
    new = old_keys(tmp_path / "b.json", {**values, "piqa": (0.6, 1000)}, model="/home/me/out/pythia,revision=step2")
    sides = [read_side(resolve_path(path)) for path in (base, new)]
    assert [side.label for side in sides] == ["EleutherAI/pythia@step1", "pythia@step2"]
    lines = match(*sides, Config()).lines
    assert [(line.scores.task, line.scores.base.n) for line in lines] == [
        ("hendrycksTest", sum(n for _, n in values.values())),
        ("piqa", 1000),
    ]
    with pytest.raises(
        InputError, match=r"differ in the number of examples in the prompt: hendrycksTest-\w+ \(0 / 5\)"
    ):
        matched(base, old_keys(tmp_path / "c.json", {**values, "piqa": (0.7, 1000)}, shots=5))


def test_a_subject_without_the_groups_metric_is_named(tmp_path):
    values = {f"hendrycksTest-{one}": (0.25, 100) for one in sorted(SUBJECTS)[:3]}
    path = old_keys(tmp_path / "a.json", values)
    content = json.loads(path.read_text())
    last = list(values)[-1]
    content["results"][last] = {"acc_norm": 0.25, "acc_norm_stderr": 0.04}
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=rf"{last} has no acc \(filter none\), which other tasks of its group have"):
        matched(path, path)


def test_groups_count_through_their_parts(tmp_path):
    subjects = {(f"mmlu_{one}", "none", "acc"): right(8, 10) for one in sorted(SUBJECTS)[:8]}
    others = {("mc1", "none", "acc"): right(5, 10), ("mc2", "none", "acc"): right(6, 10)}
    groups = {"mmlu": {"acc,none": 0.8, "acc_stderr,none": 0.01}, "truthful": {"acc,none": 0.5, "acc_stderr,none": 0.1}}
    parts = {"mmlu": [task for task, *_ in subjects], "truthful": ["mc1", "mc2"]}
    path = outputs(tmp_path / "a", {**subjects, **others}, samples=False, groups=groups, group_subtasks=parts)
    found = matched(path, path)
    assert [(line.scores.task, line.scores.base.n) for line in found.lines] == [("mc1", 10), ("mc2", 10), ("mmlu", 80)]


def test_the_pooled_score_is_that_of_all_documents():
    # By hand: (10 x .5 + 30 x .9) / 40 = .8; variance (10 x .1 / 40)^2 + (30 x .02 / 40)^2.
    found = pooled([Aggregate(0.5, 0.1, 10), Aggregate(0.9, 0.02, 30)])
    assert found is not None
    assert (found.value, found.n) == (pytest.approx(0.8), 40)
    assert found.stderr == pytest.approx(sqrt(0.025**2 + 0.015**2))
    assert pooled([Aggregate(0.5, 0.1, None)]) is None


def test_the_number_of_documents_is_told_by_the_standard_error():
    # Meta-Llama-3-8B on arc_challenge, as lm-eval 0.4.2 wrote it: 1,172 questions.
    assert implied_n("acc_norm", 0.5750853242320819, 0.014445698968520769) == 1172
    assert implied_n("acc", 0.6504059250818972, 0.003784481420755855) is None  # mmlu, a group
    assert implied_n("acc_norm", 0.575, 0.0144) is None  # rounded
    assert implied_n("ppl", 0.5750853242320819, 0.014445698968520769) is None
    assert implied_n("acc", 1.0, 0.0) is None


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("meta-llama/Meta-Llama-3-8B", "meta-llama/Meta-Llama-3-8B"),
        ("/home/me/models/sage1", "sage1"),
        ("~/models/sage1/", "sage1"),
        ("./out/sage1", "sage1"),
        ("models/run/sage1", "sage1"),
        (r"C:\Users\me\sage1", "sage1"),
        ("gpt2", "gpt2"),
    ],
)
def test_local_paths_are_scrubbed(value, name):
    assert bare(value) == name


def test_no_local_path_reaches_the_output(tmp_path):
    secret = "/home/secret-user/models"
    config = {"model": "hf", "model_args": f"pretrained={secret}/base,peft={secret}/lora,cache_dir={secret}/hub/a"}
    base = outputs(tmp_path / "a", scores(80), config=config)
    other = {"model": "hf", "model_args": {"pretrained": f"{secret}/new", "cache_dir": f"{secret}/hub/b"}}
    manifest, _ = stage(tmp_path, base, outputs(tmp_path / "b", scores(60), config=other))
    assert "the two runs differ in cache_dir (a / b)" in manifest.warnings[0]
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert b"secret-user" not in written
    assert b"Base base@lora, new new" in written


def test_terms_that_differ_are_refused_or_named(tmp_path):
    base = outputs(tmp_path / "a", scores(80))

    def other(**changed):
        return outputs(tmp_path / str(len(list(tmp_path.iterdir()))), scores(60), **changed)

    with pytest.raises(InputError, match=r"differ in the version: arc_easy \(1.0 / 2.0\), gsm8k"):
        matched(base, other(versions={"arc_easy": 2.0, "gsm8k": 3.0}))
    with pytest.raises(InputError, match=r"differ in the setting: limit \(unset / 100\)"):
        matched(base, other(config={"model_args": "pretrained=org/base", "limit": 100}))
    few = outputs(tmp_path / "few", scores(30, 50), samples=False)
    many = outputs(tmp_path / "many", scores(60), samples=False)
    with pytest.raises(InputError, match="100 documents in org/base, 50 in org/base"):
        matched(many, few)
    config = {"model": "hf", "model_args": "pretrained=org/new,dtype=bfloat16", "limit": None}
    assert matched(base, other(config=config)).warnings == (
        "the two runs differ in dtype (float32 / bfloat16): part of a difference may be due to that",
    )


def test_tasks_on_one_side_are_refused_unless_others_are_named(tmp_path):
    base = outputs(tmp_path / "a", scores(80))
    new = outputs(tmp_path / "b", {NAMES[0]: right(60, 100)})
    with pytest.raises(InputError, match="1 tasks are on one side only, the first is gsm8k in org/base"):
        matched(base, new)
    assert [line.scores.task for line in matched(base, new, tasks=["arc_easy"]).lines] == ["arc_easy"]


def test_what_holds_no_results_is_said(tmp_path):
    base = outputs(tmp_path / "a", scores(80))
    (base / "summary.json").write_text('{"elapsed": 3}')
    assert read_side(resolve_path(base)).notes == ("a: no results in summary.json",)
    with pytest.raises(InputError, match="found neither"):
        read_side(resolve_path(base / "summary.json"))


def test_faulty_outputs_are_refused_with_their_place(tmp_path):
    def spoilt(name, spoil):
        path = outputs(tmp_path / name, scores(80))
        spoil(path)
        return path

    def samples(path):
        return path / f"samples_arc_easy_{STAMP}.jsonl"

    def append(text):
        return lambda path: samples(path).write_text(samples(path).read_text() + text)

    def without(key):
        def spoil(path):
            rows = [json.loads(line) for line in samples(path).read_text().splitlines()]
            del rows[2][key]
            samples(path).write_text("".join(f"{json.dumps(row)}\n" for row in rows))

        return spoil

    first = '{"doc_id": 0, "filter": "none", "doc_hash": "", "prompt_hash": "", "target_hash": ""}\n'
    cases = {
        "line 101: not readable as JSON": append("{oops\n"),
        "line 101: document 0 of arc_easy .* is there twice": append(first),
        "line 3: expected prompt_hash, by which documents are paired": without("prompt_hash"),
        r"results_.*json: not readable as JSON": lambda path: (path / f"results_{STAMP}.json").write_text('{"results"'),
        "task arc_easy is also in": lambda path: outputs(path / "again", scores(70)),
        "holds results of several models: org/base, org/new": lambda path: outputs(
            path / "more", {("piqa", "none", "acc"): right(1, 2)}, model="org/new"
        ),
    }
    for index, (said, spoil) in enumerate(cases.items()):
        with pytest.raises(InputError, match=said):
            read_side(resolve_path(spoilt(f"case{index}", spoil)))


def test_samples_of_older_versions_need_one_filter(tmp_path):
    path = outputs(tmp_path / "a", scores(80))
    for task in ("arc_easy", "gsm8k"):
        file = path / f"samples_{task}_{STAMP}.jsonl"
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        for row in rows:
            del row["filter"], row["metrics"]
        file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert len(matched(path, path).lines) == 2
    results = json.loads((path / f"results_{STAMP}.json").read_text())
    results["results"]["gsm8k"]["exact_match,flexible-extract"] = 0.5
    (path / f"results_{STAMP}.json").write_text(json.dumps(results))
    with pytest.raises(InputError, match="does not say which filter it is of: flexible-extract, strict-match"):
        read_side(resolve_path(path))


def plain(folder, name, value, stderr, **more):
    """A results file of one task without samples."""
    folder.mkdir()
    task = {"results": {"piqa": {"acc,none": value, "acc_stderr,none": stderr}}, **more}
    (folder / name).write_text(json.dumps(task), encoding="utf-8")
    return folder


@pytest.mark.parametrize("stated", [True, False])
def test_all_right_and_then_all_wrong_is_a_regression_although_no_spread_was_seen(tmp_path, stated):
    """The number of documents is stated, or told by the other side's standard error."""
    more = {"n-samples": {"piqa": {"original": 100, "effective": 100}}} if stated else {}
    new = (0.0, 0.0) if stated else (0.2, sqrt(0.2 * 0.8 / 99))
    manifest, rows = stage(
        tmp_path, plain(tmp_path / "a", "results.json", 1.0, 0.0, **more), plain(tmp_path / "b", "r.json", *new, **more)
    )
    assert [row["verdict"] for row in rows] == ["regressed"]
    assert manifest.failures
    # With two right and two wrong answers added to 100 right ones.
    own = sqrt(102 / 104 * 2 / 104 / 104)
    error = sqrt(own**2 + (own if stated else new[1]) ** 2)
    assert rows[0]["low"] == pytest.approx(new[0] - 1.0 - 1.959964 * error)


def test_a_change_that_cannot_be_tested_at_all_does_not_pass_in_silence(tmp_path):
    base, new = plain(tmp_path / "a", "results.json", 1.0, 0.0), plain(tmp_path / "b", "results.json", 0.0, 0.0)
    with pytest.raises(InputError, match="piqa: acc went from 1 to 0, both with a standard error of 0"):
        stage(tmp_path, base, new)
