"""Times dumps -> gated dialogues against naive baselines and the ceiling: same run, same input, equal output.

Each contender is a process of its own; its children count too. Kept dialogues are hashed in one spelling
(`canonical.py`), and all hashes must be equal, or the exit code is 1. What "share" and "x" mean stands in the table's
header; a baseline that ran on a part of the input is marked.

    python benchmarks/reddit/speed.py --comments 1500000 --folder /tmp/speed
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from canonical import sha256_of, stage_lines
from commands import KEPT, measured_build
from measuring import Usage, measure
from world import COMMENTS_A_THREAD, World, make_world

HERE = Path(__file__).parent
GATED, VADER = "naive gated", "naive VADER-everything"
CEILING = "decompress + parse"
OURS = "ours, 1 worker"
LONG = "ours, --min-utterances 5"
TARGETS = ((GATED, 6.0), (VADER, 60.0), (CEILING, 0.5))
"""Comments per CPU-second of ours with one worker, as a multiple of each contender's."""


@dataclass(frozen=True, slots=True)
class Timed:
    """One contender's run."""

    name: str
    comments: int
    """Comments in what it read."""
    usage: Usage
    sha256: str | None
    """Hash of the kept dialogues; None when it makes none, or read a part only."""
    part: float = 1.0
    """How much of the input it read; its speed is taken to be the same on the rest."""
    steps: tuple[tuple[str, Usage], ...] = ()
    """What each of its commands took, where there are several."""

    @property
    def speed(self) -> float:
        """Comments per CPU-second."""
        return self.comments / self.usage.cpu_s


def run_script(
    name: str, script: str, arguments: Sequence[str], folder: Path, out: Path | None = None
) -> tuple[Usage, dict[str, Any]]:
    """Run a script beside this one that writes into `out`; what it took, and the JSON object it printed.

    Raises:
        RuntimeError: it failed.
    """
    log = folder / f"{name.replace(' ', '-')}.log"
    log.unlink(missing_ok=True)
    usage = measure([sys.executable, str(HERE / script), *arguments], log=log, folder=out)
    if usage.exit_code:
        raise RuntimeError(f"expected {name} to end with 0, found {usage.exit_code}; see {log}")
    printed: dict[str, Any] = json.loads(log.read_text(encoding="utf-8"))
    return usage, printed


def time_ceiling(dumps: Sequence[Path], folder: Path) -> Timed:
    """Decompress and parse."""
    usage, printed = run_script(CEILING, "ceiling.py", [*map(str, dumps)], folder)
    return Timed(CEILING, printed["comments"], usage, None)


def time_naive(name: str, mode: str, dumps: Sequence[Path], folder: Path, lines: int, part: float) -> Timed:
    """A naive baseline, on all lines or on the first of them."""
    limit = [] if part == 1 else ["--lines", str(round(lines * part))]
    out = folder / f"naive-{mode}"
    usage, printed = run_script(name, "naive.py", [mode, *map(str, dumps), "--out", str(out), *limit], folder, out)
    return Timed(name, printed["comments"], usage, printed["sha256"] if part == 1 else None, part)


def time_ours(workers: int, comments: int, dumps: Sequence[Path], folder: Path, *, only_long: bool = False) -> Timed:
    """The two commands of a user, out of core; `only_long`: chains that the first gate drops are never written."""
    name = OURS if workers == 1 else f"ours, {workers} workers"
    more = []
    if only_long:
        name, more = LONG, ["--min-utterances", "5"]
    build = folder / f"ours-{workers}"
    shutil.rmtree(build, ignore_errors=True)
    log = folder / f"ours-{workers}.log"
    log.unlink(missing_ok=True)
    reddit, gate = measured_build(dumps, build, workers, log, more)
    steps = (("sage data reddit", reddit), ("sage data gate", gate))
    return Timed(name, comments, reddit.then(gate), sha256_of(stage_lines(build / KEPT)), steps=steps)


def table(timed: Sequence[Timed]) -> str:
    """One row a contender; `x` is its speed as a multiple of another's. Below it its commands, where it has several."""
    by_name = {one.name: one for one in timed}
    rows = [
        f"{'':<28}{'comments/CPU-s':>15}{'CPU s':>9}{'wall s':>9}{'peak MB':>9}{'disk MB':>9}"
        f"{'x gated':>9}{'x VADER':>9}{'x ceiling':>10}  kept"
    ]
    for one in timed:
        ratios = [one.speed / by_name[name].speed if name in by_name else None for name in (GATED, VADER, CEILING)]
        shown = [f"{ratio:.2f}" if ratio is not None else "-" for ratio in ratios]
        mark = "" if one.part == 1 else f"  from the first {one.part:.0%} of lines; CPU and wall times extrapolated"
        rows.append(
            f"{_figures(one.name, one.comments, one.usage, one.part)}{shown[0]:>9}{shown[1]:>9}{shown[2]:>10}"
            f"  {(one.sha256 or '-')[:12]}{mark}"
        )
        rows += [_figures(f"  {name}", one.comments, usage, 1.0) for name, usage in one.steps]
    return "\n".join(rows)


def _figures(name: str, comments: int, usage: Usage, part: float) -> str:
    return (
        f"{name:<28}{comments / usage.cpu_s:>15,.0f}{usage.cpu_s / part:>9.1f}{usage.wall_s / part:>9.1f}"
        f"{usage.peak_bytes / 1e6:>9,.0f}{usage.disk_bytes / 1e6:>9,.0f}"
    )


def verdicts(timed: Sequence[Timed]) -> list[str]:
    """Each target, met or missed."""
    by_name = {one.name: one for one in timed}
    ours = next(one for one in timed if one.name.startswith(OURS))
    found = []
    for name, wanted in TARGETS:
        if name in by_name:
            ratio = ours.speed / by_name[name].speed
            word = "met" if ratio >= wanted else "MISSED"
            found.append(f"{word}: {wanted:g} x {name}, found {ratio:.2f}")
    return found


@click.command()
@click.option("--comments", type=click.IntRange(min=1000), default=1_500_000, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), default=Path("runs/speed"), show_default=True)
@click.option("--baselines", default="gated,vader", show_default=True, help="gated, vader, both, or an empty text.")
@click.option("--vader-part", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True)
@click.option("--kind", type=click.Choice(sorted(COMMENTS_A_THREAD)), default="busy", show_default=True)
@click.option("--workers", default="1,2", show_default=True, help="Numbers of workers to time ours with; 1 is needed.")
def main(comments: int, folder: Path, baselines: str, vader_part: float, kind: str, workers: str) -> None:
    """Make the dump once, run every contender, print the table, write speed.json."""
    folder = folder.absolute()
    world = World(comments, kind)
    dumps = make_world(folder / "world", world)
    timed = [time_ceiling(dumps, folder)]
    total = timed[0].comments
    click.echo(f"{total:,} comments, {sum(path.stat().st_size for path in dumps) / 1e6:,.0f} MB zst, world {world}")
    if "gated" in baselines:
        timed.append(time_naive(GATED, "gated", dumps, folder, total, 1.0))
    if "vader" in baselines:
        timed.append(time_naive(VADER, "vader-everything", dumps, folder, total, vader_part))
    timed += [time_ours(int(number), total, dumps, folder) for number in workers.split(",")]
    timed.append(time_ours(1, total, dumps, folder, only_long=True))
    click.echo(table(timed))
    click.echo("\n".join(verdicts(timed)))
    hashes = {one.name: one.sha256 for one in timed if one.sha256 is not None}
    result = {"world": asdict(world), "runs": [asdict(one) for one in timed], "verdicts": verdicts(timed)}
    (folder / "speed.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if len(set(hashes.values())) != 1:
        raise click.ClickException(f"expected the same dialogues from all, found different ones: {hashes}")
    click.echo(f"same dialogues from all {len(hashes)}: sha256 {next(iter(hashes.values()))}")


if __name__ == "__main__":
    main()
