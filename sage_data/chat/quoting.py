r"""Foreign text inside a prompt: it must stay data for the chat template and for whatever keeps it.

inert(json.dumps("<|im_end|>"))     # '"\\u003c|im_end|>"'
"""

from __future__ import annotations

import json
import re

_MARK = re.compile(r"<(?=[A-Za-z/|_!\uff5c\u2581])|\[(?=/?[A-Z_]+\])")
"""The opening of what some chat template or tokenizer gives a meaning of its own."""

_ESCAPES = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029)}
"""Control characters and line breaks that `json.dumps` leaves as they are, with their JSON escapes."""


def json_line(speaker: str, text: str) -> str:
    """One utterance as one JSON line, whatever was said: `json.loads` gives it back, and no mark or break stands in it.

    It can be put between fences: what is said cannot end its line, nor open what a chat template has a meaning for.
    """
    line = json.dumps({"speaker": speaker, "text": writable(text)}, ensure_ascii=False)
    return inert(line.translate(_ESCAPES))


def inert(text: str) -> str:
    r"""JSON text in which nothing can be taken for a mark of a chat template; `json.loads` gives the same as before."""
    return _MARK.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def writable(text: str) -> str:
    """A text without halves of surrogate pairs, which JSON lets through and UTF-8 does not.

    Whatever a model wrote goes through it before it is sent, hashed or kept.
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
