"""Which model a folder or Hub id holds: where its files are, and an identity that depends on their bytes alone.

identity_of(*locate("runs/quickstart/sage1/model"))      # "sage1@3f2a9c0d51e87b46"
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from sage_data.errors import BackendError, SageError

_KEPT = ("*.safetensors", "*.safetensors.index.json", "*.json", "*.jinja", "tokenizer.model")
"""The files a model's behaviour depends on; everything else in the folder (logs, optimiser states) is ignored."""
_PLAIN_NAMES = ("model", "merged")
"""Folder names that say nothing: the folder above gives the model its name."""
_DIGITS = 16


def locate(name: str) -> tuple[Path, str]:
    """Return the folder of a checkpoint and its short name.

    `name` is a local path, or a Hub id whose snapshot is fetched or found in the Hub's cache.

    Raises:
        BackendError: there is neither.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        return path, _short_name(path)
    if path.is_absolute() or name.startswith((".", "~")) or name.count("/") != 1:
        raise BackendError(f"no model folder at {name}", next_step="check the path, or the stage that makes the model")
    # Only a Hub id needs the Hub's client.
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=list(_KEPT))), name
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise BackendError(
            f"{name} is no local folder and could not be fetched from the Hub: {type(error).__name__}",
            next_step="check the id and the network, or download the model first",
        ) from error


def identity_of(folder: Path, name: str) -> str:
    """Return `NAME@HASH`: a short name and a hash of weights, configuration, tokenizer and chat template.

    Raises:
        BackendError: the folder holds no safetensors weights.
    """
    files = sorted({file for pattern in _KEPT for file in folder.glob(pattern)})
    if not any(file.suffix == ".safetensors" for file in files):
        raise BackendError(
            f"{folder} holds no *.safetensors file",
            next_step="use a complete checkpoint; weights in pickle formats are never loaded",
        )
    whole = hashlib.sha256()
    for file in files:
        stat = file.stat()
        whole.update(f"{file.name}:{_file_hash(file, stat.st_size, stat.st_mtime_ns)}\n".encode())
    return f"{name}@{whole.hexdigest()[:_DIGITS]}"


def _short_name(folder: Path) -> str:
    folder = folder.resolve()
    return folder.parent.name if folder.name in _PLAIN_NAMES else folder.name


@lru_cache(maxsize=1024)
def _file_hash(file: Path, size: int, modified_ns: int) -> str:
    """Hash one file; size and time are there so that a changed file is read again."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise SageError(f"cannot read {file} ({size} bytes, changed at {modified_ns}): {error.strerror}") from error
