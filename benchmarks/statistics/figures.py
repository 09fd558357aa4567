"""Runs every simulation of the statistics and prints what it found as one table: false positives, coverage, power.

The simulations are the project's slow tests; this runs them as they are and tabulates what they note, so that no figure
is made in two ways. "counted" figures add up every outcome and have no error; the others are drawn, with seeds, and a
rate of r over R runs has a standard error of sqrt(r (1 - r) / R). Measures called naive are warnings: what the figure
would be if one counted both orders, each rollout, or each look as evidence of its own.

What was found last stands in `figures.csv` beside this file.

    python benchmarks/statistics/figures.py                      # about three and a half minutes on one core
    python benchmarks/statistics/figures.py -k "wilson or flips" --csv figures.csv
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
import pytest

TESTS = Path(__file__).parents[2] / "tests" / "eval"
sys.path.insert(0, str(TESTS))

from simulated import FIGURES, Figure  # noqa: E402

from sage_eval.tables import text_table  # noqa: E402

HEADER = ("test", "setting", "measure", "rate", "nominal", "runs", "seed")


def cells(figure: Figure) -> tuple[str, ...]:
    """A figure as the table shows it."""
    return (
        figure.what,
        figure.setting,
        figure.measure.replace("_", " "),
        f"{100 * figure.rate:.1f}%",
        "-" if figure.nominal is None else f"{100 * figure.nominal:g}%",
        "counted" if figure.runs is None else str(figure.runs),
        "-" if figure.seed is None else str(figure.seed),
    )


def write_csv(path: Path, figures: Sequence[Figure]) -> None:
    """One row a figure, rates as shares."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(Figure.__dataclass_fields__))
        writer.writeheader()
        writer.writerows(asdict(one) | {"rate": round(one.rate, 4)} for one in figures)


@click.command(help="Run the simulations of the statistics and print their figures.")
@click.option("-k", "chosen", default="", help="Only simulations whose name matches, as pytest's -k.")
@click.option("--csv", "csv_path", type=click.Path(dir_okay=False, path_type=Path), help="Also write the table here.")
def main(chosen: str, csv_path: Path | None) -> None:
    """Run, print, and end with pytest's exit code: not 0 where a simulation found what it must not."""
    files = sorted(map(str, TESTS.glob("test_simulations_*.py")))
    ended = pytest.main(["-q", "-m", "slow", "-p", "no:cacheprovider", *files, *(["-k", chosen] if chosen else [])])
    click.echo(text_table(HEADER, [cells(one) for one in FIGURES], left=3))
    if csv_path is not None:
        write_csv(csv_path, FIGURES)
    sys.exit(int(ended))


if __name__ == "__main__":
    main()
