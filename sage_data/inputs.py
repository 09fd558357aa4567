"""What a stage reads: the inputs it asks for, and those it is given, each with the hash that decides freshness.

Local files and finished stages count by content. What lies behind a URL is not read twice: it counts by its name, its
size and the mark its file system keeps (an ETag or checksum where there is one, else the time it was written). So a
copy of the same bytes elsewhere may count as another input; a changed file never counts as the same while the mark
tells versions apart.

    Input(Path("dialogues"), "dialogues", content)  =  resolve_input("dialogues/", Need("dialogues", "what it reads"))
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from glob import has_magic
from pathlib import Path
from typing import Any

from sage_data.errors import ConfigError, InputError, MissingDependencyError
from sage_data.store.files import sha256_file, sha256_json, sha256_outside
from sage_data.store.manifest import Manifest, Origin, content_hash, damage, read_manifest

MARKS = ("ETag", "xet_hash", "blob_id", "etag", "md5", "md5Hash", "Content-MD5", "crc32c", "Digest", "generation")
"""What file systems call the mark that changes with a file's bytes; the first one found is taken."""
TIMES = ("LastModified", "Last-Modified", "last_modified", "mtime", "modified", "updated", "created")
"""What they call the time of writing, which stands in where there is no such mark."""
INSIDE = 2
"""How deep inside a stage's folder an input may lie and still count as made by it."""
EXTRAS = {"s3": "s3", "s3a": "s3", "hf": "hub"}
"""Scheme -> extra that installs what reads it."""
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_PASSWORD = re.compile(r"://[^/@]*:[^/@]*@")


@dataclass(frozen=True, slots=True)
class Need:
    """One input a stage asks for."""

    name: str
    about: str
    many: bool = False
    """Takes one or more folders or files instead of exactly one."""
    optional: bool = False
    positional: bool = False
    """Given by position on the command line, if it is the first, although it is optional."""
    manifest: bool = False
    """The stage reads the input's manifest too (config, models, counts), so a change there makes it stale."""
    remote: bool = False
    """May be an fsspec URL, such as s3://bucket/RC_2005-12.zst or s3://bucket/RC_2006-*, besides a local path."""
    origin: Origin | None = None
    """What its rows derive from when no stage made the input."""


@dataclass(frozen=True, slots=True)
class Input:
    """One resolved input: a stage's folder, a folder inside it, or an outside file or folder."""

    path: Path
    """Where it lies; of a remote one, its bare name, which opens nothing."""
    label: str
    """Name of the stage that made it, or the file's name."""
    fingerprint: str
    """Hash of its content; of a remote one, of what its file system says about it."""
    url: str | None = None
    """Where a remote input lies; None for local ones."""

    @property
    def location(self) -> str:
        """What to open: the URL, or the path."""
        return self.url or str(self.path)


class Inputs:
    """The inputs of one stage by name."""

    def __init__(self, by_name: Mapping[str, Sequence[Input]]) -> None:
        self._by_name = {name: tuple(inputs) for name, inputs in by_name.items()}

    def one(self, name: str) -> Input:
        """The single input `name`.

        Raises:
            ConfigError: there is not exactly one.
        """
        found = self.many(name)
        if len(found) != 1:
            raise ConfigError(f"input {name!r}: expected one path, found {len(found)}")
        return found[0]

    def optional(self, name: str) -> Input | None:
        """The single input `name`, or None when it was not given."""
        return self.one(name) if self._by_name.get(name) else None

    def many(self, name: str) -> tuple[Input, ...]:
        """All inputs given under `name`, in the order given; empty when there are none."""
        return self._by_name.get(name, ())

    def items(self) -> Iterable[tuple[str, tuple[Input, ...]]]:
        """Names with their inputs."""
        return self._by_name.items()


def check_inputs(stage: str, needs: Sequence[Need], inputs: Inputs) -> None:
    """Compare what is given with what the stage needs.

    Raises:
        ConfigError: an input is missing, unknown, or given more than once.
    """
    known = {need.name: need for need in needs}
    given = dict(inputs.items())
    for name in given:
        if name not in known:
            raise ConfigError(f"stage {stage} has no input {name!r}; it takes {', '.join(known) or 'none'}")
    for name, need in known.items():
        count = len(given.get(name, ()))
        if count == 0 and not need.optional:
            raise ConfigError(f"stage {stage} needs the input {name!r}: {need.about}")
        if count > 1 and not need.many:
            raise ConfigError(f"stage {stage} takes one {name!r}, found {count}")


def maker(given: Input) -> Manifest | None:
    """The manifest of the stage in whose folder an input lies; None if no stage made it."""
    if given.url is not None:
        return None
    for folder in (given.path, *given.path.absolute().parents[:INSIDE]):
        if folder.is_dir() and (manifest := read_manifest(folder)) is not None:
            return manifest
    return None


def is_url(location: str) -> bool:
    """True for `scheme://...`, which is never taken for a local path."""
    return _URL.match(location) is not None


def check_url(url: str, need: Need | None) -> None:
    """Refuse a URL where only local paths will do, and one with a password, which would be kept with the run.

    Raises:
        ConfigError: it is one of those; the message does not repeat the password.
    """
    if _PASSWORD.search(url):
        raise ConfigError(
            "a URL may not hold a password",
            next_step="give credentials through the environment or the file system's own configuration file",
        )
    if need is None or not need.remote:
        raise ConfigError(f"expected a local path, found the URL {url}", next_step="download it first")


def resolve_input(location: str | Path, need: Need | None = None) -> Input:
    """Describe a local path, or a URL where the need allows it, as an input.

    Raises:
        ConfigError: a URL is not allowed here, or is of no known kind.
        InputError: there is nothing, or a stage folder lacks a file.
        MissingDependencyError: the URL's file system is not installed.
    """
    if isinstance(location, Path) or not is_url(location):
        return resolve_path(Path(location), need)
    check_url(location, need)
    # What follows a question mark may be a signature, and labels are kept with the run.
    name = location.partition("?")[0].rstrip("/").rpartition("/")[2]
    return Input(Path(name), name, _remote_fingerprint(location, name), location)


def resolve_path(path: Path, need: Need | None = None) -> Input:
    """Describe an outside file or folder as an input; a stage folder keeps its stage's name and content hash.

    Raises:
        InputError: the path does not exist, or the stage folder lacks a file.
    """
    if path.is_dir() and (manifest := read_manifest(path)) is not None:
        if (broken := damage(path, manifest)) is not None:
            raise InputError(f"{path}: {broken}", next_step="run the stage that wrote it again")
        return Input(path, manifest.stage, stage_content(manifest, need))
    if path.is_dir():
        return Input(path, path.name, sha256_outside(path))
    if path.is_file():
        return Input(path, path.name, sha256_file(path))
    raise InputError(f"{path}: no such file or folder", next_step="check the path")


def stage_content(manifest: Manifest, need: Need | None, below: str = "") -> str:
    """Hash of what a reader sees of a finished stage: its files (those in `below`), and its manifest if it is read."""
    files = content_hash(manifest.files, below)
    return sha256_json([files, manifest.fingerprint]) if need is not None and need.manifest else files


def _remote_fingerprint(url: str, name: str) -> str:
    """Hash of the name, size and mark of the file at `url`, of every file below it, or of those its `*` stands for."""
    system, root = open_file_system(url)
    try:
        system.invalidate_cache()
        found = _remote_files(system, root)
    except FileNotFoundError:
        found = {}
    except Exception as error:
        # Each file system has errors of its own: no credentials, no such host, no permission.
        raise InputError(f"{url}: cannot be looked at: {error}", next_step="check the URL and credentials") from error
    if not found:
        raise InputError(f"{url}: no such file or folder", next_step="check the URL")
    listed = [(path.removeprefix(root).strip("/") or name, *_version(path, entry)) for path, entry in found.items()]
    return sha256_json(sorted(listed))


def _remote_files(system: Any, root: str) -> dict[str, Any]:
    """Path -> what the file system says about it, for every file that `root` names."""
    if has_magic(root) and not system.exists(root):
        found = system.glob(root, detail=True)
        return {path: entry for path, entry in found.items() if entry["type"] == "file"}
    entry = system.info(root)
    files: dict[str, Any] = {root: entry} if entry["type"] == "file" else system.find(root, detail=True)
    return files


def _version(path: str, entry: Mapping[str, Any]) -> tuple[int, str]:
    """(size, mark) of one remote file.

    Raises:
        InputError: its file system tells neither, so a change could not be noticed.
    """
    for key in (*MARKS, *TIMES):
        if entry.get(key) is not None:
            return int(entry.get("size") or 0), f"{key}={entry[key]}"
    if entry.get("size") is not None:
        return int(entry["size"]), ""
    raise InputError(f"{path}: its file system tells neither size nor version", next_step="download it first")


def open_file_system(url: str) -> tuple[Any, str]:
    """The fsspec file system that a URL names, and the path inside it.

    Raises:
        ConfigError: the URL's scheme is unknown.
        MissingDependencyError: the package for it is not installed.
    """
    scheme = url.partition("://")[0]
    try:
        from fsspec.core import url_to_fs

        system, root = url_to_fs(url)
    except ImportError as error:
        extra = EXTRAS.get(scheme)
        advice = str(error) if extra is None else f"pip install 'sage-dialogue[{extra}]'"
        raise MissingDependencyError(
            f"{url}: reading {scheme}:// needs a package that is not installed", next_step=advice
        ) from error
    except ValueError as error:
        raise ConfigError(f"{url}: no file system for {scheme}://: {error}", next_step="check the URL") from error
    return system, str(root)
