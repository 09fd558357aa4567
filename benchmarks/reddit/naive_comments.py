"""The naive reference, part 1: the lines of a dump, and which comments stay, written from the words of `reasons.py`.

Nothing is shared with the reader and the comment gates that it is compared with but the names of reasons, the line
limit and the list of required fields. One thing after another, with the standard library's `json`.

    for comment in read_comments(paths, counts): ...
"""

from __future__ import annotations

import bz2
import gzip
import html
import json
import lzma
import re
import string
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NoReturn, cast

from sage_data.reddit.reasons import LINE_LIMIT_BYTES, REQUIRED_FIELDS, CommentReason, LineReason

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LARGEST_TIME = 2**53
"""Seconds; a time beyond it is no number that a JSON double can hold exactly."""


@dataclass(slots=True)
class Post:
    """A comment that stays, with its text cleaned."""

    id: str
    author: str
    text: str
    created_utc: int
    thread: str
    parent_id: str
    subreddit: str
    file: str


@dataclass(slots=True)
class Counts:
    """The funnel: lines = blank + quarantined + comments; comments = dropped + single + in dialogues."""

    lines: int = 0
    blank: int = 0
    comments: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)
    comments_dropped: dict[str, int] = field(default_factory=dict)
    single: int = 0
    dialogues: int = 0
    dialogues_dropped: dict[str, int] = field(default_factory=dict)
    kept: int = 0


def add_one(counts: dict[str, int], reason: str) -> None:
    """Count one more."""
    counts[reason] = counts.get(reason, 0) + 1


class BadLineError(Exception):
    """Says why a line cannot be used."""


def refuse(name: str) -> NoReturn:
    """NaN and Infinity are read by Python, and are no JSON."""
    raise ValueError(name)


DECODER = json.JSONDecoder(parse_constant=refuse)


def open_dump(path: Path) -> IO[bytes]:
    """A dump as a file of uncompressed bytes, by its ending; other endings are plain text."""
    ending = path.suffix.lower()
    if ending == ".zst":
        long_window: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 31}
        return cast(IO[bytes], zstd.open(path, "rb", options=long_window))
    if ending == ".bz2":
        return cast(IO[bytes], bz2.open(path, "rb"))
    if ending == ".gz":
        return cast(IO[bytes], gzip.open(path, "rb"))
    if ending == ".xz":
        return cast(IO[bytes], lzma.open(path, "rb"))
    return path.open("rb")


def read_comments(paths: Sequence[Path], counts: Counts, line_limit: int | None = None) -> Iterator[Post]:
    """Every comment of all dumps that passes the default gates, in order of file name and line.

    `line_limit` stops after that many lines of all dumps together.
    """
    seen: set[str] = set()
    for path in sorted(paths, key=lambda one: one.name):
        with open_dump(path) as file:
            for raw in file:
                if line_limit is not None and counts.lines >= line_limit:
                    return
                post = use_line(raw.removesuffix(b"\n"), path.name, counts, seen)
                if post is not None:
                    yield post


def use_line(line: bytes, file: str, counts: Counts, seen: set[str]) -> Post | None:
    """Count one line under what became of it; the comment on it if that stays."""
    counts.lines += 1
    if not line.strip(b" \t\r"):
        counts.blank += 1
        return None
    try:
        post = to_post(parse(line), file)
    except BadLineError as bad:
        add_one(counts.quarantined, str(bad))
        return None
    counts.comments += 1
    reason = CommentReason.DUPLICATE if post.id in seen else drop_reason(post)
    seen.add(post.id)
    if reason is not None:
        add_one(counts.comments_dropped, reason)
        return None
    return post


def parse(line: bytes) -> dict[str, Any]:
    """The JSON object on a line that has all required fields.

    Raises:
        BadLineError: it is too long, no JSON object, or lacks a field.
    """
    if len(line) > LINE_LIMIT_BYTES:
        raise BadLineError(LineReason.TOO_LONG_LINE)
    try:
        value = DECODER.decode(line.decode("utf-8"))
    except (ValueError, RecursionError):
        raise BadLineError(LineReason.BAD_JSON) from None
    if not isinstance(value, dict):
        raise BadLineError(LineReason.BAD_JSON)
    for name in REQUIRED_FIELDS:
        if value.get(name) is None:
            raise BadLineError(LineReason.MISSING_FIELD)
    return value


def to_post(value: dict[str, Any], file: str) -> Post:
    """The comment in a JSON object.

    Raises:
        BadLineError: a field has a type that no year of the dumps used.
    """
    texts = {name: characters(value[name]) for name in REQUIRED_FIELDS if name != "created_utc"}
    score = value.get("score")
    if score is not None and (isinstance(score, bool) or not isinstance(score, int | float)):
        raise BadLineError(LineReason.BAD_TYPE)
    return Post(
        id=texts["id"],
        author=texts["author"],
        text=clean(texts["body"]),
        created_utc=seconds(value["created_utc"]),
        thread=texts["link_id"],
        parent_id=texts["parent_id"],
        subreddit=texts["subreddit"],
        file=file,
    )


def characters(value: object) -> str:
    """A text of characters: halves of surrogate pairs, which JSON can escape, are none and become U+FFFD."""
    if not isinstance(value, str):
        raise BadLineError(LineReason.BAD_TYPE)
    return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def seconds(value: object) -> int:
    """Whole seconds from a number, or from a text that is one."""
    if isinstance(value, str):
        whole, _, fraction = value.strip().partition(".")
        digits = whole.removeprefix("-") + fraction
        if not (whole.removeprefix("-") and digits.isascii() and digits.isdigit()):
            raise BadLineError(LineReason.BAD_TYPE)
        value = int(whole)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST_TIME:
        raise BadLineError(LineReason.BAD_TYPE)
    return int(value)


def clean(body: str) -> str:
    """HTML entities decoded, line ends as LF, ends stripped."""
    return html.unescape(body).replace("\r\n", "\n").replace("\r", "\n").strip()


def drop_reason(post: Post) -> CommentReason | None:
    """The first of the default comment gates that the comment fails; duplicates are seen to by the caller."""
    if post.text == "[deleted]" or post.author == "[deleted]":
        return CommentReason.DELETED
    if post.text in ("[removed]", "[ Removed by Reddit ]"):
        return CommentReason.REMOVED
    if is_bot_name(post.author) or says_it_is_a_bot(post.text):
        return CommentReason.BOT
    if not any(character.isalnum() or character == "_" for character in post.text):
        return CommentReason.EMPTY
    return None


def is_bot_name(author: str) -> bool:
    """AutoModerator, some_bot, Some-BOT, RemindMeBot; not robot."""
    if author == "AutoModerator":
        return True
    before, ending = author[:-3], author[-3:]
    if ending.lower() == "bot" and before.endswith(("_", "-")):
        return True
    return ending == "Bot" and before.endswith(tuple(string.ascii_lowercase))


def says_it_is_a_bot(text: str) -> bool:
    """The words stand in the text, as words."""
    return re.search(r"\b(i am a bot|i'm a bot)\b", text.lower()) is not None
