"""Lines become comments whatever year they are from; unusable ones get the first true reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sage_data.reddit.reader import BadLine, BlankLine, Comment, parse_line, read_comments
from sage_data.reddit.reasons import REQUIRED_FIELDS, LineReason

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
EXPECTED = Comment(
    "c166b", "ann", "Hello there", 1138752114, "t3_15xh", "t3_15xh", "reddit.com", 3, "RC_2006-01.zst", 5
)


def parse(line: bytes) -> Comment | BadLine | BlankLine:
    return parse_line(line, "RC_2006-01.zst", 5)


def parse_with(**changes: Any) -> Comment | BadLine | BlankLine:
    return parse(json.dumps(GOOD | changes).encode())


def reason(parsed: Comment | BadLine | BlankLine) -> LineReason:
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
    assert reason(parse_with(body=["x"]) and parse(b'{"body": ["x"], "author": nul')) is LineReason.BAD_JSON
    assert reason(parse_line(None, "RC_2006-01.zst", 5)) is LineReason.TOO_LONG_LINE


def test_half_a_surrogate_pair_is_repaired_not_lost() -> None:
    parsed = parse(json.dumps(GOOD).replace("Hello", r"\ud83d Hello \ud83d\ude00").encode())
    assert isinstance(parsed, Comment)
    assert parsed.text == "\ufffd Hello \U0001f600 there"


def test_line_ends_and_blank_lines() -> None:
    assert parse(json.dumps(GOOD).encode() + b"\r") == EXPECTED
    for blank in (b"", b"\r", b" \t "):
        assert isinstance(parse(blank), BlankLine)


def test_a_quarantined_line_can_be_recognised() -> None:
    bad = parse(b"\xff" + b"x" * 5_000)
    assert bad == BadLine("RC_2006-01.zst", 5, LineReason.BAD_JSON, "\ufffd" + "x" * 199)


def test_lines_of_a_file_are_numbered(tmp_path: Path) -> None:
    path = tmp_path / "RC_2006-01.jsonl"
    path.write_bytes(b"\n".join([json.dumps(GOOD).encode(), b"", b"broken", json.dumps(GOOD | {"id": "d"}).encode()]))
    first, blank, bad, last = read_comments(path)
    assert isinstance(blank, BlankLine)
    assert isinstance(bad, BadLine)
    assert isinstance(first, Comment)
    assert isinstance(last, Comment)
    assert (first.line, bad.line, last.line) == (1, 3, 4)
