"""Atomic files and content hashes: a final path never holds half a file.

Everything is written under a temporary name beside its final one, flushed to disk, then moved in one step.
Temporary names start with `.tmp-`, so that a killed process leaves nothing that could be taken for output.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

TEMPORARY = ".tmp-"


def canonical_json(value: Any) -> str:
    """JSON with one spelling per value: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256_json(value: Any) -> str:
    """Hex digest of a JSON value; halves of surrogate pairs, which UTF-8 cannot hold, count like other characters."""
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()


def sha256_file(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def atomic_path(final: Path) -> Iterator[Path]:
    """Yield a temporary path; when the block ends without error, it becomes `final` (a file or a whole folder)."""
    # A token, as processes on several machines may write the same file.
    temporary = final.with_name(f"{TEMPORARY}{uuid4().hex[:12]}-{final.name}")
    final.parent.mkdir(parents=True, exist_ok=True)
    remove(temporary)
    try:
        yield temporary
        _flush(temporary)
        if final.is_dir():
            remove(final)
        temporary.replace(final)
        _sync(final.parent)
    finally:
        remove(temporary)


def write_text(final: Path, text: str) -> None:
    """Write a UTF-8 file atomically, with Unix line ends on every system."""
    with atomic_path(final) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(final: Path, value: Any) -> None:
    """Write indented JSON with sorted keys atomically."""
    write_text(final, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def remove(path: Path) -> None:
    """Delete a file or a folder tree if it is there."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)


def clear_temporary(folder: Path) -> None:
    """Delete what killed processes left half-written below `folder`."""
    for path in sorted(folder.rglob(f"{TEMPORARY}*")):
        remove(path)


def regular_files(folder: Path) -> list[Path]:
    """Every regular file below `folder`, sorted by its POSIX path; symbolic links and temporary names are left out."""
    found = [
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and not path.name.startswith(TEMPORARY)
    ]
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def sha256_outside(folder: Path) -> str:
    """Hash of every file below a folder that no stage made: hidden ones count, and links are followed."""
    found = []
    for place, folders, names in os.walk(folder, followlinks=True):
        folders.sort()
        found += [Path(place) / name for name in names]
    return sha256_json(sorted((path.relative_to(folder).as_posix(), sha256_file(path)) for path in found))


def _flush(path: Path) -> None:
    """Put a file, or a folder with all its files, on the disk."""
    if path.is_dir():
        for file in regular_files(path):
            _sync(file)
    _sync(path)


def _sync(path: Path) -> None:
    """Put one file's bytes, or one folder's list of entries, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
