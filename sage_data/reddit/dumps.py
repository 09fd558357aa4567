"""Opens a Pushshift dump of any format it was published in, and cuts it into numbered lines of bytes.

Python's own file objects are not enough here: `bz2` and `lzma` ignore what follows the first damaged stream header,
and the windows of Pushshift's `.zst` files (2 GiB, `zstd --long=31`) are refused by default. So every format goes
through one loop that knows when a stream has ended, and damage always has a name. A zstd frame written without a
checksum can hide a flipped bit; nothing in such a file tells.

    for number, line in read_lines(local_dump(Path("RC_2006-01.zst"))): ...
"""

from __future__ import annotations

import bz2
import codecs
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import BinaryIO, Protocol

from sage_data.errors import DamagedFileError, InputError
from sage_data.reddit.reasons import LINE_LIMIT_BYTES
from sage_data.reddit.sources import Dump, open_dump

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CHUNK_BYTES = 65_536
"""Bytes read from disk at once."""

PIECE_BYTES = 524_288
"""Most bytes that one decompression step returns, whatever the ratio: half a MiB stays in the processor's cache, and no
line but the first can be over the size limit in it."""

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

PACKED = frozenset(_DECODERS)
PARQUET = ".parquet"

FORMATS = (*_DECODERS, ".jsonl", ".ndjson", ".json", PARQUET)
"""File name endings that can be read. A name without one of them, as in `RC_2006-01`, is read as plain JSON lines."""


def read_pieces(dump: Dump, advance: Callable[[int], None] | None = None) -> Iterator[bytes]:
    """Decompressed content of one dump, in pieces of at most `PIECE_BYTES`; `advance` is told each count of raw bytes.

    A byte order mark that some editors put in front is not content.

    Raises:
        InputError: the file cannot be opened, or its format is unknown.
        DamagedFileError: the file is empty, cut short or corrupt. What was yielded before must not be used, unless the
            user allowed it.
    """
    decoder = _decoder_of(dump)
    with open_dump(dump) as file:
        chunks = _chunks(file, advance)
        pieces = chunks if decoder is None else _decompress(chunks, decoder)
        seen = False
        try:
            for piece in pieces:
                yield piece if seen else piece.removeprefix(codecs.BOM_UTF8)
                seen = True
        except _DAMAGE as error:
            raise _damaged(dump, str(error) or type(error).__name__) from error
    if not seen:
        raise _damaged(dump, "no content at all")


def read_runs(dump: Dump, advance: Callable[[int], None] | None = None) -> Iterator[bytes | None]:
    """Content of one dump in runs of whole lines, each line with its LF (a last one without gets it).

    None stands for one line over `LINE_LIMIT_BYTES`, whose bytes were let go: memory stays bounded however long a line
    is. Bytes are cut at LF before anything is decoded, so a character is never split.

    Raises:
        InputError, DamagedFileError: as `read_pieces`; whole lines before the damage are yielded first.
    """
    line_cut = _LineCutter()
    try:
        for piece in read_pieces(dump, advance):
            yield from line_cut.feed(piece)
    except DamagedFileError:
        yield from line_cut.rest()
        raise
    yield from line_cut.rest()


class _LineCutter:
    """Holds the beginning of a line until the piece with its end arrives, or only that it was too long."""

    def __init__(self) -> None:
        self._tail = b""
        self._too_long = False

    def feed(self, piece: bytes) -> Iterator[bytes | None]:
        first = piece.find(b"\n") + 1
        if not first:
            self._hold(piece)
            return
        begin = 0
        if self._too_long or len(self._tail) + first - 1 > LINE_LIMIT_BYTES:
            yield None
            self._tail, self._too_long, begin = b"", False, first
        end = piece.rfind(b"\n") + 1
        if end > begin:
            yield self._tail + piece[begin:end]
            self._tail = b""
        self._hold(piece[end:])

    def rest(self) -> Iterator[bytes | None]:
        """The last line, when no LF ends it."""
        if self._too_long:
            yield None
        elif self._tail:
            yield self._tail + b"\n"

    def _hold(self, piece: bytes) -> None:
        self._tail = b"" if self._too_long else self._tail + piece
        if len(self._tail) > LINE_LIMIT_BYTES:
            self._tail, self._too_long = b"", True


def read_lines(dump: Dump) -> Iterator[tuple[int, LineBytes]]:
    """Lines of one dump with their numbers, counted from 1; blank lines included, without the LF.

    Raises:
        InputError, DamagedFileError: as `read_pieces`.
    """
    number = 0
    for run in read_runs(dump):
        for line in [None] if run is None else run[:-1].split(b"\n"):
            number += 1
            yield number, line


def _read(file: BinaryIO) -> bytes:
    try:
        return file.read(CHUNK_BYTES)
    except OSError as error:
        # The disk's fault, not the dump's: never taken for damage that may be allowed.
        raise InputError(f"expected a dump that can be read, found {error}, in {file.name}") from error


def _chunks(file: BinaryIO, advance: Callable[[int], None] | None) -> Iterator[bytes]:
    while chunk := _read(file):
        yield chunk
        if advance is not None:
            advance(len(chunk))


def _decoder_of(dump: Dump) -> Callable[[], _Decoder] | None:
    ending = PurePosixPath(dump.name).suffix.lower()
    if ending in _DECODERS:
        return _DECODERS[ending]
    # The month in a bare name such as RC_2006-01 is no suffix, so it is plain text too.
    if ending in _PLAIN or not ending:
        return None
    raise InputError(
        f"expected a dump ending in {', '.join(FORMATS)}, found {dump.location}",
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


def _damaged(dump: Dump, cause: str) -> DamagedFileError:
    return DamagedFileError(
        f"expected a whole dump, found a damaged one: {cause}, in {dump.location}",
        next_step="download it again and compare its checksum; or keep what precedes the damage: --allow-truncated",
    )
