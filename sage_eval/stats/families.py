"""Adjusts p-values for a family of tests.

The family must be declared before the data are seen; a test that could not be carried out stays a member of it and
enters with p = 1.

    holm([0.01, 0.04, 0.03])
"""

from __future__ import annotations

from collections.abc import Sequence

from sage_eval.stats.checks import require_p_values


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment (1979): compare with alpha to keep the chance of any false rejection below it.

    Raises:
        ValueError: a value is not a probability.
    """
    require_p_values(list(p_values))
    adjusted, running = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        running = max(running, (len(p_values) - rank) * p_values[index])
        adjusted[index] = min(1.0, running)
    return adjusted
