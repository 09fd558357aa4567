"""Ratings as Arrow tables: one row a judge and model, one a judge and pair, one a judge and connected component.

model_table(rated)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from sage_eval.ratings.rated import Rated
from sage_eval.stats import Interval
from sage_eval.stats.davidson import ComponentFit, ModelRating, PairRating, elo
from sage_eval.verdict import Verdict

_SETTINGS = [
    ("ties_rule", pa.string()),
    ("prior", pa.float64()),
    ("alpha", pa.float64()),
    ("level", pa.float64()),
    ("resamples", pa.int64()),
    ("seed", pa.int64()),
    ("plan_hash", pa.string()),
]
MODEL_SCHEMA = pa.schema(
    [
        ("judge", pa.string()),
        ("model", pa.string()),
        ("component", pa.int64()),
        ("strength", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("elo", pa.float64()),
        ("elo_low", pa.float64()),
        ("elo_high", pa.float64()),
        ("rank_low", pa.int64()),
        ("rank_high", pa.int64()),
        ("letters", pa.string()),
        ("wins", pa.int64()),
        ("ties", pa.int64()),
        ("losses", pa.int64()),
        ("n", pa.int64()),
        ("inconsistent", pa.int64()),
        ("malformed", pa.int64()),
        ("error", pa.int64()),
        ("unrated", pa.string()),
        ("anchor", pa.string()),
        *_SETTINGS,
    ]
)
PAIR_SCHEMA = pa.schema(
    [
        ("judge", pa.string()),
        ("model_a", pa.string()),
        ("model_b", pa.string()),
        ("wins_a", pa.int64()),
        ("ties", pa.int64()),
        ("wins_b", pa.int64()),
        ("n", pa.int64()),
        ("difference", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("p", pa.float64()),
        ("p_holm", pa.float64()),
        ("share_b", pa.float64()),
        ("expected_share_b", pa.float64()),
        ("tie_share", pa.float64()),
        ("expected_tie_share", pa.float64()),
        ("family_size", pa.int64()),
        *_SETTINGS,
    ]
)
FIT_SCHEMA = pa.schema(
    [
        ("judge", pa.string()),
        ("component", pa.int64()),
        ("models", pa.string()),
        ("scenarios", pa.int64()),
        ("n", pa.int64()),
        ("tie_parameter", pa.float64()),
        ("deviance", pa.float64()),
        ("pearson", pa.float64()),
        ("df", pa.int64()),
        ("p", pa.float64()),
        ("p_chi_square", pa.float64()),
        ("smallest_expected", pa.float64()),
        ("strong_components", pa.string()),
        ("cycles", pa.string()),
        ("warnings", pa.string()),
        *_SETTINGS,
    ]
)


def model_table(found: Sequence[Rated]) -> pa.Table:
    """One row a judge and model, strongest first, the unrated last."""
    rows = [
        row
        for rated in found
        for row in (
            *(_model_row(rated, one) for one in rated.rating.models),
            *(_unrated_row(rated, name) for name in rated.rating.unrated),
        )
    ]
    return pa.Table.from_pylist(rows, schema=MODEL_SCHEMA)


def _model_row(rated: Rated, one: ModelRating) -> dict[str, Any]:
    low, high = _limits(one.interval)
    return {
        **_of_model(rated, one.model),
        "component": one.component,
        "strength": one.strength,
        "low": low,
        "high": high,
        "elo": one.elo,
        "elo_low": None if low is None else elo(low),
        "elo_high": None if high is None else elo(high),
        "rank_low": one.rank_low,
        "rank_high": one.rank_high,
        "letters": one.letters,
        "wins": one.wins,
        "ties": one.ties,
        "losses": one.losses,
        "n": one.n,
        "unrated": None,
    }


def _unrated_row(rated: Rated, name: str) -> dict[str, Any]:
    reason = rated.judged.why_unrated(name)
    return {**_of_model(rated, name), "wins": 0, "ties": 0, "losses": 0, "n": 0, "unrated": reason}


def _of_model(rated: Rated, name: str) -> dict[str, Any]:
    states = rated.judged.states(name)
    return {
        "judge": rated.judge,
        "model": name,
        "inconsistent": states[Verdict.INCONSISTENT],
        "malformed": states[Verdict.MALFORMED],
        "error": states[Verdict.ERROR],
        "anchor": rated.rating.anchor,
        **_settings(rated),
    }


def pair_table(found: Sequence[Rated]) -> pa.Table:
    """One row a judge and pair of models, whether or not they met."""
    rows = [_pair_row(rated, one) for rated in found for one in rated.rating.pairs]
    return pa.Table.from_pylist(rows, schema=PAIR_SCHEMA)


def _pair_row(rated: Rated, one: PairRating) -> dict[str, Any]:
    low, high = _limits(one.interval)
    return {
        "judge": rated.judge,
        "model_a": one.model_a,
        "model_b": one.model_b,
        "wins_a": one.wins_a,
        "ties": one.ties,
        "wins_b": one.wins_b,
        "n": one.n,
        "difference": one.difference,
        "low": low,
        "high": high,
        "p": one.p,
        "p_holm": one.p_holm,
        "share_b": one.share_b,
        "expected_share_b": one.expected_share_b,
        "tie_share": one.tie_share,
        "expected_tie_share": one.expected_tie_share,
        "family_size": len(rated.rating.pairs),
        **_settings(rated),
    }


def fit_table(found: Sequence[Rated]) -> pa.Table:
    """One row a judge and connected component; a judge without any game has one row without figures."""
    rows = [
        row
        for rated in found
        for row in (
            [_fit_row(rated, one) for one in rated.rating.fits] or [_of_judge(rated) | {"n": 0, "scenarios": 0}]
        )
    ]
    return pa.Table.from_pylist(rows, schema=FIT_SCHEMA)


def _fit_row(rated: Rated, one: ComponentFit) -> dict[str, Any]:
    goodness = one.goodness
    return _of_judge(rated) | {
        "component": one.component,
        "models": ", ".join(one.models),
        "scenarios": one.clusters,
        "n": one.games,
        "tie_parameter": one.tie_parameter,
        "deviance": goodness.deviance,
        "pearson": goodness.pearson,
        "df": goodness.df,
        "p": goodness.p,
        "p_chi_square": goodness.p_chi_square,
        "smallest_expected": goodness.smallest_expected,
        "strong_components": " | ".join(", ".join(names) for names in one.strong),
        "cycles": "; ".join(str(cycle) for cycle in rated.rating.cycles if set(cycle.models) <= set(one.models)),
    }


def _of_judge(rated: Rated) -> dict[str, Any]:
    return {"judge": rated.judge, "warnings": "; ".join(rated.rating.warnings), **_settings(rated)}


def _settings(rated: Rated) -> dict[str, Any]:
    rating = rated.rating
    return {
        "ties_rule": rated.ties.value,
        "prior": rating.prior,
        "alpha": rating.alpha,
        "level": rating.level,
        "resamples": rating.resamples,
        "seed": rating.seed,
        "plan_hash": rated.plan_hash,
    }


def _limits(interval: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval.low, interval.high)
