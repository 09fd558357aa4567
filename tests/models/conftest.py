"""A model so small that it trains in a second: random weights, real tokenizer, the project's own chat template."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from made_messages import dialogue_messages
from transformers import PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from sage_models.base.architecture import new_model
from sage_models.base.tokenizer import train_tokenizer

MAX_LENGTH = 256


@pytest.fixture(autouse=True)
def _one_thread_and_quiet() -> Iterator[None]:
    """One thread keeps the tests' tiny products fast and their bytes the same."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    transformers_logging.disable_progress_bar()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_tokenizer() -> PreTrainedTokenizerBase:
    """Byte-level BPE of some 400 tokens, trained on `dialogue_messages`."""
    texts = [message["content"] for seed in range(40) for message in dialogue_messages(seed)]
    return train_tokenizer(texts, vocab_size=400, max_length=MAX_LENGTH)


@pytest.fixture(scope="session")
def tiny_model_dir(tiny_tokenizer: PreTrainedTokenizerBase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a complete checkpoint: 2 layers, 64 wide, random weights. Do not write into it."""
    folder = tmp_path_factory.mktemp("tiny-model") / "model"
    new_model(tiny_tokenizer, hidden=64, layers=2, max_length=MAX_LENGTH, seed=7).save_pretrained(folder)
    tiny_tokenizer.save_pretrained(folder)
    return folder
