"""Ids as 64-bit numbers, so that numpy can join and sort them: exact for every id that Reddit ever gave.

An id of up to eight ASCII characters is its bytes, read as one big-endian number: distinct ids have distinct keys, and
keys stand in order of length, then of text. Submissions have bit 7 set, which no ASCII character has. Any other id (a
longer one, say) is hashed to 63 bits with bit 63 set; two of those are mixed up with a chance of one in 10^18.

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
_SPREAD = np.uint64(0x9E37_79B9_7F4A_7C15)


def keys_of(names: pa.StringArray, *, prefixes: Sequence[str], bare: bool) -> np.ndarray:
    """Keys (rows,) of ids or full names, uint64; 0 stands for none.

    `prefixes` (of three characters each) are taken off, so that a parent's name finds a comment's id; a name with no
    such prefix is an id as it stands if `bare`, else none.
    """
    _, offsets, data = names.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int32, count=names.offset + len(names) + 1)[names.offset :].astype(
        np.int64
    )
    content = np.frombuffer(data, dtype=np.uint8) if data is not None else np.zeros(0, np.uint8)
    padded = np.concatenate([np.zeros(_WIDTH, np.uint8), content, np.zeros(_WIDTH, np.uint8)])
    starts, ends = bounds[:-1], bounds[1:]
    taken, submissions = _prefix(padded, starts, ends, prefixes)
    starts = starts + 3 * taken
    lengths = ends - starts
    keys = _numbers(padded, ends, lengths)
    odd = (lengths > _WIDTH) | ((keys & _NOT_ASCII) != 0) | ((lengths > 0) & (padded[starts + _WIDTH] == 0))
    for row in np.flatnonzero(odd).tolist():
        keys[row] = _hashed(content[starts[row] : ends[row]].tobytes())
    keys[submissions] |= _SUBMISSION_BIT
    if not bare:
        keys[~taken] = 0
    keys[lengths == 0] = 0
    return keys


def partitions_of(threads: pa.StringArray, count: int) -> np.ndarray:
    """Which of `count` partitions each thread belongs to (rows,), uint16; the same on every machine."""
    keys = keys_of(threads, prefixes=(SUBMISSION,), bare=True)
    return (((keys * _SPREAD) >> np.uint64(32)) % np.uint64(count)).astype(np.uint16)


def _numbers(padded: np.ndarray, ends: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The last `lengths` bytes before each of `ends`, at most eight, as big-endian numbers."""
    windows = np.ndarray((max(len(padded) - _WIDTH + 1, 0),), dtype=">u8", buffer=padded, strides=(1,))
    shifts = (8 * (_WIDTH - np.clip(lengths, 0, _WIDTH))).astype(np.uint64)
    # A shift by 64 is no shift for the processor; the caller sets the keys of empty names.
    masks = np.uint64(0xFFFF_FFFF_FFFF_FFFF) >> np.minimum(shifts, np.uint64(63))
    numbers: np.ndarray = windows[ends].astype(np.uint64) & masks
    return numbers


def _prefix(
    padded: np.ndarray, starts: np.ndarray, ends: np.ndarray, prefixes: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Which names (rows,) have one of the prefixes, and which of them the one of submissions."""
    taken = np.zeros(len(starts), dtype=bool)
    submissions = np.zeros(len(starts), dtype=bool)
    for prefix in prefixes:
        found = ends - starts >= 3
        for place, byte in enumerate(prefix.encode()):
            found &= padded[starts + _WIDTH + place] == byte
        taken |= found
        if prefix == SUBMISSION:
            submissions |= found
    return taken, submissions


def _hashed(name: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big")) | HASHED
