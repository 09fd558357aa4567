"""Waiting for a server that could not answer: as long as it asks, longer each time, never forever."""

from __future__ import annotations

from typing import Any

import pytest

from sage_data.errors import PublishError
from sage_data.publishing.patience import Patience, persist, seconds_asked


class AnsweredError(Exception):
    """An error with an HTTP answer, as the Hub's client raises it."""

    def __init__(self, status: int, **headers: str) -> None:
        super().__init__(f"answered {status}")
        self.response: Any = type("Response", (), {"status_code": status, "headers": headers})()


class Flaky:
    """Raises what is planned, then gives `done`."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.calls = list(errors), 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@pytest.fixture
def waited() -> list[float]:
    return []


def test_waits_grow_and_what_is_asked_is_honoured(waited: list[float]) -> None:
    action = Flaky(
        AnsweredError(503), AnsweredError(409), AnsweredError(429, **{"Retry-After": "120"}), ConnectionError("gone")
    )
    assert persist(action, Patience(sleep=waited.append)) == "done"
    assert waited == [1, 2, 120, 8]


def test_own_waits_are_capped(waited: list[float]) -> None:
    action = Flaky(*[AnsweredError(503)] * 7)
    persist(action, Patience(first_seconds=10, longest_seconds=25, sleep=waited.append))
    assert waited == [10, 20, 25, 25, 25, 25, 25]


def test_gives_up_after_all_tries(waited: list[float]) -> None:
    action = Flaky(*[AnsweredError(503)] * 9)
    with pytest.raises(PublishError, match="the Hub answers 503"):
        persist(action, Patience(tries=3, sleep=waited.append))
    assert action.calls == 3
    assert len(waited) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_refusal_ends_it(waited: list[float], status: int) -> None:
    action = Flaky(AnsweredError(status))
    with pytest.raises(PublishError, match=rf"refuses \({status}\)"):
        persist(action, Patience(sleep=waited.append))
    assert (action.calls, waited) == (1, [])


def test_what_was_done_after_all_is_not_done_again(waited: list[float]) -> None:
    action, found = Flaky(ConnectionError("lost")), ["the commit"]
    assert persist(action, Patience(sleep=waited.append), done=lambda: found[0]) == "the commit"
    assert action.calls == 1


def test_a_failing_look_is_a_failing_try(waited: list[float]) -> None:
    action, look = Flaky(ConnectionError("lost"), AnsweredError(503)), Flaky(AnsweredError(502))
    assert persist(action, Patience(sleep=waited.append), done=look) == "done"
    assert (action.calls, look.calls) == (1, 2)


def test_causes_are_looked_through(waited: list[float]) -> None:
    wrapped = RuntimeError("Error while uploading")
    wrapped.__cause__ = AnsweredError(503)
    assert persist(Flaky(wrapped), Patience(sleep=waited.append)) == "done"
    told = ConnectionError("Network error: HTTP status client error (401 Unauthorized), domain: x")
    with pytest.raises(PublishError, match="401"):
        persist(Flaky(told), Patience(sleep=waited.append))


def test_other_errors_are_not_swallowed(waited: list[float]) -> None:
    with pytest.raises(ZeroDivisionError):
        persist(Flaky(ZeroDivisionError()), Patience(sleep=waited.append))
    with pytest.raises(PublishError, match="client gives up: Invalid metadata"):
        persist(Flaky(ValueError("Invalid metadata")), Patience(sleep=waited.append))
    with pytest.raises(PublishError, match="as it was"):
        persist(Flaky(PublishError("as it was")), Patience(sleep=waited.append))
    assert waited == []


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0),
        ({"RateLimit": '"api";r=0;t=55'}, 55),
        ({"RateLimit": '"api";r=9;t=55'}, 0),
        ({}, 0),
    ],
)
def test_seconds_that_are_asked_for(headers: dict[str, str], seconds: float) -> None:
    assert seconds_asked(headers) == seconds
