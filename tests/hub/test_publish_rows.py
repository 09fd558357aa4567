"""What `sage data publish` makes of rows: which split they go to, and what is taken out of their columns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hub_folders import OWN, REDDIT, dialogue, dialogues, write_folder
from publications import Publish

from sage_data.dialogue import Scenario
from sage_data.store.dialogues import scenarios_to_table, to_table
from sage_data.store.manifest import Origin

for package in ("huggingface_hub", "datasets", "jinja2"):
    pytest.importorskip(package)


WITHHELD: dict[str, Any] = {"license": "cc-by-4.0", "allow": ["unknown-license"], "dry_run": True}


@pytest.mark.parametrize("origin", [OWN, REDDIT])
def test_dialogues_go_to_the_split_that_they_name(publish: Publish, tmp_path: Path, origin: Origin) -> None:
    names = ["test", None, "train", "dev", "test"]
    rows = [
        replace(one, source=replace(one.source, split=name))
        for one, name in zip(map(dialogue, range(5)), names, strict=True)
    ]
    folder = write_folder(tmp_path / "talk", [to_table(rows[:2]), to_table(rows[2:])], [origin])
    manifest = publish(folder, **WITHHELD)
    staged = tmp_path / "published" / "out0" / "dataset" / "talk"
    assert {path.name.partition("-")[0]: pq.read_table(path)["id"].to_pylist() for path in staged.iterdir()} == {
        "train": ["d1", "d2"],
        "dev": ["d3"],
        "test": ["d0", "d4"],
    }
    assert (manifest.counts[0].came_in, manifest.counts[0].kept) == (5, 5)


def test_other_tables_go_by_their_column_split(publish: Publish, tmp_path: Path) -> None:
    told = pa.table({"id": ["a", "b", "c"], "split": pa.array([None, "validation", None], pa.string())})
    none = pa.table({"id": ["a", "b"], "split": pa.nulls(2, pa.string())})
    folders = [
        write_folder(tmp_path / name, [rows], name="messages") for name, rows in (("some", told), ("none", none))
    ]
    publish(*folders, dry_run=True)
    staged = tmp_path / "published" / "out0" / "dataset"
    found = {path.relative_to(staged).as_posix(): pq.read_metadata(path).num_rows for path in staged.glob("*/*")}
    assert found == {
        "some/train-00000-of-00001.parquet": 2,
        "some/validation-00000-of-00001.parquet": 1,
        "none/train-00000-of-00001.parquet": 2,
    }


def test_models_are_named_without_their_folders(publish: Publish, tmp_path: Path) -> None:
    names = ["/home/jane.smith/models/agent", None, "C:\\Users\\jane\\agent", "org/agent@0123"]
    rows = [replace(dialogue(number), model=name) for number, name in enumerate(names)]
    publish(write_folder(tmp_path / "talk", [to_table(rows)]), dry_run=True)
    (path,) = (tmp_path / "published" / "out0" / "dataset" / "talk").iterdir()
    assert pq.read_table(path)["model"].to_pylist() == ["agent", None, "agent", "org/agent@0123"]


def test_rewrites_are_hashed_once(publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sage_data.publishing.withholding import hashed

    folder = write_folder(tmp_path / "talk", [dialogues(3), dialogues(6).slice(3)], [REDDIT])
    rewrites = pa.table({"dialogue": ["d4"], "index": [1], "original": ["And yours?"]})
    pq.write_table(rewrites, folder / "rewrites-00000.parquet")
    calls = []

    def counted(table: pa.Table | None) -> pa.Table | None:
        calls.append(table)
        return hashed(table)

    monkeypatch.setattr("sage_data.publishing.staging.hashed", counted)
    publish(folder, **WITHHELD)
    assert len(calls) == 1
    (path,) = (tmp_path / "published" / "out0" / "dataset" / "talk").iterdir()
    hashes = [row[1]["original_sha256"] for row in pq.read_table(path)["utterances"].to_pylist()]
    assert [index for index, digest in enumerate(hashes) if digest] == [4]


def test_each_split_is_a_file_of_its_own(publish: Publish, tmp_path: Path) -> None:
    made = [Scenario(f"s{number}", f"Day {number}", "sad", "dev" if number % 3 else "train") for number in range(7)]
    folder = write_folder(tmp_path / "scenarios", [scenarios_to_table(made)], [OWN], name="scenarios")
    manifest = publish(folder, dry_run=True)
    staged = tmp_path / "published" / "out0" / "dataset" / "scenarios"
    assert {path.name: pq.read_metadata(path).num_rows for path in staged.iterdir()} == {
        "train-00000-of-00001.parquet": 3,
        "dev-00000-of-00001.parquet": 4,
    }
    assert manifest.counts[0].kept == 7
