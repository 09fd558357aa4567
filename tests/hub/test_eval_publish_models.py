"""Scores for the models' pages: only what the Hub's data sets were asked, and what its parsers read is the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from eval_folders import GSM8K, PLAIN, bench, score, warehouse
from hypothesis import given
from hypothesis import strategies as st

from sage_data.errors import ConfigError, InputError
from sage_data.stage import run_stage
from sage_eval.publish.model_pages import percentage
from sage_eval.publish.scores import folders_of, read_benchmarks, read_scores

for package in ("huggingface_hub", "duckdb", "jinja2"):
    pytest.importorskip(package)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return warehouse(tmp_path_factory.mktemp("evaluation"))


@pytest.fixture(scope="module")
def models(rows: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("published") / "out"
    run_stage("sage_eval.publish", {"dataset": "me/rows"}, {"warehouse": rows}, out)
    return out / "models"


def parsed(path: Path) -> Any:
    import yaml

    return yaml.safe_load(path.read_text(encoding="utf-8"))


def results(index: list[Any]) -> dict[tuple[str, str, str], Any]:
    """(task, filter, metric) -> the Hub's own reading of a `model-index`."""
    from huggingface_hub.repocard_data import model_index_to_eval_results

    _, found = model_index_to_eval_results(index)
    return {(one.metric_args["task"], one.metric_args["filter"], one.metric_type): one for one in found}


def test_eval_results_are_what_the_hub_parses(models: Path) -> None:
    from huggingface_hub import EvalResultEntry, parse_eval_result_entries

    (entry,) = parse_eval_result_entries(parsed(models / "plain" / ".eval_results" / "gsm8k.yaml"))
    assert entry == EvalResultEntry(
        dataset_id="openai/gsm8k",
        task_id="gsm8k",
        value=27.67,
        source_url="https://huggingface.co/datasets/me/rows",
        source_name="sage-dialogue",
        notes="lm-eval gsm8k, 5-shot, exact_match (strict-match) in percent, 1,319 questions",
    )
    assert [path.name for path in (models / "plain" / ".eval_results").iterdir()] == ["gsm8k.yaml"]
    assert "chat template" in parsed(models / "tuned" / ".eval_results" / "gsm8k.yaml")[0]["notes"]


def test_model_index_says_what_the_table_says(models: Path) -> None:
    found = results(parsed(models / "plain" / "model-index.yaml")["model-index"])
    meant = {
        (row["task"], row["filter"], row["metric"]): row
        for row in PLAIN
        if row["task"] in ("gsm8k", "hellaswag", "mmlu")
    }
    assert set(found) == set(meant)
    for key, one in found.items():
        assert one.metric_value == percentage(meant[key]["value"])
        assert one.metric_args["stderr"] == 1.25
        assert one.metric_args["num_fewshot"] == meant[key]["num_fewshot"]
    mmlu = found["mmlu", "none", "acc"]
    assert (mmlu.dataset_type, mmlu.dataset_config, mmlu.dataset_split) == ("cais/mmlu", "all", "test")
    assert mmlu.metric_args["documents"] == 14042
    assert mmlu.metric_value == 12.3456789012345


def test_what_is_not_stated_is_named_with_its_reason(models: Path) -> None:
    said = (models.parent / "summary.txt").read_text()
    for line in (
        "not stated of plain: piqa (acc_norm is no number)",
        "not stated of plain: sums (it is not known to be a data set of the Hub (--benchmarks names more))",
        "not stated of plain: winogrande (expected 1,267 documents, found 500)",
        "not stated of quick: arc_easy (the run was limited to 10 documents a task)",
    ):
        assert line in said
    assert "mmlu_anatomy" not in said
    assert {path.name for path in models.iterdir()} == {"plain", "tuned"}


def test_a_card_gets_a_copy_with_the_scores(rows: Path, tmp_path: Path) -> None:
    from huggingface_hub import EvalResult, ModelCard, ModelCardData

    mine = {"task_type": "text-generation", "dataset_type": "me/own", "dataset_name": "Own"}
    mine |= {"metric_type": "acc", "metric_value": 1}
    stale = {**mine, "dataset_type": "openai/gsm8k", "dataset_config": "main", "dataset_split": "test"}
    old = [
        EvalResult(**mine),
        EvalResult(
            **{**stale, "metric_type": "exact_match", "metric_value": 99.0},
            metric_args={"filter": "strict-match", "num_fewshot": 5},
        ),
    ]
    data = ModelCardData(license="mit", model_name="Plain", eval_results=old)
    folder = tmp_path / "plain"
    folder.mkdir()
    before = f"---\n{data.to_yaml()}\n---\n\n# Plain\n\nIt talks.\n"
    (folder / "README.md").write_text(before)
    run_stage("sage_eval.publish", {}, {"warehouse": rows, "model_index": [folder]}, tmp_path / "out")

    assert (folder / "README.md").read_text() == before
    card = ModelCard((tmp_path / "out" / "models" / "plain" / "README.md").read_text())
    assert (card.data.license, card.data.model_name) == ("mit", "Plain")
    assert card.text.strip() == "# Plain\n\nIt talks."
    values = [one.metric_value for one in card.data.eval_results if one.dataset_type in ("openai/gsm8k", "me/own")]
    assert sorted(values) == [1, percentage(GSM8K), 30.0]


def test_cards_must_be_of_a_benchmarked_model(rows: Path, tmp_path: Path) -> None:
    for name in ("other", "tuned"):
        (tmp_path / name).mkdir()
    (tmp_path / "other" / "README.md").write_text("# Other\n")
    with pytest.raises(ConfigError, match="which are plain, tuned; found other"):
        run_stage("sage_eval.publish", {}, {"warehouse": rows, "model_index": [tmp_path / "other"]}, tmp_path / "one")
    with pytest.raises(InputError, match="expected the model's card"):
        run_stage("sage_eval.publish", {}, {"warehouse": rows, "model_index": [tmp_path / "tuned"]}, tmp_path / "two")
    (tmp_path / "tuned" / "README.md").write_text("---\nmodel-index: [\n---\n")
    with pytest.raises(InputError, match="that the Hub's client reads"):
        run_stage("sage_eval.publish", {}, {"warehouse": rows, "model_index": [tmp_path / "tuned"]}, tmp_path / "three")


def test_any_name_of_a_model_has_a_folder() -> None:
    names = ["base+sage1", "org/model", "openai:model@(an address)", "../.."]
    assert list(folders_of(names).values()) == ["base+sage1", "org--model", "openai-model-an-address", "model"]
    with pytest.raises(ConfigError, match="names differ"):
        folders_of(["org/model", "org--model"])


def test_an_adapter_gets_its_own_card(tmp_path: Path) -> None:
    row = score("gsm8k", "exact_match", 0.25, 1319, filter="strict-match")
    folder = bench(tmp_path, "base+sage1", [row], name="bench-sage1")
    run_stage("sage_eval.warehouse", {}, {"runs": [folder]}, tmp_path / "warehouse")
    (tmp_path / "sage1").mkdir()
    (tmp_path / "sage1" / "README.md").write_text("# Sage\n")
    given = {"warehouse": tmp_path / "warehouse", "model_index": [tmp_path / "sage1"]}
    run_stage("sage_eval.publish", {}, given, tmp_path / "out")
    assert "openai/gsm8k" in (tmp_path / "out" / "models" / "base+sage1" / "README.md").read_text()


def test_further_tasks_are_named_in_a_file(rows: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.toml"
    more.write_text('[sums]\nname = "Sums"\ndataset = "me/sums"\nsplit = "test"\nhub_task = "all"\nmetric = "acc"\n')
    run_stage("sage_eval.publish", {}, {"warehouse": rows, "benchmarks": more}, tmp_path / "out")
    (entry,) = parsed(tmp_path / "out" / "models" / "plain" / ".eval_results" / "sums.yaml")
    assert entry["dataset"] == {"id": "me/sums", "task_id": "all"}
    assert entry["value"] == 80.0
    assert "source" not in entry
    more.write_text('[sums]\nname = "Sums"\ndataset = "sums"\nsplit = "test"\n')
    with pytest.raises(InputError, match="dataset"):
        run_stage("sage_eval.publish", {}, {"warehouse": rows, "benchmarks": more}, tmp_path / "out2")


def test_two_runs_of_one_task_are_not_chosen_from(tmp_path: Path) -> None:
    row = score("gsm8k", "exact_match", 0.25, 1319, filter="strict-match")
    folders = [bench(tmp_path, "tuned", [row], name=f"bench-{name}") for name in ("one", "two")]
    run_stage("sage_eval.warehouse", {}, {"runs": folders}, tmp_path / "warehouse")
    with pytest.raises(ConfigError, match="found those of bench-one and bench-two"):
        read_scores(tmp_path / "warehouse", read_benchmarks(None))


def test_every_task_of_the_paper_is_known_with_its_metric() -> None:
    known = read_benchmarks(None)
    normed = ("hellaswag", "arc_challenge", "arc_easy", "openbookqa", "piqa")
    plain = ("mmlu", "winogrande", "social_iqa", "commonsense_qa")
    metrics = {**dict.fromkeys(normed, "acc_norm"), **dict.fromkeys(plain, "acc"), "gsm8k": "exact_match"}
    assert {task: one.metric for task, one in known.items()} == metrics
    assert all(one.documents for one in known.values())


@given(st.floats(0, 1))
def test_a_percentage_has_the_digits_of_the_share(value: float) -> None:
    from decimal import Decimal

    assert float(Decimal(repr(percentage(value))).scaleb(-2)) == pytest.approx(value, rel=1e-15, abs=0)
    assert percentage(0.2767) == 27.67
