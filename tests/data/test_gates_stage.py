"""The gate stage: rejects are kept with their reason, the funnel adds up, a rerun gives the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sage_data.dialogue import Dialogue, Utterance
from sage_data.errors import InputError
from sage_data.stage import run_stage
from sage_data.store.dialogues import from_table, read_dialogues, to_table
from sage_data.store.manifest import Manifest
from sage_data.store.shards import read_table, shard_name, write_table

HAPPY = "I am so happy and glad that you love this wonderful great day with all of us here"
FLAT = "The table stands in the room between the wall and the window since the day we moved in"


def dialogue(id: str, *texts: str) -> Dialogue:
    return Dialogue(id, tuple(Utterance("assistant" if n % 2 else "user", text) for n, text in enumerate(texts)))


SHARDS = [
    [
        dialogue("kept", HAPPY, HAPPY, HAPPY, HAPPY, HAPPY + "?"),
        dialogue("few", HAPPY, HAPPY + "?"),
        dialogue("short", "Good?", "Nice.", "Great.", "Good.", "Fine."),
    ],
    [],
    [
        dialogue("asks nothing", HAPPY, HAPPY, HAPPY, HAPPY, HAPPY),
        dialogue("flat", HAPPY, HAPPY, FLAT, HAPPY, HAPPY + "?"),
        dialogue("flat and short", "No.", "Yes.", "No.", "Yes.", "No."),
    ],
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "dialogues"
    for index, dialogues in enumerate(SHARDS):
        write_table(path / shard_name("dialogues", index), to_table(dialogues))
    return path


def gate(out: Path, folder: Path, **config: Any) -> Manifest:
    return run_stage("sage_data.gates", config, {"dialogues": [folder]}, out)


def test_kept_and_rejected_are_the_input(tmp_path: Path, folder: Path) -> None:
    out = tmp_path / "out"
    manifest = gate(out, folder)
    assert list(read_dialogues(out)) == [SHARDS[0][0]]
    rejected = read_table(out / "rejected", "dialogues")
    assert from_table(rejected) == [*SHARDS[0][1:], *SHARDS[2]]
    assert rejected["reason"].to_pylist() == [
        "too_few_turns",
        "too_short_utterances",
        "no_question",
        "low_sentiment",
        "too_short_utterances",
    ]
    (counts,) = manifest.counts
    assert (counts.came_in, counts.kept, counts.quarantined) == (6, 1, 0)
    assert counts.adds_up()


def test_the_funnel_is_written_in_order(tmp_path: Path, folder: Path) -> None:
    gate(tmp_path / "out", folder)
    funnel = json.loads((tmp_path / "out" / "funnel.json").read_text())
    assert funnel["dropped"] == {
        "low_sentiment": 1,
        "no_question": 1,
        "too_few_turns": 1,
        "too_short_utterances": 2,
    }
    assert funnel["order"] == ["too_few_turns", "too_short_utterances", "no_question", "low_sentiment"]
    assert funnel["settings"]["min_compound_exclusive"] == 0.4
    assert len(funnel["settings"]["lexicon_sha256"]) == 64
    left = [line.split()[-1] for line in (tmp_path / "out" / "summary.txt").read_text().splitlines()[1:]]
    assert left == ["6", "5", "3", "2", "1", "1"]


def test_looser_settings_keep_more(tmp_path: Path, folder: Path) -> None:
    gate(tmp_path / "out", folder, min_turns_exclusive=1, min_mean_words_exclusive=None, min_compound_exclusive=None)
    assert [one.id for one in read_dialogues(tmp_path / "out")] == ["kept", "few", "short", "flat"]


def test_a_finished_shard_is_not_judged_again(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = gate(tmp_path / "whole", folder)
    with monkeypatch.context() as broken:
        broken.setattr("sage_data.gates._write_funnel", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            gate(tmp_path / "again", folder)
    with monkeypatch.context() as watched:
        watched.setattr("sage_data.gates._gate_shard", lambda *_: pytest.fail("judged again"))
        again = gate(tmp_path / "again", folder)
    assert (again.content_hash, again.counts) == (whole.content_hash, whole.counts)


def test_a_folder_without_dialogues_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="dialogues-00000"):
        gate(tmp_path / "out", tmp_path / "empty")
