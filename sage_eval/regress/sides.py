"""One side of a comparison: a model's scores, by document where they were kept, and over whole tasks.

side = read_side(Path("bench-base/"), "bench-base")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from pathlib import Path

from sage_data.store.manifest import read_manifest
from sage_data.store.shards import read_table
from sage_eval.bench.pairing import Document, Documents, Scored, read_documents
from sage_eval.bench.records import CANDIDATE, METRICS, SAMPLES

Line = tuple[str, str, str]
"""Task, filter and metric."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A score over a whole task."""

    value: float
    stderr: float | None
    n: int | None
    """Documents; None where it is not known."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which terms a task was run; None where it is not known."""

    version: str | None
    num_fewshot: int | None


@dataclass(frozen=True)
class Side:
    """What is known of one model."""

    label: str
    documents: Documents
    """Empty where only scores over whole tasks were kept."""
    aggregates: Mapping[Line, Aggregate]
    directions: Mapping[tuple[str, str], bool | None]
    """(task, metric) -> whether a higher score is better."""
    terms: Mapping[str, Terms]
    groups: frozenset[str] = frozenset()
    """Names in `aggregates` that stand for several tasks."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """How the model was run; should agree with the other side."""
    notes: tuple[str, ...] = ()
    """What the reader should know about where this came from."""
    model: str | None = None
    """Which model it is of; None where it is not known."""

    @property
    def tasks(self) -> frozenset[str]:
        """Single tasks with any score."""
        return (frozenset(key[0] for key in self.documents) | {key[0] for key in self.aggregates}) - self.groups

    def only(self, tasks: frozenset[str]) -> Side:
        """The same side with these single tasks."""
        documents: dict[Document, Scored] = {key: one for key, one in self.documents.items() if key[0] in tasks}
        aggregates = {key: one for key, one in self.aggregates.items() if key[0] in tasks | self.groups}
        return replace(self, documents=documents, aggregates=aggregates)


def is_stage(path: Path) -> bool:
    """True for the folder of a benchmark stage."""
    return path.is_dir() and any(path.glob(f"{SAMPLES}-*.parquet"))


def read_stage(folder: Path, label: str) -> Side:
    """Read a benchmark stage's folder.

    Raises:
        InputError: a table is missing, or a document has two scores for a metric.
    """
    columns = ["task", "filter", "metric", "value", "stderr", "n", "higher_is_better", "num_fewshot", "version"]
    rows = read_table(folder, METRICS, [*columns, "is_group"]).to_pylist()
    manifest = read_manifest(folder)
    return Side(
        label,
        read_documents(folder),
        {
            (row["task"], row["filter"], row["metric"]): Aggregate(row["value"], row["stderr"], row["n"])
            for row in rows
            if row["value"] is not None
        },
        {(row["task"], row["metric"]): row["higher_is_better"] for row in rows},
        {row["task"]: Terms(row["version"], row["num_fewshot"]) for row in rows},
        frozenset(row["task"] for row in rows if row["is_group"]),
        model=None if manifest is None else manifest.models.get(CANDIDATE),
    )


def pooled(parts: Sequence[Aggregate]) -> Aggregate | None:
    """The score over all documents of several tasks, each task's documents being all there are of it.

    Returns:
        None where a task's number of documents or standard error is not known.
    """
    known = [(one.value, one.stderr, one.n) for one in parts if one.stderr is not None and one.n is not None]
    n = sum(size for _, _, size in known)
    if len(known) < len(parts) or n == 0:
        return None
    value = sum(value * size for value, _, size in known) / n
    return Aggregate(value, sqrt(sum((stderr * size / n) ** 2 for _, stderr, size in known)), n)
