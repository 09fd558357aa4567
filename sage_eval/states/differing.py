"""Differences between two models: shares of actions and readings, and style, scenario by scenario.

Each scenario's observations are averaged first, so several rollouts of one count once; p is of the sign-flip test over
scenarios both models have. A family is every value of one kind and slot that the two models together show at least
`least` times, for every pair of models; all style measures are another one. Both adjustments are given: Holm's, to
claim, and Benjamini and Hochberg's, to explore.

difference_rows(models, level=0.95, least=10, seed=0)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import pyarrow as pa

from sage_data.stage import derive_seed
from sage_eval.states import style
from sage_eval.states.counting import stated
from sage_eval.states.estimates import RESAMPLES, Sums, difference
from sage_eval.states.material import SLOTS, Kind, Model
from sage_eval.states.tokens import TokenCount
from sage_eval.stats.families import benjamini_hochberg, holm

TABLE = "behaviour_differences"
SCHEMA = pa.schema(
    [
        ("family", pa.string()),
        ("value", pa.string()),
        ("model_a", pa.string()),
        ("model_b", pa.string()),
        ("mean_a", pa.float64()),
        ("mean_b", pa.float64()),
        ("difference", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("p", pa.float64()),
        ("p_holm", pa.float64()),
        ("p_bh", pa.float64()),
        ("family_size", pa.int64()),
        ("scenarios", pa.int64()),
        ("n", pa.int64()),
        ("level", pa.float64()),
        ("seed", pa.int64()),
    ]
)
PATTERNS = 50
"""Sign patterns drawn for each member of a family: Holm leaves the smallest p there is at 1 / 50."""
Member = tuple[str | None, Model, Model, Sums, Sums, bool]
"""(What is compared, A, B, A's sums, B's sums, lies between 0 and 1)."""


def difference_rows(
    models: Sequence[Model],
    incarnation: dict[str, Sums],
    *,
    level: float,
    least: int,
    seed: int,
    count: TokenCount | None = None,
) -> Iterator[dict[str, Any]]:
    """One row a comparison, family by family; `incarnation` holds each model's share of replies with a claim."""
    for kind in Kind:
        for slot in SLOTS:
            yield from _family(f"{kind.value} {slot}", _values(models, kind, slot, least), level, seed)
    yield from _family("style", _styles(models, count), level, seed)
    claims = [(a, b) for a, b in combinations(models, 2) if incarnation]
    members: list[Member] = [
        ("claims to be human", a, b, incarnation[a.name], incarnation[b.name], True) for a, b in claims
    ]
    yield from _family("incarnation", members, level, seed)


def _values(models: Sequence[Model], kind: Kind, slot: str, least: int) -> list[Member]:
    found = {model.name: stated(model, kind, slot) for model in models}
    members: list[Member] = []
    for a, b in combinations(models, 2):
        one, other = found[a.name], found[b.name]
        both = {value: one.count(value) + other.count(value) for value in {*one.counts, *other.counts}}
        for value in sorted(both, key=lambda value: (-both[value], value is None, str(value))):
            if both[value] >= least:
                name = None if value is None else str(value)
                members.append((name, a, b, one.sums(value), other.sums(value), True))
    return members


def _styles(models: Sequence[Model], count: TokenCount | None) -> list[Member]:
    found = {model.name: style.sums_of(model, count) for model in models} if len(models) > 1 else {}
    return [
        (name, a, b, found[a.name][name], found[b.name][name], name in style.BOUNDED)
        for a, b in combinations(models, 2)
        for name in found[a.name]
    ]


def _family(family: str, members: Sequence[Member], level: float, seed: int) -> Iterator[dict[str, Any]]:
    # Else nothing could be claimed in a large family, however clear: Holm multiplies the smallest p there is.
    resamples = max(RESAMPLES, PATTERNS * len(members))
    compared = [
        difference(
            one,
            other,
            level=level,
            seed=derive_seed(seed, family, value, a.name, b.name),
            bounded=bounded,
            resamples=resamples,
        )
        for value, a, b, one, other, bounded in members
    ]
    by_holm, by_bh = holm([one.p for one in compared]), benjamini_hochberg([one.p for one in compared])
    for (value, a, b, *_), found, p_holm, p_bh in zip(members, compared, by_holm, by_bh, strict=True):
        tested = found.p is not None
        yield {
            "family": family,
            "value": value,
            "model_a": a.name,
            "model_b": b.name,
            "mean_a": found.mean_a,
            "mean_b": found.mean_b,
            "difference": found.value,
            "low": found.low,
            "high": found.high,
            "p": found.p,
            "p_holm": p_holm if tested else None,
            "p_bh": p_bh if tested else None,
            "family_size": len(members),
            "scenarios": found.clusters,
            "n": found.n,
            "level": level,
            "seed": seed,
        }
