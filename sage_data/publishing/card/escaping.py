r"""Text as data in Markdown: whatever a title, tag or dialogue holds, it shows as itself and changes no structure.

markdown("a | b <script>")    # a \| b &lt;script&gt;
fenced("```", "text")         # a code block that its own content cannot end
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_MARKS = re.compile(r"([\\`*_\[\]~$|!#{}])")
_OPENERS = re.compile(r"^([-+=])")
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_ADDRESS = re.compile(r"://|(?<=www)\.", re.IGNORECASE)
_BACKTICKS = re.compile(r"`+")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}
_LINK = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(?::\d+)?(?:/[A-Za-z0-9._~/?#=&%+-]*)?")
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Signs that would turn the direction of the text around them."""


class Markdown(str):
    """Text that is Markdown already and must not be escaped again."""

    __slots__ = ()

    def __html__(self) -> str:
        """What a template's own escaping is to take it for: finished."""
        return self


def plain(text: str) -> str:
    """A text on one line, with U+FFFD for what neither YAML nor HTML can hold."""
    return "".join("\ufffd" if _unfit(sign) else sign for sign in " ".join(text.split()))


def plain_lines(text: str) -> list[str]:
    """The lines of a text, each made plain but for its inner spaces."""
    return ["".join("\ufffd" if _unfit(sign) else sign for sign in line.expandtabs(4)) for line in text.splitlines()]


def _unfit(sign: str) -> bool:
    # Lone surrogates, control characters, and non-characters.
    return unicodedata.category(sign) in ("Cc", "Cs") or sign in _BIDI or ord(sign) & 0xFFFE == 0xFFFE


def markdown(text: str) -> Markdown:
    """A text for a line of Markdown or a cell of a table, shown as it is: no markup, no HTML, no link of its own."""
    escaped = _MARKS.sub(r"\\\1", plain(text))
    escaped = "".join(_ENTITIES.get(sign, sign) for sign in escaped)
    escaped = _ADDRESS.sub(lambda found: "&#58;//" if found[0] == "://" else "&#46;", escaped)
    return Markdown(_NUMBERED.sub(r"\1\\\2", _OPENERS.sub(r"\\\1", escaped)))


def link(text: str, url: str | None) -> Markdown:
    """A link, when the address is a plain one on the web; otherwise the text and the address, escaped."""
    if url is None:
        return markdown(text)
    if _LINK.fullmatch(url):
        return Markdown(f"[{markdown(text)}]({url})")
    return Markdown(f"{markdown(text)} ({markdown(url)})")


def code(text: str) -> Markdown:
    """A text as a code span, which its own backticks cannot end. Not for tables, where `|` would cut it."""
    shown = plain(text) or " "
    longest = max((len(run) for run in _BACKTICKS.findall(shown)), default=0)
    marks = "`" * (longest + 1)
    room = " " if shown.startswith("`") or shown.endswith("`") else ""
    return Markdown(f"{marks}{room}{shown}{room}{marks}")


def fenced(text: str, language: str = "") -> Markdown:
    """A code block around a text, its fence longer than any run of backticks inside."""
    lines = plain_lines(text)
    longest = max((len(run) for line in lines for run in _BACKTICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return Markdown("\n".join([f"{fence}{language}", *lines, fence]))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Markdown:
    """A Markdown table; every cell is escaped. A column is set right where its head ends in a space."""
    rule = " | ".join("---:" if one.endswith(" ") else "---" for one in head)
    lines = [" | ".join(map(markdown, one)) for one in rows]
    return Markdown("\n".join(f"| {one} |" for one in [" | ".join(map(markdown, head)), rule, *lines]))
