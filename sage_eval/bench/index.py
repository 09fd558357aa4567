"""lm-eval's index of task files, read no further than the names that are run need.

index_tasks(None, ["piqa", "mmlu"])
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sage_data.errors import MissingDependencyError

PAPER_FOLDERS = (
    "hellaswag",
    "arc",
    "mmlu/default",
    "winogrande",
    "openbookqa",
    "piqa",
    "siqa",
    "commonsense_qa",
    "gsm8k",
)
"""Where lm-eval keeps the paper's tasks; reading all its 14,000 files takes half a minute."""


def index_tasks(folder: Path | None, names: Sequence[str]) -> Any:
    """lm-eval's `TaskManager`, over no more files than the names need.

    Args:
        folder: task files of one's own, found before lm-eval's.
        names: tasks that will be run.

    Raises:
        MissingDependencyError: lm-eval is not installed.
    """
    try:
        tasks = importlib.import_module("lm_eval.tasks")
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"benchmarks need the package {error.name!r}, which is not installed",
            next_step="pip install 'sage-dialogue[bench]'",
        ) from error
    own = [] if folder is None else [str(folder)]
    shipped = [path for name in PAPER_FOLDERS if (path := Path(str(tasks.__file__)).parent / name).is_dir()]
    for few in (own, [*map(str, shipped), *own]):
        if few:
            manager = tasks.TaskManager(include_path=few, include_defaults=False)
            if set(names) <= set(manager.all_tasks):
                return manager
    return tasks.TaskManager(include_path=own or None)
