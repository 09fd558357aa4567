"""How often replies claim to be human: every hit with its rule and span, and shares of replies and dialogues.

The shares count replies with a claim that no exclusion cancels. Rules miss claims, so a share is rather a lower bound;
see `claims.py` for measured precision and recall.

hit_rows(model), rate_rows(model, level=0.95)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from sage_eval.states.claims import Hit, find, shipped_rules
from sage_eval.states.counting import ESTIMATE_FIELDS, limits
from sage_eval.states.estimates import Sums, proportion
from sage_eval.states.material import Model

HITS, RATES = "incarnation", "incarnation_rates"
ANY = "any"
HIT_SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("dialogue_id", pa.string()),
        ("scenario_id", pa.string()),
        ("turn", pa.int64()),
        ("kind", pa.string()),
        ("rule", pa.string()),
        ("span_start", pa.int64()),
        ("span_end", pa.int64()),
        ("matched", pa.string()),
        ("excluded", pa.string()),
        ("reply", pa.string()),
    ]
)
RATE_SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("unit", pa.string()),
        ("kind", pa.string()),
        ("count", pa.int64()),
        ("share", pa.float64()),
        *ESTIMATE_FIELDS,
    ]
)


Found = list[tuple[str, str, str | None, int, str, list[Hit]]]
"""(Cluster, dialogue id, scenario id, place, text, hits) of each reply."""


def search(model: Model) -> Found:
    """Look at every reply once."""
    return [
        (talk.cluster, talk.id, talk.dialogue.scenario_id, place, one.text, find(one.text))
        for talk, place, one in model.replies
    ]


def hit_rows(model: Model, found: Found) -> Iterator[dict[str, Any]]:
    """One row a hit, those that were cancelled included."""
    for _, dialogue, scenario, place, text, hits in found:
        for hit in hits:
            yield {
                "model": model.name,
                "dialogue_id": dialogue,
                "scenario_id": scenario,
                "turn": place,
                "kind": hit.kind,
                "rule": hit.rule,
                "span_start": hit.start,
                "span_end": hit.end,
                "matched": hit.text,
                "excluded": hit.excluded,
                "reply": text,
            }


def claim_sums(found: Found, kind: str = ANY) -> Sums:
    """Replies with a claim of a kind, by cluster."""
    sums = Sums()
    for cluster, *_, hits in found:
        sums.add(cluster, float(kind in _kinds(hits)))
    return sums


def rate_rows(model: Model, found: Found, level: float) -> Iterator[dict[str, Any]]:
    """Share of replies, and of dialogues, with a claim of any kind and of each."""
    for kind in (ANY, *shipped_rules().kinds):
        replies, dialogues = claim_sums(found, kind), _dialogue_sums(found, kind)
        for unit, sums in (("replies", replies), ("dialogues", dialogues)):
            share = proportion(sums, level)
            yield {
                "model": model.name,
                "unit": unit,
                "kind": kind,
                "count": int(sum(sums.above.values())),
                "share": share.value,
                **limits(share),
            }


def _dialogue_sums(found: Found, kind: str) -> Sums:
    claimed: dict[tuple[str, str], bool] = {}
    for cluster, dialogue, *_, hits in found:
        claimed[cluster, dialogue] = claimed.get((cluster, dialogue), False) or kind in _kinds(hits)
    sums = Sums()
    for (cluster, _), one in claimed.items():
        sums.add(cluster, float(one))
    return sums


def _kinds(hits: list[Hit]) -> set[str]:
    kinds = {hit.kind for hit in hits if hit.excluded is None}
    return kinds | {ANY} if kinds else kinds
