"""Judge calls and pair verdicts as Arrow tables: one row a call, and one row a pair of dialogues.

calls = call_table(comparison, asks, comparison.judge.judge([ask.presentation for ask in asks]))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from sage_data.chat.meter import Prices
from sage_data.stage import Counts
from sage_data.store.files import sha256_json
from sage_eval.judge.panel import majority
from sage_eval.judge.protocol import Judge, Reply
from sage_eval.judge.transcripts import Pair, Presentation, assistant_words, transcript
from sage_eval.plan import PANEL
from sage_eval.verdict import Choice, Order, Verdict, combine, seen_by_model

CALLS, VERDICTS = "judge_calls", "pair_verdicts"

CALL_SCHEMA = pa.schema(
    [
        ("judge", pa.string()),
        ("judge_model", pa.string()),
        ("provider_version", pa.string()),
        ("spec_hash", pa.string()),
        ("prompt_hash", pa.string()),
        ("plan_hash", pa.string()),
        ("scenario_id", pa.string()),
        ("sample", pa.int64()),
        ("model_a", pa.string()),
        ("model_b", pa.string()),
        ("order", pa.string()),
        ("replicate", pa.int64()),
        ("raw", pa.string()),
        ("choice", pa.string()),
        ("verdict", pa.string()),
        ("status", pa.string()),
        ("prompt_tokens", pa.int64()),
        ("completion_tokens", pa.int64()),
        ("cost_usd", pa.float64()),
        ("error", pa.string()),
    ]
)
VERDICT_SCHEMA = pa.schema(
    [
        ("judge", pa.string()),
        ("judge_model", pa.string()),
        ("spec_hash", pa.string()),
        ("plan_hash", pa.string()),
        ("scenario_id", pa.string()),
        ("sample", pa.int64()),
        ("model_a", pa.string()),
        ("model_b", pa.string()),
        ("dialogue_a", pa.string()),
        ("dialogue_b", pa.string()),
        ("replicate", pa.int64()),
        ("verdict", pa.string()),
        ("self_test", pa.string()),
        ("choice_ab", pa.string()),
        ("choice_ba", pa.string()),
        ("raw_ab", pa.string()),
        ("raw_ba", pa.string()),
        ("abstained", pa.int64()),
        ("words_a", pa.float64()),
        ("words_b", pa.float64()),
    ]
)
_OF_PAIR = ("plan_hash", "scenario_id", "sample", "model_a", "model_b")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models under one judge: one member of the family."""

    judge: Judge
    model_a: str
    model_b: str
    plan_hash: str
    prices: Prices | None = None
    """What the judge's tokens cost; None where nobody knows."""

    @property
    def models(self) -> tuple[str, str]:
        """(A, B)."""
        return self.model_a, self.model_b


@dataclass(frozen=True, slots=True)
class Ask:
    """One call to make."""

    pair: Pair
    order: Order
    replicate: int = 0

    @property
    def key(self) -> tuple[str, int, Order, int]:
        """What tells it from the other calls of its comparison."""
        return *self.pair.place, self.order, self.replicate

    @property
    def presentation(self) -> Presentation:
        """What the judge is shown."""
        a, b = transcript(self.pair.a), transcript(self.pair.b)
        first, second = (a, b) if self.order is Order.AB else (b, a)
        return Presentation(first, second, self.replicate)


def asks_of(pairs: Iterable[Pair], times: Callable[[Pair], int] = lambda pair: 1) -> list[Ask]:
    """Every call about these pairs: both orders of the first asking, then of each repeat; A sits first, then B."""
    return [Ask(pair, order, repeat) for pair in pairs for repeat in range(times(pair)) for order in Order]


def call_table(comparison: Comparison, asks: Sequence[Ask], replies: Sequence[Reply]) -> pa.Table:
    """One row a call, in the order asked."""
    spec = comparison.judge.spec_hash
    rows = [_call_row(comparison, spec, ask, reply) for ask, reply in zip(asks, replies, strict=True)]
    return pa.Table.from_pylist(rows, schema=CALL_SCHEMA)


def _call_row(comparison: Comparison, spec_hash: str, ask: Ask, reply: Reply) -> dict[str, Any]:
    prices = comparison.prices
    return {
        "judge": comparison.judge.name,
        "judge_model": comparison.judge.identity,
        "provider_version": reply.model,
        "spec_hash": spec_hash,
        "prompt_hash": reply.prompt_hash,
        "plan_hash": comparison.plan_hash,
        "scenario_id": ask.pair.scenario_id,
        "sample": ask.pair.sample,
        "model_a": comparison.model_a,
        "model_b": comparison.model_b,
        "order": ask.order.value,
        "replicate": ask.replicate,
        "raw": reply.raw,
        "choice": reply.choice.value,
        "verdict": seen_by_model(reply.choice, ask.order).value,
        "status": reply.status.value,
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "cost_usd": None if prices is None else prices.cost(reply.prompt_tokens, reply.completion_tokens),
        "error": reply.error,
    }


def verdict_table(pairs: Sequence[Pair], calls: pa.Table, self_test: str) -> pa.Table:
    """Combine the two calls of each asking into its verdict.

    Args:
        pairs: those that were asked about.
        calls: their calls.
        self_test: how the judge did on questions with known answers.
    """
    by_place = {pair.place: pair for pair in pairs}
    rows = calls.to_pylist()
    return pa.Table.from_pylist(
        [
            {**_verdict_row(by_place[ab["scenario_id"], ab["sample"]], ab, ba), "self_test": self_test}
            for ab, ba in zip(rows[0::2], rows[1::2], strict=True)
        ],
        schema=VERDICT_SCHEMA,
    )


def _verdict_row(pair: Pair, ab: Row, ba: Row) -> dict[str, Any]:
    same = ("judge", "judge_model", "spec_hash", *_OF_PAIR, "replicate")
    return {
        **{name: ab[name] for name in same},
        "dialogue_a": pair.a.id,
        "dialogue_b": pair.b.id,
        "verdict": combine(Choice(ab["choice"]), Choice(ba["choice"])).value,
        "choice_ab": ab["choice"],
        "choice_ba": ba["choice"],
        "raw_ab": ab["raw"],
        "raw_ba": ba["raw"],
        "abstained": None,
        "words_a": assistant_words(transcript(pair.a)),
        "words_b": assistant_words(transcript(pair.b)),
    }


def panel_table(rows: Iterable[Row], judges: Sequence[str]) -> pa.Table:
    """The panel's verdict on each pair that all its judges judged, in order of appearance; repeats take no part.

    Args:
        rows: pair verdicts of the judges.
        judges: names of all who sit in the panel.
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        if not row["replicate"]:
            groups.setdefault(tuple(row[name] for name in _OF_PAIR), []).append(row)
    whole = [group for group in groups.values() if {row["judge"] for row in group} >= set(judges)]
    return pa.Table.from_pylist([_panel_row(group) for group in whole], schema=VERDICT_SCHEMA)


def _panel_row(group: Sequence[Row]) -> dict[str, Any]:
    ballot = majority([Verdict(row["verdict"]) for row in group])
    seats = dict.fromkeys(("choice_ab", "choice_ba", "raw_ab", "raw_ba"))
    return {
        **group[0],
        **seats,
        "judge": PANEL,
        "judge_model": f"majority of {len(group)} judges",
        "spec_hash": sha256_json({"majority of": sorted(row["spec_hash"] for row in group)}),
        "verdict": ballot.verdict.value,
        "self_test": None,
        "abstained": ballot.abstained,
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


def pair_counts(judged: int, left_out: Mapping[str, int]) -> Counts:
    """Pairs that were judged, and dialogues that met none or did not need to, by reason."""
    dropped = {reason: count for reason, count in left_out.items() if count}
    return Counts(unit="pairs", quarantined=0, came_in=judged + sum(dropped.values()), kept=judged, dropped=dropped)


def panel_counts(verdicts: pa.Table) -> Counts:
    """The panel's verdicts that can be read, and those that cannot."""
    states = Counter(verdicts["verdict"].to_pylist())
    failed = {state.value: states[state.value] for state in Verdict if state.failed and states[state.value]}
    kept = verdicts.num_rows - sum(failed.values())
    return Counts(unit="panel verdicts", quarantined=0, came_in=verdicts.num_rows, kept=kept, dropped=failed)
