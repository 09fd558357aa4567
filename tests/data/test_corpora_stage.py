"""`sage data load` as a stage: one shape, unique ids, counts that add up, resumed runs, licences, the command."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from sage_data import corpora
from sage_data.cli.funnel import read_steps
from sage_data.cli.main import call
from sage_data.corpora import Config
from sage_data.corpora.parts import Wanted, find_parts
from sage_data.dialogue import Dialogue, Scenario, Source, State, Utterance
from sage_data.errors import ConfigError, DamagedFileError, InputError
from sage_data.scenarios.lines import FIELDS
from sage_data.stage import Input, Output, run_stage
from sage_data.store.dialogues import read_dialogues, read_scenarios
from sage_data.store.manifest import Manifest
from sage_data.store.shards import read_shards, read_table


def load(out: Path, *sources: Path | str, **config: Any) -> Manifest:
    return run_stage("sage_data.corpora", config, {"source": sources}, out)


def chat(key: str | None, *texts: str) -> dict[str, Any]:
    said = [{"role": ("user", "assistant")[index % 2], "content": text} for index, text in enumerate(texts)]
    return {"messages": said} if key is None else {"id": key, "messages": said}


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def ids_in(folder: Path) -> list[str]:
    return [dialogue.id for dialogue in read_dialogues(folder)]


def counted(manifest: Manifest) -> dict[str, tuple[int, int, dict[str, int], int]]:
    return {one.unit: (one.came_in, one.kept, dict(one.dropped), one.quarantined) for one in manifest.counts}


def test_dialogues_of_one_shape(tmp_path: Path) -> None:
    path = lines(tmp_path / "my.train.jsonl", chat("a", "Hi", "Yo"), chat(None, "One"))
    load(tmp_path / "out", path)
    first, second = read_dialogues(tmp_path / "out")
    said = (Utterance("user", "Hi"), Utterance("assistant", "Yo"))
    source = Source(corpus="messages", thread="a", files=("my.train.jsonl",), split="train")
    assert first == Dialogue("messages-train-a", said, source)
    assert (second.id, second.source.thread) == ("messages-train-my:2", None)


def test_ids_occur_once_and_repeats_are_counted(tmp_path: Path) -> None:
    one = lines(tmp_path / "one.jsonl", chat("a", "1"), chat("a", "2"), chat("a#2", "3"))
    two = lines(tmp_path / "two.jsonl", chat("a", "4"), chat(None, "5"))
    load(tmp_path / "out", one, two, corpus="c")
    assert ids_in(tmp_path / "out") == [
        "c-a",
        "c-a#2",
        "c-a#2#2",
        "c-a#3",
        "c-two:2",
    ]
    assert json.loads((tmp_path / "out" / "funnel.json").read_text())["repeated_ids"] == 3
    assert "got a number: 3" in (tmp_path / "out" / "summary.txt").read_text()


def test_records_that_come_again_are_dropped_and_counted(tmp_path: Path) -> None:
    train = lines(tmp_path / "train.jsonl", chat("a", "1", "2"), chat("b", "1"), chat("a", "1", "2"), chat("b", "2"))
    valid = lines(tmp_path / "valid.jsonl", chat("b", "1"), chat("a", "9"))
    sample = lines(tmp_path / "a_sample.jsonl", chat("a", "1", "2"), chat(None, "1"), chat(None, "1"))
    # The sample is named first; it is read last, since nothing tells its split.
    manifest = load(tmp_path / "out", sample, train, valid, shard_rows=2)
    assert ids_in(tmp_path / "out") == [
        "messages-train-a",
        "messages-train-b",
        "messages-train-b#2",
        "messages-dev-a",
        "messages-a_sample:2",
        "messages-a_sample:3",
    ]
    assert counted(manifest) == {
        "dialogues": (9, 6, {"duplicate": 3}, 0),
        "messages": (12, 7, {"duplicate": 5}, 0),
    }
    assert manifest.warnings == [
        "5 dialogues hold no exchange: only one side speaks",
        "1 dialogues have the id of an earlier, different one, and got a number behind it",
    ]
    files = json.loads((tmp_path / "out" / "funnel.json").read_text())["files"]
    assert {name: one["duplicates"] for name, one in files.items()} == {
        "train.jsonl": 1,
        "valid.jsonl": 1,
        "a_sample.jsonl": 1,
    }
    assert [one.source.split for one in read_dialogues(tmp_path / "out")] == ["train"] * 3 + ["dev", None, None]


def test_empathetic_samples_beside_their_split(tmp_path: Path) -> None:
    folder = tmp_path / "ed"
    folder.mkdir()

    def row(conversation: str, number: int, text: str, situation: str = "I won.") -> str:
        return f"{conversation},{number},proud,{situation},{number % 2},{text},5|5|5_5|5|5,"

    shared = [row("hit:0_conv:1", 1, "I won!"), row("hit:0_conv:1", 2, "How nice.")]
    files = {
        "official_sample_rows.csv": [*shared, row("hit:0_conv:2", 1, "Oh", "I fell.")],
        "train.csv": [*shared, row("hit:0_conv:2", 1, "Ouch", "I fell.")],
        "valid.csv": [row("hit:0_conv:3", 1, "Hm", "I ran.")],
    }
    for name, rows in files.items():
        (folder / name).write_text("\n".join([",".join(FIELDS), *rows]))
    manifest = load(tmp_path / "out", folder)
    assert [(one.id, one.split) for one in read_scenarios(tmp_path / "out")] == [
        ("hit:0_conv:1", "train"),
        ("hit:0_conv:2", "train"),
        ("hit:0_conv:3", "dev"),
        ("hit:0_conv:2#2", "train"),
    ]
    named = [one.scenario_id for one in read_dialogues(tmp_path / "out")]
    assert named == [one.id for one in read_scenarios(tmp_path / "out")]
    assert counted(manifest) == {
        "lines": (7, 5, {"duplicate": 2}, 0),
        "dialogues": (5, 4, {"duplicate": 1}, 0),
        "messages": (7, 5, {"duplicate": 2}, 0),
    }
    assert manifest.warnings == [
        "3 dialogues hold no exchange: only one side speaks",
        "1 scenarios have the id of an earlier, different one, and got a number behind it",
    ]


@pytest.mark.parametrize("place", ["strategy", "situation", "emotion_type", "problem_type", "content"])
def test_half_a_surrogate_pair_anywhere_rejects_the_row(tmp_path: Path, place: str) -> None:
    def row(**odd: str) -> dict[str, Any]:
        turn = {"speaker": "supporter", "content": "Yo", "annotation": {"strategy": odd.pop("strategy", "Other")}}
        turn["content"] = odd.pop("content", "Yo")
        return {"emotion_type": "sad", "problem_type": "p", "situation": "s", "dialog": [turn], **odd}

    path = tmp_path / "ESConv.json"
    path.write_text(json.dumps([row(**{place: "\ud800 bad"}), row()]))
    assert counted(load(tmp_path / "out", path))["dialogues"] == (2, 1, {}, 1)
    (rejected,) = read_table(tmp_path / "out" / "rejected", "dialogues").to_pylist()
    assert (rejected["line"], rejected["reason"]) == (1, "not_unicode")
    kept = counted(load(tmp_path / "bare", path, labels="drop"))["dialogues"][1]
    assert kept == (2 if place == "strategy" else 1)


@pytest.mark.parametrize("key", ["id", "model"])
def test_half_a_surrogate_pair_in_an_id_rejects_the_row(tmp_path: Path, key: str) -> None:
    path = lines(tmp_path / "a.jsonl", {**chat("a", "Hi"), key: "\udfff"}, chat("b", "Hi"))
    assert counted(load(tmp_path / "out", path))["dialogues"] == (2, 1, {}, 1)


def test_files_are_labels_only_beside_dialogues_of_dailydialog(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("user_actions.jsonl", "dialogues_act.jsonl", "dialogues.jsonl"):
        lines(folder / name, chat(name, "Hi", "Yo"))
    text = {"dialogues_test.txt": "Hi . __eou__ Yo . __eou__", "dialogues_emotion_test.txt": "0 4"}
    for name, content in {**text, "dialogues_text.txt": "So ? __eou__", "dialogues_act.txt": "2"}.items():
        (folder / name).write_text(content)
    (folder / "dialogues_act_train.txt").write_text("1 1")
    load(tmp_path / "out", folder)
    funnel = json.loads((tmp_path / "out" / "funnel.json").read_text())
    assert funnel["left_out"] == {
        "dialogues_act.txt": "labels, read with their dialogues",
        "dialogues_act_train.txt": "of no known format",
        "dialogues_emotion_test.txt": "labels, read with their dialogues",
    }
    assert len(funnel["files"]) == 5
    states = {one.utterances[0].text: one.utterances[0].state for one in read_dialogues(tmp_path / "out")}
    assert states == {"Hi .": State(None, None), "So ?": State("question"), "Hi": None}


def test_rejects_stand_aside_and_counts_add_up(tmp_path: Path) -> None:
    half = '{"messages": [{"role": "user", "content": "\\ud83d"}]}'
    path = tmp_path / "chat.jsonl"
    prompted = {"messages": [{"role": "system", "content": "x"}, *chat("", "Hi")["messages"]]}
    path.write_text("\n".join([json.dumps(prompted), "{", half, json.dumps(chat("b", "Hi", "Yo"))]))
    manifest = load(tmp_path / "out", path)
    assert counted(manifest) == {"dialogues": (4, 2, {}, 2), "messages": (4, 3, {"system_prompt": 1}, 0)}
    rejected = read_table(tmp_path / "out" / "rejected", "dialogues").to_pylist()
    assert [(row["file"], row["line"], row["reason"]) for row in rejected] == [
        ("chat.jsonl", 2, "not_json"),
        ("chat.jsonl", 3, "not_unicode"),
    ]
    steps = {step.label: step.count for step in read_steps(tmp_path / "out")}
    assert steps["dialogues kept"] == 2
    refused = load(tmp_path / "refused", path, system="reject")
    assert counted(refused)["dialogues"] == (4, 1, {}, 3)


SHARED = {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yo"}]}


@pytest.mark.parametrize("array", [False, True])
def test_the_first_readable_record_tells_the_format(tmp_path: Path, array: bool) -> None:
    odd = {**chat("b", "Hi", "Yo"), "from": "a forum", "article_url": "a"}
    rows = [odd, chat("c", "Hi", "Yo"), SHARED, chat("d", "Hi", "Yo")]
    path = tmp_path / ("mixed.json" if array else "mixed.jsonl")
    path.write_text(json.dumps(rows) if array else "\n".join(["{broken", *map(json.dumps, rows)]))
    manifest = load(tmp_path / "out", path)
    assert counted(manifest)["dialogues"] == (5 - array, 3, {}, 2 - array)
    assert manifest.warnings == []


def test_a_file_that_is_rejected_for_the_most_part_is_said(tmp_path: Path) -> None:
    path = lines(tmp_path / "mixed.jsonl", SHARED, chat("a", "Hi", "Yo"), chat("b", "Hi", "Yo"))
    assert load(tmp_path / "out", path).warnings == [
        "mixed.jsonl: 2 of 3 records, read as sharegpt, were rejected, most often for not_a_record (2); "
        "if it is of another format, say which with --format"
    ]
    half = lines(tmp_path / "half.jsonl", SHARED, chat("a", "Hi", "Yo"))
    assert load(tmp_path / "half", half).warnings == []
    with pytest.raises(InputError, match=r"found none: mixed\.jsonl: 3 of 3 records, read as esconv"):
        load(tmp_path / "none", path, format="esconv")


def test_dialogues_without_an_exchange_are_kept_and_counted(tmp_path: Path) -> None:
    path = lines(tmp_path / "chat.jsonl", chat("a", "Hi"), chat("b", "Hi", "Yo"))
    manifest = load(tmp_path / "out", path)
    assert manifest.warnings == ["1 dialogues hold no exchange: only one side speaks"]
    assert json.loads((tmp_path / "out" / "funnel.json").read_text())["notes"] == {"no_exchange": 1}
    assert counted(manifest)["dialogues"] == (2, 2, {}, 0)


def test_situations_become_scenarios_and_labels_may_go(tmp_path: Path) -> None:
    turns = [
        {"speaker": "seeker", "annotation": {}, "content": "Hello"},
        {"speaker": "supporter", "annotation": {"strategy": "Questions"}, "content": "How are you?"},
    ]
    row = {"emotion_type": "anxiety", "problem_type": "job crisis", "situation": "I lost my job.", "dialog": turns}
    path = tmp_path / "ESConv.json"
    path.write_text(json.dumps([row]))
    manifest = load(tmp_path / "out", path)
    (dialogue,) = read_dialogues(tmp_path / "out")
    assert dialogue.utterances[1].state == State("Questions")
    assert list(read_scenarios(tmp_path / "out")) == [Scenario("esconv-ESConv:1", "I lost my job.", "anxiety", "train")]
    assert (dialogue.scenario_id, dialogue.source.place) == ("esconv-ESConv:1", "job crisis")
    assert [(one.name, one.license) for one in manifest.origins] == [("ESConv", "cc-by-nc-4.0")]
    load(tmp_path / "bare", path, labels="drop")
    assert [one.state for one in next(read_dialogues(tmp_path / "bare")).utterances] == [None, None]


def test_licences(tmp_path: Path) -> None:
    path = lines(tmp_path / "share.jsonl", {"conversations": [{"from": "human", "value": "Hi"}]})
    given = {"license": "apache-2.0", "url": "https://example.org"}
    stated = [load(tmp_path / name, path, **config).origins[0] for name, config in (("a", {}), ("b", given))]
    assert [(one.name, one.license, one.url) for one in stated] == [
        ("share", "unknown", None),
        ("share", "apache-2.0", "https://example.org"),
    ]
    text = tmp_path / "dialogues_test.txt"
    text.write_text("Hi . __eou__ Yo . __eou__")
    manifest = load(tmp_path / "c", text, license="mit")
    assert [one.license for one in manifest.origins] == ["cc-by-nc-sa-4.0"]
    assert "not used" in manifest.warnings[0]


def test_a_folder_is_read_by_what_its_files_hold(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    lines(folder / "train.jsonl", chat("a", "1"))
    lines(folder / "valid.jsonl", chat("a", "2"))
    (folder / "test.json").write_text(json.dumps([{"conversations": [{"from": "human", "value": "3"}]}]))
    (folder / "LICENSE").write_text("free")
    (folder / "notes.txt").write_text("to myself")
    (folder / "empty.txt").write_bytes(b"")
    load(tmp_path / "all", folder)
    assert ids_in(tmp_path / "all") == [
        "sharegpt-test-test:1",
        "messages-train-a",
        "messages-dev-a",
    ]
    left = json.loads((tmp_path / "all" / "funnel.json").read_text())["left_out"]
    assert left == {
        "LICENSE": "no such file is read",
        "empty.txt": "of no known format",
        "notes.txt": "of no known format",
    }
    load(tmp_path / "dev", folder, split="validation")
    assert ids_in(tmp_path / "dev") == ["messages-dev-a"]
    with pytest.raises(InputError, match="found none"):
        load(tmp_path / "none", folder, split="other")
    with pytest.raises(InputError, match="expected a known format"):
        load(tmp_path / "notes", folder / "notes.txt")


def test_nothing_to_read_and_other_urls_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no dialogue"):
        load(tmp_path / "out", lines(tmp_path / "a.json", []), format="messages")
    with pytest.raises(ConfigError, match="expected a local path or hf://"):
        find_parts([Input(Path("a.jsonl"), "a.jsonl", "mark", "s3://bucket/a.jsonl")], Wanted())
    with pytest.raises(ValidationError):
        Config.model_validate({"split": ""})


def test_damage_is_fatal_and_named(tmp_path: Path) -> None:
    packed = gzip.compress("\n".join(json.dumps(chat(str(number), "Hi")) for number in range(9_000)).encode())
    path = tmp_path / "big.jsonl.gz"
    path.write_bytes(packed[:-2_000])
    with pytest.raises(DamagedFileError, match=r"big\.jsonl\.gz"):
        load(tmp_path / "out", path)


def test_a_broken_run_goes_on_at_its_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [chat(str(number % 7), f"Hi {number}", "Yo") if number % 5 else {"messages": []} for number in range(40)]
    path = lines(tmp_path / "chat.jsonl", *rows)
    write, written = corpora._write, []

    def fragile(block: Any, index: int, out: Output) -> None:
        if index == 3 and 3 not in written:
            written.append(3)
            raise KeyboardInterrupt
        written.append(index)
        write(block, index, out)

    monkeypatch.setattr(corpora, "_write", fragile)
    with pytest.raises(KeyboardInterrupt):
        load(tmp_path / "out", path, shard_rows=8)
    broken = load(tmp_path / "out", path, shard_rows=8)
    assert written == [0, 1, 2, 3, 3, 4]
    monkeypatch.undo()
    whole = load(tmp_path / "whole", path, shard_rows=8)
    assert (broken.content_hash, broken.counts) == (whole.content_hash, whole.counts)
    assert [table.num_rows for table in read_shards(tmp_path / "out", "dialogues")] == [6, 6, 7, 6, 7]


def test_a_limit_stops_reading(tmp_path: Path) -> None:
    path = lines(tmp_path / "chat.jsonl", *(chat(str(number), "Hi") for number in range(9)))
    assert counted(load(tmp_path / "out", path, limit=4))["dialogues"][0] == 4


def test_parquet_rejects_have_one_schema_in_every_shard(tmp_path: Path) -> None:
    path = lines(tmp_path / "chat.jsonl", 1, chat("a", "x"), 2)
    load(tmp_path / "out", path, format="messages", shard_rows=1)
    tables = list(read_shards(tmp_path / "out" / "rejected", "dialogues"))
    assert pa.concat_tables(tables)["line"].to_pylist() == [1, 3]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = lines(tmp_path / "chat.jsonl", chat("a", "Hi", "Yo"))
    out = tmp_path / "out"
    assert call(["data", "load", str(path), "--out", str(out), "--format", "messages", "--labels", "drop", "-q"]) == 0
    assert "chat.jsonl" in capsys.readouterr().out
    assert call(["data", "load", str(path), "--out", str(out), "--format", "nonsense"]) == 2
