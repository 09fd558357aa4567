"""Text rebuilt from ids and dumps: the very dialogues that were published without it, or the reason why not."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sage_data.errors import ConfigError, DamagedFileError, InputError
from sage_data.publishing.hydrate import SPILL, finding, gathering
from sage_data.publishing.hydrate.gathering import Wanted, id_keys
from sage_data.publishing.withholding import hashed, withhold
from sage_data.stage import Context, run_stage
from sage_data.store.dialogues import DIALOGUE_SCHEMA, read_dialogues
from sage_data.store.manifest import Manifest
from sage_data.store.shards import read_table

TINY = {"train": 5, "valid": 5, "test": 5, "task_documents": 2, "base_documents": 10}


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


def title(id: str, words: str, author: str = "ann") -> bytes:
    return json.dumps({"id": id, "title": words, "author": author, "created_utc": 1, "subreddit": "books"}).encode()


JANUARY = [
    line("1", "ann", time=10, body=" Tea &amp; cake?\r\nReally?&amp;lt; "),
    line("2", "bob", "1", time=20, body="Na\u00efve nai\u0308ve \ud83c\udf75"),
    line("5", "cat", time=30, thread="t3_y"),
]
FEBRUARY = [line("3", "ann", "2", time=40), line("6", "dan", "5", time=50, thread="t3_y")]


def write(path: Path, lines: Iterable[bytes]) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


@pytest.fixture
def dumps(tmp_path: Path) -> Path:
    """A folder with two months, in which two dialogues are: 1-2-3 across both, and 5-6."""
    write(tmp_path / "dumps" / "RC_2006-01.jsonl", JANUARY)
    write(tmp_path / "dumps" / "RC_2006-02.jsonl", FEBRUARY)
    return tmp_path / "dumps"


def publish(dialogues: Path, place: Path, shards: int = 1, rewrites: pa.Table | None = None) -> Path:
    """What `sage data publish` stages of dialogues whose text stays out."""
    table = withhold(read_table(dialogues, "dialogues"), hashed(rewrites))
    place.mkdir(parents=True)
    size = -(-table.num_rows // shards)
    for index in range(shards):
        name = f"train-{index:05d}-of-{shards:05d}.parquet"
        pq.write_table(table.slice(index * size, size), place / name, row_group_size=50)
    return place


@pytest.fixture
def published(tmp_path: Path, dumps: Path) -> Path:
    run_stage("sage_data.reddit", {"partitions": 1}, {"dumps": [dumps]}, tmp_path / "dialogues")
    place = tmp_path / "download"
    publish(tmp_path / "dialogues", place / "small")
    (place / "README.md").write_text("---\npretty_name: Small talk\nlicense: cc-by-4.0\n---\n", encoding="utf-8")
    return place


def hydrate(dataset: Path, dumps: Path | list[Path], out: Path, **others: Any) -> Manifest:
    inputs: dict[str, list[Path]] = {"dataset": [dataset], "dumps": dumps if isinstance(dumps, list) else [dumps]}
    inputs |= {name: others.pop(name) for name in ("submissions", "tombstones") if name in others}
    return run_stage("sage_data.publishing.hydrate", others, inputs, out)


def dialogues(folder: Path) -> pa.Table:
    return read_table(folder, "dialogues").replace_schema_metadata()


def rejected(folder: Path) -> list[tuple[Any, ...]]:
    rows = read_table(folder / "rejected", "dialogues").to_pylist()
    return [(row["id"], row["reason"], row["index"], row["source_id"]) for row in rows]


# --- round trips --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world of 150 threads, with all the dirt of real dumps, and its gated dialogues."""
    folder = tmp_path_factory.mktemp("world")
    run_stage("sage_data.sample", {"threads": 150, **TINY}, {}, folder / "world", Context(seed=3))
    run_stage("sage_data.reddit", {}, {"dumps": [folder / "world" / "dumps"]}, folder / "dialogues")
    run_stage("sage_data.gates", {}, {"dialogues": [folder / "dialogues"]}, folder / "gated")
    run_stage("sage_data.annotation", {}, {"dialogues": [folder / "gated"]}, folder / "annotated")
    return folder


@pytest.mark.parametrize("stage", ["dialogues", "gated", "annotated"])
def test_a_whole_world_comes_back(world: Path, tmp_path: Path, stage: str) -> None:
    place = publish(world / stage, tmp_path / "dataset" / stage, shards=3)
    manifest = hydrate(tmp_path / "dataset", world / "world" / "dumps", tmp_path / "out")
    assert dialogues(tmp_path / "out").equals(dialogues(world / stage))
    assert manifest.failures == []
    assert not (tmp_path / "out" / "rejected").exists()
    assert not (tmp_path / "out" / SPILL).exists()
    again = hydrate(place, world / "world" / "dumps", tmp_path / "again", workers=2)
    assert again.content_hash == manifest.content_hash


def test_it_does_not_matter_what_is_held_at_once(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of one text and parts of a few dialogues give the same rows."""
    publish(world / "dialogues", tmp_path / "dataset", shards=2)
    monkeypatch.setattr(gathering, "BLOCK_BYTES", 2_000)
    monkeypatch.setattr(gathering, "GROUP_ROWS", 1)
    monkeypatch.setattr(finding, "PART_ROWS", 7)
    hydrate(tmp_path / "dataset", world / "world" / "dumps", tmp_path / "out")
    assert dialogues(tmp_path / "out").equals(dialogues(world / "dialogues"))


def test_what_comes_back_is_a_folder_like_any_other(world: Path, tmp_path: Path) -> None:
    publish(world / "dialogues", tmp_path / "dataset")
    hydrate(tmp_path / "dataset", world / "world" / "dumps", tmp_path / "out")
    run_stage("sage_data.gates", {}, {"dialogues": [tmp_path / "out"]}, tmp_path / "gated")
    assert dialogues(tmp_path / "gated").equals(dialogues(world / "gated"))


@pytest.mark.parametrize("policy", ["any", "windows"])
def test_every_policy_comes_back(tmp_path: Path, dumps: Path, policy: str) -> None:
    """Windows share comments, also across shards."""
    run_stage("sage_data.reddit", {"policy": policy}, {"dumps": [dumps]}, tmp_path / "made")
    publish(tmp_path / "made", tmp_path / "dataset", shards=2)
    hydrate(tmp_path / "dataset", dumps, tmp_path / "out")
    assert dialogues(tmp_path / "out").equals(dialogues(tmp_path / "made"))


TITLES = [title("x", "&quot;Cake&quot; ", "zoe"), title("t3_y", "Other")]


def test_titles_come_back_from_submissions(tmp_path: Path, dumps: Path) -> None:
    submissions = write(dumps / "RS_2006-01.jsonl", TITLES)
    inputs = {"dumps": [dumps], "submissions": [submissions]}
    run_stage("sage_data.reddit", {"policy": "title-as-first-turn"}, inputs, tmp_path / "made")
    publish(tmp_path / "made", tmp_path / "dataset")
    hydrate(tmp_path / "dataset", dumps, tmp_path / "out", submissions=[submissions])
    assert dialogues(tmp_path / "out").equals(dialogues(tmp_path / "made"))
    assert '"Cake"' in [one.utterances[0].text for one in read_dialogues(tmp_path / "out")]

    manifest = hydrate(tmp_path / "dataset", dumps, tmp_path / "without")
    assert {row[1:] for row in rejected(tmp_path / "without")} == {("missing", 0, "t3_x"), ("missing", 0, "t3_y")}
    assert any("2 utterances are titles" in one for one in manifest.warnings)
    assert any("RS_2006-01.jsonl" in one for one in manifest.warnings)


TEXTS = st.text(alphabet=st.one_of(st.sampled_from("ab &;\r\n<>\u00a0\t"), st.characters(codec="utf-8")), max_size=12)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=st.lists(st.one_of(TEXTS, st.sampled_from(["&amp;amp;", "a\r\rb", "&#x1F375;"])), min_size=2, max_size=8))
def test_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, bodies: list[str]) -> None:
    folder = tmp_path_factory.mktemp("any")
    lines = [
        line(str(number), "ab"[number % 2], str(number - 1) if number else "", number, body=f"w {body}.")
        for number, body in enumerate(bodies)
    ]
    dump = write(folder / "RC_2006-01.jsonl", lines)
    run_stage("sage_data.reddit", {"partitions": 1}, {"dumps": [dump]}, folder / "made")
    publish(folder / "made", folder / "dataset")
    hydrate(folder / "dataset", [dump], folder / "out")
    assert dialogues(folder / "out").equals(dialogues(folder / "made"))


def parquet(path: Path, lines: list[bytes]) -> None:
    pq.write_table(pa.Table.from_pylist([json.loads(one) for one in lines]), path, row_group_size=2)


WRITERS: dict[str, Callable[[Path, list[bytes]], Any]] = {
    "gz": lambda path, lines: path.write_bytes(gzip.compress(b"\n".join(lines))),
    "bz2": lambda path, lines: path.write_bytes(bz2.compress(b"\n".join(lines))),
    "xz": lambda path, lines: path.write_bytes(lzma.compress(b"\n".join(lines))),
    "parquet": parquet,
}


@pytest.mark.parametrize("ending", WRITERS)
def test_dumps_may_be_of_any_format(tmp_path: Path, published: Path, ending: str) -> None:
    """The same comments, packed in another way than those that the dataset was made from."""
    other = tmp_path / "other"
    other.mkdir()
    WRITERS[ending](other / f"RC_2006.{ending}", [*JANUARY, *FEBRUARY])
    WRITERS[ending](other / f"RS_2006.{ending}", TITLES)
    hydrate(published, other, tmp_path / "out", submissions=[other])
    assert dialogues(tmp_path / "out").equals(dialogues(tmp_path / "dialogues"))


def test_dumps_may_lie_behind_a_url(tmp_path: Path, published: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://hydrate/RC_2006.jsonl", "wb") as file:
        file.write(b"\n".join([*JANUARY, *FEBRUARY]))
    inputs: dict[str, list[Path | str]] = {"dataset": [published], "dumps": ["memory://hydrate"]}
    run_stage("sage_data.publishing.hydrate", {}, inputs, tmp_path / "out")
    assert dialogues(tmp_path / "out").equals(dialogues(tmp_path / "dialogues"))


# --- what is not rebuilt ------------------------------------------------------------------------------------------


def counted(manifest: Manifest, unit: str) -> tuple[int, int, dict[str, int]]:
    (found,) = [one for one in manifest.counts if one.unit == unit]
    return found.came_in, found.kept, dict(found.dropped)


@pytest.mark.parametrize(
    ("instead", "reason"),
    [
        (line("6", "dan", "5", body="[deleted]"), "deleted"),
        (line("6", "[deleted]", "5", body=" [removed]"), "deleted"),
        (line("6", "dan", "5", body="said in 6, edited"), "changed"),
        (b"", "missing"),
        (b'{"id": "6", "body": "said in 6"}', "missing"),
    ],
)
def test_what_became_of_a_comment(tmp_path: Path, published: Path, dumps: Path, instead: bytes, reason: str) -> None:
    write(dumps / "RC_2006-02.jsonl", [FEBRUARY[0], instead])
    manifest = hydrate(published, dumps, tmp_path / "out")
    assert [one.id for one in read_dialogues(tmp_path / "out")] == ["reddit-1-3"]
    assert rejected(tmp_path / "out") == [("reddit-5-2", reason, 1, "6")]
    assert counted(manifest, "dialogues") == (2, 1, {reason: 1})
    assert counted(manifest, "utterances") == (5, 3, {reason: 1, "in_rejected_dialogue": 1})
    assert manifest.failures == [f"1 of 2 dialogues could not be rebuilt: 1 {reason}"]


def test_an_author_who_left_does_not_take_the_words_away(tmp_path: Path, published: Path, dumps: Path) -> None:
    write(dumps / "RC_2006-02.jsonl", [FEBRUARY[0], line("6", "[deleted]", "5", time=50, thread="t3_y")])
    assert hydrate(published, dumps, tmp_path / "out").failures == []


def test_changed_words_may_be_kept(tmp_path: Path, published: Path, dumps: Path) -> None:
    write(dumps / "RC_2006-02.jsonl", [FEBRUARY[0], line("6", "dan", "5", body="edited")])
    manifest = hydrate(published, dumps, tmp_path / "out", changed="keep")
    assert [[one.text for one in each.utterances] for each in read_dialogues(tmp_path / "out")][1] == [
        "said in 5",
        "edited",
    ]
    assert counted(manifest, "texts") == (5, 4, {"changed": 1})
    assert manifest.failures == []
    assert "1 utterances are not what was published" in manifest.warnings[0]


def test_of_two_lines_the_first_that_was_published_counts(tmp_path: Path, published: Path, dumps: Path) -> None:
    edited = line("6", "dan", "5", body="edited")
    write(dumps / "RC_2006-01b.jsonl", [edited])
    assert hydrate(published, dumps, tmp_path / "out").failures == []
    write(dumps / "RC_2006-02.jsonl", [FEBRUARY[0], line("6", "dan", "5", body="edited again")])
    hydrate(published, dumps, tmp_path / "kept", changed="keep")
    assert [one.utterances[-1].text for one in read_dialogues(tmp_path / "kept")][1] == "edited"


def test_a_deletion_counts_in_whatever_line_it_stands(tmp_path: Path, published: Path, dumps: Path) -> None:
    write(dumps / "RC_2006-03.jsonl", [line("6", "dan", "5", body="[deleted]")])
    hydrate(published, dumps, tmp_path / "out", changed="keep")
    assert rejected(tmp_path / "out") == [("reddit-5-2", "deleted", 1, "6")]


def test_tombstones_are_honoured_and_are_no_failure(
    tmp_path: Path, published: Path, dumps: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their text is not even laid aside."""
    laid_aside: list[str] = []

    def clean(text: str) -> str:
        laid_aside.append(text)
        return text

    monkeypatch.setattr(gathering, "clean", clean)
    gone = write(tmp_path / "gone.txt", [b"t1_6"])
    manifest = hydrate(published, dumps, tmp_path / "out", tombstones=[gone], changed="keep")
    assert rejected(tmp_path / "out") == [("reddit-5-2", "tombstoned", 1, "6")]
    assert manifest.failures == []
    assert "said in 6" not in laid_aside
    assert "said in 5" in laid_aside


def test_the_author_s_words_come_back_for_rewritten_ones(tmp_path: Path, published: Path, dumps: Path) -> None:
    rewrites = pa.table({"dialogue": ["reddit-5-2"], "index": [1], "original": ["said in 6"]})
    made = read_table(tmp_path / "dialogues", "dialogues").to_pylist()
    made[1]["utterances"][1]["text"] = "I said it in six. Why?"
    written = tmp_path / "rewritten" / "dialogues-00000.parquet"
    written.parent.mkdir()
    pq.write_table(pa.Table.from_pylist(made, schema=DIALOGUE_SCHEMA), written)
    publish(written.parent, tmp_path / "dataset", rewrites=rewrites)
    manifest = hydrate(tmp_path / "dataset", dumps, tmp_path / "out")
    assert dialogues(tmp_path / "out").equals(dialogues(tmp_path / "dialogues"))
    assert counted(manifest, "texts") == (5, 4, {"rewritten": 1})
    assert manifest.failures == []
    publish(written.parent, tmp_path / "unsaid")
    hydrate(tmp_path / "unsaid", dumps, tmp_path / "strict")
    assert rejected(tmp_path / "strict") == [("reddit-5-2", "changed", 1, "6")]


def test_a_missing_month_is_named(tmp_path: Path, published: Path, dumps: Path) -> None:
    manifest = hydrate(published, [dumps / "RC_2006-01.jsonl"], tmp_path / "out")
    assert counted(manifest, "dialogues") == (2, 0, {"missing": 2})
    assert any("also made from RC_2006-02.jsonl: not among the dumps given" in one for one in manifest.warnings)
    assert "missing" in (tmp_path / "out" / "summary.txt").read_text()


def test_dumps_of_other_comments_are_an_error(tmp_path: Path, published: Path) -> None:
    other = write(tmp_path / "RC_2011-01.jsonl", [line("9", "ann")])
    with pytest.raises(InputError, match="found none of them in 1 file of 1 comments") as caught:
        hydrate(published, [other], tmp_path / "out")
    assert "RC_2006-01.jsonl" in str(caught.value.next_step)


def test_a_submission_dump_is_no_comment_dump(tmp_path: Path, published: Path) -> None:
    other = write(tmp_path / "RS_2006-01.jsonl", [title("x", "Cake")])
    with pytest.raises(InputError, match="none that can be used") as caught:
        hydrate(published, [other], tmp_path / "out")
    assert "--submissions" in str(caught.value.next_step)
    pq.write_table(pa.table({"id": ["x"], "title": ["Cake"]}), tmp_path / "RS.parquet")
    with pytest.raises(InputError, match="found none called body"):
        hydrate(published, [tmp_path / "RS.parquet"], tmp_path / "out")


def test_a_damaged_dump_is_an_error_unless_it_is_allowed(tmp_path: Path, published: Path, dumps: Path) -> None:
    whole = gzip.compress(b"\n".join([*FEBRUARY, *([line("7", "eve")] * 50_000)]), compresslevel=1)
    (dumps / "RC_2006-02.jsonl").rename(tmp_path / "away")
    (dumps / "RC_2006-02.gz").write_bytes(whole[:-400])
    with pytest.raises(DamagedFileError, match=r"RC_2006-02\.gz"):
        hydrate(published, dumps, tmp_path / "out")
    manifest = hydrate(published, dumps, tmp_path / "out", allow_truncated=True)
    assert "lines before it were read" in manifest.failures[0]
    assert str(tmp_path) not in manifest.failures[0]
    assert dialogues(tmp_path / "out").equals(dialogues(tmp_path / "dialogues"))


# --- which dataset ------------------------------------------------------------------------------------------------


def test_one_of_several_configs_must_be_named(tmp_path: Path, published: Path, dumps: Path) -> None:
    publish(tmp_path / "dialogues", published / "large", shards=2)
    pq.write_table(pa.table({"id": ["x"]}), published / "other.parquet")
    with pytest.raises(ConfigError, match="large, small"):
        hydrate(published, dumps, tmp_path / "out")
    hydrate(published, dumps, tmp_path / "out", config="large")
    assert dialogues(tmp_path / "out").equals(dialogues(tmp_path / "dialogues"))
    (published / "large" / "train-00001-of-00002.parquet").unlink()
    with pytest.raises(InputError, match="expected 2 shards of train, as their names say; found 1"):
        hydrate(published, dumps, tmp_path / "out", config="large")


def test_dialogues_with_their_text_need_nothing(tmp_path: Path, dumps: Path, published: Path) -> None:
    assert published
    with pytest.raises(InputError, match="that have theirs"):
        hydrate(tmp_path / "dialogues", dumps, tmp_path / "out")


def test_entries_of_lists_may_have_another_name(tmp_path: Path, published: Path, dumps: Path) -> None:
    """As in files that other writers make of the same rows."""
    (path,) = (published / "small").glob("*.parquet")
    pq.write_table(pq.read_table(path), path, use_compliant_nested_type=False)
    hydrate(published, dumps, tmp_path / "out")
    assert dialogues(tmp_path / "out").equals(dialogues(tmp_path / "dialogues"))


def test_what_is_no_dataset_is_named(tmp_path: Path, dumps: Path) -> None:
    with pytest.raises(InputError, match="published without their text, found none"):
        hydrate(dumps, dumps, tmp_path / "out")
    (tmp_path / "pointer").mkdir()
    (tmp_path / "pointer" / "train-00000-of-00001.parquet").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(DamagedFileError, match="not a readable Parquet"):
        hydrate(tmp_path / "pointer", dumps, tmp_path / "out")


def test_licences_of_both_sources_are_kept(tmp_path: Path, published: Path, dumps: Path) -> None:
    manifest = hydrate(published, dumps, tmp_path / "out")
    assert [(one.name, one.license, one.withhold_text) for one in manifest.origins] == [
        ("Reddit comments", "other", True),
        ("Small talk", "cc-by-4.0", False),
    ]


def test_a_killed_run_goes_on_without_reading_again(
    tmp_path: Path, published: Path, dumps: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = hydrate(published, dumps, tmp_path / "whole")
    monkeypatch.setattr(
        "sage_data.publishing.hydrate.rebuild", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        hydrate(published, dumps, tmp_path / "out")
    monkeypatch.undo()
    monkeypatch.setattr(gathering, "read_runs", lambda *_: pytest.fail("a finished dump was read again"))
    assert hydrate(published, dumps, tmp_path / "out").content_hash == whole.content_hash


@given(
    st.lists(st.lists(st.sampled_from(["a", "b", "c", "t3_a", "longer-than-eight"]), max_size=5), max_size=4),
    st.sets(st.sampled_from(["a", "t3_a"])),
    st.lists(st.sampled_from(["a", "t1_b", "c", "t3_a", "longer-than-eight", "z"]), max_size=8),
)
def test_every_part_gets_what_it_wants(parts: list[list[str]], without: set[str], found: list[str]) -> None:
    """Against the definition, name by name."""
    wanted = Wanted.of((pa.array(one, pa.string()) for one in parts), frozenset(without))
    rows, pairs = wanted.pairs(id_keys(pa.array(found, pa.string())))
    names = [one.removeprefix("t1_") for one in found]
    expected = [
        (row, part) for row, name in enumerate(names) for part, own in enumerate(parts) if name in {*own} - without
    ]
    assert list(zip(rows.tolist(), wanted.parts[pairs].tolist(), strict=True)) == expected
    assert wanted.count == len(parts)
