"""Comment gates: each rule of `reasons.py`, on both sides of its edge."""

from __future__ import annotations

from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sage_data.reddit.comments import REASONS, CommentGates, clean, comment_gates, judge, reject_reason
from sage_data.reddit.reader import Comment, Kind, Rows, reader_of
from sage_data.reddit.reasons import SAGE_COMMENT_REASONS, CommentReason


def comment(text: str = "Hello there", author: str = "ann", **others: Any) -> Comment:
    fields: dict[str, Any] = {"subreddit": "books", "score": 1, **others}
    return Comment("c1", author, text, 0, "t3_a", "t3_a", **fields)


def judged(one: Comment, **settings: Any) -> CommentReason | None:
    one = msgspec.structs.replace(one, body=clean(one.body))
    return reject_reason(one, comment_gates(CommentGates(**settings)))


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
        (comment("&gt; you said\r\nno"), {"drop_quotes": True}, CommentReason.QUOTE),
        (comment("no\n > you said"), {"drop_quotes": True}, CommentReason.QUOTE),
        (comment("a > b"), {"drop_quotes": True}, None),
        (comment("see HTTPS://a.b"), {"drop_urls": True}, CommentReason.URL),
        (comment("see www.a.b"), {"drop_urls": True}, CommentReason.URL),
        (comment("awww.so nice"), {"drop_urls": True}, None),
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
        ("drop_deleted", comment("[deleted]")),
        ("drop_removed", comment("[removed]")),
        ("drop_bots", comment(author="AutoModerator")),
        ("drop_empty", comment("...")),
    ],
)
def test_each_gate_can_be_switched_off(off: str, one: Comment) -> None:
    assert judged(one) is not None
    assert judged(one, **{off: False}) is None


def test_default_gates_are_the_preset_in_order() -> None:
    reasons = [gate.reason for gate in comment_gates(CommentGates())]
    assert [CommentReason.DUPLICATE, *reasons] == list(SAGE_COMMENT_REASONS)


ALL_GATES = CommentGates(
    drop_quotes=True,
    drop_urls=True,
    bot_authors=("ann", "é"),
    without_subreddits=("Films",),
    min_score=2,
    subreddits=("books", "films"),
)
PIECES = st.sampled_from(
    [
        *(
            "[deleted]",
            "[removed]",
            "[ Removed by Reddit ]",
            "I am a bot",
            "i'm A BOT",
            "I&#39;m a bot",
            "> quoted",
            "&gt;q",
        ),
        *(
            "http://x",
            "HTTPS://y",
            "www.z",
            "WWW.",
            "\r",
            "\r\n",
            "\n",
            "&amp;",
            "&nbsp;",
            "\u00a0",
            "\x1f",
            "\u2003",
            "?!",
        ),
        *("word", "é", "中", "🎉", "İ am a bot", "\u212a", "", " ", "_", "(", "1"),
    ]
)
BODIES = st.lists(PIECES, max_size=4).map("".join) | st.text(max_size=12)
AUTHORS = st.sampled_from(
    ["ann", "[deleted]", "AutoModerator", "x_bot", "x-BoT", "RemindMeBot", "robot", "é", "t", "Moderator", "aBOT"]
)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.tuples(BODIES, AUTHORS, st.sampled_from(["books", "FILMS", "x"]), st.sampled_from([None, 1.0, 3.0]))),
    st.sampled_from([CommentGates(), ALL_GATES]),
)
def test_judging_many_is_judging_each(made: list[tuple[str, str, str, float | None]], gates: CommentGates) -> None:
    """The sieves never miss a comment that has to go, nor a text that has to be cleaned."""
    comments = [comment(body, author, subreddit=place, score=score) for body, author, place, score in made]
    rows = Rows.of(comments, 1, reader_of(Kind.COMMENTS))
    columns = (pa.array(rows.bodies, pa.string()), pa.array(rows.authors, pa.string()))
    found = judge(rows, *columns, comment_gates(gates))
    cleaned = dict(zip(found.changed.tolist(), found.cleaned.to_pylist(), strict=True))
    for row, one in enumerate(comments):
        text = clean(one.body)
        assert cleaned.get(row, one.body) == text
        expected = reject_reason(msgspec.structs.replace(one, body=text), comment_gates(gates))
        assert found.reasons[row] == (0 if expected is None else REASONS.index(expected) + 1)
