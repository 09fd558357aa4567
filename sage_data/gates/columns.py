"""A table of dialogues by column: its utterances counted, and their texts read without building any dialogue.

table = checked(table, "shard 3")
turn_counts(table)                                # (rows,)
for row, texts in texts_of(table, turn_counts(table) > 4): ...
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sage_data.errors import InputError
from sage_data.store.dialogues import DIALOGUE_SCHEMA, from_table

BLOCK = 4096
"""Dialogues whose texts are in memory at once."""

_REDO = "run the stage that wrote them again"


def checked(table: pa.Table, where: str) -> pa.Table:
    """The columns of a dialogue alone, in their declared types; nothing is copied where they have them already.

    Raises:
        InputError: a column is missing or of another type, a row has no utterances, or an utterance no text.
    """
    from_table(table.slice(0, 0))  # It names the columns that are missing.
    try:
        plain = table.select(DIALOGUE_SCHEMA.names).cast(DIALOGUE_SCHEMA)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise InputError(f"{where}: expected dialogues, found other column types: {error}", next_step=_REDO) from error
    utterances = plain["utterances"]
    if utterances.null_count:
        raise InputError(
            f"{where}: expected utterances in every row, found {utterances.null_count} without", next_step=_REDO
        )
    without = sum(pc.struct_field(chunk.flatten(), "text").null_count for chunk in utterances.chunks)
    if without:
        raise InputError(f"{where}: expected a text in every utterance, found {without} without", next_step=_REDO)
    return plain


def turn_counts(table: pa.Table) -> NDArray[np.int32]:
    """Number of utterances of each row: (rows,)."""
    counts: NDArray[np.int32] = pc.list_value_length(table["utterances"]).to_numpy()
    return counts


def texts_of(table: pa.Table, chosen: NDArray[np.bool_]) -> Iterator[tuple[int, list[str]]]:
    """(row, texts of its utterances) of every chosen row, in order; `chosen`: (rows,)."""
    start = 0
    for chunk in table["utterances"].chunks:
        rows = np.flatnonzero(chosen[start : start + len(chunk)])
        # A list of texts over the same offsets: taking rows of it leaves the other fields where they are.
        lists = pa.ListArray.from_arrays(chunk.offsets, pc.struct_field(chunk.values, "text"))
        for first in range(0, len(rows), BLOCK):
            some = rows[first : first + BLOCK]
            yield from zip((some + start).tolist(), _lists_of_str(lists.take(pa.array(some))), strict=True)
        start += len(chunk)


def _lists_of_str(lists: pa.ListArray) -> Iterator[list[str]]:
    texts, end = lists.flatten().to_pylist(), 0
    for length in pc.list_value_length(lists).to_pylist():
        end += length
        yield texts[end - length : end]
