"""Writes Pushshift-shaped monthly dumps of any size, with a gold file that says what must come out of them.

Threads are made one after the other in order of their start and written by a heap in order of time, so memory does not
grow with the size. Same seed and settings, same bytes. About 20,000 comments a second on one core.

    write_dumps(Path("dumps"), Path("gold"), seed=7, threads=1500)
"""

from __future__ import annotations

import bz2
import calendar
import gzip
import heapq
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import IO, cast

from sage_data.errors import ConfigError
from sage_data.sample.gold import GoldWriter
from sage_data.sample.shapes import bad_lines, comment_line, plain, submission_line
from sage_data.sample.threads import Draft, Ids, Thread, plant

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MONTHS = ("2012-11", "2012-12", "2013-01")
SUFFIXES = ("zst", "bz2", "gz")
LATE_SECONDS = 4 * 86_400
"""No thread starts in the last days, so that it ends inside the last month."""
SLACK_SECONDS = 7200
"""How far behind the newest thread a comment may still come; also how far lines are out of order."""
LATE_LINE_CHANCE, MISSING_SUBMISSION_CHANCE = 0.004, 0.05
BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class DumpTotals:
    """What was written."""

    threads: int
    comments: int
    """Comment lines that can be used, duplicates included."""
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class _Line:
    """A line on its way into its month's file."""

    due: int
    """Sort key: time of creation, or a little later for a line out of order."""
    serial: int
    month: int
    data: bytes
    tag: str
    """Why the reader must not use it ("" when it must); a comment's id follows after a space."""


class _MonthFile:
    """One dump file being written."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.name = path.name
        self.lines = 0
        self._file = _open(path, stack)
        self._parts: list[bytes] = []
        self._bytes = 0

    def write(self, data: bytes) -> int:
        """Add a line; returns its number, from 1."""
        self._parts += (data, b"\n")
        self._bytes += len(data)
        self.lines += 1
        if self._bytes > BUFFER_BYTES:
            self.flush()
        return self.lines

    def flush(self) -> None:
        self._file.write(b"".join(self._parts))
        self._parts.clear()
        self._bytes = 0


def _open(path: Path, stack: ExitStack) -> IO[bytes]:
    """Open a dump for writing, compressed as its name says; gzip without a time stamp, so that bytes repeat."""
    raw = stack.enter_context(path.open("wb"))
    packed: IO[bytes] = raw
    if path.suffix == ".bz2":
        packed = cast(IO[bytes], bz2.BZ2File(raw, "wb"))
    elif path.suffix == ".gz":
        packed = cast(IO[bytes], gzip.GzipFile(path.stem, "wb", fileobj=raw, mtime=0))
    elif path.suffix == ".zst":
        packed = cast(IO[bytes], zstd.ZstdFile(raw, "wb"))
    return stack.enter_context(packed)


def month_start(month: str) -> int:
    """Seconds since 1970 at which a month such as "2012-11" starts.

    Raises:
        ConfigError: it is not written so.
    """
    year, mark, number = month.partition("-")
    if not (mark and year.isdigit() and number.isdigit() and 1 <= int(number) <= 12):
        raise ConfigError(f"month: expected a text such as '2012-11', found {month!r}")
    return calendar.timegm((int(year), int(number), 1, 0, 0, 0))


def _bounds(months: Sequence[str]) -> list[int]:
    starts = [month_start(month) for month in months]
    year, number = map(int, months[-1].split("-"))
    starts.append(calendar.timegm((year + number // 12, number % 12 + 1, 1, 0, 0, 0)))
    if starts != sorted(set(starts)):
        raise ConfigError(f"months: expected them in order, each once, found {list(months)}")
    return starts


def write_dumps(
    folder: Path,
    gold_folder: Path,
    *,
    seed: int,
    threads: int,
    months: Sequence[str] = MONTHS,
    suffixes: Sequence[str] = SUFFIXES,
    dirt: bool = True,
) -> DumpTotals:
    """Write `RC_*` and `RS_*` for each month, and the gold files; `dirt` adds lines that cannot be used.

    Raises:
        ConfigError: the months are not in order.
    """
    bounds = _bounds(months)
    with ExitStack() as stack:
        names = [f"{month}.{suffixes[index % len(suffixes)]}" for index, month in enumerate(months)]
        files = [_MonthFile(folder / f"RC_{name}", stack) for name in names]
        submissions = [_MonthFile(folder / f"RS_{name}", stack) for name in names]
        gold = stack.enter_context(GoldWriter(gold_folder))
        run = _Run(seed, threads, bounds, gold, dirt)
        for line in run.lines():
            if line.tag == "submission":
                submissions[line.month].write(line.data)
                continue
            number = files[line.month].write(line.data)
            gold.line(files[line.month].name, number, line.tag)
        for file in (*files, *submissions):
            file.flush()
    return DumpTotals(threads, gold.comments, tuple(sorted(file.name for file in (*files, *submissions))))


class _Run:
    """The lines of all months, in the order in which they are written."""

    def __init__(self, seed: int, threads: int, bounds: Sequence[int], gold: GoldWriter, dirt: bool) -> None:
        self.seed, self.threads, self.bounds, self.gold = seed, threads, bounds, gold
        self._heap: list[tuple[int, int, int, bytes, str]] = []
        self._serial = 0
        self._ids = Ids()
        self._dirt = bad_lines("CasualTalk") if dirt else []

    def lines(self) -> Iterator[_Line]:
        """All lines."""
        first, last = self.bounds[0], self.bounds[-1] - LATE_SECONDS
        step = (last - first) / max(1, self.threads)
        self._spread_dirt(first, last)
        for index in range(self.threads):
            rng = Random(f"{self.seed}:thread:{index}")
            start = int(first + (index + rng.random()) * step)
            yield from self._until(start - SLACK_SECONDS)
            self._add(rng, plant(rng, self._ids), start)
        yield from self._until(None)

    def _until(self, time: int | None) -> Iterator[_Line]:
        while self._heap and (time is None or self._heap[0][0] < time):
            yield _Line(*heapq.heappop(self._heap))

    def _push(self, due: int, created: int, data: bytes, tag: str = "") -> None:
        month = 0
        while created >= self.bounds[month + 1]:
            month += 1
        heapq.heappush(self._heap, (due, self._serial, month, data, tag))
        self._serial += 1

    def _spread_dirt(self, first: int, last: int) -> None:
        for index, (data, reason) in enumerate([*self._dirt, (b"", "blank")] if self._dirt else []):
            due = first + (index + 1) * (last - first) // (len(self._dirt) + 2)
            self._push(due, due, data, str(reason))

    def _add(self, rng: Random, thread: Thread, start: int) -> None:
        if rng.random() > MISSING_SUBMISSION_CHANCE:
            self._push(
                start - 60, max(start - 60, self.bounds[0]), submission_line(rng, thread, start - 60), "submission"
            )
        created, times = start, {}
        newest = self.bounds[-1] - 1
        for draft in thread.drafts:
            created = min(newest, max(self.bounds[0], created + draft.wait))
            times[draft.id] = created
            self._comment(rng, draft, thread, created)
        self.gold.thread(thread, times)

    def _comment(self, rng: Random, draft: Draft, thread: Thread, created: int) -> None:
        chance = rng.random()
        data = comment_line(draft, thread, created, chance)
        draft.body = plain(draft.body, chance)
        due = created + rng.randrange(SLACK_SECONDS) if rng.random() < LATE_LINE_CHANCE else created
        self._push(due, created, data, f"{draft.drop} {draft.id}" if draft.drop else "")
        if draft.twice:
            self._push(due + 1, created, data, f"duplicate {draft.id}")
