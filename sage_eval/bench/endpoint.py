"""lm-eval's clients for servers that speak OpenAI's protocol, held to one rule: what is no answer is never scored.

As they come, an answer 200 whose body is an error, a reply without text and a refused one count as wrong, and a server
that ignores `echo` gives every choice the log-likelihood 0. Here each of these ends the run with a sentence, after the
retries where there are any. Saying nothing at all and ending there is an answer, as it is of a checkpoint; having come
to the limit without a word is none.

    client = open_endpoint(parse_address("org/model@http://127.0.0.1:8000/v1"), Api.COMPLETIONS, settings)
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from math import isfinite
from numbers import Real
from typing import Any

from sage_data.chat.openai.address import Address, Options, read_key
from sage_data.chat.openai.redaction import Redactor
from sage_data.errors import BackendError, ConfigError, SageError

HONOURED = frozenset({"key_env", "concurrency", "timeout", "attempts", "omit", "max_tokens_name"})
"""Options of an address that lm-eval's clients can keep."""
PROBE = "The sky is blue and the grass is green."


class Api(StrEnum):
    """Which route of the server is asked."""

    COMPLETIONS = "completions"
    """Takes prompts as tokens; scores given text where the server returns the prompt's log-probabilities."""
    CHAT = "chat"
    """Takes messages; can only write."""

    @property
    def route(self) -> str:
        """What follows the base URL."""
        return "/chat/completions" if self is Api.CHAT else "/completions"


class Checked:
    """Stands before one of lm-eval's clients and looks at what the server says before it is scored."""

    sage_address: Address
    sage_redact: Redactor

    def parse_generations(self, outputs: Any, **given: Any) -> list[str]:
        """Texts of all choices, once each is known to be an answer."""
        for body in _listed(outputs):
            for choice in self._choices(body):
                self._check_text(choice)
        found: list[str] = super().parse_generations(outputs=outputs, **given)  # type: ignore[misc]
        self._check_count(found, given.get("contexts"))
        return found

    def parse_logprobs(self, outputs: Any, tokens: Any = None, ctxlens: Any = None, **given: Any) -> Any:
        """(log-likelihood, greedy?) of all choices, once each is known to be about the prompt that was sent."""
        for body in _listed(outputs):
            choices = sorted(self._choices(body), key=lambda choice: choice["index"])
            self._check_count(choices, tokens)
            for choice, prompt in zip(choices, tokens, strict=True):
                self._check_logprobs(choice, prompt)
        return super().parse_logprobs(outputs=outputs, tokens=tokens, ctxlens=ctxlens, **given)  # type: ignore[misc]

    def model_call(self, messages: Any, **given: Any) -> Any:
        """Ask once."""
        try:
            return super().model_call(messages, **given)  # type: ignore[misc]
        except Exception as error:
            raise self._failed(error) from error

    async def amodel_call(self, *listed: Any, messages: Any, **given: Any) -> Any:
        """Ask once, among others."""
        # When one fails the others are given up, and that they end then is no news.
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        try:
            found = await super().amodel_call(*listed, messages=messages, **given)  # type: ignore[misc]
        except Exception as error:
            raise self._failed(error) from error
        self._check_count(found, messages)
        return found

    def _create_payload(self, *listed: Any, **given: Any) -> dict[str, Any]:
        payload: dict[str, Any] = super()._create_payload(*listed, **given)  # type: ignore[misc]
        options = self.sage_address.options
        if "max_tokens" in payload:
            payload[options.max_tokens_name] = payload.pop("max_tokens")
        for name in (options.omit or "").split(","):
            payload.pop(name, None)
        return payload

    def _failed(self, error: Exception) -> SageError:
        if isinstance(error, SageError):
            return error
        kind = type(error).__name__
        return BackendError(
            f"{self.sage_address.identity}: the server gave no answer that can be scored: "
            f"{kind}: {self.sage_redact(str(error))}",
            next_step="check the server, the address and the key, then run the same command again",
        )

    def _wrong(self, expected: str, found: object) -> BackendError:
        return BackendError(
            f"{self.sage_address.identity}: expected {expected}, found {self.sage_redact(repr(found))}",
            next_step="it is not counted as a wrong answer; mend the server, then run the same command again",
        )

    def _choices(self, body: Any) -> list[dict[str, Any]]:
        choices = body.get("choices") if isinstance(body, Mapping) else None
        if not isinstance(choices, list) or not choices:
            raise self._wrong("an answer with `choices`", body)
        numbers = [choice.get("index") if isinstance(choice, dict) else None for choice in choices]
        if sorted(number for number in numbers if isinstance(number, int)) != list(range(len(choices))):
            raise self._wrong("choices numbered from 0", numbers)
        return choices

    def _check_text(self, choice: Mapping[str, Any]) -> None:
        message = choice.get("message", choice)
        text = message.get("content") if "message" in choice else message.get("text")
        ended = choice.get("finish_reason")
        if not isinstance(text, str) or ended == "content_filter" or (not text and ended == "length"):
            raise self._wrong("a reply with text", choice)

    def _check_logprobs(self, choice: Mapping[str, Any], prompt: Sequence[int]) -> None:
        logprobs = choice.get("logprobs")
        given = logprobs if isinstance(logprobs, Mapping) else {}
        values, tops = given.get("token_logprobs") or [], given.get("top_logprobs") or []
        # One more than was sent: lm-eval asks for one new token and leaves it out again.
        if not len(values) == len(tops) == len(prompt) + 1:
            found = f"{len(values)} and {len(tops)} alternatives"
            raise self._wrong(f"log-probabilities of the prompt's {len(prompt)} tokens and one more (echo)", found)
        if not all(isinstance(value, Real) and isfinite(value) for value in values[1:-1]) or not all(tops[1:-1]):
            raise self._wrong("a finite log-probability for each token of the prompt but the first", values)

    def _check_count(self, found: Sequence[Any], asked: Sequence[Any] | None) -> None:
        if asked is not None and len(found) != len(asked):
            raise self._wrong(f"{len(asked)} choices, one for each prompt", f"{len(found)}")


def _listed(outputs: Any) -> list[Any]:
    return outputs if isinstance(outputs, list) else [outputs]


def check_address(address: Address) -> None:
    """Refuse what lm-eval's clients cannot keep.

    Raises:
        ConfigError: several URLs, or an option that would have no effect.
    """
    if len(address.urls) > 1:
        raise ConfigError("bench asks one server; the openai: address names several", next_step="name one URL")
    given = address.options.model_dump(exclude_defaults=True)
    if ignored := sorted(given.keys() - HONOURED):
        known = ", ".join(name for name in Options.model_fields if name in HONOURED)
        raise ConfigError(
            f"bench cannot keep the option {ignored[0]!r} of an openai: address", next_step=f"it keeps {known}"
        )


def open_endpoint(address: Address, api: Api, settings: Mapping[str, Any]) -> Any:
    """lm-eval's client for a server, with the checks before it.

    Args:
        address: where, which model, and the name of the variable with the key.
        api: which route.
        settings: what lm-eval's client takes besides (tokenizer, batch_size, ...).

    Raises:
        BackendError: the variable that should hold the key is not set.
    """
    clients = importlib.import_module("lm_eval.models.openai_completions")
    base = clients.LocalChatCompletion if api is Api.CHAT else clients.LocalCompletionsAPI
    url, key = address.urls[0], read_key(address)
    # An empty header would make lm-eval send OPENAI_API_KEY to any address.
    header = {"Authorization": f"Bearer {key}"} if key and address.sends_key(url) else {"Accept": "application/json"}
    kind = type(f"Checked{base.__name__}", (Checked, base), {"sage_address": address, "sage_redact": Redactor(key)})
    return kind(
        model=address.model,
        base_url=url + api.route,
        num_concurrent=address.options.concurrency,
        max_retries=address.options.attempts,
        timeout=max(1, round(address.options.timeout)),
        header=header,
        **settings,
    )


def check_likelihoods(client: Any) -> None:
    """Ask for the log-probabilities of one sentence, so that a server that has none is noticed before anything runs.

    Raises:
        BackendError: it gives none, or cannot be asked.
    """
    tokens = [client.tok_encode(PROBE)]
    try:
        found = client.model_call(tokens, generate=False)
        client.parse_logprobs(outputs=[found], tokens=tokens, ctxlens=[1])
    except BackendError as error:
        raise BackendError(
            f"nothing was run: these tasks score given text, and {error.message}",
            next_step="use a server whose /completions returns prompt log-probabilities (vLLM does), "
            "or tasks that only write (gsm8k) with `api: chat`",
        ) from error
