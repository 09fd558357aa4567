"""Real servers on this machine that stand in for remote ones: a Ray cluster of two nodes, and an S3 store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from local_s3 import local_s3


@pytest.fixture
def ray_cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """A Ray cluster of two nodes with a CPU each, and its second node."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    size = {"num_cpus": 1, "object_store_memory": 100_000_000}
    made = Cluster(initialize_head=True, head_node_args={**size, "include_dashboard": False})
    try:
        yield made, made.add_node(**size)
    finally:
        made.shutdown()


@pytest.fixture
def s3_client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of a real, empty S3 server; its address and credentials stand in the environment."""
    with local_s3(monkeypatch) as client:
        yield client
