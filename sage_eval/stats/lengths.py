"""The result at equal length: judges like long answers, so wins are adjusted for the difference in words.

Logistic regression of "B won" on an intercept and tanh((words of B - words of A) / their standard deviation), after
length-controlled AlpacaEval (Dubois et al. 2024). The difference is scaled and not centred, so that 0 is equal length
and the intercept is the result there.

    length_adjusted(won_b, words_a, words_b, clusters=scenario_ids)
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, ndtr, ndtri, stdtr, stdtrit

from sage_eval.stats.checks import require_level
from sage_eval.stats.resampling import Floats, cluster_indices, cluster_sums
from sage_eval.stats.result import Result
from sage_eval.stats.signs import Interval

SMALLEST = 30
"""Decisive pairs (or clusters of them) below which the adjusted result is not given: its interval would not hold."""
_STEPS = 100


@dataclass(frozen=True, slots=True)
class LengthAdjusted(Result):
    """B's share of decisive pairs, as it is and as it would be at equal length."""

    n: int
    """Decisive pairs."""
    clusters: int
    wins_b: int
    share_b: float | None
    """B's share as it is; None without any decisive pair."""
    adjusted_share_b: float | None
    """B's share at equal length; None when it cannot be estimated."""
    interval: Interval | None
    """Of `adjusted_share_b`."""
    p: float | None
    """Two-sided, of "at equal length both win equally often"."""
    coefficient: float | None
    """Change of the log-odds that B wins per unit of tanh; above 0 the longer side wins more."""
    coefficient_interval: Interval | None
    coefficient_p: float | None
    """Two-sided, of "length makes no difference"."""
    mean_difference: float | None
    """Mean of words of B - words of A."""
    scale: float | None
    """Standard deviation of that difference, in words."""
    level: float
    reason: str | None = None
    """Why the adjusted result is not estimable; None when it is."""
    seed: None = None
    """Nothing is drawn."""

    @property
    def estimable(self) -> bool:
        """True when there is an adjusted result."""
        return self.adjusted_share_b is not None


def length_adjusted(
    won_b: Sequence[bool],
    words_a: Sequence[float],
    words_b: Sequence[float],
    *,
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
) -> LengthAdjusted:
    """Adjust the decisive pairs of two models for length; ties and failures must be left out by the caller.

    Args:
        won_b: True where B won, False where A did; shape (pairs,).
        words_a: assistant words of A's dialogue, in words (any unit will do, as long as it is the same for both).
        words_b: the same of B's.
        clusters: scenario of each pair, where one scenario has several pairs.
        level: coverage of the intervals.

    Raises:
        ValueError: the sequences differ in length, or a length is not a finite number.
    """
    require_level(level)
    outcome = np.asarray(won_b, dtype=np.float64)
    difference = _difference(words_a, words_b, outcome.size)
    indices, number = cluster_indices(clusters, outcome.size)
    plain = _unadjusted(outcome, difference, number, level)
    if reason := _not_estimable(outcome, difference, number):
        return replace(plain, reason=reason)
    try:
        fitted = _fit(outcome, np.tanh(difference / difference.std(ddof=1)), indices, number, level)
    except ValueError as error:
        return replace(plain, reason=str(error))
    return replace(
        plain,
        adjusted_share_b=float(expit(fitted.beta[0])),
        interval=_interval(expit(fitted.limits[0]), level),
        p=fitted.p[0],
        coefficient=float(fitted.beta[1]),
        coefficient_interval=_interval(fitted.limits[1], level),
        coefficient_p=fitted.p[1],
    )


def _difference(words_a: Sequence[float], words_b: Sequence[float], pairs: int) -> Floats:
    """Words of B minus words of A, (pairs,)."""
    found = np.asarray(words_a, dtype=np.float64), np.asarray(words_b, dtype=np.float64)
    if any(one.shape != (pairs,) or not np.isfinite(one).all() for one in found):
        raise ValueError(f"expected finite lengths of {pairs} pairs, found {found[0].size} and {found[1].size} lengths")
    return np.asarray(found[1] - found[0])


def _unadjusted(outcome: Floats, difference: Floats, clusters: int, level: float) -> LengthAdjusted:
    """All that is known without a regression."""
    return LengthAdjusted(
        n=outcome.size,
        clusters=clusters,
        wins_b=int(outcome.sum()),
        share_b=float(outcome.mean()) if outcome.size else None,
        adjusted_share_b=None,
        interval=None,
        p=None,
        coefficient=None,
        coefficient_interval=None,
        coefficient_p=None,
        mean_difference=float(difference.mean()) if outcome.size else None,
        scale=float(difference.std(ddof=1)) if outcome.size > 1 else None,
        level=level,
    )


def _interval(limits: Floats, level: float) -> Interval:
    return Interval(float(limits[0]), float(limits[1]), level)


def _not_estimable(outcome: Floats, difference: Floats, clusters: int) -> str | None:
    if clusters < SMALLEST:
        return f"{clusters} decisive pairs or clusters; at least {SMALLEST} are needed"
    if outcome.min() == outcome.max():
        return "one model won every decisive pair"
    if np.ptp(difference) == 0.0:
        return "the length difference is the same in all pairs"
    if difference.min() > 0 or difference.max() < 0:
        return f"{'B' if difference.min() > 0 else 'A'} is longer in every pair: nothing is known of equal length"
    won, lost = difference[outcome == 1.0], difference[outcome == 0.0]
    # With one regressor the estimate is finite exactly when the two groups overlap (Albert and Anderson 1984).
    if won.max() <= lost.min() or lost.max() <= won.min():
        return "length alone tells who won: the estimate would be infinite"
    return None


@dataclass(frozen=True, slots=True)
class _Fitted:
    beta: Floats
    """Intercept and slope."""
    limits: Floats
    """(2 coefficients, low and high)."""
    p: tuple[float, float]


def _fit(outcome: Floats, regressor: Floats, indices: np.ndarray, clusters: int, level: float) -> _Fitted:
    design = np.stack([np.ones_like(regressor), regressor], axis=1)
    beta, covariance = logistic(outcome, design)
    clustered = clusters < outcome.size
    if clustered:
        covariance = _clustered(outcome, design, beta, covariance, indices, clusters)
    errors = np.sqrt(np.diag(covariance))
    below = -np.abs(beta / errors)
    # Few clusters estimate their own spread badly, hence Student's t; independent pairs have that of the binomial.
    quantile = stdtrit(clusters - 1, (1 + level) / 2) if clustered else ndtri((1 + level) / 2)
    p = 2.0 * (stdtr(clusters - 1, below) if clustered else ndtr(below))
    limits = np.stack([beta - quantile * errors, beta + quantile * errors], axis=1)
    return _Fitted(beta, limits, (float(p[0]), float(p[1])))


def logistic(outcome: Floats, design: Floats) -> tuple[Floats, Floats]:
    """Maximum-likelihood logistic regression by Newton's method with halved steps.

    Args:
        outcome: 0 or 1, shape (items,).
        design: regressors with a column of ones for the intercept, shape (items, regressors).

    Returns:
        Coefficients, and the inverse of the information matrix.

    Raises:
        ValueError: the estimate is not finite (separable data).
    """
    beta = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        share = expit(design @ beta)
        information = (design * (share * (1.0 - share))[:, None]).T @ design
        try:
            step = np.linalg.solve(information, design.T @ (outcome - share))
        except np.linalg.LinAlgError:
            break
        beta = _improved(outcome, design, beta, step)
        if np.abs(step).max() < 1e-9 * (1.0 + np.abs(beta).max()):
            return beta, np.linalg.inv(information)
    raise ValueError("the logistic regression has no finite estimate: the data are separable or the design is singular")


def _improved(outcome: Floats, design: Floats, beta: Floats, step: Floats) -> Floats:
    """Take the step, halved until the likelihood does not fall."""
    before = _log_likelihood(outcome, design @ beta)
    for halvings in range(30):
        moved: Floats = beta + step / 2.0**halvings
        if _log_likelihood(outcome, design @ moved) >= before - 1e-12 * abs(before):
            return moved
    return beta


def _log_likelihood(outcome: Floats, log_odds: Floats) -> float:
    return float(outcome @ log_odds - np.logaddexp(0.0, log_odds).sum())


def _clustered(
    outcome: Floats, design: Floats, beta: Floats, inverse: Floats, indices: np.ndarray, clusters: int
) -> Floats:
    """Covariance that allows for dependence within clusters (sandwich, times G / (G - 1))."""
    scores = cluster_sums(design * (outcome - expit(design @ beta))[:, None], indices, clusters)
    covariance: Floats = inverse @ (scores.T @ scores) @ inverse * (clusters / (clusters - 1))
    return covariance
