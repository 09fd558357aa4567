"""Read the body of a `/chat/completions` answer into completions with typed statuses.

What is no reply at all (HTML, cut JSON, no choices) is an error of the server and raises `BrokenReplyError`; what the
model said or would not say becomes a status: `REFUSED` for a content filter or a refusal, `EMPTY` for null or blank
content, `TRUNCATED` for finish_reason "length" and where the server does not say that the reply ended, `API_ERROR` for
an end that is none. Whatever is kept of a server's words goes through the redactor, and half a surrogate pair, which no
file could hold, becomes U+FFFD.

    read_reply(body, wanted, model="tiny", redact=Redactor(key)).completions
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sage_data.chat.openai.address import public_name
from sage_data.chat.openai.limits import estimated_prompt, estimated_tokens
from sage_data.chat.openai.redaction import Redactor
from sage_data.chat.openai.requests import Wanted
from sage_data.chat.protocol import Completion, CompletionStatus

_WHOLE = frozenset({"stop", "eos", "eos_token", "end_turn", "stop_sequence", "stop_token"})
_CUT = frozenset({"length", "max_tokens", "max_completion_tokens"})
_REFUSED = frozenset({"content_filter", "safety", "refusal"})
_DIGITS = 18
"""Longer whole numbers are no counts."""


class BrokenReplyError(Exception):
    """What came back is not a chat completion."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What one request brought."""

    completions: tuple[Completion, ...]
    """At least one, at most as many as were wanted. The first carries the prompt's tokens, since they are paid once."""
    estimated: bool
    """True when the server did not count tokens and they are estimated here."""


@dataclass(frozen=True, slots=True)
class _Said:
    """One choice, read."""

    text: str
    status: CompletionStatus
    finish_reason: str | None
    error: str | None = None


def read_reply(body: str, wanted: Wanted, model: str, redact: Redactor) -> Reply:
    """Read an answer; `model` is what it is called when the server does not say.

    Raises:
        BrokenReplyError: it is not a chat completion with at least one choice.
    """
    raw = _object(body, redact)
    said = [_choice(one, redact) for one in _choices(raw)[: wanted.n]]
    counted = _usage(raw)
    prompt, completion = counted or (
        estimated_prompt(wanted.conversation.messages),
        sum(estimated_tokens(one.text) for one in said),
    )
    shares = _shares(completion, [estimated_tokens(one.text) for one in said])
    name = _model(raw, model, redact)
    completions = tuple(
        Completion(
            text=one.text,
            status=one.status,
            model=name,
            prompt_tokens=0 if index else prompt,
            completion_tokens=shares[index],
            finish_reason=one.finish_reason,
            error=one.error,
            tokens_estimated=counted is None,
        )
        for index, one in enumerate(said)
    )
    return Reply(completions, estimated=counted is None)


def _object(body: str, redact: Redactor) -> Mapping[str, Any]:
    try:
        raw = json.loads(body, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        what = "an HTML page" if body.lstrip().startswith("<") else "text that is not JSON, or only a part of it"
        raise _broken(what, body, redact) from error
    if not isinstance(raw, dict):
        raise _broken(type(raw).__name__, body, redact)
    return raw


def _broken(what: str, body: str, redact: Redactor) -> BrokenReplyError:
    # Redacted before it is cut, which could leave half a key.
    return BrokenReplyError(f"expected a chat completion, found {what}: {redact(body)[:80]!r}")


def _choices(raw: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = raw.get("choices")
    if not isinstance(listed, list) or not listed:
        said = json.dumps(raw.get("error") or sorted(raw))
        raise BrokenReplyError(f"expected a chat completion, found an answer without choices: {said}")
    if not all(isinstance(one, dict) and isinstance(one.get("message"), dict) for one in listed):
        raise BrokenReplyError("expected a chat completion, found a choice without a message")
    return _in_order(listed)


def _in_order(listed: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Choices by their index where each has one: servers may send them as they finish."""
    places = [one.get("index") for one in listed]
    return sorted(listed, key=lambda one: int(one["index"])) if all(type(one) is int for one in places) else listed


def _choice(choice: Mapping[str, Any], redact: Redactor) -> _Said:
    message = choice["message"]
    text, refusal, reason = _text(message.get("content"), redact), message.get("refusal"), choice.get("finish_reason")
    end = None if reason is None else redact(_writable(str(reason)))
    if end in _REFUSED or refusal:
        why = _writable(str(refusal or "held back by the server's content filter"))
        return _Said(text, CompletionStatus.REFUSED, end, redact(why))
    if not text.strip():
        return _Said("", CompletionStatus.EMPTY, end, f"no text came back (finish_reason {end})")
    if end in _CUT:
        return _Said(text, CompletionStatus.TRUNCATED, end, "cut at the allowed number of tokens")
    if end is None:
        return _Said(text, CompletionStatus.TRUNCATED, end, "the server does not say that the reply ended")
    if end in _WHOLE:
        return _Said(text, CompletionStatus.OK, end)
    return _Said(text, CompletionStatus.API_ERROR, end, f"ended for a reason that is no end of a reply: {end}")


def _text(content: object, redact: Redactor) -> str:
    """The text of a message; some servers send it in parts."""
    if isinstance(content, list):
        parts = [one.get("text") for one in content if isinstance(one, dict) and one.get("type") == "text"]
        content = "".join(part for part in parts if isinstance(part, str))
    return redact.reply(_writable(content)) if isinstance(content, str) else ""


def _writable(text: str) -> str:
    """The text with halves of surrogate pairs joined where they meet, and replaced where they do not."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _whole(digits: str) -> int | float:
    """A whole number; one of thousands of digits, which Python refuses to read, as a float."""
    return int(digits) if len(digits) <= _DIGITS else float(digits)


def _usage(raw: Mapping[str, Any]) -> tuple[int, int] | None:
    """(prompt tokens, completion tokens) as counted by the server, or None."""
    usage = raw.get("usage")
    if not isinstance(usage, dict):
        return None
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if isinstance(prompt, int) and isinstance(completion, int) and min(prompt, completion) >= 0:
        return prompt, completion
    return None


def _shares(total: int, weights: Sequence[int]) -> list[int]:
    """Split a whole number by weights; the parts add up to it."""
    whole = sum(weights) or len(weights)
    parts, given, seen = [], 0, 0
    for weight in weights:
        seen += weight if sum(weights) else 1
        upto = total * seen // whole
        parts.append(upto - given)
        given = upto
    return parts


def _model(raw: Mapping[str, Any], model: str, redact: Redactor) -> str:
    name, mark = (
        redact.name(_writable(one)) if isinstance(one, str) else ""
        for one in (raw.get("model"), raw.get("system_fingerprint"))
    )
    named = public_name(name or model)
    return f"{named}@{mark}" if mark else named
