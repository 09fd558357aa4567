"""Significance groups: models that share a letter could not be told apart (compact letter display).

Letters come from the insert-and-absorb method (Piepho, J. Computational and Graphical Statistics 13, 2004). Ranks are
intervals: a model stands behind as many as are significantly better, and before as many as are significantly worse.

    letters(3, {(0, 2)})     # ["a", "ab", "b"]
"""

from __future__ import annotations

from collections.abc import Collection

Pair = tuple[int, int]


def letters(models: int, different: Collection[Pair]) -> list[str]:
    """Letters of each model, the models numbered from the strongest; two share one unless they are in `different`."""
    columns = [frozenset(range(models))]
    for one, other in sorted(different):
        split = [
            part
            for column in columns
            for part in ((column - {one}, column - {other}) if {one, other} <= column else (column,))
        ]
        columns = _absorbed(split)
    columns.sort(key=sorted)
    return [
        "".join(_letter(place) for place, column in enumerate(columns) if model in column) for model in range(models)
    ]


def _absorbed(columns: list[frozenset[int]]) -> list[frozenset[int]]:
    """Without columns that lie inside another one."""
    distinct = list(dict.fromkeys(columns))
    return [one for one in distinct if not any(one < other for other in distinct)]


def _letter(place: int) -> str:
    """One of a to z, then a2 to z2, and so on."""
    turn, letter = divmod(place, 26)
    return chr(ord("a") + letter) + (str(turn + 1) if turn else "")


def rank_intervals(models: int, better: Collection[Pair]) -> list[tuple[int, int]]:
    """(best, worst) rank that each model may have, from 1; `better` holds (better, worse) pairs.

    When the pairs are adjusted for their number, all intervals hold at once with the same chance (Mohamad, Goeman and
    van Zwet 2019).
    """
    above = [sum(1 for _, worse in better if worse == model) for model in range(models)]
    below = [sum(1 for best, _ in better if best == model) for model in range(models)]
    return [(1 + above[model], models - below[model]) for model in range(models)]
