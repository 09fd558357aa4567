"""Asking the Hub again when it could not answer, waiting as long as it says, and never doing a thing twice.

The Hub's client repeats some requests by itself, but not the one that commits: one 409, 412, 429 or 503 there ends it.

    made = persist(propose, Patience(), done=find_pull_request)
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from sage_data.errors import PublishError

T = TypeVar("T")

PASSING = frozenset({408, 409, 412, 425, 429, 500, 502, 503, 504})
"""Statuses that may be another one the next time; 409 and 412 because someone else was quicker."""
REASONS = {
    401: "the Hub does not know the token, or the repository is not visible to it",
    403: "the token may not do this",
    404: "there is no such repository, or the token may not see it",
}
BROKEN = frozenset({"TransportError", "ConnectionError", "TimeoutError", "LocalEntryNotFoundError"})
"""Names of the classes of a failed connection, in the client and under it."""
_TOLD = re.compile(r"HTTP status \w+ error \((\d{3})")
_LIMIT = re.compile(r"\br=0;t=(\d+)")
DEPTH = 5
"""How far down the chain of causes an answer or a broken connection is looked for."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long to wait."""

    tries: int = 8
    first_seconds: float = 1.0
    longest_seconds: float = 60.0
    """Longest wait of our own; they double from one to the next."""
    longest_asked_seconds: float = 600.0
    """Longest wait that the Hub may ask for; it gives up where more is asked."""
    sleep: Callable[[float], None] = field(default=time.sleep)


def persist(action: Callable[[], T], patience: Patience, done: Callable[[], T | None] = lambda: None) -> T:
    """Do `action` until it succeeds; before each repetition `done` is asked whether the last one did after all.

    Raises:
        PublishError: it cannot succeed, or did not in all tries; the last reason is named.
    """
    for attempt in range(patience.tries):
        try:
            if attempt and (found := done()) is not None:
                return found
            return action()
        except PublishError:
            raise
        except Exception as error:
            # The client's errors have no common class; what is neither an answer nor a broken connection is raised.
            wait = wait_after(error, attempt, patience)
            if wait is None or attempt + 1 == patience.tries:
                raise refusal(error) from error
            patience.sleep(wait)
    raise PublishError(f"expected at least one try, found {patience.tries}")


def wait_after(error: BaseException, attempt: int, patience: Patience) -> float | None:
    """Seconds to wait before trying again; None when that would not help.

    Raises:
        BaseException: the error itself, when it came neither from the Hub, its client, nor the way there.
    """
    answer = answer_behind(error)
    if answer is None and not broke_off(error):
        if isinstance(error, ValueError | RuntimeError):
            return None
        raise error
    if answer is not None and answer.status not in PASSING:
        return None
    asked = 0.0 if answer is None else answer.seconds
    own = min(patience.first_seconds * 2.0**attempt, patience.longest_seconds)
    return max(own, asked) if asked <= patience.longest_asked_seconds else None


def refusal(error: BaseException) -> PublishError:
    """What to say of an error that stays."""
    answer = answer_behind(error)
    if answer is None and not broke_off(error):
        return PublishError(f"the Hub's client gives up: {error}", next_step="look at the staged dataset")
    if answer is None:
        return PublishError(f"the Hub could not be reached: {error}", next_step="run the same command again later")
    if answer.status in PASSING:
        wait = f", and asks to wait {answer.seconds:.0f} s" if answer.seconds else ""
        return PublishError(
            f"the Hub answers {answer.status}{wait}: {error}", next_step="run the same command again later"
        )
    said = REASONS.get(answer.status, str(error))
    return PublishError(f"the Hub refuses ({answer.status}): {said}", next_step="check repository and token")


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer that an error came from."""

    status: int
    seconds: float
    """How long it asks to wait."""


def answer_behind(error: BaseException) -> Answer | None:
    """The Hub's answer that an error came from, or None when there was none."""
    for one in _chain(error):
        response = getattr(one, "response", None)
        if response is not None and isinstance(getattr(response, "status_code", None), int):
            return Answer(response.status_code, seconds_asked(response.headers))
        # Xet's client tells a status in words alone.
        if isinstance(one, ConnectionError) and (told := _TOLD.search(str(one))):
            return Answer(int(told[1]), 0.0)
    return None


def seconds_asked(headers: Mapping[str, str]) -> float:
    """Seconds that `Retry-After`, or the Hub's own `RateLimit`, asks to wait; 0 for dates, which it does not send."""
    after = headers.get("Retry-After", "").strip()
    if after.isdigit():
        return float(after)
    limit = _LIMIT.search(headers.get("RateLimit", ""))
    return float(limit[1]) if limit else 0.0


def broke_off(error: BaseException) -> bool:
    """True for a connection that failed."""
    names = {kind.__name__ for one in _chain(error) for kind in type(one).__mro__}
    return bool(names & BROKEN)


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and len(found) < DEPTH:
        found.append(at)
        at = at.__cause__ or at.__context__
    return found
