"""Write the body of a `/chat/completions` request.

request_body(address, Wanted(conversation, Sampling(), n=1), Level.JSON_SCHEMA)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from sage_data.chat.openai.address import Address
from sage_data.chat.protocol import Conversation, Sampling
from sage_data.errors import BackendError

_SEED_BITS = 31
"""Servers differ in what they take; all take this many."""


class Level(IntEnum):
    """How a server can hold a reply to JSON: to a schema, to any JSON object, or not at all."""

    PLAIN = 0
    JSON_OBJECT = 1
    JSON_SCHEMA = 2


_LEVELS = {"none": Level.PLAIN, "json_object": Level.JSON_OBJECT, "json_schema": Level.JSON_SCHEMA}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Candidates `first` to `first + n - 1` of one conversation."""

    conversation: Conversation
    sampling: Sampling
    n: int
    first: int = 0


def level_asked(address: Address) -> Level:
    """The level to start with at each server."""
    return _LEVELS[address.options.guided]


def check_sampling(sampling: Sampling, n: int) -> None:
    """Refuse what no server of this kind can do, before anything is sent.

    Raises:
        BackendError: `sampling` asks for steering, its schema is not JSON, or `n` is less than 1.
    """
    if sampling.steering:
        raise BackendError("an openai: backend cannot be steered: it shows no logits", next_step="use an hf: backend")
    if n < 1:
        raise BackendError(f"expected at least one candidate, found n={n}")
    if sampling.json_schema is not None and not isinstance(_schema(sampling.json_schema), dict):
        raise BackendError("sampling.json_schema: expected a JSON Schema as JSON text, found other text")


def unsendable(conversation: Conversation) -> str | None:
    """Why a conversation cannot be written as JSON in UTF-8, or None."""
    for position, message in enumerate(conversation.messages):
        try:
            message.content.encode()
        except UnicodeEncodeError as error:
            return f"message {position} was not sent: its character {error.start} is half of a surrogate pair"
    return None


def request_seed(seed: int, candidate: int) -> int:
    """The seed that a server gets for one candidate: depends on both numbers and on nothing else."""
    digest = hashlib.sha256(f"{seed}/{candidate}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - _SEED_BITS)


def request_body(address: Address, wanted: Wanted, level: Level) -> dict[str, Any]:
    """Arguments for `chat.completions.create`; what vLLM calls by its own name goes into `extra_body`."""
    sampling, options = wanted.sampling, address.options
    messages = [{"role": one.role, "content": one.content} for one in wanted.conversation.messages]
    body: dict[str, Any] = {
        "model": address.model,
        "messages": messages,
        "temperature": sampling.temperature,
        options.max_tokens_name: sampling.max_tokens,
        "seed": request_seed(wanted.conversation.seed, wanted.first),
        "stop": list(sampling.stop) or None,
        "n": wanted.n if wanted.n > 1 else None,
        "top_p": options.top_p,
        "reasoning_effort": options.reasoning_effort,
        "response_format": _response_format(sampling, level),
        "extra_body": _extra(sampling, address) or None,
    }
    unwanted = (options.omit or "").split(",")
    return {name: value for name, value in body.items() if value is not None and name not in unwanted}


def _response_format(sampling: Sampling, level: Level) -> Mapping[str, Any] | None:
    if sampling.json_schema is None or level is Level.PLAIN:
        return None
    if level is Level.JSON_OBJECT:
        return {"type": "json_object"}
    named = {"name": "reply", "schema": _schema(sampling.json_schema), "strict": True}
    return {"type": "json_schema", "json_schema": named}


def _extra(sampling: Sampling, address: Address) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    unwanted = (address.options.omit or "").split(",")
    if sampling.top_k and "top_k" not in unwanted:
        extra["top_k"] = sampling.top_k
    if sampling.repetition_penalty != 1.0 and "repetition_penalty" not in unwanted:
        extra["repetition_penalty"] = sampling.repetition_penalty
    if address.options.thinking is not None:
        extra["chat_template_kwargs"] = {"enable_thinking": address.options.thinking}
    return extra


def _schema(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None
