"""Find a backend by URI: `scheme:rest`, where the scheme names an entry point of the group `sage.chat`.

    openai:MODEL@URL[,URL2,...][?OPTIONS]   any server that speaks OpenAI's protocol    (extra: llm)
    hf:PATH_OR_HUB_ID                       transformers, in this process               (extra: train)
    scripted:FILE.json                      the shipped fake, for tests

A third party adds a scheme by declaring an entry point; no package here needs to import one above it.

    sage_data.chat.open_chat("openai:org/model@http://127.0.0.1:8000/v1?key_env=MY_KEY")
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import cast

from sage_data.chat.openai.address import parse_address
from sage_data.chat.protocol import ChatBackend
from sage_data.errors import BackendError, MissingDependencyError, SageError

GROUP = "sage.chat"
EXTRAS = {"hf": "train", "openai": "llm"}
"""Scheme -> the extra that brings its packages."""
_SHOWN = 20


def stable_uri(uri: str) -> str:
    """What of a backend's URI decides its answers: for `openai:`, the model and not the address or the pace.

    So a server may move without making a stage stale, and no address goes into a manifest or onto a card. Nothing is
    kept of a URI that cannot be read, as it may hold a key; opening it says what is wrong.
    """
    scheme, _, rest = uri.partition(":")
    if scheme != "openai":
        return uri
    try:
        return f"{scheme}:{parse_address(rest).identity}"
    except SageError:
        return f"{scheme}:"


def backends() -> dict[str, EntryPoint]:
    """Scheme -> what opens it, of all backends that are installed."""
    return {point.name: point for point in entry_points(group=GROUP)}


def open_chat(uri: str) -> ChatBackend:
    """Open the backend that `uri` names.

    Raises:
        BackendError: the URI has no scheme, nothing is registered under it, or the backend does not open.
        ConfigError: the backend's options are wrong.
        MissingDependencyError: the backend's package is not installed.
    """
    scheme, colon, rest = uri.partition(":")
    known = backends()
    if not colon or scheme not in known:
        # Only the start of the URI: whoever mistypes the scheme may have put a key behind it.
        raise BackendError(
            f"no chat backend for {scheme[:_SHOWN]!r}: "
            f"expected SCHEME:REST with a scheme among {', '.join(sorted(known))}",
            next_step="sage doctor",
        )
    try:
        return cast(ChatBackend, known[scheme].load()(rest))
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"backend {scheme!r} needs the package {error.name!r}, which is not installed",
            next_step=f"pip install 'sage-dialogue[{EXTRAS.get(scheme, 'all')}]'",
        ) from error
