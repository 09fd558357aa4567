"""The `messages` dialect of OpenAI, TRL and most chat datasets: lists of `role` and `content`.

A record holds them under `messages`, `conversation` or `conversations`, or as TRL's `prompt` and `completion`, or is
itself the list. `content` is a text, or a list of text parts. Files are JSON lines, a JSON array, or Parquet.

    sage data load chat.jsonl --out loaded/ --license apache-2.0
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sage_data.corpora.records import Found, Item, Reason, Rejected
from sage_data.corpora.speaking import System, key_of, model_of, shown, spoken

LISTS = ("messages", "conversation", "conversations")


def from_row(row: Any, line: int, system: System = "drop") -> Item:
    """The dialogue of one record."""
    messages = row if isinstance(row, list) else _messages(row)
    if messages is None or not all(isinstance(one, Mapping) for one in messages):
        return Rejected(line, Reason.NOT_A_RECORD, shown(row), "expected a list of messages with role and content")
    item = spoken(map(_turn, messages), line, shown(row), system)
    if isinstance(item, Found) and isinstance(row, Mapping):
        return replace(item, key=key_of(row), model=model_of(row))
    return item


def _turn(message: Mapping[str, Any]) -> tuple[Any, Any]:
    """(role, text) of a message; one that calls a tool counts as the tool's."""
    calls = message.get("tool_calls") or message.get("function_call")
    return "tool_call" if calls else message.get("role"), text_of(message.get("content"))


def _messages(row: Any) -> list[Any] | None:
    if not isinstance(row, Mapping):
        return None
    for name in LISTS:
        if isinstance(row.get(name), list):
            return list(row[name])
    prompt, completion = row.get("prompt"), row.get("completion")
    return [*prompt, *completion] if isinstance(prompt, list) and isinstance(completion, list) else None


def text_of(content: Any) -> Any:
    """The text of a message's content; text parts are joined by line breaks, anything else stays as it is."""
    if not isinstance(content, list):
        return content
    parts = [_part(one) for one in content]
    return None if None in parts else "\n".join(part for part in parts if part is not None)


def _part(part: Any) -> str | None:
    if isinstance(part, Mapping) and part.get("type") in ("text", "input_text", "output_text"):
        part = part.get("text")
    return part if isinstance(part, str) else None
