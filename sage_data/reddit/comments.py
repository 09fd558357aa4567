"""Comment gates and text cleaning: what a comment must be to take part in a dialogue.

Each gate is a plain function on a cleaned comment with its reason; `reasons.py` states the rules. Gates beyond the
paper's are off until their option is given. Since most comments pass, a gate also has a *sieve*: a cheap look at many
comments at once that says which of them may fail. Only those are judged; a
sieve may doubt too much, but never too little.

    judged = judge(rows, bodies, authors, comment_gates(CommentGates()))
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field

from sage_data.reddit.reader import Comment, Rows
from sage_data.reddit.reasons import QUOTED_LINE, WEB_ADDRESS, CommentReason

DELETED = "[deleted]"
REMOVED = frozenset({"[removed]", "[ Removed by Reddit ]"})
BOT_AUTHORS = frozenset({"AutoModerator"})

_BOT_NAME = re.compile(r"(?:[_-][Bb][Oo][Tt]|[a-z]Bot)\Z")
_BOT_TEXT = re.compile(r"\bi(?: a|')m a bot\b")
_WORD_CHARACTER = re.compile(r"\w")

Predicate = Callable[[Comment], bool]
"""True when the comment has to go."""
Sieve = Callable[["Texts"], np.ndarray]
"""Rows that may fail, as booleans (rows,)."""
REASONS = tuple(CommentReason)


class CommentGates(BaseModel):
    """Which comment gates apply. `duplicate` always does: ids are keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    drop_deleted: bool = Field(default=True, description="Drop comments whose text or author is [deleted].")
    drop_removed: bool = Field(default=True, description="Drop comments that moderators or Reddit removed.")
    drop_bots: bool = Field(default=True, description="Drop comments by bots: by list, by name, by what they say.")
    drop_empty: bool = Field(default=True, description="Drop comments without any letter, digit or underscore.")
    drop_quotes: bool = Field(default=False, description="Drop comments that quote: a line starts with '>'.")
    drop_urls: bool = Field(default=False, description="Drop comments that hold a web address.")
    bot_authors: tuple[str, ...] = Field(default=(), description="Further authors to treat as bots, exact names.")
    subreddits: tuple[str, ...] = Field(default=(), description="Keep these subreddits alone, in any case.")
    without_subreddits: tuple[str, ...] = Field(default=(), description="Drop these subreddits, in any case.")
    min_score: float | None = Field(default=None, description="Drop comments scored lower; an unknown score passes.")


def clean(text: str) -> str:
    """The text as it is judged and kept: entities decoded once, line ends as LF, white space off the ends.

    Entities are decoded once, because the dumps encode once: `&amp;lt;` is how somebody wrote `&lt;`.
    """
    if "&" in text:
        text = html.unescape(text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.strip()


def is_deleted(comment: Comment) -> bool:
    """The text is gone, or the author is nobody and so no speaker."""
    return DELETED in {comment.body, comment.author}


def is_removed(comment: Comment) -> bool:
    """A moderator or Reddit took the text away."""
    return comment.body in REMOVED


def is_bot(comment: Comment, more_authors: frozenset[str] = frozenset()) -> bool:
    """A known bot, a name that ends like one ("helper_bot", "RemindMeBot", not "robot"), or a text that says so."""
    author = comment.author
    if author in BOT_AUTHORS or author in more_authors or _BOT_NAME.search(author):
        return True
    text = comment.body.lower()
    return "m a bot" in text and _BOT_TEXT.search(text) is not None


def is_empty(comment: Comment) -> bool:
    """No word character is left: nothing, punctuation, or emoji alone."""
    return _WORD_CHARACTER.search(comment.body) is None


def has_quote(comment: Comment) -> bool:
    """A line starts with Reddit's quotation mark `>`."""
    return QUOTED_LINE.search(comment.body) is not None


def has_url(comment: Comment) -> bool:
    """A web address stands in the text."""
    return WEB_ADDRESS.search(comment.body) is not None


@dataclass(frozen=True, slots=True)
class Gate:
    """One comment gate that is switched on."""

    reason: CommentReason
    fails: Predicate
    sieve: Sieve
    certain: Sieve | None = None
    """Rows that fail for certain, whatever their text, if there is a cheap way to tell."""


def comment_gates(settings: CommentGates) -> list[Gate]:
    """The gates that apply, in the order in which their reasons win."""
    bots = frozenset(settings.bot_authors)
    allowed = frozenset(name.lower() for name in settings.subreddits)
    blocked = frozenset(name.lower() for name in settings.without_subreddits)
    lowest = settings.min_score
    bot_ends = _ends(("bot", "boT", "bOt", "bOT", *BOT_AUTHORS, *bots))

    def other_subreddit(comment: Comment) -> bool:
        name = comment.subreddit.lower()
        return name in blocked or bool(allowed and name not in allowed)

    def scored_low(comment: Comment) -> bool:
        return comment.score is not None and lowest is not None and comment.score < lowest

    listed = [
        (settings.drop_deleted, Gate(CommentReason.DELETED, is_deleted, Texts.bracketed, Texts.by_deleted)),
        (settings.drop_removed, Gate(CommentReason.REMOVED, is_removed, Texts.bracketed)),
        (
            settings.drop_bots,
            Gate(CommentReason.BOT, lambda one: is_bot(one, bots), lambda texts: texts.botlike(bot_ends)),
        ),
        (settings.drop_empty, Gate(CommentReason.EMPTY, is_empty, Texts.perhaps_empty)),
        (settings.drop_quotes, Gate(CommentReason.QUOTE, has_quote, lambda texts: texts.holding(b">"))),
        (settings.drop_urls, Gate(CommentReason.URL, has_url, lambda texts: texts.holding(b"://", b"www."))),
        (bool(allowed or blocked), Gate(CommentReason.SUBREDDIT, other_subreddit, Texts.all)),
        (lowest is not None, Gate(CommentReason.SCORE, scored_low, Texts.all)),
    ]
    return [gate for on, gate in listed if on]


def reject_reason(comment: Comment, gates: Sequence[Gate]) -> CommentReason | None:
    """The first gate's reason that a cleaned comment fails, or None when it passes all."""
    for gate in gates:
        if gate.fails(comment):
            return gate.reason
    return None


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of some comments."""

    changed: np.ndarray
    """Rows whose text cleaning changed, ascending."""
    cleaned: pa.StringArray
    """Their texts now."""
    reasons: np.ndarray
    """Reason codes (rows,), uint8: a place in `REASONS` plus one, or 0 for a comment that passed every gate."""


def judge(rows: Rows, bodies: pa.StringArray, authors: pa.StringArray, gates: Sequence[Gate]) -> Judged:
    """Clean texts and apply the gates; equal to cleaning each comment and asking `reject_reason`.

    `bodies` and `authors` are those columns of `rows`.
    """
    texts = Texts(bodies, authors)
    unclean = np.flatnonzero(texts.perhaps_unclean()).tolist()
    cleaned = {row: text for row in unclean if (text := clean(rows.bodies[row])) != rows.bodies[row]}
    changed = np.fromiter(cleaned, np.int64, len(cleaned))
    new_bodies = pa.array(cleaned.values(), pa.string())
    new_texts = Texts(new_bodies, authors.take(pa.array(changed)))
    reasons = np.zeros(len(rows), dtype=np.uint8)
    for gate in gates:
        code = REASONS.index(gate.reason) + 1
        if gate.certain is not None:
            reasons[gate.certain(texts) & (reasons == 0)] = code
        doubtful = gate.sieve(texts)
        doubtful[changed] = gate.sieve(new_texts)
        for row in np.flatnonzero(doubtful & (reasons == 0)).tolist():
            comment = rows.comment(row)
            comment.body = cleaned.get(row, comment.body)
            if gate.fails(comment):
                reasons[row] = code
    return Judged(changed, new_bodies, reasons)


def _ends(names: Sequence[str]) -> np.ndarray:
    """Table (65536,) of booleans: the last two bytes of any of the names, as a number, lower byte first."""
    table = np.zeros(1 << 16, dtype=bool)
    for name in names:
        table[int.from_bytes(name.encode()[-2:].rjust(2, b"\0"), "little")] = True
    return table


def _among(characters: bytes) -> np.ndarray:
    """Table (256,) of booleans."""
    table = np.zeros(256, dtype=bool)
    table[list(characters)] = True
    return table


_VISIBLE = _among(bytes(range(ord("!"), ord("~") + 1)))
_ALPHANUMERIC = _among(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


class Texts:
    """The bodies, not yet cleaned, and authors of many comments as bytes in a row, for sieves."""

    def __init__(self, bodies: pa.StringArray, authors: pa.StringArray) -> None:
        self._bodies = _Bytes(bodies)
        self._authors = _Bytes(authors)

    def all(self) -> np.ndarray:
        """Every row."""
        return np.ones(len(self._bodies.starts), dtype=bool)

    def perhaps_unclean(self) -> np.ndarray:
        """Rows whose text may change when it is cleaned: with `&` or CR, or with an end that may be a space."""
        found: np.ndarray = ~(_VISIBLE[self._bodies.first] & _VISIBLE[self._bodies.last()])
        found[self._bodies.rows_with(b"&")] = True
        found[self._bodies.rows_with(b"\r")] = True
        return found

    def perhaps_empty(self) -> np.ndarray:
        """Rows whose text has no ASCII letter or digit at the places looked at: its first and last two bytes."""
        ends = (self._bodies.first, self._bodies.first_but(1), self._bodies.last(), self._bodies.last(1))
        found: np.ndarray = ~np.logical_or.reduce([_ALPHANUMERIC[place] for place in ends])
        return found

    def bracketed(self) -> np.ndarray:
        """Rows whose text or author starts with `[`."""
        found: np.ndarray = (self._bodies.first == ord("[")) | (self._authors.first == ord("["))
        return found

    def by_deleted(self) -> np.ndarray:
        """Rows whose author is [deleted]."""
        found: np.ndarray = pc.equal(self._authors.array, DELETED).to_numpy(zero_copy_only=False)
        return found

    def holding(self, *parts: bytes) -> np.ndarray:
        """Rows whose text holds one of the parts, which are given in lower case, in any case."""
        found = np.zeros(len(self._bodies.starts), dtype=bool)
        for part in parts:
            found[self._bodies.rows_with(part, fold=True)] = True
        return found

    def botlike(self, ends: np.ndarray) -> np.ndarray:
        """Rows whose author ends as `ends` (65536,) says, or whose text may say "m a bot"."""
        found: np.ndarray = ends[self._authors.last().astype(np.uint16) << 8 | self._authors.last(1)]
        found[self._bodies.rows_with_four(b" bot")] = True
        return found


class _Bytes:
    """The UTF-8 bytes of an Arrow array of texts, with the bounds of each."""

    def __init__(self, array: pa.StringArray) -> None:
        self.array = array
        _, offsets, data = array.buffers()
        bounds = np.frombuffer(offsets, dtype=np.int32, count=len(array) + 1)
        self.starts, self._ends = bounds[:-1], bounds[1:]
        self._data = np.frombuffer(data, dtype=np.uint8, count=int(bounds[-1])) if data else np.zeros(0, np.uint8)

    @cached_property
    def _exact(self) -> bytes:
        return self._data.tobytes()

    @cached_property
    def _folded(self) -> np.ndarray:
        """With bit 5 set everywhere: letters in lower case, and some signs taken for others."""
        return self._data | np.uint8(0x20)

    @cached_property
    def first(self) -> np.ndarray:
        """First byte of each text (rows,), 0 for an empty one."""
        return self._at(self.starts)

    def first_but(self, after: int) -> np.ndarray:
        """The byte `after` the first of each text (rows,), 0 where there is none."""
        return self._at(self.starts + after)

    def last(self, before: int = 0) -> np.ndarray:
        """Last byte of each text (rows,), or one `before` it; 0 where there is none."""
        return self._at(self._ends - 1 - before)

    def _at(self, places: np.ndarray) -> np.ndarray:
        if not len(self._data):
            return np.zeros(len(places), np.uint8)
        found: np.ndarray = self._data.take(places, mode="clip")
        found[(places < self.starts) | (places >= self._ends)] = 0
        return found

    def rows_with(self, part: bytes, *, fold: bool = False) -> np.ndarray:
        """Numbers of the rows that hold `part`, with repetitions; `fold`: in any case, and perhaps some that do not."""
        data = self._folded.tobytes() if fold else self._exact
        sought = bytes(byte | 0x20 for byte in part) if fold else part
        places = []
        place = data.find(sought)
        while place >= 0:
            places.append(place)
            place = data.find(sought, place + 1)
        return self._rows(places)

    def rows_with_four(self, part: bytes) -> np.ndarray:
        """The same for four bytes, in any case: four at once are compared, at each of four places."""
        sought = np.frombuffer(bytes(byte | 0x20 for byte in part), dtype=np.uint32)
        found = []
        for shift in range(4):
            count = (len(self._folded) - shift) // 4
            fours = self._folded[shift : shift + 4 * max(count, 0)].view(np.uint32)
            found += (4 * np.flatnonzero(fours == sought) + shift).tolist()
        return self._rows(found)

    def _rows(self, places: Sequence[int]) -> np.ndarray:
        return np.searchsorted(self.starts, np.array(places, dtype=np.int64), side="right") - 1
