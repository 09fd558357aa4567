"""Pairs two models' benchmark scores document by document, and refuses what is not the same document.

Document, prompt and target must have the same hash on both sides. A document is known by task, filter and number.

    check_same(before, after, ("bench-base", "bench-sage2"))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sage_data.errors import InputError
from sage_data.store.shards import read_table
from sage_eval.bench.records import SAMPLES

HASHES = ("doc_hash", "prompt_hash", "target_hash")

Floats = npt.NDArray[np.float64]
Document = tuple[str, str, int]
"""Task, filter and document id."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One document's scores."""

    hashes: tuple[str, ...]
    """Of the document, the prompt and the target."""
    values: dict[str, float | None]
    """By metric; None where a score is no single number."""


Documents = Mapping[Document, Scored]


@dataclass(frozen=True, slots=True)
class Scores:
    """Paired scores of one task, or of several that count as one, under one filter and metric."""

    task: str
    filter: str
    metric: str
    base: Floats
    """Shape (documents,)."""
    new: Floats
    """Shape (documents,); same documents in the same order."""
    higher_is_better: bool
    clusters: tuple[str, ...] | None = None
    """Of each document, where documents belong together (mmlu's subjects); None where each stands for itself."""

    @property
    def name(self) -> tuple[str, str, str]:
        """Task, filter and metric."""
        return self.task, self.filter, self.metric

    @property
    def binary(self) -> bool:
        """True when every score is 0 or 1."""
        return bool(np.isin(np.concatenate([self.base, self.new]), (0.0, 1.0)).all())


def called(key: Document) -> str:
    """A document's name in messages."""
    return f"document {key[2]} of {key[0]} (filter {key[1]})"


def read_documents(folder: Path) -> dict[Document, Scored]:
    """Every document of a benchmark stage's folder.

    Raises:
        InputError: there are none, or one has two scores for a metric.
    """
    found: dict[Document, Scored] = {}
    columns = ["task", "filter", "doc_id", *HASHES, "metric", "value"]
    for row in read_table(folder, SAMPLES, columns).to_pylist():
        key = (row["task"], row["filter"], row["doc_id"])
        scored = found.setdefault(key, Scored(tuple(row[name] for name in HASHES), {}))
        if row["metric"] in scored.values:
            raise InputError(f"{folder}: {called(key)} has two scores for {row['metric']}; was a task run twice?")
        scored.values[row["metric"]] = row["value"]
    return found


def check_same(before: Documents, after: Documents, names: tuple[str, str]) -> None:
    """Compare what two models were asked, document by document.

    Raises:
        InputError: a document is on one side only, or differs; it is named.
    """
    only = sorted(before.keys() ^ after.keys())
    if only:
        where = names[0] if only[0] in before else names[1]
        raise InputError(
            f"the two sides hold different documents: {len(only)} are on one side only, "
            f"the first is {called(only[0])} in {where}",
            next_step="run both models with the same tasks, limit and lm-eval version, or name common ones in `tasks`",
        )
    for key, scored in before.items():
        differing = [
            name for name, one, other in zip(HASHES, scored.hashes, after[key].hashes, strict=True) if one != other
        ]
        if differing:
            raise InputError(
                f"{called(key)} is not the same in {names[0]} and {names[1]}: {', '.join(differing)} differs",
                next_step="run both models with the same task files, few-shot examples and chat template",
            )


def values_of(side: Documents, documents: Iterable[Document], metric: str) -> Floats:
    """Scores in the order of the documents, shape (documents,).

    Raises:
        InputError: a document has no single number for the metric.
    """
    return np.array([_value(side[key], key, metric) for key in documents], dtype=np.float64)


def _value(scored: Scored, key: Document, metric: str) -> float:
    value = scored.values.get(metric)
    if value is None:
        raise InputError(f"{called(key)} has no single number for {metric}", next_step="choose another metric")
    return value


def by_filter(documents: Iterable[Document]) -> dict[tuple[str, str], list[Document]]:
    """Documents of each task and filter, sorted."""
    found: dict[tuple[str, str], list[Document]] = {}
    for key in sorted(documents):
        found.setdefault(key[:2], []).append(key)
    return found


def metrics_of(side: Documents, documents: Sequence[Document]) -> tuple[str, ...]:
    """Metrics that the first of the documents has: lm-eval gives all documents of a task the same ones."""
    return tuple(side[documents[0]].values)
