"""A Hub of our own for each test, and clients that know no other."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hub_folders import dialogues, write_folder
from localhub import LocalHub
from publications import REPO, Publish

from sage_data.stage import run_stage
from sage_data.store.manifest import Manifest


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    """A running Hub that the environment points to, with a token that may write."""
    pytest.importorskip("huggingface_hub")
    for name in [name for name in os.environ if name.startswith("HF_") or name.endswith("_OFFLINE")]:
        monkeypatch.delenv(name)
    # Sessions of other tests may have forbidden the network before the client was imported.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with LocalHub(tmp_path / "hub") as running:
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        monkeypatch.setenv("HF_TOKEN", running.token)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        yield running


@pytest.fixture
def api(hub: LocalHub) -> Any:
    """The true client."""
    from huggingface_hub import HfApi

    return HfApi(endpoint=hub.endpoint, token=hub.token)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that publishing waited, without having waited; the client's own waits are cut short too."""
    from sage_data.publishing import sending
    from sage_data.publishing.patience import Patience

    waited: list[float] = []
    real = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: real(min(seconds, 0.01)))
    monkeypatch.setattr(sending, "Patience", lambda: Patience(sleep=waited.append))
    return waited


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Revisions that would have been loaded with `datasets`; slow tests do load them."""
    from sage_data.publishing import sending

    asked: list[str] = []

    def note(target: Any, revision: str, *_: Any) -> None:
        asked.append(revision)

    monkeypatch.setattr(sending, "check_loading", note)
    return asked


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "annotated", [dialogues(20)])


@pytest.fixture
def publish(tmp_path: Path, folder: Path, waits: list[float], unloaded: list[str]) -> Publish:
    """Publish into a new output folder; keyword arguments are options."""
    made = iter(range(100))

    def published(*folders: Path, out: str = "", tombstones: Sequence[Path] = (), **options: Any) -> Manifest:
        inputs = {"datasets": list(folders) or [folder], "tombstones": list(tombstones)}
        final = tmp_path / "published" / (out or f"out{next(made)}")
        return run_stage("sage_data.publishing", {"repo": REPO, **options}, inputs, final)

    return published
