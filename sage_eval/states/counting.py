"""How often each motivation and emotion occurs: the paper's Figure 3, with counts, shares and intervals.

count_rows(model, level=0.95)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from sage_data.rollout import TagForm
from sage_eval.states.estimates import Estimate, Sums, Tally, proportion, tally
from sage_eval.states.material import SLOTS, Kind, Model

COUNTS, FORMS = "state_counts", "tag_forms"
WHOLE, PARTLY, ABSENT = "whole", "partly", "absent"

ESTIMATE_FIELDS = (
    ("n", pa.int64()),
    ("low", pa.float64()),
    ("high", pa.float64()),
    ("clusters", pa.int64()),
    ("level", pa.float64()),
)
COUNT_SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("kind", pa.string()),
        ("slot", pa.string()),
        ("value", pa.string()),
        ("count", pa.int64()),
        ("share", pa.float64()),
        *ESTIMATE_FIELDS,
    ]
)
FORM_SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("source", pa.string()),
        ("form", pa.string()),
        ("count", pa.int64()),
        ("share", pa.float64()),
        *ESTIMATE_FIELDS,
    ]
)


def limits(estimate: Estimate) -> dict[str, Any]:
    """The columns `ESTIMATE_FIELDS` of an estimate."""
    return {
        "n": estimate.n,
        "low": estimate.low,
        "high": estimate.high,
        "clusters": estimate.clusters,
        "level": estimate.level,
    }


def stated(model: Model, kind: Kind, slot: str) -> Tally:
    """Values of one slot over the utterances that have a state of this kind; None: stated that there is none."""
    return tally(
        (talk.cluster, getattr(state, slot))
        for talk in model.talks
        for _, state in talk.states(kind)
        if state is not None
    )


def count_rows(model: Model, level: float) -> Iterator[dict[str, Any]]:
    """One row a value, the most frequent first; shares are of the utterances that have a state of the kind."""
    for kind in Kind:
        for slot in SLOTS:
            yield from (
                {"model": model.name, "kind": kind.value, "slot": slot, **row}
                for row in share_rows(stated(model, kind, slot), level)
            )


def share_rows(found: Tally, level: float) -> Iterator[dict[str, Any]]:
    """Every value with its count, share and limits."""
    for value in found.values():
        share = proportion(found.sums(value), level)
        yield {"value": value, "count": found.count(value), "share": share.value, **limits(share)}


def form_rows(model: Model, level: float) -> Iterator[dict[str, Any]]:
    """How the tags of the replies came out.

    From the dialogues: whole (state and action are there), partly (one of them), absent. From the rollout's outcomes,
    where there are any: well_formed, malformed, untagged, as the grammar has it, failed dialogues included.
    """
    for source, found in (("dialogues", _from_dialogues(model)), ("outcomes", _from_outcomes(model))):
        for form, (count, sums) in found.items():
            share = proportion(sums, level)
            yield {
                "model": model.name,
                "source": source,
                "form": form,
                "count": count,
                "share": share.value,
                **limits(share),
            }


def _from_dialogues(model: Model) -> dict[str, tuple[int, Sums]]:
    found = tally(
        (talk.cluster, (ABSENT, PARTLY, WHOLE)[(one.state is not None) + (one.perceived is not None)])
        for talk, _, one in model.replies
    )
    return {form: (found.count(form), found.sums(form)) for form in (WHOLE, PARTLY, ABSENT)} if found.n else {}


def _from_outcomes(model: Model) -> Mapping[str, tuple[int, Sums]]:
    found: dict[str, tuple[int, Sums]] = {}
    for form in TagForm if model.outcomes else ():
        sums = Sums()
        for row in model.outcomes:
            replies = sum(row[f"agent_{one.value}"] for one in TagForm)
            sums.add(str(row["scenario_id"] or row["dialogue_id"]), row[f"agent_{form.value}"], replies)
        found[form.value] = (int(sum(sums.above.values())), sums)
    return found
