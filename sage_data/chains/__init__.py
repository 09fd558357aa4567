"""Annotated dialogues -> chat messages whose replies are State-Action Chains (paper section 3.2, Figure 2).

The user's state moves to the start of the reply: `{user's state} {assistant's action} utterance`. User messages stay
plain text. A reply's state tag is what its speaker `perceived`, where a model in self-play said so, else the annotated
state of the user's last utterance; its action tag is the reply's own state. Variants leave tags out, all (`--no-sac`,
the paper's ablation; replies are then written exactly as they were said) or one, and chosen slots leave out others.

What has no place in a chain has a defined result, and is counted:

- Utterances of one role in a row become one message, joined by a line break; a user's state is that of the last
  annotated one, an assistant's action that of the first, because it is chosen before anything is said.
- A dialogue starts with the user and ends with a reply: assistant utterances before the first user utterance
  (`leading_assistant`; the paper's "system-first" dialogues) and user utterances after the last reply
  (`trailing_user`) are dropped.
- A dialogue in which no user utterance is followed by a reply is dropped (`no_exchange`).
- A reply that lacks a state or action which the variant needs: see `Config.missing`. A state that is there but says
  nothing about a slot is not missing: the slot is null.
- Text is never changed, nor judged: an empty one stays empty. An utterance without text, or of a third role, is an
  error.

Every table (see `Export`) is read by `datasets.load_dataset("parquet", ...)` as it is, and back into dialogues by
`sage_data.chains.reading`; `messages` and `completions` are what TRL takes.

    sage data sac annotated/ --out chains/
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

import pyarrow as pa

from sage_data.chains.chaining import Chained, DropReason, Exchange, Move, chain_dialogue, merge_moves
from sage_data.chains.exports import MESSAGE_SCHEMA, SCHEMAS, rows
from sage_data.chains.reading import read_back, read_conversation, read_messages
from sage_data.chains.settings import Config, Export, Variant
from sage_data.dialogue import Dialogue
from sage_data.stage import Context, Counts, Inputs, Need, Output
from sage_data.store.dialogues import from_table, to_table
from sage_data.store.shards import read_shards

__all__ = [
    "MESSAGE_SCHEMA",
    "SCHEMAS",
    "Chained",
    "Config",
    "DropReason",
    "Exchange",
    "Export",
    "Move",
    "Variant",
    "chain_dialogue",
    "merge_moves",
    "read_back",
    "read_conversation",
    "read_messages",
    "rows",
]

VERSION = 2
INPUTS = (Need("dialogues", "annotated dialogues, or trajectories from self-play"),)
EXAMPLE_CHARACTERS, EXAMPLE_WIDTH = 400, 100


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write one shard of each table for each shard of dialogues, and a summary with one example."""
    example = ""
    with context.progress("chains", None, "dialogues") as bar:
        for index, table in enumerate(read_shards(inputs.one("dialogues").path, "dialogues")):
            dialogues = from_table(table)
            pairs = [(dialogue, chain_dialogue(dialogue, config)) for dialogue in dialogues]
            for export in config.exports:
                if not out.has_shard(export.value, index):
                    _write(out, export, index, pairs, config)
            example = example or next((_example(done) for _, done in pairs if done.exchanges), "")
            bar.advance(table.num_rows)
    counts = out.counts()
    if all(one.came_in and not one.kept for one in counts):
        out.warn("nothing was kept: if the dialogues have no states yet, annotate them first (sage data annotate)")
    out.write_text("summary.txt", _summary(counts, config) + example)


def _write(out: Output, export: Export, index: int, pairs: Sequence[tuple[Dialogue, Chained]], config: Config) -> None:
    """Write one shard; what was dropped and counted goes with the first table alone."""
    kept = (row for dialogue, done in pairs if done.exchanges for row in rows(export, dialogue, done, config.label))
    table = pa.Table.from_pylist(list(kept), schema=SCHEMAS[export])
    if export is not config.exports[0]:
        out.write_shard(export.value, index, table)
        return
    counts = [_dialogue_counts([done for _, done in pairs]), _utterance_counts(pairs)]
    out.write_shard(export.value, index, table, counts=counts, rejected=_rejected(pairs))


def _rejected(pairs: Sequence[tuple[Dialogue, Chained]]) -> pa.Table:
    dropped = [(dialogue, done.reason.value) for dialogue, done in pairs if done.reason is not None]
    reasons = pa.array([reason for _, reason in dropped], pa.string())
    return to_table(dialogue for dialogue, _ in dropped).append_column("reason", reasons)


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


def _summary(counts: Sequence[Counts], config: Config) -> str:
    lines = [f"variant: {config.label}"]
    for one in counts:
        dropped = ", ".join(f"{reason} {count:,}" for reason, count in one.dropped.items()) or "none"
        lines.append(f"{one.unit}: {one.came_in:,} in, {one.kept:,} kept; dropped: {dropped}")
    if config.exports != (Export.MESSAGES,):
        lines.append(f"tables: {', '.join(config.exports)}")
    return "\n".join(lines) + "\n"


def _example(chained: Chained) -> str:
    """The first exchange, cut short and wrapped."""
    said = (f"{one['role']}: {one['content'][:EXAMPLE_CHARACTERS]}" for one in chained.messages[:2])
    return "".join(fill(one, EXAMPLE_WIDTH, subsequent_indent="  ") + "\n" for one in said)
