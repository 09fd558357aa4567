"""Annotated dialogues -> chat messages whose replies are State-Action Chains (paper section 3.2, Figure 2).

The user's state moves to the start of the reply: `{user's state} {assistant's action} utterance`. User messages stay
plain text. A reply's state tag is what its speaker `perceived`, where a model in self-play said so, else the annotated
state of the user's last utterance; its action tag is the reply's own state.

What has no place in a chain has a defined result, and is counted:

- Utterances of one role in a row become one message, joined by a line break; a user's state is that of the last
  annotated one, an assistant's action that of the first, because it is chosen before anything is said.
- A dialogue starts with the user and ends with a reply: assistant utterances before the first user utterance
  (`leading_assistant`) and user utterances after the last reply (`trailing_user`) are dropped.
- A dialogue in which no user utterance is followed by a reply is dropped (`no_exchange`).
- A reply that lacks a state or action which the variant needs: see `Config.missing`.

`messages-*.parquet` is read by `datasets.load_dataset("parquet", ...)` and by TRL as it is.

    sage data sac annotated/ --out chains/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from textwrap import fill
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field

from sage_data.dialogue import Dialogue, Role, State, Utterance
from sage_data.sac import Chain, render
from sage_data.stage import Context, Counts, Inputs, Need, Output, StageConfig
from sage_data.store.dialogues import from_table, to_table
from sage_data.store.shards import read_shards

VERSION = 1
INPUTS = (Need("dialogues", "annotated dialogues, or trajectories from self-play"),)

MESSAGE_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
        ("variant", pa.string()),
        ("exchanges", pa.int64()),
        ("corpus", pa.string()),
        ("thread", pa.string()),
        ("place", pa.string()),
        ("created_utc", pa.int64()),
        ("scenario_id", pa.string()),
        ("model", pa.string()),
    ]
)
JOINT = "\n"
EXAMPLE_CHARACTERS, EXAMPLE_WIDTH = 400, 100


class Variant(StrEnum):
    """Which tags stand in front of a reply."""

    FULL = "full"
    """State and action, as in the paper."""
    NONE = "none"
    """No tags: the paper's ablation SAGE_1(-SAC)."""
    STATE = "state"
    """The user's state alone."""
    ACTION = "action"
    """The assistant's action alone."""


class Config(StageConfig):
    """How to write chains."""

    variant: Variant = Field(default=Variant.FULL, description="Which tags stand in front of a reply.")
    missing: Literal["reject", "omit", "null"] = Field(
        default="reject",
        description="When a reply lacks a state or action that the variant needs: reject the whole dialogue, leave "
        "that tag out, or write it with null slots.",
    )


class DropReason(StrEnum):
    """Why a dialogue or an utterance has no place in the messages."""

    NO_EXCHANGE = "no_exchange"
    UNANNOTATED = "unannotated"
    LEADING_ASSISTANT = "leading_assistant"
    TRAILING_USER = "trailing_user"
    IN_DROPPED_DIALOGUE = "in_dropped_dialogue"


@dataclass(frozen=True, slots=True)
class Move:
    """What one role says before the other speaks: one utterance, or several in a row."""

    role: Role
    text: str
    state: State | None
    perceived: State | None


@dataclass(frozen=True, slots=True)
class Chained:
    """What became of one dialogue."""

    messages: tuple[dict[str, str], ...]
    """`role` and `content` of each message, user first; empty when the dialogue was dropped."""
    reason: DropReason | None
    """Why it was dropped; None when it was kept."""
    leading: int
    """Assistant utterances dropped before the first user utterance."""
    trailing: int
    """User utterances dropped after the last reply."""


def chain_dialogue(dialogue: Dialogue, config: Config) -> Chained:
    """Write one dialogue as messages."""
    roles = [utterance.role for utterance in dialogue.utterances]
    first = roles.index("user") if "user" in roles else len(roles)
    last = len(roles) - roles[::-1].index("assistant") if "assistant" in roles[first:] else first
    if last == first:
        return Chained((), DropReason.NO_EXCHANGE, first, len(roles) - first)
    moves = merge_moves(dialogue.utterances[first:last])
    messages: list[dict[str, str]] = []
    for user, reply in zip(moves[::2], moves[1::2], strict=True):
        content = _reply(user, reply, config)
        if content is None:
            return Chained((), DropReason.UNANNOTATED, first, len(roles) - last)
        messages += [{"role": "user", "content": user.text}, {"role": "assistant", "content": content}]
    return Chained(tuple(messages), None, first, len(roles) - last)


def merge_moves(utterances: Iterable[Utterance]) -> list[Move]:
    """Join utterances of one role in a row, so that the roles alternate."""
    moves = []
    for role, group in groupby(utterances, key=lambda utterance: utterance.role):
        said = tuple(group)
        states = [one.state for one in said if one.state is not None]
        perceived = [one.perceived for one in said if one.perceived is not None]
        own = states[-1 if role == "user" else 0] if states else None
        moves.append(Move(role, JOINT.join(one.text for one in said), own, perceived[0] if perceived else None))
    return moves


def _reply(user: Move, reply: Move, config: Config) -> str | None:
    """The reply's content; None when a tag it needs is missing and that is not allowed."""
    state = reply.perceived if reply.perceived is not None else user.state
    wanted = (
        (config.variant in (Variant.FULL, Variant.STATE), state),
        (config.variant in (Variant.FULL, Variant.ACTION), reply.state),
    )
    if config.missing == "reject" and any(needed and tag is None for needed, tag in wanted):
        return None
    empty = State() if config.missing == "null" else None
    tags = [(tag if tag is not None else empty) if needed else None for needed, tag in wanted]
    return render(Chain(tags[0], tags[1], reply.text))


# --- the stage ----------------------------------------------------------------------------------------------------


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write one shard of messages for each shard of dialogues, and a summary with one example."""
    example = ""
    with context.progress("chains", None, "dialogues") as bar:
        for index, table in enumerate(read_shards(inputs.one("dialogues").path, "dialogues")):
            dialogues = from_table(table)
            results = [chain_dialogue(dialogue, config) for dialogue in dialogues]
            if not out.has_shard("messages", index):
                _write(out, index, dialogues, results, config.variant)
            kept = (result.messages for result in results if result.messages)
            example = example or _example(next(kept, ()))
            bar.advance(table.num_rows)
    out.write_text("summary.txt", _summary(out.counts(), config.variant) + example)


def _write(
    out: Output, index: int, dialogues: Sequence[Dialogue], results: Sequence[Chained], variant: Variant
) -> None:
    pairs = list(zip(dialogues, results, strict=True))
    kept = [_row(dialogue, result, variant) for dialogue, result in pairs if result.reason is None]
    dropped = [(dialogue, result.reason) for dialogue, result in pairs if result.reason is not None]
    rejected = to_table(dialogue for dialogue, _ in dropped).append_column(
        "reason", pa.array([reason.value for _, reason in dropped], pa.string())
    )
    counts = [_dialogue_counts(results), _utterance_counts(pairs)]
    out.write_shard(
        "messages", index, pa.Table.from_pylist(kept, schema=MESSAGE_SCHEMA), counts=counts, rejected=rejected
    )


def _row(dialogue: Dialogue, result: Chained, variant: Variant) -> dict[str, Any]:
    source = dialogue.source
    return {
        "id": dialogue.id,
        "messages": list(result.messages),
        "variant": variant.value,
        "exchanges": len(result.messages) // 2,
        "corpus": source.corpus,
        "thread": source.thread,
        "place": source.place,
        "created_utc": source.created_utc,
        "scenario_id": dialogue.scenario_id,
        "model": dialogue.model,
    }


def _dialogue_counts(results: Sequence[Chained]) -> Counts:
    unannotated = sum(result.reason is DropReason.UNANNOTATED for result in results)
    silent = sum(result.reason is DropReason.NO_EXCHANGE for result in results)
    return Counts(
        unit="dialogues",
        came_in=len(results),
        kept=len(results) - unannotated - silent,
        dropped=_nonzero({DropReason.NO_EXCHANGE: silent, DropReason.UNANNOTATED: unannotated}),
        quarantined=0,
    )


def _utterance_counts(pairs: Sequence[tuple[Dialogue, Chained]]) -> Counts:
    came_in = sum(len(dialogue.utterances) for dialogue, _ in pairs)
    lost = {
        DropReason.LEADING_ASSISTANT: sum(result.leading for _, result in pairs if result.reason is None),
        DropReason.TRAILING_USER: sum(result.trailing for _, result in pairs if result.reason is None),
        DropReason.IN_DROPPED_DIALOGUE: sum(len(one.utterances) for one, result in pairs if result.reason is not None),
    }
    kept = came_in - sum(lost.values())
    return Counts(unit="utterances", came_in=came_in, kept=kept, dropped=_nonzero(lost), quarantined=0)


def _nonzero(counts: dict[DropReason, int]) -> dict[str, int]:
    return {reason.value: count for reason, count in counts.items() if count}


def _summary(counts: Sequence[Counts], variant: Variant) -> str:
    lines = [f"variant: {variant.value}"]
    for one in counts:
        dropped = ", ".join(f"{reason} {count:,}" for reason, count in one.dropped.items()) or "none"
        lines.append(f"{one.unit}: {one.came_in:,} in, {one.kept:,} kept; dropped: {dropped}")
    return "\n".join(lines) + "\n"


def _example(messages: Sequence[dict[str, str]]) -> str:
    """The first exchange, cut short and wrapped."""
    said = (f"{one['role']}: {one['content'][:EXAMPLE_CHARACTERS]}" for one in messages[:2])
    return "".join(fill(one, EXAMPLE_WIDTH, subsequent_indent="  ") + "\n" for one in said)
