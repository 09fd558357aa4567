"""The model under test, by its URI and the stage's inputs.

hf:@model               the input `model`, with the LoRA adapter of the input `adapter` where there is one
hf:ORG/NAME             a model of the Hub, or of its cache; `?revision=` names a commit
vllm:@model, vllm:ORG/NAME   the same through vLLM
openai:MODEL@URL        a server that speaks OpenAI's protocol; options as for every `openai:` address
"""

from __future__ import annotations

import importlib
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import parse_qsl

from sage_data.chat.openai.address import Address, parse_address, read_key
from sage_data.errors import ConfigError, InputError
from sage_data.inputs import Input, Inputs
from sage_data.store.files import sha256_file, sha256_json
from sage_eval.bench.endpoint import Api, check_address
from sage_eval.bench.offline import shut_hub

OWN = "@model"
_HUB = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")
_ADAPTER, _LINEAGE = "adapter_config.json", "lineage.json"


class Engine(StrEnum):
    """Who runs the model."""

    HF = "hf"
    VLLM = "vllm"
    OPENAI = "openai"


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
