"""A stage folder through its life: missing -> partial -> fresh, and stale when what it was made from has changed.

A stage works in `<parent>/.work/<stage>/`, which survives a kill and keeps the fingerprint it was begun for. When the
stage is done, its manifest is written there and the folder is moved to `<parent>/<stage>/` in one step. The finished
folder of an earlier configuration stays in place until then.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sage_data.store.files import clear_temporary, remove, write_json
from sage_data.store.manifest import MANIFEST, Manifest, read_manifest, write_manifest

WORK = ".work"
ATTEMPT = ".attempt.json"


class Freshness(StrEnum):
    """Where a stage stands."""

    FRESH = "fresh"
    STALE = "stale"
    PARTIAL = "partial"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class StageFolder:
    """The final folder of a stage and the private one it is built in."""

    final: Path

    @property
    def work(self) -> Path:
        """Where an unfinished attempt lies."""
        return self.final.parent / WORK / self.final.name

    def manifest(self) -> Manifest | None:
        """The manifest of the newest finished output, or None; nothing is changed.

        Raises:
            InputError: the manifest is damaged or too new.
        """
        return read_manifest(self.work) or read_manifest(self.final)

    def attempt(self) -> str | None:
        """The fingerprint an unfinished attempt was begun for, or None."""
        path = self.work / ATTEMPT
        try:
            return str(json.loads(path.read_text(encoding="utf-8"))["fingerprint"])
        except (FileNotFoundError, json.JSONDecodeError, KeyError):
            return None

    def begin(self, fingerprint: str) -> Path:
        """Open the work folder: as it was left if it was begun for this fingerprint, else empty."""
        if self.attempt() != fingerprint:
            remove(self.work)
            self.work.mkdir(parents=True)
            write_json(self.work / ATTEMPT, {"fingerprint": fingerprint})
        clear_temporary(self.work)
        return self.work

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest and move the work folder to its final place."""
        write_manifest(self.work, manifest)
        self.mend()

    def discard(self) -> None:
        """Delete an unfinished attempt."""
        remove(self.work)

    def mend(self) -> None:
        """Move a finished work folder into place, also after a kill in mid-move. Only for the lock's holder."""
        old = self.work.with_name(f"{self.work.name}.old")
        if (self.work / MANIFEST).is_file():
            if self.final.exists():
                remove(old)
                self.final.replace(old)
            (self.work / ATTEMPT).unlink(missing_ok=True)
            self.work.replace(self.final)
        if self.final.exists():
            remove(old)
