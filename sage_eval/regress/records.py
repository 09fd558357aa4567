"""The `regressions` table: one row a line of the comparison.

table(found).column("verdict")
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from sage_eval.regress.comparing import Regression

TABLE = "regressions"
SCHEMA = pa.schema(
    [
        ("task", pa.string()),
        ("filter", pa.string()),
        ("metric", pa.string()),
        ("n", pa.int64()),
        ("clusters", pa.int64()),
        ("base", pa.float64()),
        ("new", pa.float64()),
        ("difference", pa.float64()),
        ("relative", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("gain_low", pa.float64()),
        ("better", pa.int64()),
        ("worse", pa.int64()),
        ("method", pa.string()),
        ("p", pa.float64()),
        ("p_holm", pa.float64()),
        ("verdict", pa.string()),
        ("member", pa.bool_()),
        ("higher_is_better", pa.bool_()),
        ("margin", pa.float64()),
        ("alpha", pa.float64()),
        ("level", pa.float64()),
        ("family_size", pa.int64()),
        ("seed", pa.int64()),
        ("resamples", pa.int64()),
    ]
)


def table(found: Sequence[Regression]) -> pa.Table:
    """One row a task, filter and metric."""
    rows = [{**one.as_dict(), "verdict": one.outcome.value} for one in found]
    return pa.Table.from_pylist([{name: row[name] for name in SCHEMA.names} for row in rows], schema=SCHEMA)
