"""One talk's memory of what was said: chooses sentences that are new, fills their slots, keeps names and details.

voice = Voice(rng, topics()["gardening"], "sister")
voice.fill(voice.pick(banks()["assistant.say.humor"], "sad"), "assistant", "sad")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from random import Random

from sage_data.dialogue import Role
from sage_data.sample.wording import Exchange, Frame, Topic, banks, capital, topics

FEELINGS = ("warm", "glow")
"""Slots that are filled with a clause of the bank of that name."""


def choose(rng: Random, weights: Mapping[str, int]) -> str:
    """Draw a name with the given weights."""
    return rng.choices(tuple(weights), cum_weights=tuple(accumulate(weights.values())))[0]


def lower(text: str) -> str:
    """The text with a small first letter, unless it starts with "I" or a name."""
    first = text.split(" ", 1)[0].rstrip(",'")
    return text if first in _KEEP_CAPITAL else text[:1].lower() + text[1:]


OWN_DOING = (("good", "proud"), ("bad", "embarrassed"))
"""Feelings about what one did oneself: they take lines that start so, where the topic has any."""


class Voice:
    """What may still be said in one talk."""

    def __init__(self, rng: Random, topic: Topic, person: str) -> None:
        self.rng, self.person = rng, person
        self.said: set[str] = set()
        self.event = ""
        """The last clause about something that happened, is planned or is remembered."""
        self.turn_to(topic)

    def turn_to(self, topic: Topic) -> None:
        """Talk about `topic` from now on."""
        self.topic = topic
        self.detail = self.rng.choice(topic.details)
        it = topic.it.replace("{x}", self.detail)
        common = {"p": self.person, "x": self.detail, "ing": topic.doing.replace("{x}", self.detail)}
        self._fixed = {"user": common | {"it": it}, "assistant": common | {"it": it.replace("my ", "your ")}}
        self._left: dict[str, list[str]] = {}
        self._exchanges: list[Exchange] | None = None

    def pick(self, frames: Sequence[Frame], emotion: str) -> Frame | None:
        """A frame that was not used in this talk and can be filled; None when there is none."""
        start = self.rng.randrange(len(frames))
        for offset in range(len(frames)):
            frame = frames[start - offset]
            if frame.pattern not in self.said and self._can_fill(frame, emotion):
                self.said.add(frame.pattern)
                return frame
        return None

    def _can_fill(self, frame: Frame, emotion: str) -> bool:
        lines = self.topic.lines
        return all(self._lines(slot.lower(), emotion) for slot in frame.slots if slot.lower() in lines)

    def _lines(self, key: str, emotion: str) -> list[str]:
        left = self._left.get(key)
        if left is None:
            lines = self.topic.lines[key]
            if (key, emotion) in OWN_DOING:
                lines = tuple(line for line in lines if line.startswith(("I ", "we ", "our "))) or lines
            left = self._left[key] = self.rng.sample(lines, len(lines))
        return left

    def fill(self, frame: Frame, role: Role, emotion: str) -> str:
        """Speak a frame as `role`; `emotion` is the user's."""
        slots = self._fixed[role] | {"emotion": emotion}
        for slot in frame.slots:
            if slot not in slots:
                slots[slot] = self._slot(slot, emotion)
        return frame.pattern.format_map(slots)

    def _slot(self, slot: str, emotion: str) -> str:
        key = slot.lower()
        if key in FEELINGS:
            frame = self.pick(_BANKS[key], emotion) or self.rng.choice(_BANKS[key])
            return frame.pattern
        text = self._lines(key, emotion).pop().replace("{x}", self.detail).replace("{p}", self.person)
        if slot == "joke":
            return lower(text)
        if key in ("good", "bad", "wish", "old"):
            self.event = text
        return text if slot == key else capital(text)

    def say(self, bank: str, role: Role, emotion: str) -> str | None:
        """Speak a new sentence of a bank; None when all were said."""
        frame = self.pick(_BANKS[bank], emotion)
        return None if frame is None else self.fill(frame, role, emotion)

    def exchange(self) -> Exchange | None:
        """A question about the topic, with its answer, that was not asked yet."""
        if self._exchanges is None:
            self._exchanges = self.rng.sample(self.topic.exchanges, len(self.topic.exchanges))
        return self._exchanges.pop() if self._exchanges else None

    def mentioned(self, text: str) -> tuple[str, ...]:
        """The topic, and its detail when the text names it."""
        name = self.topic.name
        return (name, self.detail) if self.detail != name and f" {self.detail}" in f" {text}" else (name,)


_BANKS = banks()
_KEEP_CAPITAL = {"I", *(detail for topic in topics().values() for detail in topic.details if detail[:1].isupper())}
