"""Comment gates: each rule of `reasons.py`, on both sides of its edge."""

from __future__ import annotations

from typing import Any

import pytest

from sage_data.reddit.comments import CommentGates, clean, cleaned, comment_gates, reject_reason
from sage_data.reddit.reader import Comment
from sage_data.reddit.reasons import SAGE_COMMENT_REASONS, CommentReason


def comment(text: str = "Hello there", author: str = "ann", **others: Any) -> Comment:
    fields: dict[str, Any] = {"subreddit": "books", "score": 1, **others}
    return Comment(
        id="c1", author=author, text=text, created_utc=0, thread="t3_a", parent_id="t3_a", file="RC", line=1, **fields
    )


def judged(one: Comment, **settings: Any) -> CommentReason | None:
    return reject_reason(cleaned(one), comment_gates(CommentGates(**settings)))


def test_text_is_cleaned_once() -> None:
    assert clean(" a &gt; b &amp;lt; c\r\nd\re\n ") == "a > b &lt; c\nd\ne"
    assert clean("x&#13;y") == "x\ny"
    assert clean("plain") == "plain"


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (comment(), None),
        (comment("[deleted]"), CommentReason.DELETED),
        (comment(" [deleted]\r\n"), CommentReason.DELETED),
        (comment("[deleted] why?"), None),
        (comment(author="[deleted]"), CommentReason.DELETED),
        (comment("[removed]"), CommentReason.REMOVED),
        (comment("[ Removed by Reddit ]"), CommentReason.REMOVED),
        (comment("[removed]", author="[deleted]"), CommentReason.DELETED),
        (comment("", author="AutoModerator"), CommentReason.BOT),
        (comment(author="automoderator"), None),
        (comment(author="helper_bot"), CommentReason.BOT),
        (comment(author="helper-BOT"), CommentReason.BOT),
        (comment(author="RemindMeBot"), CommentReason.BOT),
        (comment(author="robot"), None),
        (comment(author="Talbot"), None),
        (comment(author="ROBot"), None),
        (comment(author="Bot"), None),
        (comment(author="helper_bot2"), None),
        (comment("Beep. I AM A BOT."), CommentReason.BOT),
        (comment("i'm a bot, beep"), CommentReason.BOT),
        (comment("I&#39;m a bot"), CommentReason.BOT),
        (comment("Hi, I'm a bottle collector"), None),
        (comment(""), CommentReason.EMPTY),
        (comment("?! :-) 🎉"), CommentReason.EMPTY),
        (comment("&nbsp;"), CommentReason.EMPTY),
        (comment("中"), None),
    ],
)
def test_default_gates(one: Comment, expected: CommentReason | None) -> None:
    assert judged(one) is expected


@pytest.mark.parametrize(
    ("one", "settings", "expected"),
    [
        (comment("&gt; you said\r\nno"), {"quote": True}, CommentReason.QUOTE),
        (comment("no\n > you said"), {"quote": True}, CommentReason.QUOTE),
        (comment("a > b"), {"quote": True}, None),
        (comment("see HTTPS://a.b"), {"url": True}, CommentReason.URL),
        (comment("see www.a.b"), {"url": True}, CommentReason.URL),
        (comment("awww.so nice"), {"url": True}, None),
        (comment(), {"subreddits": ("BOOKS",)}, None),
        (comment(), {"subreddits": ("films",)}, CommentReason.SUBREDDIT),
        (comment(), {"without_subreddits": ("Books",)}, CommentReason.SUBREDDIT),
        (comment(score=0), {"min_score": 1}, CommentReason.SCORE),
        (comment(score=1), {"min_score": 1}, None),
        (comment(score=None), {"min_score": 1}, None),
        (comment(author="ann"), {"bot_authors": ("ann",)}, CommentReason.BOT),
    ],
)
def test_gates_by_option(one: Comment, settings: dict[str, Any], expected: CommentReason | None) -> None:
    assert judged(one, **settings) is expected


@pytest.mark.parametrize(
    ("off", "one"),
    [
        ("deleted", comment("[deleted]")),
        ("removed", comment("[removed]")),
        ("bot", comment(author="AutoModerator")),
        ("empty", comment("...")),
    ],
)
def test_each_gate_can_be_switched_off(off: str, one: Comment) -> None:
    assert judged(one) is not None
    assert judged(one, **{off: False}) is None


def test_default_gates_are_the_preset_in_order() -> None:
    reasons = [reason for reason, _ in comment_gates(CommentGates())]
    assert [CommentReason.DUPLICATE, *reasons] == list(SAGE_COMMENT_REASONS)
