"""A real HTTP server on this machine that speaks `/v1/chat/completions` and misbehaves when told to. Offline.

It stands in for OpenAI, vLLM and the like, so that tests go through true sockets and the true client.

    with ChatServer(lambda ask: f"You said: {ask.last}") as server:
        chat = open_chat(f"openai:tiny@{server.url}")
        chat.generate(...)
    assert server.count == 3                   # chat calls that came in (`server.calls` has each: body, key, fault)
    assert server.most_at_once <= 4            # most calls that were open at one moment

The reply is made by a function of an `Ask`: `ask.messages` (role and content), `ask.last` (the last message's content),
`ask.body` (the whole request: temperature, seed, response_format, ...), `ask.candidate` (0 to n - 1). It may be given
as a plain text too.

Misbehaviour is a schedule, a function of the call's number (from 0) and its body that returns a `Fault` or None:

    ChatServer(reply, schedule=always(UNAUTHORISED))
    ChatServer(reply, schedule=at({0: too_many(retry_after="1"), 3: HANG}))     # by number; the others are well
    ChatServer(reply, schedule=shares({SERVER_ERROR: 0.3, DROP: 0.1}, seed=7))  # by a seeded die
    ChatServer(reply, schedule=when("poison", BAD_REQUEST))                     # by a part of the conversation

Ready-made faults: DROP, HANG, SERVER_ERROR, UNAVAILABLE, UNAUTHORISED, FORBIDDEN, BAD_REQUEST, UNKNOWN_MODEL,
TOO_LONG (context length), CONTENT_POLICY, FILTERED (finish_reason content_filter), REFUSAL, HTML, NO_CHOICES,
NULL_CONTENT, BLANK_CONTENT, CUT_BODY, CUT_TEXT (finish_reason length), NOT_JSON; `too_many(retry_after)`, `slow(s)`.

Lasting traits are arguments: `delay_s` of every reply, `key` that callers must show, `response_formats` that are known
(others get 400), `choices` given at most (fewer than n), `usage=False` to leave token counts out, `model` it claims to
be. Token counts are words. `server.stop()` makes it die at once; `server.schedule = ...` changes its mind in mid-run.
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Any
from unittest.mock import patch

# Each client loads all certificates of the system, which takes 20 ms, and no test speaks TLS: once is enough.
patch.object(ssl, "create_default_context", cache(ssl.create_default_context)).start()

PLAIN, JSON_OBJECT, JSON_SCHEMA = "text", "json_object", "json_schema"


@dataclass(frozen=True)
class Ask:
    """What one candidate reply is asked for."""

    body: Mapping[str, Any]
    candidate: int

    @property
    def messages(self) -> list[dict[str, str]]:
        return list(self.body["messages"])

    @property
    def last(self) -> str:
        return self.messages[-1]["content"]


@dataclass(frozen=True)
class Fault:
    """One way to misbehave: an answer of its own, or an end without one."""

    name: str
    status: int = 200
    body: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    change: tuple[tuple[str, Any], ...] = ()
    """Fields of each choice to overwrite, such as ("finish_reason", "length"); `content` and `refusal` too."""
    drop_after: int | None = None
    """Close the connection once this many bytes of the answer are out."""
    wait_s: float = 0.0
    """Before anything is answered; infinite for ever."""


def _error(name: str, status: int, message: str, code: str | None = None, kind: str = "invalid_request_error") -> Fault:
    return Fault(name, status, json.dumps({"error": {"message": message, "type": kind, "code": code, "param": None}}))


DROP = Fault("drop", drop_after=0)
HANG = Fault("hang", wait_s=float("inf"))
SERVER_ERROR = _error("server_error", 500, "The server had an error", kind="server_error")
UNAVAILABLE = _error("unavailable", 503, "Overloaded", kind="server_error")
UNAUTHORISED = _error("unauthorised", 401, "Incorrect API key provided", "invalid_api_key")
FORBIDDEN = _error("forbidden", 403, "This project may not use the model", kind="permission_error")
BAD_REQUEST = _error("bad_request", 400, "Unrecognized request argument", kind="invalid_request_error")
UNKNOWN_MODEL = _error("unknown_model", 404, "The model does not exist", "model_not_found")
TOO_LONG = _error("too_long", 400, "This model's maximum context length is 512 tokens", "context_length_exceeded")
CONTENT_POLICY = _error("content_policy", 400, "The prompt was flagged", "content_policy_violation")
FILTERED = Fault("filtered", change=(("finish_reason", "content_filter"), ("content", "")))
REFUSAL = Fault("refusal", change=(("content", None), ("refusal", "I would rather not.")))
HTML = Fault("html", body="<!doctype html><html><body>Sign in to the proxy</body></html>")
NO_CHOICES = Fault("no_choices", body='{"id": "x", "object": "chat.completion", "model": "tiny", "choices": []}')
NOT_JSON = Fault("not_json", body='{"id": "x", "choices": [{"index"')
NULL_CONTENT = Fault("null_content", change=(("content", None),))
BLANK_CONTENT = Fault("blank_content", change=(("content", " \n "),))
CUT_TEXT = Fault("cut_text", change=(("finish_reason", "length"),))
CUT_BODY = Fault("cut_body", drop_after=200)


def too_many(retry_after: str | None = None) -> Fault:
    """429; `retry_after` in seconds or as an HTTP date."""
    headers = () if retry_after is None else (("Retry-After", retry_after),)
    made = _error("too_many", 429, "Rate limit reached", "rate_limit_exceeded", "requests")
    return Fault(made.name, made.status, made.body, headers)


def slow(seconds: float) -> Fault:
    """A right answer, late."""
    return Fault("slow", wait_s=seconds)


Schedule = Callable[[int, Mapping[str, Any]], Fault | None]


def always(fault: Fault) -> Schedule:
    return lambda number, body: fault


def at(faults: Mapping[int, Fault]) -> Schedule:
    return lambda number, body: faults.get(number)


def first(count: int, fault: Fault) -> Schedule:
    return lambda number, body: fault if number < count else None


def when(part: str, fault: Fault) -> Schedule:
    return lambda number, body: fault if part in json.dumps(body["messages"], ensure_ascii=False) else None


def shares(faults: Mapping[Fault, float], seed: int = 0) -> Schedule:
    """Each fault with its own probability, the rest well; the die depends on the seed and the call's number."""

    def throw(number: int, body: Mapping[str, Any]) -> Fault | None:
        drawn = random.Random(f"{seed}/{number}").random()
        for fault, share in faults.items():
            if drawn < share:
                return fault
            drawn -= share
        return None

    return throw


@dataclass(frozen=True)
class Call:
    """One chat call as it came in."""

    number: int
    body: Mapping[str, Any]
    key: str | None
    """What stood after `Bearer`."""
    fault: str | None
    at_s: float
    """Seconds since the server started."""

    @property
    def last(self) -> str:
        text: str = self.body["messages"][-1]["content"]
        return text


@dataclass(eq=False)
class ChatServer:
    """See the module's docstring. A context manager; `start` and `stop` do the same by hand."""

    reply: Callable[[Ask], str] | str = "Hello!"
    schedule: Schedule = field(default=lambda number, body: None)
    delay_s: float = 0.0
    key: str | None = None
    response_formats: tuple[str, ...] = (PLAIN, JSON_OBJECT, JSON_SCHEMA)
    choices: int | None = None
    usage: bool = True
    model: str = "tiny"
    fingerprint: str | None = None
    """`system_fingerprint` of each answer."""

    def __post_init__(self) -> None:
        self.calls: list[Call] = []
        self.most_at_once = 0
        self.connections = 0
        self.port = 0
        self._open = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="chat-server", daemon=True)
        self._ready = threading.Event()

    @property
    def count(self) -> int:
        """How many chat calls came in."""
        return len(self.calls)

    @property
    def url(self) -> str:
        """Where it listens, as clients want it."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def now(self) -> float:
        """Calls open at this moment."""
        return self._open

    def start(self) -> ChatServer:
        self._thread.start()
        assert self._ready.wait(10), "the server did not start"
        return self

    def stop(self) -> None:
        """Die at once: open connections are cut, new ones are refused."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(10)

    def __enter__(self) -> ChatServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        self._began = self._loop.time()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=512)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopping.wait()
        server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections += 1
        self._tasks.add(task)
        try:
            while await self._one_request(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went, or the server dies
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _one_request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False when the connection is to be closed."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        path = head[0].split(" ")[1]
        if path.endswith("/models"):
            listed = {"object": "list", "data": [{"id": self.model, "object": "model"}]}
            return await self._send(writer, Fault("", body=json.dumps(listed)), "")
        if not path.endswith("/chat/completions"):
            return await self._send(writer, _error("no_such_path", 404, f"no route {path}"), "")
        self._open += 1
        self.most_at_once = max(self.most_at_once, self._open)
        try:
            return await self._chat(json.loads(raw), headers, reader, writer)
        finally:
            self._open -= 1

    async def _chat(
        self,
        body: dict[str, Any],
        headers: Mapping[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        number = len(self.calls)
        shown = headers.get("authorization", "").removeprefix("Bearer ") or None
        fault = self._own_refusal(body, shown) or self.schedule(number, body) or Fault("")
        self.calls.append(Call(number, body, shown, fault.name or None, self._loop.time() - self._began))
        wait_s = fault.wait_s or self.delay_s
        if wait_s and await _client_left(reader, wait_s):
            return False
        return await self._send(writer, fault, self._answer(body, fault))

    def _own_refusal(self, body: Mapping[str, Any], shown: str | None) -> Fault | None:
        if self.key is not None and shown != self.key:
            return UNAUTHORISED
        asked = (body.get("response_format") or {"type": PLAIN})["type"]
        if asked not in self.response_formats:
            return _error("format", 400, f"response_format of type {asked} is not supported", kind="BadRequestError")
        return None

    def _answer(self, body: Mapping[str, Any], fault: Fault) -> str:
        n = min(body.get("n") or 1, self.choices or 10**9)
        texts = [self.reply if isinstance(self.reply, str) else self.reply(Ask(body, one)) for one in range(n)]
        answer: dict[str, Any] = {
            "id": f"chatcmpl-{len(self.calls)}",
            "object": "chat.completion",
            "created": 0,
            "model": self.model,
            "choices": [_choice(index, text, dict(fault.change)) for index, text in enumerate(texts)],
        }
        if self.fingerprint is not None:
            answer["system_fingerprint"] = self.fingerprint
        if self.usage:
            asked = sum(len(str(message["content"]).split()) for message in body["messages"])
            said = sum(len(text.split()) for text in texts)
            answer["usage"] = {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}
        return json.dumps(answer)

    async def _send(self, writer: asyncio.StreamWriter, fault: Fault, answer: str) -> bool:
        raw = (answer if fault.body is None else fault.body).encode()
        kind = "text/html" if raw.startswith(b"<") else "application/json"
        lines = [f"HTTP/1.1 {fault.status} Whatever", f"Content-Type: {kind}", f"Content-Length: {len(raw)}"]
        lines += [f"{name}: {value}" for name, value in fault.headers]
        out = ("\r\n".join(lines) + "\r\n\r\n").encode() + raw
        if fault.drop_after is not None:
            writer.write(out[: fault.drop_after])
            await writer.drain()
            return False
        writer.write(out)
        await writer.drain()
        return True


def _choice(index: int, text: str, change: dict[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": change.get("content", text)}
    if "refusal" in change:
        message["refusal"] = change["refusal"]
    return {"index": index, "message": message, "finish_reason": change.get("finish_reason", "stop")}


async def _client_left(reader: asyncio.StreamReader, wait_s: float) -> bool:
    """Wait; True as soon as the client hangs up."""
    try:
        await asyncio.wait_for(reader.read(1), None if wait_s == float("inf") else wait_s)
    except TimeoutError:
        return False
    return True
