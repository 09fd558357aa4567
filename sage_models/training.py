"""What all training stages share: reproducible arithmetic, the way checkpoints are written, and quiet libraries."""

from __future__ import annotations

import importlib
import logging
import math
import os
import random
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TrainerCallback,
)
from transformers.utils import logging as transformers_logging

from sage_data.errors import ConfigError, InputError, StageError
from sage_data.progress import Bar
from sage_models.settings import TuningConfig

SCRATCH = ".training"
"""Folder inside the stage's work folder for what is needed only while training; names with a dot are no output."""


@contextmanager
def reproducible(seed: int, threads: int) -> Iterator[None]:
    """Fix every generator, the thread count and the choice of kernels for the block; restores them afterwards.

    The order of floating-point sums depends on the thread count, so equal bytes need equal `threads`.
    """
    before = (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), random.getstate())
    guard: Any = importlib.import_module("torch.utils.deterministic")  # untyped in torch
    filling = guard.fill_uninitialized_memory
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # deterministic products on NVIDIA GPUs need it
    with torch.random.fork_rng(devices=[]):
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(True)
        guard.fill_uninitialized_memory = False  # a guard against bugs that costs a tenth
        torch.manual_seed(seed)
        random.seed(seed)
        try:
            yield
        finally:
            torch.set_num_threads(before[0])
            torch.use_deterministic_algorithms(before[1])
            guard.fill_uninitialized_memory = filling
            random.setstate(before[2])


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep the bars and advice of transformers, datasets and TRL off the terminal; our own progress is shown instead.

    What matters of that advice is checked by our code: masks, lengths, dropped rows.
    """
    verbosity = transformers_logging.get_verbosity()
    levels = {name: logging.getLogger(name).level for name in ("trl", "accelerate", "datasets")}
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    if (datasets := sys.modules.get("datasets")) is not None:  # loaded by the stages that use TRL, by no other
        datasets.disable_progress_bars()
    for name in levels:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def bfloat16_wanted(precision: str, device: str = "auto") -> bool:
    """Whether matrix products run in bfloat16: as told, or for `auto` where the hardware has instructions for it.

    `device` is where they run: "cpu", or "auto" for a GPU when there is one.
    """
    if precision != "auto":
        return precision == "bfloat16"
    if device != "cpu" and torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported())


def trainer_arguments(config: TuningConfig, scratch: Path, steps: int, seed: int) -> dict[str, Any]:
    """Arguments for every TRL trainer: no checkpoints, no reports, a cosine from the peak rate to nothing.

    Raises:
        ConfigError: `micro_batch` does not divide `batch`.
    """
    micro = config.micro_batch or config.batch
    if config.batch % micro:
        raise ConfigError(f"expected micro_batch to divide batch; found {micro} and {config.batch}")
    return {
        "output_dir": str(scratch),
        "num_train_epochs": config.epochs,
        "per_device_train_batch_size": micro,
        "gradient_accumulation_steps": config.batch // micro,
        "learning_rate": config.lr,
        "lr_scheduler_type": "cosine",
        "warmup_steps": round(config.warmup * steps),
        "bf16": bfloat16_wanted(config.precision),
        "gradient_checkpointing": False,
        "use_cpu": not torch.cuda.is_available(),
        "save_strategy": "no",
        "report_to": "none",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # it would log a diverged step as a loss of 0
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
        "seed": seed,
        "data_seed": seed,
    }


def check_finite(step: int, values: Mapping[str, float]) -> None:
    """Stop a training run whose numbers are no numbers any more.

    Raises:
        StageError: a value is infinite or not a number.
    """
    wrong = {name: value for name, value in values.items() if not math.isfinite(value)}
    if wrong:
        found = ", ".join(f"{name} {value}" for name, value in wrong.items())
        raise StageError(
            f"training diverged at step {step}: expected finite numbers, found {found}", next_step="lower lr"
        )


class CurveRecorder(TrainerCallback):
    """Keeps what a trainer logs, as rows of one table, moves the progress bar, and stops a run that has diverged."""

    def __init__(self, columns: Mapping[str, str], bar: Bar) -> None:
        """`columns` maps the name of a logged number to the name of its column."""
        self._columns = columns
        self._bar = bar
        self.rows: list[dict[str, float | int]] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """One optimiser step is done."""
        self._bar.advance()

    def on_log(
        self, args: Any, state: Any, control: Any, logs: Mapping[str, float] | None = None, **kwargs: Any
    ) -> None:
        """Keep a step's numbers; the closing summary of the whole run is not a step.

        Raises:
            StageError: a number is not finite.
        """
        if logs and "loss" in logs:
            found = {column: float(logs[name]) for name, column in self._columns.items() if name in logs}
            check_finite(int(state.global_step), found)
            self.rows.append({"step": int(state.global_step), **found})

    def table(self) -> pa.Table:
        """One row a step: `step` (1-based), then the columns in the order given."""
        fields = [("step", pa.int64()), *((column, pa.float64()) for column in self._columns.values())]
        return pa.Table.from_pylist(self.rows, schema=pa.schema(fields))


def load_model(folder: Path) -> tuple[Any, PreTrainedTokenizerBase]:
    """Load a checkpoint folder: (model, tokenizer).

    Raises:
        InputError: the folder holds no checkpoint.
    """
    if not (folder / "config.json").is_file():
        raise InputError(
            f"{folder}: expected a checkpoint with config.json; found none",
            next_step="give the `model` folder of a base, sft or dpo stage, or of a downloaded model",
        )
    transformers_logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, use_safetensors=True)
    return model, tokenizer


def context_length(model: Any, wanted: int | None) -> int:
    """Longest dialogue in tokens: as wanted, or as long as the model can follow.

    Raises:
        ConfigError: more is wanted than the model can.
    """
    limit: int | None = getattr(model.config, "max_position_embeddings", None)
    length = limit if wanted is None else wanted
    if length is None:
        raise ConfigError("the model does not state how long its context is", next_step="set max_length")
    if limit is not None and length > limit:
        raise ConfigError(f"max_length: expected at most {limit}, the model's context; found {length}")
    return length


def save_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write weights (safetensors), configuration, generation defaults, tokenizer and chat template."""
    model.config._name_or_path = ""  # the folder it was loaded from would differ between machines
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
