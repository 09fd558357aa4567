"""One line of the table from two sides: the metric and filter that count, and the scores, paired where they can be.

lines, why_not = Unit("gsm8k", ["gsm8k"], base, new, Config()).lines()
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import sqrt

from sage_data.errors import InputError
from sage_eval.bench.conventions import filter_for, metric_for
from sage_eval.bench.pairing import Documents, Scores, by_filter, check_same, metrics_of, values_of
from sage_eval.regress.outputs import PROPORTIONS
from sage_eval.regress.settings import Config
from sage_eval.regress.sides import Aggregate, Line, Side, pooled


@dataclass(frozen=True, slots=True)
class Aggregates:
    """Scores of one task over all documents, for want of scores by document."""

    task: str
    filter: str
    metric: str
    base: Aggregate
    new: Aggregate
    higher_is_better: bool

    @property
    def name(self) -> Line:
        """Task, filter and metric."""
        return self.task, self.filter, self.metric


@dataclass(frozen=True, slots=True)
class Compared:
    """One line of the table."""

    scores: Scores | Aggregates
    member: bool = True
    """False for what is only shown beside: another filter of the same task, or a part of it."""


@dataclass(frozen=True)
class Unit:
    """What counts as one task: a task, or the subjects of mmlu together."""

    name: str
    tasks: Sequence[str]
    base: Side
    new: Side
    config: Config

    @property
    def grouped(self) -> bool:
        """True for mmlu."""
        return list(self.tasks) != [self.name]

    def lines(self) -> tuple[list[Compared], str | None]:
        """Its line, followed by what is shown beside it; or why there is none.

        Raises:
            InputError: documents differ, a score is no number, or it is unknown whether more is better.
        """
        kinds = self._paired_kinds() or self._stated_kinds()
        metrics = sorted({metric for _, metric in kinds})
        metric = metric_for(self.name, metrics, self.config.metrics)
        if metric is None:
            return (
                [],
                f"has none of the metrics {', '.join(self.config.metrics)}; it has {', '.join(metrics) or 'none'}",
            )
        filters = sorted(name for name, one in kinds if one == metric)
        counted = filter_for(filters, self.config.filters)
        found: list[Compared] = []
        for filter_name in sorted(filters, key=lambda one: one != counted):
            kind = _Kind(filter_name, metric, self._direction(metric), filter_name == counted)
            found += self._paired(kind) if self._paired_kinds() else self._unpaired(kind)
        return found, None if found else f"has no standard error of {metric}, so that nothing can be tested"

    def _paired_kinds(self) -> set[tuple[str, str]]:
        """(filter, metric) of the documents; none where a side kept no documents."""
        if not self._documents(self.new):
            return set()
        before = self._documents(self.base)
        return {(name, metric) for (_, name), keys in by_filter(before).items() for metric in metrics_of(before, keys)}

    def _stated_kinds(self) -> set[tuple[str, str]]:
        """(filter, metric) of the scores over whole tasks that both sides have."""
        both = self.base.aggregates.keys() & self.new.aggregates.keys()
        return {(filter_name, metric) for task, filter_name, metric in both if task in self.tasks}

    def _documents(self, side: Side, filter_name: str | None = None) -> Documents:
        return {
            key: one for key, one in side.documents.items() if key[0] in self.tasks and filter_name in (None, key[1])
        }

    def _direction(self, metric: str) -> bool:
        known = [side.directions.get((self.tasks[0], metric)) for side in (self.base, self.new)]
        higher = next((one for one in known if one is not None), None)
        if higher is None:
            raise InputError(
                f"{self.name}: it is not known whether a higher {metric} is better", next_step="say so in its YAML"
            )
        return higher

    def _paired(self, kind: _Kind) -> Iterator[Compared]:
        before, after = (self._documents(side, kind.filter) for side in (self.base, self.new))
        check_same(before, after, (self.base.label, self.new.label))
        keys = sorted(before)
        base, new = (values_of(side, keys, kind.metric) for side in (before, after))
        subjects = tuple(key[0] for key in keys) if self.grouped else None
        yield Compared(Scores(self.name, kind.filter, kind.metric, base, new, kind.higher, subjects), kind.counted)
        for task in self._beside():
            mine = [key[0] == task for key in keys]
            yield Compared(Scores(task, kind.filter, kind.metric, base[mine], new[mine], kind.higher), member=False)

    def _unpaired(self, kind: _Kind) -> Iterator[Compared]:
        whole = _tested(self.name, kind, self._whole(self.base, kind), self._whole(self.new, kind))
        if whole is not None:
            self._refuse_other_size(whole)
            yield Compared(whole, kind.counted)
        for task in self._beside():
            part = _tested(task, kind, _stated(self.base, task, kind), _stated(self.new, task, kind))
            if part is not None:
                yield Compared(part, member=False)

    def _beside(self) -> Sequence[str]:
        return self.tasks if self.grouped and self.config.subjects else ()

    def _whole(self, side: Side, kind: _Kind) -> Aggregate | None:
        """The score of its one task, over all its subjects, or as the group's own line states it."""
        parts = [_stated(side, task, kind) for task in self.tasks]
        if not self.grouped:
            return parts[0]
        return pooled(parts) or side.aggregates.get((self.name, kind.filter, kind.metric))

    def _refuse_other_size(self, found: Aggregates) -> None:
        before, after = found.base.n, found.new.n
        if None not in (before, after) and before != after:
            raise InputError(
                f"{found.task}: {before} documents in {self.base.label}, {after} in {self.new.label}",
                next_step="run both models on the same documents, without a limit or with the same one",
            )


@dataclass(frozen=True, slots=True)
class _Kind:
    """What of a task is looked at."""

    filter: str
    metric: str
    higher: bool
    counted: bool


def _stated(side: Side, task: str, kind: _Kind) -> Aggregate:
    """The score of one task.

    Raises:
        InputError: the side has none, though a task that counts with it has.
    """
    found = side.aggregates.get((task, kind.filter, kind.metric))
    if found is None:
        raise InputError(
            f"{side.label}: {task} has no {kind.metric} (filter {kind.filter}), which other tasks of its group have",
            next_step="run the whole group again with one version of lm-eval, or name the tasks to compare in `tasks`",
        )
    return found


def _tested(task: str, kind: _Kind, before: Aggregate | None, after: Aggregate | None) -> Aggregates | None:
    """Two scores over whole tasks; None where their standard errors allow no test.

    Raises:
        InputError: the scores differ and nobody knows how far they might by chance, so that a loss would go unnoticed.
    """
    if before is None or after is None or before.stderr is None or after.stderr is None:
        return None
    n = after.n if before.n is None else before.n
    before, after = (_with_spread(one, kind.metric, n) for one in (before, after))
    if before.stderr == after.stderr == 0.0:
        if before.value == after.value:
            return None
        raise InputError(
            f"{task}: {kind.metric} went from {before.value:g} to {after.value:g}, both with a standard error of 0, "
            "and the number of documents is not known, so that it cannot be tested",
            next_step="keep scores by document (lm_eval --log_samples), or leave the task out with `tasks`",
        )
    return Aggregates(task, kind.filter, kind.metric, before, after, kind.higher)


def _with_spread(one: Aggregate, metric: str, n: int | None) -> Aggregate:
    """A score with a standard error above 0 where all answers were right, or all wrong, and their number is known.

    Two right and two wrong ones are added (Agresti and Coull 1998): no spread among n answers does not mean that none
    is possible.
    """
    if one.stderr != 0.0 or n is None or metric not in PROPORTIONS or one.value not in (0.0, 1.0):
        return one
    share = (one.value * n + 2.0) / (n + 4.0)
    return replace(one, stderr=sqrt(share * (1.0 - share) / (n + 4.0)))
