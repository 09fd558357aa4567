"""Dumps are found and read wherever they lie, and a store that fails is never a shorter dump."""

from __future__ import annotations

import hashlib
import pickle
import random
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from fake_credentials import use_fake_credentials

from sage_data.errors import InputError, MissingDependencyError
from sage_data.reddit import sources
from sage_data.reddit.sources import Dump, find_dumps, local_dump, open_dump

fsspec = pytest.importorskip("fsspec")

BLOB = random.Random(5).randbytes(300_000)


def read(dump: Dump, amount: int = 65_536) -> bytes:
    with open_dump(dump) as file:
        return b"".join(iter(lambda: file.read(amount), b""))


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A folder in memory with two dumps and something else."""
    monkeypatch.setattr(sources, "BLOCK_BYTES", 100_000)
    system = fsspec.filesystem("memory")
    system.pipe({"/reddit/RC_2006-01.zst": BLOB, "/reddit/RC_2005-12.zst": b"older", "/reddit/readme.txt": b"hello"})
    yield "memory://reddit"
    system.rm("/reddit", recursive=True)


def test_local_files_and_folders(tmp_path: Path) -> None:
    folder = tmp_path / "dumps"
    (folder / "RC_folder").mkdir(parents=True)
    (folder / "RC_2006-01.bz2").write_bytes(b"12345")
    (folder / "other.txt").write_bytes(b"x")
    single = tmp_path / "A_2005.zst"
    single.write_bytes(b"123")
    found = find_dumps([str(folder), str(single), str(folder / "RC_2006-01.bz2")], "RC_*")
    assert [(dump.name, dump.bytes) for dump in found] == [("A_2005.zst", 3), ("RC_2006-01.bz2", 5)]
    assert [read(dump) for dump in found] == [b"123", b"12345"]


def test_a_dump_is_found_from_any_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "RC_1.zst").write_bytes(b"123")
    monkeypatch.chdir(tmp_path)
    dumps = [*find_dumps(["RC_1.zst", "."], "RC_*"), local_dump(Path("RC_1.zst"))]
    monkeypatch.chdir("/")
    assert [read(dump) for dump in pickle.loads(pickle.dumps(dumps))] == [b"123", b"123"]
    assert dumps[0] == dumps[1]


def test_two_dumps_of_one_name_are_refused(tmp_path: Path, store: str) -> None:
    (tmp_path / "RC_2005-12.zst").write_bytes(b"x")
    with pytest.raises(InputError, match=r"two called RC_2005-12.zst: .*memory://"):
        find_dumps([str(tmp_path), store], "RC_*")
    with pytest.raises(InputError, match="found none in"):
        find_dumps([str(tmp_path)], "RS_*")


@pytest.mark.parametrize("missing", ["nowhere/RC_2005-12.zst", "memory://nowhere/RC_2005-12.zst"])
def test_a_missing_location_is_named(missing: str) -> None:
    with pytest.raises(InputError, match=missing):
        find_dumps([missing], "RC_*")


def test_a_dump_that_has_gone_since_is_named(tmp_path: Path, store: str) -> None:
    gone = tmp_path / "RC_1.zst"
    gone.write_bytes(b"x")
    dumps = find_dumps([str(gone), f"{store}/RC_2006-01.zst"], "RC_*")
    gone.unlink()
    fsspec.filesystem("memory").rm("/reddit/RC_2006-01.zst")
    for dump in dumps:
        with pytest.raises(InputError, match=dump.location):
            read(dump)


def test_folders_and_files_of_a_store_mix_with_local_ones(tmp_path: Path, store: str) -> None:
    (tmp_path / "RC_2007-01.zst").write_bytes(b"local")
    locations = [store, str(tmp_path), "memory://reddit/RC_2005-12.zst", f"{store}/*.txt"]
    found = find_dumps(locations, "RC_*")
    assert [(dump.name, dump.bytes) for dump in found] == [
        ("RC_2005-12.zst", 5),
        ("RC_2006-01.zst", 300_000),
        ("RC_2007-01.zst", 5),
        ("readme.txt", 5),
    ]
    assert [len(read(dump)) for dump in found] == [5, 300_000, 5, 5]


@pytest.mark.parametrize("amount", [1_000, 99_999, 100_000, 100_001, 1_000_000])
def test_blocks_join_without_a_seam(store: str, amount: int) -> None:
    assert read(find_dumps([f"{store}/RC_2006-01.zst"], "")[0], amount) == BLOB


@pytest.mark.parametrize("change", [-1, -150_000, 1, 150_000])
def test_another_size_than_stated_is_damage(store: str, change: int) -> None:
    dump = find_dumps([f"{store}/RC_2006-01.zst"], "")[0]
    wrong = Dump(dump.location, dump.name, dump.bytes + change)
    if change > 0:
        with pytest.raises(InputError, match=r"RC_2006-01.zst"):
            read(wrong)
    else:
        assert len(read(wrong)) == wrong.bytes


def test_a_store_that_fails_midway_is_damage(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dump = find_dumps([f"{store}/RC_2006-01.zst"], "")[0]
    whole = type(fsspec.filesystem("memory")).cat_file

    def failing(system: object, path: str, start: int, end: int) -> bytes:
        if start >= 200_000:
            raise ConnectionResetError("connection reset by peer")
        return bytes(whole(system, path, start, end))

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "cat_file", failing)
    with pytest.raises(InputError, match=r"reset by peer after 200,000, in memory:///reddit/RC_2006-01.zst"):
        read(dump)


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(MissingDependencyError, match="s3") as caught:
        find_dumps(["s3://bucket/RC_2005-12.zst"], "RC_*")
    assert caught.value.next_step == "pip install 'sage-dialogue[s3]'"
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingDependencyError):
        open_dump(Dump("s3://bucket/RC_2005-12.zst", "RC_2005-12.zst", 1))
    monkeypatch.undo()
    with pytest.raises(InputError, match="nonsense"):
        find_dumps(["nonsense://bucket/RC_2005-12.zst"], "RC_*")


# A real S3 server on this machine.


@pytest.fixture
def bucket(s3_client: Any) -> str:
    """A bucket with two dumps in a folder, one of 20 MB."""
    pytest.importorskip("s3fs")
    s3_client.create_bucket(Bucket="dumps")
    for key, body in {
        "reddit/RC_2006-01.zst": BLOB * 70,
        "reddit/RC_2005-12.zst": b"old",
        "reddit/x.txt": b"x",
    }.items():
        s3_client.put_object(Bucket="dumps", Key=key, Body=body)
    return "s3://dumps/reddit"


@pytest.mark.slow
def test_s3_dumps_are_found_and_read(bucket: str, tmp_path: Path) -> None:
    found = find_dumps([bucket], "RC_*")
    assert [(dump.name, dump.bytes) for dump in found] == [("RC_2005-12.zst", 3), ("RC_2006-01.zst", 21_000_000)]
    assert found == find_dumps([f"{bucket}/RC_2006-01.zst", f"{bucket}/", f"{bucket}/RC_*.zst"], "RC_*")
    assert hashlib.sha256(read(found[1])).digest() == hashlib.sha256(BLOB * 70).digest()
    with pytest.raises(InputError, match=f"{bucket}/RC_1999"):
        find_dumps([f"{bucket}/RC_1999-01.zst"], "RC_*")
    with pytest.raises(InputError, match="s3://no-such-bucket"):
        find_dumps(["s3://no-such-bucket/reddit"], "RC_*")


class _CutsOff(BaseHTTPRequestHandler):
    """An S3 server that says an object has 20 MB and breaks the connection 1 MB into every answer."""

    def do_HEAD(self) -> None:
        self._head(200, 20_000_000)

    def do_GET(self) -> None:
        self._head(206, 8_388_608)
        self.wfile.write(b"x" * 1_000_000)
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def _head(self, code: int, length: int) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(length))
        self.send_header("Last-Modified", "Wed, 01 Feb 2006 00:00:00 GMT")
        self.send_header("ETag", '"1"')
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.mark.slow
def test_an_s3_connection_that_is_cut_is_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    s3fs = pytest.importorskip("s3fs")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _CutsOff)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    use_fake_credentials(monkeypatch, f"http://127.0.0.1:{server.server_port}")
    s3fs.S3FileSystem.clear_instance_cache()
    try:
        dump = find_dumps(["s3://dumps/RC_2006-01.zst"], "RC_*")[0]
        assert dump.bytes == 20_000_000
        with pytest.raises(InputError, match=r"after 0, in s3://dumps/RC_2006-01.zst"):
            read(dump)
    finally:
        server.shutdown()
        server.server_close()
        s3fs.S3FileSystem.clear_instance_cache()
