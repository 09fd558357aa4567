"""Dialogues that say what a kept one says already: the same, or nearly.

Exact: the utterances are equal once case is folded and white space collapsed. Near: the sets of word shingles (runs
of three words, over the whole dialogue) overlap at least as much as the threshold, by exact Jaccard against each
candidate. MinHash with banding proposes the candidates (Broder 1997; Leskovec, Rajaraman and Ullman, "Mining of Massive
Datasets", chapter 3); the bands are as narrow as it takes to miss less than one in a thousand pairs at the threshold.

Only kept dialogues are remembered, in order, so the first of several stays, and what is remembered can be read back
from the kept rows alone. Measured: 0.13 kB of memory for each kept dialogue for exact duplicates, 5 kB for near ones
(100 words, threshold 0.8).

    seen = Duplicates(exact=True, jaccard=0.8)
    seen.reason(["Hello there", "Hi"])      # None, and remembered
    seen.reason(["hello  there", "hi"])     # DialogueReason.DUPLICATE
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sage_data.errors import MissingDependencyError
from sage_data.reddit.reasons import DialogueReason

SHINGLE_WORDS = 3
PERMUTATIONS = 128
SEED = 1
MISSED = 0.001
"""Highest probability that banding misses a pair whose Jaccard is just the threshold."""

Shingles = NDArray[np.uint64]
"""Sorted, distinct 64-bit hashes of a dialogue's shingles."""


class Duplicates:
    """Judges dialogues in order and remembers those kept."""

    def __init__(self, *, exact: bool, jaccard: float | None) -> None:
        self._digests: set[bytes] | None = set() if exact else None
        self._near = None if jaccard is None else NearDuplicates(jaccard)

    def reason(self, texts: Sequence[str]) -> DialogueReason | None:
        """Why a dialogue that passed all else is dropped; None: it is kept, and remembered."""
        digest = dialogue_digest(texts)
        if self._digests is not None and digest in self._digests:
            return DialogueReason.DUPLICATE
        if self._near is not None and not self._near.admit(texts):
            return DialogueReason.NEAR_DUPLICATE
        if self._digests is not None:
            self._digests.add(digest)
        return None

    def remember(self, texts: Sequence[str]) -> None:
        """Remember a dialogue that was kept by an earlier attempt."""
        if self._digests is not None:
            self._digests.add(dialogue_digest(texts))
        if self._near is not None:
            self._near.remember(texts)


class NearDuplicates:
    """MinHash index of kept dialogues with their shingles.

    Raises:
        MissingDependencyError: rensa is not installed.
    """

    def __init__(self, jaccard: float) -> None:
        try:
            self._rensa: Any = importlib.import_module("rensa")
        except ModuleNotFoundError as error:
            raise MissingDependencyError(
                "the near-duplicate gate needs the package rensa, which is not installed",
                next_step="pip install 'sage-dialogue[gates]'",
            ) from error
        self._jaccard = jaccard
        self._index: Any = self._rensa.RMinHashLSH(jaccard, PERMUTATIONS, bands(jaccard))
        self._kept: list[Shingles] = []

    def admit(self, texts: Sequence[str]) -> bool:
        """True, and remembered, unless a remembered dialogue is at least as alike as the threshold."""
        found = shingles(texts)
        sketch = self._sketch(found)
        own = self._hashes(found)
        if any(jaccard(own, self._kept[key]) >= self._jaccard for key in self._index.query(sketch)):
            return False
        self._add(sketch, own)
        return True

    def remember(self, texts: Sequence[str]) -> None:
        """Remember a dialogue without judging it."""
        found = shingles(texts)
        self._add(self._sketch(found), self._hashes(found))

    def _add(self, sketch: Any, own: Shingles) -> None:
        self._index.insert(len(self._kept), sketch)
        self._kept.append(own)

    def _sketch(self, found: Sequence[str]) -> Any:
        sketch = self._rensa.RMinHash(PERMUTATIONS, SEED)
        sketch.update(found)
        return sketch

    def _hashes(self, found: Sequence[str]) -> Shingles:
        return np.unique(np.asarray(self._rensa.RMinHash.hash_token_sets([found])[0], np.uint64))


def dialogue_digest(texts: Sequence[str]) -> bytes:
    """16 bytes that are equal for equal utterances, whatever their case and white space."""
    flat = "\n".join(" ".join(text.casefold().split()) for text in texts)
    return blake2b(flat.encode(), digest_size=16).digest()


def shingles(texts: Sequence[str]) -> list[str]:
    """Every run of `SHINGLE_WORDS` words of the case-folded dialogue, in order; a shorter dialogue is one shingle."""
    words = " ".join(texts).casefold().split()
    count = max(1, len(words) - SHINGLE_WORDS + 1)
    return [" ".join(words[start : start + SHINGLE_WORDS]) for start in range(count)]


def jaccard(one: Shingles, other: Shingles) -> float:
    """Size of the intersection over that of the union; neither set is empty."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)


def bands(threshold: float) -> int:
    """The fewest bands of `PERMUTATIONS` hashes that miss a pair at the threshold with probability under `MISSED`.

    A pair of Jaccard J shares a band of r hashes with probability J^r, and none of b bands with (1 - J^r)^b.
    """
    count = 1
    while count < PERMUTATIONS and (1 - threshold ** (PERMUTATIONS // count)) ** count >= MISSED:
        count *= 2
    return count
