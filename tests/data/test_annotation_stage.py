"""The annotation stage: shards one to one, failures kept apart, states that were there respected."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sage_data import annotation
from sage_data.dialogue import Dialogue, State, Utterance
from sage_data.errors import InputError
from sage_data.stage import Output, run_stage
from sage_data.store.dialogues import from_table, read_dialogues, to_table
from sage_data.store.manifest import Manifest
from sage_data.store.shards import read_shards, read_table, shard_name, write_table

KNOWN = State("declared", "calm", ("tea",))
TALK = Dialogue(
    "talk",
    (
        Utterance("user", "I'm so nervous about the interview."),
        Utterance("assistant", "You can do this! What is the job?", KNOWN),
    ),
)
SHARDS = [[TALK, Dialogue("empty", ())], [], [replace(TALK, id="again")]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for index, dialogues in enumerate(SHARDS):
        write_table(tmp_path / "in" / shard_name("dialogues", index), to_table(dialogues))
    return tmp_path / "in"


def annotate(folder: Path, out: Path, **config: Any) -> Manifest:
    return run_stage("sage_data.annotation", config, {"dialogues": [folder]}, out)


def test_shards_stay_one_to_one_and_counts_add_up(tmp_path: Path, folder: Path) -> None:
    manifest = annotate(folder, tmp_path / "out")
    assert [table.num_rows for table in read_shards(tmp_path / "out", "dialogues")] == [1, 0, 1]
    counted = {one.unit: (one.came_in, one.kept, one.dropped) for one in manifest.counts}
    assert counted == {
        "dialogues": (3, 2, {"no_utterances": 1}),
        "utterances": (4, 4, {}),
        "states": (4, 2, {"had one already": 2}),
    }
    assert manifest.models["annotator"].startswith("lexicon:")
    assert set(manifest.resources) == {"annotation/cues.toml", "annotation/topics.toml"}


def test_failures_are_kept_apart_with_their_reason(tmp_path: Path, folder: Path) -> None:
    annotate(folder, tmp_path / "out")
    rejected = read_table(tmp_path / "out" / "rejected", "dialogues")
    assert from_table(rejected) == [SHARDS[0][1]]
    assert rejected["reason"].to_pylist() == ["no_utterances"]


def test_existing_states_are_kept_or_replaced(tmp_path: Path, folder: Path) -> None:
    annotate(folder, tmp_path / "kept")
    annotate(folder, tmp_path / "replaced", existing="replace")
    kept, replaced = (next(read_dialogues(tmp_path / name)).utterances for name in ("kept", "replaced"))
    assert kept[0] == replaced[0]
    assert kept[0].state == State("sharing", "anxious", ("interview",))
    assert kept[1].state == KNOWN
    assert replaced[1].state == State("encouragement", "supportive", ("job",))
    assert [one.text for one in kept] == [one.text for one in TALK.utterances]
    told = "2 utterances had a state already and were left as they were"
    assert told in (tmp_path / "kept" / "summary.txt").read_text()
    assert "had a state" not in (tmp_path / "replaced" / "summary.txt").read_text()
    manifest = annotate(folder, tmp_path / "replaced", existing="replace")
    assert [one.unit for one in manifest.counts] == ["dialogues", "utterances"]


def test_annotating_again_changes_nothing(tmp_path: Path, folder: Path) -> None:
    annotate(folder, tmp_path / "once")
    annotate(tmp_path / "once", tmp_path / "twice")
    assert list(read_dialogues(tmp_path / "twice")) == list(read_dialogues(tmp_path / "once"))


def test_same_bytes_each_time_and_tags_are_counted(tmp_path: Path, folder: Path) -> None:
    first, second = annotate(folder, tmp_path / "first"), annotate(folder, tmp_path / "second")
    assert first.content_hash == second.content_hash
    tags = json.loads((tmp_path / "first" / "tags.json").read_text())
    assert tags["user"]["emotion"] == {"anxious": 2}
    assert tags["assistant"]["topic"] == {"tea": 2}
    assert "anxious 2" in (tmp_path / "first" / "summary.txt").read_text()


def test_a_broken_run_goes_on_where_it_stopped(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    write = annotation._annotate_shard

    def fragile(out: Output, index: int, *rest: Any) -> None:
        if index == 2 and len(done) < 3:
            done.append(-1)
            raise KeyboardInterrupt
        done.append(index)
        write(out, index, *rest)

    monkeypatch.setattr(annotation, "_annotate_shard", fragile)
    with pytest.raises(KeyboardInterrupt):
        annotate(folder, tmp_path / "broken")
    broken = annotate(folder, tmp_path / "broken")
    assert done == [0, 1, -1, 2]
    whole = annotate(folder, tmp_path / "whole")
    assert (broken.content_hash, broken.counts) == (whole.content_hash, whole.counts)


def test_gold_gives_agreement(tmp_path: Path, folder: Path) -> None:
    rows = [
        {"dialogue": "talk", "index": 0, "motivation": "sharing", "emotion": "anxious", "topics": ["interview"]},
        {"dialogue": "talk", "index": 1, "motivation": "declared", "emotion": "sad", "topics": []},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "states.parquet")
    inputs = {"dialogues": [folder], "gold": [tmp_path / "states.parquet"]}
    run_stage("sage_data.annotation", {}, inputs, tmp_path / "out")
    found = json.loads((tmp_path / "out" / "agreement.json").read_text())
    assert found["labels"]["user"]["emotion"]["accuracy"] == 1.0
    assert found["labels"]["assistant"]["emotion"]["accuracy"] == 0.0
    assert found["without_gold"] == 2
    assert "user emotion" in (tmp_path / "out" / "summary.txt").read_text()


def test_another_lexicon_is_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(InputError, match="expected the VADER lexicon"):
        annotate(folder, tmp_path / "out", lexicon_sha256="0" * 64)
