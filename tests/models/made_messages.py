"""Small made-up dialogues as chat messages, and the Parquet that stages read them from."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

TOPICS = ("my dog", "the old boat", "a new job", "our garden", "the long trip")
FEELINGS = ("happy", "lonely", "proud", "worried")


def dialogue_messages(seed: int, exchanges: int = 2) -> list[dict[str, str]]:
    """A small made-up dialogue whose replies carry tags."""
    draw = random.Random(seed)
    messages = []
    for _ in range(exchanges):
        topic, feeling = draw.choice(TOPICS), draw.choice(FEELINGS)
        messages.append({"role": "user", "content": f"I feel {feeling} about {topic} today."})
        tags = (
            f"{{u_motivation: sharing, u_emotion: {feeling}, u_topic: [{topic}]}} "
            f"{{a_motivation: showing interest, a_emotion: curious, a_topic: [{topic}]}}"
        )
        messages.append({"role": "assistant", "content": f"{tags} Tell me more about {topic}, will you?"})
    return messages


def write_messages(
    folder: Path, dialogues: Sequence[Sequence[Mapping[str, str]]], name: str = "messages-00000.parquet"
) -> Path:
    """Write dialogues as one Parquet file with a column `messages`; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    pq.write_table(pa.table({"messages": pa.array([list(one) for one in dialogues], kind)}), folder / name)
    return folder
