"""What a stage's bytes depend on, hashed, and part by part so that a change can be named.

fingerprint(load_stage("sage_data.gates"), config, inputs, seed=7)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sage_data.inputs import Inputs, resolve_path
from sage_data.stage.contract import StageConfig, StageModule
from sage_data.store.files import sha256_file, sha256_json

REMOTE = "openai:"
"""Scheme whose model is never a path, though a folder here may have its name."""


def resources(module: StageModule, config: StageConfig) -> dict[str, str]:
    """Folder and file name -> sha256 of the prompt and lexicon files that the stage uses with this config."""
    stated: Sequence[Path] | Callable[[StageConfig], Sequence[Path]] = getattr(module, "RESOURCES", ())
    paths = stated(config) if callable(stated) else stated
    return {f"{path.parent.name}/{path.name}": sha256_file(path) for path in paths}


def fingerprint(module: StageModule, config: StageConfig, inputs: Inputs, seed: int) -> str:
    """Hash of everything the stage's bytes depend on."""
    return sha256_json(describe(module, config, inputs, seed))


def backend_files(value: Any) -> dict[str, str]:
    """Backend URI -> hash of the local file or folder it names, for every such URI in a config's values."""
    if isinstance(value, dict):
        return backend_files(list(value.values()))
    if isinstance(value, list):
        return {uri: digest for one in value for uri, digest in backend_files(one).items()}
    if not isinstance(value, str) or ":" not in value or value.startswith(REMOTE):
        return {}
    path = Path(value.partition(":")[2].partition("?")[0])
    return {value: resolve_path(path).fingerprint} if path.name and path.exists() else {}


def counted_config(config: StageConfig) -> dict[str, Any]:
    """A config as plain data without its volatile fields: the part of it that bytes depend on."""
    counted: dict[str, Any] = _without_addresses(config.model_dump(mode="json", exclude=set(config.volatile)))
    return counted


def _without_addresses(value: Any) -> Any:
    """The same data with every backend named by what decides its answers."""
    from sage_data.chat.uri import stable_uri

    if isinstance(value, dict):
        return {key: _without_addresses(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_addresses(one) for one in value]
    return stable_uri(value) if isinstance(value, str) else value


def describe(module: StageModule, config: StageConfig, inputs: Inputs, seed: int) -> dict[str, Any]:
    """What goes into the fingerprint, part by part, so that a change can be named."""
    dumped = counted_config(config)
    return {
        "uses": module.__name__,
        "version": module.VERSION,
        "config": dumped,
        "resources": {**resources(module, config), **backend_files(dumped)},
        "seed": seed,
        "inputs": {
            name: [{"label": one.label, "fingerprint": one.fingerprint} for one in listed]
            for name, listed in inputs.items()
        },
    }
