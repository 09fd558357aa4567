"""What simulations find, noted so that a table can be made of it, and what they are held to.

note("sign test", "n=50", runs=None, false_positives=0.033)
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

NOMINAL = 0.05
LEVEL = 0.95
POINTS = 0.02
"""How far below its level an interval may cover."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One rate that was found."""

    what: str
    """The test or interval."""
    setting: str
    measure: str
    """Of what: coverage (of an interval), power, or a kind of false claim; "naive" marks what is shown as a warning."""
    rate: float
    nominal: float | None
    """What it should be: coverage at least, false claims at most; None where nothing is promised."""
    runs: int | None
    """Repetitions; None where every outcome was counted, so that the rate is exact."""
    seed: int | None


FIGURES: list[Figure] = []
"""All figures of this process, in the order they were found."""


def note(
    what: str,
    setting: str,
    *,
    runs: int | None,
    seed: int | None = None,
    nominal: float = NOMINAL,
    level: float = LEVEL,
    **rates: float,
) -> None:
    """Keep what was found and print it; measures called coverage are held against `level`, power against nothing."""
    for measure, rate in rates.items():
        promised = level if measure.startswith("coverage") else nominal
        unpromised = measure.startswith(("naive", "power"))
        FIGURES.append(Figure(what, setting, measure, float(rate), None if unpromised else promised, runs, seed))
    said = ", ".join(f"{measure} {100 * rate:.1f}%" for measure, rate in rates.items())
    sys.stdout.write(f"\n{what:<34} {setting:<52} {said}")


def at_most(rate: float, runs: int, nominal: float = NOMINAL) -> bool:
    """Whether a drawn rate is no more than nominal, give or take two standard errors of the drawing."""
    return rate <= nominal + 2 * sqrt(nominal * (1 - nominal) / runs)


def covers(rate: float, level: float = LEVEL) -> bool:
    """Within two points below; above, an interval is conservative, which discreteness makes of all at times."""
    return rate >= level - POINTS


def all_cover(rates: Iterable[float], level: float = LEVEL) -> bool:
    """`covers` for several."""
    return all(covers(rate, level) for rate in rates)
