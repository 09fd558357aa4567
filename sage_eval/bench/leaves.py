"""Single tasks behind a name of lm-eval, and what of them can be known before any data is read or any model loaded.

[leaf.name for leaf in leaves(manager, "mmlu")]  # mmlu_anatomy, ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sage_data.errors import InputError

DEFAULT_CONFIG = "default"
"""Config of a dataset that has no other, where a task names none."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a single task's settings say."""

    name: str
    output_type: str | None
    """`multiple_choice`, `loglikelihood`, `generate_until`, ...; None where only code knows."""
    dataset: str | None
    """`org/name` on the Hub, or a kind of file such as "json"; None where only code knows."""
    config: str
    shots_from: str | None
    """Split that examples in the prompt are drawn from."""
    num_fewshot: int | None
    """The task's own number of examples."""
    unsafe: bool
    """True when it runs code that the model wrote."""

    @property
    def on_hub(self) -> bool:
        """True when its data is a dataset of the Hub."""
        return self.dataset is not None and "/" in self.dataset

    @property
    def generates(self) -> bool:
        """True when the model writes and no given text is scored."""
        return self.output_type == "generate_until"


def leaves(manager: Any, name: str) -> tuple[Leaf, ...]:
    """Every single task that a task, group or tag stands for, in lm-eval's order.

    Args:
        manager: lm-eval's `TaskManager`.
        name: of a task, group or tag.

    Raises:
        InputError: lm-eval knows no such name.
    """
    return tuple({leaf.name: leaf for leaf in _expand(manager.task_index, name, {})}.values())


def _expand(index: Mapping[str, Any], name: str, changed: Mapping[str, Any]) -> Iterator[Leaf]:
    entry = index.get(name)
    if entry is None:
        close = get_close_matches(name, index, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise InputError(f"lm-eval has no task {name!r}{hint}", next_step="check `names`, or add its YAML to the tasks")
    if entry.kind.name == "TAG":
        for one in sorted(entry.tags):
            yield from _expand(index, one, changed)
    elif entry.kind.name == "GROUP":
        yield from _members(index, entry.cfg or {}, changed)
    else:
        yield _leaf(name, {**(entry.cfg or {}), **changed})


def _members(index: Mapping[str, Any], group: Mapping[str, Any], changed: Mapping[str, Any]) -> Iterator[Leaf]:
    for child in group.get("task") or ():
        if isinstance(child, str):
            yield from _expand(index, child, changed)
        elif isinstance(child, Mapping) and isinstance(child.get("task"), str):
            own = {key: value for key, value in child.items() if key != "task"}
            yield from _expand(index, child["task"], {**own, **changed})
        elif isinstance(child, Mapping):
            yield from _members(index, child, changed)


def _leaf(name: str, settings: Mapping[str, Any]) -> Leaf:
    fewshot = settings.get("fewshot_config") or {}
    splits = [
        fewshot.get("split"),
        settings.get("fewshot_split"),
        None if fewshot.get("samples") else settings.get("training_split"),
    ]
    path = settings.get("dataset_path")
    return Leaf(
        name,
        None if "class" in settings else _text(settings.get("output_type", "generate_until")),
        _text(path),
        _text(settings.get("dataset_name")) or DEFAULT_CONFIG,
        next((split for split in splits if isinstance(split, str)), None),
        settings.get("num_fewshot"),
        bool(settings.get("unsafe_code")),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
