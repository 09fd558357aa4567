"""The leaderboard: everything its page shows, read from a warehouse by named queries, with charts laid out.

    board = read_board(connection, "Quickstart", dialogues=3)
    board.ratings[0].models[0].row["elo"]

Each part of the page has a module here that turns rows into rows with charts; the templates only write them down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sage_eval.report.asked import Asked, Row
from sage_eval.report.leaderboard import behaviour, benchmarks, comparisons, cost, matrix, ratings, samples
from sage_eval.report.leaderboard.judges import EvidencePath, Trust, evidence_paths, in_order, trust
from sage_eval.report.leaderboard.training import Curve, curves
from sage_eval.warehouse.database import Connection

__all__ = ["Board", "read_board"]


@dataclass(frozen=True, slots=True)
class Board:
    """The whole page."""

    title: str
    facts: tuple[tuple[str, int], ...]
    """What was counted over the whole run."""
    judges: tuple[str, ...]
    """Everyone whose verdicts are shown apart, in the order of their sections; the switch offers them."""
    explored: frozenset[str]
    """Those of them whose verdicts the explorer can filter by: who was asked, not who was pooled."""
    ratings: tuple[ratings.JudgeRatings, ...]
    matrices: tuple[matrix.Matrix, ...]
    comparisons: tuple[comparisons.Compared, ...]
    paths: tuple[EvidencePath, ...]
    stops: tuple[Row, ...]
    trust: Trust
    benchmarks: benchmarks.Benchmarks | None
    behaviour: behaviour.Behaviour
    curves: tuple[Curve, ...]
    cost: cost.Cost | None
    samples: tuple[samples.Sample, ...]
    asked_judges: tuple[Row, ...]
    plans: tuple[Row, ...]
    stages: tuple[Row, ...]
    warnings: tuple[tuple[str, str], ...]
    """(stage, warning)."""
    sql: Mapping[str, str]
    """Named query -> its text."""


def read_board(connection: Connection, title: str, dialogues: int) -> Board:
    """Ask the warehouse for everything the page shows; at most `dialogues` samples for each pair of models.

    Raises:
        QueryError: the warehouse cannot answer.
    """
    asked = Asked(connection)
    tested, outcomes = asked.rows("win_table"), asked.rows("judge_outcomes")
    order = tuple(dict.fromkeys(row["judge"] for row in (*tested, *outcomes)))
    rated = ratings.by_judge(asked.rows("rating_table"), asked.rows("rating_checks"), order)
    stages = asked.rows("provenance")
    return Board(
        title=title,
        facts=tuple((name.replace("_", " "), n) for name, n in asked.rows("size_of_run")[0].items()),
        judges=tuple(dict.fromkeys((*order, *(one.judge for one in rated)))),
        explored=frozenset(row["judge"] for row in outcomes),
        ratings=rated,
        matrices=matrix.by_judge(tested, rated),
        comparisons=comparisons.compared(tested),
        paths=evidence_paths(in_order(asked.rows("evidence_paths"), order)),
        stops=in_order(asked.rows("early_stops"), order),
        trust=trust(asked, order),
        benchmarks=benchmarks.benchmarks(asked.rows("regressions")),
        behaviour=behaviour.read(asked),
        curves=curves(asked.rows("training")),
        cost=cost.cost(asked.rows("cost_by_role")),
        samples=samples.samples(asked.rows("side_by_side"), asked.rows("sample_verdicts"), dialogues),
        asked_judges=asked.rows("judges_asked"),
        plans=asked.rows("analysis_plans"),
        stages=stages,
        warnings=tuple((row["stage"], text) for row in stages for text in row["warnings"]),
        sql=asked.sql,
    )
