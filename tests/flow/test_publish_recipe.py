"""One recipe from a dump to a dataset on a Hub, and from there back to the text that stayed at home."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sage_data.store.dialogues import read_dialogues
from sage_data.store.manifest import Manifest, read_manifest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
for package in ("huggingface_hub", "datasets", "jinja2", "yaml"):
    pytest.importorskip(package)

from localhub import LocalHub  # noqa: E402 - it needs PyYAML, which comes with the extra

REPO = "me/small-talk"
LOAD = """
import json, sys
from datasets import load_dataset
rows = load_dataset(sys.argv[1], sys.argv[2], split="train", streaming=sys.argv[3] == "streaming")
listed = list(rows)
print(json.dumps({"rows": len(listed), "columns": sorted(listed[0])}))
"""
BY_IDS = """
version: 1
name: by-ids
seed: 7
offline: false
stages:
  dialogues: {uses: sage_data.reddit, inputs: {dumps: {path: DUMPS}}}
  gated: {uses: sage_data.gates, inputs: {dialogues: dialogues}}
  annotated: {uses: sage_data.annotation, inputs: {dialogues: gated}}
  published: {uses: sage_data.publishing, inputs: {datasets: [annotated]}, with: {repo: me/small-talk, merge: true}}
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LocalHub]:
    with LocalHub(tmp_path / "hub") as running:
        yield running


def command(hub: LocalHub, tmp_path: Path, *arguments: str) -> str:
    """Run `python ...` below `tmp_path` with the local Hub as the only one; returns what it printed."""
    # Recipes run by other tests forbid the network in this process; that is not what is asked here.
    known = {name: value for name, value in os.environ.items() if not name.startswith("HF_") and "OFFLINE" not in name}
    places = {"HF_ENDPOINT": hub.endpoint, "HF_TOKEN": hub.token, "HF_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**known, **places, "OMP_NUM_THREADS": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def sage(hub: LocalHub, tmp_path: Path, *arguments: str) -> str:
    return command(hub, tmp_path, "-m", "sage_data.cli.main", *arguments)


def kept(manifest: Manifest, unit: str) -> int:
    return next(one.kept for one in manifest.counts if one.unit == unit)


def test_the_recipe_goes_from_a_dump_to_the_hub(hub: LocalHub, tmp_path: Path) -> None:
    options = [
        "--set",
        "offline=false",
        "--set",
        "world.threads=500",
        "--set",
        f"published.repo={REPO}",
        "--set",
        "published.dry_run=false",
    ]
    run = ["run", "publish", *options, "--set", "published.merge=true"]
    sage(hub, tmp_path, *run)
    assert "0 stages ran" in sage(hub, tmp_path, *run)

    folder = tmp_path / "runs" / "publish"
    annotated, chains = read_manifest(folder / "annotated"), read_manifest(folder / "chains")
    assert annotated is not None
    assert chains is not None
    repo = hub.repo(REPO)
    published = {name: file.data for name, file in repo.files().items() if name != ".gitattributes"}
    staged = folder / "published" / "dataset"
    assert published == {
        path.relative_to(staged).as_posix(): path.read_bytes() for path in staged.rglob("*") if path.is_file()
    }
    assert len(repo.history()) == 2
    card = published["README.md"].decode()
    for stage in (*annotated.lineage, annotated):
        for counts in stage.counts:
            assert all(f"{dropped:,}" in card for dropped in counts.dropped.values())
    for config, rows in (("annotated", kept(annotated, "dialogues")), ("chains", kept(chains, "dialogues"))):
        for mode in ("whole", "streaming"):
            loaded = json.loads(command(hub, tmp_path, "-c", LOAD, REPO, config, mode))
            assert loaded["rows"] == rows


def test_what_is_published_by_ids_is_rebuilt_from_the_dumps(hub: LocalHub, tmp_path: Path) -> None:
    sage(hub, tmp_path, "data", "sample", "--out", "world", "--set", "threads=500", "--seed", "7")
    # Outside the stage's folder nobody knows that the sample world made them: they count as Reddit's.
    shutil.copytree(tmp_path / "world" / "dumps", tmp_path / "dumps")
    (tmp_path / "by-ids.yaml").write_text(BY_IDS.replace("DUMPS", str(tmp_path / "dumps")))
    sage(hub, tmp_path, "run", "by-ids.yaml")

    download = tmp_path / "download"
    for name, file in hub.repo(REPO).files().items():
        (download / name).parent.mkdir(parents=True, exist_ok=True)
        (download / name).write_bytes(file.data)
    before = {one.id: one for one in read_dialogues(tmp_path / "runs" / "by-ids" / "annotated")}
    words = [one.text for dialogue in before.values() for one in dialogue.utterances if len(one.text) > 25]
    everything = b"".join(path.read_bytes() for path in download.rglob("*") if path.is_file())
    assert not any(text.encode() in everything for text in words)

    sage(hub, tmp_path, "data", "hydrate", "download", "--dumps", "dumps", "--out", "rebuilt")
    assert {one.id: one for one in read_dialogues(tmp_path / "rebuilt")} == before
