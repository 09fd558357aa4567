"""Keep keys out of everything that is written or shown.

Redactor(key)("Incorrect API key provided: sk-...")
"""

from __future__ import annotations

import json
import re

REDACTED = "[redacted]"
LONGEST = 300
"""Characters of a server's message that are kept."""
_SHORTEST_KEY = 8
"""Shorter keys, and words such as "EMPTY", stand for none: taking them out of what a model says would spoil it."""

_KEY_LIKE = re.compile(
    r"\b(?:sk|rk|pk|gsk|xai|pplx|nvapi|key)[-_][A-Za-z0-9_-]{12,}"
    r"|\bhf_[A-Za-z0-9]{16,}"
    r"|\bgh[a-z]_[A-Za-z0-9]{20,}"
    r"|\bAIza[A-Za-z0-9_-]{20,}"
    r"|\bAKIA[A-Z0-9]{12,}"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_.-]+"
    r"|\b(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{32,}\b"
    r"|(?i:bearer)\s+[^\s\"']{8,}"
)


def looks_like_key(text: str) -> bool:
    """True when some part of the text has the shape of an API key."""
    return _KEY_LIKE.search(text) is not None


class Redactor:
    """Makes one short line of a server's message, without the key and without whatever else looks like one."""

    __slots__ = ("_forms", "_secret")

    def __init__(self, key: str | None) -> None:
        # A key with a backslash or a quote is spelt otherwise inside JSON and Python values.
        self._forms = sorted({key, json.dumps(key)[1:-1], repr(key)[1:-1]}) if key else []
        self._secret = key is not None and len(key) >= _SHORTEST_KEY and not key.isalpha()

    def __repr__(self) -> str:
        return "Redactor()"

    def __call__(self, text: str) -> str:
        """The text on one line, cut to `LONGEST` characters."""
        return _line(_KEY_LIKE.sub(REDACTED, self._without_key(text)))

    def name(self, text: str) -> str:
        """A name that a server gives, such as its model's, on one line; hashes in it are kept."""
        return _line(self._without_key(text))

    def reply(self, text: str) -> str:
        """What a model says, word for word but for the key."""
        return self._without_key(text) if self._secret else text

    def _without_key(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, REDACTED)
        return text


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} ..."
