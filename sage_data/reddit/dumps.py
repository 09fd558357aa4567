"""Opens a Pushshift dump of any format it was published in, and cuts it into numbered lines of bytes.

Python's own file objects are not enough here: `bz2` and `lzma` ignore what follows the first damaged stream header,
and the windows of Pushshift's `.zst` files (2 GiB, `zstd --long=31`) are refused by default. So every format goes
through one loop that knows when a stream has ended, and damage always has a name. A zstd frame written without a
checksum can hide a flipped bit; nothing in such a file tells.

    for number, line in read_lines(Path("RC_2006-01.zst")): ...
"""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from sage_data.errors import DamagedFileError, InputError
from sage_data.reddit.reasons import LINE_LIMIT_BYTES

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CHUNK_BYTES = 65_536
"""Bytes read from disk at once. Small, because gzip can grow a chunk 1,032-fold."""

PIECE_BYTES = 4_194_304
"""Most bytes that one decompression step returns, whatever the ratio."""

ZSTD_WINDOW_LOG = 31
"""Largest window accepted, log2 of bytes: one such decoder may hold about 2.1 GB."""

LineBytes = bytes | None
"""A line without its newline; None stands for a line over `LINE_LIMIT_BYTES`, whose bytes were let go."""


class _Decoder(Protocol):
    """One compressed stream (or zstd frame) being read; `zlib` is adapted to it below."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _GzipDecoder:
    """Gives zlib's gzip decoder the interface that the other three share."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)
        self._pending = b""
        self._cut_short = False

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return not (self._pending or self._cut_short or self._stream.eof)

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        piece = self._stream.decompress(self._pending + data, max(max_length, 0))
        self._pending = self._stream.unconsumed_tail
        # A full piece may leave output inside zlib although all input was taken.
        self._cut_short = len(piece) == max_length
        return piece


def _zstd_decoder() -> _Decoder:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG})


_DECODERS: dict[str, Callable[[], _Decoder]] = {
    ".zst": _zstd_decoder,
    ".xz": lzma.LZMADecompressor,
    ".bz2": bz2.BZ2Decompressor,
    ".gz": _GzipDecoder,
}
_PLAIN = frozenset({".jsonl", ".ndjson", ".json"})
_DAMAGE = (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError, zstd.ZstdError)

FORMATS = (*_DECODERS, ".jsonl", ".ndjson", ".json")
"""File name endings that can be read. A name without one of them, as in `RC_2006-01`, is read as plain JSON lines."""


def read_pieces(path: Path) -> Iterator[bytes]:
    """Decompressed content of one file, in pieces of at most `PIECE_BYTES`.

    Raises:
        InputError: the file cannot be opened, or its format is unknown.
        DamagedFileError: the file is empty, cut short or corrupt. What was yielded before must not be used.
    """
    decoder = _decoder_of(path)
    try:
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise InputError(f"expected a readable dump file, found {error.strerror} at {path}") from error
    with file:
        chunks = iter(lambda: file.read(CHUNK_BYTES), b"")
        pieces = chunks if decoder is None else _decompress(chunks, decoder)
        seen = False
        try:
            for piece in pieces:
                seen = True
                yield piece
        except _DAMAGE as error:
            raise _damaged(path, str(error) or type(error).__name__) from error
    if not seen:
        raise _damaged(path, "no content at all")


def read_lines(path: Path) -> Iterator[tuple[int, LineBytes]]:
    """Lines of one dump with their numbers, counted from 1; blank lines included, without the newline.

    Bytes are cut at LF before anything is decoded, so a character is never split. Memory stays bounded however
    long a line is.

    Raises:
        InputError, DamagedFileError: as `read_pieces`.
    """
    number, tail, too_long = 0, b"", False
    for piece in read_pieces(path):
        lines = (tail + piece).split(b"\n")
        tail = lines.pop()
        for line in lines:
            number += 1
            yield number, None if too_long or len(line) > LINE_LIMIT_BYTES else line
            too_long = False
        if len(tail) > LINE_LIMIT_BYTES:
            too_long, tail = True, b""
    if tail or too_long:
        yield number + 1, None if too_long else tail


def _decoder_of(path: Path) -> Callable[[], _Decoder] | None:
    ending = path.suffix.lower()
    if ending in _DECODERS:
        return _DECODERS[ending]
    # The month in a bare name such as RC_2006-01 is no suffix, so it is plain text too.
    if ending in _PLAIN or not ending:
        return None
    raise InputError(
        f"expected a dump ending in {', '.join(FORMATS)}, found {path.name} in {path.parent}",
        next_step="convert the file, or leave it out with a narrower file pattern",
    )


def _decompress(chunks: Iterator[bytes], make_decoder: Callable[[], _Decoder]) -> Iterator[bytes]:
    """Content of all streams in a row, as `cat a.gz b.gz` or a parallel compressor makes them."""
    decoder, inside = make_decoder(), False
    for chunk in chunks:
        data = chunk
        while data or (inside and not decoder.needs_input):
            if not inside:
                # gzip and xz allow zeros as padding behind a stream; no stream starts with one.
                data = data.lstrip(b"\0")
                if not data:
                    break
                decoder, inside = make_decoder(), True
            piece = decoder.decompress(data, PIECE_BYTES)
            data = decoder.unused_data if decoder.eof else b""
            inside = not decoder.eof
            if piece:
                yield piece
    if inside:
        raise EOFError("the compressed stream ends before its end mark")


def _damaged(path: Path, cause: str) -> DamagedFileError:
    return DamagedFileError(
        f"expected a whole dump, found a damaged one: {cause}, in {path}",
        next_step="download the file again and compare its checksum",
    )
