"""A real HTTP server on this machine that speaks `/v1/completions` with a checkpoint behind it, as vLLM would. Offline.

    with CompletionsServer(checkpoint) as server: ...; server.url, server.calls
    server.change = lambda answer: {"error": {"message": "overloaded"}}   # what it says instead, with status 200

Prompts are lists of token ids; `echo` with `logprobs` returns the log-probability of each token of the prompt.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


class CompletionsServer:
    """See the module's docstring. A context manager."""

    def __init__(self, checkpoint: Path, *, key: str | None = None) -> None:
        self.model = AutoModelForCausalLM.from_pretrained(checkpoint).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(checkpoint)
        self.key = key
        self.calls: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.change: Callable[[dict[str, Any]], Any] = lambda answer: answer
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> CompletionsServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                shown = (self.headers["Authorization"] or "").removeprefix("Bearer ") or None
                status, answer = outer.answer(self.path, body, shown)
                raw = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def answer(self, path: str, body: dict[str, Any], shown: str | None) -> tuple[int, Any]:
        with self._lock:
            self.calls.append(body)
            self.keys.append(shown)
            if self.key is not None and shown != self.key:
                return 401, {"error": {"message": f"Incorrect API key provided: {shown}"}}
            if path != "/v1/completions":
                return 404, {"error": {"message": f"no route {path}"}}
            prompts = body["prompt"] if isinstance(body["prompt"][0], list) else [body["prompt"]]
            choices = [self._choice(index, prompt, body) for index, prompt in enumerate(prompts)]
            return 200, self.change({"object": "text_completion", "model": body["model"], "choices": choices})

    @torch.no_grad()
    def _choice(self, index: int, prompt: list[int], body: dict[str, Any]) -> dict[str, Any]:
        new: list[int] = []
        ended = "length"
        for _ in range(body["max_tokens"]):
            logits = self.model(torch.tensor([prompt + new])).logits[0]
            new.append(int(logits[-1].argmax()))
            text = self.tokenizer.decode(new)
            stops = [stop for stop in body.get("stop") or () if stop in text]
            if stops or new[-1] == self.tokenizer.eos_token_id:
                ended = "stop"
                new = new[:-1] if not stops else new
                break
        text = self.tokenizer.decode(new)
        for stop in body.get("stop") or ():
            text = text.split(stop)[0]
        choice: dict[str, Any] = {"index": index, "text": text, "finish_reason": ended, "logprobs": None}
        if body.get("echo"):
            choice["logprobs"] = self._logprobs([*prompt, *new], len(prompt) + body["max_tokens"])
        return choice

    def _logprobs(self, tokens: list[int], length: int) -> dict[str, Any]:
        # An end token is left out of the text but counted here, as vLLM does.
        tokens = [*tokens, *[self.tokenizer.eos_token_id] * (length - len(tokens))]
        logprobs = self.model(torch.tensor([tokens])).logits[0].float().log_softmax(-1)
        values, tops = [None], [None]
        for at, token in enumerate(tokens[1:]):
            best = int(logprobs[at].argmax())
            values.append(float(logprobs[at, token]))
            tops.append({str(best): float(logprobs[at, best]), str(token): float(logprobs[at, token])})
        return {"token_logprobs": values, "top_logprobs": tops}
