"""What will be run, and every reason not to, found before a model is loaded or a server asked.

wanted_tasks(("paper",), own=(), num_fewshot=None)  # the ten tasks, no example in any prompt
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sage_data.errors import ConfigError, InputError
from sage_eval.bench.conventions import PAPER, PAPER_SHOTS, PAPER_TASKS
from sage_eval.bench.leaves import Leaf
from sage_eval.bench.mirror.layout import Split, read_index
from sage_eval.bench.wording import named


@dataclass(frozen=True, slots=True)
class Wanted:
    """A task or group to run."""

    name: str
    num_fewshot: int | None
    """Examples in the prompt; None leaves it to the task."""


def wanted_tasks(names: Sequence[str], own: Sequence[str], num_fewshot: int | None) -> tuple[Wanted, ...]:
    """The tasks that names stand for: "paper" for the ten of Table 2, zero-shot unless told otherwise.

    Args:
        names: as given; every task of one's own when empty.
        own: tasks that the input folder defines.
        num_fewshot: as given.

    Raises:
        ConfigError: there is none, or one twice.
    """
    found: list[Wanted] = []
    for name in names or own:
        if name == PAPER:
            shots = PAPER_SHOTS if num_fewshot is None else num_fewshot
            found += [Wanted(task, shots) for task in PAPER_TASKS]
        else:
            found.append(Wanted(name, num_fewshot))
    if not found:
        raise ConfigError(
            "no task is named, and there is no input `tasks`",
            next_step=f"name some in `names`: {PAPER} stands for the ten of the paper's Table 2",
        )
    listed = [one.name for one in found]
    if twice := sorted({name for name in listed if listed.count(name) > 1}):
        raise ConfigError(f"names: {twice[0]} would be run twice", next_step=f"leave it out; {PAPER} holds it")
    return tuple(found)


def check_leaves(plan: Sequence[tuple[Wanted, Sequence[Leaf]]], *, scores_text: bool, mirror: Path | None) -> None:
    """Refuse what could not be run to its end.

    Args:
        plan: each task or group with its single tasks.
        scores_text: whether the model can give the log-likelihood of a text.
        mirror: the mirror that will be read; None without.

    Raises:
        ConfigError: a task needs log-likelihoods and the model gives none, or examples that the mirror lacks.
        InputError: a task runs code that the model wrote, or its data is not in the mirror.
    """
    leaves = [leaf for _, listed in plan for leaf in listed]
    if unsafe := [leaf.name for leaf in leaves if leaf.unsafe]:
        raise InputError(f"{named(unsafe)} would run code that the model wrote, which bench does not do")
    scored = [leaf.name for leaf in leaves if leaf.output_type is not None and not leaf.generates]
    if scored and not scores_text:
        raise ConfigError(
            f"nothing was run: {named(scored)} score given text, which a chat endpoint cannot do",
            next_step="use `api: completions` with a server that returns prompt log-probabilities, "
            "or tasks that only write, such as gsm8k",
        )
    if mirror is not None:
        _check_mirror(plan, read_index(mirror))


def _check_mirror(plan: Sequence[tuple[Wanted, Sequence[Leaf]]], splits: Iterable[Split]) -> None:
    rows = {(one.dataset, one.config, one.split): one.rows for one in splits}
    configs = {key[:2] for key in rows}
    lacking = [
        f"{leaf.dataset} ({leaf.config}) for {leaf.name}"
        for _, listed in plan
        for leaf in listed
        if leaf.on_hub and (leaf.dataset, leaf.config) not in configs
    ]
    if lacking:
        raise InputError(f"the mirror lacks {named(lacking)}", next_step="sage eval bench mirror, with their files")
    for wanted, listed in plan:
        for leaf in listed:
            shots = _shots(wanted, leaf)
            there = rows.get((leaf.dataset or "", leaf.config, leaf.shots_from or ""), shots)
            if there < shots:
                raise ConfigError(
                    f"{leaf.name} is to show {shots} examples of its split {leaf.shots_from}, of which the mirror "
                    f"has {there}",
                    next_step="set `num_fewshot: 0`, or mirror that split too",
                )


def _shots(wanted: Wanted, leaf: Leaf) -> int:
    if leaf.num_fewshot == 0 or wanted.num_fewshot is None:
        # lm-eval keeps to a task that says 0 itself.
        return leaf.num_fewshot or 0
    return wanted.num_fewshot
