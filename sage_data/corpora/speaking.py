"""Chat messages of any dialect -> utterances: who spoke, and what is text.

System prompts (also `developer`) have no place in a dialogue of two: they are left out and counted, or, when that is
asked for, the dialogue is rejected. Messages of tools and functions, and replies that only call one, reject it: what
is left would not be what was said.

    spoken([("human", "Hi"), ("gpt", "Hello!")], line=1, shown="...")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from sage_data.corpora.records import Drop, Found, Item, Items, Reason, Rejected, head
from sage_data.dialogue import Role, Utterance

System = Literal["drop", "reject"]
ROLES: dict[str, Role] = {
    "user": "user", "human": "user", "prompter": "user",
    "assistant": "assistant", "gpt": "assistant", "chatgpt": "assistant", "bard": "assistant", "bing": "assistant",
    "model": "assistant", "bot": "assistant", "ai": "assistant",
}  # fmt: skip
SYSTEM = frozenset({"system", "developer"})
TOOLS = frozenset({"tool", "function", "function_call", "function_response", "observation", "ipython", "tool_call"})
KEYS = ("id", "conversation_id", "conv_id", "prompt_id", "uuid")
"""Where a record may have its id, first found first."""


FromRow = Callable[[Any, int, System], Item]
"""(record, its line, what to do with system prompts) -> its dialogue, or why there is none."""


def dialogues_of(rows: Iterable[tuple[int, Any]], from_row: FromRow, system: System = "drop") -> Items:
    """The dialogues of numbered records; those that could not be read stay rejected."""
    for number, row in rows:
        yield row if isinstance(row, Rejected) else from_row(row, number, system)


def spoken(turns: Iterable[tuple[Any, Any]], line: int, shown: str, system: System = "drop") -> Item:
    """One dialogue from (role, text) pairs; `shown` is what a rejection shows of it."""
    utterances: list[Utterance] = []
    prompts = 0
    for name, text in turns:
        role = ROLES.get(_folded(name))
        reason = _reason(name, role, text, system)
        if reason is not None:
            return Rejected(line, reason, shown, f"message {len(utterances) + prompts + 1}: role {name!r:.60}")
        if role is None:
            prompts += 1
        else:
            utterances.append(Utterance(role, text))
    if not utterances:
        return Rejected(line, Reason.NO_MESSAGES, shown, "expected at least one message, found none")
    return Found(tuple(utterances), line, dropped={Drop.SYSTEM_PROMPT: prompts} if prompts else {})


def _folded(name: Any) -> str:
    return name.strip().lower() if isinstance(name, str) else ""


def _reason(name: Any, role: Role | None, text: Any, system: System) -> Reason | None:
    """Why a message cannot be part of a dialogue; None when it can, or is a system prompt to be left out."""
    folded = _folded(name)
    if folded in SYSTEM:
        return Reason.SYSTEM_PROMPT if system == "reject" else None
    if folded in TOOLS:
        return Reason.TOOL_MESSAGE
    if role is None:
        return Reason.UNKNOWN_ROLE
    if not isinstance(text, str):
        return Reason.NOT_TEXT
    return None if text.strip() else Reason.EMPTY_MESSAGE


def key_of(row: Mapping[str, Any]) -> str | None:
    """The id of a record, where it has one."""
    found = next((row[key] for key in KEYS if row.get(key) not in (None, "")), None)
    return str(found) if isinstance(found, str | int) else None


def model_of(row: Mapping[str, Any]) -> str | None:
    """The model that spoke, where the record names one."""
    model = row.get("model")
    return model if isinstance(model, str) and model else None


def shown(value: Any) -> str:
    """How a record that is no text begins."""
    return head(repr(value))
