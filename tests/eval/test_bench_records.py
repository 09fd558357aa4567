"""lm-eval's values as plain rows: NumPy numbers, tuples, groups."""

import math

import numpy as np
import pytest

from sage_data.errors import InputError
from sage_eval.bench.records import metric_table, sample_table, scalar


def sample(doc_id, filter_name="none", **scores):
    return {
        "doc_id": doc_id,
        "filter": filter_name,
        "metrics": list(scores),
        "doc_hash": f"d{doc_id}",
        "prompt_hash": "p",
        "target_hash": "t",
        "filtered_resps": ["the answer"],
        "target": "the right answer",
        **scores,
    }


def results(samples, output_type="multiple_choice", **others):
    return {"samples": {"t": samples}, "configs": {"t": {"output_type": output_type}}, "results": {"t": {}}, **others}


@pytest.mark.parametrize("value", [1, 1.0, True, np.float64(1.0), np.float32(1.0), np.int64(1), np.bool_(True)])
def test_every_kind_of_number_is_a_plain_float(value):
    found = sample_table(results([sample(0, acc=value)])).to_pylist()[0]
    assert (found["value"], type(found["value"])) == (1.0, float)
    assert found["detail"] is None


@pytest.mark.parametrize("value", [(np.float64(-3.5), 7), [1, 2], math.nan, "text", None])
def test_what_is_no_single_number_is_kept_as_json(value):
    assert scalar(value) is None
    found = sample_table(results([sample(0, score=value)])).to_pylist()[0]
    assert found["value"] is None
    assert found["detail"] is not None


def test_rows_are_ordered_and_two_filters_are_two_rows():
    samples = [sample(1, "b", em=0.0), sample(0, "b", em=1.0), sample(1, "a", em=0.0), sample(0, "a", em=0.0)]
    found = sample_table(results(samples, "generate_until")).to_pylist()
    assert [(row["filter"], row["doc_id"]) for row in found] == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert found[0]["response"] == "the answer"


def test_metrics_of_tasks_and_groups():
    scores = {
        "results": {"t": {"alias": "t", "acc,none": np.float64(0.5), "acc_stderr,none": "N/A"}},
        "groups": {"g": {"acc,none": 0.25, "acc_stderr,none": 0.1, "alias": "g"}},
        "higher_is_better": {"t": {"acc": True}, "g": {"acc": True}},
        "n-shot": {"t": 0},
        "versions": {"t": "Yaml", "g": 2},
    }
    group, task = metric_table(results([sample(0, acc=1.0), sample(1, acc=0.0)]) | scores).to_pylist()
    assert (group["task"], group["value"], group["stderr"], group["n"], group["is_group"]) == (
        "g",
        0.25,
        0.1,
        None,
        True,
    )
    assert (task["value"], task["stderr"], task["n"], task["is_group"]) == (0.5, None, 2, False)
    assert (task["version"], group["version"], task["num_fewshot"]) == ("Yaml", "2", 0)


def test_results_without_samples_are_refused():
    with pytest.raises(InputError, match="no per-document samples"):
        sample_table({"samples": {}})
