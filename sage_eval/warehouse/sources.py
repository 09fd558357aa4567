"""What the stages of a run left behind: their manifests, and which shards hold which family of rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from sage_data.errors import ConfigError, InputError
from sage_data.stage import Input
from sage_data.store.files import canonical_json
from sage_data.store.manifest import Manifest, read_manifest
from sage_eval.warehouse.contract import TABLES

_SHARD = re.compile(r"(?P<family>(?:rejected/)?[A-Za-z0-9_]+?)(?:-\d{5})?\.parquet")
Row = dict[str, Any]
AGREEMENT = "agreement.json"


@dataclass(frozen=True, slots=True)
class StageRun:
    """One finished stage folder."""

    position: int
    label: str
    path: Path
    manifest: Manifest

    def shards(self, family: str) -> list[Path]:
        """Its shards of one family (or of a pattern such as "rejected/*"), in order."""
        return [self.path / entry.path for entry in self.manifest.files if in_family(entry.path, family)]

    def families(self, pattern: str) -> list[str]:
        """The families it has shards of, by pattern, sorted."""
        return sorted({family_of(entry.path) or "" for entry in self.manifest.files if in_family(entry.path, pattern)})


def family_of(path: str) -> str | None:
    """`judge_calls` for `judge_calls-00002.parquet` or `judge_calls.parquet`; None for what is no table.

    Rejects have families of their own, for example `rejected/dialogues`.
    """
    match = _SHARD.fullmatch(path)
    return match["family"] if match else None


def in_family(path: str, pattern: str) -> bool:
    """Whether a file is a shard of a family that fits the pattern."""
    family = family_of(path)
    return family is not None and fnmatchcase(family, pattern)


def read_runs(inputs: Sequence[Input]) -> list[StageRun]:
    """Read the manifest of every stage folder.

    Raises:
        InputError: a folder has none, that is, the stage did not finish.
        ConfigError: two folders carry the same stage name.
    """
    runs = []
    for position, given in enumerate(inputs):
        manifest = read_manifest(given.path)
        if manifest is None:
            raise InputError(
                f"{given.path}: expected a finished stage folder with a manifest.json, found none",
                next_step="sage status RUN",
            )
        runs.append(StageRun(position, given.label, given.path, manifest))
    labels = [run.label for run in runs]
    for label in labels:
        if labels.count(label) > 1:
            raise ConfigError(
                f"two inputs of the warehouse are called {label!r}; stage names must differ",
                next_step="rename one of the stages in the recipe",
            )
    return runs


def manifest_rows(runs: Sequence[StageRun]) -> dict[str, list[Row]]:
    """Rows of the tables that come from no shards but from manifests and what lies beside them, by table.

    Raises:
        InputError: a file beside a manifest is damaged.
    """
    return {
        "runs": [_run_row(run) for run in runs],
        "run_inputs": [row for run in runs for row in _input_rows(run)],
        "run_models": [
            {"stage": run.label, "role": role, "model": model}
            for run in runs
            for role, model in sorted(run.manifest.models.items())
        ],
        "run_origins": [{"stage": run.label, **origin.model_dump()} for run in runs for origin in run.manifest.origins],
        "funnel": [row for run in runs for row in _funnel_rows(run)],
        "files": [row for run in runs for row in _file_rows(run)],
        "annotation_agreement": [row for run in runs for row in _agreement_rows(run)],
    }


def _run_row(run: StageRun) -> Row:
    manifest = run.manifest
    return {
        "position": run.position,
        "stage": run.label,
        "uses": manifest.uses,
        "version": manifest.version,
        "seed": manifest.seed,
        "fingerprint": manifest.fingerprint,
        "content_hash": manifest.content_hash,
        "config": canonical_json(manifest.config),
        "warnings": list(manifest.warnings),
        "files": len(manifest.files),
        "bytes": sum(entry.bytes for entry in manifest.files),
    }


def _input_rows(run: StageRun) -> Iterator[Row]:
    for name, entries in sorted(run.manifest.inputs.items()):
        for entry in entries:
            yield {"stage": run.label, "input": name, "label": entry.label, "content_hash": entry.fingerprint}


def _funnel_rows(run: StageRun) -> Iterator[Row]:
    for counts in run.manifest.counts:
        cells: list[tuple[str, str | None, int]] = [("came_in", None, counts.came_in)]
        cells += [("dropped", reason, n) for reason, n in sorted(counts.dropped.items())]
        cells += [("quarantined", None, counts.quarantined), ("kept", None, counts.kept)]
        for outcome, reason, n in cells:
            yield {
                "position": run.position,
                "stage": run.label,
                "unit": counts.unit,
                "outcome": outcome,
                "reason": reason,
                "n": n,
            }


def _agreement_rows(run: StageRun) -> Iterator[Row]:
    """How well annotated states agree with gold ones, from the file that `sage_data.annotation` writes about it."""
    path = run.path / AGREEMENT
    if not any(entry.path == AGREEMENT for entry in run.manifest.files):
        return
    try:
        labels = json.loads(path.read_bytes())["labels"]
        for role, slots in labels.items():
            for slot, figures in slots.items():
                yield {"stage": run.label, "role": role, "slot": slot, **figures}
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise InputError(f"{path}: cannot be read: {error}", next_step=f"run the stage {run.label} again") from error


def _file_rows(run: StageRun) -> Iterator[Row]:
    for entry in run.manifest.files:
        yield {
            "stage": run.label,
            "path": entry.path,
            "bytes": entry.bytes,
            "sha256": entry.sha256,
            "in_table": _tables_of(entry.path),
        }


def _tables_of(path: str) -> str | None:
    names = [table.name for table in TABLES if table.family is not None and in_family(path, table.family)]
    return ", ".join(names) or None
