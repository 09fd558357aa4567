"""Comment gates and text cleaning: what a comment must be to take part in a dialogue.

Each gate is a plain predicate on a cleaned comment; the list pairs it with its reason. `reasons.py` states the rules.
Gates beyond the paper's are off until their option is given.

    reason = reject_reason(clean(comment), comment_gates(CommentGates()))
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from sage_data.reddit.reader import Comment
from sage_data.reddit.reasons import CommentReason

DELETED = "[deleted]"
REMOVED = frozenset({"[removed]", "[ Removed by Reddit ]"})
BOT_AUTHORS = frozenset({"AutoModerator"})

_BOT_NAME = re.compile(r"(?:[_-][Bb][Oo][Tt]|[a-z]Bot)\Z")
_BOT_TEXT = re.compile(r"\bi(?: a|')m a bot\b")
_WORD_CHARACTER = re.compile(r"\w")
_LINE_END = re.compile(r"\r\n?")
_QUOTED_LINE = re.compile(r"^\s*>", re.MULTILINE)
_URL = re.compile(r"https?://|\bwww\.", re.IGNORECASE)

Predicate = Callable[[Comment], bool]
"""True when the comment has to go."""


class CommentGates(BaseModel):
    """Which comment gates apply. `duplicate` always does: ids are keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deleted: bool = Field(default=True, description="Drop comments whose text or author is [deleted].")
    removed: bool = Field(default=True, description="Drop comments that moderators or Reddit removed.")
    bot: bool = Field(default=True, description="Drop comments by bots: by list, by name pattern, by what they say.")
    empty: bool = Field(default=True, description="Drop comments without any word character.")
    quote: bool = Field(default=False, description="Drop comments that quote, that is, have a line starting with '>'.")
    url: bool = Field(default=False, description="Drop comments that hold a web address.")
    bot_authors: tuple[str, ...] = Field(default=(), description="Further authors to treat as bots, exact names.")
    subreddits: tuple[str, ...] = Field(default=(), description="Keep these subreddits alone, in any case; empty: all.")
    without_subreddits: tuple[str, ...] = Field(default=(), description="Drop these subreddits (any case).")
    min_score: float | None = Field(default=None, description="Drop comments scored lower; an unknown score passes.")


def clean(text: str) -> str:
    """The text as it is judged and kept: entities decoded once, line ends as LF, white space off the ends.

    Entities are decoded once, because the dumps encode once: `&amp;lt;` is how somebody wrote `&lt;`.
    """
    if "&" in text:
        text = html.unescape(text)
    if "\r" in text:
        text = _LINE_END.sub("\n", text)
    return text.strip()


def cleaned(comment: Comment) -> Comment:
    """The comment with its text cleaned."""
    text = clean(comment.text)
    return comment if text == comment.text else msgspec.structs.replace(comment, text=text)


def is_deleted(comment: Comment) -> bool:
    """The text is gone, or the author is nobody and so no speaker."""
    return DELETED in {comment.text, comment.author}


def is_removed(comment: Comment) -> bool:
    """A moderator or Reddit took the text away."""
    return comment.text in REMOVED


def is_bot(comment: Comment, more_authors: frozenset[str] = frozenset()) -> bool:
    """A known bot, a name that ends like one ("helper_bot", "RemindMeBot", not "robot"), or a text that says so."""
    author = comment.author
    if author in BOT_AUTHORS or author in more_authors or _BOT_NAME.search(author):
        return True
    text = comment.text.lower()
    return "m a bot" in text and _BOT_TEXT.search(text) is not None


def is_empty(comment: Comment) -> bool:
    """No word character is left: nothing, punctuation, or emoji alone."""
    return _WORD_CHARACTER.search(comment.text) is None


def has_quote(comment: Comment) -> bool:
    """A line starts with Reddit's quotation mark `>`."""
    return _QUOTED_LINE.search(comment.text) is not None


def has_url(comment: Comment) -> bool:
    """A web address stands in the text."""
    return _URL.search(comment.text) is not None


def comment_gates(settings: CommentGates) -> list[tuple[CommentReason, Predicate]]:
    """The gates that apply, in the order in which their reasons win."""
    bots = frozenset(settings.bot_authors)
    allowed = frozenset(name.lower() for name in settings.subreddits)
    blocked = frozenset(name.lower() for name in settings.without_subreddits)
    lowest = settings.min_score

    def other_subreddit(comment: Comment) -> bool:
        name = comment.subreddit.lower()
        return name in blocked or bool(allowed and name not in allowed)

    def scored_low(comment: Comment) -> bool:
        return comment.score is not None and lowest is not None and comment.score < lowest

    listed: list[tuple[bool, CommentReason, Predicate]] = [
        (settings.deleted, CommentReason.DELETED, is_deleted),
        (settings.removed, CommentReason.REMOVED, is_removed),
        (settings.bot, CommentReason.BOT, lambda comment: is_bot(comment, bots)),
        (settings.empty, CommentReason.EMPTY, is_empty),
        (settings.quote, CommentReason.QUOTE, has_quote),
        (settings.url, CommentReason.URL, has_url),
        (bool(allowed or blocked), CommentReason.SUBREDDIT, other_subreddit),
        (lowest is not None, CommentReason.SCORE, scored_low),
    ]
    return [(reason, predicate) for on, reason, predicate in listed if on]


def reject_reason(comment: Comment, gates: Sequence[tuple[CommentReason, Predicate]]) -> CommentReason | None:
    """The first gate's reason that a cleaned comment fails, or None when it passes all."""
    for reason, fails in gates:
        if fails(comment):
            return reason
    return None
