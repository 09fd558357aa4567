"""Tags of tables whose states stand inside the text, as State-Action Chains, or in columns of their own.

for role, slots, state in chain_states(batch): ...
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from sage_data.dialogue import State
from sage_data.errors import InputError
from sage_data.sac import SLOTS, parse

STRUCTURED = {"messages": ("role", "content", "assistant"), "conversations": ("from", "value", "gpt")}
"""Column of messages -> its fields for speaker and words, and what it calls the assistant."""
COMPLETION = "completion"
PREFIXES = (("user", "u"), ("assistant", "a"))

Found = tuple[str, tuple[str, ...], State | None]
"""(role, slots that its tag names, the state); None: that reply has no such tag."""


def chain_states(batch: pa.RecordBatch) -> Iterator[Found]:
    """The user's state and the assistant's action of every reply; a reply that is no chain has neither."""
    for reply in _replies(batch).to_pylist():
        try:
            chain = parse(reply)
        except InputError:
            yield from (("user", SLOTS, None), ("assistant", SLOTS, None))
        else:
            yield from (("user", chain.slots, chain.state), ("assistant", chain.slots, chain.action))
    if "u_topics" in batch.schema.names:
        yield from _from_columns(batch)


def _replies(batch: pa.RecordBatch) -> pa.Array:
    for column, (speaker, words, assistant) in STRUCTURED.items():
        if column in batch.schema.names:
            said = pc.list_flatten(batch[column])
            return pc.filter(pc.struct_field(said, words), pc.equal(pc.struct_field(said, speaker), assistant))
    if COMPLETION in batch.schema.names:
        return pc.struct_field(pc.list_flatten(batch[COMPLETION]), "content")
    return pa.array([], pa.string())


def _from_columns(batch: pa.RecordBatch) -> Iterator[Found]:
    for role, prefix in PREFIXES:
        columns = [batch[f"{prefix}_{slot}"].to_pylist() for slot in ("motivation", "emotion", "topics")]
        for motivation, emotion, topics in zip(*columns, strict=True):
            yield role, SLOTS, None if topics is None else State(motivation, emotion, tuple(topics))
