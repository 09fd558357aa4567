"""Cycles: A beats B, B beats C, C beats A, which no strengths can explain.

Each edge is a pair that one side won more often, with its own test, so that a cycle of chance is told from a real one.

    cycles(games, alpha=0.05)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from sage_eval.stats.davidson.games import Games, Outcome
from sage_eval.stats.families import holm
from sage_eval.stats.flips import flip_test
from sage_eval.stats.resampling import Floats
from sage_eval.stats.result import Result


@dataclass(frozen=True, slots=True)
class Edge(Result):
    """One side of a pair won more often."""

    winner: str
    loser: str
    wins: int
    losses: int
    p: float
    """Two-sided, of "both win equally often"."""
    p_holm: float
    """Adjusted over all pairs that were compared."""


@dataclass(frozen=True, slots=True)
class Cycle(Result):
    """Models of which each beats the next, and the last the first."""

    edges: tuple[Edge, ...]
    alpha: float

    @property
    def models(self) -> tuple[str, ...]:
        """Its models, each beating the next."""
        return tuple(edge.winner for edge in self.edges)

    @property
    def significant(self) -> bool:
        """True when every edge is, after Holm: only then is the cycle itself shown."""
        return all(edge.p_holm < self.alpha for edge in self.edges)

    def __str__(self) -> str:
        shown = " > ".join([*self.models, self.models[0]])
        edges = ", ".join(f"{edge.wins}-{edge.losses} Holm p {edge.p_holm:.2g}" for edge in self.edges)
        return f"{shown} ({edges}; {'significant' if self.significant else 'not significant'})"


def cycles(games: Games, *, alpha: float) -> list[Cycle]:
    """The shortest cycle through each edge that lies on one, each cycle once."""
    edges = _edges(games)
    after: dict[int, list[int]] = {model: [] for model in range(len(games.models))}
    for winner, loser in edges:
        after[winner].append(loser)
    found: dict[tuple[int, ...], None] = {}
    for winner, loser in edges:
        if way := _shortest_way(after, loser, winner):
            turn = way.index(min(way))
            found[tuple(way[turn:] + way[:turn])] = None
    return [Cycle(tuple(edges[pair] for pair in pairwise([*way, way[0]])), alpha) for way in found]


def _edges(games: Games) -> dict[tuple[int, int], Edge]:
    """(winner, loser) -> the edge, for every pair that is not even."""
    tests = [_p(games.counts[:, pair]) for pair in range(len(games.pairs))]
    edges = {}
    for (one, other), totals, p, p_holm in zip(games.pairs.tolist(), games.totals, tests, holm(tests), strict=True):
        won, lost = int(totals[Outcome.FIRST]), int(totals[Outcome.SECOND])
        if won != lost:
            winner, loser = (one, other) if won > lost else (other, one)
            names = games.models[winner], games.models[loser]
            edges[winner, loser] = Edge(*names, max(won, lost), min(won, lost), p, p_holm)
    return edges


def _p(counts: Floats) -> float:
    """Of one pair's counts, (clusters, 3): sign flips of net wins, exact as these are whole numbers."""
    p = flip_test(counts[:, Outcome.FIRST] - counts[:, Outcome.SECOND], seed=0).p
    return 1.0 if p is None else p


def _shortest_way(after: Mapping[int, list[int]], start: int, end: int) -> list[int]:
    """Nodes from `end`, through the edge to `start`, to the last before `end` again; empty without a way."""
    ways: dict[int, list[int]] = {start: [end, start]}
    todo = [start]
    while todo:
        at = todo.pop(0)
        for following in after[at]:
            if following == end:
                return ways[at]
            if following not in ways:
                ways[following] = [*ways[at], following]
                todo.append(following)
    return []
