"""Find a backend by URI: `scheme:rest`, where the scheme names an entry point of the group `sage.chat`.

    hf:PATH_OR_HUB_ID          transformers, in this process      (extra: train)
    scripted:FILE.json         the shipped fake, for tests

A third party adds a scheme by declaring an entry point; no package here needs to import one above it.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import cast

from sage_data.chat.protocol import ChatBackend
from sage_data.errors import BackendError, MissingDependencyError

GROUP = "sage.chat"


def open_chat(uri: str) -> ChatBackend:
    """Open the backend that `uri` names.

    Raises:
        BackendError: the URI has no scheme, or nothing is registered under it.
        MissingDependencyError: the backend's package is not installed.
    """
    scheme, colon, rest = uri.partition(":")
    known = {point.name: point for point in entry_points(group=GROUP)}
    if not colon or scheme not in known:
        raise BackendError(
            f"no chat backend for {uri!r}: expected SCHEME:REST with a scheme among {', '.join(sorted(known))}",
            next_step="sage doctor",
        )
    try:
        opener = known[scheme].load()
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"backend {scheme!r} needs the package {error.name!r}, which is not installed",
            next_step="pip install 'sage-dialogue[train]'",
        ) from error
    return cast(ChatBackend, opener(rest))
