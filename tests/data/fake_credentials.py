"""Credentials that open nothing, in place of real ones."""

from __future__ import annotations

import os

import pytest


def use_fake_credentials(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """Point S3 clients at `endpoint`, and forget whatever real credentials there are."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
