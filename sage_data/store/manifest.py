"""`manifest.json`: what a finished stage folder is, where it came from and what it holds. Written last."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sage_data.errors import InputError, SchemaVersionError
from sage_data.store.files import regular_files, sha256_file, sha256_json, write_json

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
UNHASHED = "logs"
"""Files below this folder (logs, timings) are listed nowhere and never part of a content hash."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Counts(_Frozen):
    """How many rows came in and what became of each: in = kept + dropped by reason + quarantined."""

    unit: str = Field(default="rows", description='What is counted, for example "dialogues".')
    came_in: int = Field(default=0, ge=0)
    kept: int = Field(default=0, ge=0)
    dropped: Mapping[str, int] = Field(default_factory=dict, description="Reason code -> rows dropped for it.")
    quarantined: int = Field(default=0, ge=0, description="Rows that could not be read.")

    def adds_up(self) -> bool:
        """True when every row that came in is accounted for."""
        return self.came_in == self.kept + sum(self.dropped.values()) + self.quarantined

    def __add__(self, other: Counts) -> Counts:
        if self.unit != other.unit:
            raise ValueError(f"cannot add counts of {other.unit} to counts of {self.unit}")
        reasons = sorted({*self.dropped, *other.dropped})
        return Counts(
            unit=self.unit,
            came_in=self.came_in + other.came_in,
            kept=self.kept + other.kept,
            dropped={reason: self.dropped.get(reason, 0) + other.dropped.get(reason, 0) for reason in reasons},
            quarantined=self.quarantined + other.quarantined,
        )


class FileEntry(_Frozen):
    """One output file."""

    path: str = Field(description="Relative to the stage folder, with forward slashes.")
    bytes: int
    sha256: str


class InputEntry(_Frozen):
    """One input as it was when the stage ran."""

    label: str = Field(description="The producing stage's name, or the file's name.")
    fingerprint: str = Field(description="Content hash of the input.")


class Origin(_Frozen):
    """A published source that rows derive from, and the licence it is under."""

    name: str = Field(description='For example "EmpatheticDialogues".')
    license: str = Field(description='The Hub\'s licence id, such as "cc-by-nc-4.0"; "unknown" where nobody said.')
    url: str | None = Field(default=None, description="Where it is published.")
    note: str = Field(default="", description="What else binds its users.")
    withhold_text: bool = Field(default=False, description="Text stays out of what is published unless asked for.")
    synthetic: bool = Field(default=False, description="Made by a program: nobody's words.")


class Ancestor(_Frozen):
    """A finished stage that the rows of a later one went through, as its own manifest states it."""

    stage: str
    uses: str
    version: int
    fingerprint: str
    content_hash: str
    config: dict[str, Any]
    seed: int
    inputs: dict[str, list[InputEntry]] = Field(default_factory=dict)
    resources: dict[str, str] = Field(default_factory=dict)
    models: dict[str, str] = Field(default_factory=dict)
    counts: list[Counts] = Field(default_factory=list)
    failures: list[str] = Field(default_factory=list)


class Manifest(_Frozen):
    """Everything known about a finished stage folder. `timings` and `packages` are the only volatile parts."""

    schema_version: int = SCHEMA_VERSION
    stage: str = Field(description="Name of the stage in its recipe, or of the output folder.")
    uses: str = Field(description="Module that ran.")
    version: int = Field(description="The module's VERSION.")
    fingerprint: str = Field(description="Hash of module, version, config, seed and inputs.")
    content_hash: str = Field(description="Hash of every output file's path and bytes.")
    config: dict[str, Any] = Field(description="The resolved config, without its volatile fields.")
    seed: int
    inputs: dict[str, list[InputEntry]]
    origins: list[Origin] = Field(default_factory=list, description="What its rows derive from, through all stages.")
    lineage: list[Ancestor] = Field(default_factory=list, description="The stages before this one, earliest first.")
    resources: dict[str, str] = Field(default_factory=dict, description="Prompt or lexicon file -> sha256.")
    models: dict[str, str] = Field(default_factory=dict, description="Role -> identity of the model that played it.")
    counts: list[Counts] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    failures: list[str] = Field(default_factory=list, description="Parts of the work that failed; the rest is usable.")
    files: list[FileEntry]
    packages: dict[str, str] = Field(default_factory=dict)
    timings: dict[str, float] = Field(default_factory=dict, description="Seconds by part; `total` is the whole stage.")


def as_ancestor(manifest: Manifest) -> Ancestor:
    """What later stages keep of a manifest."""
    return Ancestor.model_validate(manifest.model_dump(include=set(Ancestor.model_fields)))


def list_files(folder: Path) -> list[FileEntry]:
    """Describe every output file of a stage folder."""
    entries = []
    for path in regular_files(folder):
        relative = path.relative_to(folder).as_posix()
        if relative != MANIFEST and not relative.startswith((f"{UNHASHED}/", ".")):
            entries.append(FileEntry(path=relative, bytes=path.stat().st_size, sha256=sha256_file(path)))
    return entries


def content_hash(entries: Sequence[FileEntry], below: str = "") -> str:
    """Hash the paths and bytes of output files; with `below`, of that file or of those in that subfolder.

    Raises:
        InputError: there is no such file or subfolder.
    """
    chosen = [one for one in entries if not below or one.path == below or one.path.startswith(f"{below}/")]
    if below and not chosen:
        raise InputError(f"expected a file or folder {below!r} among the outputs, found none")
    return sha256_json(sorted((one.path, one.sha256) for one in chosen))


def damage(folder: Path, manifest: Manifest) -> str | None:
    """What is wrong with a finished folder's files, by name and size: None when all are there."""
    for entry in manifest.files:
        path = folder / entry.path
        if not path.is_file():
            return f"file {entry.path} is gone"
        if path.stat().st_size != entry.bytes:
            return f"file {entry.path} has {path.stat().st_size} bytes, not {entry.bytes}"
    return None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest into its stage folder, atomically."""
    write_json(folder / MANIFEST, manifest.model_dump(mode="json"))


def read_manifest(folder: Path) -> Manifest | None:
    """Read a stage folder's manifest; None when the folder has none, that is, when it is not finished.

    Raises:
        SchemaVersionError: a newer version of this software wrote it.
        InputError: it is not a manifest.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        version = raw["schema_version"]
        if version > SCHEMA_VERSION:
            raise SchemaVersionError(
                f"{path}: manifest schema {version} is newer than {SCHEMA_VERSION}, the newest this version reads",
                next_step="pip install --upgrade sage-dialogue",
            )
        return Manifest.model_validate(raw)
    except (json.JSONDecodeError, KeyError, TypeError, ValidationError) as error:
        raise InputError(
            f"{path}: not a stage manifest: {error}", next_step=f"delete {folder} and run again"
        ) from error
