"""Rows on their way from the sources to their places, through files on disk: each source is read once, in order.

Every few thousand rows that are read are cut by the shard they go to and laid aside as record batches of one Arrow
file a source. A shard is then put together from its own batches alone, so that memory holds a few thousand rows of a
source and one finished shard, however large the sources are.

    layers = Layers(folder); layers.lay(source, draws, shard_rows, wanted); table = layers.collect(3)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sage_data.mixing.drawing import Draws
from sage_data.mixing.sources import PROVENANCE, SCHEMAS, Source

_PLACE = "mixing.place"
"""Column that is there on the way alone; tables have a `place` of their own."""


def mixed_schema(table: str) -> pa.Schema:
    """The schema of a mixed table: the table's own, and for each row which rows of which inputs it is made of."""
    return pa.schema([*SCHEMAS[table], *PROVENANCE])


class Layers:
    """What has been laid aside, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._files: list[Path] = []
        self._batches: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)

    def lay(
        self, source: Source, draws: Draws, shard_rows: int, wanted: Collection[int], advance: Callable[[int], None]
    ) -> None:
        """Read one source and lay aside what goes to the wanted shards; a shard holds `shard_rows` drawn rows."""
        number, path = len(self._files), self._folder / f"{len(self._files):05d}.arrow"
        self._files.append(path)
        schema = mixed_schema(source.table).append(pa.field(_PLACE, pa.int64()))
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema, options=options) as writer:
            written = 0
            for first, table in source.read():
                last = first + table.num_rows
                chosen = slice(*np.searchsorted(draws.rows, [first, last]).tolist())
                for shard, part in _cut(draws, chosen, shard_rows):
                    if shard in wanted:
                        writer.write_table(_taken(source, table, first, draws, part))
                        self._batches[shard].append((number, written))
                        written += 1
                advance(table.num_rows)

    def collect(self, shard: int) -> pa.Table:
        """The rows of one shard, in the order of their places."""
        tables = []
        for number, batch in self._batches[shard]:
            with pa.OSFile(str(self._files[number])) as file:
                tables.append(pa.Table.from_batches([pa.ipc.open_file(file).get_batch(batch)]))
        whole = pa.concat_tables(tables).combine_chunks()
        ordered = whole.take(pa.array(np.argsort(whole[_PLACE].to_numpy(), kind="stable")))
        return ordered.drop_columns([_PLACE]).combine_chunks()


def _cut(draws: Draws, chosen: slice, shard_rows: int) -> Iterator[tuple[int, np.ndarray]]:
    """Each shard that some of the chosen draws go to, with the numbers of those draws."""
    shards = draws.places[chosen] // shard_rows
    by_shard = np.argsort(shards, kind="stable")
    found, starts = np.unique(shards[by_shard], return_index=True)
    for shard, part in zip(found.tolist(), np.split(by_shard, starts[1:]), strict=False):
        yield shard, part + chosen.start


def _taken(source: Source, table: pa.Table, first: int, draws: Draws, part: np.ndarray) -> pa.Table:
    """Rows of a source under their new ids, with their provenance and their places; one chunk."""
    rows = table.take(pa.array(draws.rows[part] - first)).combine_chunks()
    own = rows["id"].combine_chunks()
    new = pc.binary_join_element_wise(pa.scalar(source.label), own, "/")
    if len(draws.rows) > source.rows:
        # Every row then bears its pass, so that no id of the source can look like another's repetition.
        new = pc.binary_join_element_wise(new, pa.array(draws.passes[part]).cast(pa.string()), "~")
    rows = rows.set_column(rows.schema.get_field_index("id"), "id", new)
    labels = pa.array([source.label], pa.string()).take(pa.array(np.zeros(len(part), np.int64)))
    for field, values in zip(PROVENANCE, (labels, own), strict=True):
        alone = pa.ListArray.from_arrays(pa.array(np.arange(len(part) + 1), pa.int32()), values)
        rows = rows.append_column(field, alone.cast(field.type))
    return rows.append_column(_PLACE, pa.array(draws.places[part]))
