"""A share with an interval that knows which of its items belong together.

The two calls of a pair say much the same, and so do several pairs of one scenario: an interval that takes each call for
itself is too narrow. What is independent is the scenario.

    clustered_share([(2, 2), (1, 2), (0, 2)])       # (calls for the first seat, calls with a winner) of each scenario
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt

import numpy as np
from scipy.special import stdtrit

from sage_eval.stats.checks import require_level
from sage_eval.stats.clustered import ratio_variance
from sage_eval.stats.signs import Interval


def clustered_share(counts: Iterable[tuple[int, int]], level: float = 0.95) -> Interval | None:
    """Interval of sum(successes) / sum(items) over clusters, cut at 0 and 1; None without any item.

    Student's interval with a cluster-robust variance, after two made-up clusters of average size are added, one all
    success and one all failure (Bonett and Price 2012, as in `sage_eval.stats.clustered.cluster_interval`), so that it
    does not shrink to a point where all clusters say the same.

    Args:
        counts: (successes, items) of each cluster; those without items take no part.
        level: coverage.

    Raises:
        ValueError: `level` is not between 0 and 1, or a cluster has more successes than items.
    """
    require_level(level)
    known = [(successes, items) for successes, items in counts if items]
    if any(not 0 <= successes <= items for successes, items in known):
        raise ValueError(f"a cluster has from 0 successes to as many as it has items; found {known}")
    if not known:
        return None
    average = sum(items for _, items in known) / len(known)
    successes = np.array([*(one for one, _ in known), average, 0.0])
    items = np.array([*(one for _, one in known), average, average])
    centre = float(successes.sum() / items.sum())
    half = float(stdtrit(max(1, len(known) - 1), (1.0 + level) / 2.0)) * sqrt(ratio_variance(successes, items))
    return Interval(max(0.0, centre - half), min(1.0, centre + half), level)
