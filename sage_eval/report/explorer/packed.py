"""How numbers and text reach the browser: small scripts that a page opened from disk may load, where it may not fetch.

A list of whole numbers becomes one string: each number in groups of five bits, lowest first, one character a group,
bit six saying that more follow. Sorted numbers are stored as gaps and columns as signed steps, so most of them take
one character. `assets/explorer-data.js` reads both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_GROUP, _MORE = 31, 32
_ESCAPES = {"<": "\\u003c", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""What would end a script element, or a line of old JavaScript; JSON escapes control characters by itself."""
Numbers = npt.NDArray[np.int64]


def packed(values: Iterable[int]) -> str:
    """Whole numbers from 0, as they are.

    Raises:
        ValueError: one of them is negative.
    """
    coded = bytearray()
    for value in values:
        append_number(coded, value)
    return coded.decode("ascii")


def rising(values: Sequence[int] | Numbers) -> str:
    """Whole numbers from 0 that never fall, as the gaps between them."""
    return packed(np.diff(np.asarray(values, dtype=np.int64), prepend=0).tolist())


def column(values: Sequence[int] | Numbers) -> str:
    """Any whole numbers, as steps from each to the next: 0, -1, 1, -2, ... are written 0, 1, 2, 3, ..."""
    steps = np.diff(np.asarray(values, dtype=np.int64), prepend=0)
    return packed(np.where(steps < 0, -2 * steps - 1, 2 * steps).tolist())


def append_number(coded: bytearray, value: int) -> None:
    """Add the characters of one number from 0."""
    if value < 0:
        raise ValueError(f"expected a number from 0, found {value}")
    while value > _GROUP:
        coded.append(DIGITS[_MORE | value & _GROUP])
        value >>= 5
    coded.append(DIGITS[value])


def as_json(value: Any) -> str:
    """JSON that may stand inside a script: no `</script>`, no `<!--`, no raw line separator, no half character.

    Half a surrogate pair cannot be written as UTF-8, so it becomes U+FFFD, the sign for what cannot be shown.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    for char, escape in _ESCAPES.items():
        text = text.replace(char, escape)
    return text


def script(name: str, json_text: str) -> str:
    """A script that hands JSON to whoever waits for `name`."""
    return f"SAGE.load({as_json(name)},{json_text});\n"
