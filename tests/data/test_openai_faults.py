"""Faults of servers, over true sockets: refusals, drops, hangs and nonsense end as typed statuses or clear errors."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

import pytest
from chat_server import (
    BAD_REQUEST,
    BLANK_CONTENT,
    CONTENT_POLICY,
    CUT_BODY,
    CUT_TEXT,
    DROP,
    FILTERED,
    FORBIDDEN,
    HANG,
    HTML,
    NO_CHOICES,
    NOT_JSON,
    NULL_CONTENT,
    REFUSAL,
    SERVER_ERROR,
    TOO_LONG,
    UNAUTHORISED,
    UNAVAILABLE,
    UNKNOWN_MODEL,
    Ask,
    ChatServer,
    Fault,
    always,
    at,
    first,
    shares,
    too_many,
    when,
)

from sage_data.chat import CompletionStatus, Conversation, Message, Sampling
from sage_data.chat.openai import open_openai
from sage_data.chat.openai.client import OpenAIChat
from sage_data.errors import BackendError

QUICK = "retry_wait=0.01&retry_wait_max=0.1&breaker_wait=0.05&connect_timeout=2"


def asks(*texts: str) -> list[Conversation]:
    return [Conversation((Message("user", text),), seed=index) for index, text in enumerate(texts)]


def opened(server: ChatServer, options: str = "") -> OpenAIChat:
    return open_openai(f"tiny@{server.url}?{QUICK}&{options}")


def echo(ask: Ask) -> str:
    return f"You said {ask.last}"


class TestRowSeven:
    """429 with Retry-After, 5xx 30%, dropped connections 10%, hangs: all rows done."""

    @pytest.mark.parametrize(
        ("rows", "seed"), [(50, 3), *(pytest.param(300, seed, marks=pytest.mark.slow) for seed in (4, 5, 6))]
    )
    def test_all_rows_are_done_in_a_storm(self, rows: int, seed: int) -> None:
        storm = {SERVER_ERROR: 0.3, DROP: 0.1, too_many("0.1"): 0.05, HANG: 0.01}
        texts = [f"row {index}" for index in range(rows)]
        with ChatServer(echo, schedule=shares(storm, seed=seed)) as server:
            answers = opened(server, "attempts=30&timeout=0.3").generate(asks(*texts), Sampling())
            met = Counter(call.fault for call in server.calls)
        assert [one.text for (one,) in answers] == [f"You said {text}" for text in texts]
        assert met["server_error"] > 0.15 * rows
        assert met["drop"] > 0.04 * rows
        assert met["too_many"] > 0.01 * rows
        assert met["hang"] >= rows // 200

    @pytest.mark.parametrize("as_date", [False, pytest.param(True, marks=pytest.mark.slow)])
    def test_retry_after_is_waited_for_by_all_calls(self, as_date: bool) -> None:
        wait_s = 0.3
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=2.5), usegmt=True)
        stated = date if as_date else str(wait_s)
        with ChatServer(echo, schedule=at({0: too_many(stated)})) as server:
            answers = opened(server, "concurrency=2").generate(asks("a", "b", "c"), Sampling())
            moments = [call.at_s for call in server.calls]
        assert all(one.ok for (one,) in answers)
        # Calls that were on their way at the time are not held back; those after it are.
        later = [moment - moments[0] for moment in moments[2:]]
        assert len(later) == 2
        assert min(later) >= wait_s

    def test_retry_after_is_capped(self) -> None:
        with ChatServer(echo, schedule=first(1, too_many("3600"))) as server:
            began = time.monotonic()
            ((answer,),) = opened(server, "retry_after_cap=0.1").generate(asks("a"), Sampling())
        assert answer.ok
        assert 0.1 <= time.monotonic() - began < 2

    def test_a_stated_wait_is_no_outage(self) -> None:
        """All calls are told to wait for longer than the work would bear a silent server, and then it goes on."""
        with ChatServer(echo) as server:
            began = time.monotonic()
            server.schedule = lambda number, body: too_many("0.5") if time.monotonic() - began < 0.4 else None
            options = "concurrency=8&outage_at_start=0.2&outage=0.2&breaker_failures=2&retry_wait=0.01"
            chat = open_openai(f"tiny@{server.url}?{options}")
            answers = chat.generate(asks(*(f"row {index}" for index in range(20))), Sampling())
            assert server.count <= 20 + 8
        assert all(one.ok for (one,) in answers)
        assert 0.5 <= time.monotonic() - began < 5

    def test_waits_without_end_end_the_work(self) -> None:
        with ChatServer(echo, schedule=always(too_many("0.05"))) as server:
            chat = opened(server, "concurrency=4&retry_after_cap=0.05&attempts=6")
            began = time.monotonic()
            with pytest.raises(BackendError, match=r"asked for waits of 0\.[34].* s in all .* HTTP 429"):
                chat.generate(asks(*(f"row {index}" for index in range(500))), Sampling())
            assert time.monotonic() - began < 5

    @pytest.mark.parametrize(
        "date",
        [
            "Fri, 01 Jan 2026 00:00:00 +99999999999999",
            "Fri, 01 Jan 0000 00:00:00 GMT",
            "Fri, 31 Dec 9999 23:59:59 -2359",
            "Mon, 01 Jan 0001 00:00:00 +2359",
            "nan",
            "1e400",
            "-5",
            "",
        ],
    )
    def test_an_odd_date_is_a_short_wait_or_none(self, date: str) -> None:
        with ChatServer(echo, schedule=first(1, too_many(date))) as server:
            ((answer,),) = opened(server, "retry_after_cap=0.05").generate(asks("a"), Sampling())
            assert server.count == 2
        assert answer.ok

    @pytest.mark.slow
    def test_waits_grow(self) -> None:
        with ChatServer(echo, schedule=first(4, SERVER_ERROR)) as server:
            chat = open_openai(f"tiny@{server.url}?retry_wait=0.06&retry_wait_max=5&breaker_failures=99")
            chat.generate(asks("a"), Sampling())
            moments = [call.at_s for call in server.calls]
        waits = [later - sooner for sooner, later in pairwise(moments)]
        assert all(wait >= doubled for doubled, wait in zip((0.06, 0.12, 0.24, 0.48), waits, strict=True))

    def test_a_hang_ends_at_the_timeout(self) -> None:
        with ChatServer(echo, schedule=always(HANG)) as server:
            began = time.monotonic()
            ((answer,),) = opened(server, "timeout=0.1&attempts=2").generate(asks("a"), Sampling())
        assert answer.status is CompletionStatus.API_ERROR
        assert answer.error == "given up after 2 attempts; the last: no whole reply within 0.1 s"
        assert time.monotonic() - began < 3

    def test_exhausted_attempts_are_counted_and_named(self) -> None:
        with ChatServer(echo, schedule=always(SERVER_ERROR)) as server:
            ((answer,),) = opened(server, "attempts=4").generate(asks("a"), Sampling())
            assert server.count == 4
        assert answer.status is CompletionStatus.API_ERROR
        assert answer.error == "given up after 4 attempts; the last: HTTP 500: The server had an error"


class TestRowEight:
    """401, 400: few calls, soon, and the last line says the cause."""

    @pytest.mark.parametrize(
        ("fault", "cause", "advice"),
        [
            (UNAUTHORISED, "HTTP 401: Incorrect API key provided", "OPENAI_API_KEY"),
            (FORBIDDEN, "HTTP 403: This project may not use the model", "may use the model 'tiny'"),
            (UNKNOWN_MODEL, "HTTP 404: The model does not exist", "check the model's name"),
            (Fault("route", 404, "<html>no such page</html>"), "no such page", "ends in /v1"),
            (BAD_REQUEST, "HTTP 400: Unrecognized request argument", "change what the server refuses"),
            (
                Fault("quota", 429, '{"error": {"message": "No money", "code": "insufficient_quota"}}'),
                "No money",
                "settle",
            ),
        ],
    )
    def test_the_work_ends_at_once(self, fault: Fault, cause: str, advice: str) -> None:
        taken: list[str] = []

        def endless() -> Iterator[Conversation]:
            for index in range(10_000):
                taken.append(str(index))
                yield from asks(str(index))

        with ChatServer(echo, schedule=always(fault)) as server:
            chat = opened(server, "concurrency=8")
            began = time.monotonic()
            with pytest.raises(BackendError) as caught:
                list(chat.stream(endless(), Sampling()))
            assert time.monotonic() - began < 3
            assert server.count <= 8
        assert len(taken) <= 8
        said = str(caught.value)
        assert said.count(cause) == 1
        last = said.splitlines()[-1]
        assert f"HTTP {fault.status}" in last
        assert advice in last

    def test_what_was_answered_before_is_handed_over(self) -> None:
        with ChatServer(echo, schedule=lambda number, body: UNAUTHORISED if number >= 5 else None) as server:
            stream = opened(server, "concurrency=1").stream(asks(*"abcdefgh"), Sampling())
            got = [next(stream)[0] for _ in range(5)]
            with pytest.raises(BackendError):
                next(stream)
        assert got == [0, 1, 2, 3, 4]

    def test_between_good_answers_a_400_is_the_conversations_own(self) -> None:
        with ChatServer(echo, schedule=when("odd", BAD_REQUEST)) as server:
            answers = opened(server, "concurrency=1").generate(asks("a", "odd", "odd", "b", "odd", "c"), Sampling())
            assert [one.ok for (one,) in answers] == [True, False, False, True, False, True]
            with pytest.raises(BackendError, match="HTTP 400"):
                opened(server, "concurrency=1").generate(asks("a", *["odd"] * 9), Sampling())
            assert server.count == 6 + 4

    @pytest.mark.parametrize(
        ("fault", "status"),
        [
            (TOO_LONG, CompletionStatus.API_ERROR),
            (
                Fault("short", 400, '{"error": {"message": "1311 prompt tokens exceed 1024"}}'),
                CompletionStatus.API_ERROR,
            ),
            (Fault("large", 413, "Request Entity Too Large"), CompletionStatus.API_ERROR),
            (
                Fault(
                    "vllm", 400, '{"object": "error", "message": "The prompt (total length 900) is too long to fit"}'
                ),
                CompletionStatus.API_ERROR,
            ),
            (CONTENT_POLICY, CompletionStatus.REFUSED),
            (
                Fault("azure", 400, '{"error": {"code": "content_filter", "message": "The response was filtered"}}'),
                CompletionStatus.REFUSED,
            ),
        ],
    )
    def test_a_refusal_of_one_conversation_ends_only_that(self, fault: Fault, status: CompletionStatus) -> None:
        with ChatServer(echo, schedule=when("poison", fault)) as server:
            answers = opened(server).generate(asks("a", "poison", "b"), Sampling())
            assert server.count == 3
        assert [one.status for (one,) in answers] == [CompletionStatus.OK, status, CompletionStatus.OK]
        assert f"HTTP {fault.status}" in str(answers[1][0].error)

    @pytest.mark.parametrize("concurrency", [1, 3, 16])
    @pytest.mark.parametrize(
        ("limit", "advice"),
        [(100, "max_tokens=128 alone does not fit into a context of 100 tokens"), (512, "max_tokens=128, give it")],
    )
    def test_when_every_conversation_is_too_long_the_work_ends(self, concurrency: int, limit: int, advice: str) -> None:
        said = f"This model's maximum context length is {limit} tokens. However, you requested more."
        body = json.dumps({"error": {"message": said, "type": "BadRequestError", "code": 400}})
        with ChatServer(echo, schedule=always(Fault("long", 400, body))) as server:
            chat = opened(server, f"concurrency={concurrency}")
            with pytest.raises(BackendError) as caught:
                chat.generate(asks(*(f"row {index}" for index in range(200))), Sampling())
            assert server.count <= concurrency
            assert advice in str(caught.value).splitlines()[-1]
            server.schedule = lambda number, body: None
            assert chat.generate(asks("a"), Sampling(max_tokens=5))[0][0].ok, "later work may ask for less"

    def test_the_first_ones_may_be_too_long(self) -> None:
        texts = [*["poison"] * 7, *"abcdefgh", *["poison"] * 20]
        with ChatServer(echo, schedule=when("poison", TOO_LONG)) as server:
            answers = opened(server, "concurrency=8").generate(asks(*texts), Sampling())
            assert server.count == len(texts)
        assert [one.ok for (one,) in answers] == [text != "poison" for text in texts]

    @pytest.mark.parametrize("text", ["The moderator flagged my post", "my message was too long", "my grammar is bad"])
    @pytest.mark.parametrize("form", ["fastapi", "pydantic", "python", "quoted", "list"])
    def test_what_a_server_repeats_of_the_request_means_nothing(self, form: str, text: str) -> None:
        def refuse(number: int, body: Mapping[str, Any]) -> Fault:
            found = {"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs", "input": dict(body)}
            forms: dict[str, Any] = {
                "fastapi": {"detail": [found]},
                "pydantic": {
                    "error": f"1 error\n Extra inputs [type=x, input_value={str(body)[:60]}..., input_type=dict]"
                },
                "python": {"object": "error", "message": str([found]), "code": 400},
                "quoted": {"error": {"message": f'Extra inputs beside "{text}"'}},
                "list": [found],
            }
            return Fault("echo", 422, json.dumps(forms[form]))

        with ChatServer(echo, schedule=refuse) as server:
            with pytest.raises(BackendError, match=r"HTTP 422: .*Extra inputs") as caught:
                opened(server, "concurrency=4").generate(asks(*[text] * 50), Sampling(json_schema="{}"))
            assert server.count <= 4
        assert text not in str(caught.value)

    def test_half_a_surrogate_is_not_sent(self) -> None:
        with ChatServer(echo) as server:
            answers = opened(server).generate(asks("a", "\ud800", "b"), Sampling())
            assert server.count == 2
        assert [one.ok for (one,) in answers] == [True, False, True]
        assert "surrogate" in str(answers[1][0].error)


class TestRowNine:
    """What is no answer is never scored as one."""

    @pytest.mark.parametrize(
        ("fault", "status", "calls"),
        [
            (HTML, CompletionStatus.API_ERROR, 2),
            (NO_CHOICES, CompletionStatus.API_ERROR, 2),
            (NOT_JSON, CompletionStatus.API_ERROR, 2),
            (CUT_BODY, CompletionStatus.API_ERROR, 2),
            (DROP, CompletionStatus.API_ERROR, 2),
            (UNAVAILABLE, CompletionStatus.API_ERROR, 2),
            (Fault("list", body="[1]"), CompletionStatus.API_ERROR, 2),
            (Fault("error", body='{"error": {"message": "overloaded"}}'), CompletionStatus.API_ERROR, 2),
            (Fault("mute", body='{"choices": [{"index": 0}]}'), CompletionStatus.API_ERROR, 2),
            (Fault("huge", body='{"choices": [], "created": ' + "1" * 5000 + "}"), CompletionStatus.API_ERROR, 2),
            (Fault("abort", change=(("finish_reason", "abort"),)), CompletionStatus.API_ERROR, 1),
            (NULL_CONTENT, CompletionStatus.EMPTY, 1),
            (BLANK_CONTENT, CompletionStatus.EMPTY, 1),
            (Fault("no words", change=(("finish_reason", "length"), ("content", ""))), CompletionStatus.EMPTY, 1),
            (FILTERED, CompletionStatus.REFUSED, 1),
            (REFUSAL, CompletionStatus.REFUSED, 1),
            (CUT_TEXT, CompletionStatus.TRUNCATED, 1),
            (Fault("no end", change=(("finish_reason", None),)), CompletionStatus.TRUNCATED, 1),
        ],
    )
    def test_each_has_its_status(self, fault: Fault, status: CompletionStatus, calls: int) -> None:
        with ChatServer(echo, schedule=always(fault)) as server:
            ((answer,),) = opened(server, "attempts=2").generate(asks("a"), Sampling())
            assert server.count == calls
        assert answer.status is status
        assert answer.error
        assert not answer.ok
