"""One run at a time in a folder: an advisory file lock that the system releases when its holder dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sage_data.errors import LockedError

LOCK = ".lock"


@contextmanager
def run_lock(path: Path) -> Iterator[None]:
    """Hold the lock file `path` for the length of the block; never waits.

    Raises:
        LockedError: another process holds it; its process id is named.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            raise LockedError(
                f"{path.parent}: another run works here (process {holder} holds {path.name})",
                next_step="wait for it to end, or choose another folder",
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
