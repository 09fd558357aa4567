"""Makes the dumps that are timed: once for a folder, and again only when other ones are asked for.

Same world, same bytes. About 40,000 comments a second on one core for a busy one, half of that for a planted one.

    dumps = make_world(Path("world"), World(comments=1_500_000))
"""

from __future__ import annotations

import heapq
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import IO, cast

from busy import Sayings, grow

from sage_data.sample.dumps import LATE_SECONDS, MONTHS, SLACK_SECONDS, month_start, write_dumps
from sage_data.sample.shapes import bad_lines, comment_line
from sage_data.sample.threads import Ids, Thread
from sage_data.store.files import atomic_path

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

STAMP = "world.json"
COMMENTS_A_THREAD = {"busy": 13.7, "planted": 7.27}
"""Means of the two kinds, from which the number of threads is reckoned."""
LONG_WINDOW_LOG = 31
SHAPE = 1
"""Raised when other bytes are made."""


@dataclass(frozen=True, slots=True)
class World:
    """What is asked for."""

    comments: int
    """About so many."""
    kind: str = "busy"
    """`busy`: the proportions of Reddit (`busy.py`); `planted`: the sample world, where two of three reach VADER."""
    seed: int = 7
    long_window: bool = False
    """Compress with `--long=31`, as Pushshift did; busy worlds only."""


def make_world(folder: Path, world: World) -> list[Path]:
    """The comment dumps below `folder`, made now or found there."""
    stamp = {**asdict(world), "shape": SHAPE}
    path = folder / "dumps" / STAMP
    if not path.is_file() or json.loads(path.read_text(encoding="utf-8")) != stamp:
        with atomic_path(folder / "dumps") as dumps:
            dumps.mkdir()
            threads = max(1, round(world.comments / COMMENTS_A_THREAD[world.kind]))
            if world.kind == "planted":
                write_dumps(dumps, dumps / "gold", seed=world.seed, threads=threads, suffixes=("zst",))
            else:
                _write_busy(dumps, world, threads)
            (dumps / STAMP).write_text(json.dumps(stamp), encoding="utf-8")
    return sorted((folder / "dumps").glob("RC_*"))


def _write_busy(folder: Path, world: World, threads: int) -> None:
    options: dict[int, int] = {zstd.CompressionParameter.compression_level: 3}
    if world.long_window:
        options[zstd.CompressionParameter.window_log] = LONG_WINDOW_LOG
        options[zstd.CompressionParameter.enable_long_distance_matching] = 1
    with ExitStack() as stack:
        files = [
            cast(IO[bytes], stack.enter_context(zstd.ZstdFile(folder / f"RC_{month}.zst", "wb", options=options)))
            for month in MONTHS
        ]
        starts = [month_start(month) for month in MONTHS]
        for created, line in _in_order_of_time(world.seed, threads, starts[0], starts[-1] + 27 * 86_400):
            month = max(number for number, start in enumerate(starts) if start <= created or number == 0)
            files[month].write(line + b"\n")


def _in_order_of_time(seed: int, threads: int, first: int, last: int) -> Iterator[tuple[int, bytes]]:
    """(time, line) of all comments; threads start one after the other, and run at the same time."""
    waiting: list[tuple[int, int, bytes]] = []
    serial, ids, sayings = 0, Ids(), Sayings(Random(f"{seed}:sayings"))
    for number, (line, _) in enumerate(bad_lines("CasualTalk")):
        waiting.append((first + 86_400 * (number + 1), -number, line))
    heapq.heapify(waiting)
    step = (last - LATE_SECONDS - first) / threads
    for index in range(threads):
        rng = Random(f"{seed}:busy:{index}")
        start = int(first + (index + rng.random()) * step)
        while waiting and waiting[0][0] < start - SLACK_SECONDS:
            created, _, line = heapq.heappop(waiting)
            yield created, line
        for created, line in _lines(rng, grow(rng, ids, sayings), start):
            serial += 1
            heapq.heappush(waiting, (created, serial, line))
    while waiting:
        created, _, line = heapq.heappop(waiting)
        yield created, line


def _lines(rng: Random, thread: Thread, start: int) -> Iterator[tuple[int, bytes]]:
    created = start
    for draft in thread.drafts:
        created = max(start - SLACK_SECONDS, created + draft.wait)
        line = comment_line(draft, thread, created, rng.random())
        yield created, line
        if draft.twice:
            yield created + 1, line
