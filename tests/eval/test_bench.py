"""Benchmarks through the real lm-eval, on a tiny checkpoint and tiny tasks, offline and from any folder."""

import importlib
import os

import pytest
from bench_material import write_checkpoint, write_tasks

from sage_data.errors import ConfigError, InputError
from sage_data.stage import Context, Inputs, Output, resolve_path, run_stage
from sage_data.store.shards import read_table
from sage_eval import bench
from sage_eval.bench.offline import SWITCHES, shut_hub

pytest.importorskip("lm_eval")
TASKS = ("tiny_animals", "tiny_sums")


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    return {"model": [write_checkpoint(folder / "stage" / "model", 1)], "tasks": [write_tasks(folder / "tasks")]}


@pytest.fixture(scope="module")
def done(material, tmp_path_factory):
    final = tmp_path_factory.mktemp("done") / "bench"
    return run_stage("sage_eval.bench", {"names": TASKS, "batch_size": 4}, material, final), final


def test_every_document_has_a_row_for_each_filter_and_metric(done):
    manifest, folder = done
    rows = read_table(folder, "bench_samples").to_pylist()
    kinds = {(row["task"], row["filter"], row["metric"]) for row in rows}
    assert kinds == {
        ("tiny_animals", "none", "acc"),
        ("tiny_animals", "none", "acc_norm"),
        ("tiny_sums", "strict-match", "exact_match"),
        ("tiny_sums", "flexible-extract", "exact_match"),
    }
    assert len(rows) == 2 * 9 + 2 * 4
    assert (manifest.counts[0].unit, manifest.counts[0].came_in) == ("documents", 13)
    assert all(len(row[name]) == 64 for row in rows for name in ("doc_hash", "prompt_hash", "target_hash"))
    assert all((row["response"] is None) == (row["task"] == "tiny_animals") for row in rows)


def test_metrics_are_the_means_of_the_rows(done):
    _, folder = done
    rows = read_table(folder, "bench_samples").to_pylist()
    for metric in read_table(folder, "bench_metrics").to_pylist():
        values = [
            row["value"] for row in rows if all(row[name] == metric[name] for name in ("task", "filter", "metric"))
        ]
        assert metric["value"] == pytest.approx(sum(values) / len(values))
        assert (metric["n"], metric["higher_is_better"], metric["is_group"]) == (len(values), True, False)


def test_the_same_bytes_from_another_working_directory_and_without_names(done, material, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    again = run_stage("sage_eval.bench", {"batch_size": 4}, material, tmp_path / "again")
    assert again.content_hash == done[0].content_hash
    assert sorted(path.name for path in tmp_path.iterdir()) == [".work", "again"]


def test_two_models_can_be_compared_document_by_document(done, material, tmp_path):
    other = {**material, "model": [write_checkpoint(tmp_path / "other", 2)]}
    run_stage("sage_eval.bench", {"batch_size": 4}, other, tmp_path / "bench")
    sides = {"base": [done[1]], "new": [tmp_path / "bench"]}
    run_stage("sage_eval.regress", {}, sides, tmp_path / "out")
    rows = read_table(tmp_path / "out", "regressions").to_pylist()
    assert [(row["task"], row["metric"], row["n"], row["method"]) for row in rows] == [
        ("tiny_animals", "acc_norm", 9, "mcnemar"),
        ("tiny_sums", "exact_match", 4, "mcnemar"),
        ("tiny_sums", "exact_match", 4, "mcnemar"),
    ]
    assert {row["verdict"] for row in rows} == {"undecided"}


def test_nothing_names_this_machine(done, material):
    _, folder = done
    for name in ("bench_samples", "bench_metrics"):
        text = str(read_table(folder, name).to_pylist())
        assert str(material["tasks"][0].parent) not in text
        assert "tmp" not in text


def test_a_limit_is_kept_and_a_finished_task_not_run_again(material, tmp_path, monkeypatch):
    inputs = Inputs({name: [resolve_path(path) for path in paths] for name, paths in material.items()})
    config = bench.Config(names=TASKS, limit=2, batch_size=4)
    real, ran = bench.Harness.evaluate, []

    def killed(harness, task):
        if ran:
            raise KeyboardInterrupt
        ran.append(task.name)
        return real(harness, task)

    monkeypatch.setattr(bench.Harness, "evaluate", killed)
    with pytest.raises(KeyboardInterrupt):
        bench.run(config, inputs, Output(tmp_path), Context())
    monkeypatch.setattr(bench.Harness, "evaluate", lambda harness, task: ran.append(task.name) or real(harness, task))
    bench.run(config, inputs, out := Output(tmp_path), Context())
    assert ran == list(TASKS)
    assert out.counts()[0].came_in == 4


def test_a_stage_folder_stands_for_the_model_inside_it(material):
    inside = material["model"][0]
    assert bench.checkpoint_of(resolve_path(inside)) == inside
    assert bench.checkpoint_of(resolve_path(inside.parent)) == inside
    with pytest.raises(InputError, match=r"config\.json"):
        bench.checkpoint_of(resolve_path(material["tasks"][0]))


def test_without_names_or_a_folder_there_is_nothing_to_run(material, tmp_path):
    with pytest.raises(ConfigError, match="no task is named"):
        run_stage("sage_eval.bench", {}, {"model": material["model"]}, tmp_path / "out")


@pytest.mark.parametrize("offline", [True, False])
def test_the_hub_is_shut_for_the_length_of_the_run_only(offline, monkeypatch):
    switches = [(importlib.import_module(name), switch) for name, switch in SWITCHES]
    for module, switch in switches:
        monkeypatch.setattr(module, switch, False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.delenv("HF_DATASETS_OFFLINE", raising=False)
    with shut_hub(offline):
        assert [getattr(module, switch) for module, switch in switches] == [offline] * 3
        assert os.environ["HF_HUB_OFFLINE"] == str(int(offline))
    assert not any(getattr(module, switch) for module, switch in switches)
    assert (os.environ["HF_HUB_OFFLINE"], os.environ.get("HF_DATASETS_OFFLINE")) == ("0", None)


def test_unknown_tasks_are_named(material, tmp_path, monkeypatch):
    class NoTasks:
        def __init__(self):
            self.task_index = {}

    monkeypatch.setattr("sage_eval.bench.index_tasks", lambda *_: NoTasks())
    with pytest.raises(InputError, match="no task 'tiny_plants'"):
        run_stage("sage_eval.bench", {"names": ["tiny_plants"]}, material, tmp_path / "out")
