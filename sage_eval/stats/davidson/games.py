"""What was played: wins and ties of each pair of models, kept apart by cluster, and which models they connect.

games = Games.of([Game("s1", "base", "tuned", Outcome.SECOND), Game("s1", "base", "other", Outcome.TIE)])
games.components()
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from sage_eval.stats.resampling import Floats, Integers


class Outcome(IntEnum):
    """How one game ended; the value is its column in `Games.counts`."""

    FIRST = 0
    TIE = 1
    SECOND = 2


@dataclass(frozen=True, slots=True)
class Game:
    """One readable verdict on two models."""

    cluster: Hashable
    """What was drawn independently: the scenario."""
    first: str
    second: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Games:
    """Counts of outcomes by cluster and pair of models."""

    models: tuple[str, ...]
    pairs: Integers
    """Indices into `models` of the first and the second, shape (pairs, 2); each pair that was compared, once."""
    counts: Floats
    """How often the first won, neither, the second; shape (clusters, pairs, 3)."""

    @classmethod
    def of(cls, games: Iterable[Game], models: Sequence[str] = ()) -> Games:
        """Count games; `models` come first and may have no game at all, the others follow in order of appearance.

        A pair that is met in both orders is one pair.

        Raises:
            ValueError: a model plays against itself.
        """
        listed = list(games)
        names = list(dict.fromkeys([*models, *(name for game in listed for name in (game.first, game.second))]))
        place = {name: index for index, name in enumerate(names)}
        clusters = {name: index for index, name in enumerate(dict.fromkeys(game.cluster for game in listed))}
        pairs: dict[tuple[int, int], int] = {}
        keys = [_key(place[game.first], place[game.second], game) for game in listed]
        for first, second, _ in keys:
            pairs.setdefault((first, second), len(pairs))
        counts = np.zeros((len(clusters), len(pairs), len(Outcome)))
        for game, (first, second, outcome) in zip(listed, keys, strict=True):
            counts[clusters[game.cluster], pairs[first, second], outcome] += 1.0
        return cls(tuple(names), np.array(list(pairs), dtype=np.int64).reshape(-1, 2), counts)

    @property
    def totals(self) -> Floats:
        """Outcomes of each pair over all clusters, shape (pairs, 3)."""
        totals: Floats = self.counts.sum(axis=0)
        return totals

    @property
    def clusters(self) -> int:
        """Number of clusters."""
        return int(self.counts.shape[0])

    def clusters_of(self, model: int) -> int:
        """Number of clusters in which a model played."""
        return int((self.counts[:, (self.pairs == model).any(axis=1)].sum(axis=(1, 2)) > 0).sum())

    def record(self, model: int) -> tuple[int, int, int]:
        """Wins, ties and losses of a model."""
        first, second = self.totals[self.pairs[:, 0] == model], self.totals[self.pairs[:, 1] == model]
        both = first.sum(axis=0) + second.sum(axis=0)[::-1]
        return int(both[Outcome.FIRST]), int(both[Outcome.TIE]), int(both[Outcome.SECOND])

    def among(self, members: Sequence[int]) -> Games:
        """The games among some of the models, with the clusters that have any."""
        inside = np.isin(self.pairs, members).all(axis=1)
        counts = self.counts[:, inside]
        renumbered = np.zeros(len(self.models), dtype=np.int64)
        renumbered[list(members)] = np.arange(len(members))
        return Games(
            tuple(self.models[member] for member in members),
            renumbered[self.pairs[inside]],
            counts[counts.sum(axis=(1, 2)) > 0],
        )

    def components(self) -> list[list[int]]:
        """Models that games connect, directly or through others, largest first; strengths compare only inside one."""
        links = _links(len(self.models), [(a, b) for pair in self.pairs.tolist() for a, b in (pair, pair[::-1])])
        return _groups(links, links)

    def strong_components(self) -> list[list[int]]:
        """Models between which a way of wins and ties leads there and back (Ford 1957).

        With more than one, the likelihood alone would put infinite distances between them.
        """
        played = list(zip(self.pairs.tolist(), self.totals.tolist(), strict=True))
        beats = [(a, b) for (a, b), (won, tied, _) in played if won + tied > 0]
        beats += [(b, a) for (a, b), (_, tied, lost) in played if lost + tied > 0]
        return _groups(
            _links(len(self.models), beats), _links(len(self.models), [(loser, winner) for winner, loser in beats])
        )


def _key(first: int, second: int, game: Game) -> tuple[int, int, Outcome]:
    if first == second:
        raise ValueError(f"{game.first} plays against itself in cluster {game.cluster}")
    return (first, second, game.outcome) if first < second else (second, first, Outcome(2 - game.outcome))


def _links(models: int, edges: Iterable[Sequence[int]]) -> dict[int, set[int]]:
    links: dict[int, set[int]] = {model: set() for model in range(models)}
    for start, end in edges:
        links[start].add(end)
    return links


def reached(links: Mapping[int, Collection[int]], start: int) -> set[int]:
    """All that a way leads to, `start` included."""
    found, todo = {start}, [start]
    while todo:
        new = set(links[todo.pop()]) - found
        found |= new
        todo.extend(new)
    return found


def _groups(forwards: Mapping[int, set[int]], backwards: Mapping[int, set[int]]) -> list[list[int]]:
    """Sets of nodes that reach each other, largest first."""
    left, groups = dict.fromkeys(forwards), []
    while left:
        start = next(iter(left))
        group = sorted(reached(forwards, start) & reached(backwards, start))
        groups.append(group)
        left = dict.fromkeys(one for one in left if one not in group)
    return sorted(groups, key=lambda group: (-len(group), group))
