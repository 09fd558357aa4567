"""What a person sees while a stage works: lines for logs, a live bar on a terminal."""

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from sage_data.progress import Bar, LineProgress, LiveProgress, SilentProgress, choose_progress


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def lines(total: int | None, unit: str, work: Callable[[Bar, Clock], None]) -> list[str]:
    """The lines printed while `work` advances a bar and its clock."""
    clock, stream = Clock(), io.StringIO()
    with LineProgress(stream, clock).bar("reading dumps", total, unit) as bar:
        work(bar, clock)
    return stream.getvalue().splitlines()


def step(*moves: tuple[float, float]) -> Callable[[Bar, Clock], None]:
    """Let (seconds) pass, then advance by (amount), in turn."""

    def work(bar: Bar, clock: Clock) -> None:
        for seconds, amount in moves:
            clock.now += seconds
            bar.advance(amount)

    return work


@pytest.mark.parametrize(
    ("total", "seconds", "amount", "line"),
    [
        (3_400_000_000, 30, 1_650_000_000, "1.6 of 3.4 GB (55 MB/s), about 32 s left"),
        (3_400_000_000, 30, 0, "0.0 of 3.4 GB (0.0 bytes/s)"),
        (200_000_000_000, 40, 1_000_000_000.5, "1.0 of 200 GB (25 MB/s), about 2.2 h left"),
        (950_000_000, 100, 100_000_000, "100 of 950 MB (1.0 MB/s), about 14 min left"),
        (1_000, 30, 2_000, "2.0 of 1.0 kB (67 bytes/s), about 0 s left"),
        (None, 30, 1_230_000, "1.2 MB (41 kB/s)"),
    ],
)
def test_bytes_are_shown_in_the_unit_of_the_whole(total: int | None, seconds: float, amount: float, line: str) -> None:
    assert lines(total, "bytes", step((seconds, amount))) == [f"  reading dumps: {line}"]


def test_other_units_are_counted() -> None:
    assert lines(4000, "partitions", step((60, 600.5))) == [
        "  reading dumps: 600 of 4,000 partitions, about 6 min left (10.0 partitions/s)"
    ]
    assert lines(None, "calls", step((50, 25))) == ["  reading dumps: 25 calls (0.5 calls/s)"]


def test_a_polling_loop_prints_a_line_every_thirty_seconds() -> None:
    shown = lines(1_000_000, "bytes", step(*[(0.5, 5000.25)] * 150))
    assert [line.partition(" of ")[0].rpartition(" ")[2] for line in shown] == ["0.3", "0.6"]
    quiet = lines(1_000_000, "bytes", step(*[(0.5, 0.0)] * 70))
    assert quiet == ["  reading dumps: 0.0 of 1.0 MB (0.0 bytes/s)"]


@pytest.mark.parametrize(
    ("unit", "expected"), [("bytes", ["1.2/3.4 GB", "60.0 MB/s", "0:00:37"]), ("shards", ["1200000000/3400000000"])]
)
def test_the_live_bar_shows_amount_speed_and_time_left(unit: str, expected: list[str]) -> None:
    clock, stream = Clock(), io.StringIO()
    console = Console(file=stream, force_terminal=True, width=120, color_system=None)
    with LiveProgress(console, clock).bar("reading [dumps]", 3_400_000_000, unit) as bar:
        bar.advance(0.5)
        clock.now += 20
        bar.advance(1_200_000_000 - 0.25)
    for part in ["reading [dumps]", *expected]:
        assert part in stream.getvalue()


def test_silence_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    silent = choose_progress(quiet=True, live=True)
    assert isinstance(silent, SilentProgress)
    with silent.bar("x", 3, "bytes") as bar:
        bar.advance(1.5)
    silent.say("x")
    assert capfd.readouterr() == ("", "")
    assert isinstance(choose_progress(quiet=False, live=False), LineProgress)
