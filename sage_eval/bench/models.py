"""The model under test by its URI, and how lm-eval opens it. No code from a checkpoint or dataset is ever run.

hf:@model               the input `model`, with the LoRA adapter of the input `adapter` where there is one
hf:ORG/NAME             a model of the Hub, or of its cache; `?revision=` names a commit
vllm:@model, vllm:ORG/NAME   the same through vLLM
openai:MODEL@URL        a server that speaks OpenAI's protocol; options as for every `openai:` address
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from sage_data.chat.openai.address import Address, parse_address, read_key
from sage_data.errors import ConfigError, InputError, MissingDependencyError
from sage_data.inputs import Input, Inputs
from sage_data.store.files import sha256_file, sha256_json
from sage_eval.bench.endpoint import Api, check_address, open_endpoint
from sage_eval.bench.offline import shut_hub

OWN = "@model"
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
_HUB = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")
_ADAPTER, _LINEAGE = "adapter_config.json", "lineage.json"
Argument = str | int | float | bool


class Engine(StrEnum):
    """Who runs the model."""

    HF = "hf"
    VLLM = "vllm"
    OPENAI = "openai"


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


@dataclass(frozen=True, slots=True)
class Candidate:
    """The model under test."""

    engine: Engine
    name: str
    """Folder, Hub id, or the server's name for it."""
    identity: str
    """What is written down: no path, no address."""
    revision: str | None = None
    adapter: Path | None = None
    tokenizer: str | None = None
    """Folder or Hub id, for a server whose model's name is none."""
    address: Address | None = None
    api: Api = Api.COMPLETIONS

    @property
    def scores_text(self) -> bool:
        """True when it can give the log-likelihood of a given text."""
        return self.engine is not Engine.OPENAI or self.api is Api.COMPLETIONS

    @property
    def paths(self) -> tuple[Path, ...]:
        """Folders on this machine that it is made of."""
        named = [Path(one) for one in (self.name, self.tokenizer) if one and Path(one).is_dir()]
        return (*named, *([] if self.adapter is None else [self.adapter]))

    @property
    def key(self) -> str | None:
        """The key that is sent, to be kept out of everything written."""
        return None if self.address is None else read_key(self.address)


def candidate_of(uri: str, api: Api, tokenizer_id: str | None, inputs: Inputs, *, offline: bool) -> Candidate:
    """Find out what the URI and the inputs name.

    Raises:
        ConfigError: the URI is of no known form, or an input does not go with it.
        InputError: a folder is no checkpoint or no adapter, or the Hub's model is not there.
    """
    scheme, _, rest = uri.partition(":")
    if scheme not in list(Engine) or not rest:
        raise ConfigError(
            f"model_uri: expected hf:, vllm: or openai:, found {scheme[:20]!r}",
            next_step="hf:@model, hf:ORG/NAME, vllm:@model, or openai:MODEL@URL",
        )
    engine, adapter = Engine(scheme), inputs.optional("adapter")
    if engine is Engine.OPENAI:
        _refuse(inputs, ("model", "adapter"), uri="openai:MODEL@URL")
        return _served(rest, api, tokenizer_id, inputs.optional("tokenizer"))
    _refuse(inputs, ("tokenizer",), uri=f"{engine}:")
    if rest == OWN:
        found = _local(engine, inputs)
    else:
        _refuse(inputs, ("model",), uri=f"{engine}:ORG/NAME")
        found = _hub(engine, rest, offline)
    return found if adapter is None else _adapted(found, adapter)


def _refuse(inputs: Inputs, names: tuple[str, ...], uri: str) -> None:
    for name in names:
        if inputs.optional(name) is not None:
            raise ConfigError(f"the input {name!r} has no part in a model_uri {uri}", next_step=f"leave out {name!r}")


def _local(engine: Engine, inputs: Inputs) -> Candidate:
    model = inputs.optional("model")
    if model is None:
        raise ConfigError(
            "there is no input `model`, and model_uri names none",
            next_step="sage eval bench MODEL_FOLDER, or --model-uri openai:MODEL@URL",
        )
    return Candidate(engine, str(checkpoint_of(model).resolve()), f"{model.label}@{model.fingerprint[:12]}")


def checkpoint_of(model: Input) -> Path:
    """The folder that holds `config.json`: the input itself, or `model` inside it.

    Raises:
        InputError: neither does.
    """
    for folder in (model.path, model.path / "model"):
        if (folder / "config.json").is_file():
            return folder
    adapter = (model.path / _ADAPTER).is_file()
    raise InputError(
        f"{model.path}: expected a checkpoint with a config.json, here or in model/; "
        f"found {'an adapter alone' if adapter else 'none'}",
        next_step="give its base as `model`, and this as `adapter`"
        if adapter
        else "give the `model` folder of a training stage",
    )


def _hub(engine: Engine, rest: str, offline: bool) -> Candidate:
    name, _, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := options.keys() - {"revision"}:
        raise ConfigError(f"model_uri: unknown option {min(unknown)[:20]!r}", next_step="known: revision")
    if Path(name).exists() or not _HUB.fullmatch(name):
        raise ConfigError(
            f"model_uri: expected a model of the Hub, found the path {name!r}",
            next_step=f"give the folder as the input: sage eval bench {name} --model-uri {engine}:{OWN}",
        )
    commit = _commit(name, options.get("revision"), offline)
    return Candidate(engine, name, f"{name}@{commit[:12]}", revision=commit)


def _commit(name: str, revision: str | None, offline: bool) -> str:
    """The commit that a revision of a Hub's model stands for."""
    hub = importlib.import_module("huggingface_hub")
    try:
        with shut_hub(offline):
            config = hub.hf_hub_download(name, "config.json", revision=revision, local_files_only=offline)
    except (OSError, ValueError) as error:
        where = "the Hub's cache" if offline else "the Hub"
        raise InputError(
            f"{name}: not found in {where}: {type(error).__name__}",
            next_step="download it first: hf download " + name + ", or set `offline: false`",
        ) from error
    return Path(config).parent.name


def _adapted(base: Candidate, adapter: Input) -> Candidate:
    for folder in (adapter.path, adapter.path / "adapter"):
        if (folder / _ADAPTER).is_file():
            identity = f"{base.identity}+{adapter.label}@{adapter.fingerprint[:12]}"
            return Candidate(base.engine, base.name, identity, base.revision, folder.resolve())
    raise InputError(
        f"{adapter.path}: expected a LoRA adapter with an {_ADAPTER}, here or in adapter/; found none",
        next_step="give the `adapter` folder of a training stage",
    )


def _served(rest: str, api: Api, tokenizer_id: str | None, tokenizer: Input | None) -> Candidate:
    address = parse_address(rest)
    check_address(address)
    if tokenizer is not None and tokenizer_id is not None:
        raise ConfigError("both an input `tokenizer` and a `tokenizer_id` are given", next_step="leave one of them out")
    if tokenizer_id is not None and not _HUB.fullmatch(tokenizer_id):
        raise ConfigError(f"tokenizer_id: expected a Hub id, found {tokenizer_id!r}", next_step="--tokenizer FOLDER")
    folder = None if tokenizer is None else str(_tokenizer_of(tokenizer).resolve())
    return Candidate(
        Engine.OPENAI, address.model, address.identity, tokenizer=folder or tokenizer_id, address=address, api=api
    )


def _tokenizer_of(given: Input) -> Path:
    for folder in (given.path, given.path / "model"):
        if (folder / "tokenizer_config.json").is_file():
            return folder
    raise InputError(f"{given.path}: expected a tokenizer with a tokenizer_config.json, found none")


def other_base(candidate: Candidate) -> str | None:
    """What to say when an adapter was trained on other weights than these; None where it was not, or nothing is known.

    The stages of sage write the hash of the base's weights beside each adapter.
    """
    lineage = None if candidate.adapter is None else candidate.adapter / _LINEAGE
    weights = sorted(Path(candidate.name).glob("*.safetensors"))
    if lineage is None or not lineage.is_file() or not weights:
        return None
    found = sha256_json({path.name: sha256_file(path) for path in weights})
    if json.loads(lineage.read_text(encoding="utf-8")).get("parent") in (None, found):
        return None
    return f"the adapter was trained on other weights than {candidate.identity.partition('+')[0]}"


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
        MissingDependencyError: vLLM is not installed.
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
    causal = importlib.import_module("lm_eval.models.vllm_causallms")
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
    except OSError as error:
        raise InputError(
            f"no tokenizer for {candidate.identity}: {type(error).__name__}",
            next_step="give its folder as the input `tokenizer`, or its Hub id as `tokenizer_id`",
        ) from error


def _device() -> str:
    return "cuda" if importlib.import_module("torch").cuda.is_available() else "cpu"
