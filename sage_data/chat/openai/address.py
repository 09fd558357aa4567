"""Read `MODEL@URL[,URL2,...][?OPTION=VALUE&...]`: which model, where, and how to treat its servers.

The options, with their defaults and units, are the fields of `Options`. A key is never among them: `key_env` names the
environment variable that holds it. Whatever looks like a key, and a URL with a password, is refused unrepeated.
Without `key_env`, OPENAI_API_KEY is sent to https:// addresses and to this machine (localhost, 127.0.0.1, ::1), and to
no other: whoever listens on the way to an http:// address could read it.

    parse_address("org/model@http://127.0.0.1:8000/v1?concurrency=32&timeout=60")
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sage_data.chat.openai.redaction import looks_like_key
from sage_data.errors import BackendError, ConfigError

DEFAULT_KEY = "OPENAI_API_KEY"
EXAMPLE = "openai:MODEL@http://127.0.0.1:8000/v1?key_env=NAME_OF_A_VARIABLE"
SAMPLING_OPTIONS = ("guided", "omit", "reasoning_effort", "thinking", "top_p")
"""Options that change what the model says, and therefore belong to its identity."""
_SECOND = re.compile(r",\s*(?!https?://)[A-Za-z][A-Za-z0-9_-]*:(?!//)[^\d/,]")
"""A comma and the scheme of a backend or judge."""
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_SECRET_NAME = re.compile(r"key$|token$|secret|passw|auth|credential", re.IGNORECASE)

_OMITTABLE = "seed|temperature|stop|top_k|repetition_penalty"


class Options(BaseModel):
    """What may stand behind the question mark."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key_env: str | None = Field(
        None, pattern=r"^[A-Z_][A-Z0-9_]*$", description="Variable that holds the key, which is then sent to every URL."
    )
    concurrency: int = Field(16, ge=1, le=1024, description="Most calls open at once, all URLs together.")
    requests_per_minute: float | None = Field(None, gt=0, description="All URLs together.")
    tokens_per_minute: float | None = Field(
        None, gt=0, description="All URLs together; a call counts its estimated prompt and all it may generate."
    )
    timeout: float = Field(120.0, gt=0, description="Seconds from sending a request to its whole reply.")
    connect_timeout: float = Field(10.0, gt=0, description="Seconds to reach the server.")
    attempts: int = Field(8, ge=1, le=100, description="How often one request is sent before it counts as failed.")
    retry_wait: float = Field(0.5, ge=0, description="Seconds before the second attempt; doubles, with jitter.")
    retry_wait_max: float = Field(30.0, ge=0, description="Most seconds between two attempts without Retry-After.")
    retry_after_cap: float = Field(120.0, ge=0, description="Most seconds of a server's Retry-After to wait.")
    breaker_failures: int = Field(5, ge=1, description="Failures in a row after which a URL is left alone.")
    breaker_wait: float = Field(10.0, gt=0, description="Seconds until one call tries such a URL again.")
    outage: float = Field(
        300.0, gt=0, description="Seconds with no URL well, waits that servers asked for aside, that end the work."
    )
    outage_at_start: float = Field(30.0, gt=0, description="The same before any call has been answered.")
    max_tokens_name: Literal["max_tokens", "max_completion_tokens"] = Field(
        "max_tokens", description="What the server calls the bound on generated tokens."
    )
    guided: Literal["json_schema", "json_object", "none"] = Field(
        "json_schema", description="How replies are held to a JSON schema; a server that cannot is asked for less."
    )
    omit: str | None = Field(
        None,
        pattern=rf"^({_OMITTABLE})(,({_OMITTABLE}))*$",
        description="Fields that are not sent because the server refuses them, such as seed,temperature.",
    )
    reasoning_effort: str | None = Field(None, description="Passed on as it is.")
    thinking: bool | None = Field(None, description="Passed to the chat template as enable_thinking.")
    top_p: float | None = Field(None, gt=0, le=1, description="Passed on as it is.")


@dataclass(frozen=True, slots=True)
class Address:
    """A model, the servers that offer it, and how to treat them. Holds no key."""

    model: str
    urls: tuple[str, ...]
    options: Options

    @property
    def identity(self) -> str:
        """The model's name and what of the options changes its words; a server may move without changing it."""
        given = self.options.model_dump(include=set(SAMPLING_OPTIONS), exclude_defaults=True)
        shown = "&".join(f"{name}={given[name]}" for name in sorted(given))
        name = public_name(self.model)
        return f"{name}?{shown}" if shown else name

    @property
    def key_variable(self) -> str:
        """The environment variable that the key is looked for in."""
        return self.options.key_env or DEFAULT_KEY

    def sends_key(self, url: str) -> bool:
        """True when a server at this URL may get the key: it was named for it, or nobody on the way can read it."""
        parts = urlsplit(url)
        return self.options.key_env is not None or parts.scheme == "https" or parts.hostname in _HERE


def public_name(model: str) -> str:
    """A model's name as it may be written down: of a path on the server's disk, the last part and a hash of it all."""
    if not model.startswith(("/", "\\", "~", ".")) and not re.match(r"[A-Za-z]:[\\/]", model):
        return model
    last = re.split(r"[\\/]", model.rstrip("\\/"))[-1]
    return f"{last}~{hashlib.sha256(model.encode()).hexdigest()[:12]}"


def parse_address(rest: str) -> Address:
    """Read what follows `openai:`.

    Raises:
        ConfigError: a part is missing, unknown, out of bounds or holds a secret.
    """
    place, _, query = rest.partition("?")
    model, at, listed = place.partition("@")
    _refuse_secrets(rest, model)
    urls = tuple(url.strip().rstrip("/") for url in listed.split(",") if url.strip())
    if not (at and model.strip() and urls):
        raise ConfigError(f"expected {EXAMPLE}: the model's name or its URL is missing")
    for url in urls:
        _check_url(url)
    return Address(model.strip(), tuple(dict.fromkeys(urls)), _options(query))


def read_key(address: Address) -> str | None:
    """The key, from the environment; None when no variable is named and `OPENAI_API_KEY` is not set.

    Raises:
        BackendError: the named variable is not set, or holds what no key can be.
    """
    key = os.environ.get(address.key_variable, "").strip()
    if not key and address.options.key_env is not None:
        raise BackendError(
            f"the environment variable {address.key_variable}, named by key_env, is not set",
            next_step=f"export {address.key_variable}=...",
        )
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise BackendError(f"the environment variable {address.key_variable} holds characters that no key has")
    return key or None


def _refuse_secrets(rest: str, model: str) -> None:
    if looks_like_key(rest):
        raise ConfigError(
            "an openai: address holds something that looks like a key (not repeated here)",
            next_step="put the key into an environment variable and name that: ?key_env=NAME",
        )
    if _SECOND.search(rest):
        raise ConfigError(
            "an openai: address holds a second address behind a comma (not repeated here)",
            next_step="repeat the option, once for each model; behind a comma stands another URL of the same model "
            "alone, as in openai:MODEL@URL,URL2",
        )
    if "@" in rest.partition("?")[0].partition("@")[2] or "://" in model:
        raise ConfigError(
            "an openai: address may not hold a user name or password (not repeated here)",
            next_step=f"expected {EXAMPLE}",
        )


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    try:
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        sound = False
    if not sound or parts.fragment:
        raise ConfigError(f"{url!r}: expected a URL such as http://127.0.0.1:8000/v1", next_step=f"expected {EXAMPLE}")


def _options(query: str) -> Options:
    pairs = parse_qsl(query, keep_blank_values=True)
    for name, _ in pairs:
        _check_name(name)
    given: dict[str, Any] = dict(pairs)
    if len(given) != len(pairs):
        raise ConfigError("an option of the openai: address is given twice")
    try:
        return Options.model_validate(given)
    except ValidationError as error:
        # The value is left out: it may be a key in the wrong place.
        said = "; ".join(f"{one['loc'][0]}: {one['msg']}" for one in error.errors(include_input=False))
        raise ConfigError(f"openai: address: {said}", next_step=f"expected {EXAMPLE}") from None


def _check_name(name: str) -> None:
    if name in Options.model_fields:
        return
    if _SECRET_NAME.search(name):
        raise ConfigError(
            "an openai: address may not hold a key (not repeated here)",
            next_step="put the key into an environment variable and name that: ?key_env=NAME",
        )
    close = difflib.get_close_matches(name, Options.model_fields, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise ConfigError(
        f"openai: address: unknown option {name[:40]!r}{hint}", next_step=f"known: {', '.join(Options.model_fields)}"
    )
