r"""Writes a comment or submission as one JSON line in the shape that some year's dumps had.

Over the years `created_utc` was a number or a text (mixed within months), `score` null in places, `retrieved_on` became
`retrieved_utc`, `edited` a bool or a time, `name` came and went; bodies hold HTML entities and `\r\n`.

    comment_line(draft, thread, created_utc, 0.3)
"""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

from sage_data.reddit.reasons import LINE_LIMIT_BYTES, LineReason
from sage_data.sample.threads import Draft, Thread

_encode = msgspec.json.encode
SUBREDDIT_IDS = "t5_2s"
BREAK_CHANCE, ENTITY_CHANCE, CRLF_CHANCE = 0.06, 0.08, 0.01


def comment_line(draft: Draft, thread: Thread, created: int, chance: float) -> bytes:
    """One comment as a line without its newline; `chance`, from 0 to 1, decides on its shape."""
    row: dict[str, Any] = {
        "author": draft.author,
        "body": published(draft.body, chance),
        "id": draft.id,
        "parent_id": draft.parent,
        "link_id": draft.link,
        "subreddit": thread.place,
        "subreddit_id": SUBREDDIT_IDS + str(len(thread.place)),
        "stickied": False,
        "distinguished": None,
    }
    _ERAS[int(chance * 1e6) % len(_ERAS)](row, created, int(chance * 100) - 5)
    line = _encode(row)
    return line + b"\r" if chance > 1 - CRLF_CHANCE else line


def published(text: str, chance: float) -> str:
    """A text as the dumps give it: `&`, `<` and `>` as entities, lines ended by CR LF."""
    if ">" in text:
        text = text.replace(">", "&gt;")
    if chance < BREAK_CHANCE:
        text = text.replace(". ", ".\r\n\r\n", 1)
    elif chance < BREAK_CHANCE + ENTITY_CHANCE:
        text = text.replace(" and ", " &amp; ", 1)
    return text


def plain(text: str, chance: float) -> str:
    """What `published` gives, as it must be read: entities decoded, line ends as LF, ends stripped."""
    return published(text, chance).replace("&gt;", ">").replace("&amp;", "&").replace("\r\n", "\n").strip()


def _era_2005(row: dict[str, Any], created: int, score: int) -> None:
    row |= {"created_utc": created, "score": score, "ups": score, "edited": False, "retrieved_on": created + 90_000_000}
    row |= {"gilded": 0, "controversiality": 0, "author_flair_text": None, "author_flair_css_class": None}


def _era_2010(row: dict[str, Any], created: int, score: int) -> None:
    row |= {"created_utc": str(created), "score": score, "ups": score, "downs": 0, "score_hidden": False}
    row |= {"name": "t1_" + row["id"], "edited": float(created + 600), "retrieved_on": created + 20_000_000}


def _era_2018(row: dict[str, Any], created: int, score: int) -> None:
    row |= {"created_utc": created, "score": score, "edited": False, "retrieved_on": created + 3_000_000}
    row |= {"permalink": f"/r/{row['subreddit']}/comments/{row['link_id'][3:]}/_/{row['id']}/", "gildings": {}}
    row |= {"is_submitter": False, "author_fullname": "t2_" + row["id"], "no_follow": True, "send_replies": True}


def _era_2023(row: dict[str, Any], created: int, score: int) -> None:
    row |= {"created_utc": float(created), "score": score if score % 3 else None, "edited": created + 60}
    row |= {"retrieved_utc": created + 40, "name": "t1_" + row["id"], "collapsed": False, "all_awardings": []}


_ERAS = (_era_2005, _era_2010, _era_2018, _era_2023)


def submission_line(rng: Random, thread: Thread, created: int) -> bytes:
    """The submission of a thread as a line without its newline."""
    title = f"Let us talk about {thread.topic or 'this and that'}"
    row: dict[str, Any] = {
        "id": thread.id,
        "name": thread.link,
        "title": title,
        "selftext": "",
        "is_self": True,
        "author": f"host{rng.randrange(1000)}",
        "subreddit": thread.place,
        "created_utc": created if rng.random() < 0.5 else str(created),
        "num_comments": len(thread.drafts),
        "score": rng.randrange(100),
        "over_18": False,
        "domain": f"self.{thread.place}",
        "retrieved_on": created + 1_000_000,
    }
    return _encode(row)


def bad_lines(place: str) -> list[tuple[bytes, LineReason]]:
    """Lines that cannot be used, each with the reason the reader must give."""
    good = {
        "id": "zz0",
        "author": "someone",
        "body": "This line is whole.",
        "created_utc": 1,
        "link_id": "t3_zz",
        "parent_id": "t3_zz",
        "subreddit": place,
    }
    whole = _encode(good)
    return [
        (whole[:-20], LineReason.BAD_JSON),
        (b"[1, 2, 3]", LineReason.BAD_JSON),
        (b"this was never JSON", LineReason.BAD_JSON),
        (whole.replace(b"whole", b"wh\xff\xfele"), LineReason.BAD_JSON),
        (_encode({key: value for key, value in good.items() if key != "author"}), LineReason.MISSING_FIELD),
        (_encode(good | {"body": None}), LineReason.MISSING_FIELD),
        (_encode(good | {"created_utc": "yesterday"}), LineReason.BAD_TYPE),
        (_encode(good | {"body": ["one", "two"]}), LineReason.BAD_TYPE),
        (_encode(good | {"body": "long " * (LINE_LIMIT_BYTES // 5 + 1)}), LineReason.TOO_LONG_LINE),
    ]
