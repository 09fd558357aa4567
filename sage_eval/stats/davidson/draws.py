"""Strengths under the Bayesian bootstrap over clusters (Rubin, Annals of Statistics 9, 1981).

Every cluster gets a random weight of mean 1 (exponential), as a whole, so that what hangs together stays together. The
prior's wins are drawn along (gamma): else a 10-0 record would come out the same in each resample, and its interval
would have no width. For two models, one verdict a cluster and no tie, the limits are exactly those of Jeffreys'
interval of the chance to win, which cover well down to small numbers (Brown, Cai and DasGupta 2001).

    draws = bootstrap(games, prior=0.5, resamples=2000, seed=0)
    limits(draws.strengths, level=0.95, clusters=games.clusters)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtrit

from sage_eval.stats.davidson.games import Games, Outcome
from sage_eval.stats.davidson.model import Fitted, fit, prior_wins
from sage_eval.stats.resampling import Floats

_BLOCK = 4_000_000
"""How many weights are held in memory at a time."""
_LEAST = 1e-9
"""Smallest weight of a prior win; a gamma of small shape may come out as 0."""


@dataclass(frozen=True, slots=True)
class Draws:
    """Fits of resamples."""

    outcomes: Floats
    """Weighted counts without the prior, (resamples, pairs, 3)."""
    fitted: Fitted

    @property
    def strengths(self) -> Floats:
        """Log-strengths, (resamples, models)."""
        strengths: Floats = self.fitted.strengths
        return strengths


def observed_fit(games: Games, prior: float) -> Fitted:
    """The fit of the outcomes as they are, with the prior."""
    return fit(with_prior(games, prior)[None], games.pairs, len(games.models))


def with_prior(games: Games, prior: float) -> Floats:
    """Outcomes of each pair with the prior's wins, (pairs, 3)."""
    added = prior_wins(len(games.models), len(games.pairs), prior)
    outcomes: Floats = games.totals + np.array([added, 0.0, added])
    return outcomes


def bootstrap(games: Games, *, prior: float, resamples: int, seed: int) -> Draws:
    """Draw weights of clusters and of the prior's wins, and fit each table.

    Raises:
        ArithmeticError: the games do not connect the models, or `prior` is 0 and a model never won or never lost.
    """
    rng = np.random.default_rng(seed)
    flat = games.counts.reshape(games.clusters, -1)
    rows = max(1, _BLOCK // max(1, games.clusters))
    blocks = [
        rng.standard_exponential((min(rows, resamples - start), games.clusters)) @ flat
        for start in range(0, resamples, rows)
    ]
    outcomes = np.concatenate(blocks).reshape(resamples, len(games.pairs), len(Outcome))
    shape = prior_wins(len(games.models), len(games.pairs), prior)
    weighted = outcomes.copy()
    weighted[:, :, ::2] += np.maximum(rng.standard_gamma(shape, (resamples, len(games.pairs), 2)), _LEAST)
    return Draws(outcomes, fit(weighted, games.pairs, len(games.models), start=observed_fit(games, prior)))


def limits(draws: Floats, *, level: float, clusters: int) -> tuple[Floats, Floats]:
    """Equal-tailed limits of each column of draws, widened for few clusters.

    With G clusters the normal quantile is replaced by sqrt((G + 1) / (G - 1)) times Student's with G - 1 degrees of
    freedom: the variance of a mean under exponential weights is that of the sample times (G - 1) / (G + 1), and the
    rest is as Hesterberg proposes (The American Statistician 69, 2015, section 3.4).

    Raises:
        ValueError: there are fewer than two clusters.
    """
    if clusters < 2:
        raise ValueError("one cluster has no spread: limits need two or more")
    factor = np.sqrt((clusters + 1) / (clusters - 1))
    tail = float(ndtr(factor * stdtrit(clusters - 1, (1.0 - level) / 2.0)))
    low, high = np.quantile(draws, [tail, 1.0 - tail], axis=0)
    return low, high
