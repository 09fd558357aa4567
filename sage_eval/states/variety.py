"""Distinct-n: how many different runs of words there are, for all there are (Li et al. 2016).

The plain share falls as a text grows, so that a model with longer replies looks poorer. Beside it stands the share
expected among `budget` runs drawn without replacement (rarefaction, Hurlbert 1971), worked out and not drawn; it may be
compared between models of different lengths, and has a jackknife interval over clusters.

variety_rows([("s1", [("so",), ("good",)])], size=1, budget=2000, level=0.95)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import gammaln

from sage_eval.states.counting import limits
from sage_eval.states.estimates import Estimate, jackknife

NGRAMS = (1, 2, 3)
Gram = tuple[str, ...]


def runs(listed: Sequence[tuple[str, Sequence[Gram]]], size: int) -> dict[str, Counter[Gram]]:
    """Cluster -> runs of `size` words, counted; `listed` holds each reply's words as runs of one."""
    found: dict[str, Counter[Gram]] = {}
    for cluster, singles in listed:
        text = [word for (word,) in singles]
        found.setdefault(cluster, Counter()).update(zip(*(text[start:] for start in range(size)), strict=False))
    return {cluster: counts for cluster, counts in found.items() if counts}


def distinct(counts: Mapping[Gram, int]) -> float | None:
    """Different runs over all runs; None when there are none."""
    total = sum(counts.values())
    return len(counts) / total if total else None


def expected_distinct(spectrum: Mapping[int, int], budget: int) -> float | None:
    """Share of different runs expected among `budget` drawn without replacement; None when there are fewer.

    Args:
        spectrum: how often a run occurs -> number of runs that occur so often.
        budget: runs drawn, at least 1.
    """
    often = np.array(sorted(one for one, number in spectrum.items() if number), dtype=np.float64)
    number = np.array([spectrum[int(one)] for one in often], dtype=np.float64)
    total = float(often @ number)
    if total < budget:
        return None
    # Chance that none of a run's occurrences is drawn: C(total - often, budget) / C(total, budget).
    left = total - often
    possible = left >= budget
    missed = np.zeros(often.size)
    rest = left[possible]
    missed[possible] = np.exp(
        gammaln(rest + 1) - gammaln(rest - budget + 1) - gammaln(total + 1) + gammaln(total - budget + 1)
    )
    return float(number @ (1.0 - missed)) / budget


def variety_rows(
    listed: Sequence[tuple[str, Sequence[Gram]]], size: int, budget: int, level: float
) -> Iterator[dict[str, Any]]:
    """The plain share and the one for `budget` runs."""
    by_cluster = runs(listed, size)
    counts: Counter[Gram] = Counter()
    for one in by_cluster.values():
        counts.update(one)
    plain = Estimate(distinct(counts), None, None, counts.total(), len(by_cluster), level)
    yield _row(f"distinct_{size}", f"different {size}-word runs / all; falls with length", plain, "none")
    unit = f"different {size}-word runs expected among {budget}"
    fixed = _fixed(by_cluster, counts, budget, level)
    yield _row(f"distinct_{size}_fixed", unit, fixed, "jackknife" if fixed.low is not None else "none")


def _row(measure: str, unit: str, found: Estimate, method: str) -> dict[str, Any]:
    return {"measure": measure, "unit": unit, "value": found.value, "method": method, **limits(found)}


def _fixed(by_cluster: Mapping[str, Counter[Gram]], counts: Counter[Gram], budget: int, level: float) -> Estimate:
    spectrum = Counter(counts.values())
    whole = expected_distinct(spectrum, budget)
    parts = {} if whole is None else {one: _without(spectrum, counts, by_cluster[one], budget) for one in by_cluster}
    known = {one: value for one, value in parts.items() if value is not None}
    if whole is None or len(known) < len(by_cluster):
        return Estimate(whole, None, None, counts.total(), len(by_cluster), level)
    return jackknife(whole, known, counts.total(), level)


def _without(spectrum: Counter[int], counts: Counter[Gram], own: Counter[Gram], budget: int) -> float | None:
    """The expected share when one cluster is left out."""
    left = Counter(spectrum)
    for gram, times in own.items():
        left[counts[gram]] -= 1
        if counts[gram] > times:
            left[counts[gram] - times] += 1
    return expected_distinct(left, budget)
