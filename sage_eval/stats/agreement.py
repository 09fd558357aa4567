"""How far raters agree: percent, Cohen's kappa, Krippendorff's alpha and Gwet's AC1, with intervals over clusters.

A unit is what is rated (a pair of dialogues), a rater is who rates (a judge, or one replicate of a judge: then this is
test-retest agreement). A rating that failed is missing, None; it is never a category of its own. Units of one scenario
belong to one cluster, which the bootstrap draws as a whole.

    agreement_of([Said(("a", "b", "s1"), "s1", "judge-1", "A"), Said(("a", "b", "s1"), "s1", "judge-2", "tie")])
    agreement([("A", "A"), ("A", "tie"), ("B", "B"), ("B", None)], clusters=["s1", "s1", "s2", "s3"], seed=0)
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sage_eval.stats.checks import require_level
from sage_eval.stats.resampling import (
    Floats,
    bca_limits,
    cluster_indices,
    cluster_sums,
    leave_one_out,
    resampled_sums,
)
from sage_eval.stats.result import Result
from sage_eval.stats.signs import Interval, exact_interval
from sage_eval.tables import show_interval

COEFFICIENTS = ("percent", "kappa", "alpha", "ac1")
_FIXED = 5
"""Columns of the sums before those of the categories."""


@dataclass(frozen=True, slots=True)
class Estimate(Result):
    """One coefficient; 1 is full agreement, 0 what chance gives (for a percentage: none)."""

    value: float | None
    """None when it is not defined."""
    interval: Interval | None
    note: str | None = None
    """Why there is no value or no interval, or how the interval was made where it is no bootstrap."""

    def __str__(self) -> str:
        shown = "-" if self.value is None else f"{self.value:.3f}"
        interval = "" if self.interval is None else f" {show_interval(self.interval.low, self.interval.high)}"
        return f"{shown}{interval}{f' ({self.note})' if self.note else ''}"


@dataclass(frozen=True, slots=True)
class Agreement(Result):
    """Agreement of two or more raters over the same units."""

    raters: int
    units: int
    """Units with two or more ratings, on which the coefficients rest."""
    single: int
    """Units with one rating."""
    missing: int
    """Ratings that are missing, over all units."""
    clusters: int
    """Clusters with at least one unit of two or more ratings."""
    categories: tuple[str, ...]
    percent: Estimate
    """Share of pairs of raters that agree, averaged over units."""
    kappa: Estimate | None
    """Cohen's kappa; None unless there are two raters."""
    alpha: Estimate
    """Krippendorff's alpha for nominal data."""
    ac1: Estimate
    """Gwet's AC1, which stays meaningful when nearly all ratings fall into one category."""
    level: float
    seed: int
    resamples: int

    @property
    def n(self) -> int:
        """Units with two or more ratings."""
        return self.units

    def rows(self) -> list[tuple[str, str]]:
        """(name, value) as the table shows them: each coefficient with its interval."""
        shown = dict(Result.rows(self))
        return list((shown | {name: str(one) for name in COEFFICIENTS if (one := getattr(self, name))}).items())


@dataclass(frozen=True, slots=True)
class Said:
    """One rating of one unit."""

    unit: Hashable
    """What was rated: for a verdict, models, scenario and sample."""
    cluster: Hashable
    """What the unit belongs to: for a verdict, the scenario."""
    rater: Hashable
    """Who rated: the judge, or for test-retest agreement of one judge the replicate."""
    category: str | None
    """None when the rating failed."""


def agreement_of(
    said: Iterable[Said],
    *,
    categories: Sequence[str] | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Agreement:
    """Measure agreement of ratings given one by one; whom a unit was not put to has a missing rating.

    Raises:
        ValueError: a rater rates a unit twice, a unit belongs to two clusters, or see `agreement`.
    """
    units: dict[Hashable, dict[Hashable, str | None]] = {}
    clusters: dict[Hashable, Hashable] = {}
    raters: dict[Hashable, None] = {}
    for one in said:
        given = units.setdefault(one.unit, {})
        if one.rater in given or clusters.setdefault(one.unit, one.cluster) != one.cluster:
            raise ValueError(f"unit {one.unit} is rated twice by {one.rater}, or belongs to two clusters")
        given[one.rater] = one.category
        raters[one.rater] = None
    names = [*raters, *range(2 - len(raters))]
    return agreement(
        [[given.get(name) for name in names] for given in units.values()],
        clusters=[clusters[unit] for unit in units],
        categories=categories,
        level=level,
        resamples=resamples,
        seed=seed,
    )


def agreement(
    ratings: Sequence[Sequence[str | None]],
    *,
    clusters: Sequence[Hashable] | None = None,
    categories: Sequence[str] | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Agreement:
    """Measure agreement (Cohen 1960; Krippendorff 2004; Gwet 2008), with BCa intervals over clusters.

    Args:
        ratings: one row a unit, one rating a rater, None where it is missing; shape (units, raters).
        clusters: cluster of each unit; None makes each unit its own.
        categories: all categories there are, of which some may not occur (AC1 depends on how many there are); None
            takes those that occur.
        level: coverage of the intervals.
        resamples: bootstrap resamples.
        seed: of the bootstrap.

    Raises:
        ValueError: rows differ in length, there are fewer than two raters, or a rating is in no category.
    """
    require_level(level)
    raters = _raters(ratings)
    known = _categories(ratings, categories)
    coded = np.array([[-1 if one is None else known.index(one) for one in row] for row in ratings], dtype=np.int64)
    coded = coded.reshape(len(ratings), raters)
    indices, _ = cluster_indices(clusters, len(ratings))
    rated = (coded >= 0).sum(axis=1)
    informative = rated >= 1
    places, number = cluster_indices(indices[informative].tolist(), int(informative.sum()))
    sums = cluster_sums(_unit_sums(coded[informative], len(known)), places, number)
    found = _estimates(sums, len(known), raters, level=level, resamples=resamples, seed=seed)
    return Agreement(
        raters=raters,
        units=int((rated >= 2).sum()),
        single=int((rated == 1).sum()),
        missing=int((coded < 0).sum()),
        clusters=int((sums[:, 0] > 0).sum()),
        categories=tuple(known),
        percent=found["percent"],
        kappa=found.get("kappa"),
        alpha=found["alpha"],
        ac1=found["ac1"],
        level=level,
        seed=seed,
        resamples=resamples,
    )


def _raters(ratings: Sequence[Sequence[str | None]]) -> int:
    widths = {len(row) for row in ratings}
    if len(widths) > 1 or (widths and max(widths) < 2):
        raise ValueError(f"expected rows of two or more ratings, all equally long; found lengths {sorted(widths)}")
    return widths.pop() if widths else 2


def _categories(ratings: Sequence[Sequence[str | None]], given: Sequence[str] | None) -> list[str]:
    found = {one for row in ratings for one in row if one is not None}
    known = sorted(found) if given is None else list(given)
    if unknown := found - set(known):
        raise ValueError(f"ratings in no category: {sorted(unknown)}; the categories are {known}")
    return known


def _unit_sums(coded: Floats | np.ndarray, categories: int) -> Floats:
    """What the coefficients need of each unit, so that they follow from sums; shape (units, columns).

    Columns: 1 if pairable, share of agreeing pairs of raters, ratings if pairable, agreeing ordered pairs over
    (ratings - 1), 1 (the unit is rated); per category: ratings if pairable, share of the unit's ratings; for two
    raters: the table of both raters' categories.
    """
    counts = (coded[:, :, None] == np.arange(categories)).sum(axis=1).astype(np.float64)
    rated = counts.sum(axis=1)
    pairable = (rated >= 2).astype(np.float64)
    agreeing = (counts * (counts - 1.0)).sum(axis=1)
    others = np.maximum(rated - 1.0, 1.0)
    fixed = [pairable, agreeing / (rated * others), rated * pairable, agreeing / others, np.ones_like(rated)]
    parts = [np.stack(fixed, axis=1), counts * pairable[:, None], counts / rated[:, None]]
    if coded.shape[1] == 2:
        both = (coded[:, 0, None] == np.arange(categories))[:, :, None] & (coded[:, 1, None] == np.arange(categories))[
            :, None, :
        ]
        parts.append(both.reshape(len(coded), categories**2).astype(np.float64))
    return np.concatenate(parts, axis=1)


def _estimates(
    sums: Floats, categories: int, raters: int, *, level: float, resamples: int, seed: int
) -> dict[str, Estimate]:
    names = [name for name in COEFFICIENTS if name != "kappa" or raters == 2]
    observed = _coefficients(sums.sum(axis=0)[None], categories, raters)
    if sums.shape[0] < 2:
        return {name: _estimate(float(observed[name][0]), None, "fewer than two clusters") for name in names}
    draws = _coefficients(resampled_sums(sums, resamples=resamples, seed=seed), categories, raters)
    jackknife = _coefficients(leave_one_out(sums), categories, raters)
    found = {}
    for name in names:
        limits = bca_limits(float(observed[name][0]), draws[name], jackknife[name], level=level)
        interval = None if limits is None else Interval(*limits, level)
        found[name] = _estimate(
            float(observed[name][0]), interval, "the resamples show no spread, or often leave it undefined"
        )
    found["percent"] = _without_spread(sums, found["percent"], level)
    return found


def _estimate(value: float, interval: Interval | None, why_not: str) -> Estimate:
    if not np.isfinite(value):
        return Estimate(None, None, "not defined: too few ratings, or all in one category")
    return Estimate(value, interval, why_not if interval is None else None)


def _without_spread(sums: Floats, percent: Estimate, level: float) -> Estimate:
    """Where all clusters agree throughout, or all disagree: exact limits of the share of clusters that agree."""
    if percent.interval is not None or percent.value not in (0.0, 1.0):
        return percent
    clusters = int((sums[:, 0] > 0).sum())
    limits = exact_interval(int(percent.value) * clusters, clusters, level)
    return Estimate(percent.value, limits, "exact limits over clusters, which show no spread")


def _coefficients(sums: Floats, categories: int, raters: int) -> dict[str, Floats]:
    """All coefficients of each row of sums; NaN where one is not defined."""
    marginals = sums[:, _FIXED : _FIXED + categories]
    shares = _ratio(sums[:, _FIXED + categories : _FIXED + 2 * categories], sums[:, 4, None])
    percent = _ratio(sums[:, 1], sums[:, 0])
    n = sums[:, 2]
    by_chance = _ratio((marginals * (marginals - 1.0)).sum(axis=1), n * (n - 1.0))
    spread = (shares * (1.0 - shares)).sum(axis=1) / max(categories - 1, 1)
    found = {
        "percent": percent,
        "alpha": _beyond(_ratio(sums[:, 3], n), by_chance),
        "ac1": _beyond(percent, spread if categories > 1 else np.full_like(spread, np.nan)),
    }
    if raters == 2:
        table = _ratio(sums[:, _FIXED + 2 * categories :], sums[:, 0, None]).reshape(len(sums), categories, categories)
        expected = (table.sum(axis=2) * table.sum(axis=1)).sum(axis=1)
        found["kappa"] = _beyond(np.trace(table, axis1=1, axis2=2), expected)
    return found


def _beyond(observed: Floats, by_chance: Floats) -> Floats:
    """Agreement beyond chance, as a share of what there could be."""
    return _ratio(observed - by_chance, 1.0 - by_chance)


def _ratio(above: Floats, below: Floats) -> Floats:
    above, below = np.broadcast_arrays(above, below)
    ratio: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=np.abs(below) > 1e-12)
    return ratio
