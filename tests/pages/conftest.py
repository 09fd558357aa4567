"""One browser and a few reports for all tests of the pages."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import QUIET, Pages, Watched, chromium, missing
from hostile_run import hostile_run
from made_reports import report_of, tested
from planted_evaluation import evaluation
from planted_leaderboard import MODELS, leaderboard

from sage_data.stage import run_stage


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models, two of them with candidates, two judges, 24 scenarios; the warehouse lies beside it. Read only."""
    parent = tmp_path_factory.mktemp("board")
    board = leaderboard(parent, scenario_count=24, models=MODELS[2:5], exchanges=3, documents=20)
    return report_of(list(board.folders), parent)


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report on a run that is nothing but attacks. Read only."""
    parent = tmp_path_factory.mktemp("hostile")
    return report_of(hostile_run(parent), parent)


@pytest.fixture(scope="session")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four models tested and rated under two planted judges, and two of them benchmarked. Read only."""
    parent = tmp_path_factory.mktemp("rated")
    made = leaderboard(parent, scenario_count=60, models=MODELS[2:], exchanges=1, documents=40)
    return report_of([*made.folders, *tested(parent)], parent)


@pytest.fixture(scope="session")
def watched_judges(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models judged by real judges, which stop by e-value, with panel, self-test and repeats. Read only."""
    parent = tmp_path_factory.mktemp("judged")
    made = leaderboard(parent, scenario_count=40, models=MODELS[:2] + MODELS[5:], exchanges=2, documents=10)
    shutil.rmtree(made.judged)
    transcripts = [folder for folder in made.folders if folder.name.startswith("rollout-")]
    asked = {"judges": ["rubric:warm", "rubric:plain"], "panel": True, "stop": "e-value", "block": 10, "replicates": 2}
    run_stage("sage_eval.judge", asked, {"transcripts": transcripts}, made.judged)
    return report_of([*made.folders, *tested(parent)], parent)


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The planted evaluation, with everything that there is to measure, and attacks in its dialogues. Read only."""
    parent = tmp_path_factory.mktemp("evaluated")
    return report_of(evaluation(parent), parent)


@pytest.fixture(scope="session")
def pages() -> Iterator[Pages]:
    """Pages of a Chromium without a window."""
    if why := missing():
        pytest.skip(why)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=list(QUIET))
        yield Pages(started)
        started.close()


@pytest.fixture
def watched(pages: Pages) -> Iterator[Callable[..., Watched]]:
    """Opens pages that are checked for complaints and outside requests when the test ends."""
    opened: list[Watched] = []

    def open_page(folder: Path, base: str | None = None, **settings: Any) -> Watched:
        opened.append(Watched(pages, folder, base, **settings))
        return opened[-1]

    yield open_page
    for one in opened:
        one.close()
