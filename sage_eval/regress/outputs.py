"""Reads what lm-eval left on disk: `results_*.json` of versions 0.3 and 0.4, and `samples_*.jsonl` where there are any.

Version 0.4 keys its metrics `acc_norm,none` and `exact_match,strict-match`, version 0.3 `acc_norm`. Names of models and
settings lose any local path. Documents' hashes come from `--log_samples`; without it there is nothing to pair by.

    side = read_outputs(Path("lm-eval-out/"), "lm-eval-out")
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from sage_data.errors import InputError
from sage_eval.bench.conventions import rises
from sage_eval.bench.pairing import HASHES, Document, Scored, called
from sage_eval.bench.records import scalar
from sage_eval.regress.sides import Aggregate, Line, Side, Terms

PROPORTIONS = ("acc", "acc_norm", "exact_match")
"""Metrics that are shares of right answers, so that their standard error tells the number of documents."""
IDENTITY = ("pretrained", "revision", "peft", "model", "tokenizer", "base_url", "subfolder", "delta")
"""Model arguments that say which model it is; the others say how it was run."""
RUN_SETTINGS = ("model", "limit", "gen_kwargs", "system_instruction", "fewshot_as_multiturn")
TOOLS = ("git_hash", "transformers_version", "lm_eval_version", "chat_template_sha", "system_instruction_sha")
_LOCAL = re.compile(r"[/~.\\]|[A-Za-z]:[\\/]")
_STAMP = re.compile(r"_(\d{4}-\d\d-\d\dT[\d.-]+)\.json$")


def read_outputs(path: Path, label: str) -> Side:
    """Read one results file, or every one below a folder.

    Raises:
        InputError: there is none, one cannot be read, a task is there twice, or samples lack what pairing needs.
    """
    looked_at = [path] if path.is_file() else sorted(path.rglob("*.json"))
    files = {file: results for file in looked_at if (results := _load(file)) is not None}
    if not files:
        raise InputError(
            f"{path}: expected a benchmark stage's folder or results of lm-eval (JSON with `results`); found neither",
            next_step="sage eval bench MODEL --out DIR, or lm_eval --output_path DIR --log_samples",
        )
    _refuse_twice(files)
    runs = list(files.values())
    models = sorted({name for results in runs if (name := _model_name(results))})
    if len(models) > 1:
        raise InputError(f"{path}: holds results of several models: {', '.join(models)}", next_step="give one of them")
    left = [file.name for file in looked_at if file not in files]
    return Side(
        models[0] if models else label,
        dict(chain.from_iterable(_documents(file, results) for file, results in files.items())),
        dict(chain.from_iterable(map(_aggregates, runs))),
        dict(chain.from_iterable(map(_directions, runs))),
        dict(chain.from_iterable(map(_terms, runs))),
        frozenset(chain.from_iterable(map(_groups, runs))),
        _settings(runs),
        (f"{label}: no results in {', '.join(left)}",) if left else (),
    )


def _load(file: Path) -> Mapping[str, Any] | None:
    """The file's content; None when it holds no results."""
    try:
        loaded = json.loads(file.read_bytes())
    except ValueError as error:
        raise InputError(f"{file}: not readable as JSON: {error}", next_step="copy the file again") from error
    results = loaded.get("results") if isinstance(loaded, dict) else None
    return loaded if isinstance(results, dict) and all(isinstance(one, dict) for one in results.values()) else None


def _refuse_twice(files: Mapping[Path, Mapping[str, Any]]) -> None:
    seen: dict[str, Path] = {}
    for file, results in files.items():
        for task in results["results"]:
            if task in seen:
                raise InputError(
                    f"{file}: task {task} is also in {seen[task]}; which of them counts?",
                    next_step="give the one results file, or a folder with one run of each task",
                )
            seen[task] = file


def _lines(scores: Mapping[str, Any]) -> Iterator[tuple[str, str, Any, Any]]:
    """(metric, filter, value, standard error) of one task, with the keys of either version."""
    for key, value in scores.items():
        metric, comma, filter_name = key.partition(",")
        if metric.endswith("_stderr") or scalar(value) is None:
            continue
        yield metric, filter_name or "none", value, scores.get(f"{metric}_stderr{comma}{filter_name}")


def _aggregates(results: Mapping[str, Any]) -> Iterator[tuple[Line, Aggregate]]:
    for task, scores in {**results["results"], **results.get("groups", {})}.items():
        stated = results.get("n-samples", {}).get(task, {}).get("effective")
        for metric, filter_name, value, error in _lines(scores):
            if metric in ("sample_len", "sample_count"):
                continue
            stderr = scalar(error)
            n = stated if stated is not None else implied_n(metric, float(value), stderr)
            yield (task, filter_name, metric), Aggregate(float(value), stderr, n)


def implied_n(metric: str, value: float, stderr: float | None) -> int | None:
    """Documents behind a share of right answers and its standard error, s / sqrt(n) with s the sample deviation.

    n - 1 = p (1 - p) / stderr^2, taken only where n and the number of right answers come out whole: with all digits
    that lm-eval writes, they do for a single task, and do not for a group.
    """
    if metric not in PROPORTIONS or not stderr:
        return None
    n = value * (1.0 - value) / stderr**2 + 1.0
    whole = abs(n - round(n)) < 1e-4 and abs(value * n - round(value * n)) < 1e-4
    return round(n) if whole else None


def _directions(results: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], bool | None]]:
    for task, scores in results["results"].items():
        stated = dict(results.get("higher_is_better", {}).get(task) or {})
        declared = results.get("configs", {}).get(task, {}).get("metric_list") or ()
        stated |= {one["metric"]: one["higher_is_better"] for one in declared if "higher_is_better" in one}
        for metric, *_ in _lines(scores):
            known = stated.get(metric)
            yield (task, metric), rises(metric) if known is None else bool(known)


def _terms(results: Mapping[str, Any]) -> Iterator[tuple[str, Terms]]:
    everywhere = results.get("config", {}).get("num_fewshot")
    for task in results["results"]:
        version = results.get("versions", {}).get(task)
        shots = results.get("n-shot", {}).get(task, everywhere)
        yield task, Terms(None if version is None else str(version), shots)


def _groups(results: Mapping[str, Any]) -> set[str]:
    return {name for name, parts in results.get("group_subtasks", {}).items() if parts} | set(results.get("groups", {}))


def _model_args(results: Mapping[str, Any]) -> dict[str, str]:
    given = results.get("config", {}).get("model_args") or {}
    if isinstance(given, str):
        given = dict(part.split("=", 1) for part in given.split(",") if "=" in part)
    return {str(key): bare(str(value)) for key, value in given.items()}


def bare(value: str) -> str:
    """A name without the local path it may be: `/home/me/models/x` is `x`, `org/name` stays."""
    local = _LOCAL.match(value) is not None or value.count("/") > 1
    return re.split(r"[/\\]", value.rstrip("/\\"))[-1] if local and "://" not in value else value


def _model_name(results: Mapping[str, Any]) -> str | None:
    arguments = _model_args(results)
    name = arguments.get("pretrained") or arguments.get("model") or results.get("model_name")
    if not name:
        return None
    parts = [bare(str(name)), *(arguments[key] for key in ("revision", "peft") if arguments.get(key))]
    return "@".join(parts)


def _settings(runs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """How the model was run; several values where tasks were run differently."""
    found: dict[str, set[str]] = {}
    for results in runs:
        config = results.get("config", {})
        given = {key: value for key, value in _model_args(results).items() if key not in IDENTITY}
        given |= {key: bare(str(config[key])) for key in RUN_SETTINGS if config.get(key) is not None}
        given |= {key: str(results[key]) for key in TOOLS if results.get(key) is not None}
        for key, value in given.items():
            found.setdefault(key, set()).add(value)
    return {key: ", ".join(sorted(values)) for key, values in found.items()}


def _documents(file: Path, results: Mapping[str, Any]) -> Iterator[tuple[Document, Scored]]:
    """Documents of every task whose samples lie beside the results."""
    stamp = _STAMP.search(file.name)
    for task, scores in results["results"].items():
        name = re.sub(r"\W", "_", task)
        samples = (
            file.with_name(f"samples_{name}_{stamp[1]}.jsonl") if stamp else file.with_name(f"samples_{name}.jsonl")
        )
        if samples.is_file():
            yield from _read_samples(samples, task, list(_lines(scores)))


def _read_samples(
    file: Path, task: str, lines: Sequence[tuple[str, str, Any, Any]]
) -> Iterator[tuple[Document, Scored]]:
    filters = sorted({line[1] for line in lines})
    metrics = list(dict.fromkeys(line[0] for line in lines))
    seen: set[Document] = set()
    with file.open(encoding="utf-8") as opened:
        for number, text in enumerate(opened, start=1):
            sample = _sample(file, number, text)
            key = (task, _filter(file, number, sample, filters), int(sample["doc_id"]))
            if key in seen:
                raise InputError(f"{file}, line {number}: {called(key)} is there twice; was a task run twice?")
            seen.add(key)
            names = sample.get("metrics") or [name for name in metrics if name in sample]
            yield key, Scored(tuple(sample[name] for name in HASHES), {name: scalar(sample[name]) for name in names})


def _sample(file: Path, number: int, text: str) -> Mapping[str, Any]:
    try:
        sample = json.loads(text)
    except ValueError as error:
        raise InputError(f"{file}, line {number}: not readable as JSON: {error}") from error
    missing = [name for name in ("doc_id", *HASHES) if not isinstance(sample, dict) or name not in sample]
    if missing:
        raise InputError(
            f"{file}, line {number}: expected {', '.join(missing)}, by which documents are paired; found none",
            next_step="run lm-eval 0.4.3 or newer with --log_samples, or move the samples away to compare unpaired",
        )
    found: Mapping[str, Any] = sample
    return found


def _filter(file: Path, number: int, sample: Mapping[str, Any], filters: Sequence[str]) -> str:
    stated = sample.get("filter")
    if stated is None and len(filters) != 1:
        raise InputError(
            f"{file}, line {number}: does not say which filter it is of: {', '.join(filters)}",
            next_step="run a newer lm-eval, which does, or move the samples away to compare unpaired",
        )
    return filters[0] if stated is None else str(stated)
