"""What the tests of publishing agree on: one repository, one dataset, and where to look."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localhub import LocalHub

from sage_data.store.manifest import Manifest

REPO = "me/talk"
DATA = "annotated/train-00000-of-00001.parquet"
STAGED = {"README.md", "funnel.svg", DATA}
Publish = Callable[..., Manifest]


def receipt(tmp_path: Path, out: str = "out0") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tmp_path / "published" / out / "receipt.json").read_text())
    return found


def main_shows(hub: LocalHub) -> list[set[str]]:
    """The files of each state that `main` was ever in."""
    return [set(commit.files) - {".gitattributes"} for commit in hub.repo(REPO).history()]
