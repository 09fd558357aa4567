r"""What a model is asked for one dialogue: messages, the schema of the reply, and the second try after a bad reply.

The dialogue goes in as JSON, so its text stays inside its quotes whatever it holds; what a chat template could take for
one of its own marks (`<|im_end|>`, `[INST]`) is written with JSON's `\u` escapes, which say the same to a reader.

    Request(prompt).first(dialogue.utterances, seed)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sage_data.annotation.llm.prompt import Mode, Prompt
from sage_data.chat import Conversation, Message
from sage_data.chat.quoting import inert, writable
from sage_data.dialogue import Utterance

MOST_SHOWN = 20_000
"""Characters of a bad reply that are shown to the model again."""


@dataclass(frozen=True, slots=True)
class Request:
    """Writes the conversations about a dialogue."""

    prompt: Prompt

    def first(self, utterances: Sequence[Utterance], seed: int) -> Conversation:
        """Ask for the annotation of one dialogue."""
        return Conversation(self.messages(utterances), seed)

    def again(self, utterances: Sequence[Utterance], seed: int, reply: str, problem: str) -> Conversation:
        """Show a reply that cannot be used, say why, and ask for another."""
        shown = writable(reply if len(reply) <= MOST_SHOWN else reply[:MOST_SHOWN] + "...")
        quoted = inert(json.dumps(writable(problem), ensure_ascii=False))
        told = f"{self.prompt.repair_told} {quoted}\n{self.prompt.repair_asked}"
        tried = (Message("assistant", inert(shown)), Message("user", told))
        return Conversation((*self.messages(utterances), *tried), seed)

    def messages(self, utterances: Sequence[Utterance]) -> tuple[Message, ...]:
        """The instructions, the in-context example and the dialogue."""
        return (
            Message("system", self.prompt.system),
            Message("user", as_json(self.prompt.example)),
            Message("assistant", self.prompt.example_reply),
            Message("user", as_json(utterances)),
        )


def as_json(utterances: Sequence[Utterance]) -> str:
    """A dialogue as the model gets it."""
    listed = [{"index": index, "role": one.role, "text": one.text} for index, one in enumerate(utterances)]
    return inert(json.dumps({"utterances": listed}, ensure_ascii=False))


def reply_schema(mode: Mode) -> str:
    """The JSON Schema of a reply, as JSON text, in the subset that guided decoding engines share.

    It is one for all dialogues, as one `Sampling` goes with all conversations of a stream; so the number of utterances
    is left to the check of the reply.
    """
    tag: dict[str, Any] = {"type": ["string", "null"]}
    known: dict[str, dict[str, Any]] = {
        "index": {"type": "integer"},
        "role": {"type": "string", "enum": ["user", "assistant"]},
        "motivation": tag,
        "emotion": tag,
        "topics": {"type": "array", "items": {"type": "string"}, "maxItems": mode.most_topics},
        "text": {"type": "string"},
        "bridge": tag,
    }
    entry = _object({field: known[field] for field in mode.fields})
    return json.dumps(_object({"utterances": {"type": "array", "items": entry}}))


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
