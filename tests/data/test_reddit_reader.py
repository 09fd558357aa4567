"""Lines become comments whatever year they are from; unusable ones get the first true reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sage_data.reddit.dumps import read_runs
from sage_data.reddit.reader import BadLine, Comment, Kind, Parsed, reader_of
from sage_data.reddit.reasons import REQUIRED_FIELDS, LineReason
from sage_data.reddit.sources import local_dump

GOOD: dict[str, Any] = {
    "id": "c166b",
    "author": "ann",
    "body": "Hello there",
    "created_utc": 1138752114,
    "link_id": "t3_15xh",
    "parent_id": "t3_15xh",
    "subreddit": "reddit.com",
    "score": 3,
}
EXPECTED = Comment("c166b", "ann", "Hello there", 1138752114, "t3_15xh", "t3_15xh", "reddit.com", 3.0)
COMMENTS = reader_of(Kind.COMMENTS)


def parse(line: bytes) -> Comment | BadLine | None:
    """One line between two others, so that the fast way sees it too; None: it is blank."""
    parsed = Parsed(COMMENTS, lines=4)
    parsed.add(line + b"\n")
    assert parsed.lines == 5
    if parsed.blank:
        return None
    assert len(parsed.rows) + len(parsed.bad) == 1
    return parsed.bad[0] if parsed.bad else parsed.rows.comment(0)


def parse_with(**changes: Any) -> Comment | BadLine | None:
    return parse(json.dumps(GOOD | changes).replace('"LONG"', "9" * 5_000).encode())


def reason(parsed: Comment | BadLine | None) -> LineReason:
    assert isinstance(parsed, BadLine)
    return parsed.reason


@pytest.mark.parametrize(
    "drift",
    [
        {},
        {"created_utc": "1138752114"},
        {"created_utc": 1138752114.0},
        {"created_utc": "1138752114.9"},
        {"created_utc": 1138752114.9},
        {"edited": False},
        {"edited": 1138752999.0},
        {"name": "t1_c166b", "retrieved_on": 1473820870},
        {"retrieved_utc": 1473820870, "author_flair_richtext": [], "all_awardings": [{"count": 1}], "gildings": {}},
        {"score": 3.0},
        {"score": "3"},
        {"gilded": "LONG"},
        {"created_utc": "1138752114.0", "score_hidden": False, "gilded": 0, "distinguished": None},
        {"edited": None, "ups": 3, "downs": 0, "controversiality": 0, "author_flair_text": "x", "archived": True},
        {"author_fullname": "t2_1", "permalink": "/r/x", "total_awards_received": 0, "treatment_tags": [], "_meta": {}},
    ],
)
def test_every_published_type_is_read(drift: dict[str, Any]) -> None:
    assert parse_with(**drift) == EXPECTED


def test_score_may_be_null_or_absent() -> None:
    assert parse_with(score=None) == parse(json.dumps({k: v for k, v in GOOD.items() if k != "score"}).encode())
    parsed = parse_with(score=None)
    assert isinstance(parsed, Comment)
    assert parsed.score is None


@pytest.mark.parametrize(
    "line",
    [
        b'{"id": "c1", "body": "cut sh',
        b"[1, 2]",
        b'"text"',
        b"null",
        b"not json",
        json.dumps(GOOD).encode() + b"{}",
        json.dumps(GOOD).replace("Hello", "Hell\t").encode().replace(b"\\t", b"\t"),
        json.dumps(GOOD | {"flair": "x"}).encode().replace(b'"x"', b'"\xff"'),
        json.dumps(GOOD | {"score": float("nan")}).encode(),
        b"[" * 200_000,
    ],
)
def test_what_is_no_json_object_in_utf8_is_bad_json(line: bytes) -> None:
    assert reason(parse(line)) is LineReason.BAD_JSON


@pytest.mark.parametrize("field", REQUIRED_FIELDS)
def test_a_missing_or_null_field_is_named_so(field: str) -> None:
    without = {name: value for name, value in GOOD.items() if name != field}
    assert reason(parse(json.dumps(without).encode())) is LineReason.MISSING_FIELD
    assert reason(parse_with(**{field: None})) is LineReason.MISSING_FIELD


@pytest.mark.parametrize(
    "wrong",
    [
        {"body": ["Hello"]},
        {"author": 7},
        {"created_utc": "yesterday"},
        {"created_utc": True},
        {"created_utc": "nan"},
        {"created_utc": 1e300},
        {"created_utc": {}},
        {"score": "many"},
    ],
)
def test_a_type_never_published_is_bad_type(wrong: dict[str, Any]) -> None:
    assert reason(parse_with(**wrong)) is LineReason.BAD_TYPE


def test_the_first_reason_in_order_counts() -> None:
    assert reason(parse_with(body=["x"], author=None)) is LineReason.MISSING_FIELD
    assert reason(parse(b'{"body": ["x"], "author": nul')) is LineReason.BAD_JSON


@pytest.mark.parametrize("field", ["id", "author"])
def test_an_empty_name_is_a_missing_one(field: str) -> None:
    assert reason(parse_with(**{field: ""})) is LineReason.MISSING_FIELD
    assert isinstance(parse_with(body=""), Comment)


def test_unknown_authors_are_read_when_allowed() -> None:
    for author in ({"author": None}, {}, {"author": ""}):
        fields = {name: value for name, value in GOOD.items() if name != "author"} | author
        for reader, expected in ((COMMENTS, 0), (reader_of(Kind.COMMENTS, missing_authors=True), 1)):
            parsed = Parsed(reader)
            parsed.add(json.dumps(fields).encode() + b"\n")
            assert parsed.rows.authors == [""] * expected


def test_submissions_are_read_as_what_starts_a_thread() -> None:
    parsed = Parsed(reader_of(Kind.SUBMISSIONS))
    line = {
        "id": "15xh",
        "author": "ann",
        "title": "Why?",
        "created_utc": 7,
        "subreddit": "x",
        "selftext": "",
        "url": "u",
    }
    parsed.add(json.dumps(line).encode() + b"\n" + json.dumps(GOOD).encode() + b"\n")
    assert parsed.rows.comment(0) == Comment("t3_15xh", "ann", "Why?", 7, "t3_15xh", "", "x", None)
    assert [one.reason for one in parsed.bad] == [LineReason.MISSING_FIELD]


def test_half_a_surrogate_pair_is_repaired_not_lost() -> None:
    parsed = parse(json.dumps(GOOD).replace("Hello", r"\ud83d Hello \ud83d\ude00").encode())
    assert isinstance(parsed, Comment)
    assert parsed.body == "\ufffd Hello \U0001f600 there"


def test_line_ends_and_blank_lines() -> None:
    assert parse(json.dumps(GOOD).encode() + b"\r") == EXPECTED
    for blank in (b"", b"\r", b" \t "):
        assert parse(blank) is None


def test_a_quarantined_line_can_be_recognised() -> None:
    assert parse(b"\xff" + b"x" * 5_000) == BadLine(5, LineReason.BAD_JSON, "\ufffd" + "x" * 199)
    parsed = Parsed(COMMENTS, lines=6)
    parsed.add(None)
    assert parsed.bad == [BadLine(7, LineReason.TOO_LONG_LINE, "")]


def test_lines_of_a_file_are_numbered(tmp_path: Path) -> None:
    path = tmp_path / "RC_2006-01.jsonl"
    path.write_bytes(b"\n".join([json.dumps(GOOD).encode(), b"", b"broken", json.dumps(GOOD | {"id": "d"}).encode()]))
    parsed = Parsed(COMMENTS)
    for run in read_runs(local_dump(path)):
        parsed.add(run)
    assert (parsed.rows.ids, parsed.rows.numbers().tolist()) == (["c166b", "d"], [1, 4])
    assert ([one.line for one in parsed.bad], parsed.blank, parsed.lines) == ([3], 1, 4)


LINES = st.sampled_from(
    [
        *(json.dumps(GOOD | {"id": name}).encode() for name in "abc"),
        json.dumps(GOOD | {"created_utc": "77"}).encode() + b"\r",
        json.dumps(GOOD | {"created_utc": 7.5}).encode(),
        json.dumps(GOOD | {"created_utc": "1e3"}).encode(),
        json.dumps(GOOD | {"created_utc": 2**60}).encode(),
        json.dumps(GOOD | {"author": ""}).encode(),
        json.dumps(GOOD | {"gilded": "LONG"}).replace('"LONG"', "9" * 5_000).encode(),
        json.dumps(GOOD | {"created_utc": "LONG"}).replace('"LONG"', "9" * 5_000).encode(),
        json.dumps(GOOD, ensure_ascii=False).replace("Hello", "žluť").encode(),
        json.dumps(GOOD).replace("Hello", "\\ud83d").encode(),
        json.dumps(GOOD | {"id": "two"}).encode() * 2,
        json.dumps(GOOD | {"id": "two"}).encode() + b" " + json.dumps(GOOD | {"id": "2"}).encode(),
        b'{"id": "begun",',
        b'"author": "x", "body": "", "created_utc": 1, "link_id": "", "parent_id": "", "subreddit": ""}',
        b'{"a": {}',
        b"{}",
        b"",
        b"null",
        b'{"x": "\xff"}',
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=8))
def test_many_lines_are_read_as_each_of_them(lines: list[bytes]) -> None:
    together, apart = Parsed(COMMENTS), Parsed(COMMENTS)
    together.add(b"\n".join(lines) + b"\n")
    for line in lines:
        apart.add(b"[]\n" + line + b"\n")  # a bad line makes it read one by one
    assert together.rows.ids == apart.rows.ids
    assert together.rows.times == apart.rows.times
    assert (2 * together.rows.numbers()).tolist() == apart.rows.numbers().tolist()
    assert [2 * one.line for one in together.bad] == [one.line for one in apart.bad if one.line % 2 == 0]
    assert (together.lines, together.blank) == (len(lines), apart.blank)
