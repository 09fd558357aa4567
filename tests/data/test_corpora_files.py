"""Files of a corpus: splits from names, values one by one, damage by name; and ids that occur once."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sage_data.corpora import files, ids
from sage_data.corpora.files import CorpusFile, read_lines, read_rows, read_values, read_whole, split_of
from sage_data.corpora.ids import Ids
from sage_data.corpora.records import Reason, Rejected
from sage_data.errors import DamagedFileError


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("valid_freq.json", "dev"),
        ("test.jsonl.gz", "test"),
        ("dialogues_train.txt", "train"),
        ("devWithStrategy_short.tsv", "dev"),
        ("validation_dialogues.txt.gz", "dev"),
        ("train-00000-of-00002.parquet", "train"),
        ("ESConv.json", None),
        ("latest.json", None),
        ("testament.json", None),
        ("train_and_test.json", None),
    ],
)
def test_split_of_a_name(name: str, split: str | None) -> None:
    assert split_of(name) == split
    assert CorpusFile.at(Path("anywhere") / name).split == split


def test_a_folder_tells_the_split_where_the_name_does_not() -> None:
    assert CorpusFile.at(Path("c/validation/0000.parquet"), Path("c")).split == "dev"
    assert CorpusFile.at(Path("test/chat.json"), Path("test")).split is None
    assert CorpusFile.at(Path("test/chat.json")).split is None


@settings(deadline=None)
@given(
    st.lists(
        st.recursive(
            st.none() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        ),
        max_size=6,
    ),
    st.integers(1, 9),
    st.sampled_from([None, 1]),
)
def test_arrays_come_element_by_element_however_they_are_cut(values: list[Any], size: int, indent: int | None) -> None:
    raw = json.dumps(values, indent=indent, ensure_ascii=False).encode("utf-8", "surrogatepass")
    pieces = [raw[place : place + size] for place in range(0, len(raw), size)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "read_pieces", lambda file: iter(pieces))
        try:
            raw.decode()
        except UnicodeDecodeError:
            return
        file = CorpusFile.at(Path("a.json"))
        assert [value for _, value in read_values(file)] == values


@pytest.mark.parametrize("text", ['[{"a": 1}, {"b"', '[{"a": 1}', '[{"a": 1} x]', '[{"a": 1}] []', "[1, oops, 2]"])
def test_broken_arrays_are_damage(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(DamagedFileError, match=r"a\.json: its JSON array"):
        list(read_values(CorpusFile.at(path)))


def test_an_endless_element_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ITEM_LIMIT_CHARACTERS", 1_000_000)
    path = tmp_path / "a.json"
    path.write_text('["' + "x" * 3_000_000)
    with pytest.raises(DamagedFileError, match="breaks off"):
        list(read_values(CorpusFile.at(path)))


@pytest.mark.parametrize("name", ["a.txt.gz", "a.jsonl.gz", "a.tsv.gz", "a.json.gz", "a.csv.gz"])
def test_cut_packed_files_are_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    packed = gzip.compress("\n".join(str(number) for number in range(10_000)).encode())
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(DamagedFileError, match=name.replace(".", r"\.")):
        list(read_lines(CorpusFile.at(path)))


def test_lines_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\n\n  \ntwo\xff\n" + b"x" * 1_100_000 + b"\nfour")
    found = [
        (number, one.reason if isinstance(one, Rejected) else one) for number, one in read_lines(CorpusFile.at(path))
    ]
    assert found == [(1, "one"), (4, Reason.NOT_UTF8), (5, Reason.LINE_TOO_LONG), (6, "four")]


@pytest.mark.parametrize("read", [read_whole, lambda file: list(read_rows(file)), lambda file: list(read_lines(file))])
def test_empty_files_are_damage(tmp_path: Path, read: Any) -> None:
    (tmp_path / "a.json").write_bytes(b"")
    with pytest.raises(DamagedFileError, match=r"a\.json"):
        read(CorpusFile.at(tmp_path / "a.json"))


@given(st.lists(st.sampled_from(["a", "b", "a#2", "a#3", "c"]), max_size=40))
def test_ids_are_unique_and_repeats_counted(wanted: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ids, "NEWEST", 3)  # so that runs are packed and joined
        seen = Ids()
        given_ids = [seen.unique(one) for one in wanted]
    assert len(set(given_ids)) == len(wanted)
    assert seen.repeated == sum(one != other for one, other in zip(given_ids, wanted, strict=True))
    assert all(one.startswith(other) for one, other in zip(given_ids, wanted, strict=True))
