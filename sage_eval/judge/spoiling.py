"""Makes a dialogue worse, or dishonest, in a known way: what the judge self-test shows beside the original.

Only the assistant's replies are spoilt; who speaks when stays as it is. What changes nothing (the words of a one-word
reply in another order) gives None, for there is nothing to tell apart then.

    degraded(Degradation.REPEATED, lines, others=(), rng=Random(0))
    injected(lines, attacks()[0].text, "user", rng=Random(0))
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

from sage_eval.judge.transcripts import Line, Transcript
from sage_eval.verdict import Choice

TEXTS = Path(__file__).with_name("probes.toml")


class Degradation(StrEnum):
    """How replies are spoilt."""

    SHUFFLED = "shuffled"
    """The words of each reply in a random order: a judge has to read sentences to see it."""
    FOREIGN = "foreign"
    """Replies of another scenario's dialogue: each is sound, and none is an answer. A judge has to understand it."""
    REPEATED = "repeated"
    """The first reply over and over."""
    EMPTIED = "emptied"
    """As many words in each reply, but all the same filler: no content, no question, no punctuation."""
    PADDED = "padded"
    """Each reply said three times over: longer, and nothing more in it."""


@dataclass(frozen=True, slots=True)
class Attack:
    """A text that tries to decide the comparison from inside a dialogue."""

    name: str
    text: str
    seat: Choice | None
    """The seat that it asks for; None: it asks for its own dialogue, wherever that sits."""


def degraded(how: Degradation, lines: Transcript, others: Sequence[str], rng: Random) -> Transcript | None:
    """Spoil every reply of a transcript; None when nothing changes.

    Args:
        how: the way.
        lines: the original.
        others: replies of another dialogue, for `FOREIGN`.
        rng: of the order of words.
    """
    said = replies(lines)
    spoilt = _WAYS[how](said, others, rng)
    return None if spoilt == said else with_replies(lines, spoilt)


def _shuffled(said: Sequence[str], _: Sequence[str], rng: Random) -> list[str]:
    return [" ".join(rng.sample(words, len(words))) for words in (one.split() for one in said)]


def _foreign(said: Sequence[str], others: Sequence[str], _: Random) -> list[str]:
    return [other for _, other in zip(said, cycle(others), strict=False)] if others else list(said)


def _repeated(said: Sequence[str], _: Sequence[str], __: Random) -> list[str]:
    return [said[0]] * len(said)


def _emptied(said: Sequence[str], _: Sequence[str], __: Random) -> list[str]:
    return [" ".join([_texts()["filler"]] * len(one.split())) for one in said]


def _padded(said: Sequence[str], _: Sequence[str], __: Random) -> list[str]:
    return [" ".join([one] * 3) for one in said]


_WAYS: Mapping[Degradation, Callable[[Sequence[str], Sequence[str], Random], list[str]]] = {
    Degradation.SHUFFLED: _shuffled,
    Degradation.FOREIGN: _foreign,
    Degradation.REPEATED: _repeated,
    Degradation.EMPTIED: _emptied,
    Degradation.PADDED: _padded,
}


def replies(lines: Transcript) -> list[str]:
    """What the assistant says, in order."""
    return [line.text for line in lines if line.speaker == "assistant"]


def with_replies(lines: Transcript, said: Sequence[str]) -> Transcript:
    """The same dialogue with other replies, as many as it has."""
    left = iter(said)
    return tuple(Line(line.speaker, next(left)) if line.speaker == "assistant" else line for line in lines)


def null_model(lines: Transcript, reply: str) -> Transcript:
    """The dialogue as if a model that always says the same had spoken."""
    return with_replies(lines, [reply] * len(replies(lines)))


def injected(lines: Transcript, text: str, speaker: str, rng: Random) -> Transcript | None:
    """Add a text to the end of one utterance of a speaker, drawn at random; None when the speaker says nothing."""
    places = [index for index, line in enumerate(lines) if line.speaker == speaker]
    if not places:
        return None
    place = rng.choice(places)
    spoken = Line(speaker, f"{lines[place].text} {text}".strip())
    return (*lines[:place], spoken, *lines[place + 1 :])


def harmless(text: str) -> str:
    """As many harmless words as a text has: what an attack is set against, so that length tells nothing."""
    return " ".join(word for word, _ in zip(cycle(_texts()["harmless"].split()), text.split(), strict=False))


def null_replies() -> tuple[str, ...]:
    """What the null models always say, unless told otherwise."""
    return tuple(_texts()["null_replies"])


@cache
def attacks() -> tuple[Attack, ...]:
    """Every attack that there is."""
    return tuple(
        Attack(one["name"], one["text"].strip("\n"), Choice(one["seat"]) if "seat" in one else None)
        for one in _texts()["attacks"]
    )


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads(TEXTS.read_text(encoding="utf-8"))
