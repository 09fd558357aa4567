"""Rates many models from wins and ties of pairs: strengths, intervals, tests, groups, ranks, fit and cycles.

rate(Games.of(games), RatingSettings(level=0.95, alpha=0.05), seed=0)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from sage_eval.stats.checks import require_level
from sage_eval.stats.davidson.cycles import cycles
from sage_eval.stats.davidson.draws import Draws, bootstrap, limits, observed_fit
from sage_eval.stats.davidson.equality import FEW, equality_tests, smallest_p
from sage_eval.stats.davidson.games import Games, Outcome
from sage_eval.stats.davidson.goodness import goodness
from sage_eval.stats.davidson.groups import letters, rank_intervals
from sage_eval.stats.davidson.misfit import misfits
from sage_eval.stats.davidson.model import Fitted, chances
from sage_eval.stats.davidson.results import ComponentFit, ModelRating, PairRating, Rating
from sage_eval.stats.families import holm
from sage_eval.stats.resampling import Floats, Integers
from sage_eval.stats.signs import Interval

SMALLEST = FEW
"""Clusters below which the intervals are not known to hold; the rating says so."""

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class RatingSettings:
    """How models are rated."""

    level: float = 0.95
    """Coverage of each interval, for itself."""
    alpha: float = 0.05
    """Chance of any false claim over all pairs: groups, ranks, cycles."""
    prior: float = 0.5
    """Wins added to either side for each strength to estimate, spread evenly over the compared pairs."""
    anchor: str | None = None
    """Model whose strength is set to 0; None makes the strengths of a component add up to 0."""
    resamples: int = 2000


@dataclass(frozen=True, slots=True)
class _Component:
    """One connected component, fitted."""

    number: int
    members: list[int]
    """Indices into the models of all games."""
    games: Games
    fitted: Fitted
    draws: Draws
    origin: Floats
    """Weights of the strengths whose sum is the scale's 0, (members,)."""

    def strengths(self) -> tuple[Floats, Floats]:
        """Log-strengths, and those of the resamples, on the scale that was asked for."""
        found, drawn = self.fitted.strengths[0], self.draws.strengths
        return found - found @ self.origin, drawn - (drawn @ self.origin)[:, None]


def rate(games: Games, settings: RatingSettings | None = None, *, seed: int = 0) -> Rating:
    """Rate all models of the games; those that no games connect are rated apart.

    Raises:
        ValueError: `level` or `alpha` is not between 0 and 1, `prior` is not above 0, `resamples` is not, or the
            anchor is not among the models.
    """
    settings = settings or RatingSettings()
    _check(games, settings)
    parts = _components(games, settings, seed)
    tested = _tested(parts, settings.prior)
    every = list(combinations(range(len(games.models)), 2))
    adjusted = dict(zip(every, holm([tested.get(pair, 1.0) for pair in every]), strict=True))
    unrated = _unrated(games, parts)
    pairs = tuple(_pair(pair, games, parts, tested, adjusted, settings.level) for pair in every)
    fits = tuple(_component_fit(part, settings) for part in parts)
    warnings = _warnings(parts, unrated, settings.alpha / max(1, len(every)))
    return Rating(
        models=tuple(one for part in parts for one in _models(part, adjusted, settings)),
        pairs=pairs,
        fits=fits,
        unrated=unrated,
        cycles=tuple(cycles(games, alpha=settings.alpha)),
        warnings=(*warnings, *misfits(pairs, fits, settings.alpha)),
        clusters=games.clusters,
        games=int(games.counts.sum()),
        level=settings.level,
        alpha=settings.alpha,
        prior=settings.prior,
        anchor=settings.anchor,
        resamples=settings.resamples,
        seed=seed,
    )


def _check(games: Games, settings: RatingSettings) -> None:
    require_level(settings.level)
    require_level(1.0 - settings.alpha)
    if settings.prior <= 0 or settings.resamples < 1:
        raise ValueError(f"prior and resamples must be above 0; they are {settings.prior} and {settings.resamples}")
    if settings.anchor is not None and settings.anchor not in games.models:
        raise ValueError(f"the anchor {settings.anchor} is not among the models {', '.join(games.models)}")


def _components(games: Games, settings: RatingSettings, seed: int) -> list[_Component]:
    """Fit every group of two or more models that games connect."""
    groups = [members for members in games.components() if len(members) > 1]
    return [_component(number, members, games, settings, seed) for number, members in enumerate(groups, 1)]


def _unrated(games: Games, parts: Sequence[_Component]) -> tuple[str, ...]:
    rated = {member for part in parts for member in part.members}
    return tuple(name for index, name in enumerate(games.models) if index not in rated)


def _component(number: int, members: list[int], games: Games, settings: RatingSettings, seed: int) -> _Component:
    inside = games.among(members)
    origin = np.full(len(members), 1.0 / len(members))
    if settings.anchor in inside.models:
        origin = np.array([float(name == settings.anchor) for name in inside.models])
    fitted = observed_fit(inside, settings.prior)
    draws = bootstrap(inside, prior=settings.prior, resamples=settings.resamples, seed=seed)
    return _Component(number, members, inside, fitted, draws, origin)


def _tested(parts: Sequence[_Component], prior: float) -> dict[Pair, float]:
    """Give p of every pair of models that games connect."""
    found: dict[Pair, float] = {}
    for part in parts:
        inner = list(combinations(range(len(part.members)), 2))
        p_values = equality_tests(part.games, inner, prior=prior)
        found |= {
            (part.members[one], part.members[other]): float(p) for (one, other), p in zip(inner, p_values, strict=True)
        }
    return found


def _models(part: _Component, adjusted: Mapping[Pair, float], settings: RatingSettings) -> list[ModelRating]:
    strengths, drawn = part.strengths()
    order = sorted(range(len(part.members)), key=lambda index: (-strengths[index], index))
    better = {
        (place, later)
        for place, later in combinations(range(len(order)), 2)
        if adjusted[_sorted(part.members[order[place]], part.members[order[later]])] < settings.alpha
    }
    groups, ranks = letters(len(order), better), rank_intervals(len(order), better)
    return [
        ModelRating(
            part.games.models[index],
            part.number,
            float(strengths[index]),
            _interval(drawn[:, index], part, [index], settings.level),
            *ranks[place],
            groups[place],
            *part.games.record(index),
        )
        for place, index in enumerate(order)
    ]


def _sorted(one: int, other: int) -> Pair:
    return (one, other) if one < other else (other, one)


def _interval(drawn: Floats, part: _Component, models: Sequence[int], level: float) -> Interval | None:
    """Limits of draws, (resamples,), widened for the model that played in the fewest clusters; None where none vary."""
    clusters = min(part.games.clusters_of(model) for model in models)
    if clusters < 2 or np.ptp(drawn) == 0.0:
        return None
    low, high = limits(drawn[:, None], level=level, clusters=clusters)
    return Interval(float(low[0]), float(high[0]), level)


def _pair(
    pair: Pair,
    games: Games,
    parts: Sequence[_Component],
    tested: Mapping[Pair, float],
    adjusted: Mapping[Pair, float],
    level: float,
) -> PairRating:
    names = games.models[pair[0]], games.models[pair[1]]
    won, tied, lost = _between(games, pair)
    part = next((one for one in parts if set(pair) <= set(one.members)), None)
    if part is None:
        return PairRating(*names, won, tied, lost, None, None, None, None, None)
    first, second = (part.members.index(member) for member in pair)
    strengths, drawn = part.strengths()
    between: Integers = np.array([[first, second]])
    expected = chances(part.fitted.strengths, part.fitted.log_ties, between)[0, 0]
    return PairRating(
        *names,
        won,
        tied,
        lost,
        difference=float(strengths[second] - strengths[first]),
        interval=_interval(drawn[:, second] - drawn[:, first], part, [first, second], level),
        p=tested[pair],
        p_holm=adjusted[pair],
        expected_tie_share=float(expected[Outcome.TIE]),
    )


def _between(games: Games, pair: Pair) -> tuple[int, int, int]:
    """Wins of the first, ties, wins of the second."""
    met = games.totals[(games.pairs == np.array(pair)).all(axis=1)].sum(axis=0)
    return int(met[Outcome.FIRST]), int(met[Outcome.TIE]), int(met[Outcome.SECOND])


def _component_fit(part: _Component, settings: RatingSettings) -> ComponentFit:
    names = part.games.models
    return ComponentFit(
        component=part.number,
        models=names,
        clusters=part.games.clusters,
        games=int(part.games.counts.sum()),
        tie_parameter=float(np.exp(part.fitted.log_ties[0])),
        goodness=goodness(part.games, part.fitted, part.draws, prior=settings.prior),
        strong=tuple(tuple(names[one] for one in group) for group in part.games.strong_components()),
    )


def _warnings(parts: Sequence[_Component], unrated: Sequence[str], alpha_each: float) -> list[str]:
    found = []
    if len(parts) > 1:
        listed = "; ".join(", ".join(part.games.models) for part in parts)
        found.append(f"no verdicts connect these groups, so strengths do not compare between them: {listed}")
    if unrated:
        found.append(f"not rated for want of a win, tie or loss: {', '.join(unrated)}")
    return found + [message for part in parts for message in _warnings_of(part, alpha_each)]


def _warnings_of(part: _Component, alpha_each: float) -> list[str]:
    names, found = part.games.models, []
    if (least := smallest_p(part.games.clusters)) >= alpha_each:
        found.append(
            f"no two of {', '.join(names)} can be told apart on {part.games.clusters} scenarios: the smallest p they "
            f"can give is {least:.2g}, and one below {alpha_each:.2g} is needed"
        )
    met = {name: part.games.clusters_of(index) for index, name in enumerate(names)}
    if few := [f"{name} {count}" for name, count in met.items() if count < SMALLEST]:
        found.append(f"intervals are not known to hold below {SMALLEST} scenarios: {', '.join(few)}")
    strong = part.games.strong_components()
    if len(strong) > 1:
        sets = " | ".join(", ".join(names[one] for one in group) for group in strong)
        found.append(f"no wins and ties lead back and forth between {sets}: only the prior keeps distances finite")
    if not part.games.totals[:, [Outcome.FIRST, Outcome.SECOND]].any():
        found.append(f"{', '.join(names)}: ties only, which say nothing of strengths")
    return found
