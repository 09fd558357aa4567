"""Does one strength per model, and one tie parameter, explain all pairs?

The deviance and Pearson's statistic compare the outcomes of each pair with what the fit expects. Verdicts of one
scenario hang together, so the p that counts comes from the bootstrap over clusters: Pearson's statistic of the
resampled deviations minus the observed ones, which is how the statistic spreads when the model holds.

    goodness(games, fitted, draws)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from sage_eval.stats.davidson.draws import Draws
from sage_eval.stats.davidson.games import Games, Outcome
from sage_eval.stats.davidson.model import Fitted, fit, prior_wins
from sage_eval.stats.resampling import Floats
from sage_eval.stats.result import Result

SMALLEST_EXPECTED = 5.0
"""Expected counts below which chi-square is a poor guide."""


@dataclass(frozen=True, slots=True)
class Goodness(Result):
    """How well the model fits."""

    deviance: float
    """Twice the log-likelihood that a free choice of each pair's shares would gain."""
    pearson: float
    df: int
    """Free shares of all pairs minus parameters; 0 when nothing is left to test."""
    p: float | None
    """Of Pearson's statistic, from the bootstrap over clusters; None when df is 0 or there is one cluster."""
    p_chi_square: float | None
    """Of the deviance, as if all verdicts were independent, which holds only with one verdict a scenario."""
    smallest_expected: float
    """Smallest expected count of any outcome of any pair."""
    resamples: int

    @property
    def n(self) -> int:
        """Resamples that `p` rests on."""
        return self.resamples


def goodness(games: Games, fitted: Fitted, draws: Draws, *, prior: float) -> Goodness:
    """Compare observed with expected outcomes.

    Args:
        games: what was played; connected.
        fitted: fit of the observed outcomes.
        draws: resamples of the same games.
        prior: as both were fitted with.
    """
    observed = games.totals
    expected = observed.sum(axis=1, keepdims=True) * fitted.chances[0]
    away = observed - expected
    pearson = _pearson(away[None], expected)[0]
    outcomes = len(Outcome) if observed[:, Outcome.TIE].any() else len(Outcome) - 1
    df = len(games.pairs) * (outcomes - 1) - (len(games.models) - 1) - (outcomes - 2)
    deviance = _deviance(observed, expected)
    return Goodness(
        deviance=deviance,
        pearson=float(pearson),
        df=df,
        p=_bootstrap_p(games, away, expected, draws, fitted, prior) if df and games.clusters > 1 else None,
        p_chi_square=float(chdtrc(df, deviance)) if df else None,
        smallest_expected=float(expected[:, [0, 2] if outcomes == 2 else slice(None)].min()),
        resamples=len(draws.outcomes),
    )


def _bootstrap_p(games: Games, away: Floats, expected: Floats, draws: Draws, fitted: Fitted, prior: float) -> float:
    """Share of resamples whose deviations lie as far from the observed ones as those lie from 0."""
    added = prior_wins(len(games.models), len(games.pairs), prior)
    # Weights of mean 1 per resample, so that the deviations are those of as many games as were played.
    scaled = draws.outcomes * (games.totals.sum() / draws.outcomes.sum(axis=(1, 2), keepdims=True))
    refitted = fit(scaled + np.array([added, 0.0, added]), games.pairs, len(games.models), start=fitted)
    resampled = scaled - scaled.sum(axis=2, keepdims=True) * refitted.chances
    # Exponential weights spread a mean by (G - 1) / (G + 1) of what sampling anew would.
    widened = (games.clusters + 1) / (games.clusters - 1) * _pearson(resampled - away, expected)
    as_far = widened >= _pearson(away[None], expected) - 1e-9
    return float((1 + as_far.sum()) / (1 + len(as_far)))


def _pearson(away: Floats, expected: Floats) -> Floats:
    """Sum of squared deviations over expected counts: (R, pairs, 3) and (pairs, 3) to (R,)."""
    terms = np.divide(away**2, expected, out=np.zeros_like(away), where=expected > 1e-12)
    total: Floats = terms.sum(axis=(1, 2))
    return total


def _deviance(observed: Floats, expected: Floats) -> float:
    seen = observed > 0
    return max(0.0, 2.0 * float((observed[seen] * np.log(observed[seen] / expected[seen])).sum()))
