"""The commands that a user types to turn dumps into gated dialogues, for benchmarks that time, weigh or kill them.

What is run is the command line itself, in a process of its own.

    for command in build_commands(dumps, Path("build"), workers=2): ...
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from measuring import Usage, measure

SAGE = (sys.executable, "-m", "sage_data.cli.main")
DIALOGUES, KEPT = "dialogues", "kept"


@cache
def has_option(command: str, option: str) -> bool:
    """True when `sage data COMMAND` knows the option."""
    shown = subprocess.run([*SAGE, "data", command, "--help"], capture_output=True, text=True, check=True)
    return option in shown.stdout


def build_commands(dumps: Sequence[Path], folder: Path, workers: int, more: Sequence[str] = ()) -> list[list[str]]:
    """`sage data reddit`, with options `more`, then `sage data gate`, each with `workers` processes where it can."""
    reddit = ["reddit", *map(str, dumps), "--out", str(folder / DIALOGUES), *more]
    gate = ["gate", str(folder / DIALOGUES), "--out", str(folder / KEPT)]
    spread = ["--workers", str(workers)]
    return [
        [*SAGE, "data", *command, "--quiet", *(spread if has_option(command[0], "--workers") else [])]
        for command in (reddit, gate)
    ]


def measured_build(
    dumps: Sequence[Path], folder: Path, workers: int, log: Path, more: Sequence[str] = ()
) -> tuple[Usage, Usage]:
    """Run both commands, one after the other, and measure each.

    Raises:
        RuntimeError: one of them failed; the log says why.
    """
    folder.mkdir(parents=True, exist_ok=True)
    reddit, gate = build_commands(dumps, folder, workers, more)
    return _measured(reddit, folder, log), _measured(gate, folder, log)


def _measured(command: Sequence[str], folder: Path, log: Path) -> Usage:
    usage = measure(command, log=log, folder=folder)
    if usage.exit_code or usage.left_over:
        raise RuntimeError(
            f"expected {' '.join(command[:5])} to end with 0 and leave no process, found {usage.exit_code} and "
            f"{usage.left_over} processes; see {log}"
        )
    return usage
