"""Writes a model's scores as its page on the Hub reads them: `.eval_results/*.yaml`, and `model-index` of its card.

Both hold shares as percentages, as the Hub's leaderboards do, moved by two decimal places and not rounded. What was
written is read back with the Hub's own parsers and compared, so that it says what the table says.

    write_model(folder, scores, source="https://huggingface.co/datasets/me/results", card=None)
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sage_data.errors import InputError, PublishError
from sage_data.publishing.card.metadata import front_matter
from sage_data.store.files import write_text
from sage_eval.publish.scores import Score

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, EvalResultEntry

RESULTS, INDEX, CARD = ".eval_results", "model-index.yaml", "README.md"
SHARES = frozenset({"acc", "acc_norm", "exact_match", "f1", "em", "acc_bytes", "prompt_level_strict_acc"})
"""Metrics from 0 to 1, which are written as percentages."""
TASK = "text-generation"
SOURCE = "sage-dialogue"


def write_model(folder: Path, scores: Sequence[Score], source: str | None, card: Path | None) -> list[str]:
    """Write the files of one model into its folder, and return their names; `scores` are all of that model.

    `card` is a model card that gets a copy with these results merged in; the card itself is left as it is.

    Raises:
        InputError: the card cannot be read.
        PublishError: the Hub's parsers read something else than what was meant.
    """
    results = [as_result(one, source) for one in scores]
    files = [INDEX]
    write_text(folder / INDEX, _index(scores[0].model, results))
    _check_index(folder / INDEX, scores[0].model, results)
    for one in scores:
        if one.counts and one.benchmark.hub_task is not None:
            name = f"{RESULTS}/{one.task}.yaml"
            _write_entry(folder / name, as_entry(one, source))
            files.append(name)
    if card is not None:
        write_text(folder / CARD, merged(card, scores[0].model, results))
        files.append(CARD)
    return sorted(files)


def percentage(value: float) -> float:
    """A share as a percentage: the same digits, two places on."""
    return float(Decimal(repr(value)).scaleb(2))


def shown_value(score: Score) -> float:
    """The number that is written."""
    return percentage(score.value) if score.metric in SHARES else score.value


def as_entry(score: Score, source: str | None) -> EvalResultEntry:
    """The entry of `.eval_results`."""
    from huggingface_hub import EvalResultEntry

    shots = "" if score.num_fewshot is None else f"{score.num_fewshot}-shot, "
    template = ", chat template" if score.chat_template else ""
    unit = " in percent" if score.metric in SHARES else ""
    filtered = "" if score.filter == "none" else f" ({score.filter})"
    return EvalResultEntry(
        dataset_id=score.benchmark.dataset,
        task_id=str(score.benchmark.hub_task),
        value=shown_value(score),
        source_url=source,
        source_name=SOURCE if source else None,
        notes=f"lm-eval {score.task}, {shots}{score.metric}{filtered}{unit}, {score.documents:,} questions{template}",
    )


def as_result(score: Score, source: str | None) -> EvalResult:
    """The result of `model-index`."""
    from huggingface_hub import EvalResult

    known = {
        "task": score.task,
        "version": score.version,
        "filter": score.filter,
        "num_fewshot": score.num_fewshot,
        "documents": score.documents,
        "chat_template": score.chat_template,
        "stderr": None if score.stderr is None else _like(score, score.stderr),
    }
    unit = "%" if score.metric in SHARES else ""
    filtered = "" if score.filter == "none" else f", {score.filter}"
    return EvalResult(
        task_type=TASK,
        task_name="Text generation",
        dataset_type=score.benchmark.dataset,
        dataset_name=score.benchmark.name,
        dataset_config=score.benchmark.config,
        dataset_split=score.benchmark.split,
        metric_type=score.metric,
        metric_name=f"{score.metric}{filtered}" + (f" ({unit})" if unit else ""),
        metric_value=shown_value(score),
        metric_args={name: value for name, value in known.items() if value is not None},
        source_name=SOURCE if source else None,
        source_url=source,
    )


def _like(score: Score, value: float) -> float:
    return percentage(value) if score.metric in SHARES else value


def _index(model: str, results: Sequence[EvalResult]) -> str:
    from huggingface_hub.repocard_data import eval_results_to_model_index

    return front_matter({"model-index": eval_results_to_model_index(model, list(results))}) + "\n"


def _check_index(path: Path, model: str, meant: Sequence[EvalResult]) -> None:
    from huggingface_hub.repocard_data import model_index_to_eval_results

    name, found = model_index_to_eval_results(_load(path)["model-index"])
    if (name, _sorted(found)) != (model, _sorted(meant)):
        raise PublishError(f"{path}: the Hub's parser reads other results than those of {model}")


def _sorted(results: Sequence[EvalResult]) -> list[str]:
    return sorted(map(repr, results))


def _write_entry(path: Path, entry: EvalResultEntry) -> None:
    from huggingface_hub import eval_result_entries_to_yaml, parse_eval_result_entries

    write_text(path, front_matter_list(eval_result_entries_to_yaml([entry])))
    if parse_eval_result_entries(_load(path)) != [entry]:
        raise PublishError(f"{path}: the Hub's parser reads something else than {entry}")


def front_matter_list(entries: Sequence[dict[str, Any]]) -> str:
    """A list as YAML, its texts quoted as in front matter."""
    lines = [front_matter(one).splitlines() for one in entries]
    return "".join(f"{'- ' if index == 0 else '  '}{line}\n" for one in lines for index, line in enumerate(one))


def _load(path: Path) -> Any:
    # The library that the Hub's client reads with; it has no types.
    return importlib.import_module("yaml").safe_load(path.read_text(encoding="utf-8"))


def merged(card: Path, model: str, results: Sequence[EvalResult]) -> str:
    """A model card with these results in its `model-index`; of a result that it states already, ours stays.

    Raises:
        InputError: it is no card that the Hub's client can read.
    """
    from huggingface_hub import ModelCard

    try:
        found: Any = ModelCard(card.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, importlib.import_module("yaml").YAMLError) as error:
        raise InputError(
            f"{card}: expected a model card that the Hub's client reads: {error}",
            next_step="mend its front matter, or leave --model-index out and merge model-index.yaml by hand",
        ) from error
    ours = {_what(one) for one in results}
    kept = [one for one in found.data.eval_results or () if _what(one) not in ours]
    found.data.model_name = found.data.model_name or model
    found.data.eval_results = [*kept, *results]
    return str(found)


def _what(result: EvalResult) -> tuple[object, ...]:
    """What a result is of, but for how it came about."""
    asked = (result.metric_args or {}) if isinstance(result.metric_args, dict) else {}
    return (*result.unique_identifier, result.metric_type, asked.get("filter"), asked.get("num_fewshot"))
