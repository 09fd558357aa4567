"""Runs a command and measures its whole process tree: CPU seconds, wall time, peak memory, peak disk use. Linux only.

CPU seconds are what the kernel charged every process that ended, grandchildren and orphans included. Memory is sampled:
the sum of proportional set sizes (a page shared by two processes counts once), and never less than the high-water mark
of the largest process, which no sample misses.

    usage = measure(["sage", "data", "gate", "dialogues", "--out", "kept"], log=Path("gate.log"))
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SAMPLE_SECONDS = 0.05
DISK_EVERY = 10
"""Disk use is looked at in every so-many-th sample."""
GRACE_SECONDS = 10.0
"""How long processes may outlive the command that started them."""
_SET_CHILD_SUBREAPER = 36
_KIB = 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """What a command took."""

    exit_code: int
    cpu_s: float
    wall_s: float
    peak_bytes: int
    """Resident memory of the process tree."""
    disk_bytes: int
    """Most that the watched folder held."""
    left_over: int
    """Processes that were still there `GRACE_SECONDS` after the command ended, and were killed."""

    def then(self, other: Usage) -> Usage:
        """Both, one after the other."""
        return Usage(
            self.exit_code or other.exit_code,
            self.cpu_s + other.cpu_s,
            self.wall_s + other.wall_s,
            max(self.peak_bytes, other.peak_bytes),
            max(self.disk_bytes, other.disk_bytes),
            self.left_over + other.left_over,
        )


@dataclass(slots=True)
class _Watch:
    """What is known of a running tree so far."""

    folder: Path | None
    cpu_s: float = 0.0
    peak_bytes: int = 0
    disk_bytes: int = 0
    samples: int = 0
    exit_codes: dict[int, int] = field(default_factory=dict)

    def sample(self) -> None:
        """Look at memory, and now and then at the disk."""
        memory = [_memory(pid) for pid in descendants()]
        together, largest = sum(pss for pss, _ in memory), max((peak for _, peak in memory), default=0)
        self.peak_bytes = max(self.peak_bytes, together, largest)
        if self.folder is not None and self.samples % DISK_EVERY == 0:
            self.disk_bytes = max(self.disk_bytes, disk_use(self.folder))
        self.samples += 1

    def reap(self) -> bool:
        """Take the accounts of children that ended; False when none is left."""
        while True:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            self.cpu_s += used.ru_utime + used.ru_stime
            self.exit_codes[pid] = os.waitstatus_to_exitcode(status)


def measure(
    command: Sequence[str], *, log: Path, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> Usage:
    """Run a command to its end, its output into `log`, and watch the disk use of `folder`.

    The calling process must have no other children.
    """
    adopt_orphans()
    watch = _Watch(folder)
    started = time.monotonic()
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
        )
    ended, left_over = 0.0, 0
    while watch.reap():
        watch.sample()
        if process.pid in watch.exit_codes:
            ended = ended or time.monotonic()
            if time.monotonic() - ended > GRACE_SECONDS:
                left_over += kill_descendants()
        time.sleep(SAMPLE_SECONDS)
    wall = (ended or time.monotonic()) - started
    if folder is not None:
        watch.disk_bytes = max(watch.disk_bytes, disk_use(folder))
    process.returncode = watch.exit_codes[process.pid]  # it was waited for here, so Popen must not try
    return Usage(process.returncode, watch.cpu_s, wall, watch.peak_bytes, watch.disk_bytes, left_over)


def adopt_orphans() -> None:
    """Make this process the parent of whatever its descendants leave behind, so that none gets away unseen."""
    ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants() -> list[int]:
    """Ids of all living processes below this one; those that ended and wait to be reaped are left out."""
    children: dict[int, list[int]] = {}
    for pid, parent in _living():
        children.setdefault(parent, []).append(pid)
    found = list(children.get(os.getpid(), ()))
    for pid in found:  # grows while it is read
        found.extend(children.get(pid, ()))
    return found


def kill_descendants() -> int:
    """Kill all processes below this one; returns how many there were."""
    killed = 0
    for pid in descendants():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        killed += 1
    return killed


def disk_use(folder: Path) -> int:
    """Bytes on disk of all files below a folder that may change meanwhile."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_blocks * 512  # noqa: PTH118 - half the time of Path
            except FileNotFoundError:
                continue
    return total


def _living() -> Iterator[tuple[int, int]]:
    """(process id, parent's id) of every process that has not ended."""
    for name in os.listdir("/proc"):  # noqa: PTH208 - plain names are wanted
        if not name.isdigit():
            continue
        try:
            text = Path(f"/proc/{name}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        # The program's name stands in brackets and may hold anything; state and parent follow the last one.
        state, parent = text.rpartition(")")[2].split()[:2]
        if state not in "ZX":
            yield int(name), int(parent)


def _memory(pid: int) -> tuple[int, int]:
    """(proportional set size now, largest resident set ever) of one process, in bytes; zeros when it has gone."""
    try:
        now = _field(Path(f"/proc/{pid}/smaps_rollup"), "Pss:")
        return now, _field(Path(f"/proc/{pid}/status"), "VmHWM:")
    except OSError:
        return 0, 0


def _field(path: Path, name: str) -> int:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * _KIB
    return 0
