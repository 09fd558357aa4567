r"""What "words" and "ends with a question mark" mean in this project.

Defined here and nowhere else: even "a run without white space" differs between Python, polars and DuckDB.

    words("well , fine?")               # 3
    ends_with_question("Really?? :)")   # True
"""

from __future__ import annotations

import re
import unicodedata

QUESTION_MARKS = frozenset("?\uff1f\ufe56\u061f\u037e\u1367\u2047\u2048\u2049\u203d\u2753\u2754")
"""ASCII, full-width, small, Arabic, Greek, Ethiopic, doubled, with an exclamation mark, interrobang, emoji."""

_EXCLAMATION_MARKS = frozenset("!\uff01\ufe57\u203c\u2757\u2755")
_ASCII_CLOSERS = frozenset("\"'*_~`")
_CLOSING_CATEGORIES = frozenset({"Pe", "Pf", "Pi", "So", "Sk", "Mn", "Me", "Cf"})
_SPOILER_END = "!<"
_EMOTICON = re.compile(
    r"(?:^|(?<=[\s?!\uff1f\uff01]))"
    r"(?:[:;=][-^'o]?[()\[\]DPpOo3/|*]+|\([-^']?[:;=]|[xX]D+|<3+|\^_*\^|-_+-|[oO]_+[oO]|[T;]_+[T;])\Z"
)
_EMOTICON_CHARACTERS = 8


def words(text: str) -> int:
    """Number of words: runs of characters between Unicode white space, as `str.split` cuts them."""
    return len(text.split())


def ends_with_question(text: str) -> bool:
    """True when the last thing said is a question mark.

    Set aside at the end, in any order: white space; closing quotes, brackets and Markdown marks (`"' ) ] * _ ~`, and
    the `!<` that ends a spoiler); emoji with their modifiers; emoticons such as `:)`. What then ends the text is a run
    of question and exclamation marks, and one of them must ask: "what?!" and "what!?" do, "what?..." and "what!" don't.
    """
    if "?" not in text and text.isascii():
        return False  # Most texts; both tests cost next to nothing.
    end = _end_of_speech(text)
    while end and (text[end - 1] in QUESTION_MARKS or text[end - 1] in _EXCLAMATION_MARKS):
        if text[end - 1] in QUESTION_MARKS:
            return True
        end -= 1
    return False


def _end_of_speech(text: str) -> int:
    """Length of the text without what is set aside at its end; linear however long that is."""
    end = len(text)
    while end:
        # Before closing marks: the bracket of ":)" closes nothing.
        emoticon = _EMOTICON.search(text, max(0, end - _EMOTICON_CHARACTERS), end)
        if emoticon:
            end = emoticon.start()
        elif _closes(text[end - 1]):
            end -= 1
        elif text.endswith(_SPOILER_END, 0, end):
            end -= len(_SPOILER_END)
        else:
            break
    return end


def _closes(character: str) -> bool:
    if character.isspace() or character in _ASCII_CLOSERS:
        return True
    if character in QUESTION_MARKS or character in _EXCLAMATION_MARKS:
        return False
    return unicodedata.category(character) in _CLOSING_CATEGORIES
