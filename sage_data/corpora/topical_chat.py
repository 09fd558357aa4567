"""Topical-Chat (Gopalakrishnan et al., Interspeech 2019): JSON of conversations by id, each turn with a sentiment.

`sentiment` becomes the emotion, by its own words ("Curious to dive deeper"); an empty one is null. Ratings, articles
and knowledge sources stay behind. The kind of entities (`freq` or `rare`, from the file's name) is the place.
`agent_1` is the user.

    sage data load conversations/valid_freq.json --out loaded/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sage_data.corpora.files import CorpusFile, read_whole
from sage_data.corpora.records import Found, Item, Items, Reason, Rejected, head
from sage_data.dialogue import Role, State, Utterance

AGENTS: dict[str, Role] = {"agent_1": "user", "agent_2": "assistant"}
PLACES = ("freq", "rare")


def read(file: CorpusFile) -> Items:
    """The dialogues of one file.

    Raises:
        DamagedFileError: the file is no whole JSON.
    """
    whole = read_whole(file)
    place = next((one for one in PLACES if one in file.stem), None)
    pairs = whole.items() if isinstance(whole, Mapping) else [("", whole)]
    for number, (key, conversation) in enumerate(pairs, 1):
        content = conversation.get("content") if isinstance(conversation, Mapping) else None
        yield from_content(content, number, key, place)


def from_content(content: Any, line: int, key: str, place: str | None = None) -> Item:
    """One dialogue from a list of `agent` and `message`, which PersonaChat's JSON has too."""
    if not isinstance(content, list) or not all(_is_turn(turn) for turn in content):
        shown = head(f"{key} {content!r}")
        return Rejected(line, Reason.NOT_A_RECORD, shown, "expected `content`, a list of `agent` and `message`")
    texts = [turn["message"].strip() for turn in content]
    if not texts:
        return Rejected(line, Reason.NO_MESSAGES, head(key), "expected at least one message, found none")
    if not all(texts):
        return Rejected(line, Reason.EMPTY_MESSAGE, head(f"{key} {content!r}"), "a message is empty")
    utterances = tuple(
        Utterance(AGENTS[turn["agent"]], text, _state(turn)) for turn, text in zip(content, texts, strict=True)
    )
    return Found(utterances, line, key=key, place=place)


def _is_turn(turn: Any) -> bool:
    return isinstance(turn, Mapping) and turn.get("agent") in AGENTS and isinstance(turn.get("message"), str)


def _state(turn: Mapping[str, Any]) -> State | None:
    return State(emotion=turn["sentiment"] or None) if isinstance(turn.get("sentiment"), str) else None
