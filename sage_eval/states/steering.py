"""Steering success: how often a boosted word shows in its slot, against the amount of boost (paper section 3.7).

Reads the steering stage's replies. A reply at an amount and the one without boost to the same scenario and sample are
twins with the same draws, so the gain is tested on the pairs that differ: the sign-flip test over scenarios, Holm over
the amounts of one folder. Replies that cannot be read are counted and left out.

dose_rows(name, rows, level=0.95, seed=0)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from sage_data.errors import InputError
from sage_data.gates.measures import words
from sage_data.inputs import Input
from sage_data.stage import derive_seed
from sage_data.store.shards import read_table
from sage_eval.states.counting import ESTIMATE_FIELDS, limits
from sage_eval.states.estimates import Sums, average, difference, proportion
from sage_eval.stats.families import holm

TABLE, SOURCE = "steering_success", "steering"
COLUMNS = ("boost", "scenario_id", "sample", "text", "hit", "tags")
SCHEMA = pa.schema(
    [
        ("steered", pa.string()),
        ("boost", pa.float64()),
        ("replies", pa.int64()),
        ("unreadable", pa.int64()),
        ("hits", pa.int64()),
        ("share", pa.float64()),
        *ESTIMATE_FIELDS,
        ("gain", pa.float64()),
        ("gain_low", pa.float64()),
        ("gain_high", pa.float64()),
        ("p", pa.float64()),
        ("p_holm", pa.float64()),
        ("family_size", pa.int64()),
        ("well_formed", pa.float64()),
        ("words", pa.float64()),
        ("seed", pa.int64()),
    ]
)
Row = Mapping[str, Any]


def read_steering(given: Input) -> list[Row]:
    """The replies of one steering stage.

    Raises:
        InputError: there are none, or a column is missing.
    """
    table = read_table(given.path, SOURCE)
    if missing := [name for name in COLUMNS if name not in table.column_names]:
        raise InputError(
            f"{given.label}: {SOURCE} lacks the columns {', '.join(missing)}", next_step="run the steering stage again"
        )
    rows: list[Row] = table.select(list(COLUMNS)).to_pylist()
    return sorted(rows, key=lambda row: (row["boost"], row["scenario_id"], row["sample"]))


def dose_rows(name: str, rows: Sequence[Row], *, level: float, seed: int) -> Iterator[dict[str, Any]]:
    """One row an amount, from the smallest; the gain is over amount 0, where there is one."""
    amounts = sorted({row["boost"] for row in rows})
    plain = {(row["scenario_id"], row["sample"]): row["hit"] for row in rows if row["boost"] == 0}
    found = [(amount, [row for row in rows if row["boost"] == amount]) for amount in amounts]
    gains = {
        amount: _gain(own, plain, level, derive_seed(seed, "steering", name, amount)) for amount, own in found if amount
    }
    adjusted = dict(zip(gains, holm([gain["p"] for gain in gains.values()]), strict=True))
    for amount, own in found:
        nothing = {"gain": None, "gain_low": None, "gain_high": None, "p": None}
        gain = gains.get(amount, nothing)
        yield {
            "steered": name,
            "boost": amount,
            **_dose(own, level),
            **gain,
            "p_holm": adjusted.get(amount) if gain["p"] is not None else None,
            "family_size": len(gains),
            "seed": seed,
        }


def _dose(rows: Sequence[Row], level: float) -> dict[str, Any]:
    known = [row for row in rows if row["hit"] is not None]
    hits, formed, lengths = Sums(), Sums(), Sums()
    for row in known:
        hits.add(row["scenario_id"], float(row["hit"]))
        formed.add(row["scenario_id"], float(row["tags"] == "well_formed"))
        lengths.add(row["scenario_id"], float(words(row["text"] or "")))
    share = proportion(hits, level)
    return {
        "replies": len(known),
        "unreadable": len(rows) - len(known),
        "hits": int(sum(hits.above.values())),
        "share": share.value,
        **limits(share),
        "well_formed": proportion(formed, level).value,
        "words": average(lengths, level).value,
    }


def _gain(rows: Sequence[Row], plain: Mapping[tuple[str, int], bool | None], level: float, seed: int) -> dict[str, Any]:
    before, after = Sums(), Sums()
    for row in rows:
        twin = plain.get((row["scenario_id"], row["sample"]))
        if twin is not None and row["hit"] is not None:
            before.add(row["scenario_id"], float(twin))
            after.add(row["scenario_id"], float(row["hit"]))
    found = difference(before, after, level=level, seed=seed, bounded=True)
    return {"gain": found.value, "gain_low": found.low, "gain_high": found.high, "p": found.p}
