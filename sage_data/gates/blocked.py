"""Block lists: phrases that no utterance of a kept dialogue may hold.

phrases = read_phrases(Path("words.txt"))     # one phrase a line; blank lines and lines that start with # are skipped
phrases.found_in("What a Darn  Shame!")
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from sage_data.errors import InputError

_WORD = re.compile(r"[^\W_]+")  # The underscore is Markdown, no letter: "_so_" is the word "so".
_WORD_AT_END = re.compile(r"[^\W_]\Z")


class BlockedPhrases:
    """A block list, looked up by each phrase's first word, so that its length hardly matters."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._by_word: dict[str, list[tuple[str, int]]] = {}
        self._wordless: list[str] = []
        for phrase in sorted({folded(phrase) for phrase in phrases} - {""}):
            first = _WORD.search(phrase)
            if first is None:
                self._wordless.append(phrase)
            else:
                self._by_word.setdefault(first.group(), []).append((phrase, first.start()))

    def found_in(self, text: str) -> bool:
        """True when a phrase stands in the text as whole words, whatever their case and the white space between."""
        flat = folded(text)
        if any(phrase in flat for phrase in self._wordless):
            return True
        return any(
            _stands_at(flat, word.start() - before, phrase)
            for word in _WORD.finditer(flat)
            for phrase, before in self._by_word.get(word.group(), ())
        )


def folded(text: str) -> str:
    """The text case folded, with single spaces as its only white space."""
    return " ".join(text.casefold().split())


def read_phrases(path: Path) -> BlockedPhrases:
    """Read a block list.

    Raises:
        InputError: the file is not UTF-8, or holds no phrase.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected UTF-8 text, one phrase a line; found other bytes: {error}") from error
    phrases = [line for line in lines if line.strip() and not line.startswith("#")]
    if not phrases:
        raise InputError(f"{path}: expected one phrase a line, found none", next_step="leave the block list away")
    return BlockedPhrases(phrases)


def _stands_at(text: str, start: int, phrase: str) -> bool:
    """Whether the phrase is at `start`. It begins there with a whole word; its last word must be whole too."""
    if start < 0 or not text.startswith(phrase, start):
        return False
    after = start + len(phrase)
    return not (_WORD_AT_END.search(phrase) and _WORD.match(text, after))
