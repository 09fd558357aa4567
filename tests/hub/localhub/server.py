"""The server: threads of the standard library, one lock, every request kept for the test to look at."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from localhub.faults import Fault
from localhub.hub import Hub
from localhub.store import RefusedError, Repo
from localhub.web import Answer, Request, refusal

TOKEN = "hf_localhubTokenForTestsOnlyNotAKey"


@dataclass(frozen=True)
class Seen:
    """One request as it came in."""

    method: str
    path: str
    fault: Fault | None


class LocalHub:
    """A running Hub; a context manager that stops it."""

    def __init__(self, folder: Path, faults: Sequence[Fault] = (), token: str = TOKEN, page: int = 1000) -> None:
        self.faults = list(faults)
        self.hub = Hub(folder.resolve() / "cas", token, page)
        self.hub.cas.mkdir(parents=True, exist_ok=True)
        self.seen: list[Seen] = []
        self.stalled, self.closing = threading.Event(), threading.Event()
        """`stalled` is set when a request meets a fault that stalls."""
        self.lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> LocalHub:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def token(self) -> str:
        return self.hub.token

    def repo(self, name: str) -> Repo:
        return self.hub.repos[name]

    def asked(self, method: str, part: str) -> list[Seen]:
        """The requests of one kind."""
        return [one for one in self.seen if one.method == method and part in one.path]

    def handle(self, request: Request) -> tuple[Answer, Fault | None]:
        """What to answer, and the fault that this request meets."""
        with self.lock:
            fault = next((one for one in self.faults if one.strikes(request.method, request.path)), None)
            self.seen.append(Seen(request.method, request.path, fault))
            if fault is not None and fault.status is not None:
                return refusal(RefusedError(fault.status, fault.says)), fault
            if fault is not None and (fault.dropped or (fault.stall and not fault.lost)):
                return Answer(), fault
            try:
                return self.hub.answer(request), fault
            except RefusedError as error:
                return refusal(error), fault


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    owner: LocalHub


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer leaves at once and whole: small packets that wait for each other cost 40 ms a request.
    disable_nagle_algorithm, wbufsize = True, -1
    server: _Server

    def _serve(self) -> None:
        owner, parts = self.server.owner, urlsplit(self.path)
        asked = "GET" if self.command == "HEAD" else self.command
        headers = {name.lower(): value for name, value in self.headers.items()}
        base = f"http://{headers['host']}"
        body = b"".join(self._body(headers))
        answer, fault = owner.handle(Request(asked, parts.path, parse_qs(parts.query), headers, body, base))
        if fault is not None and fault.stall:
            owner.stalled.set()
            owner.closing.wait()
        if fault is not None and (fault.stall or fault.dropped or fault.lost):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(answer, dict(fault.headers) if fault is not None else {})

    def _body(self, headers: dict[str, str]) -> Iterator[bytes]:
        if headers.get("transfer-encoding") != "chunked":
            yield self.rfile.read(int(headers.get("content-length", 0)))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _send(self, answer: Answer, more: dict[str, str]) -> None:
        self.send_response(answer.status)
        for name, value in {**answer.headers, **more, "Content-Length": str(len(answer.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def __getattr__(self, name: str) -> Any:
        # The library calls do_GET, do_PUT and so on; all of them are served alike.
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, *_: Any) -> None:
        """Say nothing: requests are kept in `LocalHub.seen`."""
