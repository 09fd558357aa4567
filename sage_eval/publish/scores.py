"""Which benchmark scores of a warehouse may be stated on a model's page, and why others may not.

A score is stated only if it is one of the data set that the Hub knows by that name: all its questions were asked, the
number is a number, and one run alone gives it. What is not stated is listed with its reason.

    stated = read_scores(Path("warehouse"), read_benchmarks(None))
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sage_data.errors import ConfigError, InputError
from sage_data.publishing.places import public
from sage_eval.publish.tables import shards_of

BENCHMARKS = Path(__file__).parent / "benchmarks.toml"
_UNFIT = re.compile(r"[^\w.+-]+", re.ASCII)


class Benchmark(BaseModel):
    """The data set of the Hub that a task of lm-eval asks its questions from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, description="For people.")
    dataset: str = Field(pattern=r"^[\w.-]+/[\w.-]+$", description="Repository, as OWNER/NAME.")
    config: str = "default"
    split: str
    documents: int | None = Field(None, ge=1, description="Questions in the split; not looked at when left out.")
    hub_task: str | None = Field(None, description="The task's id in the data set's eval.yaml, if it has one.")
    metric: str = Field("acc", description="The metric that counts.")
    filter: str = Field("none", description="The filter whose answers count.")


@dataclass(frozen=True, slots=True)
class Score:
    """One score of one model."""

    model: str
    task: str
    benchmark: Benchmark
    metric: str
    filter: str
    value: float
    """As lm-eval gives it: a share for accuracies."""
    stderr: float | None
    documents: int
    num_fewshot: int | None
    version: str | None
    chat_template: bool

    @property
    def counts(self) -> bool:
        """True for the one metric and filter that stand for the task."""
        return (self.metric, self.filter) == (self.benchmark.metric, self.benchmark.filter)


@dataclass(frozen=True, slots=True)
class Stated:
    """What was found."""

    scores: tuple[Score, ...]
    """By model, task, filter and metric."""
    left_out: tuple[tuple[str, str, str], ...]
    """(model, task, why its scores are not stated)."""

    @property
    def models(self) -> tuple[str, ...]:
        """Models with a score."""
        return tuple(dict.fromkeys(one.model for one in self.scores))


def folders_of(models: Sequence[str]) -> dict[str, str]:
    """Model -> the name of its folder, in which signs that no folder should have are replaced.

    Raises:
        ConfigError: two models would have the same.
    """
    found: dict[str, str] = {}
    for model in models:
        folder = _UNFIT.sub("-", model.replace("/", "--")).strip("-.") or "model"
        if folder in found.values():
            raise ConfigError(
                f"expected models whose names differ in letters and digits; found {', '.join(models)}",
                next_step="run the benchmarks on folders with other names",
            )
        found[model] = folder
    return found


def read_benchmarks(more: Path | None) -> dict[str, Benchmark]:
    """lm-eval's name of a task -> its data set; what `more` says of a task is taken first.

    Raises:
        InputError: a file is not such TOML; the task and what is wrong with it are named.
    """
    found: dict[str, Benchmark] = {}
    for path in filter(None, (BENCHMARKS, more)):
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
            found |= {task: Benchmark.model_validate(table) for task, table in tables.items()}
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
            raise InputError(
                f"{path}: expected TOML with a table for each task (name, dataset, split, ...): {error}",
                next_step='write for example: [my_task]\nname = "My task"\ndataset = "me/my-task"\nsplit = "test"',
            ) from error
    return found


def read_scores(warehouse: Path, benchmarks: Mapping[str, Benchmark]) -> Stated:
    """The scores of every model that was benchmarked.

    Raises:
        ConfigError: two runs give one model's scores of a task.
    """
    rows = list(_rows(warehouse, "bench_metrics"))
    settings = {row["stage"]: json.loads(row["config"]) for row in _rows(warehouse, "runs")}
    _check_one_run(rows)
    scores, left_out = [], []
    for row in sorted(rows, key=lambda row: (str(row["model"]), row["task"], row["filter"], row["metric"])):
        found = _score(row, rows, benchmarks, settings.get(row["stage"], {}))
        if isinstance(found, Score):
            scores.append(found)
        elif not _is_part(row, rows):
            left_out.append((_shown(row["model"]), row["task"], found))
    return Stated(tuple(scores), tuple(dict.fromkeys(left_out)))


def _rows(warehouse: Path, table: str) -> Iterator[dict[str, Any]]:
    for path in shards_of(warehouse, table):
        yield from pq.read_table(path).to_pylist()


def _shown(model: str | None) -> str:
    return "(unknown)" if model is None else public(model)


def _check_one_run(rows: Sequence[Mapping[str, Any]]) -> None:
    seen: dict[tuple[str, str], str] = {}
    for row in rows:
        if row["model"] is not None:
            first = seen.setdefault((_shown(row["model"]), row["task"]), row["stage"])
            if first != row["stage"]:
                raise ConfigError(
                    f"{row['task']} of {_shown(row['model'])}: expected scores of one run; found those of {first} and "
                    f"{row['stage']}",
                    next_step="make a warehouse with one of the two: sage eval warehouse ... --out warehouse/",
                )


def _score(
    row: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    benchmarks: Mapping[str, Benchmark],
    settings: Mapping[str, Any],
) -> Score | str:
    """A row's score, or why it is not stated."""
    benchmark, value, documents = benchmarks.get(row["task"]), row["value"], _documents(row, rows)
    if row["model"] is None:
        return "its run does not say which model it is of"
    if benchmark is None:
        return "it is not known to be a data set of the Hub (--benchmarks names more)"
    if value is None or not math.isfinite(value):
        return f"{row['metric']} is no number"
    if settings.get("limit") is not None:
        return f"the run was limited to {settings['limit']:,} documents a task"
    if not documents or documents != (benchmark.documents or documents):
        return f"expected {benchmark.documents or 1:,} documents, found {documents:,}"
    stderr = row["stderr"]
    return Score(
        model=_shown(row["model"]),
        task=row["task"],
        benchmark=benchmark,
        metric=row["metric"],
        filter=row["filter"],
        value=float(value),
        stderr=float(stderr) if stderr is not None and math.isfinite(stderr) else None,
        documents=documents,
        num_fewshot=row["num_fewshot"],
        version=row["version"],
        chat_template=bool(settings.get("apply_chat_template")),
    )


def _documents(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> int:
    """Documents of a task; of a group, those of all its tasks."""
    if row["n"] is not None:
        return int(row["n"])
    return sum(int(one["n"]) for one in rows if one["n"] is not None and _belongs(one, row))


def _belongs(one: Mapping[str, Any], group: Mapping[str, Any]) -> bool:
    same = all(one[name] == group[name] for name in ("stage", "filter", "metric"))
    return bool(same and one["task"].startswith(f"{group['task']}_"))


def _is_part(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> bool:
    """True for a task whose group stands for it, such as a subject of mmlu."""
    return any(one["is_group"] and _belongs(row, one) for one in rows)
