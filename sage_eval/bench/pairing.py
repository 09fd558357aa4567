"""Pairs two models' benchmark scores document by document, and refuses what is not the same document.

    pair(Path("runs/demo/bench-base"), Path("runs/demo/bench-sage2"), ("acc_norm", "acc"))

Document, prompt and target must have the same hash on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sage_data.errors import InputError
from sage_data.store.shards import read_table
from sage_eval.bench.records import METRICS, SAMPLES

HASHES = ("doc_hash", "prompt_hash", "target_hash")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scores:
    """Paired scores of one task, filter and metric."""

    task: str
    filter: str
    metric: str
    base: Floats
    """Shape (documents,)."""
    new: Floats
    """Shape (documents,); same documents in the same order."""
    higher_is_better: bool

    @property
    def name(self) -> tuple[str, str, str]:
        """Task, filter and metric."""
        return self.task, self.filter, self.metric

    @property
    def binary(self) -> bool:
        """True when every score is 0 or 1."""
        return bool(np.isin(np.concatenate([self.base, self.new]), (0.0, 1.0)).all())


Document = tuple[str, str, int]
"""Task, filter and document id."""


def pair(base: Path, new: Path, metrics: Sequence[str]) -> list[Scores]:
    """Pair two benchmark folders document by document, in the order of task and filter.

    Raises:
        InputError: documents or hashes differ, a row is there twice, a task has none of `metrics`, a score is no
            number, or it is unknown whether more is better.
    """
    before, after = _read(base), _read(new)
    _refuse_other_documents(before, after, base, new)
    better = _directions(base)
    return [
        _scores(task, filter_name, documents, (before, after), metrics, better)
        for (task, filter_name), documents in _by_task(before).items()
    ]


@dataclass(frozen=True, slots=True)
class _Scored:
    """One document's scores."""

    hashes: tuple[str, ...]
    values: dict[str, float | None]


def _read(folder: Path) -> dict[Document, _Scored]:
    found: dict[Document, _Scored] = {}
    columns = ["task", "filter", "doc_id", *HASHES, "metric", "value"]
    for row in read_table(folder, SAMPLES, columns).to_pylist():
        key = (row["task"], row["filter"], row["doc_id"])
        scored = found.setdefault(key, _Scored(tuple(row[name] for name in HASHES), {}))
        if row["metric"] in scored.values:
            raise InputError(f"{folder}: {_called(key)} has two scores for {row['metric']}; was a task run twice?")
        scored.values[row["metric"]] = row["value"]
    return found


def _called(key: Document) -> str:
    return f"document {key[2]} of {key[0]} (filter {key[1]})"


def _refuse_other_documents(
    before: Mapping[Document, _Scored], after: Mapping[Document, _Scored], base: Path, new: Path
) -> None:
    only = sorted(before.keys() ^ after.keys())
    if only:
        where = base if only[0] in before else new
        raise InputError(
            f"the two folders hold different documents: {len(only)} are in one only, "
            f"the first is {_called(only[0])} in {where}",
            next_step="run both models with the same tasks, limit and lm-eval version",
        )
    for key, scored in before.items():
        differing = [
            name for name, one, other in zip(HASHES, scored.hashes, after[key].hashes, strict=True) if one != other
        ]
        if differing:
            raise InputError(
                f"{_called(key)} is not the same in {base} and {new}: {', '.join(differing)} differs",
                next_step="run both models with the same task files, few-shot examples and chat template",
            )


def _by_task(scored: Iterable[Document]) -> dict[tuple[str, str], list[Document]]:
    found: dict[tuple[str, str], list[Document]] = {}
    for key in sorted(scored):
        found.setdefault(key[:2], []).append(key)
    return found


def _directions(folder: Path) -> dict[tuple[str, str], bool | None]:
    rows = read_table(folder, METRICS, ["task", "metric", "higher_is_better"]).to_pylist()
    return {(row["task"], row["metric"]): row["higher_is_better"] for row in rows}


def _scores(
    task: str,
    filter_name: str,
    documents: Sequence[Document],
    sides: tuple[Mapping[Document, _Scored], Mapping[Document, _Scored]],
    metrics: Sequence[str],
    better: Mapping[tuple[str, str], bool | None],
) -> Scores:
    present = sides[0][documents[0]].values
    metric = next((one for one in metrics if one in present), None)
    if metric is None:
        raise InputError(
            f"{task} (filter {filter_name}) has none of the metrics {', '.join(metrics)}; it has {', '.join(present)}",
            next_step="name one of them in `metrics`",
        )
    higher = better.get((task, metric))
    if higher is None:
        raise InputError(f"{task}: it is not known whether a higher {metric} is better", next_step="say so in its YAML")
    base, new = (np.array(list(_values(side, documents, metric)), dtype=np.float64) for side in sides)
    return Scores(task, filter_name, metric, base, new, higher)


def _values(side: Mapping[Document, _Scored], documents: Sequence[Document], metric: str) -> Iterator[float]:
    for key in documents:
        value = side[key].values.get(metric)
        if value is None:
            raise InputError(f"{_called(key)} has no single number for {metric}", next_step="choose another metric")
        yield value
