"""Named sets of thresholds: the SAGE paper's gates, and DialoGPT's filters as released and as published.

    sage data gate dialogues/ --out kept/ --preset dialogpt-release --set max_words=40

A preset only sets defaults: whatever is given beside it wins, and null or false switches a gate off.

**sage**: the four gates of the SAGE paper (section 3.1); `Thresholds` quotes them.

**dialogpt-release**: the filters of DialoGPT's published extraction code. What it asks of single comments and of how
threads are cut belongs to the stage before (`sage data reddit`); its options are named here.

| rule of the release | here |
|---|---|
| 2 to 5 utterances | `min_turns_exclusive: 1`, `max_turns: 5` |
| comments of 2 to 30 words | `min_words: 2`, `max_words: 30` (titles were exempt, here they are not) |
| at most 200 tokens in all | `max_total_words: 200`, counted in words: punctuation is not cut off |
| no token of the reply above 30 characters | `max_word_characters: 30`, in every utterance |
| no `>` in a comment | `drop_quotes` for quoted lines, and `>` among the `bracket_characters` |
| no square or round bracket | `bracket_characters: "[]()>"` |
| no web address | `drop_urls`; a bare "http" passes |
| no five capital letters in a row | `capitals_in_row: 5` |
| no three equal tokens in a row in the reply | `repeated_words: 3`, in every utterance, with its punctuation |
| no phrase of the block list (which ships empty) | the input `blocked_words` |
| not `[deleted]` | `sage data reddit`: `--drop-deleted`, on by default |
| score of at least 1 on the last comment | `sage data reddit`: `--min-score 1`, for every comment |
| submission of the same month at hand, title first | `sage data reddit`: `--titles`; not required |
| subreddit allow and block lists | `sage data reddit`: `--subreddits`, `--without-subreddits` |
| words that start with `#` cut out, other characters replaced | not done: texts are kept as they were written |

**dialogpt-paper**: the filters that the paper lists (Zhang et al. 2020, section 2).

| rule of the paper | here |
|---|---|
| a web address in source or target | `drop_urls` |
| three or more equal words in a row in the target | `repeated_words: 3`, in every utterance |
| a response without any of the 50 commonest English words | `need_common_word`; `frequent.py` has the list |
| a response with special markers such as "[" or "]" | `bracket_characters: "[]"`, in every utterance |
| source and target together longer than 200 words | `max_total_words: 200` |
| offensive phrases in the target | the input `blocked_words`; the paper's list was not published |
| offensive subreddits left out | `sage data reddit`: `--without-subreddits` |
| bland responses, 90% of whose tri-grams were seen over 1,000 times | not implemented |

The filter against blandness needs counts over the whole corpus before the first dialogue can be judged, and 1,000 means
something else for every size of corpus, so it is no gate on a dialogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Preset = Literal["sage", "dialogpt-release", "dialogpt-paper"]

_WITHOUT_SAGE: Mapping[str, Any] = {
    "min_mean_words_exclusive": None,
    "need_question": False,
    "min_compound_exclusive": None,
}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "sage": {},
    "dialogpt-release": {
        **_WITHOUT_SAGE,
        "min_turns_exclusive": 1,
        "max_turns": 5,
        "min_words": 2,
        "max_words": 30,
        "max_total_words": 200,
        "max_word_characters": 30,
        "repeated_words": 3,
        "capitals_in_row": 5,
        "drop_quotes": True,
        "bracket_characters": "[]()>",
        "drop_urls": True,
    },
    "dialogpt-paper": {
        **_WITHOUT_SAGE,
        "min_turns_exclusive": 1,
        "max_total_words": 200,
        "repeated_words": 3,
        "bracket_characters": "[]",
        "drop_urls": True,
        "need_common_word": True,
    },
}
"""Preset -> thresholds that differ from the defaults of `Thresholds`, which are the sage preset."""
