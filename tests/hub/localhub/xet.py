"""Reads what the true Xet client leaves in a folder that stands in for its content-addressed store.

Shards (`*.mdb`) say of which chunks each file consists and, where the client computed it, the file's SHA-256; xorbs
hold the chunks. Layout as the Xet protocol's public specification gives it. The client's own lookup database, which
lies beside them, belongs to one process at a time and is left alone here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

HEADER = ENTRY = 48
WITH_VERIFICATION, WITH_METADATA = 1 << 31, 1 << 30
LAST = b"\xff" * 32
STORED, LZ4, GROUPED_LZ4 = range(3)
GROUPS = 4


@dataclass(frozen=True)
class Segment:
    """A run of chunks of one xorb: `first` to `last`, the latter excluded."""

    xorb: str
    first: int
    last: int


@dataclass(frozen=True)
class XetFile:
    """How one file is put together."""

    xet_hash: str
    sha256: str | None
    segments: tuple[Segment, ...]


def hex_hash(raw: bytes) -> str:
    """Xet's spelling of a hash: four little-endian numbers."""
    return "".join(f"{number:016x}" for number in struct.unpack("<4Q", raw))


def read_shard(raw: bytes) -> Iterator[XetFile]:
    """Every file that a shard describes."""
    at = HEADER
    while (name := raw[at : at + 32]) != LAST:
        flags, count = struct.unpack_from("<II", raw, at + 32)
        at += ENTRY
        segments = tuple(_segment(raw, at + index * ENTRY) for index in range(count))
        at += count * ENTRY * (2 if flags & WITH_VERIFICATION else 1)
        sha256 = hex_hash(raw[at : at + 32]) if flags & WITH_METADATA else None
        at += ENTRY if flags & WITH_METADATA else 0
        yield XetFile(hex_hash(name), sha256, segments)


def _segment(raw: bytes, at: int) -> Segment:
    _, _, first, last = struct.unpack_from("<4I", raw, at + 32)
    return Segment(hex_hash(raw[at : at + 32]), first, last)


def chunks(raw: bytes) -> Iterator[bytes]:
    """The unpacked chunks of a xorb, in order; what follows the last one is its index."""
    at = 0
    while at + 8 <= len(raw) and raw[at] == 0 and raw[at + 4] <= GROUPED_LZ4:
        packed, unpacked = (
            int.from_bytes(raw[at + 1 : at + 4], "little"),
            int.from_bytes(raw[at + 5 : at + 8], "little"),
        )
        yield _unpack(raw[at + 8 : at + 8 + packed], raw[at + 4], unpacked)
        at += 8 + packed


def _unpack(raw: bytes, scheme: int, size: int) -> bytes:
    if scheme == STORED:
        return raw
    plain: bytes = pa.decompress(raw, decompressed_size=size, codec="lz4", asbytes=True)
    if scheme == LZ4:
        return plain
    # Every fourth byte was put together: first bytes 0, 4, 8, ..., then 1, 5, 9, ...
    whole, at = np.empty(size, np.uint8), 0
    for group in range(GROUPS):
        count = len(range(group, size, GROUPS))
        whole[group::GROUPS] = np.frombuffer(plain, np.uint8, count, at)
        at += count
    return whole.tobytes()


def find(folder: Path, sha256: str) -> tuple[XetFile, bytes] | None:
    """The file with this SHA-256, and its bytes; None when the store has no such file."""
    for path in sorted(folder.glob("xet/xorbs/shards/*.mdb")):
        for file in read_shard(path.read_bytes()):
            if file.sha256 == sha256:
                return file, b"".join(_read(folder, segment) for segment in file.segments)
    return None


def _read(folder: Path, segment: Segment) -> bytes:
    raw = (folder / "xet" / "xorbs" / "xorbs" / f"default.{segment.xorb}").read_bytes()
    return b"".join(list(chunks(raw))[segment.first : segment.last])
