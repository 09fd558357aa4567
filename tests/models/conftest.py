"""A model so small that it trains in a second: random weights, real tokenizer, the project's own chat template."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from transformers import PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from sage_models.base.architecture import new_model
from sage_models.base.tokenizer import train_tokenizer

MAX_LENGTH = 256
TOPICS = ("my dog", "the old boat", "a new job", "our garden", "the long trip")
FEELINGS = ("happy", "lonely", "proud", "worried")


def dialogue_messages(seed: int, exchanges: int = 2) -> list[dict[str, str]]:
    """A small made-up dialogue whose replies carry tags."""
    draw = random.Random(seed)
    messages = []
    for _ in range(exchanges):
        topic, feeling = draw.choice(TOPICS), draw.choice(FEELINGS)
        messages.append({"role": "user", "content": f"I feel {feeling} about {topic} today."})
        tags = (
            f"{{u_motivation: sharing, u_emotion: {feeling}, u_topic: [{topic}]}} "
            f"{{a_motivation: showing interest, a_emotion: curious, a_topic: [{topic}]}}"
        )
        messages.append({"role": "assistant", "content": f"{tags} Tell me more about {topic}, will you?"})
    return messages


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


def write_messages(
    folder: Path, dialogues: Sequence[Sequence[Mapping[str, str]]], name: str = "messages-00000.parquet"
) -> Path:
    """Write dialogues as one Parquet file with a column `messages`; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    pq.write_table(pa.table({"messages": pa.array([list(one) for one in dialogues], kind)}), folder / name)
    return folder
