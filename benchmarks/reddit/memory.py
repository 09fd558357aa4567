"""Weighs dumps -> gated dialogues: peak memory of the process tree at several sizes, which should hardly differ.

With `--long-window` the dumps are compressed as Pushshift's were: a decoder then keeps up to 2 GiB of what it has
read, so memory grows with the size of a dump until it has that much.

    python benchmarks/reddit/memory.py --comments 500000 --comments 1000000 --comments 10000000 --folder /tmp/memory
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from commands import measured_build
from measuring import Usage
from world import World, make_world

from sage_data.reddit.building import MEMORY_CAP_BYTES


@dataclass(frozen=True, slots=True)
class Weighed:
    """One size."""

    comments: int
    dump_bytes: int
    """Size of the dumps as they lie on disk."""
    usage: Usage

    def row(self) -> str:
        """One line of the table."""
        return (
            f"{self.comments:>12,}{self.dump_bytes / 1e6:>12,.0f}{self.usage.peak_bytes / 1e6:>12,.0f}"
            f"{self.usage.disk_bytes / 1e6:>12,.0f}{self.usage.cpu_s:>9.1f}{self.usage.wall_s:>9.1f}"
        )


HEADER = f"{'comments':>12}{'dumps MB':>12}{'peak MB':>12}{'disk MB':>12}{'CPU s':>9}{'wall s':>9}"


def weigh(world: World, folder: Path, workers: int, *, keep_world: bool = False) -> Weighed:
    """Make a world, build it, and delete both."""
    dumps = make_world(folder / "world", world)
    size = sum(path.stat().st_size for path in dumps)
    reddit, gate = measured_build(dumps, folder / "build", workers, folder / "build.log")
    kept = json.loads((folder / "build" / "dialogues" / "funnel.json").read_text(encoding="utf-8"))
    shutil.rmtree(folder / "build")
    if not keep_world:
        shutil.rmtree(folder / "world")
    return Weighed(kept["comments"]["came_in"], size, reddit.then(gate))


@click.command()
@click.option(
    "--comments", "sizes", type=click.IntRange(min=1000), multiple=True, default=(500_000, 1_000_000), show_default=True
)
@click.option("--folder", type=click.Path(path_type=Path), default=Path("runs/memory"), show_default=True)
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--long-window", is_flag=True, help="Compress the dumps with a window of 2 GiB.")
@click.option("--keep-worlds", is_flag=True, help="Leave the dumps for another time.")
def main(sizes: tuple[int, ...], folder: Path, workers: int, long_window: bool, keep_worlds: bool) -> None:
    """Print a table, write memory.json; the exit code is 1 when the stated cap was broken."""
    weighed = []
    click.echo(HEADER)
    for size in sizes:
        place = folder.absolute() / str(size)
        world = World(size, long_window=long_window)
        weighed.append(weigh(world, place, workers, keep_world=keep_worlds))
        click.echo(weighed[-1].row())
    cap = MEMORY_CAP_BYTES * workers
    result = {"workers": workers, "cap_bytes": cap, "runs": [asdict(one) for one in weighed]}
    (folder / "memory.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    highest = max(one.usage.peak_bytes for one in weighed)
    click.echo(f"cap {cap / 1e6:,.0f} MB, highest {highest / 1e6:,.0f} MB, {workers} worker(s)")
    if highest > cap:
        raise click.ClickException("expected the cap to hold")


if __name__ == "__main__":
    main()
