"""What a rating says: strengths with groups and rank intervals, differences of pairs, and how well the model fits.

print(rate(games).models[0])
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log

from sage_eval.stats.davidson.cycles import Cycle
from sage_eval.stats.davidson.goodness import Goodness
from sage_eval.stats.result import Result
from sage_eval.stats.signs import Interval
from sage_eval.tables import show_interval, text_table

ELO_CENTRE = 1000.0
"""Display rating of a log-strength of 0."""
ELO_UNIT = 400.0 / log(10.0)
"""Display points per unit of log-strength: 400 points are odds of 10 to 1 of a win against a loss, as with Elo."""


def elo(strength: float) -> float:
    """A log-strength on the display scale."""
    return ELO_CENTRE + ELO_UNIT * strength


@dataclass(frozen=True, slots=True)
class ModelRating(Result):
    """One model's strength."""

    model: str
    component: int
    """Number of the connected component, from 1; strengths and ranks compare only inside one."""
    strength: float
    """Log-strength; zero-sum in its component, or relative to the anchor where the anchor is in it."""
    interval: Interval | None
    """None with a single cluster, and for the anchor."""
    rank_low: int
    """Best rank it may have; all rank intervals hold at once."""
    rank_high: int
    letters: str
    """Models that share a letter could not be told apart."""
    wins: int
    ties: int
    losses: int

    derived = ("n", "elo")

    @property
    def n(self) -> int:
        """Games it played."""
        return self.wins + self.ties + self.losses

    @property
    def elo(self) -> float:
        """Strength on the display scale."""
        return elo(self.strength)


@dataclass(frozen=True, slots=True)
class PairRating(Result):
    """Two models' difference."""

    model_a: str
    model_b: str
    wins_a: int
    ties: int
    wins_b: int
    difference: float | None
    """Log-strength of B minus that of A; None when no games connect them."""
    interval: Interval | None
    p: float | None
    """Two-sided, of "equally strong"."""
    p_holm: float | None
    """Adjusted over all pairs of models, connected or not."""
    expected_tie_share: float | None
    """Share of ties that the fit expects of this pair."""

    derived = ("n", "share_b", "expected_share_b", "tie_share")

    @property
    def n(self) -> int:
        """Games between the two."""
        return self.wins_a + self.ties + self.wins_b

    @property
    def share_b(self) -> float | None:
        """B's share of their decisive games."""
        decisive = self.wins_a + self.wins_b
        return self.wins_b / decisive if decisive else None

    @property
    def expected_share_b(self) -> float | None:
        """The share that the fit expects."""
        return None if self.difference is None else 1.0 / (1.0 + exp(-self.difference))

    @property
    def tie_share(self) -> float | None:
        """Share of ties among their games."""
        return self.ties / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class ComponentFit(Result):
    """One connected component: what the model makes of it as a whole."""

    component: int
    models: tuple[str, ...]
    clusters: int
    games: int
    tie_parameter: float
    """Davidson's v: at equal strength a tie is v times as likely as a win of either."""
    goodness: Goodness
    strong: tuple[tuple[str, ...], ...]
    """Models between which wins and ties lead there and back; with more than one set, only the prior keeps the
    distance between the sets finite."""

    @property
    def n(self) -> int:
        """Games in it."""
        return self.games


@dataclass(frozen=True, slots=True)
class Rating(Result):
    """All models under one judge."""

    models: tuple[ModelRating, ...]
    """By component, strongest first."""
    pairs: tuple[PairRating, ...]
    fits: tuple[ComponentFit, ...]
    unrated: tuple[str, ...]
    """Models without any game."""
    cycles: tuple[Cycle, ...]
    warnings: tuple[str, ...]
    """What a reader must know before leaning on the figures."""
    clusters: int
    games: int
    level: float
    alpha: float
    prior: float
    anchor: str | None
    resamples: int
    seed: int

    @property
    def n(self) -> int:
        """Games."""
        return self.games

    def __str__(self) -> str:
        lines = [
            (one.model, one.letters, f"{one.rank_low}-{one.rank_high}", f"{one.strength:+.3f}", _shown(one.interval))
            for one in self.models
        ]
        table = text_table(("model", "group", "rank", "strength", f"{self.level:.0%} interval"), lines, left=2)
        return "\n".join([table, *self.warnings])


def _shown(interval: Interval | None) -> str:
    return "-" if interval is None else show_interval(interval.low, interval.high, "+.3f")
