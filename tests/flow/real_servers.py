"""Real OpenAI-compatible servers with a real, tiny model: vLLM's CPU build, and `transformers serve`.

Both run as processes of their own on a free port of this machine and read nothing from a network. vLLM lives in an
environment of its own (`make test-vllm`), because it needs an older transformers than the rest.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sage_data.chat import Message

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast

VLLM_PYTHON = "SAGE_VLLM_PYTHON"
"""Environment variable that names the Python of vLLM's environment."""
CONTEXT = 8192
READY_WITHIN_S = 180
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    # Scoring a prompt would compile a kernel, with headers that the compiler does not find below a path with a space.
    "TORCHDYNAMO_DISABLE": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_NO_USAGE_STATS": "1",
}


Talk = tuple[Sequence[Message], str]
"""Messages, and what a model is to answer."""


def make_tiny_model(folder: Path, talks: Sequence[Talk], steps: int) -> Path:
    """Write a checkpoint of two layers that has learned the answers of `talks` by heart, in `steps` rounds of them."""
    import torch

    from sage_models.base.architecture import new_model
    from sage_models.base.tokenizer import train_tokenizer

    torch.manual_seed(7)
    texts = [text for messages, answer in talks for text in (*(one.content for one in messages), answer)]
    tokenizer = train_tokenizer(texts, vocab_size=3000, max_length=CONTEXT)
    model = new_model(tokenizer, hidden=128, layers=2, max_length=CONTEXT, seed=7)
    learned = [_tokens(tokenizer, messages, answer) for messages, answer in talks]
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for ids, begins in learned * steps:
        labels = ids.clone()
        labels[:, :begins] = -100
        model(input_ids=ids, labels=labels).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokens(tokenizer: PreTrainedTokenizerFast, messages: Sequence[Message], answer: str) -> tuple[torch.Tensor, int]:
    """A talk as token ids (1, tokens), and where its answer begins."""
    asked = [{"role": one.role, "content": one.content} for one in messages]
    options = {"return_tensors": "pt", "return_dict": True}
    whole = tokenizer.apply_chat_template([*asked, {"role": "assistant", "content": answer}], **options)["input_ids"]
    return whole, tokenizer.apply_chat_template(asked, add_generation_prompt=True, **options)["input_ids"].shape[1]


@contextmanager
def vllm_server(model: Path, log: Path) -> Iterator[str]:
    """Serve `model` under the name "tiny" with vLLM; yields the URL. Skips where vLLM's environment is not named."""
    python = os.environ.get(VLLM_PYTHON)
    if not python:
        pytest.skip(f"{VLLM_PYTHON} is not set: make test-vllm")
    port = free_port()
    command = [python, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model), "--served-model-name", "tiny"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--max-model-len", str(CONTEXT), "--enforce-eager"]
    # Without this a model with random weights fills its reply with the white space that JSON allows.
    command += ["--structured-outputs-config", '{"backend": "xgrammar", "disable_any_whitespace": true}']
    with _running(command, port, log) as url:
        yield url


@contextmanager
def transformers_server(model: Path, log: Path) -> Iterator[str]:
    """Serve `model` with transformers; yields the URL."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(model)]
    with _running([*command, "--host", "127.0.0.1", "--port", str(port)], port, log) as url:
        yield url


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(command: Sequence[str], port: int, log: Path) -> Iterator[str]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, **QUIET}, start_new_session=True
        )
        try:
            _wait_until_ready(process, f"http://127.0.0.1:{port}/health", log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the server ended with {process.returncode}:\n{log.read_text(errors='replace')[-3000:]}")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    pytest.fail(f"the server was not ready after {READY_WITHIN_S} s:\n{log.read_text(errors='replace')[-3000:]}")
