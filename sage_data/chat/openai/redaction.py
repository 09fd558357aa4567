"""Keep keys out of everything that is written or shown.

Redactor(key)("Incorrect API key provided: sk-...")
"""

from __future__ import annotations

import re

REDACTED = "[redacted]"
LONGEST = 300
"""Characters of a server's message that are kept."""

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

    __slots__ = ("_key",)

    def __init__(self, key: str | None) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "Redactor()"

    def __call__(self, text: str) -> str:
        """The text on one line, cut to `LONGEST` characters."""
        if self._key:
            text = text.replace(self._key, REDACTED)
        line = " ".join(_KEY_LIKE.sub(REDACTED, text).split())
        return line if len(line) <= LONGEST else f"{line[:LONGEST]} ..."
