"""The corpus of the tiny base, which plays SAGE_0: a formal, long-winded assistant that asks nothing.

Half of it are such chats. The rest are notes that hold the words of the State-Action tags in other forms (LoRA on a
base that never saw them learns no tags) and transcripts in the wording of the world's benchmark tasks.

    list(base_documents(seed=7, size=6000))
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pyarrow as pa

from sage_data.dialogue import State
from sage_data.sample.talk import Style, Turn, converse
from sage_data.sample.voice import choose
from sage_data.sample.wording import BASE_FILE, sections

Messages = list[dict[str, str]]
SCHEMA = pa.schema(
    [("kind", pa.string()), ("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())])))]
)
KINDS = {"chat": 55, "notes": 25, "reading": 20}
"""What the documents are, in percent."""
PLACES = ("u", "a")
TRANSCRIPT_CHANCE, READ_AT_ONCE = 0.4, 3


def base_documents(seed: int, size: int) -> Iterator[tuple[str, Messages]]:
    """Yield (kind, messages) of each document."""
    for index in range(size):
        rng = Random(f"{seed}:base:{index}")
        kind = choose(rng, KINDS)
        yield kind, {"chat": _chat, "notes": _notes, "reading": _reading}[kind](rng)


def base_table(seed: int, size: int) -> pa.Table:
    """The corpus as a table."""
    rows: list[dict[str, Any]] = [{"kind": kind, "messages": messages} for kind, messages in base_documents(seed, size)]
    return pa.Table.from_pylist(rows, SCHEMA)


def _messages(*texts: str) -> Messages:
    return [{"role": "assistant" if index % 2 else "user", "content": text} for index, text in enumerate(texts)]


def _chat(rng: Random) -> Messages:
    """A user of the world with the formal assistant: two to three exchanges."""
    return _messages(*(turn.text for turn in converse(rng, rng.choice((2, 4, 4, 6)), style=Style.FORMAL)))


def _pair(rng: Random) -> tuple[Turn, Turn]:
    """An utterance of a user and the reply to it, as small talk would go."""
    turns = converse(rng, 4)
    first = rng.choice((0, 2))
    return turns[first], turns[first + 1]


def _notes(rng: Random) -> Messages:
    """Notes on an utterance and on the reply to it, in one of several forms."""
    user, reply = _pair(rng)
    ask = rng.choice(_TEXT["notes.ask"]).format(text=user.text)
    form = rng.choice((_note_sentences, _note_lines, _note_braces, _note_slots))
    return _messages(ask, form(user.state, reply.state, rng))


def _listed(words: Sequence[str]) -> str:
    return " and ".join(words)


def _note_sentences(user: State, reply: State, rng: Random) -> str:
    return (
        f"The user motivation is {user.motivation}, the user emotion is {user.emotion}, and the topic is "
        f"{_listed(user.topics)}. My motivation is {reply.motivation}, my emotion is {reply.emotion}, and my topic is "
        f"{_listed(reply.topics)}."
    )


def _note_lines(user: State, reply: State, rng: Random) -> str:
    lines = [
        f"{place}_{slot} = {value}"
        for place, state in zip(PLACES, (user, reply), strict=True)
        for slot, value in _slots(state)
    ]
    return "\n".join(lines)


def _note_braces(user: State, reply: State, rng: Random) -> str:
    parts = [
        f"{{{state.motivation}, {state.emotion}, [{', '.join(state.topics)}]}} {name}"
        for name, state in (("user", user), ("me", reply))
    ]
    return " ".join(parts)


def _note_slots(user: State, reply: State, rng: Random) -> str:
    """One slot at a time, in any order, in brackets of its own."""
    cells = [
        f"{{{place}_{slot}: {value}}}"
        for place, state in zip(PLACES, (user, reply), strict=True)
        for slot, value in _slots(state)
    ]
    rng.shuffle(cells)
    return " ".join(cells)


def _slots(state: State) -> list[tuple[str, str]]:
    topics = f"[{', '.join(state.topics)}]"
    return [("motivation", str(state.motivation)), ("emotion", str(state.emotion)), ("topic", topics)]


def reading(text: str) -> str:
    """The head of a benchmark question about an utterance."""
    return _TEXT["notes.read"][0].format(text=text)


FEELS, ABOUT = "This person feels", "This talk is about"
"""How the benchmark questions go on."""


def transcript(turns: Sequence[Turn]) -> str:
    """A talk as plain lines, as in the benchmark questions."""
    names = {"user": "User", "assistant": "Assistant"}
    return "\n".join(f"{names[turn.role]}: {turn.text}" for turn in turns)


def _reading(rng: Random) -> Messages:
    """What some people said with what it shows, or a transcript of small talk, in the wording of the tasks."""
    if rng.random() < TRANSCRIPT_CHANCE:
        return _messages("Here is a talk that I heard.", transcript(converse(rng, rng.choice((2, 4)))))
    seen = []
    for _ in range(READ_AT_ONCE):
        user = converse(rng, 1)[0]
        seen.append(f"{reading(user.text)}\n{FEELS} {user.state.emotion}.\n{ABOUT} {user.state.topics[0]}.")
    return _messages("What do you see in this?", "\n\n".join(seen))


_TEXT = sections(BASE_FILE)
