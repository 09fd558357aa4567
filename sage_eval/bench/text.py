"""The summary that a benchmark run prints: every task's scores, and which of them the paper's Table 2 would show.

print(summary(Path("bench-sage1/")))
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sage_data.store.shards import read_table
from sage_eval.bench.conventions import in_table, subject_of
from sage_eval.bench.records import METRICS
from sage_eval.tables import text_table

MARK = "*"


def summary(folder: Path) -> str:
    """A table with one line a task, filter and metric; of mmlu the groups, as its 57 subjects are in the table."""
    rows = read_table(folder, METRICS).to_pylist()
    groups = {row["task"] for row in rows if row["is_group"]}
    tasks = {row["task"] for row in rows if not row["is_group"]}
    hidden = {task for task in tasks if (subject_of(task) or ("",))[0] in groups}
    shown = [row for row in rows if row["task"] not in hidden]
    shown.sort(key=lambda row: (row["task"], row["filter"], row["metric"]))
    table = text_table(
        ("task", "filter", "metric", "n", "value", "stderr", "shots"), [_cells(row) for row in shown], left=3
    )
    lines = [f"lm-eval on {len(tasks)} tasks", "", table]
    if any(_marked(row) for row in shown):
        lines += ["", f"{MARK} as the paper's Table 2 counts it"]
    if hidden:
        lines.append(f"{len(hidden)} single tasks of mmlu are in {METRICS}-*.parquet")
    return "\n".join(lines) + "\n"


def _marked(row: dict[str, Any]) -> bool:
    return in_table(row["task"], row["filter"], row["metric"], row["num_fewshot"])


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["task"],
        row["filter"],
        row["metric"] + (MARK if _marked(row) else ""),
        "-" if row["n"] is None else str(row["n"]),
        "-" if row["value"] is None else f"{row['value']:.3f}",
        "-" if row["stderr"] is None else f"({row['stderr']:.3f})",
        "-" if row["num_fewshot"] is None else str(row["num_fewshot"]),
    )
