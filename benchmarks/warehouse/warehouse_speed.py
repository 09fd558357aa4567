"""Times six questions to the warehouse's flat tables, to nested Parquet and to JSON text: same rows, same answers.

Every layout is Parquet read by the same DuckDB with the same limits; only the layout differs. The answers of all three
must be equal, or the exit code is 1. Each question is asked several times and the middle time counts.

    python benchmarks/warehouse/warehouse_speed.py --turns 5000000 --folder /tmp/layouts
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import duckdb
from warehouse_layouts import Layouts, layouts

_UTTERANCE = json.dumps(
    [
        {
            "role": "VARCHAR",
            "text": "VARCHAR",
            "state": {"motivation": "VARCHAR", "emotion": "VARCHAR", "topics": ["VARCHAR"]},
        }
    ]
)
_TURNS = """
WITH flat AS (
    SELECT model, scenario_id, id AS dialogue_id, generate_subscripts(utterances, 1) - 1 AS turn,
        unnest(utterances, max_depth := 2)
    FROM dialogues
)
SELECT * EXCLUDE (state), state.motivation AS motivation, state.emotion AS emotion, state.topics AS topics FROM flat
"""
_NEIGHBOURS = """
SELECT *,
    lead(motivation) OVER (PARTITION BY dialogue_id, role ORDER BY turn) AS next_motivation,
    lead(emotion) OVER (PARTITION BY dialogue_id, role ORDER BY turn) AS next_emotion
FROM turns
"""
QUESTIONS = {
    "group by model": (
        "SELECT model, count(*) AS n, count(*) FILTER (rtrim(text) LIKE '%?') AS asks FROM turns "
        "WHERE role = 'assistant' GROUP BY model ORDER BY model"
    ),
    "motivation transitions": (
        "SELECT motivation, next_motivation, count(*) AS n FROM neighbours "
        "WHERE role = 'assistant' AND next_motivation IS NOT NULL GROUP BY ALL ORDER BY ALL"
    ),
    "verdict with turns": (
        "SELECT v.verdict, t.motivation, count(*) AS n FROM verdicts AS v "
        "JOIN turns AS t ON t.dialogue_id = v.dialogue_b WHERE t.role = 'assistant' GROUP BY ALL ORDER BY ALL"
    ),
    "emotion and topic": (
        "SELECT model, count(*) AS n FROM turns WHERE emotion = 'sad' AND list_contains(topics, 'dog') "
        "GROUP BY model ORDER BY model"
    ),
    "text search": (
        "SELECT model, count(*) AS n FROM turns WHERE text LIKE '%garden lake%' GROUP BY model ORDER BY model"
    ),
    "next state of the sad": (
        "SELECT next_emotion, count(*) AS n FROM neighbours WHERE role = 'user' AND emotion = 'sad' "
        "GROUP BY ALL ORDER BY ALL"
    ),
}
"""Name -> SQL over `turns`, `neighbours` (turns with the same speaker's next state) and `verdicts`."""


@dataclass(frozen=True, slots=True)
class Timing:
    """One question."""

    name: str
    seconds: Mapping[str, float]
    """Layout -> median time."""
    rows: int
    equal: bool
    """Whether all layouts gave the same answer."""

    def ratio(self, layout: str) -> float:
        """How many times as long a layout takes as the flat one."""
        return self.seconds[layout] / self.seconds["flat"]


def open_layouts(made: Layouts, memory: str, threads: int) -> dict[str, duckdb.DuckDBPyConnection]:
    """A database a layout, each with the views that the questions name."""
    columns = "SELECT model, scenario_id, id"
    unnested = {"turns": _TURNS, "neighbours": _NEIGHBOURS, "verdicts": f"FROM '{made.verdicts}'"}
    text = f"from_json(body, '{_UTTERANCE}') AS utterances"
    views = {
        "flat": {
            "turns": f"FROM '{made.warehouse}/turns-*.parquet'",
            "neighbours": "FROM turns",
            "verdicts": f"FROM '{made.warehouse}/pair_verdicts-*.parquet'",
        },
        "nested": {"dialogues": f"FROM '{made.nested}' {columns}, utterances", **unnested},
        "json": {"dialogues": f"FROM '{made.json}' {columns}, {text}", **unnested},
    }
    opened = {}
    for layout, bodies in views.items():
        connection = duckdb.connect(":memory:", config={"memory_limit": memory, "threads": threads})
        for name, body in bodies.items():
            connection.execute(f"CREATE VIEW {name} AS {body}")
        opened[layout] = connection
    return opened


def time_questions(made: Layouts, repeats: int, memory: str = "8GB", threads: int = 2) -> list[Timing]:
    """Ask every question of every layout."""
    opened = open_layouts(made, memory, threads)
    return [_timed(name, sql, opened, repeats) for name, sql in QUESTIONS.items()]


def _timed(name: str, sql: str, opened: Mapping[str, duckdb.DuckDBPyConnection], repeats: int) -> Timing:
    seconds: dict[str, float] = {}
    answers: list[list[Any]] = []
    for layout, connection in opened.items():
        taken = []
        for _ in range(repeats):
            began = time.perf_counter()
            rows = connection.execute(sql).fetchall()
            taken.append(time.perf_counter() - began)
        seconds[layout] = statistics.median(taken)
        answers.append(rows)
    return Timing(name, seconds, len(answers[0]), all(rows == answers[0] for rows in answers))


def report(made: Layouts, timings: list[Timing]) -> str:
    """The table."""
    sizes = made.bytes()
    lines = [
        f"{made.turns:,} turns; " + ", ".join(f"{name} {size / 1e6:,.0f} MB" for name, size in sizes.items()),
        "made in " + ", ".join(f"{what} {seconds:.1f} s" for what, seconds in made.seconds.items()),
        f"{'question':24} {'flat s':>8} {'nested s':>9} {'json s':>8} {'nested x':>9} {'json x':>8}   rows  answers",
    ]
    for one in timings:
        flat, nested, text = (one.seconds[layout] for layout in ("flat", "nested", "json"))
        ratios = f"{one.ratio('nested'):9.1f} {one.ratio('json'):8.1f}"
        same = "equal" if one.equal else "DIFFER"
        lines.append(f"{one.name:24} {flat:8.3f} {nested:9.3f} {text:8.3f} {ratios} {one.rows:6}  {same}")
    return "\n".join(lines) + "\n"


@click.command()
@click.option("--turns", type=click.IntRange(min=1), default=5_000_000, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), required=True, help="Made, used and deleted.")
@click.option("--repeats", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--memory", default="8GB", show_default=True)
@click.option("--threads", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--keep", is_flag=True, help="Leave the folder.")
def main(turns: int, folder: Path, repeats: int, memory: str, threads: int, keep: bool) -> None:
    """Make the layouts, ask, print the table."""
    if folder.exists():
        raise click.UsageError(f"{folder} exists already")
    try:
        made = layouts(folder, turns)
        timings = time_questions(made, repeats, memory, threads)
        click.echo(report(made, timings), nl=False)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if all(one.equal for one in timings) else 1)


if __name__ == "__main__":
    main()
