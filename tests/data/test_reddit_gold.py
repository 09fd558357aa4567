"""The miniature world, whose truth is known: every line, comment and dialogue ends where its gold file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from sage_data.dialogue import Dialogue
from sage_data.reddit.reasons import SINGLE
from sage_data.stage import Context, run_stage
from sage_data.store.dialogues import from_table, read_dialogues
from sage_data.store.shards import read_shards, read_table

TINY = {"train": 5, "valid": 5, "test": 5, "task_documents": 2, "base_documents": 10}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """World, dialogues and gated dialogues of 400 threads."""
    folder = tmp_path_factory.mktemp("runs")
    run_stage("sage_data.sample", {"threads": 400, **TINY}, {}, folder / "world", Context(seed=5))
    run_stage("sage_data.reddit", {}, {"dumps": [folder / "world" / "dumps"]}, folder / "dialogues")
    run_stage("sage_data.gates", {}, {"dialogues": [folder / "dialogues"]}, folder / "gated")
    return folder


def gold(runs: Path, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(runs / "world" / "gold" / f"{name}.parquet").to_pylist()
    return rows


def test_lines(runs: Path) -> None:
    expected = {(row["file"], row["line"], row["reason"]) for row in gold(runs, "lines") if row["reason"] != "blank"}
    quarantine = read_table(runs / "dialogues", "quarantine").to_pylist()
    found = [(row["file"], row["line"], row["reason"]) for row in quarantine]
    assert len(found) == len(expected) > 0
    assert set(found) == expected


def test_comments(runs: Path) -> None:
    expected = {(row["file"], row["line"], row["id"], row["reason"]) for row in gold(runs, "comments")}
    rejected = read_table(runs / "dialogues" / "rejected", "dialogues").to_pylist()
    found = [(row["file"], row["line"], row["id"], row["reason"]) for row in rejected if row["reason"] != SINGLE]
    assert len(found) == len(expected) > 0
    assert set(found) == expected


def test_dialogues(runs: Path) -> None:
    expected = {tuple(row["comment_ids"]): (row["outcome"], row["texts"]) for row in gold(runs, "dialogues")}
    found: dict[tuple[str | None, ...], tuple[str, list[str]]] = {}

    def add(dialogue: Dialogue, outcome: str) -> None:
        ids = tuple(utterance.source_id for utterance in dialogue.utterances)
        assert ids not in found
        found[ids] = (outcome, [utterance.text for utterance in dialogue.utterances])

    for dialogue in read_dialogues(runs / "gated"):
        add(dialogue, "keep")
    for table in read_shards(runs / "gated" / "rejected", "dialogues"):
        for dialogue, reason in zip(from_table(table), table["reason"].to_pylist(), strict=True):
            add(dialogue, reason)
    for row in read_table(runs / "dialogues" / "rejected", "dialogues").to_pylist():
        if row["reason"] == SINGLE:
            found[(row["id"],)] = (SINGLE, expected[(row["id"],)][1])  # their texts stay in the dump
    assert found == expected
