"""The judge self-test as Arrow tables: one row a judge and check, one row a call.

table([run_self_test(judge, material, settings)])
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from sage_eval.judge.self_test_results import Answer, Checked, SelfTest
from sage_eval.verdict import Order, Verdict

TABLE, CALLS_TABLE = "judge_self_tests", "judge_self_test_calls"
SCHEMA = pa.schema(
    [
        ("judge", pa.string()),
        ("judge_model", pa.string()),
        ("spec_hash", pa.string()),
        ("check_name", pa.string()),
        ("required", pa.bool_()),
        ("outcome", pa.string()),
        ("reason", pa.string()),
        ("n", pa.int64()),
        ("passes", pa.int64()),
        ("rate", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("threshold", pa.float64()),
        ("original_wins", pa.int64()),
        ("copy_wins", pa.int64()),
        ("ties", pa.int64()),
        ("inconsistent", pa.int64()),
        ("malformed", pa.int64()),
        ("errors", pa.int64()),
        ("without_difference", pa.int64()),
        ("scenarios", pa.int64()),
        ("scenarios_wanted", pa.int64()),
        ("unusable", pa.int64()),
        ("level", pa.float64()),
        ("seed", pa.int64()),
    ]
)
CALLS_SCHEMA = pa.schema(
    [
        ("judge", pa.string()),
        ("judge_model", pa.string()),
        ("spec_hash", pa.string()),
        ("prompt_hash", pa.string()),
        ("check_name", pa.string()),
        ("pair", pa.int64()),
        ("scenario_id", pa.string()),
        ("variant", pa.string()),
        ("order", pa.string()),
        ("raw", pa.string()),
        ("choice", pa.string()),
        ("status", pa.string()),
        ("verdict", pa.string()),
        ("held", pa.bool_()),
        ("prompt_tokens", pa.int64()),
        ("completion_tokens", pa.int64()),
        ("error", pa.string()),
    ]
)


def table(found: Sequence[SelfTest]) -> pa.Table:
    """One row a judge and check, skipped ones too."""
    rows = [_row(test, one) for test in found for one in test.checks]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _row(test: SelfTest, one: Checked) -> dict[str, Any]:
    low, high = (None, None) if one.interval is None else (one.interval.low, one.interval.high)
    return {
        "judge": test.judge,
        "judge_model": test.judge_model,
        "spec_hash": test.spec_hash,
        "check_name": one.check.value,
        "required": one.required,
        "outcome": one.outcome.value,
        "reason": one.reason,
        "n": one.n,
        "passes": one.passes,
        "rate": one.rate,
        "low": low,
        "high": high,
        "threshold": one.threshold,
        "original_wins": one.verdicts.get(Verdict.A, 0),
        "copy_wins": one.verdicts.get(Verdict.B, 0),
        "ties": one.verdicts.get(Verdict.TIE, 0),
        "inconsistent": one.verdicts.get(Verdict.INCONSISTENT, 0),
        "malformed": one.verdicts.get(Verdict.MALFORMED, 0),
        "errors": one.verdicts.get(Verdict.ERROR, 0),
        "without_difference": one.without_difference,
        "scenarios": test.pairs,
        "scenarios_wanted": test.asked_for,
        "unusable": test.unusable,
        "level": test.level,
        "seed": test.seed,
    }


def calls_table(found: Sequence[SelfTest]) -> pa.Table:
    """One row a call: two a pair of each check."""
    rows = [row for test in found for one in test.answers for row in _calls(test, one)]
    return pa.Table.from_pylist(rows, schema=CALLS_SCHEMA)


def _calls(test: SelfTest, one: Answer) -> Iterable[dict[str, Any]]:
    for order in Order:
        reply = one.replies[order]
        yield {
            "judge": test.judge,
            "judge_model": reply.model,
            "spec_hash": test.spec_hash,
            "prompt_hash": reply.prompt_hash,
            "check_name": one.probe.check.value,
            "pair": one.probe.pair,
            "scenario_id": one.probe.scenario_id,
            "variant": one.probe.variant,
            "order": order.value,
            "raw": reply.raw,
            "choice": reply.choice.value,
            "status": reply.status.value,
            "verdict": one.verdict.value,
            "held": one.held,
            "prompt_tokens": reply.prompt_tokens,
            "completion_tokens": reply.completion_tokens,
            "error": reply.error,
        }
