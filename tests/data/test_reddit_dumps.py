"""Dumps of every format are read whole, and damage is never silent."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sage_data.errors import DamagedFileError, InputError
from sage_data.reddit import dumps
from sage_data.reddit.dumps import read_lines, read_pieces, read_runs
from sage_data.reddit.reasons import LINE_LIMIT_BYTES
from sage_data.reddit.sources import local_dump

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def compress_zstd(data: bytes, window_log: int = 20) -> bytes:
    options: dict[int, int] = {
        zstd.CompressionParameter.window_log: window_log,
        zstd.CompressionParameter.checksum_flag: 1,
    }
    compressor = zstd.ZstdCompressor(options=options)
    return compressor.compress(data) + compressor.flush()


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".zst": compress_zstd,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
    ".gz": lambda data: gzip.compress(data, mtime=0),
}


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    """20,000 lines with characters of two to four bytes, which a cut in the wrong place would break."""
    source = random.Random(7)
    return [f"{number} žluťoučký 中文 🎉 {source.random()}".encode() for number in range(20_000)]


def write(folder: Path, ending: str, data: bytes) -> Path:
    path = folder / f"RC_2006-01{ending}"
    path.write_bytes(data)
    return path


def content(path: Path) -> list[bytes | None]:
    numbered = list(read_lines(local_dump(path)))
    assert [number for number, _ in numbered] == list(range(1, len(numbered) + 1))
    return [line for _, line in numbered]


@pytest.mark.parametrize("ending", [*COMPRESS, ".jsonl", ""])
def test_every_format_gives_the_same_lines(ending: str, tmp_path: Path, lines: list[bytes]) -> None:
    data = b"\n".join(lines) + b"\n"
    assert content(write(tmp_path, ending, COMPRESS.get(ending, bytes)(data))) == lines


@pytest.mark.parametrize("ending", [".zst", ".jsonl"])
def test_a_byte_order_mark_in_front_is_no_content(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"RC_2006-01{ending}"
    content = codecs.BOM_UTF8 + b"one\n" + codecs.BOM_UTF8 + b"two\n"
    path.write_bytes(COMPRESS[ending](content) if ending in COMPRESS else content)
    assert list(read_lines(local_dump(path))) == [(1, b"one"), (2, codecs.BOM_UTF8 + b"two")]


def test_small_pieces_change_nothing(tmp_path: Path, lines: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dumps, "CHUNK_BYTES", 13)
    monkeypatch.setattr(dumps, "PIECE_BYTES", 7)
    few = lines[:200]
    for ending, compress in COMPRESS.items():
        assert content(write(tmp_path, ending, compress(b"\n".join(few)))) == few


@pytest.mark.parametrize("ending", COMPRESS)
def test_streams_in_a_row_are_all_read(ending: str, tmp_path: Path) -> None:
    compress = COMPRESS[ending]
    path = write(tmp_path, ending, compress(b"one\ntw") + compress(b"") + compress(b"o\nthree\n"))
    assert content(path) == [b"one", b"two", b"three"]


def test_skippable_zstd_frames_and_padding_are_no_damage(tmp_path: Path) -> None:
    skippable = b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"
    assert content(write(tmp_path, ".zst", skippable + compress_zstd(b"one\n"))) == [b"one"]
    assert content(write(tmp_path, ".gz", gzip.compress(b"one\n") + b"\0" * 1_000)) == [b"one"]


@pytest.mark.parametrize("window_log", [28, 31])
def test_windows_of_pushshift_are_read(window_log: int, tmp_path: Path) -> None:
    frame = bytearray(compress_zstd(b"one\ntwo\n", window_log=28))
    frame[5] = (window_log - 10) << 3  # the header's window byte, so that the test need not hold 2 GiB
    with pytest.raises(zstd.ZstdError):
        zstd.decompress(bytes(frame))
    assert content(write(tmp_path, ".zst", bytes(frame))) == [b"one", b"two"]


@pytest.mark.parametrize("ending", COMPRESS)
@pytest.mark.parametrize("left", [0.02, 0.5, 0.999])
def test_a_cut_file_is_named(ending: str, left: float, tmp_path: Path, lines: list[bytes]) -> None:
    whole = COMPRESS[ending](b"\n".join(lines))
    path = write(tmp_path, ending, whole[: int(len(whole) * left)])
    with pytest.raises(DamagedFileError, match=path.name):
        content(path)


@pytest.mark.parametrize("ending", COMPRESS)
@pytest.mark.parametrize("place", [0.0, 0.3, 0.7])
def test_a_flipped_byte_is_named(ending: str, place: float, tmp_path: Path, lines: list[bytes]) -> None:
    damaged = bytearray(COMPRESS[ending](b"\n".join(lines)))
    damaged[int(len(damaged) * place)] ^= 0xFF
    path = write(tmp_path, ending, bytes(damaged))
    with pytest.raises(DamagedFileError, match=path.name):
        content(path)


@pytest.mark.parametrize("ending", COMPRESS)
def test_damage_to_a_later_stream_is_not_taken_for_padding(ending: str, tmp_path: Path) -> None:
    compress = COMPRESS[ending]
    second = bytearray(compress(b"two\n"))
    second[0] ^= 0xFF
    path = write(tmp_path, ending, compress(b"one\n") + bytes(second))
    with pytest.raises(DamagedFileError, match=path.name):
        content(path)


@pytest.mark.parametrize("ending", [*COMPRESS, ".jsonl"])
def test_an_empty_file_is_damaged(ending: str, tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError, match="no content"):
        content(write(tmp_path, ending, b""))


@pytest.mark.parametrize("ending", COMPRESS)
def test_an_empty_stream_is_damaged(ending: str, tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError, match="no content"):
        content(write(tmp_path, ending, COMPRESS[ending](b"")))


def test_another_format_under_the_name_is_damage(tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError):
        content(write(tmp_path, ".zst", bz2.compress(b"one\n")))


def test_unknown_formats_and_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.zst, \.xz"):
        content(write(tmp_path, ".rar", b"x"))
    with pytest.raises(InputError, match="No such file"):
        content(tmp_path / "RC_2006-02.zst")


def test_lines_over_the_limit_are_let_go(tmp_path: Path) -> None:
    at_limit, over = b"a" * LINE_LIMIT_BYTES, b"b" * (LINE_LIMIT_BYTES + 1)
    path = write(tmp_path, ".jsonl", b"\n".join([b"first", over, at_limit, over * 9, b"", b"last", over]))
    assert content(path) == [b"first", None, at_limit, None, b"", b"last", None]


def test_a_bomb_comes_in_bounded_pieces(tmp_path: Path) -> None:
    for ending in (".zst", ".gz", ".bz2"):
        path = write(tmp_path, ending, COMPRESS[ending](b"\0" * 50_000_000))
        sizes = [len(piece) for piece in read_pieces(local_dump(path))]
        assert sum(sizes) == 50_000_000
        assert max(sizes) <= dumps.PIECE_BYTES


@pytest.mark.parametrize("ending", COMPRESS)
def test_whole_lines_before_the_damage_come_first(ending: str, tmp_path: Path, lines: list[bytes]) -> None:
    whole = COMPRESS[ending](b"\n".join(lines))
    path = write(tmp_path, ending, whole[: int(len(whole) * 0.7)])
    found: list[bytes] = []

    def read() -> None:
        for run in read_runs(local_dump(path)):
            assert run is not None
            found.extend(run[:-1].split(b"\n"))

    with pytest.raises(DamagedFileError, match="allow-truncated"):
        read()
    assert found[:-1] == lines[: max(len(found) - 1, 0)], "a cut line may only be the last"
    assert found or ending in {".bz2", ".zst"}


def test_raw_bytes_are_told_as_they_are_read(tmp_path: Path, lines: list[bytes]) -> None:
    path = write(tmp_path, ".zst", compress_zstd(b"\n".join(lines)))
    told: list[int] = []
    assert sum(1 for _ in read_runs(local_dump(path), told.append)) > 1
    assert sum(told) == path.stat().st_size
