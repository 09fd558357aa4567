"""A part of a benchmark never looks like the whole: the summary says of how many documents it is, and why."""

from pathlib import Path

import pyarrow as pa
import pytest

from sage_data.store.shards import shard_name, write_table
from sage_eval.bench.conventions import PAPER_TASKS
from sage_eval.bench.mirror import _summary
from sage_eval.bench.mirror.layout import Split
from sage_eval.bench.published import published_documents, published_rows
from sage_eval.bench.records import METRIC_SCHEMA, metric_table
from sage_eval.bench.text import summary


def row(task: str, n: int | None, available: int | None) -> dict[str, object]:
    return {"task": task, "filter": "none", "metric": "acc", "value": 0.5, "n": n, "available": available,
            "is_group": False}  # fmt: skip


@pytest.mark.parametrize(
    ("task", "n", "available", "said"),
    [
        ("own", 3, 9, "own: 3 of 9 documents, the first 3 by the limit"),
        ("hellaswag", 500, 500, "hellaswag: 500 of 10,042 documents, as the data at hand holds 500 of the 10,042 publ"),
        ("piqa", 3, 1838, "piqa: 3 of 1,838 documents, the first 3 by the limit\n"),
        ("piqa", 3, 50, "the first 3 by the limit, as the data at hand holds 50 of the 1,838 published"),
        ("piqa", 1838, 1838, None),
        ("own", 9, 9, None),
        ("own", 9, None, None),
    ],
)
def test_the_summary_says_of_how_many(tmp_path: Path, task: str, n: int, available: int, said: str | None) -> None:
    table = pa.Table.from_pylist([row(task, n, available)], schema=METRIC_SCHEMA)
    write_table(tmp_path / shard_name("bench_metrics", 0), table)
    shown = summary(tmp_path)
    assert ("Not whole benchmarks" in shown) == (said is not None)
    assert said is None or said in shown


def test_what_is_available_is_what_the_harness_found_before_the_limit_and_adds_up_over_a_group() -> None:
    documents = {f"mmlu_{name}": [{"doc_id": 0}, {"doc_id": 1}] for name in ("anatomy", "virology")}
    found = metric_table(
        {
            "samples": documents,
            "results": {task: {"acc,none": 0.5} for task in documents},
            "groups": {"mmlu": {"acc,none": 0.5}},
            "group_subtasks": {"mmlu": list(documents)},
            "n-samples": {task: {"original": 100, "effective": 2} for task in documents},
        }
    )
    counts = {one["task"]: (one["n"], one["available"]) for one in found.to_pylist()}
    assert counts == {"mmlu": (4, 200), "mmlu_anatomy": (2, 100), "mmlu_virology": (2, 100)}


def test_every_task_of_the_paper_has_a_published_size() -> None:
    assert set(published_documents()) == set(PAPER_TASKS)
    assert published_rows("allenai/ai2_arc", "test", ["ARC-Easy"]) == 2376
    assert published_rows("allenai/ai2_arc", "test", ["ARC-Easy", "ARC-Challenge"]) == 2376 + 1172
    assert published_rows("cais/mmlu", "test", ["anatomy"]) == 14042
    assert published_rows("allenai/ai2_arc", "train", ["ARC-Easy"]) is None


def test_a_mirror_of_partial_files_says_so() -> None:
    shown = _summary(
        [Split("baber/piqa", "default", "validation", 500, "a"), Split("baber/piqa", "default", "train", 7, "b")]
    )
    assert "500 of 1,838" in shown
    assert "7 of" not in shown
