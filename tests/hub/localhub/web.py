"""Requests and answers, as the routes see them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from localhub.store import RefusedError


@dataclass(frozen=True)
class Request:
    """One request with its body read."""

    method: str
    path: str
    """As sent: parts may still be percent-encoded."""
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    base: str
    """Where this server is reached, for links in answers."""

    def json(self) -> Any:
        return json.loads(self.body or b"{}")

    def asks(self, name: str) -> bool:
        """True for `?name=true` and `?name=1`."""
        return self.query.get(name, [""])[0].lower() in ("true", "1")


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(value: Any, status: int = 200, **headers: str) -> Answer:
    """An answer in JSON; `_` in the names of headers stands for `-`."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json", **named})


def refusal(error: RefusedError) -> Answer:
    """How the Hub says no."""
    code = {"X-Error-Code": error.code} if error.code else {}
    body = json.dumps({"error": error.message}).encode()
    return Answer(error.status, body, {"Content-Type": "application/json", "X-Error-Message": error.message, **code})


_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def with_range(data: bytes, wanted: str | None, headers: Mapping[str, str]) -> Answer:
    """A file, or the part of it that a `Range` header asks for."""
    found = _RANGE.fullmatch(wanted or "")
    if found is None or found.groups() == ("", ""):
        return Answer(200, data, {"Accept-Ranges": "bytes", **headers})
    first, last = found.groups()
    start = int(first) if first else max(0, len(data) - int(last))
    end = min(int(last) + 1, len(data)) if first and last else len(data)
    if start >= len(data):
        return Answer(416, b"", {"Content-Range": f"bytes */{len(data)}"})
    part = {"Accept-Ranges": "bytes", "Content-Range": f"bytes {start}-{end - 1}/{len(data)}"}
    return Answer(206, data[start:end], {**headers, **part})


Handler = Callable[..., Answer]
