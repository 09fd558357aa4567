"""Decide what an error of a request means: end the work, give up on this conversation, ask for less, or try again.

Rules, first match wins:

1. 401, 402, 403, 404, 405 and a 429 with code `insufficient_quota` or `billing_*`: fatal. The next call would fail too.
2. 400, 413, 422 that concern one conversation: its own status. By code, type or message: content policy or filter is
   `REFUSED`; too long for the model's context is `API_ERROR`. 413 always counts as too long. While nothing has been
   answered, as many of the latter as may be open at once are fatal: it is not one conversation that does not fit.
3. 400, 422, 500, 501 that name the response format, when one was sent: ask this server for less JSON.
4. 400, 422 that name `n`, when several candidates were asked for: ask this server singly.
5. 429, 503, 529 and timeouts: too much for the server; try again later, with fewer calls open. One that states how
   long to wait is obeyed and is no failure of the server.
6. Other 5xx, 408, 409, 425, lost connections and answers that are no chat completion: try again.
7. Any other 4xx: rejected. While nothing has been answered, or at the third in a row, that is fatal: the request itself
   is wrong, so every one is. Between good answers it is the conversation's own `API_ERROR`.

Words are those that the server says itself (`sage_data.chat.openai.words`).

    judge(error, asked=body, address=address, redact=Redactor(key))
"""

from __future__ import annotations

import email.utils
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from openai import APIConnectionError, APIStatusError, APITimeoutError

from sage_data.chat.openai.address import DEFAULT_KEY, Address
from sage_data.chat.openai.redaction import Redactor
from sage_data.chat.openai.replies import BrokenReplyError
from sage_data.chat.openai.words import words
from sage_data.chat.protocol import CompletionStatus

_QUOTA = re.compile(r"insufficient_quota|billing", re.IGNORECASE)
_POLICY = re.compile(
    r"content[ _-]?policy|content[ _-]?filter|content_management|responsible\W?ai|moderation|safety system|flagged",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(
    r"context[ _-]?(length|window|size)|maximum model length|max_model_len|string_above_max_length"
    r"|(prompt|input|request|message)s?\b.{0,40}\btoo (long|large)|reduce the length|too many tokens"
    r"|\btokens?\b.{0,40}\b(exceeds?|exceeded|exceeding|more than|over)\b.{0,40}\d"
    r"|\b(exceeds?|exceeded|exceeding)\b.{0,60}\btokens?\b",
    re.IGNORECASE,
)
_FORMAT = re.compile(
    r"response_format|json_schema|json_object|json mode|structured[ _]output|guided|grammar", re.IGNORECASE
)
_CONTEXT = re.compile(
    r"(?:context[ _-]?(?:length|window|size)|maximum model length|max_model_len|tokens?\b.{0,20}\bexceed\w*)"
    r"\D{0,40}?(\d{2,9})",
    re.IGNORECASE,
)
_SINGLY = re.compile(
    r"(^|\W)n\W.{0,40}\b(must|only|at most|less than|support|greater|allowed)|one completion|\bbest_of\b", re.I
)
_FATAL = frozenset({401, 402, 403, 404, 405})
_AGAIN = frozenset({408, 409, 425})
_BUSY = frozenset({429, 503, 529})
_ABOUT_CONTENT = frozenset({400, 413, 422})
_ABOUT_FORMAT = frozenset({400, 422, 500, 501})


class Kind(StrEnum):
    """What follows from a trouble."""

    FATAL = "fatal"
    REJECTED = "rejected"
    CONVERSATION = "conversation"
    TOO_LONG = "too_long"
    LESS_JSON = "less_json"
    SINGLY = "singly"
    AGAIN = "again"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One failed request, judged."""

    kind: Kind
    message: str
    """One line, without a key."""
    status: CompletionStatus = CompletionStatus.API_ERROR
    next_step: str | None = None
    busy: bool = False
    """The server has too much to do."""
    wait_s: float = 0.0
    """What the server asked to wait, capped; 0 when it did not say."""
    lost: bool = False
    """The request went out and may have been charged, but brought no reply."""


class TroubleError(Exception):
    """Carries a trouble through the retries."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble


def judge(error: Exception, *, asked: Mapping[str, Any], address: Address, redact: Redactor) -> Trouble:
    """What the error of a request with the body `asked` means."""
    if isinstance(error, APIStatusError):
        return _judge_status(error, asked, address, redact)
    if isinstance(error, APITimeoutError | TimeoutError):
        limit = address.options.timeout
        return Trouble(Kind.AGAIN, f"no whole reply within {limit:g} s", busy=True, lost=_went_out(error))
    if isinstance(error, APIConnectionError):
        cause = error.__cause__ or error
        what = redact(f"connection lost: {type(cause).__name__}: {cause}")
        return Trouble(Kind.AGAIN, what, lost=_went_out(error))
    if isinstance(error, BrokenReplyError):
        return Trouble(Kind.AGAIN, redact(str(error)), lost=True)
    # Such as text that no JSON can hold: nothing was sent.
    return Trouble(Kind.CONVERSATION, redact(f"not sent: {type(error).__name__}: {error}"))


def _went_out(error: Exception) -> bool:
    """False when no connection came about, so that the server knows nothing of the request."""
    return not type(error.__cause__).__name__.startswith(("Connect", "Pool", "Proxy"))


def _judge_status(error: APIStatusError, asked: Mapping[str, Any], address: Address, redact: Redactor) -> Trouble:
    code, found = error.status_code, words(error, asked)
    said, message = found.meaning, redact(f"HTTP {code}: {found.shown}")
    if code in _FATAL or (code == 429 and _QUOTA.search(said)):
        return Trouble(Kind.FATAL, message, next_step=_advice(code, address, str(error.request.url)))
    if code in _BUSY:
        wait_s = min(_retry_after(error.response.headers), address.options.retry_after_cap)
        return Trouble(Kind.AGAIN, message, busy=True, wait_s=wait_s)
    if (trouble := _about_this_request(code, said, message, asked)) is not None:
        return trouble
    if code >= 500 or code in _AGAIN:
        return Trouble(Kind.AGAIN, message, lost=code >= 500)
    return Trouble(Kind.REJECTED, message, next_step=_advice(code, address))


def _about_this_request(code: int, said: str, message: str, asked: Mapping[str, Any]) -> Trouble | None:
    if code in _ABOUT_CONTENT and _POLICY.search(said):
        return Trouble(Kind.CONVERSATION, message, status=CompletionStatus.REFUSED)
    if code == 413 or (code in _ABOUT_CONTENT and _TOO_LONG.search(said)):
        return Trouble(Kind.TOO_LONG, message, next_step=f"HTTP {code}: {_how_to_fit(said, asked)}")
    return _about_ability(code, said, message, asked)


def _about_ability(code: int, said: str, message: str, asked: Mapping[str, Any]) -> Trouble | None:
    """The server cannot do something that it was asked for and that can be done without."""
    if code in _ABOUT_FORMAT and "response_format" in asked and _FORMAT.search(said):
        return Trouble(Kind.LESS_JSON, message)
    if code in _ABOUT_CONTENT and "n" in asked and _SINGLY.search(said):
        return Trouble(Kind.SINGLY, message)
    return None


def _how_to_fit(said: str, asked: Mapping[str, Any]) -> str:
    """What to do when no request fits into the model's context."""
    name = next((one for one in ("max_tokens", "max_completion_tokens") if one in asked), "max_tokens")
    wanted, context = int(asked.get(name, 0)), _CONTEXT.search(said)
    if context is not None and wanted >= int(context[1]):
        return f"{name}={wanted} alone does not fit into a context of {context[1]} tokens: ask for fewer"
    return f"ask for fewer tokens than {name}={wanted}, give it shorter texts, or serve the model with a longer context"


def _advice(code: int, address: Address, url: str = "") -> str:
    """The last line of the error: the cause in short, as the server's words stand above it, and what to do about it."""
    if code == 401 and url and not address.sends_key(url):
        return (
            f"HTTP {code}: no key was sent: without key_env, {DEFAULT_KEY} goes to https:// addresses and to this "
            f"machine only; to send a key there too, name its variable: ?key_env=NAME"
        )
    known = {
        401: f"put a valid key into the environment variable {address.key_variable}, or name another: ?key_env=NAME",
        402: "settle the account with the provider, then run the same command again",
        403: f"check that the key in {address.key_variable} may use the model {address.model!r}",
        404: f"check the model's name {address.model!r} and the URL, which usually ends in /v1",
        429: "settle the account with the provider, then run the same command again",
    }
    otherwise = "change what the server refuses; options of the address: omit=FIELD, max_tokens_name=..., guided=..."
    return f"HTTP {code}: {known.get(code, otherwise)}"


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that a server asks to wait: from `Retry-After` in seconds or as an HTTP date; 0 when it does not say."""
    stated = headers.get("retry-after", "").strip()
    try:
        seconds = float(stated)
    except ValueError:
        seconds = _until(stated)
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0


def _until(date: str) -> float:
    """Seconds from now to an HTTP date; 0 for what is none, or lies beyond what a clock can hold."""
    try:
        moment = email.utils.parsedate_to_datetime(date)
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return (aware - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError, TypeError, IndexError):
        return 0.0
