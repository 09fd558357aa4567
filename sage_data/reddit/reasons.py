r"""Why a line, a comment or a dialogue did not make it: every reason code of the Reddit and gate stages.

The codes are written to `rejected/` shards and funnels, and the sample world's gold file states them, so they are
fixed here, with the rules they stand for. One funnel counts them all:

    lines = blank + quarantined (LineReason) + comments
    comments = dropped (CommentReason) + in a chain of one (`single`) or too short (`short_chain`) + in a dialogue
    dialogues = dropped (DialogueReason) + kept

**Lines.** A dump is cut into lines at `\n`; a trailing `\r` belongs to the line end; blank lines are not counted as
bad. A line longer than `LINE_LIMIT_BYTES` (without its `\n`) is `too_long_line` and is not parsed; a line that is not
a JSON object, or not UTF-8, is `bad_json`; an object without one of `REQUIRED_FIELDS` is `missing_field` (an empty id
or author is none); one whose field has a type that no year of the dumps used (for example a list as `body`, or
`created_utc` text that is not a number) is `bad_type`. Null authors are allowed by an option. The first reason in that
order counts.

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

**Threads to dialogues, other policies.** All join comments and cut cycles as above. `any`: any reply may continue its
parent's chain, whoever speaks; of several, the one that leads to the longest continuation does (same ties), the others
start chains at themselves. `windows`: every run of 2 to 10 consecutive replies (both lengths are settings), whoever
speaks: each comment with its nearest ancestors, once for each length. Runs share comments, and short runs lie within
longer ones; a comment that is in no run is `single`. `title-as-first-turn`: the submission is an utterance too, its
title being the text and its author the speaker, and the parent of the top-level comments; then as `alternating`. A
thread whose submission is not at hand is cut as `alternating` does. Under `any` and `windows` the user and the
assistant take turns by position, whoever wrote the comments. Under every policy, chains shorter than
`min_utterances` are let go once they are cut: a comment in none that is long enough is `short_chain`.

**Dialogues.** Gates stand in the order of `DialogueReason`, cheap ones first; the first reason counts. Preset `sage`
applies the paper's four (section 3.1): `too_few_turns` (not more than 4 utterances), `too_short_utterances` (mean words
per utterance not above 15), `no_question` (no utterance ends with a question mark), `low_sentiment` (an utterance's
VADER compound is not above 0.4). The others are off until a threshold or another preset switches them on:

- by count: `too_many_turns`; `long_utterance` and `short_utterance` (one utterance has too many, or too few words);
  `too_many_words` (all utterances together);
- by text, where one utterance is enough: `quote` (a line starts with `>`); `url` (`http://`, `https://` or `www.`);
  `brackets` (a character of a list); `long_word`; `repeated_words` (the same word several times in a row); `capitals`
  (capital letters A to Z in a row); `no_common_word` (a reply holds none of the commonest English words);
  `blocked_words` (a phrase of the block list);
- on the whole dialogue: `other_language`; then, among dialogues that pass all else, `duplicate` and `near_duplicate`
  (of one that was kept before).

    from sage_data.reddit.reasons import CommentReason
"""

from __future__ import annotations

import re
from enum import StrEnum

LINE_LIMIT_BYTES = 1_048_576
"""A dump's line may be this long without its newline; Reddit's own limit on a comment is 40,000 characters."""

REQUIRED_FIELDS = ("id", "author", "body", "created_utc", "link_id", "parent_id", "subreddit")
"""Fields without which a comment line cannot be used; `null` counts as missing, and so does an empty id or author."""


QUOTED_LINE = re.compile(r"^\s*>", re.MULTILINE)
"""A line that quotes, for the gates on comments and on dialogues alike."""
WEB_ADDRESS = re.compile(r"https?://|\bwww\.", re.IGNORECASE)
"""A web address, for both."""


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
SHORT = "short_chain"
"""Funnel entry for a comment that is in no chain as long as was asked for."""


class DialogueReason(StrEnum):
    """Why a dialogue was dropped; the order is that in which the gates judge."""

    TOO_FEW_TURNS = "too_few_turns"
    TOO_MANY_TURNS = "too_many_turns"
    TOO_SHORT_UTTERANCES = "too_short_utterances"
    LONG_UTTERANCE = "long_utterance"
    SHORT_UTTERANCE = "short_utterance"
    TOO_MANY_WORDS = "too_many_words"
    NO_QUESTION = "no_question"
    QUOTE = "quote"
    URL = "url"
    BRACKETS = "brackets"
    LONG_WORD = "long_word"
    REPEATED_WORDS = "repeated_words"
    CAPITALS = "capitals"
    NO_COMMON_WORD = "no_common_word"
    BLOCKED_WORDS = "blocked_words"
    LOW_SENTIMENT = "low_sentiment"
    OTHER_LANGUAGE = "other_language"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
