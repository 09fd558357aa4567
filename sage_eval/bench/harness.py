"""The one place that runs lm-evaluation-harness: tasks by name on an opened model, results as plain values.

Harness(model, manager, options, mirror, log, scrub).evaluate(Wanted("piqa", 0))
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sage_data.errors import InputError
from sage_eval.bench.logs import Scrubber, logged
from sage_eval.bench.offline import inside, swapped
from sage_eval.bench.planning import Wanted


@dataclass(frozen=True, slots=True)
class Options:
    """How lm-eval is run."""

    limit: int | None
    apply_chat_template: bool
    bootstrap_iters: int
    seed: int


@dataclass(frozen=True)
class Harness:
    """A loaded model with the tasks that can be run on it."""

    model: Any
    manager: Any
    options: Options
    mirror: Path | None
    """Working directory of each run."""
    log: Path
    """Takes what lm-eval prints: a dozen bars a task, which would bury our own progress."""
    scrub: Scrubber

    def evaluate(self, wanted: Wanted) -> Mapping[str, Any]:
        """Run one task or group by its lm-eval name and return what lm-eval returns.

        Raises:
            BackendError: the server gave what is no answer.
            InputError: the task's data cannot be had, or lm-eval refuses to run it on this model.
        """
        evaluator = importlib.import_module("lm_eval.evaluator")
        try:
            with logged(self.log.resolve(), self.scrub), inside(self.mirror), _no_machine_report(evaluator):
                return self._evaluate(evaluator, wanted)
        except (ConnectionError, FileNotFoundError) as error:
            raise InputError(
                f"task {wanted.name!r}: its data could not be read: {error}",
                next_step="make a mirror of it (sage eval bench mirror), put the data beside the task's YAML, "
                "or set `offline: false` where there is a network",
            ) from error
        except (AssertionError, NotImplementedError, ValueError) as error:
            raise InputError(
                f"task {wanted.name!r}: lm-eval cannot run it on this model: {error}",
                next_step=f"see {self.log} for what lm-eval said before",
            ) from error

    def _evaluate(self, evaluator: Any, wanted: Wanted) -> Mapping[str, Any]:
        options = self.options
        found: Mapping[str, Any] = evaluator.simple_evaluate(
            model=self.model,
            tasks=[wanted.name],
            task_manager=self.manager,
            limit=options.limit,
            num_fewshot=wanted.num_fewshot,
            apply_chat_template=options.apply_chat_template,
            bootstrap_iters=options.bootstrap_iters,
            log_samples=True,
            random_seed=options.seed,
            numpy_random_seed=options.seed,
            torch_random_seed=options.seed,
            fewshot_random_seed=options.seed,
        )
        return found


def _no_machine_report(evaluator: Any) -> AbstractContextManager[None]:
    """Keep lm-eval from asking pip, git and lscpu about this machine after each task: slow, and never stored."""
    names = [name for name in ("add_env_info", "get_git_commit_hash") if hasattr(evaluator, name)]
    return swapped([(evaluator, name, lambda *_: None) for name in names])
