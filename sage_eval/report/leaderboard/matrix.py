"""Who beats whom: one square a judge, rows against columns, best model first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from sage_eval.report.asked import Row
from sage_eval.report.leaderboard.ratings import JudgeRatings

SHADES = (0.05, 0.15, 0.3, 0.5)
"""Net wins from which a claimed difference is shaded more strongly."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The row's model against the column's."""

    row: Row
    """The comparison; its A may be either model."""
    net_win: float | None
    """(wins of the row's model - losses) / n."""
    won: int
    lost: int
    claimed: str
    """`better`, `worse`, or nothing where no difference is claimed."""
    shade: int
    """0 where nothing is claimed, else 1 (slight) to 4 (strong)."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """One judge's square."""

    judge: str
    models: tuple[str, ...]
    cells: tuple[tuple[Cell | None, ...], ...]
    """By row, then column; None on the diagonal and where two models were not compared."""


def by_judge(rows: Sequence[Row], rated: Sequence[JudgeRatings]) -> tuple[Matrix, ...]:
    """A square for every judge with at least two models compared.

    Args:
        rows: tested comparisons.
        rated: ratings, which give the order of the models; without them the mean net win does.
    """
    orders = {one.judge: [model.row["model"] for model in one.models] for one in rated}
    grouped = groupby(sorted(rows, key=_place(rows)), key=lambda row: row["judge"])
    return tuple(_matrix(judge, list(group), orders.get(judge, [])) for judge, group in grouped)


def _place(rows: Sequence[Row]) -> Callable[[Row], int]:
    places = {judge: place for place, judge in enumerate(dict.fromkeys(row["judge"] for row in rows))}
    return lambda row: places[row["judge"]]


def _matrix(judge: str, rows: Sequence[Row], order: Sequence[str]) -> Matrix:
    met = {(row["model_a"], row["model_b"]): row for row in rows}
    models = tuple(sorted({model for pair in met for model in pair}, key=_rank(rows, order)))
    cells = tuple(tuple(_cell(met, one, other) for other in models) for one in models)
    return Matrix(judge, models, cells)


def _rank(rows: Sequence[Row], order: Sequence[str]) -> Callable[[str], tuple[int, float, str]]:
    """Where a model stands: by its rating if it has one, else after those by how much it wins."""
    nets: dict[str, list[float]] = {}
    for row in rows:
        if row["net_win"] is not None:
            nets.setdefault(row["model_a"], []).append(-row["net_win"])
            nets.setdefault(row["model_b"], []).append(row["net_win"])
    mean = {model: sum(found) / len(found) for model, found in nets.items()}
    places = {model: place for place, model in enumerate(order)}
    return lambda model: (places.get(model, len(places)), -mean.get(model, 0.0), model)


def _cell(met: Mapping[tuple[str, str], Row], one: str, other: str) -> Cell | None:
    is_a = (one, other) in met
    row = met.get((one, other)) or met.get((other, one))
    if row is None:
        return None
    net = row["net_win"] if not is_a or row["net_win"] is None else -row["net_win"]
    claims = {"A better": "better" if is_a else "worse", "B better": "worse" if is_a else "better"}
    claimed = claims.get(row["conclusion"], "")
    shade = sum(abs(net) >= least for least in SHADES) if claimed and net is not None else 0
    won, lost = (row["wins_a"], row["wins_b"]) if is_a else (row["wins_b"], row["wins_a"])
    return Cell(row, net, won, lost, claimed, max(shade, 1) if claimed else 0)
