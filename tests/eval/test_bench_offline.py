"""Benchmarks inside a mirror: tasks of lm-eval unmodified, without a network; scores against a reckoning by hand."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bench_material import write_checkpoint
from bench_originals import piqa, write_lines, write_originals

from sage_data.errors import ConfigError, InputError
from sage_data.stage import run_stage
from sage_data.store.shards import read_table
from sage_eval.bench.conventions import METRICS, PAPER_TASKS

pytest.importorskip("lm_eval")
torch = pytest.importorskip("torch")
FEW = ("piqa", "mmlu_anatomy", "mmlu_virology")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Whoever opens a connection fails the test."""

    def refuse(*_, **__):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("model") / "model", 5, context=1024)


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mirror")
    originals = write_originals(folder / "benchmarks", items=6, subjects=["anatomy", "virology"])
    run_stage("sage_eval.bench.mirror", {}, {"from": originals}, folder / "mirror")
    return folder / "mirror"


def bench(model, mirror, out, names=FEW, **config):
    run_stage("sage_eval.bench", {"names": names, "batch_size": 4, **config}, {"model": model, "mirror": mirror}, out)
    return read_table(out, "bench_samples").to_pylist()


def reckon(model, contexts):
    """Log-likelihood of each continuation, from the model's own numbers: contexts is [(context, continuation), ...]."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, network = AutoTokenizer.from_pretrained(model), AutoModelForCausalLM.from_pretrained(model).eval()
    found = []
    for context, continuation in contexts:
        before, after = (tokenizer(text)["input_ids"] for text in (context, context + continuation))
        with torch.no_grad():
            logprobs = network(torch.tensor([after])).logits[0].float().log_softmax(-1)
        found.append(sum(float(logprobs[at - 1, after[at]]) for at in range(len(before), len(after))))
    return found


def test_scores_are_those_that_the_models_own_numbers_give(model, mirror, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = Path.cwd()
    rows = bench(model, mirror, tmp_path / "out")
    assert Path.cwd() == before
    by_kind = {(row["task"], row["doc_id"], row["metric"]): row for row in rows}
    assert len(by_kind) == len(rows) == 6 * 2 + 2 * 2
    for number in range(6):
        item = piqa(number)
        options = [item["sol1"], item["sol2"]]
        sums = reckon(model, [(f"Question: {item['goal']}\nAnswer:", f" {option}") for option in options])
        for metric, scores in (
            ("acc", sums),
            ("acc_norm", [one / len(option) for one, option in zip(sums, options, strict=True)]),
        ):
            row = by_kind["piqa", number, metric]
            assert row["loglikelihoods"] == pytest.approx(sums, abs=1e-3)
            assert row["value"] == float(scores.index(max(scores)) == number % 2)
            assert row["target"] == str(number % 2)
    said = "The following are multiple choice questions (with answers) about anatomy.\n\n"
    asked = f"{said}What does anatomy say about case 0?\nA. nothing\nB. much\nC. little\nD. 1, or 2\nAnswer:"
    sums = reckon(model, [(asked, f" {letter}") for letter in "ABCD"])
    row = by_kind["mmlu_anatomy", 0, "acc"]
    assert row["loglikelihoods"] == pytest.approx(sums, abs=1e-3)
    assert row["value"] == float(sums.index(max(sums)) == 0)


def test_mirrors_of_the_same_names_are_not_mixed_up(model, mirror, tmp_path):
    other = write_originals(tmp_path / "benchmarks", items=6, subjects=["anatomy"])
    write_lines(other / "piqa" / "valid.jsonl", [{**piqa(index), "goal": "Swim."} for index in range(6)])
    run_stage("sage_eval.bench.mirror", {"tasks": ["piqa"]}, {"from": other}, tmp_path / "mirror")
    one, two, three = (
        {row["doc_hash"] for row in bench(model, place, tmp_path / name, ["piqa"])}
        for name, place in (("a", mirror), ("b", tmp_path / "mirror"), ("c", mirror))
    )
    assert one == three
    assert not one & two


def test_nothing_that_is_written_names_this_machine(model, mirror, tmp_path):
    bench(model, mirror, tmp_path / "out", ["mmlu_anatomy"])
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            assert str(tmp_path.parent).encode() not in raw, path
            assert str(Path.home()).encode() not in raw, path


def test_examples_in_the_prompt_come_from_the_mirror_and_are_refused_where_it_has_none(model, mirror, tmp_path):
    shown, bare = (
        bench(model, mirror, tmp_path / str(shots), ["mmlu_anatomy"], num_fewshot=shots, limit=1) for shots in (1, 0)
    )
    assert shown[0]["doc_hash"] == bare[0]["doc_hash"]
    assert shown[0]["prompt_hash"] != bare[0]["prompt_hash"]
    metrics = read_table(tmp_path / "1", "bench_metrics").to_pylist()
    assert [row["num_fewshot"] for row in metrics] == [1]
    with pytest.raises(ConfigError, match="piqa is to show 1 examples of its split train, of which the mirror has 0"):
        bench(model, mirror, tmp_path / "out", ["piqa"], num_fewshot=1)
    with pytest.raises(ConfigError, match="gsm8k is to show 5 examples"):
        bench(model, mirror, tmp_path / "out", ["gsm8k"])


def test_what_the_mirror_lacks_is_said_before_anything_runs(model, mirror, tmp_path):
    with pytest.raises(InputError, match=r"the mirror lacks cais/mmlu \(abstract_algebra\) for mmlu_abstract_algebra,"):
        bench(model, mirror, tmp_path / "out", ["mmlu"])
    with pytest.raises(InputError, match=r"expected a mirror with a mirror\.json"):
        bench(model, model, tmp_path / "out", ["piqa"])


def test_a_model_that_cannot_hold_the_answer_is_told_so(mirror, tmp_path):
    small = write_checkpoint(tmp_path / "small", 1, context=64)
    with pytest.raises(InputError, match="lm-eval cannot run it on this model"):
        bench(small, mirror, tmp_path / "out", ["gsm8k"], num_fewshot=0, limit=1)
    run_stage(
        "sage_eval.bench", {"names": ["mmlu_anatomy"], "limit": 1}, {"model": small, "mirror": mirror}, tmp_path / "cut"
    )
    assert "lm-eval cut prompts" in (tmp_path / "cut" / "manifest.json").read_text()


SHA = "0123456789abcdef0123456789abcdef01234567"


def snapshot(cache, dataset, files):
    """A dataset in the Hub's cache, as a download leaves it there."""
    folder = cache / "hub" / f"datasets--{dataset.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(SHA)
    for name, content in files.items():
        path = folder / "snapshots" / SHA / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content)
        else:
            pq.write_table(content, path)
    return cache


def test_a_mirror_from_the_hubs_cache_holds_the_documents_of_one_from_files(model, mirror, tmp_path):
    from datasets import ClassLabel, Features, Value

    features = Features(
        {**dict.fromkeys(("goal", "sol1", "sol2"), Value("string")), "label": ClassLabel(names=["0", "1"])}
    )
    rows = [{**piqa(index), "label": index % 2} for index in range(6)]
    table = pa.Table.from_pylist(rows, schema=features.arrow_schema)
    readme = (
        "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: data/train.parquet\n"
        "  - split: validation\n    path: data/validation.parquet\n---\n"
    )
    files = {"README.md": readme, "data/train.parquet": table.slice(0, 2), "data/validation.parquet": table}
    cache = snapshot(tmp_path / "cache", "baber/piqa", files)
    manifest = run_stage("sage_eval.bench.mirror", {"tasks": ["piqa"], "cache": cache}, {}, tmp_path / "mirror")
    assert str(cache) not in (tmp_path / "mirror" / "manifest.json").read_text()
    assert manifest.counts[0].came_in == 8
    index = json.loads((tmp_path / "mirror" / "mirror.json").read_text())["splits"]
    assert {(one["split"], one["rows"], one["source"]) for one in index} == {
        ("train", 2, f"commit {SHA}"),
        ("validation", 6, f"commit {SHA}"),
    }
    ours, hubs = (
        bench(model, place, tmp_path / name, ["piqa"]) for name, place in (("a", mirror), ("b", tmp_path / "mirror"))
    )
    assert ours == hubs
    # Now there are examples to show.
    bench(model, tmp_path / "mirror", tmp_path / "c", ["piqa"], num_fewshot=1, limit=1)


def test_a_cache_without_the_dataset_is_told_so(tmp_path):
    (tmp_path / "hub").mkdir()
    with pytest.raises(InputError, match=r"tau/commonsense_qa: not found in the Hub's cache"):
        run_stage("sage_eval.bench.mirror", {"tasks": ["commonsense_qa"], "cache": tmp_path}, {}, tmp_path / "mirror")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_ten_tasks_of_the_paper_and_their_regressions(model, tmp_path):
    originals = write_originals(tmp_path / "benchmarks", items=6)
    run_stage("sage_eval.bench.mirror", {}, {"from": originals}, tmp_path / "mirror")
    other = write_checkpoint(tmp_path / "other", 6, context=1024)
    for name, one in (("base", model), ("new", other)):
        bench(one, tmp_path / "mirror", tmp_path / name, ["paper"])
    rows = read_table(tmp_path / "base", "bench_samples").to_pylist()
    metrics = {
        (row["task"], row["filter"], row["metric"]): row
        for row in read_table(tmp_path / "base", "bench_metrics").to_pylist()
    }
    for task in PAPER_TASKS:
        row = metrics[task, "strict-match" if task == "gsm8k" else "none", METRICS[task]]
        assert (row["num_fewshot"], row["n"]) == (0, 57 * 2 if task == "mmlu" else 6)
        mine = [
            one["value"]
            for one in rows
            if (one["task"] == task or one["task"].startswith(f"{task}_"))
            and one["metric"] == row["metric"]
            and one["filter"] == row["filter"]
        ]
        assert row["value"] == pytest.approx(sum(mine) / row["n"])
    assert {row["filter"] for row in rows if row["task"] == "gsm8k"} == {"strict-match", "flexible-extract"}
    assert metrics["commonsense_qa", "none", "acc"]["version"] == "Yaml"
    marked = [line.split()[0] for line in (tmp_path / "base" / "summary.txt").read_text().splitlines() if "* " in line]
    assert sorted(marked) == sorted(["*", *PAPER_TASKS])
    run_stage("sage_eval.regress", {}, {"base": tmp_path / "base", "new": tmp_path / "new"}, tmp_path / "regress")
    compared = read_table(tmp_path / "regress", "regressions").to_pylist()
    counted = {row["task"]: row for row in compared if row["filter"] != "flexible-extract"}
    assert set(counted) == set(PAPER_TASKS)
    assert {task: row["metric"] for task, row in counted.items()} == {task: METRICS[task] for task in PAPER_TASKS}
    assert counted["mmlu"]["n"] == 57 * 2
