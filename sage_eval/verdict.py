"""What a judge may say, and how two order-swapped calls become one verdict.

A *choice* is about seats: what one call said of the dialogue shown first and the one shown second. A *verdict* is
about models: what the two calls say together of model A and model B. The two types keep seats and models apart, so
that no call can be counted as a verdict, and no failure as a tie or a loss.

The paper (section 3.6) judges each pair twice with the dialogues' positions swapped, and relies on the judgement
only if both calls agree.

    combine(read_choice("VERDICT: FIRST"), read_choice("VERDICT: SECOND"))     # Verdict.A
"""

from __future__ import annotations

import json
import re
from enum import StrEnum


class Order(StrEnum):
    """Which dialogue takes the first seat in a call."""

    AB = "ab"
    BA = "ba"


class Choice(StrEnum):
    """What one call said, by seat."""

    FIRST = "first"
    SECOND = "second"
    TIE = "tie"
    MALFORMED = "malformed"
    """The judge answered, but not with a verdict."""
    ERROR = "error"
    """The judge could not be asked, or never answered."""


class Verdict(StrEnum):
    """What is known of a pair: the six states, never merged."""

    A = "A"
    B = "B"
    TIE = "tie"
    """Both calls said that the dialogues are equally good."""
    INCONSISTENT = "inconsistent"
    """The two calls contradict each other, so the seat may have decided."""
    MALFORMED = "malformed"
    ERROR = "error"

    @property
    def decisive(self) -> bool:
        """True when one of the models won."""
        return self in (Verdict.A, Verdict.B)

    @property
    def failed(self) -> bool:
        """True when nothing was learnt; such pairs are excluded from every test, and counted."""
        return self in (Verdict.MALFORMED, Verdict.ERROR)

    @property
    def score(self) -> float | None:
        """1 where B won, -1 where A did, 0 where neither did; None where nothing was learnt."""
        if self.failed:
            return None
        return {"A": -1.0, "B": 1.0}.get(self.value, 0.0)


REPLIES = {
    f"{before}{word}{after}": choice
    for before, after in (('{"verdict": "', '"}'), ("VERDICT: ", ""))
    for word, choice in (("FIRST", Choice.FIRST), ("SECOND", Choice.SECOND), ("TIE", Choice.TIE))
}
"""Every reply that counts as an answer, letter by letter: a JSON object, which servers can be held to, or a line."""
REPLY_SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"verdict": {"type": "string", "enum": ["FIRST", "SECOND", "TIE"]}},
        "required": ["verdict"],
        "additionalProperties": False,
    }
)
"""JSON Schema of the object, as JSON text: a server that can holds the reply to it."""
_OBJECT = re.compile(r'\{[ \t\r\n]*"verdict"[ \t\r\n]*:[ \t\r\n]*("[A-Z]+")[ \t\r\n]*\}')

_MIRRORED_CHOICE = {Choice.FIRST: Choice.SECOND, Choice.SECOND: Choice.FIRST}
_MIRRORED_VERDICT = {Verdict.A: Verdict.B, Verdict.B: Verdict.A}
_OF_SEAT = {
    Choice.FIRST: Verdict.A,
    Choice.SECOND: Verdict.B,
    Choice.TIE: Verdict.TIE,
    Choice.MALFORMED: Verdict.MALFORMED,
    Choice.ERROR: Verdict.ERROR,
}


def read_choice(reply: str) -> Choice:
    """Read a judge's whole reply, which must be one of `REPLIES`; only white space is forgiven, where JSON allows it.

    Nothing is searched for, repaired or guessed: a reply that says both things, or says more, is malformed.
    """
    said = reply.strip()
    written = _OBJECT.fullmatch(said)
    return REPLIES.get(said if written is None else f'{{"verdict": {written[1]}}}', Choice.MALFORMED)


def seen_by_model(choice: Choice, order: Order) -> Verdict:
    """Turn a choice of seat into the model that sat there."""
    return _OF_SEAT[choice if order is Order.AB else _MIRRORED_CHOICE.get(choice, choice)]


def combine(ab: Choice, ba: Choice) -> Verdict:
    """Combine the call that showed A first with the call that showed B first.

    An error outweighs a malformed reply, which outweighs everything else; two readable calls must agree.
    """
    one, other = seen_by_model(ab, Order.AB), seen_by_model(ba, Order.BA)
    for failure in (Verdict.ERROR, Verdict.MALFORMED):
        if failure in (one, other):
            return failure
    return one if one is other else Verdict.INCONSISTENT


def mirror(verdict: Verdict) -> Verdict:
    """Say what the verdict would be with the names A and B exchanged."""
    return _MIRRORED_VERDICT.get(verdict, verdict)
