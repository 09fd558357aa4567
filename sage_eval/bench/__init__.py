"""Runs lm-evaluation-harness on a checkpoint and keeps every document's score, so that two models can be compared.

The paper's Table 2 uses ten tasks, zero-shot: hellaswag, arc_challenge, arc_easy, mmlu, winogrande, openbookqa, piqa,
social_iqa, commonsense_qa, gsm8k. Any other task of lm-eval, or a folder of task files, works as well.

    sage eval bench sage1/model --tasks world/tasks --out bench-sage1/
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pyarrow.compute as pc
from pydantic import Field

from sage_data.errors import ConfigError, InputError
from sage_data.stage import Context, Counts, Input, Inputs, Need, Output, StageConfig
from sage_data.store.shards import read_table
from sage_eval.bench import records
from sage_eval.bench.harness import Harness, Options, open_harness
from sage_eval.bench.tasks import resolved, task_names
from sage_eval.tables import text_table

VERSION = 1
INPUTS = (
    Need("model", "checkpoint folder, or the folder of a stage that made one"),
    Need("tasks", "folder of lm-eval task files with their data", optional=True),
)


class Config(StageConfig):
    """Which tasks are run, and how."""

    names: tuple[str, ...] = Field(
        (), description="Tasks or groups by their lm-eval names; every task of the input `tasks` when left out."
    )
    limit: int | None = Field(None, ge=1, description="Documents a task; all of them when left out.")
    num_fewshot: int | None = Field(None, ge=0, description="Examples in the prompt; the task's own when left out.")
    batch_size: int = Field(16, ge=1, description="Requests in a batch.")
    apply_chat_template: bool = Field(False, description="Put prompts into the model's chat template.")
    bootstrap_iters: int = Field(1000, ge=0, description="Resamples for standard errors that have no formula.")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1, ...")
    max_length: int | None = Field(None, ge=1, description="Tokens of context; the model's own when left out.")
    offline: bool = Field(True, description="Never ask the Hub for data or models.")


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Run every task; a task finished by an earlier attempt is not run again.

    Raises:
        ConfigError: no task is named, and there is no folder of tasks.
        InputError: the model folder is no checkpoint, or a task or its data is missing.
        MissingDependencyError: lm-eval is not installed.
    """
    model, folder = inputs.one("model"), inputs.optional("tasks")
    checkpoint = checkpoint_of(model)
    out.add_model("candidate", f"{model.label}@{model.fingerprint[:12]}")
    with nullcontext() if folder is None else resolved(folder.path) as own:
        tasks = config.names or (own and task_names(own))
        if not tasks:
            raise ConfigError("no task is named, and there is no input `tasks`", next_step="name some in `names`")
        todo = [index for index in range(len(tasks)) if not _finished(out, index)]
        if todo:
            options = Options(seed=context.seed, **config.model_dump(exclude={"names"}))
            log = out.path / "logs" / "lm-eval.log"
            with (
                open_harness(checkpoint, own, tasks, options, log) as harness,
                context.progress("bench", total=len(todo), unit="tasks") as bar,
            ):
                for index in todo:
                    _run_task(harness, tasks[index], index, out)
                    bar.advance(1)
    _summarise(out)


def _finished(out: Output, index: int) -> bool:
    # Both are asked, so that the counts of both are taken over.
    return all([out.has_shard(records.SAMPLES, index), out.has_shard(records.METRICS, index)])


def checkpoint_of(model: Input) -> Path:
    """The folder that holds `config.json`: the input itself, or `model` inside it.

    Raises:
        InputError: neither does.
    """
    for folder in (model.path, model.path / "model"):
        if (folder / "config.json").is_file():
            return folder
    raise InputError(
        f"{model.path}: expected a checkpoint with a config.json, here or in model/; found none",
        next_step="give the `model` folder of a training stage",
    )


def _run_task(harness: Harness, task: str, index: int, out: Output) -> None:
    results = harness.evaluate(task)
    samples = records.sample_table(results)
    documents = samples.group_by(["task", "doc_id"]).aggregate([]).num_rows
    out.write_shard(records.METRICS, index, records.metric_table(results))
    counts = Counts(unit="documents", came_in=documents, kept=documents, quarantined=0)
    out.write_shard(records.SAMPLES, index, samples, counts=counts)


def _summarise(out: Output) -> None:
    metrics = read_table(out.path, records.METRICS)
    rows = metrics.sort_by([("task", "ascending"), ("filter", "ascending"), ("metric", "ascending")]).to_pylist()
    cells = [
        (
            row["task"],
            row["filter"],
            row["metric"],
            "-" if row["n"] is None else str(row["n"]),
            "-" if row["value"] is None else f"{row['value']:.3f}",
            "-" if row["stderr"] is None else f"({row['stderr']:.3f})",
        )
        for row in rows
    ]
    tasks = pc.count_distinct(metrics["task"]).as_py()
    table = text_table(("task", "filter", "metric", "n", "value", "stderr"), cells, left=3)
    out.write_text("summary.txt", f"lm-eval on {tasks} tasks\n\n{table}\n")
