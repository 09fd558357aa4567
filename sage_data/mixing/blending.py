"""Several dialogues in one context: the messages of consecutive rows become one list, nothing added and nothing lost.

blend(table, 3, "messages", first=0)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sage_data.chains.exports import SHAREGPT_NAMES
from sage_data.chains.reading import MIXED
from sage_data.errors import InputError

_ROLE = {"messages": "role", "conversations": "from"}
_FIRST = {"messages": "user", "conversations": SHAREGPT_NAMES["user"]}
_SECOND = {"messages": "assistant", "conversations": SHAREGPT_NAMES["assistant"]}
_LISTS = ("messages", "conversations", "source_datasets", "source_ids")


def blend(table: pa.Table, size: int, content: str, first: int) -> pa.Table:
    """Join every `size` rows into one; the last one may join fewer.

    `content` names the list of messages; `first` is the number of the first row made. Lists are joined in order,
    exchanges added up; another column keeps the value that all parts share, else null (`variant`: "mixed").

    Raises:
        InputError: a dialogue does not go from user to assistant in turn, so joining would put one role twice in a row.
    """
    _check_turns(table, content)
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


def _check_turns(table: pa.Table, content: str) -> None:
    column = table[content].combine_chunks()
    borders = _offsets(column)
    lengths = np.diff(borders)
    roles = pc.struct_field(column.flatten(), _ROLE[content])
    turns = np.arange(len(roles)) - np.repeat(borders[:-1], lengths)
    expected = np.where(turns % 2 == 0, _FIRST[content], _SECOND[content])
    wrong = np.repeat(np.arange(len(lengths)), lengths)[roles.to_numpy(zero_copy_only=False) != expected]
    rows = np.union1d(wrong, np.flatnonzero((lengths % 2 == 1) | (lengths == 0)))
    if len(rows):
        name = table["id"][int(rows[0])].as_py()
        raise InputError(
            f"row {name!r}: blending needs {_FIRST[content]} and {_SECOND[content]} in turn, the one first and the "
            f"other last; {len(rows):,} of {table.num_rows:,} rows looked at are of another shape",
            next_step="leave blend out, or bring the input into shape: sage data load, then sage data sac --no-sac",
        )
