"""Dialogues to annotate, and a model that annotates them well, badly, out of order, or until it is killed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from sage_data.chat import Completion, CompletionStatus, Conversation, Sampling
from sage_data.dialogue import Dialogue, Role, Utterance
from sage_data.store.dialogues import to_table
from sage_data.store.shards import shard_name, write_table

TURNS = (
    "my cat Milo had 4 kittens last night",
    "thats wonderful news for you",
    "yeah but i dont know where to keep them",
    "Do you have a spare room?",
    "only a small one, it is full of books",
)


def dialogue(name: str, *texts: str) -> Dialogue:
    roles: tuple[Role, Role] = ("user", "assistant")
    listed = texts or (f"{TURNS[0]} ({name})", *TURNS[1:])
    return Dialogue(name, tuple(Utterance(roles[index % 2], text) for index, text in enumerate(listed)))


def write_dialogues(folder: Path, *shards: Sequence[Dialogue]) -> Path:
    for index, dialogues in enumerate(shards):
        write_table(folder / shard_name("dialogues", index), to_table(dialogues))
    return folder


def asked(conversation: Conversation) -> list[dict[str, Any]]:
    """The utterances that a conversation is about, as the model gets them."""
    found: list[dict[str, Any]] = json.loads(conversation.messages[3].content)["utterances"]
    return found


def is_repair(conversation: Conversation) -> bool:
    return len(conversation.messages) > 4


def entries(utterances: Sequence[dict[str, Any]], *, bridges: bool = True) -> list[dict[str, Any]]:
    """A usable annotation of utterances: first letters in capitals, one question added."""
    made = []
    for one in utterances:
        text = one["text"]
        barred = one["role"] == "user" or text.endswith("?") or one["index"] == len(utterances) - 1 or not bridges
        made.append(
            {
                "index": one["index"],
                "role": one["role"],
                "motivation": "sharing" if one["role"] == "user" else "empathy",
                "emotion": "happy" if one["index"] < 2 else None,
                "topics": ["cat"],
                "text": text[:1].upper() + text[1:],
                "bridge": None if barred else "How do you feel about it?",
            }
        )
    return made


def good(conversation: Conversation) -> str:
    return json.dumps({"utterances": entries(asked(conversation))})


class Model:
    """Streams answers in a shuffled order, `window` open at a time; dies after `lives` answers."""

    journaled = True

    def __init__(
        self,
        reply: Callable[[Conversation], str | Completion] = good,
        *,
        window: int = 4,
        order: int = 0,
        lives: int | None = None,
    ) -> None:
        self.reply, self.window, self.lives = reply, window, lives
        self.calls: list[Conversation] = []
        self._rng = random.Random(order)

    @property
    def identity(self) -> str:
        return "model@1"

    def generate(self, conversations: Sequence[Conversation], sampling: Sampling, n: int = 1) -> list[list[Completion]]:
        return [[self._answer(one)] for one in conversations]

    def stream(
        self, conversations: Iterable[Conversation], sampling: Sampling, n: int = 1
    ) -> Iterator[tuple[int, list[Completion]]]:
        coming = enumerate(conversations)
        window: list[tuple[int, Conversation]] = []
        while window or (window := list(islice(coming, self.window))):
            position, conversation = window.pop(self._rng.randrange(len(window)))
            yield position, [self._answer(conversation)]
            window += islice(coming, self.window - len(window))

    def _answer(self, conversation: Conversation) -> Completion:
        if self.lives is not None and len(self.calls) >= self.lives:
            raise KeyboardInterrupt
        self.calls.append(conversation)
        # As on the way to a server: what UTF-8 cannot hold cannot be sent.
        "".join(message.content for message in conversation.messages).encode()
        reply = self.reply(conversation)
        if isinstance(reply, Completion):
            return reply
        sent = sum(len(message.content) for message in conversation.messages) // 4
        return Completion(reply, CompletionStatus.OK, self.identity, sent, len(reply) // 4, "stop")


def failed(status: CompletionStatus, text: str = "") -> Completion:
    return Completion(text, status, "model@1", 100, 1, None, None, "as told")
