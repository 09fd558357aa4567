"""What all training stages share: reproducible arithmetic, the way checkpoints are written, and quiet libraries."""

from __future__ import annotations

import logging
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from sage_data.errors import InputError


@contextmanager
def reproducible(seed: int, threads: int) -> Iterator[None]:
    """Fix every generator, the thread count and the choice of kernels for the block; restores them afterwards.

    The order of floating-point sums depends on the thread count, so equal bytes need equal `threads`.
    """
    before = (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), random.getstate())
    with torch.random.fork_rng(devices=[]):
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(True)
        torch.manual_seed(seed)
        random.seed(seed)
        try:
            yield
        finally:
            torch.set_num_threads(before[0])
            torch.use_deterministic_algorithms(before[1])
            random.setstate(before[2])


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep the bars and advice of transformers, datasets and TRL off the terminal; our own progress is shown instead.

    What matters of that advice is checked by our code: masks, lengths, dropped rows.
    """
    import datasets  # only the stages that use TRL have it loaded already

    verbosity = transformers_logging.get_verbosity()
    levels = {name: logging.getLogger(name).level for name in ("trl", "accelerate", "datasets")}
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
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


def load_model(folder: Path, dtype: str = "float32") -> tuple[Any, PreTrainedTokenizerBase]:
    """Load a checkpoint folder: (model, tokenizer).

    Raises:
        InputError: the folder holds no checkpoint.
    """
    if not (folder / "config.json").is_file():
        raise InputError(
            f"{folder}: expected a checkpoint with config.json; found none",
            next_step="give the `model` folder of a base, sft or dpo stage, or of a downloaded model",
        )
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype), use_safetensors=True)
    return model, tokenizer


def save_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write weights (safetensors), configuration, generation defaults, tokenizer and chat template."""
    model.config._name_or_path = ""  # the folder it was loaded from would differ between machines
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
