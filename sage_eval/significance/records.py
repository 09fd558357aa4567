"""Comparisons as an Arrow table, one row each.

table(found)
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from sage_eval.significance.comparing import Comparison, Significance
from sage_eval.stats import Interval
from sage_eval.verdict import Verdict

TABLE = "significance"
SCHEMA = pa.schema(
    [
        ("judge", pa.string()),
        ("model_a", pa.string()),
        ("model_b", pa.string()),
        ("wins_a", pa.int64()),
        ("ties", pa.int64()),
        ("wins_b", pa.int64()),
        ("inconsistent", pa.int64()),
        ("malformed", pa.int64()),
        ("error", pa.int64()),
        ("n", pa.int64()),
        ("scenarios", pa.int64()),
        ("repeats", pa.int64()),
        ("method", pa.string()),
        ("tested", pa.int64()),
        ("p", pa.float64()),
        ("log_p", pa.float64()),
        ("p_holm", pa.float64()),
        ("p_bh", pa.float64()),
        ("share_b", pa.float64()),
        ("share_b_low", pa.float64()),
        ("share_b_high", pa.float64()),
        ("share_b_exact_low", pa.float64()),
        ("share_b_exact_high", pa.float64()),
        ("net_win", pa.float64()),
        ("net_win_low", pa.float64()),
        ("net_win_high", pa.float64()),
        ("net_win_interval_low", pa.float64()),
        ("net_win_interval_high", pa.float64()),
        ("half_tie_score", pa.float64()),
        ("half_tie_low", pa.float64()),
        ("half_tie_high", pa.float64()),
        ("largest_p", pa.float64()),
        ("holds", pa.bool_()),
        ("log_e", pa.float64()),
        ("p_anytime", pa.float64()),
        ("e_threshold", pa.float64()),
        ("stopped_after", pa.int64()),
        ("least_share", pa.float64()),
        ("equal_length_share_b", pa.float64()),
        ("equal_length_low", pa.float64()),
        ("equal_length_high", pa.float64()),
        ("equal_length_p", pa.float64()),
        ("length_note", pa.string()),
        ("conclusion", pa.string()),
        ("reason", pa.string()),
        ("stars", pa.string()),
        ("planned", pa.bool_()),
        ("alpha", pa.float64()),
        ("level", pa.float64()),
        ("correction", pa.string()),
        ("tie_rule", pa.string()),
        ("stopping", pa.string()),
        ("family_size", pa.int64()),
        ("plan_hash", pa.string()),
        ("resamples", pa.int64()),
        ("seed", pa.int64()),
    ]
)


def table(found: Significance) -> pa.Table:
    """One row a comparison."""
    return pa.Table.from_pylist([_row(one) for one in found.comparisons], schema=SCHEMA)


def _row(one: Comparison) -> dict[str, Any]:
    return {
        "judge": one.judge,
        "model_a": one.model_a,
        "model_b": one.model_b,
        "wins_a": one.counts[Verdict.A],
        "ties": one.counts[Verdict.TIE],
        "wins_b": one.counts[Verdict.B],
        "inconsistent": one.counts[Verdict.INCONSISTENT],
        "malformed": one.counts[Verdict.MALFORMED],
        "error": one.counts[Verdict.ERROR],
        "n": one.n,
        "scenarios": one.scenarios,
        "repeats": one.repeats,
        "p_holm": one.p_holm,
        "p_bh": one.p_bh,
        "holds": one.holds,
        "least_share": one.least_share,
        "conclusion": one.conclusion.value,
        "stars": one.stars,
        "planned": one.planned,
        **_estimates(one),
        **_evidence(one),
        **_at_equal_length(one),
        **{name: value for name, value in one.terms.as_dict().items() if name in SCHEMA.names},
    }


def _estimates(one: Comparison) -> dict[str, Any]:
    shown = one.shown
    share, exact, half = _limits(shown.share_interval), _limits(shown.share_exact), _limits(shown.half_tie_interval)
    lead, bounds = _limits(shown.net_win_interval), one.failures.net_win or (None, None)
    return {
        "share_b": shown.share_b,
        "share_b_low": share[0],
        "share_b_high": share[1],
        "share_b_exact_low": exact[0],
        "share_b_exact_high": exact[1],
        "net_win": shown.net_win,
        "net_win_low": bounds[0],
        "net_win_high": bounds[1],
        "net_win_interval_low": lead[0],
        "net_win_interval_high": lead[1],
        "half_tie_score": shown.half_tie_score,
        "half_tie_low": half[0],
        "half_tie_high": half[1],
    }


def _evidence(one: Comparison) -> dict[str, Any]:
    return {
        "method": one.shown.method.value,
        "tested": one.shown.n,
        "p": one.shown.p,
        "log_p": one.shown.log_p,
        "reason": one.shown.reason,
        "largest_p": one.failures.largest_p,
        "log_e": one.bet.log_e,
        "p_anytime": one.bet.p,
        "e_threshold": one.bet.threshold,
        "stopped_after": one.bet.stopped_after,
    }


def _at_equal_length(one: Comparison) -> dict[str, Any]:
    length = one.length
    if length is None:
        return {"length_note": "the lengths of some dialogues are not known" if one.shown.p is not None else None}
    limits = _limits(length.interval)
    return {
        "equal_length_share_b": length.adjusted_share_b,
        "equal_length_low": limits[0],
        "equal_length_high": limits[1],
        "equal_length_p": length.p,
        "length_note": length.reason,
    }


def _limits(interval: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval.low, interval.high)
