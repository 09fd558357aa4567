"""At the paper's scale (6 models, 2,544 scenarios, 2 judges) the page is made in a minute and tells the planted truth.

python -m pytest -m slow -s tests/pages/test_planted_board.py     # prints the times
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browsing import Watched, missing
from planted_leaderboard import JUDGES, MODELS, SCENARIOS, leaderboard
from scipy.stats import binomtest

from sage_data.stage import run_stage
from sage_eval.report.numbers import p_value
from sage_eval.verdict import Verdict

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]
Open = Callable[..., Watched]
MOST_SECONDS = 60.0


def timed(name: str, inputs: dict[str, list[Path]], out: Path) -> tuple[float, float]:
    """Run a stage; seconds on the clock, and of all cores together."""
    clock, busy = time.perf_counter(), time.process_time()
    run_stage(name, {}, inputs, out)
    return time.perf_counter() - clock, time.process_time() - busy


def test_a_page_of_the_papers_scale_is_made_in_a_minute_and_tells_the_truth(tmp_path: Path, watched: Open) -> None:
    made = leaderboard(tmp_path)
    stages = {
        "significance": {"verdicts": [made.judged]},
        "ratings": {"verdicts": [made.judged]},
        "warehouse": {"runs": [*made.folders, tmp_path / "significance", tmp_path / "ratings"]},
        "report": {"warehouse": [tmp_path / "warehouse"]},
    }
    spent = {name: timed(f"sage_eval.{name}", inputs, tmp_path / name) for name, inputs in stages.items()}
    for name, (clock, busy) in spent.items():
        sys.stdout.write(f"{name}: {clock:.1f} s, {busy:.1f} s of processor\n")
    # Whoever else is at work on the machine stretches the clock, but not the processor's time.
    assert min(sum(clock for clock, _ in spent.values()), sum(busy for _, busy in spent.values())) < MOST_SECONDS
    page = watched(tmp_path / "report").index()
    for place, judge in enumerate(JUDGES, start=1):
        _check_ratings(page, place, made.groups)
        _check_comparisons(page, judge.name, made.counts)


def rows(page: Any, table: str) -> list[list[str]]:
    """Words of every row of a table, cell by cell."""
    found = f"[...document.querySelectorAll('[data-table={table}] tbody tr')]"
    return list(page.evaluate(f"{found}.map((row) => [...row.cells].map((cell) => cell.innerText.trim()))"))


def _check_ratings(page: Any, place: int, groups: tuple[tuple[str, ...], ...]) -> None:
    told = rows(page, f"ratings-{place}")
    assert len(told) == len(MODELS)
    found: list[tuple[str, ...]] = []
    for _, model, letters, *_ in told:
        same = [other[1] for other in told if set(other[2].split()) & set(letters.split())]
        assert model in same
        found.append(tuple(sorted(same)))
    assert tuple(dict.fromkeys(found)) == groups


def _check_comparisons(page: Any, judge: str, counts: Any) -> None:
    told = [row for row in rows(page, "wins") if row[0] == judge]
    assert len(told) == 15
    planted = {pair: found for (name, *pair_), found in counts.items() if name == judge for pair in [tuple(pair_)]}
    tests = {
        pair: binomtest(found[Verdict.B], found[Verdict.A] + found[Verdict.B]).pvalue for pair, found in planted.items()
    }
    for row in told:
        a, b = row[1].split()
        found, p = planted[a, b], tests[a, b]
        readable = SCENARIOS - found[Verdict.MALFORMED] - found[Verdict.ERROR]
        cells = (found[Verdict.A], found[Verdict.TIE], found[Verdict.INCONSISTENT], found[Verdict.B], readable)
        assert [row[3], row[4], row[5], row[6], row[10]] == [f"{n:,}" for n in cells]
        assert row[12] == p_value(p)
        assert (row[2] == "no difference shown") == ({a, b} == {"sage2", "sage3"})
