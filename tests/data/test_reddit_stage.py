"""The whole Reddit stage on small dumps: what is written, that it adds up, and that it does not depend on order."""

from __future__ import annotations

import bz2
import json
from pathlib import Path
from typing import Any

import pytest

from sage_data.dialogue import Source, Utterance
from sage_data.errors import DamagedFileError, InputError
from sage_data.reddit.building import find_dumps, partition_of
from sage_data.stage import run_stage
from sage_data.store.dialogues import read_dialogues
from sage_data.store.manifest import Counts, Manifest
from sage_data.store.shards import read_table


def line(id: str, author: str, parent: str = "", time: int = 0, thread: str = "t3_x", **others: Any) -> bytes:
    fields = {
        "id": id,
        "author": author,
        "body": f"said in {id}",
        "created_utc": time,
        "link_id": thread,
        "parent_id": f"t1_{parent}" if parent else thread,
        "subreddit": "books",
        **others,
    }
    return json.dumps(fields).encode()


JANUARY = [
    line("1", "ann", time=10, body="Tea &amp; cake?\r\nReally?"),
    line("2", "bob", "1", time=20),
    b"",
    line("2", "bob", "1", time=20, body="a second version"),
    line("3", "[deleted]", "2", time=30),
    b'{"id": "4", "auth',
    line("5", "helper_bot", "2", time=40),
    line("6", "dee", "2", time=50),
]
FEBRUARY = [
    line("1", "eve", time=60, thread="t3_y"),
    line("7", "ann", "2", time=60),
    line("8", "eve", time=70, thread="t3_y"),
    line("9", "fay", "8", time=80, thread="t3_y", created_utc="80"),
    b"[]",
]


@pytest.fixture
def dumps(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "dumps"
    folder.mkdir()
    (folder / "RC_2006-01.jsonl").write_bytes(b"\n".join(JANUARY) + b"\n")
    (folder / "RC_2006-02.bz2").write_bytes(bz2.compress(b"\n".join(FEBRUARY)))
    (folder / "RS_2006-02.bz2").write_bytes(b"submissions are no comments")
    return sorted(folder.glob("RC_*"))


def build(out: Path, inputs: list[Path], **config: Any) -> Manifest:
    return run_stage("sage_data.reddit", config, {"dumps": inputs}, out)


def test_dialogues_cross_months_and_keep_their_source(tmp_path: Path, dumps: list[Path]) -> None:
    build(tmp_path / "out", [dumps[0].parent], partitions=1)
    first, second = read_dialogues(tmp_path / "out")
    assert first.id == "reddit-1-3"
    assert first.utterances == (
        Utterance("user", "Tea & cake?\nReally?", source_id="1"),
        Utterance("assistant", "said in 2", source_id="2"),
        Utterance("user", "said in 7", source_id="7"),
    )
    assert first.source == Source("reddit", "t3_x", "books", 10, ("RC_2006-01.jsonl", "RC_2006-02.bz2"))
    assert [one.source_id for one in second.utterances] == ["8", "9"]


def test_everything_is_accounted_for(tmp_path: Path, dumps: list[Path]) -> None:
    out = tmp_path / "out"
    manifest = build(out, dumps)
    dropped = {"bot": 1, "deleted": 1, "duplicate": 2, "single": 1}
    assert {counts.unit: counts for counts in manifest.counts} == {
        "lines": Counts(unit="lines", came_in=13, kept=10, dropped={"blank": 1}, quarantined=2),
        "comments": Counts(unit="comments", came_in=10, kept=5, dropped=dropped, quarantined=0),
        "dialogues": Counts(unit="dialogues", came_in=2, kept=2, dropped={}, quarantined=0),
    }
    quarantine = read_table(out, "quarantine").select(["file", "line", "reason"]).to_pylist()
    assert quarantine == [
        {"file": "RC_2006-01.jsonl", "line": 6, "reason": "bad_json"},
        {"file": "RC_2006-02.bz2", "line": 5, "reason": "bad_json"},
    ]
    rejected = read_table(out / "rejected", "dialogues").to_pylist()
    assert sorted((row["id"], row["reason"], row["file"][:10], row["line"]) for row in rejected) == [
        ("1", "duplicate", "RC_2006-02", 1),
        ("2", "duplicate", "RC_2006-01", 4),
        ("3", "deleted", "RC_2006-01", 5),
        ("5", "bot", "RC_2006-01", 7),
        ("6", "single", "RC_2006-01", 8),
    ]
    funnel = json.loads((out / "funnel.json").read_text())
    assert funnel["lines"]["quarantined_by_reason"] == {"bad_json": 2}
    assert funnel["comments"]["dropped"] == dropped
    assert funnel["files"]["RC_2006-02.bz2"] == {"comments": 4, "lines": 5}
    summary = (out / "summary.txt").read_text()
    assert all(len(text) <= 110 for text in summary.splitlines())
    assert "dropped: duplicate" in summary


def test_bytes_depend_on_neither_file_order_nor_line_order(tmp_path: Path, dumps: list[Path]) -> None:
    whole = build(tmp_path / "a", [dumps[0].parent]).content_hash
    assert build(tmp_path / "b", dumps[::-1]).content_hash == whole
    dumps[1].write_bytes(bz2.compress(b"\n".join([*FEBRUARY[:4][::-1], b"[]"])))
    reordered = build(tmp_path / "c", dumps)
    shards = [entry for entry in reordered.files if entry.path.startswith("dialogues-")]
    assert [entry for entry in build(tmp_path / "a", [dumps[0].parent]).files if entry in shards] == shards


def test_a_killed_build_ends_with_the_same_bytes(
    tmp_path: Path, dumps: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = build(tmp_path / "whole", dumps)
    with monkeypatch.context() as broken:
        broken.setattr("sage_data.reddit.write_funnel", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            build(tmp_path / "again", dumps)
    again = build(tmp_path / "again", dumps)
    assert (again.content_hash, again.counts) == (whole.content_hash, whole.counts)


def test_partitions_spread_dialogues_but_change_none(tmp_path: Path, dumps: list[Path]) -> None:
    build(tmp_path / "one", dumps, partitions=1)
    build(tmp_path / "many", dumps, partitions=13)
    one, many = (sorted(read_dialogues(tmp_path / name), key=lambda d: d.id) for name in ("one", "many"))
    assert one == many
    assert len(list((tmp_path / "many").glob("dialogues-*.parquet"))) == 13
    assert partition_of("t3_x", 13) == partition_of("t3_x", 13) < 13


def test_comment_gates_and_policy_are_settings(tmp_path: Path, dumps: list[Path]) -> None:
    build(tmp_path / "out", dumps, policy="any", comments={"bot": False, "deleted": False}, partitions=1)
    first, *_ = read_dialogues(tmp_path / "out")
    assert [one.source_id for one in first.utterances] == ["1", "2", "3"]


def test_a_damaged_dump_stops_the_stage(tmp_path: Path, dumps: list[Path]) -> None:
    dumps[1].write_bytes(dumps[1].read_bytes()[:-9])
    with pytest.raises(DamagedFileError, match=dumps[1].name):
        build(tmp_path / "out", dumps)
    assert not (tmp_path / "out").exists()


def test_dumps_are_found_by_pattern_once_each(tmp_path: Path, dumps: list[Path]) -> None:
    folder = dumps[0].parent
    assert find_dumps([folder, dumps[1]], "RC_*") == dumps
    assert find_dumps([dumps[1], dumps[0]], "RC_*") == dumps
    with pytest.raises(InputError, match="RX_"):
        find_dumps([folder], "RX_*")
    twin = tmp_path / dumps[0].name
    twin.write_bytes(b"x")
    with pytest.raises(InputError, match="two called"):
        find_dumps([folder, twin], "RC_*")
