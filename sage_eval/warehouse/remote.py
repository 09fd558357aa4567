"""Bring a warehouse from behind a URL onto this machine: its Parquet, into a private cache, every byte checked.

Queries never reach the network: what is asked for is fetched first, and only what the stage's own manifest lists is
kept, by its hash. What is here already with the right hash is not fetched again.

    fetch("hf://datasets/OWNER/NAME@REVISION")          # or s3://bucket/run, or any other fsspec URL
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sage_data.errors import ConfigError, DamagedFileError, InputError, SageError
from sage_data.inputs import open_file_system
from sage_data.store.files import atomic_path, sha256_file, sha256_json
from sage_data.store.manifest import MANIFEST, FileEntry, Manifest, read_manifest
from sage_eval.warehouse.contract import MARKER, TABLES

CACHE = "SAGE_CACHE"
"""Environment variable that names another folder for what is fetched."""
_PASSWORD = re.compile(r"://[^/@]*:[^/@]*@")
_SHARD = re.compile(rf"(?:{'|'.join(table.name for table in TABLES)})-\d{{5}}\.parquet")
T = TypeVar("T")


def cache_folder() -> Path:
    """Where fetched warehouses are kept: `$SAGE_CACHE`, or `sage-dialogue` in the user's cache folder."""
    if chosen := os.environ.get(CACHE):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sage-dialogue"


def fetch(url: str) -> Path:
    """The local copy of the warehouse at a URL: of a warehouse folder, or of a run folder that holds one.

    Raises:
        ConfigError: no file system is known for the URL, or it holds a password.
        InputError: there is no warehouse, it cannot be read, or it has no manifest.
        DamagedFileError: a file's bytes are not those that the manifest lists.
        MissingDependencyError: the package that reads such URLs is not installed.
    """
    if _PASSWORD.search(url):
        raise ConfigError(
            "a URL may not hold a password",
            next_step="give credentials through the environment or the file system's own configuration file",
        )
    system, root = open_file_system(url)
    _asked(url, system.invalidate_cache)
    folder = _find(url, system, root.rstrip("/"))
    kept = _private(cache_folder() / "warehouses" / sha256_json(url)[:32])
    manifest = _manifest(url, system, folder, kept)
    for entry in manifest.files:
        if entry.path == MARKER or _SHARD.fullmatch(entry.path):
            _fetch_file(url, system, f"{folder}/{entry.path}", entry, kept / entry.path)
    _drop_others(kept, manifest)
    return kept


def _find(url: str, system: Any, root: str) -> str:
    """Where the warehouse lies: `root` itself, or the one folder in it that is one."""
    if _asked(url, lambda: system.exists(f"{root}/{MARKER}")):
        return root
    found = sorted(str(one).rpartition("/")[0] for one in _asked(url, lambda: system.glob(f"{root}/*/{MARKER}")))
    if len(found) != 1:
        listed = ", ".join(found) or "none"
        raise InputError(
            f"{url}: expected a warehouse (a folder with {MARKER}) or a run that holds one; found {listed}",
            next_step="name the warehouse's own folder",
        )
    return found[0]


def _manifest(url: str, system: Any, folder: str, kept: Path) -> Manifest:
    with atomic_path(kept / MANIFEST) as temporary:
        if not _asked(url, lambda: system.exists(f"{folder}/{MANIFEST}")):
            raise InputError(
                f"{url}: expected {MANIFEST} beside {MARKER}, found none; without it the files cannot be checked",
                next_step="publish the whole folder that the warehouse stage wrote",
            )
        _asked(url, lambda: system.get_file(f"{folder}/{MANIFEST}", str(temporary)))
    manifest = read_manifest(kept)
    if manifest is None or not any(entry.path == MARKER for entry in manifest.files):
        raise InputError(f"{url}: its {MANIFEST} lists no {MARKER}, so it is not a warehouse's")
    return manifest


def _fetch_file(url: str, system: Any, remote: str, entry: FileEntry, kept: Path) -> None:
    if kept.is_file() and not kept.is_symlink() and sha256_file(kept) == entry.sha256:
        return
    with atomic_path(kept) as temporary:
        _asked(url, lambda: system.get_file(remote, str(temporary)))
        found = temporary.stat().st_size
        if found != entry.bytes or sha256_file(temporary) != entry.sha256:
            raise DamagedFileError(
                f"{url}: {entry.path} has other bytes than its {MANIFEST} lists "
                f"({found} bytes, expected {entry.bytes} with hash {entry.sha256[:12]})",
                next_step="it was changed, or is being written; publish it again, or name a fixed revision",
            )


def _drop_others(kept: Path, manifest: Manifest) -> None:
    """Forget what an earlier revision had and this one has not."""
    listed = {MANIFEST, *(entry.path for entry in manifest.files)}
    for path in kept.iterdir():
        if path.name not in listed and path.is_file():
            path.unlink()


def _private(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def _asked(url: str, question: Callable[[], T]) -> T:
    """The store's answer; clients raise all kinds of errors, many of which are no `OSError`."""
    try:
        return question()
    except SageError:
        raise
    except Exception as error:
        raise InputError(
            f"{url}: cannot be read: {type(error).__name__}: {error}",
            next_step="check the address, the network and the credentials",
        ) from error
