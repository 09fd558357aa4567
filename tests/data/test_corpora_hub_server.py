"""Datasets of a Hub on this machine through the true client: splits, revisions, licences, what is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from localhub import LocalHub

from sage_data.scenarios.lines import FIELDS
from sage_data.store.dialogues import read_dialogues, read_scenarios
from sage_data.store.manifest import Manifest, read_manifest

pytest.importorskip("datasets")
pytest.importorskip("huggingface_hub")
pytestmark = pytest.mark.slow


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    # Another test may have forbidden the network before the client was imported.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with LocalHub(tmp_path / "hub") as running:
        yield running


def commit(hub: LocalHub, repository: str, files: dict[str, bytes]) -> str:
    """Add files to a dataset, which is made when missing; returns the commit."""
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi(endpoint=hub.endpoint, token=hub.token)
    api.create_repo(repository, repo_type="dataset", exist_ok=True)
    added = [CommitOperationAdd(path, content) for path, content in files.items()]
    return str(api.create_commit(repository, added, commit_message="add", repo_type="dataset").oid)


def chats(name: str, count: int) -> bytes:
    said = [{"role": "user", "content": f"Hi from {name}"}, {"role": "assistant", "content": "Yo"}]
    return "".join(json.dumps({"messages": said, "id": f"{name}{row}"}) + "\n" for row in range(count)).encode()


def card(head: str) -> bytes:
    return f"---\n{head}\n---\n# A dataset\n".encode()


def sage(hub: LocalHub, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`sage data ...` in a process that knows this Hub and no other."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_") and "OFFLINE" not in name}
    given = {"HF_ENDPOINT": hub.endpoint, "HF_TOKEN": hub.token, "HF_HOME": str(tmp_path / "home")}
    return subprocess.run(
        [sys.executable, "-m", "sage_data.cli.main", "data", *arguments, "-q"],
        env={**kept, **given, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=100,
        check=False,
    )


def manifest_of(folder: Path) -> Manifest:
    made = read_manifest(folder)
    assert made is not None
    return made


def origins(folder: Path) -> list[tuple[str, str, str | None, str]]:
    return [(one.name, one.license, one.url, one.note) for one in manifest_of(folder).origins]


def loaded(hub: LocalHub, tmp_path: Path, out: str, *arguments: str) -> list[tuple[str, str | None]]:
    """Ids and splits of what a load that went well wrote into `out`."""
    done = sage(hub, tmp_path, "load", *arguments, "--out", str(tmp_path / out))
    assert done.returncode == 0, done.stderr
    return [(one.id, one.source.split) for one in read_dialogues(tmp_path / out)]


def test_splits_revisions_and_licences(hub: LocalHub, tmp_path: Path) -> None:
    first = commit(hub, "org/chat", {"data/train.jsonl": chats("old", 1)})
    files = {"data/train.jsonl": chats("t", 2), "data/validation.jsonl": chats("v", 1)}
    second = commit(hub, "org/chat", {**files, "README.md": card("license: cc-by-nc-4.0")})
    url, page = "hf://datasets/org/chat", "https://huggingface.co/datasets/org/chat"

    assert loaded(hub, tmp_path, "all", url) == [
        ("chat-train-t0", "train"),
        ("chat-train-t1", "train"),
        ("chat-dev-v0", "dev"),
    ]
    assert origins(tmp_path / "all") == [("org/chat", "cc-by-nc-4.0", page, f"Revision {second}.")]

    assert loaded(hub, tmp_path, "dev", url, "--split", "validation", "--license", "CC-BY-NC-4.0") == [
        ("chat-dev-v0", "dev")
    ]
    assert manifest_of(tmp_path / "dev").warnings == []

    # The card came later; of the first commit nobody states a licence, until the one who loads it does.
    assert loaded(hub, tmp_path, "old", url, "--revision", first) == [("chat-train-old0", "train")]
    assert origins(tmp_path / "old") == [("org/chat", "unknown", page, f"Revision {first}.")]
    assert loaded(hub, tmp_path, "same", f"{url}@{first}", "--license", "mit") == [("chat-train-old0", "train")]
    assert origins(tmp_path / "same") == [("org/chat", "mit", page, f"Revision {first}.")]

    refused = sage(hub, tmp_path, "load", url, "--license", "apache-2.0", "--out", str(tmp_path / "no"))
    assert refused.returncode == 2
    assert "its card states the licence cc-by-nc-4.0, found --license apache-2.0" in refused.stderr
    assert not (tmp_path / "no").exists()


def test_several_licences_and_ones_of_their_own(hub: LocalHub, tmp_path: Path) -> None:
    commit(hub, "org/two", {"train.jsonl": chats("t", 1), "README.md": card("license: [mit, CC0-1.0]")})
    loaded(hub, tmp_path, "two", "hf://datasets/org/two")
    assert [name[:2] for name in origins(tmp_path / "two")] == [("org/two", "cc0-1.0"), ("org/two", "mit")]
    head = "license: other\nlicense_name: house-rules\nlicense_link: LICENSE"
    made = commit(hub, "org/own", {"train.jsonl": chats("t", 1), "README.md": card(head)})
    loaded(hub, tmp_path, "own", "hf://datasets/org/own")
    assert origins(tmp_path / "own")[0][1::2] == ("other", f"Revision {made}. Its licence: house-rules, LICENSE.")


def test_what_is_missing_is_said(hub: LocalHub, tmp_path: Path) -> None:
    commit(hub, "org/chat", {"train.jsonl": chats("t", 1)})
    url, out = "hf://datasets/org/chat", str(tmp_path / "out")
    for arguments, said in (
        (("hf://datasets/org/none",), "hf://datasets/org/none"),
        ((url, "--split", "test_sft"), "test_sft"),
        ((url, "--revision", "elsewhere"), "elsewhere"),
    ):
        done = sage(hub, tmp_path, "load", *arguments, "--out", out)
        assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (1, True, False), done.stderr
    decoy = tmp_path / "org" / "chat"
    decoy.mkdir(parents=True)
    (decoy / "train.jsonl").write_bytes(chats("decoy", 1))
    done = sage(hub, tmp_path, "load", url, "--out", out)
    assert (done.returncode, "the folder org/chat here would be read instead" in done.stderr) == (2, True)


def test_scenarios_of_a_copy_on_the_hub(hub: LocalHub, tmp_path: Path) -> None:
    values: tuple[Any, ...] = ("c:1", 1, "proud", "I won_comma_ at last.", 1, "Hi")
    pq.write_table(pa.Table.from_pylist([dict(zip(FIELDS[:6], values, strict=True))]), tmp_path / "a.parquet")
    commit(hub, "org/ed", {"plain/validation/0000.parquet": (tmp_path / "a.parquet").read_bytes()})
    out = tmp_path / "out"
    done = sage(hub, tmp_path, "scenarios", "hf://datasets/org/ed", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert [(one.id, one.situation, one.split) for one in read_scenarios(out)] == [("c:1", "I won, at last.", "dev")]
    commit(hub, "org/chat", {"train.jsonl": chats("t", 1)})
    done = sage(hub, tmp_path, "scenarios", "hf://datasets/org/chat", "--out", str(tmp_path / "no"))
    assert done.returncode == 1
    assert "hf://datasets/org/chat@refs%2Fconvert%2Fparquet" in done.stderr
    assert "sage data load" in done.stderr
