"""Several dialogues in one context: the messages of consecutive rows become one list, nothing added and nothing lost.

blend(table, 3, first=0)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sage_data.chains.reading import MIXED

_LISTS = ("messages", "conversations", "source_datasets", "source_ids")


def blend(table: pa.Table, size: int, first: int) -> pa.Table:
    """Join every `size` rows into one; the last one may join fewer.

    Every row goes from user to assistant in turn (`fitting`). `first` is the number of the first row made. Lists are
    joined in order, exchanges added up; another column keeps the value that all parts share, else null (`variant`:
    "mixed").
    """
    starts = np.arange(0, table.num_rows, size)
    columns = {name: _joined(table, name, starts, size) for name in table.column_names}
    columns["id"] = pa.array([f"blend-{first + number:08d}" for number in range(len(starts))], pa.string())
    return pa.table(columns, schema=table.schema)


def _joined(table: pa.Table, name: str, starts: np.ndarray, size: int) -> pa.Array:
    column = table[name].combine_chunks()
    if name in _LISTS:
        # The values stay where they are; only the borders between the joined lists go.
        borders = _offsets(column)
        return pa.ListArray.from_arrays(
            pa.array(np.append(borders[starts], borders[-1]), pa.int32()), column.flatten(), type=column.type
        )
    values = column.to_pylist()
    groups = [values[start : start + size] for start in starts]
    if name == "exchanges":
        return pa.array([None if None in some else sum(some) for some in groups], column.type)
    other = MIXED if name == "variant" else None
    return pa.array([_shared(some, other) for some in groups], column.type)


def _shared(values: Sequence[Any], other: str | None) -> Any:
    return values[0] if all(value == values[0] for value in values) else other


def _offsets(column: pa.ListArray) -> np.ndarray:
    """Where each list begins among the flattened values, and where the last one ends: (rows + 1,)."""
    lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False)
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
