"""Lines of the comparison: which scores of two sides stand against each other, paired where documents were kept.

matched = match(base, new, Config())
matched.lines, matched.warnings
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sage_data.errors import InputError
from sage_eval.bench.conventions import subject_of
from sage_eval.regress.settings import Config
from sage_eval.regress.sides import Side
from sage_eval.regress.terms import check_terms
from sage_eval.regress.units import Aggregates, Compared, Unit

MOST_NAMED = 5
"""Tasks named in a message; of more, the number is said."""


@dataclass(frozen=True, slots=True)
class Matched:
    """All lines, and what the reader should know."""

    lines: tuple[Compared, ...]
    warnings: tuple[str, ...]


def named(tasks: Iterable[str]) -> str:
    """The first few names of a list, and how many more there are."""
    found = sorted(tasks)
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return ", ".join(found[:MOST_NAMED]) + more


def match(base: Side, new: Side, config: Config) -> Matched:
    """Pair two sides task by task, in the order of their names.

    Raises:
        InputError: tasks, documents or the terms they were run under differ, or there is nothing to compare.
    """
    base, new = _chosen(base, new, config.tasks)
    warnings = [*base.notes, *new.notes, *check_terms(base, new)]
    lines: list[Compared] = []
    untested: dict[str, list[str]] = {}
    unpaired: list[str] = []
    for name, tasks in _units(base.tasks).items():
        made, why = Unit(name, tasks, base, new, config).lines()
        lines += made
        if why is not None:
            untested.setdefault(why, []).append(name)
        elif isinstance(made[0].scores, Aggregates):
            unpaired.append(name)
    if not lines:
        why, names = next(iter(untested.items()), ("there is no task", []))
        raise InputError(f"nothing can be compared: {named(names)} {why}", next_step="name other metrics in `metrics`")
    warnings += [f"not compared: {named(names)}, as each {why}" for why, names in untested.items()]
    if unpaired:
        warnings.append(
            f"unpaired, as scores by document are missing: {named(unpaired)}; "
            "pairing (lm_eval --log_samples) would be sharper"
        )
    return Matched(tuple(lines), tuple(warnings))


def _chosen(base: Side, new: Side, tasks: Sequence[str]) -> tuple[Side, Side]:
    """Both sides with the tasks that are to be compared.

    Raises:
        InputError: a task is on one side only.
    """
    for side in (base, new):
        if missing := [task for task in tasks if not _tasks_of(side, task)]:
            raise InputError(f"{side.label} has no task {named(missing)}; it has {named(side.tasks)}")
    if tasks:
        base, new = (
            side.only(frozenset(one for task in tasks for one in _tasks_of(side, task))) for side in (base, new)
        )
    if only := base.tasks ^ new.tasks:
        first = min(only)
        where = base.label if first in base.tasks else new.label
        raise InputError(
            f"the two sides hold different documents: {len(only)} tasks are on one side only, the first is {first} "
            f"in {where}",
            next_step="run both models on the same tasks, or name those to compare in `tasks`",
        )
    return base, new


def _tasks_of(side: Side, name: str) -> set[str]:
    """The single tasks that a name stands for: itself, or the subjects of mmlu."""
    return {task for task in side.tasks if task == name or (subject_of(task) or ("",))[0] == name}


def _units(tasks: Iterable[str]) -> dict[str, list[str]]:
    """Tasks by what they count as; the subjects of mmlu together."""
    found: dict[str, list[str]] = {}
    for task in sorted(tasks):
        subject = subject_of(task)
        found.setdefault(task if subject is None else subject[0], []).append(task)
    return found
