"""How rows of `pair_verdicts` are read: what is one unit, what belongs together, and what is a second asking.

A run may hold several samples of a scenario, and may ask about some pairs again; rows written before there were such
columns hold one sample, asked once.

    [row for row in rows if replicate(row) == 0]
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

Row = Mapping[str, Any]
"""One row of `pair_verdicts`."""


def replicate(row: Row) -> int:
    """Which asking of the pair it is: 0 is the one that counts, others measure how steady the judge is."""
    return int(row.get("replicate") or 0)


def unit(row: Row) -> Hashable:
    """What was judged: two models' dialogues of one sample of one scenario."""
    return row["model_a"], row["model_b"], row.get("scenario_id"), row.get("sample") or 0
