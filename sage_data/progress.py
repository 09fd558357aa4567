"""Progress on stderr: a live bar on a terminal, one line every thirty seconds elsewhere, nothing when silenced."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Protocol, TextIO

SECONDS_BETWEEN_LINES = 30.0


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
    def __init__(self, label: str, total: int | None, unit: str, stream: TextIO) -> None:
        self._label, self._total, self._unit, self._stream = label, total, unit, stream
        self._done = 0.0
        self._began = self._printed = time.monotonic()

    def advance(self, amount: float = 1) -> None:
        """Count, and print a line if the last one is old enough."""
        self._done += amount
        now = time.monotonic()
        if now - self._printed >= SECONDS_BETWEEN_LINES:
            self._printed = now
            self._print(now)

    def _print(self, now: float) -> None:
        rate = self._done / max(now - self._began, 1e-9)
        line = f"  {self._label}: {self._done:,.0f}"
        if self._total:
            left = max(self._total - self._done, 0) / max(rate, 1e-9)
            line += f" of {self._total:,} {self._unit}, about {left:,.0f} s left"
        else:
            line += f" {self._unit}"
        print(f"{line} ({rate:,.1f} {self._unit}/s)", file=self._stream, flush=True)


class LineProgress:
    """One line every thirty seconds: for logs and CI."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr

    @contextmanager
    def bar(self, label: str, total: int | None, unit: str) -> Iterator[Bar]:
        """A bar in lines."""
        yield _LineBar(label, total, unit, self._stream)

    def say(self, message: str) -> None:
        """Print one line."""
        print(message, file=self._stream, flush=True)


class LiveProgress:
    """A rich bar with rate and time left: for terminals."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True)

    @contextmanager
    def bar(self, label: str, total: int | None, unit: str) -> Iterator[Bar]:
        """A live bar."""
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        columns = (
            TextColumn("  {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(unit),
            TimeRemainingColumn(),
        )
        with RichProgress(*columns, console=self._console, transient=True) as shown:
            task = shown.add_task(label, total=total)
            yield _TaskBar(partial(shown.advance, task))

    def say(self, message: str) -> None:
        """Print one line."""
        self._console.print(message, markup=False, highlight=False)


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
