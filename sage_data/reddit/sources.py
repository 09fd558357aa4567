"""Where dumps lie: finds them in folders and object stores, and opens them as they are, still compressed.

A location is a local path, or anything with `://` in it, which fsspec opens (`s3://bucket/reddit/RC_2005-12.zst`). A
remote dump is fetched in blocks of `BLOCK_BYTES` and never held whole; each block is held against the size that the
store stated, so that a lost connection is an error and never a shorter file.

    for dump in find_dumps(["dumps/", "s3://bucket/reddit"], "RC_*"):
        with open_dump(dump) as file: ...
"""

from __future__ import annotations

import glob
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from sage_data.errors import InputError, MissingDependencyError, SageError
from sage_data.inputs import is_url

BLOCK_BYTES = 8_388_608
"""Bytes asked of a remote store at once. Two such blocks are in memory while one is being fetched."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Dump:
    """One dump file."""

    location: str
    """Absolute local path, or URL: the same file from any working folder."""
    name: str
    """File name without folders; distinct among the dumps of a run."""
    bytes: int
    """Size as stored, compressed."""


def find_dumps(locations: Sequence[str], pattern: str) -> list[Dump]:
    """The dumps among `locations`: files as they are, folders by glob pattern; sorted by name.

    A URL may itself hold `*`, because no shell expands it.

    Raises:
        InputError: a location is missing or out of reach, a folder holds no dump, or two dumps have the same name and
            could not be told apart later.
        MissingDependencyError: a URL needs a package that is not installed.
    """
    found: dict[str, Dump] = {}
    for location in locations:
        inside = list(_remote_dumps(location, pattern) if is_url(location) else _local_dumps(location, pattern))
        if not inside:
            raise InputError(
                f"expected dump files named {pattern}, found none in {location}",
                next_step="give the files themselves, or another pattern with --set files=...",
            )
        for dump in inside:
            first = found.setdefault(dump.name, dump)
            if first.location != dump.location:
                raise InputError(
                    f"expected dumps with different names, found two called {dump.name}: {first.location} and "
                    f"{dump.location}",
                    next_step="rename one of them",
                )
    return [found[name] for name in sorted(found)]


def local_dump(path: Path) -> Dump:
    """The dump at a local path, links followed.

    Raises:
        InputError: there is no file.
    """
    real = path.resolve()
    try:
        return Dump(str(real), path.name, real.stat().st_size)
    except OSError as error:
        raise InputError(f"expected a dump, found {error.strerror} at {path}") from error


def open_dump(dump: Dump) -> BinaryIO:
    """The bytes of a dump as stored, to be read from front to back; the caller closes.

    Reading a remote dump raises `InputError` when the store fails or gives fewer bytes than the dump has.

    Raises:
        InputError: the dump cannot be opened.
        MissingDependencyError: its URL needs a package that is not installed.
    """
    if is_url(dump.location):
        return io.BufferedReader(_RemoteFile(dump), BLOCK_BYTES)
    try:
        return Path(dump.location).open("rb", buffering=0)
    except OSError as error:
        raise InputError(f"expected a readable dump file, found {error.strerror} at {dump.location}") from error


def _local_dumps(location: str, pattern: str) -> Iterator[Dump]:
    path = Path(location)
    if path.is_dir():
        return (local_dump(one) for one in path.glob(pattern) if one.is_file())
    return iter([local_dump(path)])


def _remote_dumps(location: str, pattern: str) -> Iterator[Dump]:
    system, path = _filesystem(location)
    wanted = path
    if not glob.has_magic(path) or _asked(location, lambda: system.exists(path)):
        entry = _asked(location, lambda: system.info(path))
        if entry["type"] == "file":
            yield _remote_dump(system.unstrip_protocol(path), entry)
            return
        wanted = f"{glob.escape(path.rstrip('/'))}/{pattern}"
    entries = _asked(location, lambda: system.glob(wanted, detail=True))
    for name, entry in entries.items():
        if entry["type"] == "file":
            yield _remote_dump(system.unstrip_protocol(name), entry)


def _remote_dump(location: str, entry: dict[str, Any]) -> Dump:
    size = entry.get("size")
    if size is None:
        raise InputError(
            f"expected a store that states the size of a file, found none for {location}",
            next_step="download the file and give its path",
        )
    return Dump(location, location.rsplit("/", 1)[-1], int(size))


def _filesystem(location: str) -> tuple[Any, str]:
    """The fsspec file system of a URL, and the path within it."""
    scheme = location.split("://", 1)[0]
    try:
        import fsspec

        system, path = _asked(location, lambda: fsspec.core.url_to_fs(location))
    except ImportError as error:
        needed = "'sage-dialogue[s3]'" if scheme in {"s3", "s3a", "memory"} else f"the fsspec package for {scheme}"
        raise MissingDependencyError(
            f"expected a package that opens {scheme}:// locations, found none: {error}, for {location}",
            next_step=f"pip install {needed}",
        ) from error
    return system, path


def _asked(location: str, question: Callable[[], T]) -> T:
    """The store's answer. Clients raise all kinds of errors, many of which are no `OSError`."""
    try:
        return question()
    except (ImportError, SageError):
        raise
    except FileNotFoundError as error:
        raise InputError(f"expected a dump or a folder of dumps, found nothing at {location}") from error
    except Exception as error:
        raise InputError(
            f"expected a store that can be read, found {type(error).__name__}: {error}, at {location}",
            next_step="check the address, the network and the credentials",
        ) from error


class _RemoteFile(io.RawIOBase):
    """A file in a store, fetched range by range."""

    def __init__(self, dump: Dump) -> None:
        super().__init__()
        self._dump = dump
        self._system, self._path = _filesystem(dump.location)
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to another place, as Parquet's readers do."""
        self._place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._dump.bytes}[whence]
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer from the store; fewer bytes only at the end of the file.

        Raises:
            InputError: the store failed, or gave another number of bytes than were asked for.
        """
        target = memoryview(buffer).cast("B")
        end = min(self._place + len(target), self._dump.bytes)
        if end <= self._place:
            return 0
        try:
            data = self._system.cat_file(self._path, start=self._place, end=end)
        except Exception as error:
            raise self._lost(f"{type(error).__name__}: {error}") from error
        if len(data) != end - self._place:
            raise self._lost(f"{len(data):,} bytes where {end - self._place:,} were asked for")
        target[: len(data)] = data
        self._place = end
        return len(data)

    def _lost(self, cause: str) -> InputError:
        # No DamagedFileError: the file may be whole, so what came of it must never be taken for all there is.
        return InputError(
            f"expected {self._dump.bytes:,} bytes, found {cause} after {self._place:,}, in {self._dump.location}",
            next_step="run again: finished work is kept; if it stays, compare the file's size and checksum",
        )
