"""EmpatheticDialogues as its authors wrote it: no line lost, bad ones named, leaks between splits found."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sage_data.dialogue import Dialogue, Scenario, Split, Utterance
from sage_data.errors import DamagedFileError, InputError
from sage_data.scenarios import fetching, read_scenarios
from sage_data.scenarios.leaks import find_leaks, leaked_ids, normal
from sage_data.scenarios.lines import FIELDS, BadLine, LineReason, ScenarioFile
from sage_data.scenarios.sources import split_of
from sage_data.stage import run_stage
from sage_data.store.dialogues import read_scenarios as read_folder
from sage_data.store.dialogues import to_table
from sage_data.store.manifest import Manifest
from sage_data.store.shards import read_table, write_table

HEADER = ",".join(FIELDS)


def row(conversation: str, situation: str, index: int = 1, emotion: str = "proud", extra: str = "") -> str:
    return f"{conversation},{index},{emotion},{situation.replace(',', '_comma_')},1,Hi_comma_ you,5|5|5_2|2|5,{extra}"


def read(*rows: str) -> Any:
    return read_scenarios(io.BytesIO("\n".join([HEADER, *rows]).encode()), "train.csv", "train")


def test_one_scenario_a_conversation_with_commas_back() -> None:
    found = read(row("c:1", "I won, at last."), row("c:1", "I won, at last.", 2), row("c:2", "1"), "")
    assert found.scenarios == (
        Scenario("c:1", "I won, at last.", "proud", "train"),
        Scenario("c:2", "1", "proud", "train"),
    )
    assert (found.lines, found.bad) == (3, ())


def test_quotes_mean_nothing_and_a_ninth_field_is_allowed() -> None:
    found = read(row("c:1", 'He said "go'), row("c:2", "x", extra=",no|yes"), row("c:3", "y"))
    assert [one.situation for one in found.scenarios] == ['He said "go', "x", "y"]


def test_bad_lines_are_named() -> None:
    lines = [row("c:1", "x"), "too,few", row("", "x"), row("c:2", " "), row("c:1", "other"), row("c:3", "z,,")]
    stream = io.BytesIO("\n".join([HEADER, *lines]).encode() + b"\n\xff" + row("c:4", "x").encode())
    found = read_scenarios(stream, "train.csv", "train")
    assert [(one.line, one.reason) for one in found.bad] == [
        (3, LineReason.FIELD_COUNT),
        (4, LineReason.NO_ID),
        (5, LineReason.NO_SITUATION),
        (6, LineReason.CONTRADICTION),
        (8, LineReason.NOT_UTF8),
    ]
    assert found.bad[0] == BadLine("train.csv", 3, LineReason.FIELD_COUNT, "too,few")
    assert [one.id for one in found.scenarios] == ["c:1", "c:3"]


def test_another_header_is_refused() -> None:
    with pytest.raises(InputError, match="line 1: expected the header"):
        read_scenarios(io.BytesIO(b"text,label\nx,y\n"), "train.csv", "train")
    with pytest.raises(InputError):
        read_scenarios(io.BytesIO(b""), "train.csv", "train")


@given(st.lists(st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), min_size=1), max_size=6))
def test_no_conversation_is_lost(situations: list[str]) -> None:
    found = read(*(row(f"c:{number}", one) for number, one in enumerate(situations)))
    kept = {one.id: one.situation for one in found.scenarios}
    for number, situation in enumerate(situations):
        if situation.strip():
            assert kept[f"c:{number}"] == situation.replace("_comma_", ",").strip()
    assert len(kept) + len(found.bad) == len(situations)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("empatheticdialogues/valid.csv", "dev"),
        ("train.csv.gz", "train"),
        ("test.csv", "test"),
        ("intents_annotated_train_valid.csv.gz", None),
        ("train.json", None),
    ],
)
def test_splits_are_told_from_names(name: str, split: str | None) -> None:
    assert split_of(name) == split


def test_leaks_and_what_to_drop() -> None:
    train = [Scenario("a", "My cat died.", None, "train")]
    train += [Scenario(name, "My dog died.", None, "train") for name in ("c", "d")]
    test = [Scenario("b", "my  cat died.", None, "test")]
    (leak,) = find_leaks({"test": ScenarioFile(tuple(test), 1, ()), "train": ScenarioFile(tuple(train), 3, ())})
    assert leak.ids == {"train": ("a",), "test": ("b",)}
    assert leaked_ids([leak]) == {("train", "a")}


FILES = {
    "train": [row("c:1", "I won, at last."), row("c:2", "My cat died."), "bad", row("c:3", "I am late.")],
    "valid": [row("c:4", "It rained.")],
    "test": [row("c:5", "My cat died.")],
}


def as_folder(path: Path, suffix: str = ".csv") -> Path:
    path.mkdir()
    for name, rows in FILES.items():
        text = "\n".join([HEADER, *rows]).encode()
        (path / f"{name}{suffix}").write_bytes(gzip.compress(text) if suffix.endswith(".gz") else text)
    return path


def as_archive(path: Path, folder: Path) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, "empatheticdialogues")
    return path


def stage(archive: Path, out: Path, **config: Any) -> Manifest:
    return run_stage("sage_data.scenarios", config, {"archive": [archive]}, out)


def counted(manifest: Manifest) -> dict[str, tuple[int, int, dict[str, int], int]]:
    return {one.unit: (one.came_in, one.kept, dict(one.dropped), one.quarantined) for one in manifest.counts}


def test_folder_gzip_and_archive_give_the_same_scenarios(tmp_path: Path) -> None:
    plain = as_folder(tmp_path / "plain")
    packed = as_folder(tmp_path / "packed", ".csv.gz")
    sources = {"plain": plain, "packed": packed, "tar": as_archive(tmp_path / "ed.tar.gz", plain)}
    found = {}
    for name, source in sources.items():
        stage(source, tmp_path / "out" / name)
        found[name] = list(read_folder(tmp_path / "out" / name))
    assert found["plain"] == found["packed"] == found["tar"]
    assert [(one.id, one.split) for one in found["plain"]] == [
        ("c:1", "train"), ("c:2", "train"), ("c:3", "train"), ("c:4", "dev"), ("c:5", "test"),
    ]  # fmt: skip


def test_counts_rejects_and_leaks(tmp_path: Path) -> None:
    out = tmp_path / "out"
    manifest = stage(as_folder(tmp_path / "ed"), out, leaked="drop", limit=1)
    assert counted(manifest) == {"lines": (6, 5, {}, 1), "scenarios": (5, 3, {"leaked": 1, "limit": 1}, 0)}
    assert [one.id for one in read_folder(out)] == ["c:1", "c:4", "c:5"]
    assert read_table(out / "rejected", "scenarios").to_pylist() == [
        {"file": "train.csv", "line": 4, "reason": "field_count", "text": "bad"}
    ]
    assert json.loads((out / "leakage.json").read_text()) == [
        {"situation": "My cat died.", "ids": {"train": ["c:2"], "test": ["c:5"]}}
    ]
    assert len(manifest.warnings) == 1


def test_chosen_splits(tmp_path: Path) -> None:
    folder = as_folder(tmp_path / "ed")
    stage(folder, tmp_path / "out", splits=["test"])
    assert [one.id for one in read_folder(tmp_path / "out")] == ["c:5"]
    stage(folder, tmp_path / "train", splits=["train"], leaked="drop")
    assert [one.id for one in read_folder(tmp_path / "train")] == ["c:1", "c:3"]
    (folder / "valid.csv").unlink()
    with pytest.raises(InputError, match="no file for the split dev"):
        stage(folder, tmp_path / "none", splits=["dev"])


def test_damaged_missing_and_doubled_files_are_named(tmp_path: Path) -> None:
    packed = as_folder(tmp_path / "packed", ".csv.gz")
    whole = (packed / "train.csv.gz").read_bytes()
    (packed / "train.csv.gz").write_bytes(whole[:-12])
    with pytest.raises(DamagedFileError, match=r"train\.csv\.gz"):
        stage(packed, tmp_path / "a")
    (packed / "train.csv.gz").write_bytes(whole)
    (packed / "train.csv").write_text(HEADER)
    with pytest.raises(InputError, match="both hold the train split"):
        stage(packed, tmp_path / "b")
    archive = as_archive(tmp_path / "ed.tar.gz", as_folder(tmp_path / "plain"))
    archive.write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(DamagedFileError, match=r"ed\.tar\.gz"):
        stage(archive, tmp_path / "c")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="found none"):
        stage(tmp_path / "empty", tmp_path / "d")


def tar_of(path: Path, folder: Path) -> list[int]:
    """A plain or packed archive of a folder; returns where its members begin, unpacked."""
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w", format=tarfile.USTAR_FORMAT) as archive:
        archive.add(folder, "ed")
    with tarfile.open(path) as archive:
        return [member.offset for member in archive]


@pytest.mark.parametrize("place", ["header", "member", "padding", "end"])
def test_a_cut_plain_archive_is_named_wherever_it_is_cut(tmp_path: Path, place: str) -> None:
    path = tmp_path / "ed.tar"
    *_, second, last = tar_of(path, as_folder(tmp_path / "plain"))
    raw = path.read_bytes()
    end = last + 1024  # header and one block of content
    cut = {"header": second, "member": last + 520, "padding": end - 1, "end": end}[place]
    path.write_bytes(raw[:cut])
    with pytest.raises(DamagedFileError, match=r"ed\.tar: not a whole tar archive"):
        stage(path, tmp_path / "out")
    # One empty block is the end mark; what is written behind it only fills the tape.
    path.write_bytes(raw[: end + 512])
    assert counted(stage(path, tmp_path / "out"))["scenarios"] == (5, 5, {}, 0)


@pytest.mark.parametrize("lost", [1, 8, 9, 40])
def test_a_packed_archive_is_read_to_its_checksum(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "ed.tar.gz"
    tar_of(path, as_folder(tmp_path / "plain"))
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(DamagedFileError, match=r"ed\.tar\.gz: not a whole tar archive"):
        stage(path, tmp_path / "out")


def test_a_flipped_header_does_not_end_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "ed.tar"
    *_, last = tar_of(path, as_folder(tmp_path / "plain"))
    raw = bytearray(path.read_bytes())
    raw[last] ^= 1
    path.write_bytes(raw)
    with pytest.raises(DamagedFileError, match=r"ed\.tar"):
        stage(path, tmp_path / "out")


def test_ids_are_distinct_over_all_splits(tmp_path: Path) -> None:
    folder = as_folder(tmp_path / "ed")
    (folder / "test.csv").write_text("\n".join([HEADER, row("c:1", "Other."), row("c:4", "It rained.")]))
    manifest = stage(folder, tmp_path / "out")
    ids = [one.id for one in read_folder(tmp_path / "out")]
    assert ids == ["c:1", "c:2", "c:3", "c:4", "c:1#2", "c:4#2"]
    assert "2 scenarios have the id of one in an earlier split" in manifest.warnings[0]
    (leak,) = json.loads((tmp_path / "out" / "leakage.json").read_text())
    assert leak["ids"] == {"dev": ["c:4"], "test": ["c:4#2"]}


@pytest.mark.parametrize("layout", ["ed/{}.csv", "ed/{}.csv.gz", "ed.tar.gz"])
def test_scenarios_from_a_url(tmp_path: Path, layout: str) -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    plain = as_folder(tmp_path / "plain", ".csv.gz" if layout.endswith("csv.gz") else ".csv")
    here = as_archive(tmp_path / "ed.tar.gz", plain) if "{}" not in layout else plain
    base = f"/scenarios-{tmp_path.name}"
    memory.put(str(here), f"{base}/ed.tar.gz" if here.is_file() else f"{base}/ed", recursive=here.is_dir())
    memory.pipe(f"{base}/ed/README.md", b"not fetched")
    stage(here, tmp_path / "here")
    url = f"memory:/{base}/{'ed.tar.gz' if here.is_file() else 'ed'}"
    manifest = run_stage("sage_data.scenarios", {}, {"archive": [url]}, tmp_path / "there")
    assert list(read_folder(tmp_path / "there")) == list(read_folder(tmp_path / "here"))
    assert [one.name for one in manifest.origins] == ["EmpatheticDialogues"]
    memory.rm(base, recursive=True)


def test_what_is_no_corpus_behind_a_url_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    base = f"/scenarios-{tmp_path.name}"
    memory.pipe(f"{base}/chat/chat.jsonl", b"{}")
    with pytest.raises(InputError, match="expected train, valid or test"):
        run_stage("sage_data.scenarios", {}, {"archive": [f"memory:/{base}/chat"]}, tmp_path / "a")
    memory.pipe(f"{base}/big/train.csv", b"x" * 100)
    monkeypatch.setattr(fetching, "LIMIT_BYTES", 99)
    with pytest.raises(InputError, match="of at most 99 bytes, found 100"):
        run_stage("sage_data.scenarios", {}, {"archive": [f"memory:/{base}/big"]}, tmp_path / "b")
    memory.rm(base, recursive=True)


def test_leaks_heed_neither_case_nor_punctuation_nor_form() -> None:
    pairs = [("It\u2019s  RAINING!", "its raining"), ("caf\u00e9?", "cafe\u0301"), ("?!", " ?!"), ("1.", "1")]
    same = [(Scenario("a", one, None, "train"), Scenario("b", other, None, "dev")) for one, other in pairs]
    for train, dev in same:
        files: dict[Split, ScenarioFile] = {"dev": ScenarioFile((dev,), 1, ()), "train": ScenarioFile((train,), 1, ())}
        (leak,) = find_leaks(files)
        assert (leak.situation, leak.ids) == (train.situation, {"train": ("a",), "dev": ("b",)})
    assert normal("?!") != normal("...")
    assert normal("I won") != normal("I own")


@pytest.mark.parametrize("layout", ["data/{}-00000-of-00001.parquet", "plain_text/{}/0000.parquet", "{}.parquet"])
def test_a_copy_in_parquet_and_what_it_lost(tmp_path: Path, layout: str) -> None:
    columns = FIELDS[:6]
    rows = [
        dict(zip(columns, ("c:1", 1, "proud", "I won_comma_ at last.", 1, "Hi"), strict=True)),
        dict(zip(columns, ("c:1", 2, "proud", "I won_comma_ at last.", 2, "Oh"), strict=True)),
        dict(zip(columns, ("c:2", 1, "sad", None, 1, "Hi"), strict=True)),
    ]
    path = tmp_path / "copy" / layout.format("validation")
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    manifest = stage(tmp_path / "copy", tmp_path / "out")
    assert list(read_folder(tmp_path / "out")) == [Scenario("c:1", "I won, at last.", "proud", "dev")]
    assert "dev: 1 conversations, 2,769 fewer than the 2,770" in manifest.warnings[0]
    assert read_table(tmp_path / "out" / "rejected", "scenarios")["reason"].to_pylist() == ["no_situation"]
    pq.write_table(pa.table({"text": ["x"]}), path)
    with pytest.raises(InputError, match="missing: conv_id"):
        stage(tmp_path / "copy", tmp_path / "other")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DamagedFileError, match=path.name):
        stage(tmp_path / "copy", tmp_path / "damaged")


def test_a_file_of_another_name_needs_its_split_said(tmp_path: Path) -> None:
    path = tmp_path / "official_sample_rows.csv"
    selfeval = "1|5|5_I have clicked the 'End Chat' button thank you!|4|5"
    path.write_text(f"{HEADER}\nhit:0_conv:1,1,proud,I won,417,Hi,{selfeval},\n")
    with pytest.raises(InputError, match="expected a name that tells the split") as error:
        stage(path, tmp_path / "out")
    assert "--split-if-unknown" in (error.value.next_step or "")
    stage(path, tmp_path / "out", split_if_unknown="dev")
    assert list(read_folder(tmp_path / "out")) == [Scenario("hit:0_conv:1", "I won", "proud", "dev")]


def test_no_splits_do_not_mean_all(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        stage(as_folder(tmp_path / "ed"), tmp_path / "out", splits=[])


def test_scenarios_from_any_dialogues(tmp_path: Path) -> None:
    said = (Utterance("assistant", "Hello"), Utterance("user", " I am late. "))
    dialogues = [Dialogue("d:1", said), Dialogue("d:2", said[:1])]
    write_table(tmp_path / "in" / "dialogues-00000.parquet", to_table(dialogues))
    manifest = stage(tmp_path / "in", tmp_path / "out", split_if_unknown="test")
    assert list(read_folder(tmp_path / "out")) == [Scenario("d:1", "I am late.", None, "test")]
    assert [(one.came_in, one.quarantined) for one in manifest.counts if one.unit == "lines"] == [(2, 1)]
    assert manifest.warnings == []
