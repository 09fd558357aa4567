"""Published files: bytes depend on the rows alone, sizes keep to the Hub's limits, types are plain."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sage_data.errors import PublishError
from sage_data.publishing import shaping
from sage_data.publishing.shaping import Grouper, published_schema, row_bytes, write_split

SAID = st.fixed_dictionaries({"role": st.text(max_size=3), "text": st.none() | st.text(max_size=9)})
ROW = st.fixed_dictionaries(
    {
        "id": st.none() | st.text(max_size=4),
        "said": st.none() | st.lists(SAID, max_size=3),
        "score": st.none() | st.integers(-5, 5),
    }
)
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("said", pa.list_(pa.struct([("role", pa.string()), ("text", pa.string())]))),
        ("score", pa.int64()),
    ]
)


def table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def cut(whole: pa.Table, places: list[int]) -> list[pa.Table]:
    edges = sorted({0, whole.num_rows, *(place % (whole.num_rows + 1) for place in places)})
    return [whole.slice(start, end - start) for start, end in pairwise(edges)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.lists(ROW, min_size=1, max_size=30), st.lists(st.integers(0, 30), max_size=4))
def test_bytes_do_not_depend_on_how_rows_were_cut(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], places: list[int]
) -> None:
    whole, files = table(rows), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shaping, "GROUP_ROWS", 7)
        patch.setattr(shaping, "GROUP_BYTES", 150)
        for tables in ([whole], cut(whole, places)):
            folder = tmp_path_factory.mktemp("split")
            files.append({path.name: path.read_bytes() for path in write_split(tables, SCHEMA, folder, "train", 400)})
            read = pa.concat_tables([pq.read_table(path) for path in sorted(folder.iterdir())])
            assert read.to_pylist() == rows
    assert files[0] == files[1]


@given(st.lists(ROW, max_size=20), st.integers(0, 20))
def test_bytes_of_a_row_are_its_values_alone(rows: list[dict[str, Any]], start: int) -> None:
    whole = table(rows).combine_chunks()
    expected = [
        (4 + len((row["id"] or "").encode()))
        + 4
        + sum(8 + len(one["role"].encode()) + len((one["text"] or "").encode()) for one in row["said"] or [])
        + 8
        for row in rows
    ]
    for batch in whole.slice(start).to_batches():
        found = sum(row_bytes(column) for column in batch.columns)
        assert list(found) == expected[start:]


def test_row_groups_and_files_end_where_they_should(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shaping, "GROUP_ROWS", 10)
    whole = pa.table({"text": ["x" * 96] * 95})
    made = write_split([whole], whole.schema, tmp_path, "train", 3000)
    assert [path.name for path in made] == [f"train-{index:05d}-of-00004.parquet" for index in range(4)]
    opened = [pq.read_metadata(path) for path in made]
    groups = [[one.row_group(index).num_rows for index in range(one.num_row_groups)] for one in opened]
    assert groups == [[10, 10, 10], [10, 10, 10], [10, 10, 10], [5]]
    assert sorted(path.name for path in tmp_path.iterdir()) == [path.name for path in made]


def test_groups_of_large_rows_stay_below_what_the_viewer_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shaping, "GROUP_BYTES", 1000)
    monkeypatch.setattr(shaping, "VIEWER_BYTES", 3000)
    rows = pa.table({"text": ["x" * size for size in (10, 1900, 10, 990, 10)]})
    assert [size for _, size in Grouper(rows.schema).groups([rows])] == [1918, 1008, 14]
    with pytest.raises(PublishError, match="expected rows of at most"):
        list(Grouper(rows.schema).groups([pa.table({"text": ["x" * 2001]})]))
    assert shaping.VIEWER_BYTES == 3000


def test_the_true_limits_fit_the_viewer() -> None:
    assert 2 * shaping.GROUP_BYTES < shaping.VIEWER_BYTES == 286 * 2**20


def test_types_are_plain_and_metadata_is_gone() -> None:
    given_schema = pa.schema(
        [
            pa.field("a", pa.large_string(), nullable=False),
            pa.field("b", pa.large_list(pa.struct([pa.field("c", pa.dictionary(pa.int8(), pa.large_string()))]))),
            pa.field("d", pa.null()),
            pa.field("e", pa.int64(), metadata={"k": "v"}),
        ],
        metadata={"sage.counts": "[]"},
    )
    found = published_schema(given_schema)
    assert found == pa.schema(
        [
            ("a", pa.string()),
            ("b", pa.list_(pa.struct([("c", pa.string())]))),
            ("d", pa.string()),
            ("e", pa.int64()),
        ]
    )
    assert found.metadata is None
    assert found.field("e").metadata is None


def test_large_strings_and_dictionaries_are_written_plainly(tmp_path: Path) -> None:
    rows = pa.table({"a": pa.array(["x", None, "x"], pa.large_string()), "b": pa.array(["y"] * 3).dictionary_encode()})
    schema = published_schema(rows.schema)
    (path,) = write_split([rows], schema, tmp_path, "train", 1 << 20)
    assert pq.read_schema(path).remove_metadata() == schema
    assert pq.read_table(path).to_pylist() == rows.to_pylist()


def test_split_without_rows_is_one_empty_file(tmp_path: Path) -> None:
    (path,) = write_split([SCHEMA.empty_table()], SCHEMA, tmp_path, "dev", 100)
    assert path.name == "dev-00000-of-00001.parquet"
    assert pq.read_table(path).num_rows == 0


@pytest.mark.parametrize("kind", [pa.binary(), pa.map_(pa.string(), pa.string()), pa.timestamp("s"), pa.struct([])])
def test_what_scans_cannot_read_is_refused(kind: pa.DataType) -> None:
    with pytest.raises(PublishError, match="expected columns of text"):
        published_schema(pa.schema([("a", pa.list_(kind))]))
