"""Finds ids that stand in more than one partition: the same comment under two submissions.

Reddit never wrote such a thing, but a damaged or forged dump may, and an id is a key. Within a partition phase 2 sees
duplicates itself. Keys are looked at in slices, so memory does not grow with the dumps.

    losers = repeats_across(folder, dumps=3, partitions=8)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from sage_data.reddit.spill import block_paths

SLICE_ROWS = 1_048_576
"""About so many keys are held at once, twice: 16 bytes each."""
MOST_SLICES = 64
"""More of them would read the keys too often; beyond 64 million comments, slices grow."""

Place = tuple[int, int, int]
"""Dump, line, partition."""


def repeats_across(folder: Path, dumps: int, partitions: int) -> dict[int, list[tuple[int, int]]]:
    """Partition -> dump and line of its comments whose id stands earlier (by dump and line) in another partition."""
    paths = [(dump, path) for dump in range(dumps) for path in block_paths(folder, dump)]
    slices = np.uint64(min(1 + sum(_rows(path) for _, path in paths) // SLICE_ROWS, MOST_SLICES))
    losers: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for number in range(int(slices)):
        mine = [keys[keys % slices == number] if slices > 1 else keys for _, _, keys, _ in _batches(paths, partitions)]
        together = np.sort(np.concatenate(mine)) if mine else np.zeros(0, dtype=np.uint64)
        twice = np.unique(together[1:][together[1:] == together[:-1]])
        if len(twice):
            for dump, line, partition in _losers(_places(paths, partitions, twice)):
                losers[partition].append((dump, line))
    return dict(losers)


def _losers(found: list[list[Place]]) -> Iterator[Place]:
    """Of each key's places, those in another partition than the first one."""
    for places in found:
        first, *others = sorted(places)
        yield from (place for place in others if place[2] != first[2])


def _rows(path: Path) -> int:
    with pa.ipc.open_file(pa.memory_map(str(path))) as file:
        return int(file.count_rows())


def _batches(paths: list[tuple[int, Path]], partitions: int) -> Iterator[tuple[int, int, np.ndarray, pa.RecordBatch]]:
    """Dump, partition, keys and columns of every batch that was laid aside."""
    for dump, path in paths:
        with pa.ipc.open_file(pa.memory_map(str(path))) as file:
            for partition in range(partitions):
                batch = file.get_batch(partition)
                yield dump, partition, batch["key"].to_numpy(), batch


def _places(paths: list[tuple[int, Path]], partitions: int, keys: np.ndarray) -> list[list[Place]]:
    """Where the comments with each of `keys` (sorted) stand."""
    found: defaultdict[int, list[Place]] = defaultdict(list)
    for dump, partition, own, batch in _batches(paths, partitions):
        at = np.minimum(np.searchsorted(keys, own), len(keys) - 1)
        rows = np.flatnonzero(keys[at] == own)
        lines = batch["line"].take(pa.array(rows)).to_pylist()
        for key, line in zip(own[rows].tolist(), lines, strict=True):
            found[key].append((dump, line, partition))
    return list(found.values())
