"""The tables that chains are written as, each with one declared schema.

All of them carry `variant` (see `Config.label`) and where the dialogue came from. Rows of one dialogue stand together,
in order; `id` names the dialogue, `exchange` counts from 0.

    pa.Table.from_pylist(list(rows(Export.COMPLETIONS, dialogue, chained, "full")), schema=SCHEMAS[Export.COMPLETIONS])
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from sage_data.chains.chaining import Chained
from sage_data.chains.settings import Export
from sage_data.dialogue import Dialogue, State

_MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
_SHAREGPT = pa.list_(pa.struct([("from", pa.string()), ("value", pa.string())]))
_PROVENANCE = [
    pa.field("corpus", pa.string()),
    pa.field("thread", pa.string()),
    pa.field("place", pa.string()),
    pa.field("created_utc", pa.int64()),
    pa.field("split", pa.string()),
    pa.field("scenario_id", pa.string()),
    pa.field("model", pa.string()),
]
_WHOLE = [pa.field("variant", pa.string()), pa.field("exchanges", pa.int64()), *_PROVENANCE]
_ONE = [pa.field("variant", pa.string()), *_PROVENANCE]
_KEY = [pa.field("id", pa.string()), pa.field("exchange", pa.int64())]


def _tag_columns(prefix: str) -> list[pa.Field]:
    """`topics` is null where there is no tag; a tag that names none, or leaves the slot out, has an empty list."""
    return [
        pa.field(f"{prefix}_motivation", pa.string()),
        pa.field(f"{prefix}_emotion", pa.string()),
        pa.field(f"{prefix}_topics", pa.list_(pa.string())),
    ]


MESSAGE_SCHEMA = pa.schema([pa.field("id", pa.string()), pa.field("messages", _MESSAGES), *_WHOLE])
CONVERSATION_SCHEMA = pa.schema([pa.field("id", pa.string()), pa.field("conversations", _SHAREGPT), *_WHOLE])
COMPLETION_SCHEMA = pa.schema([*_KEY, pa.field("prompt", _MESSAGES), pa.field("completion", _MESSAGES), *_ONE])
TURN_SCHEMA = pa.schema(
    [
        *_KEY,
        pa.field("user_text", pa.string()),
        pa.field("reply_text", pa.string()),
        *_tag_columns("u"),
        *_tag_columns("a"),
        *_ONE,
    ]
)
SCHEMAS: dict[Export, pa.Schema] = {
    Export.MESSAGES: MESSAGE_SCHEMA,
    Export.COMPLETIONS: COMPLETION_SCHEMA,
    Export.CONVERSATIONS: CONVERSATION_SCHEMA,
    Export.TURNS: TURN_SCHEMA,
}
SHAREGPT_NAMES = {"user": "human", "assistant": "gpt"}
"""Role -> what ShareGPT calls it."""


def rows(export: Export, dialogue: Dialogue, chained: Chained, label: str) -> Iterator[dict[str, Any]]:
    """The rows of one kept dialogue in one table; `label` is `Config.label`."""
    source = dialogue.source
    shared = {
        "id": dialogue.id,
        "variant": label,
        "corpus": source.corpus,
        "thread": source.thread,
        "place": source.place,
        "created_utc": source.created_utc,
        "split": source.split,
        "scenario_id": dialogue.scenario_id,
        "model": dialogue.model,
    }
    for own in _OWN[export](chained):
        yield {**shared, **own}


def _message_row(chained: Chained) -> Iterator[dict[str, Any]]:
    yield {"messages": list(chained.messages), "exchanges": len(chained.exchanges)}


def _conversation_row(chained: Chained) -> Iterator[dict[str, Any]]:
    said = [{"from": SHAREGPT_NAMES[one["role"]], "value": one["content"]} for one in chained.messages]
    yield {"conversations": said, "exchanges": len(chained.exchanges)}


def _pair_rows(chained: Chained) -> Iterator[dict[str, Any]]:
    messages = list(chained.messages)
    for exchange in range(len(chained.exchanges)):
        reply = 2 * exchange + 1
        yield {"exchange": exchange, "prompt": messages[:reply], "completion": messages[reply : reply + 1]}


def _turn_rows(chained: Chained) -> Iterator[dict[str, Any]]:
    for place, one in enumerate(chained.exchanges):
        tags = {**_tag_values("u", one.chain.state), **_tag_values("a", one.chain.action)}
        yield {"exchange": place, "user_text": one.user, "reply_text": one.chain.text, **tags}


def _tag_values(prefix: str, state: State | None) -> dict[str, Any]:
    if state is None:
        return {}
    return {
        f"{prefix}_motivation": state.motivation,
        f"{prefix}_emotion": state.emotion,
        f"{prefix}_topics": list(state.topics),
    }


_OWN: dict[Export, Callable[[Chained], Iterator[dict[str, Any]]]] = {
    Export.MESSAGES: _message_row,
    Export.COMPLETIONS: _pair_rows,
    Export.CONVERSATIONS: _conversation_row,
    Export.TURNS: _turn_rows,
}
