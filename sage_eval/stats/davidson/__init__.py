"""Ratings of many models from verdicts on pairs: Bradley-Terry with ties, its intervals, tests and fit.

rate(Games.of([Game("s1", "base", "tuned", Outcome.SECOND), ...]), seed=0)
"""

from sage_eval.stats.davidson.cycles import Cycle, Edge, cycles
from sage_eval.stats.davidson.draws import bootstrap, limits, observed_fit
from sage_eval.stats.davidson.equality import equality_tests
from sage_eval.stats.davidson.games import Game, Games, Outcome
from sage_eval.stats.davidson.goodness import Goodness, goodness
from sage_eval.stats.davidson.groups import letters, rank_intervals
from sage_eval.stats.davidson.model import fit
from sage_eval.stats.davidson.rating import SMALLEST, RatingSettings, rate
from sage_eval.stats.davidson.results import ComponentFit, ModelRating, PairRating, Rating, elo

__all__ = [
    "SMALLEST",
    "ComponentFit",
    "Cycle",
    "Edge",
    "Game",
    "Games",
    "Goodness",
    "ModelRating",
    "Outcome",
    "PairRating",
    "Rating",
    "RatingSettings",
    "bootstrap",
    "cycles",
    "elo",
    "equality_tests",
    "fit",
    "goodness",
    "letters",
    "limits",
    "observed_fit",
    "rank_intervals",
    "rate",
]
