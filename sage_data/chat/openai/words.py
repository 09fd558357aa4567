"""What a server says of a request that it refused: its own words, not those that it repeats from the request.

The meaning of an error is read from these alone. FastAPI and pydantic send the refused input back, and a user's "my
post was flagged" in there says nothing about why it was refused.

    words(error, asked=body).meaning
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from openai import APIStatusError

_SHORT = 6
"""Shorter texts of a request are not looked for: they are parts of any sentence."""
_INPUT = re.compile(
    r"""(["'])input\1\s*:.*          # a list of pydantic's errors as text: what comes behind the input is lost with it
    |\binput_value=.*?(?=,\s*input_type=|$)""",
    re.DOTALL | re.VERBOSE,
)
_REPEATED = "..."


@dataclass(frozen=True, slots=True)
class Words:
    """What a server said."""

    shown: str
    """For people: its message, or else the start of what it sent."""
    meaning: str
    """Code, type, parameter and message, without anything repeated; what a status can be told by."""


def words(error: APIStatusError, asked: Mapping[str, Any]) -> Words:
    """What the server said when it refused a request with the body `asked`."""
    said = _message(error.body)
    plain = said or ("" if isinstance(error.body, dict | list) else error.response.text)
    own = _without_echo(plain, asked)
    named = (error.code, error.type, error.param)
    meaning = " ".join(str(part) for part in (*named, own) if isinstance(part, str | int) and part)
    return Words(own or _without_echo(str(error.body or error.message), asked), meaning)


def _message(body: object) -> str:
    """The message of an error's body, wherever servers put it: `message`, `detail`, `error`, a list of `msg`."""
    if isinstance(body, list):
        return "; ".join(_details(body))
    if not isinstance(body, dict):
        return body if isinstance(body, str) else ""
    for name in ("message", "detail", "error", "errors"):
        said = body.get(name)
        if isinstance(said, dict):
            said = said.get("message") or said.get("msg")
        if isinstance(said, list):
            said = "; ".join(_details(said))
        if isinstance(said, str) and said:
            return said
    return ""


def _details(listed: list[Any]) -> Iterator[str]:
    """Where and what, of each of FastAPI's errors; never its `input`."""
    for one in listed:
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict) and isinstance(one.get("msg"), str):
            place = one.get("loc")
            where = ".".join(str(part) for part in place) if isinstance(place, list) else ""
            yield f"{where}: {one['msg']}" if where else one["msg"]


def _without_echo(text: str, asked: Mapping[str, Any]) -> str:
    """The text without what it repeats of the request's messages, however it spells them."""
    text = _INPUT.sub(_REPEATED, text)
    contents = {str(one.get("content", "")) for one in asked.get("messages", ())}
    for content in sorted(contents, key=lambda one: (-len(one), one)):
        spellings = {
            content,
            repr(content)[1:-1],
            json.dumps(content)[1:-1],
            json.dumps(content, ensure_ascii=False)[1:-1],
        }
        for spelling in sorted(spellings, key=lambda one: (-len(one), one)):
            if len(spelling) >= _SHORT:
                text = text.replace(spelling, _REPEATED)
    return text
