"""Kills dumps -> gated dialogues again and again at random moments, and looks whether anything comes out differently.

A build is made once unbroken. Then, until the time is over: a build is started, killed with signal 9 after a random
time, gone on with by the same command, killed again, until it ends by itself. Two kills in three hit the whole process
group; the third hits one process of it only, the command or a worker, as the kernel does when memory runs out. After
each build the content hashes must be those of the unbroken one, and no process and no stray file may be left.

    python benchmarks/reddit/storm.py --minutes 10 --comments 1000000 --folder /tmp/storm --seed 1
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

import click
from commands import DIALOGUES, KEPT, build_commands, measured_build
from measuring import adopt_orphans, descendants, kill_descendants
from world import World, make_world

KILL_AFTER_S = (0.3, 8.0)
"""A command is killed after a time drawn evenly from here."""
PATIENCE = 60
"""After so many kills of one command it is left alone, so that a command that cannot be gone on with ends the test."""
SETTLE_S = 5.0
"""How long processes may take to notice that the one that started them was killed."""
LOCK_PREFIX = ".lock"


@dataclass(slots=True)
class Storm:
    """What happened."""

    builds: int = 0
    kills: int = 0
    """Kills that hit: the command had not ended by itself."""
    single_kills: int = 0
    """How many of those hit one process only."""
    left_alone: int = 0
    """Commands that were killed `PATIENCE` times and then left alone."""
    faults: list[str] = field(default_factory=list)


def hashes(folder: Path) -> dict[str, str]:
    """Stage -> content hash of a finished build."""
    return {
        stage: json.loads((folder / stage / "manifest.json").read_text(encoding="utf-8"))["content_hash"]
        for stage in (DIALOGUES, KEPT)
    }


def stray_files(folder: Path) -> list[str]:
    """Files of a finished build that no manifest names and that are no lock: half-written, spilled, forgotten."""
    expected = set()
    for stage in (DIALOGUES, KEPT):
        manifest = json.loads((folder / stage / "manifest.json").read_text(encoding="utf-8"))
        expected |= {f"{stage}/{one['path']}" for one in manifest["files"]} | {f"{stage}/manifest.json"}
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    return sorted(one for one in found - expected if not one.rpartition("/")[2].startswith(LOCK_PREFIX))


def break_build(commands: Sequence[Sequence[str]], dice: Random, log: Path, storm: Storm, longest: float) -> None:
    """Bring one build to its end through kills."""
    for command in commands:
        kills = 0
        while not run_once(command, dice, log, storm, longest if kills < PATIENCE else None):
            kills += 1
        storm.left_alone += kills >= PATIENCE


def run_once(command: Sequence[str], dice: Random, log: Path, storm: Storm, longest: float | None) -> bool:
    """Start a command and kill it after a random time of at most `longest` seconds; True when it ended well before.

    A command may end badly because one of its workers was killed, and for no other reason.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    killed = False
    try:
        process.wait(None if longest is None else dice.uniform(KILL_AFTER_S[0], longest))
    except subprocess.TimeoutExpired:
        killed = True
        strike(process.pid, dice, storm)
        process.wait()
    outlived = settle()
    if outlived:
        storm.faults.append(f"{outlived} processes outlived the one that started them by {SETTLE_S:g} s")
    if process.returncode and not killed:
        storm.faults.append(f"{' '.join(command[:5])} ended with {process.returncode} although nobody killed it")
        raise RuntimeError(f"{storm.faults[-1]}; see {log}")
    return process.returncode == 0


def strike(leader: int, dice: Random, storm: Storm) -> None:
    """Kill a command's process group, or one process of it; a command that goes on without it is then let end."""
    storm.kills += 1
    if dice.randrange(3):
        os.killpg(leader, signal.SIGKILL)
        return
    storm.single_kills += 1
    try:
        os.kill(dice.choice(descendants() or [leader]), signal.SIGKILL)
    except ProcessLookupError:
        return


def settle() -> int:
    """Wait until all processes below this one have gone; kills those that stay and returns how many they were."""
    deadline = time.monotonic() + SETTLE_S
    while descendants():
        if time.monotonic() > deadline:
            return kill_descendants()
        time.sleep(0.02)
    reap()
    return 0


def reap() -> None:
    """Take what orphans left in the process table."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


def check(build: Path, expected: dict[str, str], storm: Storm) -> None:
    """Compare a finished build with the unbroken one."""
    found = hashes(build)
    if found != expected:
        storm.faults.append(f"build {storm.builds}: expected {expected}, found {found}")
    if strays := stray_files(build):
        storm.faults.append(f"build {storm.builds}: {len(strays)} stray files, such as {strays[0]}")


def run_storm(
    dumps: Sequence[Path], folder: Path, *, seconds: float, seed: int, workers: int, longest: float, partitions: int
) -> Storm:
    """The whole test: one unbroken build, then broken ones until the time is over; at least one."""
    adopt_orphans()
    more = ("--partitions", str(partitions))
    for name in ("whole", "broken"):
        shutil.rmtree(folder / name, ignore_errors=True)
    log = folder / "storm.log"
    log.unlink(missing_ok=True)
    measured_build(dumps, folder / "whole", workers, log, more)
    expected, storm, dice = hashes(folder / "whole"), Storm(), Random(seed)
    if strays := stray_files(folder / "whole"):
        storm.faults.append(f"unbroken build: {len(strays)} stray files, such as {strays[0]}")
    deadline = time.monotonic() + seconds
    while storm.builds == 0 or time.monotonic() < deadline:
        shutil.rmtree(folder / "broken", ignore_errors=True)
        storm.builds += 1
        break_build(build_commands(dumps, folder / "broken", workers, more), dice, log, storm, longest)
        check(folder / "broken", expected, storm)
    return storm


@click.command()
@click.option("--minutes", type=click.FloatRange(min=0), default=10.0, show_default=True)
@click.option("--comments", type=click.IntRange(min=1000), default=1_000_000, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), default=Path("runs/storm"), show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--partitions", type=click.IntRange(min=1), default=16, show_default=True)
@click.option("--longest", type=click.FloatRange(min=1), default=KILL_AFTER_S[1], show_default=True, help="Seconds.")
def main(minutes: float, comments: int, folder: Path, seed: int, workers: int, partitions: int, longest: float) -> None:
    """Print what happened, write storm.json; the exit code is 1 when anything differed."""
    folder = folder.absolute()
    dumps = make_world(folder / "world", World(comments))
    started = time.monotonic()
    storm = run_storm(
        dumps, folder, seconds=60 * minutes, seed=seed, workers=workers, longest=longest, partitions=partitions
    )
    result = {**asdict(storm), "seconds": round(time.monotonic() - started), "seed": seed, "workers": workers}
    (folder / "storm.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    click.echo(
        f"{storm.builds} builds of about {comments:,} comments, {storm.kills} kills ({storm.single_kills} of one "
        f"process only), {storm.left_alone} commands left alone after {PATIENCE} kills, {result['seconds']} s"
    )
    if storm.faults:
        raise click.ClickException("\n".join(storm.faults))
    click.echo("every build ended with the content of the unbroken one, and left no process and no file behind")


if __name__ == "__main__":
    main()
