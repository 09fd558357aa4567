"""Which rows of a source are taken, and where each one goes: seeded, without replacement, in whole passes.

Orders come from a fixed integer hash (SplitMix64: Steele, Lea and Flood, OOPSLA 2014) and not from a library's random
generator, so that they stay the same on every machine and with every version.

    draws = draw([1000, 200], [80, 20], seed=7)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sage_data.stage import derive_seed

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIXERS = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
_LAST = np.uint64(31)


@dataclass(frozen=True, slots=True)
class Draws:
    """What is taken of one source, in the order of its rows; arrays of one length (taken,)."""

    rows: np.ndarray
    """Row numbers in the source, ascending; a row stands once for each pass that takes it."""
    passes: np.ndarray
    """Which pass takes it, from 1."""
    places: np.ndarray
    """Its place among everything that is taken of all sources, from 0."""


def order(count: int, seed: int) -> np.ndarray:
    """A permutation of 0 .. count - 1 that depends on the seed alone: (count,)."""
    # Distinct numbers go through a bijection, so no two keys are equal.
    keys = np.arange(1, count + 1, dtype=np.uint64) * _STEP + np.uint64(seed)
    for shift, factor in _MIXERS:
        keys = (keys ^ (keys >> shift)) * factor
    return np.argsort(keys ^ (keys >> _LAST), kind="stable")


def draw(sizes: Sequence[int], taken: Sequence[int], seed: int) -> list[Draws]:
    """Draw `taken[i]` of the `sizes[i]` rows of each source, and shuffle what is drawn.

    A source that must give more rows than it has is gone through in passes, each in a new order; the last one may end
    early. So no row is taken again before all others were.
    """
    places = order(sum(taken), derive_seed(seed, "places"))
    starts = np.concatenate([[0], np.cumsum(taken)])
    return [
        _draw_one(size, places[starts[source] : starts[source + 1]], derive_seed(seed, "rows", source))
        for source, size in enumerate(sizes)
    ]


def _draw_one(size: int, places: np.ndarray, seed: int) -> Draws:
    passes = -(-len(places) // size)
    orders = [order(size, derive_seed(seed, number)) for number in range(passes)]
    rows = np.concatenate([np.empty(0, np.int64), *orders])[: len(places)]
    numbers = np.arange(len(places), dtype=np.int64) // size + 1
    ascending = np.argsort(rows, kind="stable")
    return Draws(rows[ascending], numbers[ascending], places[ascending])
