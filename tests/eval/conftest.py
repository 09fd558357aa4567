"""Fixtures that several test modules of the evaluation share."""

from __future__ import annotations

from pathlib import Path

import pytest
from planted_evaluation import warehouse


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse of the planted evaluation; its stages lie beside it. Read only."""
    return warehouse(tmp_path_factory.mktemp("evaluation"))
