"""The one place that runs lm-evaluation-harness: a local checkpoint on tasks by name, results as plain values.

with open_harness(checkpoint, folder, tasks, options, log) as harness: harness.evaluate("piqa")
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sage_data.errors import InputError, MissingDependencyError


@dataclass(frozen=True, slots=True)
class Options:
    """How lm-eval is run."""

    limit: int | None
    num_fewshot: int | None
    batch_size: int
    apply_chat_template: bool
    bootstrap_iters: int
    device: str
    max_length: int | None
    offline: bool
    seed: int


@dataclass(frozen=True)
class Harness:
    """A loaded model with the tasks that can be run on it."""

    evaluator: Any
    model: Any
    manager: Any
    options: Options
    log: Path
    """Takes what lm-eval prints: a dozen bars a task, which would bury our own progress."""

    def evaluate(self, task: str) -> Mapping[str, Any]:
        """Run one task or group by its lm-eval name and return what lm-eval returns.

        Raises:
            InputError: there is no such task, or its data cannot be had.
        """
        if self.manager.task_index.get(task) is None:
            raise InputError(f"lm-eval has no task {task!r}", next_step="check `names`, or add its YAML to the tasks")
        try:
            with _logged(self.log), _no_machine_report(self.evaluator):
                return self._evaluate(task)
        except (ConnectionError, FileNotFoundError) as error:
            raise InputError(
                f"task {task!r}: its data could not be read: {error}",
                next_step="put the data beside the task's YAML, or set `offline: false` where there is a network",
            ) from error

    def _evaluate(self, task: str) -> Mapping[str, Any]:
        options = self.options
        found: Mapping[str, Any] = self.evaluator.simple_evaluate(
            model=self.model,
            tasks=[task],
            task_manager=self.manager,
            limit=options.limit,
            num_fewshot=options.num_fewshot,
            apply_chat_template=options.apply_chat_template,
            bootstrap_iters=options.bootstrap_iters,
            log_samples=True,
            random_seed=options.seed,
            numpy_random_seed=options.seed,
            torch_random_seed=options.seed,
            fewshot_random_seed=options.seed,
        )
        return found


@contextmanager
def open_harness(
    checkpoint: Path, folder: Path | None, tasks: Sequence[str], options: Options, log: Path
) -> Iterator[Harness]:
    """Load the checkpoint and index the tasks; offline settings hold as long as the block.

    Args:
        checkpoint: folder with config, weights and tokenizer.
        folder: task files of one's own, found before lm-eval's.
        tasks: names that will be run.
        options: how.
        log: file that takes what lm-eval prints.

    Raises:
        MissingDependencyError: lm-eval is not installed.
    """
    evaluator, huggingface, managers = _libraries()
    with _offline(options.offline):
        device = options.device if options.device != "auto" else _device()
        length = {} if options.max_length is None else {"max_length": options.max_length}
        with _logged(log):
            model = huggingface.HFLM(
                pretrained=str(checkpoint), device=device, batch_size=options.batch_size, dtype="auto", **length
            )
            manager = _index(managers.TaskManager, folder, tasks)
        yield Harness(evaluator, model, manager, options, log)


def _index(manager: Any, folder: Path | None, tasks: Sequence[str]) -> Any:
    """Index the folder alone when every task is a single one defined there: lm-eval's own 14,000 files take seconds."""
    if folder is not None:
        own = manager(include_path=str(folder), include_defaults=False)
        if set(tasks) <= set(own.all_subtasks):
            return own
    return manager(include_path=None if folder is None else str(folder))


def _libraries() -> tuple[Any, Any, Any]:
    # Imported on use: the import alone takes seconds, and planning a recipe needs none of it.
    names = ("lm_eval.evaluator", "lm_eval.models.huggingface", "lm_eval.tasks")
    try:
        first, second, third = (importlib.import_module(name) for name in names)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"benchmarks need the package {error.name!r}, which is not installed",
            next_step="pip install 'sage-dialogue[bench]'",
        ) from error
    return first, second, third


def _device() -> str:
    return "cuda" if importlib.import_module("torch").cuda.is_available() else "cpu"


@contextmanager
def _logged(log: Path) -> Iterator[None]:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file, redirect_stderr(file):
        yield


def _no_machine_report(evaluator: Any) -> AbstractContextManager[None]:
    """Keep lm-eval from asking pip, git and lscpu about this machine after each task: slow, and never stored."""
    names = [name for name in ("add_env_info", "get_git_commit_hash") if hasattr(evaluator, name)]
    return _swapped([(evaluator, name, lambda *_: None) for name in names])


def _offline(offline: bool) -> AbstractContextManager[None]:
    """Forbid the Hub for a while. The libraries read their environment once, when imported: their switches are set."""
    modules = ("huggingface_hub.constants", "datasets.config") if offline else ()
    return _swapped([(importlib.import_module(name), "HF_HUB_OFFLINE", True) for name in modules])


@contextmanager
def _swapped(switches: Sequence[tuple[Any, str, Any]]) -> Iterator[None]:
    """Give attributes of modules other values for the length of a block."""
    before = [(module, name, getattr(module, name)) for module, name, _ in switches]
    for module, name, value in switches:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)
