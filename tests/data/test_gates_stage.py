"""The gate stage: rejects are kept with their reason, the funnel adds up, a rerun gives the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner

from sage_data import gates
from sage_data.cli.stage_command import stage_command
from sage_data.dialogue import Dialogue, Source, State, Utterance
from sage_data.errors import InputError
from sage_data.gates.columns import checked
from sage_data.gates.judging import Judge
from sage_data.stage import run_stage
from sage_data.store.dialogues import DIALOGUE_SCHEMA, from_table, read_dialogues, to_table
from sage_data.store.files import regular_files
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
        dialogue("kept in capitals", HAPPY.upper(), HAPPY, HAPPY, HAPPY, HAPPY + "?"),
        dialogue("short too", "Bad?", "Nice.", "Great.", "Good.", "Fine."),
    ],
    [
        dialogue("nearly kept", HAPPY, HAPPY, HAPPY, HAPPY, HAPPY + " now?"),
        dialogue("kept again", HAPPY, HAPPY, HAPPY, HAPPY, HAPPY + "? "),
    ],
]
ALL_KEPT = ["kept", "kept in capitals", "nearly kept", "kept again"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "dialogues"
    for index, dialogues in enumerate(SHARDS):
        write_table(path / shard_name("dialogues", index), to_table(dialogues))
    return path


def gate(out: Path, folder: Path, **config: Any) -> Manifest:
    return run_stage("sage_data.gates", config, {"dialogues": [folder]}, out)


def funnel_of(out: Path) -> dict[str, Any]:
    funnel: dict[str, Any] = json.loads((out / "funnel.json").read_text(encoding="utf-8"))
    return funnel


def ids_of(out: Path) -> list[str]:
    return [one.id for one in read_dialogues(out)]


def test_kept_and_rejected_are_the_input(tmp_path: Path, folder: Path) -> None:
    out = tmp_path / "out"
    manifest = gate(out, folder)
    assert list(read_dialogues(out)) == [one for shard in SHARDS for one in shard if one.id in ALL_KEPT]
    rejected = read_table(out / "rejected", "dialogues")
    assert from_table(rejected) == [one for shard in SHARDS for one in shard if one.id not in ALL_KEPT]
    assert rejected["reason"].to_pylist() == [
        "too_few_turns",
        "too_short_utterances",
        "no_question",
        "low_sentiment",
        "too_short_utterances",
        "too_short_utterances",
    ]
    (counts,) = manifest.counts
    assert (counts.came_in, counts.kept, counts.quarantined) == (10, 4, 0)
    assert counts.adds_up()


def test_the_funnel_is_written_in_order_with_examples(tmp_path: Path, folder: Path) -> None:
    out = tmp_path / "out"
    gate(out, folder)
    funnel = funnel_of(out)
    assert funnel["dropped"] == {"low_sentiment": 1, "no_question": 1, "too_few_turns": 1, "too_short_utterances": 3}
    assert funnel["order"] == ["too_few_turns", "too_short_utterances", "no_question", "low_sentiment"]
    assert funnel["examples"] == {
        "too_few_turns": ["few"],
        "too_short_utterances": ["short", "flat and short"],
        "no_question": ["asks nothing"],
        "low_sentiment": ["flat"],
    }
    assert funnel["settings"]["min_compound_exclusive"] == 0.4
    assert len(funnel["settings"]["lexicon_sha256"]) == 64
    left = [line.split()[-1] for line in (out / "summary.txt").read_text().splitlines()[1:]]
    assert left == ["10", "9", "6", "5", "4", "4"]


def test_looser_settings_keep_more(tmp_path: Path, folder: Path) -> None:
    gate(tmp_path / "out", folder, min_turns_exclusive=1, min_mean_words_exclusive=None, min_compound_exclusive=None)
    dropped = {"asks nothing", "flat and short"}
    assert ids_of(tmp_path / "out") == [one.id for shard in SHARDS for one in shard if one.id not in dropped]


def test_nothing_in_and_nothing_dropped(tmp_path: Path) -> None:
    write_table(tmp_path / "none" / shard_name("dialogues", 0), to_table([]))
    gate(tmp_path / "out", tmp_path / "none")
    assert funnel_of(tmp_path / "out")["examples"] == {}
    assert read_table(tmp_path / "out", "dialogues").schema.equals(DIALOGUE_SCHEMA)


def test_duplicates_are_dropped_across_shards(tmp_path: Path, folder: Path) -> None:
    gate(tmp_path / "exact", folder, drop_duplicates=True)
    assert ids_of(tmp_path / "exact") == ["kept", "nearly kept"]
    gate(tmp_path / "both", folder, drop_duplicates=True, near_duplicate_jaccard=0.8)
    assert ids_of(tmp_path / "both") == ["kept"]
    funnel = funnel_of(tmp_path / "both")
    assert funnel["order"][-2:] == ["duplicate", "near_duplicate"]
    assert funnel["examples"]["duplicate"] == ["kept in capitals", "kept again"]
    assert funnel["examples"]["near_duplicate"] == ["nearly kept"]


@pytest.mark.parametrize("finished", [1, 2, 3])
def test_a_run_killed_between_shards_goes_on_to_the_same_bytes(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, finished: int
) -> None:
    config = {"drop_duplicates": True, "near_duplicate_jaccard": 0.8}
    whole = gate(tmp_path / "whole", folder, **config)
    gate_shard = gates._gate_shard

    def killed(table: pa.Table, judge: Judge, index: int, out: Any) -> None:
        if index == finished:
            raise KeyboardInterrupt
        gate_shard(table, judge, index, out)

    with monkeypatch.context() as broken:
        broken.setattr("sage_data.gates._gate_shard", killed)
        with pytest.raises(KeyboardInterrupt):
            gate(tmp_path / "again", folder, **config)
    again = gate(tmp_path / "again", folder, **config)
    assert (again.content_hash, again.counts) == (whole.content_hash, whole.counts)


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


def test_a_block_list_is_an_input_whose_content_counts(tmp_path: Path, folder: Path) -> None:
    blocked = tmp_path / "words.txt"
    inputs = {"dialogues": [folder], "blocked_words": [blocked]}
    marks = []
    for word in ("nothing of it", "AM so happy"):
        blocked.write_text(f"{word}\n")
        marks.append(run_stage("sage_data.gates", {}, inputs, tmp_path / "out").fingerprint)
    assert len(set(marks)) == 2
    assert funnel_of(tmp_path / "out")["dropped"]["blocked_words"] == 5
    assert ids_of(tmp_path / "out") == []


def test_the_command_takes_a_preset_and_overrides(tmp_path: Path, folder: Path) -> None:
    command = stage_command("gate", "sage_data.gates", "gates", "")
    common = [str(folder), "--out", str(tmp_path / "out"), "--preset", "dialogpt-release", "-q"]
    given = ["--max-turns", "4", "--set", "max_words=30", "--set", "min_words=null", "--set", "capitals_in_row=null"]
    ran = CliRunner().invoke(command, [*common, *given, "--no-drop-urls"], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    assert "too_many_turns" in ran.output
    funnel = funnel_of(tmp_path / "out")
    recorded = json.loads((tmp_path / "out" / "manifest.json").read_text())["config"]
    assert funnel["settings"] == recorded
    assert recorded["preset"] == "dialogpt-release"
    assert (recorded["max_turns"], recorded["max_words"], recorded["repeated_words"]) == (4, 30, 3)
    assert (recorded["min_words"], recorded["capitals_in_row"], recorded["drop_urls"]) == (None, None, False)
    assert {"short_utterance", "capitals", "url", "low_sentiment"}.isdisjoint(funnel["order"])


def test_a_folder_without_dialogues_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="dialogues-00000"):
        gate(tmp_path / "out", tmp_path / "empty")


def test_tables_that_hold_no_dialogues_are_refused_with_their_place() -> None:
    table = to_table(SHARDS[0])
    place = table.schema.get_field_index("utterances")
    without_text = [[{"role": "user"}], *table["utterances"].to_pylist()[1:]]
    wrongs = [
        (table.drop_columns("utterances"), "missing: utterances"),
        (table.set_column(place, "utterances", pa.array([1, 2, 3])), "shard 7.*column types"),
        (table.set_column(place, "utterances", pa.nulls(3, table["utterances"].type)), "shard 7.*found 3"),
        (table.set_column(place, "utterances", pa.array(without_text, table["utterances"].type)), "shard 7.*found 1"),
    ]
    for wrong, said in wrongs:
        with pytest.raises(InputError, match=said):
            checked(wrong, "shard 7")


def test_every_column_and_field_survives_and_extra_columns_go(tmp_path: Path) -> None:
    state = State("asking", None, ("books",))
    utterance = Utterance("user", HAPPY + "?", state, State(), "c1")
    source = Source("reddit", "t3_1", "books", 1, ("RC_2005-12.zst",))
    ones = [Dialogue(str(n), (utterance,) * turns, source, "s", "m") for n, turns in enumerate((5, 2, 6))]
    table = to_table(ones).append_column("more", pa.array([1, 2, 3]))
    write_table(tmp_path / "in" / shard_name("dialogues", 0), table)
    gate(tmp_path / "out", tmp_path / "in")
    assert list(read_dialogues(tmp_path / "out")) == [ones[0], ones[2]]
    assert from_table(read_table(tmp_path / "out" / "rejected", "dialogues")) == [ones[1]]
    assert read_table(tmp_path / "out", "dialogues").schema.equals(DIALOGUE_SCHEMA)
    assert len(regular_files(tmp_path / "out")) == 6
