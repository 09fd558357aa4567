"""Judge calls and pair verdicts as Arrow tables: one row a call, and one row a pair of dialogues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from sage_data.dialogue import Dialogue
from sage_data.stage import Counts
from sage_eval.judge.protocol import Judge, Reply
from sage_eval.judge.transcripts import Presentation, assistant_words, transcript
from sage_eval.verdict import Choice, Order, combine, seen_by_model

CALLS, VERDICTS = "judge_calls", "pair_verdicts"

CALL_SCHEMA = pa.schema(
    [
        ("judge", pa.string()),
        ("judge_model", pa.string()),
        ("spec_hash", pa.string()),
        ("prompt_hash", pa.string()),
        ("scenario_id", pa.string()),
        ("model_a", pa.string()),
        ("model_b", pa.string()),
        ("order", pa.string()),
        ("raw", pa.string()),
        ("choice", pa.string()),
        ("verdict", pa.string()),
        ("status", pa.string()),
        ("prompt_tokens", pa.int64()),
        ("completion_tokens", pa.int64()),
        ("error", pa.string()),
    ]
)
VERDICT_SCHEMA = pa.schema(
    [
        ("judge", pa.string()),
        ("judge_model", pa.string()),
        ("spec_hash", pa.string()),
        ("scenario_id", pa.string()),
        ("model_a", pa.string()),
        ("model_b", pa.string()),
        ("dialogue_a", pa.string()),
        ("dialogue_b", pa.string()),
        ("verdict", pa.string()),
        ("choice_ab", pa.string()),
        ("choice_ba", pa.string()),
        ("raw_ab", pa.string()),
        ("raw_ba", pa.string()),
        ("words_a", pa.float64()),
        ("words_b", pa.float64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Block:
    """Some scenarios of one pair of models, to be judged by one judge."""

    judge: Judge
    model_a: str
    model_b: str
    pairs: tuple[tuple[Dialogue, Dialogue], ...]
    """(A's, B's) dialogue of each scenario."""
    unmatched: Mapping[str, int]
    """Reason -> scenarios left out; reported with the first block of a pair."""


def ask(block: Block) -> pa.Table:
    """Judge every pair of a block in both orders: two rows a pair, A first, then B first."""
    shown = [(transcript(a), transcript(b)) for a, b in block.pairs]
    orders = [(index, order) for index in range(len(shown)) for order in Order]
    presentations = [
        Presentation(*shown[index]) if order is Order.AB else Presentation(*reversed(shown[index]))
        for index, order in orders
    ]
    replies = block.judge.judge(presentations)
    rows = [
        _call_row(block, block.pairs[index][0].scenario_id, order, reply)
        for (index, order), reply in zip(orders, replies, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=CALL_SCHEMA)


def _call_row(block: Block, scenario_id: str | None, order: Order, reply: Reply) -> dict[str, Any]:
    return {
        "judge": block.judge.name,
        "judge_model": reply.model,
        "spec_hash": block.judge.spec_hash,
        "prompt_hash": reply.prompt_hash,
        "scenario_id": scenario_id,
        "model_a": block.model_a,
        "model_b": block.model_b,
        "order": order.value,
        "raw": reply.raw,
        "choice": reply.choice.value,
        "verdict": seen_by_model(reply.choice, order).value,
        "status": reply.status.value,
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "error": reply.error,
    }


def pair_verdicts(block: Block, calls: pa.Table) -> pa.Table:
    """Combine the two calls of each pair of a block into its verdict."""
    rows = calls.to_pylist()
    pairs = zip(block.pairs, rows[0::2], rows[1::2], strict=True)
    return pa.Table.from_pylist([_verdict_row(a, b, ab, ba) for (a, b), ab, ba in pairs], schema=VERDICT_SCHEMA)


def _verdict_row(a: Dialogue, b: Dialogue, ab: Mapping[str, Any], ba: Mapping[str, Any]) -> dict[str, Any]:
    same = ("judge", "judge_model", "spec_hash", "scenario_id", "model_a", "model_b")
    return {
        **{name: ab[name] for name in same},
        "dialogue_a": a.id,
        "dialogue_b": b.id,
        "verdict": combine(Choice(ab["choice"]), Choice(ba["choice"])).value,
        "choice_ab": ab["choice"],
        "choice_ba": ba["choice"],
        "raw_ab": ab["raw"],
        "raw_ba": ba["raw"],
        "words_a": assistant_words(transcript(a)),
        "words_b": assistant_words(transcript(b)),
    }


def call_counts(calls: pa.Table) -> Counts:
    """Calls that can be read, and those that cannot, by reason."""
    choices = Counter(calls["choice"].to_pylist())
    failed = {name: choices[name] for name in (Choice.ERROR.value, Choice.MALFORMED.value) if choices[name]}
    return Counts(
        unit="judge calls",
        quarantined=0,
        came_in=calls.num_rows,
        kept=calls.num_rows - sum(failed.values()),
        dropped=failed,
    )


def pair_counts(block: Block) -> Counts:
    """Pairs that were judged, and scenarios that only one of the models had."""
    dropped = {reason: count for reason, count in block.unmatched.items() if count}
    return Counts(
        unit="pairs",
        quarantined=0,
        came_in=len(block.pairs) + sum(dropped.values()),
        kept=len(block.pairs),
        dropped=dropped,
    )
