"""Looks whether what the Hub gives back is what was sent: the bytes of every file, and what `datasets` makes of them.

check_files(service, revision, staged.files, scratch)
check_loading(target, revision, staged.files, folder, scratch)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from sage_data.errors import PublishError
from sage_data.publishing.patience import persist
from sage_data.publishing.staging import StagedFile, measure
from sage_data.store.files import remove

if TYPE_CHECKING:
    from sage_data.publishing.hub import Service, Target

FIRST_ROWS = 100
"""Rows of each split that are compared between the two modes."""
SECONDS = 3600
QUIET = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
CACHES = frozenset({"HF_HUB_CACHE", "HF_DATASETS_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_XET_CACHE"})
LAST_LINES = 15


def check_files(service: Service, revision: str, files: Sequence[StagedFile], scratch: Path) -> None:
    """Download every file at a revision, one at a time, and compare size and SHA-256.

    Raises:
        PublishError: one differs; nothing is merged then.
    """
    for one in files:
        fetch = partial(_download, service, revision, one.path, scratch)
        path = Path(persist(fetch, service.patience))
        found = measure(path)
        remove(scratch)
        if found != (one.bytes, one.sha256):
            raise PublishError(
                f"{service.target.repo}, {one.path} at {revision}: expected {one.bytes:,} bytes with SHA-256 "
                f"{one.sha256}; found {found[0]:,} with {found[1]}",
                next_step="run the same command again; if it stays, close the pull request and tell the Hub",
            )


def _download(service: Service, revision: str, name: str, scratch: Path) -> str:
    return service.api.hf_hub_download(
        service.target.repo,
        name,
        revision=revision,
        repo_type=service.kind,
        local_dir=scratch,
        force_download=True,
    )


def check_loading(target: Target, revision: str, files: Sequence[StagedFile], folder: Path, scratch: Path) -> None:
    """Load every config normally and streaming, and compare splits, rows, columns and first rows.

    Raises:
        PublishError: a config does not load, or not as it was staged.
    """
    expected = _expected(files, folder)
    asked = {"repo": target.repo, "revision": revision, "configs": sorted(expected), "rows": FIRST_ROWS}
    found = ask_loader(asked, target.token, scratch)
    for config, splits in expected.items():
        if problem := compare(splits, found.get(config, {})):
            raise PublishError(
                f"{target.repo}, config {config} at {revision}: {problem}",
                next_step="look at the files and at the front matter of README.md in the staged dataset",
            )


def _expected(files: Sequence[StagedFile], folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Config -> split -> rows and columns, as staged."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for one in files:
        if one.config is not None and one.split is not None:
            split = found.setdefault(one.config, {}).setdefault(
                one.split, {"rows": 0, "columns": pq.read_schema(folder / one.path).names}
            )
            split["rows"] += one.rows
    return found


def compare(expected: Mapping[str, Mapping[str, Any]], found: Mapping[str, Mapping[str, Any]]) -> str | None:
    """What is wrong with what was loaded of one config; None when nothing is."""
    if set(expected) != set(found):
        return f"expected the splits {', '.join(sorted(expected))}; loaded {', '.join(sorted(found)) or 'none'}"
    for name, split in expected.items():
        loaded = found[name]
        for what in ("rows", "columns"):
            if loaded[what] != split[what]:
                return f"split {name}: expected {what} {split[what]}, loaded {loaded[what]}"
        if loaded["first"] != loaded["streamed"]:
            return f"split {name}: streaming gives other rows than loading"
    return None


def _environment(token: str, home: Path) -> dict[str, str]:
    """That of this process, with a cache of its own, the token, and this very package."""
    kept = {name: value for name, value in os.environ.items() if name not in CACHES}
    here = os.pathsep.join(filter(None, (str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", ""))))
    return {**kept, **QUIET, "HF_TOKEN": token, "HF_HOME": str(home), "PYTHONPATH": here}


def ask_loader(asked: Mapping[str, Any], token: str, scratch: Path) -> dict[str, Any]:
    """Have another process load the dataset; the token goes by its environment.

    Raises:
        PublishError: it failed; the end of what it said is repeated, without the token.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    environment = _environment(token, scratch.resolve())
    try:
        done = subprocess.run(
            [sys.executable, "-m", "sage_data.publishing.loading"],
            input=json.dumps(asked),
            env=environment,
            # Not where we are: a folder that happens to be called like the repository would be loaded instead.
            cwd=scratch,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PublishError(f"{asked['repo']}: loading took more than {SECONDS} s", next_step="try again") from error
    finally:
        remove(scratch)
    if done.returncode:
        said = "\n".join(done.stderr.replace(token, "***").splitlines()[-LAST_LINES:])
        raise PublishError(
            f"{asked['repo']}: `datasets.load_dataset` fails on what was published:\n{said}",
            next_step="nothing was merged; look at the staged dataset",
        )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
