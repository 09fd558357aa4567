"""Tests whether two models are equally strong: the generalised score test, with clusters (Boos 1992).

The model is fitted with both strengths set equal, and the slope of the likelihood across that constraint is compared
with its spread over clusters. Unlike a bootstrap it resolves any p-value, which an adjustment for many pairs needs, and
unlike Wald's test it does not weaken when one side wins everything.

Of two models alone the slope is their net wins by cluster, whose signs are as good one way as the other: there the test
is exact, the sign-flip test that `significance` makes. The normal distribution would call equal models different in up
to 7% of cases at a nominal 5%, where a few tens of verdicts make the statistic jump.

    equality_tests(games, [(0, 1), (0, 2)], prior=0.5)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

from sage_eval.stats.davidson.draws import with_prior
from sage_eval.stats.davidson.games import Games, Outcome
from sage_eval.stats.davidson.model import fit, solve_contrasts
from sage_eval.stats.flips import flip_test
from sage_eval.stats.resampling import Floats


def equality_tests(games: Games, pairs: Sequence[tuple[int, int]], *, prior: float) -> Floats:
    """Two-sided p of "equally strong" for each pair of models, whether or not they met; shape (pairs,)."""
    if len(games.models) == 2:
        return np.full(len(pairs), _by_flips(games))
    contrasts = np.zeros((len(pairs), len(games.models)))
    for row, (one, other) in enumerate(pairs):
        contrasts[row, one], contrasts[row, other] = 1.0, -1.0
    outcomes = np.repeat(with_prior(games, prior)[None], len(pairs), axis=0)
    fitted = fit(outcomes, games.pairs, len(games.models), contrasts=contrasts)
    weights = solve_contrasts(fitted.information, contrasts)
    return np.array(
        [_p(games, outcomes[row], fitted.chances[row], weights[row]) for row in range(len(pairs))], dtype=np.float64
    )


def _by_flips(games: Games) -> float:
    """Of the only two models there are."""
    met = games.counts.sum(axis=1)
    # Nothing is drawn: net wins are whole numbers.
    p = flip_test(met[:, Outcome.FIRST] - met[:, Outcome.SECOND], seed=0).p
    return 1.0 if p is None else p


def _p(games: Games, outcomes: Floats, expected: Floats, weights: Floats) -> float:
    """Compare the weighted slope with its spread over clusters.

    Args:
        games: what was played.
        outcomes: with the prior, (pairs, 3).
        expected: chances under equality, (pairs, 3).
        weights: how much each parameter's slope counts, (models + 1,).
    """
    across = (weights[games.pairs[:, 0]] - weights[games.pairs[:, 1]]) / 2.0
    gains = np.stack([across, np.full_like(across, weights[-1]), -across], axis=1)
    gains = gains - (gains * expected).sum(axis=1, keepdims=True)
    spread = float(np.sqrt((np.tensordot(games.counts, gains, axes=2) ** 2).sum()))
    slope = float((outcomes * gains).sum())
    return 1.0 if spread < 1e-12 or abs(slope) < 1e-9 else float(2.0 * ndtr(-abs(slope) / spread))
