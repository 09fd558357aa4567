"""Reports on planted runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sage_data.stage import run_stage

TITLE = "A <planted> run"


def tested(parent: Path) -> list[Path]:
    """Test and rate what the stage `judged` below `parent` says; returns the stages."""
    judged = parent / "judged"
    run_stage("sage_eval.significance", {}, {"verdicts": [judged]}, parent / "significance")
    run_stage("sage_eval.ratings", {"resamples": 100}, {"verdicts": [judged]}, parent / "ratings")
    return [parent / "significance", parent / "ratings"]


def report_of(folders: list[Path], parent: Path, **config: Any) -> Path:
    """The report on some stages; the warehouse that it is made from lies beside it."""
    run_stage("sage_eval.warehouse", {}, {"runs": folders}, parent / "warehouse")
    run_stage("sage_eval.report", {"title": TITLE, **config}, {"warehouse": [parent / "warehouse"]}, parent / "report")
    return parent / "report"
