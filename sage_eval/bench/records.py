"""lm-eval's results as Arrow tables: one row a document, filter and metric, and one row a task, filter and metric.

Scores arrive as Python or NumPy numbers, or as tuples of them; all become plain floats or JSON. Nothing that names a
machine, path or time is taken over.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pyarrow as pa

from sage_data.errors import InputError

SAMPLES, METRICS = "bench_samples", "bench_metrics"

SAMPLE_SCHEMA = pa.schema(
    [
        ("task", pa.string()),
        ("filter", pa.string()),
        ("doc_id", pa.int64()),
        ("doc_hash", pa.string()),
        ("prompt_hash", pa.string()),
        ("target_hash", pa.string()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("detail", pa.string()),
        ("response", pa.string()),
        ("target", pa.string()),
        ("loglikelihoods", pa.list_(pa.float64())),
    ]
)
"""`value` is null where a document's score is no single number; then `detail` holds it as JSON.
`response` is what was generated, after the filter; null where options were scored instead, and `loglikelihoods` has
one number for each of those, in nats. `target` is the right answer (of options, its number from 0), null where long."""
LONGEST_TARGET = 2000
"""Characters of a right answer that is kept."""

METRIC_SCHEMA = pa.schema(
    [
        ("task", pa.string()),
        ("filter", pa.string()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("stderr", pa.float64()),
        ("n", pa.int64()),
        ("higher_is_better", pa.bool_()),
        ("num_fewshot", pa.int64()),
        ("version", pa.string()),
        ("is_group", pa.bool_()),
    ]
)


def sample_table(results: Mapping[str, Any]) -> pa.Table:
    """Per-document scores, ordered by task, filter, document and metric.

    Raises:
        InputError: lm-eval returned no samples.
    """
    if not results.get("samples"):
        raise InputError("lm-eval returned no per-document samples, so that models cannot be compared")
    rows = [
        row
        for task, samples in results["samples"].items()
        for sample in samples
        for row in _sample_rows(task, sample, results["configs"][task])
    ]
    rows.sort(key=lambda row: (row["task"], row["filter"], row["doc_id"], row["metric"]))
    return pa.Table.from_pylist(rows, schema=SAMPLE_SCHEMA)


def _sample_rows(task: str, sample: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    generated = config.get("output_type") == "generate_until"
    target = str(sample["target"])
    for metric in sample["metrics"]:
        value = scalar(sample[metric])
        yield {
            "task": task,
            "filter": sample["filter"],
            "doc_id": int(sample["doc_id"]),
            **{name: sample[name] for name in ("doc_hash", "prompt_hash", "target_hash")},
            "metric": metric,
            "value": value,
            "detail": None if value is not None else json.dumps(sample[metric], default=_plain),
            "response": _response(sample["filtered_resps"]) if generated else None,
            "target": target if len(target) <= LONGEST_TARGET else None,
            "loglikelihoods": None if generated else _loglikelihoods(sample["filtered_resps"]),
        }


def scalar(value: Any) -> float | None:
    """A finite number as a float, None for anything else."""
    # NumPy's truth values are the one kind of number that Python does not take for a `Real`.
    return float(value) if isinstance(value, Real | np.bool_) and math.isfinite(value) else None


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Real | np.bool_) else str(value)


def _response(filtered: Sequence[Any]) -> str:
    return filtered[0] if len(filtered) == 1 and isinstance(filtered[0], str) else json.dumps(filtered, default=_plain)


def _loglikelihoods(filtered: Sequence[Any]) -> list[float] | None:
    """Of each option, from lm-eval's pairs of log-likelihood and "is greedy"; None where they are something else."""
    found = [scalar(one[0]) for one in filtered if isinstance(one, Sequence) and one and not isinstance(one, str)]
    return found if found and len(found) == len(filtered) else None  # type: ignore[return-value]


def metric_table(results: Mapping[str, Any]) -> pa.Table:
    """Scores of tasks and groups, ordered by task, filter and metric."""
    rows = [
        row
        for task, scores in {**results["results"], **results.get("groups", {})}.items()
        for row in _metric_rows(task, scores, results)
    ]
    rows.sort(key=lambda row: (row["task"], row["filter"], row["metric"]))
    return pa.Table.from_pylist(rows, schema=METRIC_SCHEMA)


def _metric_rows(task: str, scores: Mapping[str, Any], results: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    samples = results.get("samples", {}).get(task)
    version = results.get("versions", {}).get(task)
    members = [task] if samples else list(_members(task, results.get("group_subtasks", {})))
    for key, value in scores.items():
        metric, comma, filter_name = key.partition(",")
        if not comma or metric.endswith("_stderr"):
            continue
        stderr = scores.get(f"{metric}_stderr,{filter_name}")
        shots = {results.get("n-shot", {}).get(one) for one in members or [task]}
        yield {
            "task": task,
            "filter": filter_name,
            "metric": metric,
            "value": scalar(value),
            "stderr": scalar(stderr),
            "n": sum(_documents(one, results) for one in members) or None,
            "higher_is_better": results.get("higher_is_better", {}).get(task, {}).get(metric),
            "num_fewshot": shots.pop() if len(shots) == 1 else None,
            "version": None if version is None else str(version),
            "is_group": samples is None,
        }


def _members(group: str, below: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Single tasks of a group, of its groups, and so on."""
    for one in below.get(group, ()):
        yield from _members(one, below) if one in below else [one]


def _documents(task: str, results: Mapping[str, Any]) -> int:
    return len({sample["doc_id"] for sample in results["samples"].get(task, ())})
