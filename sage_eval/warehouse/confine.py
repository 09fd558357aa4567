"""Limits that hold for a whole process, for when all it does is answer one question.

DuckDB keeps its own memory limit and can be interrupted, but not within one call of a function: `repeat('x', 4e9)`
takes what it wants for as long as it wants. The operating system stops that. Memory is limited on Linux only.

    with confined(memory_bytes, seconds): ...
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GRACE_S = 5.0
"""How long after its time a query may take to notice that it was interrupted."""
SLACK = 256 * 2**20
"""Bytes for everything but the query and its answer, each of which may take the memory limit."""
_EXIT = 2


@contextmanager
def confined(memory_bytes: int, timeout_s: float) -> Iterator[None]:
    """Inside, this process gets little more memory, and it ends if it does not come back in time."""
    timer = threading.Timer(timeout_s + GRACE_S, _end, [timeout_s])
    timer.daemon = True
    timer.start()
    try:
        with _limited(2 * memory_bytes + SLACK):
            yield
    finally:
        timer.cancel()


def _end(timeout_s: float) -> None:
    sys.stderr.write(
        f"error: the query was stopped after {timeout_s:g} s and {GRACE_S:g} s more: it is inside one long call that "
        "cannot be interrupted\n"
    )
    sys.stderr.flush()
    os._exit(_EXIT)


@contextmanager
def _limited(more: int) -> Iterator[None]:
    used = _data_bytes()
    if used is None:
        yield
        return
    # Unix alone has it.
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = used + more
    unlimited = resource.RLIM_INFINITY
    tighter = wanted if hard == unlimited else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (tighter if soft == unlimited else min(tighter, soft), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_bytes() -> int | None:
    """What counts against the limit now; None where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("VmData:")]
    return int(found[0]) * 1024 if found else None
