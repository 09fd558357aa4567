"""Progress on stderr: a live bar on a terminal, one line every thirty seconds elsewhere, nothing when silenced.

Work measured in the unit "bytes" is shown in kB, MB, GB and so on. Amounts may be fractions, and 0: who polls workers
advances by what is new, however little.

    with context.progress("reading dumps", total, "bytes") as bar: bar.advance(65_536)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import ProgressColumn

SECONDS_BETWEEN_LINES = 30.0
BYTES = "bytes"
"""The unit whose amounts are shown in MB and GB."""
_SCALES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "bytes"))
Clock = Callable[[], float]
"""Seconds from any fixed moment."""


class Bar(Protocol):
    """Progress of one part of a stage."""

    def advance(self, amount: float = 1) -> None:
        """Say that `amount` more units are done."""
        ...


class Progress(Protocol):
    """Where progress is shown."""

    def bar(self, label: str, total: int | None, unit: str) -> AbstractContextManager[Bar]:
        """Open a bar; it closes with the block."""
        ...

    def say(self, message: str) -> None:
        """Print one line."""
        ...


class _NoBar:
    def advance(self, amount: float = 1) -> None:
        """Ignore it."""


class SilentProgress:
    """Shows nothing."""

    @contextmanager
    def bar(self, label: str, total: int | None, unit: str) -> Iterator[Bar]:
        """A bar that is not shown."""
        yield _NoBar()

    def say(self, message: str) -> None:
        """Print nothing."""


class _LineBar:
    def __init__(self, label: str, total: int | None, unit: str, stream: TextIO, clock: Clock) -> None:
        self._label, self._total, self._unit, self._stream, self._clock = label, total, unit, stream, clock
        self._done = 0.0
        self._began = self._printed = clock()

    def advance(self, amount: float = 1) -> None:
        """Count, and print a line if the last one is old enough."""
        self._done += amount
        now = self._clock()
        if now - self._printed >= SECONDS_BETWEEN_LINES:
            self._printed = now
            shown = self._in_bytes if self._unit == BYTES else self._in_units
            rate = self._done / max(now - self._began, 1e-9)
            print(f"  {self._label}: {shown(rate)}", file=self._stream, flush=True)

    def _in_units(self, rate: float) -> str:
        of = f" of {self._total:,}" if self._total else ""
        return f"{self._done:,.0f}{of} {self._unit}{self._left(rate)} ({rate:,.1f} {self._unit}/s)"

    def _in_bytes(self, rate: float) -> str:
        scale, name = _scale(self._total or self._done)
        of = f" of {_short(self._total / scale)}" if self._total else ""
        rate_scale, rate_name = _scale(rate)
        speed = f"{_short(rate / rate_scale)} {rate_name}/s"
        return f"{_short(self._done / scale)}{of} {name} ({speed}){self._left(rate)}"

    def _left(self, rate: float) -> str:
        """The time left at the mean rate so far; empty when it cannot be known."""
        if not self._total or rate <= 0:
            return ""
        return f", about {_duration(max(self._total - self._done, 0) / rate)} left"


def _scale(amount: float) -> tuple[float, str]:
    """The largest unit of bytes that the amount reaches: (its size, its name)."""
    return next((one for one in _SCALES if amount >= one[0]), _SCALES[-1])


def _short(value: float) -> str:
    """One decimal below ten, none above."""
    return f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"


def _duration(seconds: float) -> str:
    """Seconds, minutes or hours, whichever reads best."""
    if seconds < 120:
        return f"{seconds:,.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:,.0f} min"
    return f"{seconds / 3600:,.1f} h"


class LineProgress:
    """One line every thirty seconds: for logs and CI."""

    def __init__(self, stream: TextIO | None = None, clock: Clock = time.monotonic) -> None:
        self._stream, self._clock = stream or sys.stderr, clock

    @contextmanager
    def bar(self, label: str, total: int | None, unit: str) -> Iterator[Bar]:
        """A bar in lines."""
        yield _LineBar(label, total, unit, self._stream, self._clock)

    def say(self, message: str) -> None:
        """Print one line."""
        print(message, file=self._stream, flush=True)


class LiveProgress:
    """A rich bar with rate and time left: for terminals."""

    def __init__(self, console: Console | None = None, clock: Clock = time.monotonic) -> None:
        from rich.console import Console

        self._console, self._clock = console or Console(stderr=True), clock

    @contextmanager
    def bar(self, label: str, total: int | None, unit: str) -> Iterator[Bar]:
        """A live bar."""
        from rich.progress import Progress as RichProgress

        columns = _columns(unit)
        with RichProgress(*columns, console=self._console, transient=True, get_time=self._clock) as shown:
            task = shown.add_task(label, total=total)
            yield _TaskBar(partial(shown.advance, task))

    def say(self, message: str) -> None:
        """Print one line."""
        self._console.print(message, markup=False, highlight=False)


def _columns(unit: str) -> list[ProgressColumn]:
    """What a live bar shows, from left to right."""
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    amounts = [DownloadColumn(), TransferSpeedColumn()] if unit == BYTES else [MofNCompleteColumn(), TextColumn(unit)]
    return [TextColumn("  {task.description}", markup=False), BarColumn(), *amounts, TimeRemainingColumn()]


class _TaskBar:
    def __init__(self, advance: Callable[[float], None]) -> None:
        self._advance = advance

    def advance(self, amount: float = 1) -> None:
        """Move the bar."""
        self._advance(amount)


def choose_progress(*, quiet: bool, live: bool) -> Progress:
    """The progress display that suits the options and the terminal."""
    if quiet:
        return SilentProgress()
    return LiveProgress() if live and sys.stderr.isatty() else LineProgress()
