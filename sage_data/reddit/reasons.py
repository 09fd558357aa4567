r"""Why a line, a comment or a dialogue did not make it: every reason code of the Reddit and gate stages.

The codes are written to `rejected/` shards and funnels, and the sample world's gold file states them, so they are
fixed here, with the rules they stand for. One funnel counts them all:

    lines = blank + quarantined (LineReason) + comments
    comments = dropped (CommentReason) + in a chain of one (`single`) + in a dialogue
    dialogues = dropped (DialogueReason) + kept

**Lines.** A dump is cut into lines at `\n`; a trailing `\r` belongs to the line end; blank lines are not counted as
bad. A line longer than `LINE_LIMIT_BYTES` (without its `\n`) is `too_long_line` and is not parsed; a line that is not
a JSON object, or not UTF-8, is `bad_json`; an object without one of `REQUIRED_FIELDS` is `missing_field`; one whose
field has a type that no year of the dumps used (for example a list as `body`, or `created_utc` text that is not a
number) is `bad_type`. The first reason in that order counts.

**Comments.** Checked in this order, first reason wins: `duplicate` (an earlier line, in order of file name and line
number, has the same id), `deleted`, `removed`, `bot`, `empty`, and those that are off by default (`quote`, `url`,
`subreddit`, `score`). The `sage` preset applies the first five. Text is judged after HTML entities are decoded,
`\r\n` and `\r` have become `\n`, and the ends are stripped.

- `deleted`: the text is exactly `[deleted]`, or the author is `[deleted]` (who is nobody, and never a speaker);
- `removed`: the text is exactly `[removed]` (or `[ Removed by Reddit ]`);
- `bot`: the author is `AutoModerator`, or ends in `bot` (any case) after `_` or `-`, or in `Bot` after a lower-case
  letter, or the text holds "i am a bot" or "i'm a bot" (any case);
- `empty`: no word character is left in the text.

**Threads to dialogues, policy `alternating`.** Comments that survived are joined with their parents inside one thread
(one `link_id`). A comment whose parent is missing, dropped, itself, in another thread, or on a cycle starts a chain (on
a cycle, the comment with the earliest `created_utc`, then the smallest id, starts it). The submission counts as no
speaker: a top-level comment starts a chain. Along parent links, a chain is continued by a reply whose author is not the
author of the comment it answers and, from the third utterance on, is the author of the one before that: exactly two
authors, in turn. A reply that does not continue its parent's chain starts a chain of its own with itself as first
utterance (nothing is shared twice). Where several replies would continue a chain, the one that leads to the longest
continuation does (ties: earliest `created_utc`, then smallest id by length, then text); the others start chains at
themselves. A chain of one comment is `single`, not a dialogue. A reply may be older than its parent; order is by
parent links alone. The first speaker is the user, the second the assistant.

**Dialogues.** Gates in this order, first reason wins (paper section 3.1): `too_few_turns` (not more than 4
utterances), `too_short_utterances` (mean words per utterance not above 15), `no_question` (no utterance ends with a
question mark), `low_sentiment` (an utterance's VADER compound is not above 0.4).

    from sage_data.reddit.reasons import CommentReason
"""

from __future__ import annotations

from enum import StrEnum

LINE_LIMIT_BYTES = 1_048_576
"""A dump's line may be this long without its newline; Reddit's own limit on a comment is 40,000 characters."""

REQUIRED_FIELDS = ("id", "author", "body", "created_utc", "link_id", "parent_id", "subreddit")
"""Fields without which a comment line cannot be used; `null` counts as missing."""


class LineReason(StrEnum):
    """Why a line of a dump was quarantined."""

    TOO_LONG_LINE = "too_long_line"
    BAD_JSON = "bad_json"
    MISSING_FIELD = "missing_field"
    BAD_TYPE = "bad_type"


class CommentReason(StrEnum):
    """Why a comment was dropped before threads were cut into dialogues."""

    DUPLICATE = "duplicate"
    DELETED = "deleted"
    REMOVED = "removed"
    BOT = "bot"
    EMPTY = "empty"
    QUOTE = "quote"
    URL = "url"
    SUBREDDIT = "subreddit"
    SCORE = "score"


SAGE_COMMENT_REASONS = (
    CommentReason.DUPLICATE,
    CommentReason.DELETED,
    CommentReason.REMOVED,
    CommentReason.BOT,
    CommentReason.EMPTY,
)
"""The comment gates that the `sage` preset applies, in order."""

SINGLE = "single"
"""Funnel entry for a comment that stands alone in its chain; it is no dialogue."""


class DialogueReason(StrEnum):
    """Why a dialogue was dropped."""

    TOO_FEW_TURNS = "too_few_turns"
    TOO_SHORT_UTTERANCES = "too_short_utterances"
    NO_QUESTION = "no_question"
    LOW_SENTIMENT = "low_sentiment"
