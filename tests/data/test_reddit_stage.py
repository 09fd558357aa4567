"""The whole Reddit stage on small dumps: what is written, that it adds up, and that it does not depend on order."""

from __future__ import annotations

import bz2
import io
import json
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sage_data.dialogue import Source, Utterance
from sage_data.errors import ConfigError, DamagedFileError, InputError, StageError
from sage_data.reddit import SPILL, partitions_for, spill
from sage_data.reddit.sources import Dump
from sage_data.stage import run_stage
from sage_data.store.dialogues import DIALOGUE_SCHEMA, read_dialogues
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


def write(path: Path, lines: list[bytes]) -> Path:
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def ids(out: Path) -> list[list[str | None]]:
    return [[one.source_id for one in dialogue.utterances] for dialogue in read_dialogues(out)]


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
    assert funnel["files"]["RC_2006-02.bz2"] == {"comments": 4, "lines": 5, "damage": None}
    summary = (out / "summary.txt").read_text()
    assert all(len(text) <= 110 for text in summary.splitlines())
    assert "dropped: duplicate" in summary


def test_bytes_depend_on_neither_file_order_nor_line_order(tmp_path: Path, dumps: list[Path]) -> None:
    whole = build(tmp_path / "a", [dumps[0].parent])
    assert build(tmp_path / "b", dumps[::-1]).content_hash == whole.content_hash
    dumps[1].write_bytes(bz2.compress(b"\n".join([*FEBRUARY[:4][::-1], b"[]"])))
    reordered = build(tmp_path / "c", dumps)
    before, after = (
        [entry for entry in one.files if entry.path.startswith("dialogues-")] for one in (whole, reordered)
    )
    assert before == after != []


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


def test_partitions_grow_with_the_dumps_as_they_will_be_unpacked() -> None:
    assert partitions_for([Dump("x", "RC.zst", 1_000)]) == 8
    assert partitions_for([Dump("x", "RC.jsonl", 40 << 30)]) == 640
    assert partitions_for([Dump("x", "RC.zst", 2 << 30), Dump("y", "RC.bz2", 2 << 30)]) == 640
    assert partitions_for([Dump("x", "RC.zst", 1 << 50)]) == 16_384


def test_shards_have_the_declared_schema(tmp_path: Path, dumps: list[Path]) -> None:
    build(tmp_path / "out", dumps)
    for path in (tmp_path / "out").glob("dialogues-*.parquet"):
        assert pq.read_schema(path).equals(DIALOGUE_SCHEMA)


def test_comment_gates_and_policy_are_settings(tmp_path: Path, dumps: list[Path]) -> None:
    build(tmp_path / "out", dumps, policy="any", drop_bots=False, drop_deleted=False, partitions=1)
    first, *_ = read_dialogues(tmp_path / "out")
    assert [one.source_id for one in first.utterances] == ["1", "2", "3"]


def test_a_damaged_dump_stops_the_stage(tmp_path: Path, dumps: list[Path]) -> None:
    dumps[1].write_bytes(dumps[1].read_bytes()[:-9])
    with pytest.raises(DamagedFileError, match=dumps[1].name):
        build(tmp_path / "out", dumps)
    assert not (tmp_path / "out").exists()


def test_what_precedes_the_damage_is_kept_when_allowed_and_never_silently(tmp_path: Path) -> None:
    lines = [line(f"{n:x}", f"a{n % 2}", f"{n - 1:x}" if n else "", time=n) for n in range(20_000)]
    packed = bz2.compress(b"\n".join(lines))
    (tmp_path / "RC_2006-02.bz2").write_bytes(packed[: len(packed) * 2 // 3])
    manifest = build(tmp_path / "out", [tmp_path / "RC_2006-02.bz2"], allow_truncated=True)
    (failure,) = manifest.failures
    assert "RC_2006-02.bz2" in failure
    by_unit = {counts.unit: counts for counts in manifest.counts}
    assert 5_000 < by_unit["lines"].came_in < 20_000
    assert f"{by_unit['lines'].came_in:,} lines" in failure
    assert by_unit["lines"].quarantined <= 1, "the line that was cut"
    (found,) = ids(tmp_path / "out")
    assert found == [f"{n:x}" for n in range(by_unit["lines"].kept)]
    funnel = json.loads((tmp_path / "out" / "funnel.json").read_text())
    assert "damaged" in funnel["files"]["RC_2006-02.bz2"]["damage"]


def test_a_file_of_something_else_is_no_dump(tmp_path: Path) -> None:
    title = json.dumps({"id": "x", "author": "ann", "title": "?", "created_utc": 1, "subreddit": "s"}).encode()
    for number, lines in enumerate([[title] * 3, [b"text", b"more"], [b"", b""]]):
        dump = write(tmp_path / f"RC_{number}.jsonl", lines)
        with pytest.raises(InputError, match=f"RC_{number}.jsonl.*") as caught:
            build(tmp_path / "out", [dump])
        assert "comments dump" in str(caught.value)


def test_null_authors_are_an_option(tmp_path: Path) -> None:
    unknown = [json.dumps({**json.loads(one), "author": None}).encode() for one in (line("1", ""), line("2", "", "1"))]
    said = [*unknown, line("3", "ann", "2"), line("4", "bob", "3")]
    dump = write(tmp_path / "RC.jsonl", said)
    manifest = build(tmp_path / "strict", [dump])
    assert manifest.counts[-1].quarantined == 2
    assert ids(tmp_path / "strict") == [["3", "4"]]
    build(tmp_path / "any", [dump], missing_authors=True, policy="any")
    assert ids(tmp_path / "any") == [["1", "2", "3", "4"]]
    build(tmp_path / "alternating", [dump], missing_authors=True, partitions=1)
    assert ids(tmp_path / "alternating") == [["1", "2"], ["3", "4"]], "nobody is the same as nobody"


THREAD = [
    line("a1", "bob", time=11, thread="t3_s"),
    line("a2", "ann", "a1", time=12, thread="t3_s"),
    line("a3", "bob", "a2", time=13, thread="t3_s"),
    line("a4", "cy", "a1", time=14, thread="t3_s"),
]
SUBMISSION = {"id": "s", "author": "ann", "title": "Who &amp; why?", "created_utc": 10, "subreddit": "books"}


def test_titles_start_dialogues(tmp_path: Path) -> None:
    dump = write(tmp_path / "RC_1.jsonl", THREAD)
    titles = write(tmp_path / "RS_1.jsonl", [json.dumps(SUBMISSION).encode()])
    inputs = {"dumps": [dump], "submissions": [titles]}
    for number, config in enumerate(({"policy": "title-as-first-turn"}, {"titles": True})):
        out = tmp_path / f"out{number}"
        manifest = run_stage("sage_data.reddit", config, inputs, out)
        (dialogue,) = read_dialogues(out)
        assert [one.source_id for one in dialogue.utterances] == ["t3_s", "a1", "a2", "a3"]
        assert dialogue.utterances[0] == Utterance("user", "Who & why?", source_id="t3_s")
        assert dialogue.source.files == ("RC_1.jsonl", "RS_1.jsonl")
        assert {counts.unit: counts.came_in for counts in manifest.counts}["comments"] == 5
    with pytest.raises(ConfigError, match="submission"):
        build(tmp_path / "none", [dump], policy="title-as-first-turn")


def test_windows_have_ids_of_their_own(tmp_path: Path) -> None:
    dump = write(tmp_path / "RC_1.jsonl", THREAD)
    manifest = build(tmp_path / "out", [dump], policy="windows", window_most=3)
    assert sorted(ids(tmp_path / "out")) == [
        ["a1", "a2"],
        ["a1", "a2", "a3"],
        ["a1", "a4"],
        ["a2", "a3"],
    ]
    names = [dialogue.id for dialogue in read_dialogues(tmp_path / "out")]
    assert len(set(names)) == 4
    assert {counts.unit: counts.kept for counts in manifest.counts}["comments"] == 4


def test_a_window_s_length_is_refused_where_it_would_do_nothing(tmp_path: Path) -> None:
    dump = write(tmp_path / "RC_1.jsonl", THREAD)
    with pytest.raises(ValueError, match="window_most would do nothing under the policy any"):
        build(tmp_path / "out", [dump], policy="any", window_most=3)


def test_parquet_dumps_are_read_too(tmp_path: Path, dumps: list[Path]) -> None:
    rows = [json.loads(one) for one in THREAD]
    for row in rows:
        row["score"] = None
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "RC_1.parquet")
    build(tmp_path / "out", [tmp_path / "RC_1.parquet"])
    assert ids(tmp_path / "out") == [["a1", "a2", "a3"]]
    table = pa.Table.from_pylist([{**row, "author": None if row["id"] == "a4" else row["author"]} for row in rows])
    times = table["created_utc"].cast(pa.timestamp("s"))
    pq.write_table(table.set_column(3, "created_utc", times), tmp_path / "RC_2.parquet")
    manifest = build(tmp_path / "times", [tmp_path / "RC_2.parquet"])
    assert next(read_dialogues(tmp_path / "times")).source.created_utc == 11
    assert manifest.counts[-1].quarantined == 1
    (tmp_path / "RC_2.parquet").write_bytes((tmp_path / "RC_2.parquet").read_bytes()[:-5])
    with pytest.raises(DamagedFileError, match=r"RC_2\.parquet"):
        build(tmp_path / "cut", [tmp_path / "RC_2.parquet"])


def test_an_id_under_two_submissions_is_one_comment(tmp_path: Path) -> None:
    """Wherever the partitions fall: the first by file and line stays."""
    said = [line(f"{n:x}", "ann", thread=f"t3_{n}") for n in range(40)]
    replies = [line(f"r{n:x}", "bob", f"{n:x}", thread=f"t3_{n}") for n in range(40)]
    again = [line(f"{n:x}", "ann", thread=f"t3_{n + 100}", body="again") for n in range(40)]
    dump = write(tmp_path / "RC.jsonl", [*said, *replies, *again])
    manifest = build(tmp_path / "out", [dump])
    counts = {counts.unit: counts for counts in manifest.counts}
    assert counts["comments"].dropped == {"duplicate": 40}
    assert counts["dialogues"].kept == 40
    assert all("again" not in one.text for dialogue in read_dialogues(tmp_path / "out") for one in dialogue.utterances)


def test_odd_ids_are_joined_and_ordered_like_others(tmp_path: Path) -> None:
    names = ["x" * 9, "é", "y" * 30, "A_b"]
    said = [line(names[0], "ann", time=5)]
    said += [line(name, "bob", names[0], time=6) for name in names[1:]]
    dump = write(tmp_path / "RC.jsonl", said)
    build(tmp_path / "out", [dump], partitions=1)
    assert ids(tmp_path / "out") == [[names[0], "é"]], "of equal age, the shortest id comes first"


def test_blocks_change_nothing(tmp_path: Path, dumps: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = build(tmp_path / "whole", dumps)
    monkeypatch.setattr(spill, "BLOCK_BYTES", 1)
    monkeypatch.setattr("sage_data.reddit.dumps.PIECE_BYTES", 100)
    monkeypatch.setattr("sage_data.reddit.dumps.CHUNK_BYTES", 100)
    small = build(tmp_path / "small", dumps)
    assert (small.content_hash, small.counts) == (whole.content_hash, whole.counts)


def test_a_block_that_was_finished_is_not_parsed_again(
    tmp_path: Path, dumps: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = build(tmp_path / "whole", dumps)
    monkeypatch.setattr(spill, "BLOCK_BYTES", 1)
    monkeypatch.setattr("sage_data.reddit.dumps.CHUNK_BYTES", 100)
    with monkeypatch.context() as broken:
        broken.setattr("sage_data.reddit.repeats_across", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            build(tmp_path / "again", dumps)
    laid_aside = tmp_path / ".work" / "again" / SPILL
    blocks = sorted(laid_aside.glob("*-block-*"))
    assert len(blocks) > 4
    for done in laid_aside.glob("*-done.json"):
        done.unlink()
    blocks[0].unlink()
    stamps = {path.name: path.stat().st_mtime_ns for path in blocks[1:]}
    monkeypatch.setattr("sage_data.reddit.remove", lambda _: None)
    again = build(tmp_path / "again", dumps)
    assert again.content_hash == whole.content_hash
    assert {name: (tmp_path / "again" / SPILL / name).stat().st_mtime_ns for name in stamps} == stamps


def test_dumps_may_lie_behind_a_url(tmp_path: Path, dumps: list[Path]) -> None:
    store = fsspec.filesystem("memory")
    for path in dumps:
        store.pipe(f"/reddit/{path.name}", path.read_bytes())
    here = build(tmp_path / "here", [dumps[0].parent])
    there = run_stage("sage_data.reddit", {}, {"dumps": ["memory://reddit"]}, tmp_path / "there")
    mixed = run_stage(
        "sage_data.reddit", {}, {"dumps": [dumps[1], f"memory://reddit/{dumps[0].name}"]}, tmp_path / "mixed"
    )
    assert here.content_hash == there.content_hash == mixed.content_hash
    store.rm("/reddit", recursive=True)


def test_months_given_twice_change_nothing_but_duplicates(tmp_path: Path, dumps: list[Path]) -> None:
    again = tmp_path / "RC_2006-03.jsonl"
    again.write_bytes(dumps[0].read_bytes())
    build(tmp_path / "once", dumps)
    manifest = build(tmp_path / "twice", [*dumps, again])
    assert ids(tmp_path / "once") == ids(tmp_path / "twice")
    assert {counts.unit: counts for counts in manifest.counts}["comments"].dropped["duplicate"] == 2 + 6


def test_unknown_submitters_are_allowed_like_unknown_authors(tmp_path: Path) -> None:
    dump = write(tmp_path / "RC_1.jsonl", THREAD)
    titles = write(tmp_path / "RS_1.jsonl", [json.dumps({**SUBMISSION, "author": None}).encode()])
    inputs = {"dumps": [dump], "submissions": [titles]}
    with pytest.raises(InputError, match="missing-authors"):
        run_stage("sage_data.reddit", {"titles": True}, inputs, tmp_path / "strict")
    manifest = run_stage(
        "sage_data.reddit", {"titles": True, "policy": "any", "missing_authors": True}, inputs, tmp_path / "out"
    )
    assert ids(tmp_path / "out") == [["t3_s", "a1", "a2", "a3"]]
    assert manifest.warnings == []


def test_what_cannot_work_is_said(tmp_path: Path) -> None:
    dump = write(tmp_path / "RC_1.jsonl", THREAD)
    titles = write(tmp_path / "RS_1.jsonl", [json.dumps(SUBMISSION).encode()])
    inputs = {"dumps": [dump], "submissions": [titles]}
    manifest = run_stage("sage_data.reddit", {"missing_authors": True}, inputs, tmp_path / "out")
    assert ["not used" in one or "--policy any" in one for one in manifest.warnings] == [True, True]


def test_a_deleted_author_is_nobody_even_when_not_dropped(tmp_path: Path) -> None:
    said = [line("1", "[deleted]"), line("2", "ann", "1"), line("3", "[deleted]", "2")]
    build(tmp_path / "out", [write(tmp_path / "RC.jsonl", said)], drop_deleted=False)
    assert ids(tmp_path / "out") == [["1", "2"]]


def test_a_dump_of_the_wrong_kind_is_recognised(tmp_path: Path) -> None:
    titles = write(tmp_path / "RC_1.jsonl", [json.dumps(SUBMISSION).encode()])
    with pytest.raises(InputError, match="--submissions"):
        build(tmp_path / "out", [titles])


@pytest.mark.parametrize("policy", ["alternating", "any", "windows"])
def test_short_chains_may_be_left_out_and_are_counted(tmp_path: Path, policy: str) -> None:
    other = [line("b1", "ann", thread="t3_t"), line("b2", "bob", "b1", thread="t3_t"), line("b3", "cy", thread="t3_t")]
    dump = write(tmp_path / "RC_1.jsonl", [*THREAD, *other])
    build(tmp_path / "all", [dump], policy=policy)
    manifest = build(tmp_path / "long", [dump], policy=policy, min_utterances=3)
    assert ids(tmp_path / "long") == [chain for chain in ids(tmp_path / "all") if len(chain) >= 3] != []
    comments = next(counts for counts in manifest.counts if counts.unit == "comments")
    assert comments.kept == len({name for chain in ids(tmp_path / "long") for name in chain})
    assert comments.dropped["single"] == (1 if policy == "windows" else 2)
    assert comments.dropped["short_chain"] == 7 - comments.kept - comments.dropped["single"] > 0


def test_blocks_cut_elsewhere_are_made_again(
    tmp_path: Path, dumps: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a newer decompressor gives other pieces between a kill and the resumed run."""
    whole = build(tmp_path / "whole", dumps)
    monkeypatch.setattr(spill, "BLOCK_BYTES", 1)
    for place, chunk in enumerate((100, 333)):
        monkeypatch.setattr("sage_data.reddit.dumps.CHUNK_BYTES", chunk)
        if place == 0:
            with monkeypatch.context() as broken:
                broken.setattr("sage_data.reddit.repeats_across", lambda *_: 1 / 0)
                with pytest.raises(ZeroDivisionError):
                    build(tmp_path / "again", dumps)
            for done in (tmp_path / ".work" / "again" / SPILL).glob("*-done.json"):
                done.unlink()
    again = build(tmp_path / "again", dumps)
    assert (again.content_hash, again.counts) == (whole.content_hash, whole.counts)


def test_what_is_lost_between_the_phases_is_noticed(
    tmp_path: Path, dumps: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(folder: Path, *_: Any) -> dict[int, Any]:
        next(folder.glob("*-block-*")).unlink()
        return {}

    monkeypatch.setattr("sage_data.reddit.repeats_across", lose)
    with pytest.raises(StageError, match="10 comments"):
        build(tmp_path / "out", dumps)


def test_parquet_behind_a_url(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([json.loads(one) for one in THREAD]), tmp_path / "RC_1.parquet")
    store = fsspec.filesystem("memory")
    store.pipe("/parquet/RC_1.parquet", (tmp_path / "RC_1.parquet").read_bytes())
    here = build(tmp_path / "here", [tmp_path / "RC_1.parquet"])
    there = run_stage("sage_data.reddit", {}, {"dumps": ["memory://parquet"]}, tmp_path / "there")
    assert here.content_hash == there.content_hash
    store.rm("/parquet", recursive=True)


def test_two_kinds_of_dumps_must_not_share_a_name(tmp_path: Path) -> None:
    dump = write(tmp_path / "x.jsonl", THREAD)
    (tmp_path / "other").mkdir()
    titles = write(tmp_path / "other" / "x.jsonl", [json.dumps(SUBMISSION).encode()])
    with pytest.raises(InputError, match="different names"):
        run_stage("sage_data.reddit", {"titles": True}, {"dumps": [dump], "submissions": [titles]}, tmp_path / "out")


def test_a_dump_damaged_from_the_start_is_said_to_be(tmp_path: Path, dumps: list[Path]) -> None:
    cut = tmp_path / "RC_2006-03.bz2"
    cut.write_bytes(bz2.compress(b"\n".join(FEBRUARY))[:30])
    manifest = build(tmp_path / "out", [*dumps, cut], allow_truncated=True)
    (failure,) = manifest.failures
    assert "RC_2006-03.bz2; the 0 lines" in failure
    assert str(tmp_path) not in failure + (tmp_path / "out" / "funnel.json").read_text()


def test_a_disk_that_fails_is_not_a_dump_cut_short(
    tmp_path: Path, dumps: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(io.BytesIO):
        name = "RC"

        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr("sage_data.reddit.dumps.open_dump", lambda _: Failing())
    with pytest.raises(InputError, match="Input/output") as caught:
        build(tmp_path / "out", dumps, allow_truncated=True)
    assert not isinstance(caught.value, DamagedFileError)


def test_windows_need_two_ends(tmp_path: Path, dumps: list[Path]) -> None:
    with pytest.raises(ValueError, match="at least window_least"):
        build(tmp_path / "out", dumps, policy="windows", window_least=20)
