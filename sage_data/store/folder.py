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
        """The finished folder's manifest, or None.

        Raises:
            InputError: the manifest is damaged or too new.
        """
        self._finish_move()
        return read_manifest(self.final)

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
        self._finish_move()

    def discard(self) -> None:
        """Delete an unfinished attempt."""
        remove(self.work)

    def forget(self) -> None:
        """Discard the attempt and the finished folder's claim to be finished; its files stay until replaced."""
        self.discard()
        (self.final / MANIFEST).unlink(missing_ok=True)

    def _finish_move(self) -> None:
        """Move a finished work folder into place; also mends a move that a kill interrupted."""
        if not (self.work / MANIFEST).is_file():
            return
        if self.final.exists():
            old = self.work.with_name(f"{self.work.name}.old")
            remove(old)
            self.final.replace(old)
        (self.work / ATTEMPT).unlink(missing_ok=True)
        self.work.replace(self.final)
        remove(self.work.with_name(f"{self.work.name}.old"))
