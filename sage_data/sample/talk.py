"""The miniature world speaks: from a seed, one small-talk dialogue with the state of each utterance known.

Two people talk: a user with a feeling and a reason to speak, and an assistant whose action depends on both
(`characters.py`). Each utterance is put together from sentences (`wording.py`) that carry cues of its state, answer the
last question and stay with the topic; no sentence is said twice in one talk. What the gates of the paper measure is
planned, not found: see `Style`.

    converse(random.Random("7:0"), turns=6)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from random import Random

from sage_data.dialogue import Role, State
from sage_data.sample.characters import (
    FEELING_CHANGE,
    LOW_EMOTIONS,
    TONES,
    USER_EMOTIONS,
    Weights,
    action_weights,
    is_low,
    motivation_weights,
)
from sage_data.sample.wording import PEOPLE, Exchange, Frame, Topic, banks, capital, exchanges, topics

SHIFT_FROM, SHIFT_CHANCE = 4, 0.25
"""A user may change to another topic once, from this utterance on, with this chance each time."""
ASK_CHANCE, ORDER_CHANCE, CLOSE_CHANCE = 0.75, 0.3, 0.7
SHIFTS = ("On another note, here is one more thing.", "By the way, there is something else.", "And now to something else.")


class Style(StrEnum):
    """What a talk is like."""

    WARM = "warm"
    """Passes all gates of the paper: 16 words and more on average, every utterance positive, with a question."""
    PLAIN = "plain"
    """As warm, but nobody asks anything."""
    SHORT = "short"
    """As warm and with a question, but a few words at a time."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance with its truth."""

    role: Role
    text: str
    state: State
    cold: bool = False
    """True when it was made to fail the sentiment gate."""

    @property
    def asks(self) -> bool:
        """True when it ends with a question mark."""
        return self.text.endswith("?")


class _Voice:
    """What may still be said about one topic in one talk."""

    def __init__(self, rng: Random, topic: Topic, person: str) -> None:
        self.topic, self._rng, self._person = topic, rng, person
        self.detail = rng.choice(topic.details)
        it = topic.it.replace("{x}", self.detail)
        mine = {"p": person, "x": self.detail, "ing": topic.doing.replace("{x}", self.detail)}
        self._fixed = {
            "user": mine | {"it": it},
            "assistant": mine | {"it": it.replace("my ", "your ")},
        }
        self._left: dict[str, list[str]] = {}
        self._exchanges: list[Exchange] | None = None

    def can_fill(self, frame: Frame, emotion: str) -> bool:
        """True when every slot of the frame can still be filled."""
        return all(self._lines(slot.lower(), emotion) for slot in frame.slots if slot.lower() in self.topic.lines)

    def _lines(self, key: str, emotion: str) -> list[str]:
        left = self._left.get(key)
        if left is None:
            lines = self.topic.lines[key]
            if key == "good" and emotion == "proud":
                lines = tuple(line for line in lines if line.startswith(("I ", "we ", "our "))) or lines
            left = self._left[key] = self._rng.sample(lines, len(lines))
        return left

    def line(self, key: str, emotion: str) -> str:
        """Take a line of the topic that has not been said yet."""
        text = self._lines(key, emotion).pop()
        return text.replace("{x}", self.detail).replace("{p}", self._person)

    def fixed(self, role: Role) -> dict[str, str]:
        """What the slots `it`, `ing`, `p` and `x` stand for when `role` speaks."""
        return self._fixed[role]

    def exchange(self) -> Exchange | None:
        """Take a question about the topic that has not been asked yet."""
        if self._exchanges is None:
            self._exchanges = self._rng.sample(self.topic.exchanges, len(self.topic.exchanges))
        return self._exchanges.pop() if self._exchanges else None


class _Talk:
    """One talk while it is being made."""

    def __init__(self, rng: Random, style: Style, topic: Topic | None, emotion: str | None) -> None:
        self.rng, self.style = rng, style
        self.person = rng.choice(PEOPLE)
        self.voice = _Voice(rng, topic or rng.choice(_TOPICS), self.person)
        self.emotion = emotion or rng.choice(USER_EMOTIONS)
        self.motivation, self.action, self.tone = "sharing", "", "warm"
        self.answer: Frame | None = None
        self.opened = self.shifted = self.closed = False
        self.said: set[str] = set()
        self.turns: list[Turn] = []

    # --- sentences

    def choose(self, weights: Weights) -> str:
        names = tuple(weights)
        return self.rng.choices(names, cum_weights=tuple(accumulate(weights.values())))[0]

    def pick(self, frames: Sequence[Frame]) -> Frame | None:
        """A frame that has not been used in this talk and can be filled; None when there is none."""
        start = self.rng.randrange(len(frames))
        for offset in range(len(frames)):
            frame = frames[(start + offset * 1) % len(frames)]
            if frame.pattern not in self.said and self.voice.can_fill(frame, self.emotion):
                self.said.add(frame.pattern)
                return frame
        return None

    def fill(self, frame: Frame, role: Role) -> str:
        """Speak a frame."""
        slots = dict(self.voice.fixed(role))
        for slot in frame.slots:
            if slot not in slots:
                slots[slot] = self._slot(slot)
        return frame.pattern.format_map(slots)

    def _slot(self, slot: str) -> str:
        key = slot.lower()
        if key in ("warm", "glow"):
            frame = self.pick(_BANKS[key]) or self.rng.choice(_BANKS[key])
            return frame.pattern
        text = self.voice.line(key, self.emotion)
        if slot == "joke":
            return lower(text)
        return capital(text) if slot[0].isupper() else text

    def say(self, bank: str, role: Role) -> str | None:
        """Speak a new sentence of a bank; None when all were said."""
        frames = _BANKS[bank]
        frame = self.pick(frames)
        return None if frame is None else self.fill(frame, role)

    # --- turns

    def add(self, role: Role, parts: Sequence[str | None], motivation: str, emotion: str) -> None:
        text = " ".join(part for part in parts if part)
        topic = self.voice.topic.name
        detail = self.voice.detail
        named = (topic, detail) if detail != topic and _mentions(text, detail) else (topic,)
        self.turns.append(Turn(role, text, State(motivation, emotion, named)))

    def user(self, closing: bool) -> None:
        """The user speaks: answers, feels, and has a reason to say it."""
        parts: list[str | None] = []
        if self.opened:
            parts.append(self.fill(self.answer, "user") if self.answer else self.say("user.ack", "user"))
            self.answer = None
            self.feel()
        if closing:
            parts += [self.say(f"user.later.{self.emotion}", "user"), self.say("user.close", "user")]
            self.closed, self.motivation = True, "gratitude"
            return self.add("user", parts, self.motivation, self.emotion)
        feeling = self.opening() if self.maybe_shift(parts) else self.say(f"user.later.{self.emotion}", "user")
        reason = self.reason()
        after = not reason.endswith("?") and self.opened and self.rng.random() < ORDER_CHANCE
        parts += [reason, feeling] if after else [feeling, reason]
        self.opened = True
        return self.add("user", parts, self.motivation, self.emotion)

    def maybe_shift(self, parts: list[str | None]) -> bool:
        """True when the user opens a topic: at the start, and perhaps once more later."""
        if not self.opened:
            return True
        if self.shifted or len(self.turns) < SHIFT_FROM or self.rng.random() > SHIFT_CHANCE:
            return False
        self.shifted = True
        other = self.rng.choice(_TOPICS)
        if other is self.voice.topic:
            return False
        self.voice = _Voice(self.rng, other, self.person)
        parts.append(self.rng.choice(SHIFTS))
        return True

    def opening(self) -> str:
        return self.say(f"user.open.{self.emotion}", "user") or ""

    def feel(self) -> None:
        """The reply may change what the user feels."""
        change = self.choose(FEELING_CHANGE[is_low(self.emotion)])
        self.emotion = change or self.emotion

    def reason(self) -> str:
        """Why the user speaks, in a sentence; sets the motivation."""
        weights = dict(motivation_weights(self.emotion, self.action))
        if self.style is Style.PLAIN:
            weights = {name: weight for name, weight in weights.items() if name not in ("seeking advice", "asking")}
        while weights:
            self.motivation = self.choose(weights)
            if (text := self._reason()) is not None:
                return text
            del weights[self.motivation]
        raise AssertionError("the world has run out of reasons to speak")

    def _reason(self) -> str | None:
        frame = self.pick(_REASONS[self.motivation, self.voice_event()])
        return None if frame is None else self.fill(frame, "user")

    def voice_event(self) -> str:
        return "bad" if self.emotion in LOW_EMOTIONS else "good"

    def assistant(self, closing: bool) -> None:
        """The assistant acts on the user's state, shows a feeling, and most often asks."""
        parts = self.act()
        if closing:
            parts.append(self.say("assistant.close", "assistant"))
        elif self.style is not Style.PLAIN and (len(self.turns) == 1 or self.rng.random() < ASK_CHANCE):
            parts.append(self.ask())
        self.add("assistant", parts, self.action, self.tone)

    def act(self) -> list[str | None]:
        """Two sentences: what the assistant does, and how it feels."""
        weights = dict(action_weights(self.emotion, self.motivation))
        while True:
            self.action = self.choose(weights)
            said = self.say(f"assistant.say.{self.action}", "assistant")
            if said is not None:
                break
            del weights[self.action]
        tones = dict(TONES[self.action])
        self.tone = self.choose(tones)
        felt = self.say(f"assistant.tone.{self.tone}", "assistant")
        return [felt, said] if self.rng.random() < ORDER_CHANCE else [said, felt]

    def ask(self) -> str | None:
        """A question, most often about the topic; the user will have an answer."""
        exchange = None if self.rng.random() < ORDER_CHANCE else self.voice.exchange()
        if exchange is None:
            left = [one for one in exchanges() if one.question.pattern not in self.said]
            exchange = self.rng.choice(left)
            self.said.add(exchange.question.pattern)
        self.answer = exchange.answer
        return self.fill(exchange.question, "assistant")


def converse(
    rng: Random, turns: int, *, style: Style = Style.WARM, topic: Topic | None = None, emotion: str | None = None
) -> list[Turn]:
    """Make one talk of `turns` utterances, the user first. Same generator state, same talk."""
    talk = _Talk(rng, style, topic, emotion)
    if style is Style.SHORT:
        return _short(talk, turns)
    closing_from = turns - 2 if rng.random() < CLOSE_CHANCE else turns
    for index in range(turns):
        if index % 2 == 0:
            talk.user(closing=index >= max(closing_from, 2))
        else:
            talk.assistant(closing=talk.closed)
    return talk.turns


def chill(rng: Random, turns: Sequence[Turn], index: int) -> list[Turn]:
    """A copy of a talk in which utterance `index` is bitter, so that it fails the sentiment gate."""
    old = turns[index]
    topic = topics()[old.state.topics[0]]
    voice = _Voice(rng, topic, rng.choice(PEOPLE))
    frame = rng.choice(_BANKS[f"cold.{old.role}"])
    slots = dict(voice.fixed(old.role))
    for slot in frame.slots:
        if slot not in slots:
            text = voice.line(slot.lower(), "annoyed")
            slots[slot] = capital(text) if slot[0].isupper() else text
    bitter = Turn(old.role, frame.pattern.format_map(slots), State("sharing", "annoyed", (topic.name,)), cold=True)
    return [*turns[:index], bitter, *turns[index + 1 :]]


def _short(talk: _Talk, turns: int) -> list[Turn]:
    for index in range(turns):
        role: Role = "assistant" if index % 2 else "user"
        bank = "short.ask" if index == 1 else f"short.{role}"
        talk.add(role, [talk.say(bank, role)], "sharing", "joyful" if role == "user" else "cheerful")
    return talk.turns


def lower(text: str) -> str:
    """The text with a small first letter, unless it starts with "I" or a name."""
    first = text.split(" ", 1)[0].rstrip(",'")
    return text if first in _KEEP_CAPITAL else text[:1].lower() + text[1:]


def _mentions(text: str, word: str) -> bool:
    return f" {word}" in f" {text}"


_TOPICS = tuple(topics().values())
_BANKS = banks()
_KEEP_CAPITAL = {"I", *(detail for topic in _TOPICS for detail in topic.details if detail[:1].isupper())}
_REASONS: dict[tuple[str, str], tuple[Frame, ...]] = {}
for _name, _frames in _BANKS.items():
    if _name.startswith("user.say."):
        for _event in ("good", "bad"):
            _REASONS[_name.removeprefix("user.say."), _event] = tuple(
                Frame(one.pattern.replace("{event}", f"{{{_event}}}"), tuple(
                    _event if slot == "event" else slot for slot in one.slots)) for one in _frames
            )
