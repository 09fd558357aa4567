"""Benchmark folders and lm-eval outputs with planted scores, for the tests of regress."""

import json

import pyarrow as pa

from sage_data.store.shards import shard_name, write_table
from sage_eval.bench.pairing import Scores
from sage_eval.bench.records import METRIC_SCHEMA, SAMPLE_SCHEMA
from sage_eval.regress import Config, compare
from sage_eval.regress.units import Compared

STAMP = "2026-01-02T03-04-05.678901"


def folder(path, scores, *, higher=True, changed=None, terms=None):
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
        {
            "task": task,
            "filter": filter_name,
            "metric": metric,
            "higher_is_better": higher,
            "is_group": False,
            **(terms or {}),
        }
        for task, filter_name, metric in scores
    ]
    path.mkdir(parents=True)
    write_table(path / shard_name("bench_samples", 0), pa.Table.from_pylist(samples, schema=SAMPLE_SCHEMA))
    write_table(path / shard_name("bench_metrics", 0), pa.Table.from_pylist(metrics, schema=METRIC_SCHEMA))
    return path


def outputs(path, scores, *, model="org/base", samples=True, **changed):
    """Write what lm-eval 0.4 does; `scores` maps (task, filter, metric) to the documents' values, 0 or 1."""
    path.mkdir(parents=True)
    results: dict[str, dict] = {}
    for (task, filter_name, metric), values in scores.items():
        n, mean = len(values), sum(values) / len(values)
        error = (mean * (1 - mean) / (n - 1)) ** 0.5
        results.setdefault(task, {"alias": task}).update(
            {f"{metric},{filter_name}": mean, f"{metric}_stderr,{filter_name}": error}
        )
        rows = [
            {
                "doc_id": doc_id,
                "filter": filter_name,
                "metrics": [metric],
                metric: value,
                **{f"{name}_hash": f"{name}{doc_id}" for name in ("doc", "prompt", "target")},
            }
            for doc_id, value in enumerate(values)
        ]
        if samples:
            with (path / f"samples_{task}_{STAMP}.jsonl").open("a") as file:
                file.writelines(f"{json.dumps(row)}\n" for row in rows)
    content = {
        "results": results,
        "versions": dict.fromkeys(results, 1.0),
        "n-shot": dict.fromkeys(results, 0),
        "higher_is_better": {task: {metric: True} for task, _, metric in scores},
        "config": {"model": "hf", "model_args": f"pretrained={model},dtype=float32", "limit": None},
        **changed,
    }
    (path / f"results_{STAMP}.json").write_text(json.dumps(content))
    return path


def regressions(*scores, seed=0, **config):
    """Compare these scores as one family."""
    return compare([Compared(one) for one in scores], Config(**config), seed=seed)


def one_task(base, new, *, task="t", higher=True, clusters=None):
    """Scores of one task."""
    return Scores(task, "none", "acc", base, new, higher, clusters)
