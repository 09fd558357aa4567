"""Ids that occur once in a dataset, however large: what was seen is kept as eight bytes an id.

ids = Ids()
ids.unique("train-7")  ->  "train-7", and the second time "train-7#2"
Seen().add("train-7")  ->  True, and the second time False
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

NEWEST = 65_536
"""Ids that are kept as Python's own integers before they are packed."""


@dataclass(slots=True)
class Seen:
    """Texts that were seen, known by 64 bits of their hash: packed in sorted runs of growing length, which are few."""

    _newest: set[int] = field(default_factory=set)
    _runs: list[NDArray[np.uint64]] = field(default_factory=list)

    def add(self, text: str) -> bool:
        """Remember a text; False when it was seen before."""
        mark = _mark(text)
        if self._known(mark):
            return False
        self._newest.add(mark)
        if len(self._newest) >= NEWEST:
            self._pack()
        return True

    def _known(self, mark: int) -> bool:
        return mark in self._newest or any(_holds(run, mark) for run in self._runs)

    def _pack(self) -> None:
        run = np.fromiter(self._newest, np.uint64, len(self._newest))
        self._newest = set()
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = np.concatenate([self._runs.pop(), run])
        self._runs.append(np.sort(run))


@dataclass(slots=True)
class Ids:
    """Every id given so far.

    Should two ids share 64 bits of their hash, one gets a number it did not need; no two ids are ever the same.
    """

    repeated: int = 0
    """How many ids had occurred before and got a number."""
    _seen: Seen = field(default_factory=Seen)

    def unique(self, wanted: str) -> str:
        """`wanted`, with `#2`, `#3`, ... behind it where it was given before."""
        given, number = wanted, 1
        while not self._seen.add(given):
            number += 1
            given = f"{wanted}#{number}"
        self.repeated += number > 1
        return given


@dataclass(slots=True)
class Records:
    """Every record that has an id, to tell one that comes again from another one under the same id."""

    _keys: Seen = field(default_factory=Seen)
    _whole: Seen = field(default_factory=Seen)

    def again(self, key: str, content: str) -> bool:
        """True when a record of this key and content came before.

        It is known by two hashes, so that no record is ever left out whose key did not come before.
        """
        new = self._whole.add(f"{len(key)}:{key}{content}")
        return not self._keys.add(key) and not new


def _mark(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _holds(run: NDArray[np.uint64], mark: int) -> bool:
    place = int(np.searchsorted(run, np.uint64(mark)))
    return place < len(run) and int(run[place]) == mark
