"""Whether a rewritten utterance turned what was said around: love into hate, won into lost, yes into maybe, I into you.

`words.toml` lists pairs of sides. What was said is turned around when the rewritten text has a word of one side, the
original had none of that side, and a word of the other side is gone. Where one text denies and the other does not, the
rule for negations decides (`facts`), as "not happy" may become "unhappy". English, and only the words listed.

    turned_around(in_full("I love it"), in_full("I hate it"))    # ("love", "hate")
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence

from sage_data.annotation.llm.closeness import WORDS_FILE

_PAIRS: Sequence[Mapping[str, Sequence[str]]] = tomllib.loads(WORDS_FILE.read_text(encoding="utf-8"))["opposites"]
_SIDES = [
    (frozenset(pair[had]), frozenset(pair[has])) for pair in _PAIRS for had, has in (("one", "other"), ("other", "one"))
]


def turned_around(original: Collection[str], rewritten: Collection[str]) -> tuple[str, str] | None:
    """The word that is gone and its opposite that came, both the first by alphabet; None where there is none."""
    there, here = set(original), set(rewritten)
    for side, opposite in _SIDES:
        gone, came = (there - here) & side, here & opposite
        if gone and came and not there & opposite:
            return min(gone), min(came)
    return None
