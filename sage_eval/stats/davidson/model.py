"""Bradley and Terry's model with ties after Davidson (JASA 65, 1970), fitted for many tables of outcomes at once.

With log-strengths t_i and t_j, u = (t_i - t_j) / 2 and the tie parameter v, the first wins, neither wins, the second
wins in proportion to exp(u) : v : exp(-u). So t_i - t_j is the logarithm of the odds of a win against a loss. The
log-likelihood is concave in (t, log v) and Newton's method finds its only maximum; strengths add up to 0.

    fit(outcomes, pairs, models=3).strengths
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sage_eval.stats.resampling import Floats, Integers

TOLERANCE = 1e-13
"""Log-likelihood per game that a full step would still gain when a maximum counts as found."""
_STEPS = 300
_LONGEST = 2.0
"""Largest change of a parameter in one step: far out the likelihood is nearly flat, and Newton's step far too long."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Maxima of many likelihoods; tables are those of outcomes, R of them."""

    strengths: Floats
    """Log-strengths, zero-sum, shape (R, models)."""
    log_ties: Floats
    """log v, shape (R,); -inf where there is no tie."""
    chances: Floats
    """Of the three outcomes of each pair, shape (R, pairs, 3)."""
    information: Floats
    """Of (strengths, log v), made invertible by adding 1 in the direction that no game tells of; (R, m + 1, m + 1)."""


def prior_wins(models: int, pairs: int, prior: float) -> float:
    """Wins added to each side of each compared pair, so that a 10-0 record has a finite strength.

    For two models `prior` to either side: with 1/2 that is Jeffreys' prior of the chance to win. In general `prior`
    for each of the (models - 1) strengths, spread evenly over the compared pairs, which for 1/2 is on average what
    Firth's correction adds (Biometrika 80, 1993).
    """
    return prior * (models - 1) / pairs


def chances(strengths: Floats, log_ties: Floats, pairs: Integers) -> Floats:
    """Chances that the first wins, neither, the second: (R, models) and (R,) to (R, pairs, 3)."""
    half = (strengths[:, pairs[:, 0]] - strengths[:, pairs[:, 1]]) / 2.0
    weights = np.stack([half, np.broadcast_to(log_ties[:, None], half.shape), -half], axis=2)
    weights = np.exp(weights - weights.max(axis=2, keepdims=True))
    shares: Floats = weights / weights.sum(axis=2, keepdims=True)
    return shares


def log_likelihood(outcomes: Floats, expected: Floats) -> Floats:
    """Of each table of outcomes under the chances: (R, pairs, 3) twice to (R,)."""
    tiny = np.finfo(np.float64).tiny
    total: Floats = (outcomes * np.log(np.maximum(expected, tiny))).sum(axis=(1, 2))
    return total


def fit(
    outcomes: Floats,
    pairs: Integers,
    models: int,
    *,
    start: Fitted | None = None,
    contrasts: Floats | None = None,
) -> Fitted:
    """Find the maximum of each likelihood, if need be among the strengths s with `contrast @ s` = 0.

    Args:
        outcomes: the tables, prior included, so that either side of each pair has won some; (R, pairs, 3).
        pairs: indices of the models of each pair, which must connect them all; (pairs, 2).
        models: how many there are.
        start: where to begin (a fit of one table, or of as many); None begins with equal strengths.
        contrasts: a constraint for each table, each adding up to 0; (R, models). Must hold for `start`.

    Raises:
        ArithmeticError: a maximum was not found, because the pairs do not connect the models or a side never won.
    """
    space = _Space(pairs, models)
    parameters = _start(outcomes, models, start)
    tied = outcomes[:, :, 1].sum(axis=1) > 0
    parameters[~tied, -1] = -np.inf
    enough = TOLERANCE * (1.0 + outcomes.sum(axis=(1, 2)))
    todo = np.arange(len(outcomes))
    for _ in range(_STEPS):
        step, gain = space.step(parameters[todo], outcomes[todo], None if contrasts is None else contrasts[todo])
        parameters[todo] = space.improved(parameters[todo], outcomes[todo], step)
        todo = todo[gain > enough[todo]]
        if not todo.size:
            found = chances(parameters[:, :-1], parameters[:, -1], pairs)
            return Fitted(parameters[:, :-1], parameters[:, -1], found, space.information(found, outcomes.sum(axis=2)))
    raise ArithmeticError(f"no maximum of {todo.size} of {len(outcomes)} likelihoods within {_STEPS} steps")


def _start(outcomes: Floats, models: int, start: Fitted | None) -> Floats:
    parameters = np.zeros((len(outcomes), models + 1))
    if start is not None:
        parameters[:, :-1] = start.strengths
        # A table with ties may follow one without; then it begins with v = 1.
        parameters[:, -1] = np.where(np.isfinite(start.log_ties), start.log_ties, 0.0)
    return parameters


class _Space:
    """Scores and information of (strengths, log v), from those of (difference of each pair, log v)."""

    def __init__(self, pairs: Integers, models: int) -> None:
        self.pairs = pairs
        self.sides = np.zeros((len(pairs), models))
        self.sides[np.arange(len(pairs)), pairs[:, 0]] = 1.0
        self.sides[np.arange(len(pairs)), pairs[:, 1]] = -1.0
        self._squares = np.einsum("pi,pj->pij", self.sides, self.sides).reshape(len(pairs), -1)

    def scores(self, outcomes: Floats, expected: Floats) -> Floats:
        """Slope of the log-likelihood, (R, models + 1)."""
        away = outcomes - outcomes.sum(axis=2, keepdims=True) * expected
        return np.concatenate(
            [(away[:, :, 0] - away[:, :, 2]) / 2.0 @ self.sides, away[:, :, 1].sum(axis=1, keepdims=True)], axis=1
        )

    def information(self, expected: Floats, games: Floats) -> Floats:
        """Fisher information, made invertible; (R, pairs, 3) and (R, pairs) to (R, models + 1, models + 1)."""
        tables, models = len(games), self.sides.shape[1]
        lead, tie = expected[:, :, 0] - expected[:, :, 2], expected[:, :, 1]
        filled = np.ones((tables, models + 1, models + 1))
        spread = games * (1.0 - tie - lead**2) / 4.0
        filled[:, :-1, :-1] += (spread @ self._squares).reshape(tables, models, models)
        filled[:, :-1, -1] = filled[:, -1, :-1] = -(games * lead * tie / 2.0) @ self.sides
        of_ties = (games * tie * (1.0 - tie)).sum(axis=1)
        filled[:, -1, -1] = np.where(of_ties > 0.0, of_ties, 1.0)
        return filled

    def step(self, parameters: Floats, outcomes: Floats, contrasts: Floats | None) -> tuple[Floats, Floats]:
        """Newton's step along the constraint if there is one, shortened to `_LONGEST`, and what the full one gains."""
        expected = chances(parameters[:, :-1], parameters[:, -1], self.pairs)
        information = self.information(expected, outcomes.sum(axis=2))
        scores = self.scores(outcomes, expected)
        step = np.linalg.solve(information, scores[:, :, None])[:, :, 0]
        if contrasts is not None:
            direction = solve_contrasts(information, contrasts)
            across = (contrasts * step[:, :-1]).sum(axis=1) / (contrasts * direction[:, :-1]).sum(axis=1)
            step = step - across[:, None] * direction
        longest = np.abs(step).max(axis=1, keepdims=True)
        return step * (_LONGEST / np.maximum(longest, _LONGEST)), (step * scores).sum(axis=1)

    def improved(self, parameters: Floats, outcomes: Floats, step: Floats) -> Floats:
        """Take each step, shortened until its likelihood does not fall."""
        before = log_likelihood(outcomes, chances(parameters[:, :-1], parameters[:, -1], self.pairs))
        before = before - 1e-12 * (1.0 + np.abs(before))
        share = np.ones((len(parameters), 1))
        for _ in range(30):
            moved = parameters + share * step
            after = log_likelihood(outcomes, chances(moved[:, :-1], moved[:, -1], self.pairs))
            if (after >= before).all():
                break
            share[after < before] /= 4.0
        return moved


def solve_contrasts(information: Floats, contrasts: Floats) -> Floats:
    """Inverse information times each contrast of strengths: (R, m + 1, m + 1) and (R, m) to (R, m + 1)."""
    padded = np.concatenate([contrasts, np.zeros((len(contrasts), 1))], axis=1)
    solved: Floats = np.linalg.solve(information, padded[:, :, None])[:, :, 0]
    return solved
