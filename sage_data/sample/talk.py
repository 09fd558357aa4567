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
from random import Random

from sage_data.dialogue import Role, State
from sage_data.sample.characters import (
    FEELING_CHANGE,
    TONES,
    USER_EMOTIONS,
    action_weights,
    is_low,
    motivation_weights,
)
from sage_data.sample.voice import Voice, choose
from sage_data.sample.wording import PEOPLE, Frame, Topic, banks, exchanges, frame, topics

SHIFT_FROM, SHIFT_CHANCE = 4, 0.25
"""A user may change to another topic once, from this utterance on, with this chance each time."""
ASK_CHANCE, TOPIC_ASK_CHANCE, SWAP_CHANCE, CLOSE_CHANCE = 0.75, 0.7, 0.3, 0.7
FORMAL_WORDS = (42, 62)
"""A formal reply ends after this many words, drawn evenly, and a last sentence."""
SHIFTS = (
    "On another note, here is one more thing.",
    "By the way, there is something else.",
    "And now to something else.",
)


class Style(StrEnum):
    """What a talk is like."""

    WARM = "warm"
    """Passes all gates of the paper: 16 words and more on average, every utterance positive, with a question."""
    PLAIN = "plain"
    """As warm, but nobody asks anything."""
    SHORT = "short"
    """As warm and with a question, but a few words at a time."""
    FORMAL = "formal"
    """The assistant is long-winded and asks nothing: how the tiny base speaks."""


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


class Talk:
    """One talk while it is being made; `turns` holds what was said so far."""

    def __init__(self, rng: Random, style: Style, topic: Topic | None = None, emotion: str | None = None) -> None:
        self.rng, self.style = rng, style
        self.voice = Voice(rng, topic or rng.choice(_TOPICS), rng.choice(PEOPLE))
        self.emotion = emotion or rng.choice(USER_EMOTIONS)
        self.motivation, self.action, self.tone = "sharing", "", "warm"
        self.turns: list[Turn] = []
        self.opening_event = ""
        """What the first utterance is about, as a clause."""
        self._answer: Frame | None = None
        self._opened = self._shifted = self._closed = False

    def go_on(self, turns: int) -> None:
        """Go on until there are `turns` utterances."""
        closing_from = max(2, turns - 2) if self.rng.random() < CLOSE_CHANCE else turns
        for index in range(len(self.turns), turns):
            if index % 2 == 0:
                self._user(closing=index >= closing_from)
            elif self.style is Style.FORMAL:
                self._formal()
            else:
                self._assistant()

    def _say(self, bank: str, role: Role) -> str | None:
        return self.voice.say(bank, role, self.emotion)

    def _add(self, role: Role, parts: Sequence[str | None], motivation: str, emotion: str) -> None:
        text = " ".join(part for part in parts if part)
        self.turns.append(Turn(role, text, State(motivation, emotion, self.voice.mentioned(text))))

    # --- the user

    def _user(self, closing: bool) -> None:
        """Answers, feels something, and has a reason to say it."""
        parts: list[str | None] = []
        if self._opened:
            answer = self._answer
            parts.append(self.voice.fill(answer, "user", self.emotion) if answer else self._say("user.ack", "user"))
            self._answer = None
            self.emotion = choose(self.rng, FEELING_CHANGE[is_low(self.emotion)]) or self.emotion
        if closing:
            parts += [self._say(f"user.later.{self.emotion}", "user"), self._say("user.close", "user")]
            self._closed, self.motivation = True, "gratitude"
        else:
            parts += self._feeling_and_reason()
        self._opened = True
        self._add("user", parts, self.motivation, self.emotion)

    def _feeling_and_reason(self) -> list[str | None]:
        opening = not self._opened
        shift = None if opening else self._shift()
        feeling = self._say(f"user.{'open' if opening or shift else 'later'}.{self.emotion}", "user")
        if opening:
            self.opening_event = self.voice.event
        reason = self._reason()
        if opening or shift or reason.endswith("?") or self.rng.random() > SWAP_CHANCE:
            return [shift, feeling, reason]
        return [reason, feeling]

    def _shift(self) -> str | None:
        """Words that change the subject, once in a talk and not in all talks."""
        if self._shifted or len(self.turns) < SHIFT_FROM or self.rng.random() > SHIFT_CHANCE:
            return None
        self._shifted = True
        self.voice.turn_to(self.rng.choice([topic for topic in _TOPICS if topic is not self.voice.topic]))
        return self.rng.choice(SHIFTS)

    def _reason(self) -> str:
        """A sentence that says why the user speaks; sets the motivation."""
        weights = dict(motivation_weights(self.emotion, self.action))
        if self.style is Style.PLAIN:
            weights = {name: weight for name, weight in weights.items() if name not in ("seeking advice", "asking")}
        event = "bad" if is_low(self.emotion) else "good"
        while True:
            self.motivation = choose(self.rng, weights)
            chosen = self.voice.pick(_REASONS[self.motivation, event], self.emotion)
            if chosen is not None:
                return self.voice.fill(chosen, "user", self.emotion)
            del weights[self.motivation]

    # --- the assistant

    def _assistant(self) -> None:
        """Acts on the user's state, shows a feeling, and most often asks."""
        parts = self._act()
        if self._closed:
            parts.append(self._say("assistant.close", "assistant"))
        elif self.style is not Style.PLAIN and (len(self.turns) == 1 or self.rng.random() < ASK_CHANCE):
            parts.append(self._ask())
        self._add("assistant", parts, self.action, self.tone)

    def _act(self) -> list[str | None]:
        """Two sentences: what the assistant does, and how it feels."""
        weights = dict(action_weights(self.emotion, self.motivation))
        said = None
        while said is None:
            self.action = choose(self.rng, weights)
            said = self._say(f"assistant.say.{self.action}", "assistant")
            del weights[self.action]
        self.tone = choose(self.rng, TONES[self.action])
        felt = self._say(f"assistant.tone.{self.tone}", "assistant")
        return [felt, said] if self.rng.random() < SWAP_CHANCE else [said, felt]

    def _ask(self) -> str:
        """A question, most often about the topic; the user will have an answer."""
        exchange = self.voice.exchange() if self.rng.random() < TOPIC_ASK_CHANCE else None
        if exchange is None:
            exchange = self.rng.choice([one for one in exchanges() if one.question.pattern not in self.voice.said])
            self.voice.said.add(exchange.question.pattern)
        self._answer = exchange.answer
        return self.voice.fill(exchange.question, "assistant", self.emotion)

    def _formal(self) -> None:
        """Answers at length, gives advice, and asks nothing."""
        start = "self" if self.motivation == "asking" else self.rng.choice(("open", "feeling"))
        parts = [self._say(f"formal.{start}", "assistant")]
        wanted = self.rng.randint(*FORMAL_WORDS)
        banks_left = ["formal.advice", "formal.more", *["formal.general"] * 9]
        while sum(len(part.split()) for part in parts if part) < wanted:
            parts.append(self._say(banks_left.pop(0), "assistant"))
        parts.append(self._say("formal.end", "assistant"))
        self._add("assistant", parts, "suggestion", "thoughtful")


def converse(
    rng: Random, turns: int, *, style: Style = Style.WARM, topic: Topic | None = None, emotion: str | None = None
) -> list[Turn]:
    """Make one talk of `turns` utterances, the user first. Same generator state, same talk."""
    talk = Talk(rng, style, topic, emotion)
    if style is Style.SHORT:
        return _short(talk, turns)
    talk.go_on(turns)
    return talk.turns


def _short(talk: Talk, turns: int) -> list[Turn]:
    for index in range(turns):
        role: Role = "assistant" if index % 2 else "user"
        bank = "short.ask" if index == 1 else f"short.{role}"
        talk._add(role, [talk._say(bank, role)], "sharing", "joyful" if role == "user" else "cheerful")
    return talk.turns


def chill(rng: Random, turns: Sequence[Turn], index: int) -> list[Turn]:
    """A copy of a talk in which utterance `index` is bitter, so that it fails the sentiment gate."""
    old = turns[index]
    topic = topics()[old.state.topics[0]]
    text = Voice(rng, topic, rng.choice(PEOPLE)).say(f"cold.{old.role}", old.role, "annoyed")
    bitter = Turn(old.role, str(text), State("sharing", "annoyed", (topic.name,)), cold=True)
    return [*turns[:index], bitter, *turns[index + 1 :]]


_TOPICS = tuple(topics().values())
_REASONS: dict[tuple[str, str], tuple[Frame, ...]] = {
    (name.removeprefix("user.say."), event): tuple(
        frame(one.pattern.replace("{event}", f"{{{event}}}")) for one in frames
    )
    for name, frames in banks().items()
    if name.startswith("user.say.")
    for event in ("good", "bad")
}
