"""Ids as 64-bit numbers, so that numpy can join and sort them: exact for every id that Reddit ever gave.

An id of up to eight ASCII characters is its bytes, read as one big-endian number: distinct ids have distinct keys, and
keys stand in order of length, then of text. Submissions have bit 7 set, which no ASCII character has. Any other id (a
longer one, say) is hashed to 62 bits with bit 63 set; two of those are mixed up with a chance of one in 4 * 10^18.

    keys_of(pa.array(["c166b", "t3_15xh"]), bare=True, prefixes=(SUBMISSION,))
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from sage_data.reddit.reader import SUBMISSION

COMMENT = "t1_"
"""Prefix of a comment's full name."""
HASHED = np.uint64(1 << 63)
_SUBMISSION_BIT = np.uint64(1 << 7)
_NOT_ASCII = np.uint64(0x8080_8080_8080_8080)
_WIDTH = 8
_PREFIX = 3
_MASKS = np.array([(1 << 8 * length) - 1 for length in range(_WIDTH + 1)], dtype=np.uint64)
"""By length: what keeps so many of the last bytes."""
_SPREAD = np.uint64(0x9E37_79B9_7F4A_7C15)


def keys_of(names: pa.StringArray, *, prefixes: Sequence[str], bare: bool) -> np.ndarray:
    """Keys (rows,) of ids or full names, uint64; 0 stands for none.

    `prefixes` (of three characters each) are taken off, so that a parent's name finds a comment's id; a name with no
    such prefix is an id as it stands if `bare`, else none.
    """
    _, offsets, data = names.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int32, count=names.offset + len(names) + 1)[names.offset :]
    content = np.frombuffer(data, dtype=np.uint8) if data is not None else np.zeros(0, np.uint8)
    padded = np.concatenate([np.zeros(_WIDTH, np.uint8), content, np.zeros(_WIDTH, np.uint8)])
    # Eight bytes from every place on: `windows[end]` are those that end before `end`, as `padded` begins with eight.
    windows = np.ndarray((len(padded) - _WIDTH + 1,), dtype=">u8", buffer=padded, strides=(1,))
    ends = bounds[1:]
    lengths = ends - bounds[:-1]
    begun = windows[bounds[:-1] + _WIDTH] >> np.uint64(40)
    taken = np.zeros(len(names), dtype=bool)
    for prefix in prefixes:
        taken |= (begun == _number(prefix)) & (lengths >= _PREFIX)
    lengths = lengths - _PREFIX * taken
    masks = _MASKS[np.minimum(lengths, _WIDTH)]
    keys: np.ndarray = windows[ends].astype(np.uint64) & masks
    # Odd: longer than a key, or with a byte that is no ASCII character, or beginning with NUL.
    odd = (lengths > _WIDTH) | ((keys & _NOT_ASCII) != 0) | (keys <= (masks >> np.uint64(8))) & (lengths > 0)
    for row in np.flatnonzero(odd).tolist():
        keys[row] = _hashed(content[ends[row] - lengths[row] : ends[row]].tobytes())
    if SUBMISSION in prefixes:
        keys[taken & (begun == _number(SUBMISSION))] |= _SUBMISSION_BIT
    if not bare:
        keys[~taken] = 0
    keys[lengths == 0] = 0
    return keys


def partitions_of(threads: np.ndarray, count: int) -> np.ndarray:
    """Which of `count` partitions each thread, by its key, belongs to (rows,), uint16; the same on every machine."""
    return (((threads * _SPREAD) >> np.uint64(32)) % np.uint64(count)).astype(np.uint16)


def _number(prefix: str) -> np.uint64:
    return np.uint64(int.from_bytes(prefix.encode(), "big"))


def _hashed(name: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big")) & ~_SUBMISSION_BIT | HASHED
