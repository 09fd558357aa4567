"""Runs lm-evaluation-harness on a model and keeps every document's score, so that two models can be compared.

The paper's Table 2 uses ten tasks, zero-shot: hellaswag, arc_challenge, arc_easy, mmlu, winogrande, openbookqa, piqa,
social_iqa, commonsense_qa, gsm8k; the name `paper` stands for them. Any other task of lm-eval, or a folder of task
files, works as well. With a mirror of the data (`sage eval bench mirror`) no network is needed.

    sage eval bench sage1/model --names paper --mirror mirror/ --out bench-sage1/
    sage eval bench --model-uri openai:MODEL@http://127.0.0.1:8000/v1 --tokenizer sage1/model --names paper --out b/
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from sage_data.errors import InputError
from sage_data.stage import Context, Counts, Inputs, Output
from sage_eval.bench import records
from sage_eval.bench.endpoint import check_likelihoods
from sage_eval.bench.harness import Harness, Options
from sage_eval.bench.index import index_tasks
from sage_eval.bench.leaves import leaves
from sage_eval.bench.logs import LOG, Scrubber, logged, prompts_cut
from sage_eval.bench.models import Candidate, Engine, candidate_of, checkpoint_of, other_base
from sage_eval.bench.offline import shut_hub
from sage_eval.bench.opening import Options as ModelOptions
from sage_eval.bench.opening import check_arguments, open_model
from sage_eval.bench.planning import Wanted, check_leaves, wanted_tasks
from sage_eval.bench.settings import INPUTS, Config
from sage_eval.bench.tasks import resolved, task_names
from sage_eval.bench.text import summary

__all__ = ["INPUTS", "VERSION", "Config", "Harness", "checkpoint_of", "run"]

VERSION = 2


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Run every task; a task finished by an earlier attempt is not run again.

    Raises:
        BackendError: a server cannot be used, or gave what is no answer.
        ConfigError: no task is named, or the model, the tasks and the mirror do not go together.
        InputError: the model folder is no checkpoint, or a task or its data is missing.
        MissingDependencyError: lm-eval or vLLM is not installed.
    """
    check_arguments(config.model_args)
    candidate = candidate_of(config.model_uri, config.api, config.tokenizer_id, inputs, offline=config.offline)
    out.add_model("candidate", candidate.identity)
    if (odd := other_base(candidate)) is not None:
        out.warn(odd)
    folder, mirror = inputs.optional("tasks"), inputs.optional("mirror")
    with nullcontext() if folder is None else resolved(folder.path) as own, shut_hub(config.offline):
        wanted = wanted_tasks(config.names, task_names(own) if own else (), config.num_fewshot)
        todo = [index for index in range(len(wanted)) if not _finished(out, index)]
        if todo:
            harness = _open(config, candidate, wanted, own, None if mirror is None else mirror.path, out, context)
            with context.progress("bench", total=len(todo), unit="tasks") as bar:
                for index in todo:
                    _run_task(harness, wanted[index], index, out)
                    bar.advance(1)
    if cut := prompts_cut(out.path / LOG):
        out.warn(f"lm-eval cut prompts to fit the model's context, {cut} times or more: see {LOG}")
    out.write_text("summary.txt", summary(out.path))


def _finished(out: Output, index: int) -> bool:
    # Both are asked, so that the counts of both are taken over.
    return all([out.has_shard(records.SAMPLES, index), out.has_shard(records.METRICS, index)])


def _open(
    config: Config,
    candidate: Candidate,
    wanted: Sequence[Wanted],
    own: Path | None,
    mirror: Path | None,
    out: Output,
    context: Context,
) -> Harness:
    """Check everything, then load the model."""
    log = out.path / LOG
    scrub = Scrubber([*candidate.paths, *(one for one in (own, mirror, out.path, Path.cwd()) if one)], candidate.key)
    # A chat endpoint has a template of its own, and takes messages alone.
    chat = config.apply_chat_template or not candidate.scores_text
    settings = ModelOptions(
        config.batch_size, config.device, config.max_length, context.seed, chat, dict(config.model_args)
    )
    with logged(log, scrub):
        manager = index_tasks(own, [one.name for one in wanted])
        plan = [(one, leaves(manager, one.name)) for one in wanted]
        check_leaves(plan, scores_text=candidate.scores_text, mirror=mirror)
        model = open_model(candidate, settings)
        if candidate.engine is Engine.OPENAI and not all(leaf.generates for _, listed in plan for leaf in listed):
            check_likelihoods(model)
    options = Options(config.limit, chat, config.bootstrap_iters, context.seed)
    return Harness(model, manager, options, None if mirror is None else mirror.resolve(), log, scrub)


def _run_task(harness: Harness, wanted: Wanted, index: int, out: Output) -> None:
    results = harness.evaluate(wanted)
    samples = records.sample_table(results)
    documents = samples.group_by(["task", "doc_id"]).aggregate([]).num_rows
    if not documents:
        raise InputError(f"lm-eval ran no document of {wanted.name}")
    out.write_shard(records.METRICS, index, records.metric_table(results))
    counts = Counts(unit="documents", came_in=documents, kept=documents, quarantined=0)
    out.write_shard(records.SAMPLES, index, samples, counts=counts)
