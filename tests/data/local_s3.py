"""A real S3 server on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fake_credentials import use_fake_credentials


@contextmanager
def local_s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of an empty S3 server, whose address and credentials stand in the environment; skips without moto."""
    server_module = pytest.importorskip("moto.server")
    boto3 = pytest.importorskip("boto3")
    s3fs = pytest.importorskip("s3fs")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    use_fake_credentials(monkeypatch, f"http://{host}:{port}")
    s3fs.S3FileSystem.clear_instance_cache()
    yield boto3.client("s3")
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()
