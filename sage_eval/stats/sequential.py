"""Evidence that may be looked at after every pair: e-values, anytime-valid p and confidence sequences.

Under "both models win equally often" the e-value is a bet that cannot be expected to gain, whenever one stops, so it
reaches 1/alpha with probability at most alpha (Ville 1939; Ramdas et al., Statistical Science 2023). The bet spreads
evenly over all win shares: log E = betaln(1 + wins B, 1 + wins A) - betaln(1, 1) + n ln 2, n decisive pairs.

The order of pairs must not depend on their results, and each verdict must come from a scenario of its own; where a
scenario has several rollouts, `mean_e_path` takes their mean.

    process = EProcess(alpha=0.05, family_size=3)
    for verdict in verdicts:
        process = process.add(verdict)
        if process.reached:
            break
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import exp, log

import numpy as np
import numpy.typing as npt
from scipy.special import betaln, logsumexp, xlog1py, xlogy

from sage_eval.stats.checks import require_counts, require_family, require_level, require_shares
from sage_eval.stats.result import Result
from sage_eval.stats.signs import Interval
from sage_eval.verdict import Verdict

Floats = npt.NDArray[np.float64]

_LOG_2 = log(2.0)
_HALVINGS = 60
"""Of the search for a limit: enough for the last bit of a double."""
_NODES = 1024
"""Of the quadrature over bets; exact for up to 2 * 1024 - 1 scores, and far finer than the integrand beyond."""


def log_e_value(wins_a: int, wins_b: int) -> float:
    """Natural logarithm of the e-value against "both win equally often"; 0 without a decisive pair.

    Raises:
        ValueError: a count is negative.
    """
    require_counts(wins_a=wins_a, wins_b=wins_b)
    return float(betaln(1 + wins_b, 1 + wins_a)) + (wins_a + wins_b) * _LOG_2


def log_threshold(alpha: float, family_size: int = 1) -> float:
    """Natural logarithm of family_size / alpha: where a comparison may be claimed (Bonferroni over the family).

    Raises:
        ValueError: `alpha` is not between 0 and 1, or the family is empty.
    """
    require_shares(alpha=alpha)
    require_family(family_size)
    return log(family_size / alpha)


@dataclass(frozen=True, slots=True)
class EProcess(Result):
    """The evidence after some verdicts; `add` gives the next one. Start with `EProcess(alpha=..., family_size=...)`."""

    alpha: float = 0.05
    family_size: int = 1
    wins_a: int = 0
    wins_b: int = 0
    undecisive: int = 0
    """Ties, inconsistent and failed pairs: they leave the e-value as it is."""
    max_log_e: float = 0.0
    """Largest natural logarithm of the e-value so far."""
    stopped_at: int | None = None
    """Decisive pairs when the threshold was first reached; None while it was not."""
    stopped_after: int | None = None
    """Pairs judged until then, those that were not decisive included."""
    seed: None = None
    """Nothing is drawn."""

    derived = ("n", "judged", "log_e", "p", "threshold", "reached")

    @property
    def n(self) -> int:
        """Decisive pairs."""
        return self.wins_a + self.wins_b

    @property
    def judged(self) -> int:
        """Pairs, whatever their verdict."""
        return self.n + self.undecisive

    @property
    def log_e(self) -> float:
        """Natural logarithm of the e-value now."""
        return log_e_value(self.wins_a, self.wins_b)

    @property
    def p(self) -> float:
        """Anytime-valid p, min(1, 1 / largest e-value so far); not adjusted for the family."""
        return exp(-max(0.0, self.max_log_e))

    @property
    def threshold(self) -> float:
        """E-value at which the comparison may be claimed: family_size / alpha."""
        return self.family_size / self.alpha

    @property
    def reached(self) -> bool:
        """True once the threshold was reached: judging may stop, and the claim stands."""
        return self.stopped_at is not None

    def add(self, verdict: Verdict) -> EProcess:
        """The evidence with one more pair.

        Raises:
            ValueError: `alpha` is not between 0 and 1, or the family is empty.
        """
        after = replace(
            self,
            wins_a=self.wins_a + (verdict is Verdict.A),
            wins_b=self.wins_b + (verdict is Verdict.B),
            undecisive=self.undecisive + (not verdict.decisive),
        )
        largest = max(self.max_log_e, after.log_e)
        after = replace(after, max_log_e=largest)
        if self.reached or largest < log_threshold(self.alpha, self.family_size):
            return after
        return replace(after, stopped_at=after.n, stopped_after=after.judged)

    def calls_saved(self, planned_pairs: int, calls_a_pair: int = 2) -> int:
        """Judge calls not made if judging ended when the threshold was reached; 0 if it was not.

        Args:
            planned_pairs: pairs that would have been judged.
            calls_a_pair: 2 for the two orders, times judges of a panel.

        Raises:
            ValueError: a count is negative, or more pairs were judged until then than were planned.
        """
        require_counts(planned_pairs=planned_pairs, calls_a_pair=calls_a_pair)
        if self.stopped_after is None:
            return 0
        if self.stopped_after > planned_pairs:
            raise ValueError(f"stopped after {self.stopped_after} pairs, but only {planned_pairs} were planned")
        return (planned_pairs - self.stopped_after) * calls_a_pair


@dataclass(frozen=True, slots=True)
class EPath(Result):
    """The evidence after each pair (or scenario), for a plot; all sequences are equally long."""

    n: int
    """Pairs (or scenarios) in the path."""
    alpha: float
    family_size: int
    decisive: tuple[int, ...]
    """Decisive pairs so far."""
    log_e: tuple[float, ...]
    """Natural logarithm of the e-value."""
    p: tuple[float, ...]
    """Anytime-valid p, not adjusted for the family."""
    share_b: tuple[Interval, ...]
    """Confidence sequence of B's win share at 1 - alpha / family_size; empty for means of several rollouts."""
    stopped_after: int | None
    """Pairs (or scenarios) until the threshold was reached; None if it never was."""
    stopped_at: int | None
    """Decisive ones among them."""
    seed: None = None
    """Nothing is drawn."""

    derived = ("threshold",)

    @property
    def threshold(self) -> float:
        """E-value at which the comparison may be claimed: family_size / alpha."""
        return self.family_size / self.alpha


def e_path(verdicts: Iterable[Verdict], *, alpha: float = 0.05, family_size: int = 1) -> EPath:
    """Follow the e-value over pairs in the order they were judged, one pair a scenario.

    Raises:
        ValueError: `alpha` is not between 0 and 1, or the family is empty.
    """
    listed = list(verdicts)
    wins_a = np.cumsum([verdict is Verdict.A for verdict in listed], dtype=np.int64)
    wins_b = np.cumsum([verdict is Verdict.B for verdict in listed], dtype=np.int64)
    log_e = betaln(1 + wins_b, 1 + wins_a) + (wins_a + wins_b) * _LOG_2
    limits = _limits(wins_a, wins_b, log_threshold(alpha, family_size))
    level = 1.0 - alpha / family_size
    intervals = tuple(Interval(float(low), float(high), level) for low, high in zip(*limits, strict=True))
    return _path(log_e, wins_a + wins_b, intervals, alpha, family_size)


def mean_e_path(scores: Sequence[float], *, alpha: float = 0.05, family_size: int = 1) -> EPath:
    """Follow the e-value over scenarios with one score each: the mean of its rollouts, 1 for B, -1 for A, else 0.

    It tests "the scores have mean 0" by the even mixture of all bets, the integral of prod(1 + b score) over b from -1
    to 1, halved (Waudby-Smith and Ramdas 2024, section 4); with one rollout a scenario this is `e_path`'s.

    Args:
        scores: one a scenario, shape (scenarios,), in the order they were judged.
        alpha: chance of any false claim in the whole family.
        family_size: number of comparisons.

    Raises:
        ValueError: a score is outside [-1, 1], `alpha` is not between 0 and 1, or the family is empty.
    """
    values = np.asarray(scores, dtype=np.float64)
    if not (np.abs(values) <= 1.0).all():
        raise ValueError("a scenario's score is the mean of -1, 0 and 1; one lies outside [-1, 1]")
    bets, weights = _quadrature()
    wealth, log_e = np.log(weights / 2.0), []
    for start in range(0, values.size, _NODES):
        grown = wealth + np.cumsum(np.log1p(np.outer(values[start : start + _NODES], bets)), axis=0)
        log_e.append(logsumexp(grown, axis=1))
        wealth = grown[-1]
    return _path(np.concatenate([np.zeros(0), *log_e]), np.cumsum(values != 0.0), (), alpha, family_size)


@cache
def _quadrature() -> tuple[Floats, Floats]:
    """Bets between -1 and 1 and their weights (Gauss and Legendre), each of shape (_NODES,)."""
    bets, weights = np.polynomial.legendre.leggauss(_NODES)
    return bets, weights


def _path(
    log_e: Floats, decisive: npt.NDArray[np.int64], intervals: tuple[Interval, ...], alpha: float, family_size: int
) -> EPath:
    largest = np.maximum.accumulate(np.maximum(log_e, 0.0))
    reached = np.flatnonzero(largest >= log_threshold(alpha, family_size))
    first = int(reached[0]) if reached.size else None
    return EPath(
        n=log_e.size,
        alpha=alpha,
        family_size=family_size,
        decisive=tuple(decisive.tolist()),
        log_e=tuple(log_e.tolist()),
        p=tuple(np.exp(-largest).tolist()),
        share_b=intervals,
        stopped_after=None if first is None else first + 1,
        stopped_at=None if first is None else int(decisive[first]),
    )


def confidence_sequence(wins_a: int, wins_b: int, level: float = 0.95) -> Interval:
    """Limits of B's win share that hold at all times at once: the shares that the same mixture does not refute.

    A share q is refuted when betaln(1 + wins B, 1 + wins A) - wins B ln q - wins A ln(1 - q) reaches ln 1/(1 - level).

    Raises:
        ValueError: a count is negative, or `level` is not between 0 and 1.
    """
    require_counts(wins_a=wins_a, wins_b=wins_b)
    require_level(level)
    low, high = _limits(np.array([wins_a]), np.array([wins_b]), -log(1.0 - level))
    return Interval(float(low[0]), float(high[0]), level)


def _limits(wins_a: npt.NDArray[np.int64], wins_b: npt.NDArray[np.int64], bound: float) -> tuple[Floats, Floats]:
    """Lower and upper limits by bisection, each of the shape of the counts."""
    n = np.maximum(wins_a + wins_b, 1)
    low = _limit(wins_a, wins_b, np.where(wins_a + wins_b > 0, wins_b / n, 0.0), bound)
    high = 1.0 - _limit(wins_b, wins_a, np.where(wins_a + wins_b > 0, wins_a / n, 0.0), bound)
    return low, high


def _limit(losses: npt.NDArray[np.int64], wins: npt.NDArray[np.int64], observed: Floats, bound: float) -> Floats:
    """Smallest share that is not refuted; evidence against a share falls from 0 up to the observed share."""
    outside, inside = np.zeros_like(observed), observed.copy()
    mixed = betaln(1 + wins, 1 + losses)
    for _ in range(_HALVINGS):
        middle = (outside + inside) / 2.0
        refuted = mixed - xlogy(wins, middle) - xlog1py(losses, -middle) >= bound
        outside, inside = np.where(refuted, middle, outside), np.where(refuted, inside, middle)
    limit: Floats = np.where(wins > 0, inside, 0.0)
    return limit
