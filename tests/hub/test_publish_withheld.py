"""Text that its source wants withheld, and rows that must go for a tombstone, on their way to the Hub."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hub_folders import REDDIT, dialogues, write_folder
from localhub import LocalHub
from publications import REPO, Publish

from sage_data.dialogue import Scenario
from sage_data.errors import ConfigError, PublishError
from sage_data.store.dialogues import scenarios_to_table

for package in ("huggingface_hub", "datasets", "jinja2"):
    pytest.importorskip(package)


WITHHELD: dict[str, Any] = {"license": "cc-by-4.0", "allow": ["unknown-license"], "dry_run": True}


SITUATIONS = scenarios_to_table([Scenario(f"d{number}", f"Day {number}.", None, "train") for number in range(3)])


def test_tables_of_text_are_refused_before_anything_is_staged(
    publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sage_data.publishing import assembling

    def never(*_: Any) -> None:
        raise AssertionError("staged")

    talk = write_folder(tmp_path / "annotated", [dialogues(3)], [REDDIT])
    told = pa.table({"id": ["d1"], "said": ["x"]})
    chains = write_folder(tmp_path / "chains", [told], [REDDIT], name="messages")
    scenes = write_folder(tmp_path / "scenes", [SITUATIONS], [REDDIT], name="scenarios")
    odd = write_folder(tmp_path / "odd", [dialogues(1).append_column("note", pa.array(["x"]))], [REDDIT])
    monkeypatch.setattr(assembling, "stage_tables", never)
    with pytest.raises(PublishError, match=r"found tables that consist of text: chains \(messages\)") as error:
        publish(talk, chains, **WITHHELD)
    assert "`datasets: [annotated]`" in str(error.value.next_step)
    with pytest.raises(PublishError, match=r"scenes \(scenarios\)") as error:
        publish(scenes, **WITHHELD)
    assert "publish the folder of annotated dialogues" in str(error.value.next_step)
    with pytest.raises(PublishError, match="others, which may hold text: note"):
        publish(odd, **WITHHELD)


def test_tombstoned_situations_go_with_their_dialogues(publish: Publish, tmp_path: Path) -> None:
    talk = write_folder(tmp_path / "talk", [dialogues(3)], [REDDIT])
    scenes = write_folder(tmp_path / "scenes", [SITUATIONS], [REDDIT], name="scenarios")
    (tmp_path / "gone.txt").write_text("c1a\n")
    options = {**WITHHELD, "text_release": True, "tombstones": [tmp_path / "gone.txt"]}
    publish(talk, scenes, **options)
    staged = tmp_path / "published" / "out0" / "dataset" / "scenes" / "train-00000-of-00001.parquet"
    assert pq.read_table(staged)["id"].to_pylist() == ["d0", "d2"]
    with pytest.raises(PublishError, match="names its comments"):
        publish(scenes, **options)


def test_released_text_is_never_given_to_whoever_asks(
    hub: LocalHub, api: Any, publish: Publish, tmp_path: Path
) -> None:
    api.create_repo(REPO, repo_type="dataset", private=True)
    hub.repo(REPO).gated = "auto"
    reddit = write_folder(tmp_path / "reddit", [dialogues(3)], [REDDIT])
    publish(reddit, **{**WITHHELD, "dry_run": False}, text_release=True)
    assert hub.repo(REPO).gated == "manual"


def test_text_stays_out_unless_it_is_asked_for(hub: LocalHub, publish: Publish, tmp_path: Path) -> None:
    reddit = write_folder(tmp_path / "reddit", [dialogues(30)], [REDDIT])
    options = {"license": "cc-by-4.0", "allow": ["unknown-license"], "merge": True}
    publish(reddit, **options)
    files = hub.repo(REPO).files()
    table = pq.read_table(io.BytesIO(files["reddit/train-00000-of-00001.parquet"].data))
    assert "text" not in table.schema.field("utterances").type.value_type.names
    assert table.num_rows == 30
    for blob in files.values():
        assert b"How was your day" not in blob.data
    assert hub.repo(REPO).gated is False

    publish(reddit, **options, text_release=True)
    table = pq.read_table(io.BytesIO(hub.repo(REPO).files()["reddit/train-00000-of-00001.parquet"].data))
    assert table["utterances"][0].as_py()[1]["text"] == "How was your day?"
    assert hub.repo(REPO).gated == "manual"


def test_released_text_is_private_unless_that_is_named_too(publish: Publish, tmp_path: Path) -> None:
    reddit = write_folder(tmp_path / "reddit", [dialogues(3)], [REDDIT])
    options = {"license": "cc-by-4.0", "text_release": True, "private": False, "dry_run": True}
    with pytest.raises(ConfigError, match="private"):
        publish(reddit, **options, allow=["unknown-license"])
    publish(reddit, **options, allow=["unknown-license", "public-text"])


def test_rows_that_cannot_be_traced_to_comments_are_refused_where_there_are_tombstones(
    publish: Publish, tmp_path: Path
) -> None:
    messages = write_folder(tmp_path / "two", [pa.table({"id": ["d1", "d7"], "said": ["x", "y"]})], name="messages")
    (tmp_path / "gone.txt").write_text("c3b\n")
    for folders in ([messages], [write_folder(tmp_path / "one", [dialogues(5)]), messages]):
        with pytest.raises(PublishError, match="names its comments"):
            publish(*folders, tombstones=[tmp_path / "gone.txt"], dry_run=True)


def test_tombstoned_dialogues_and_rows_made_from_them_are_left_out(publish: Publish, tmp_path: Path) -> None:
    one = write_folder(tmp_path / "one", [dialogues(5)])
    messages = pa.table({"id": [f"d{number}" for number in range(5)], "said": ["x"] * 5})
    two = write_folder(tmp_path / "two", [messages], name="messages")
    (tmp_path / "gone.txt").write_text("t1_c3b  # asked on 2026-11-01\n")
    manifest = publish(one, two, tombstones=[tmp_path / "gone.txt"], dry_run=True)
    assert [(counts.unit, counts.came_in, counts.kept, dict(counts.dropped)) for counts in manifest.counts] == [
        ("rows of one", 5, 4, {"tombstone": 1}),
        ("rows of two", 5, 4, {"tombstone": 1}),
    ]
    staged = tmp_path / "published" / "out0" / "dataset"
    for name in ("one", "two"):
        assert pq.read_table(staged / name / "train-00000-of-00001.parquet")["id"].to_pylist() == [
            "d0",
            "d1",
            "d2",
            "d4",
        ]
