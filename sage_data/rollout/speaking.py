"""A model in a role: what it sees of a dialogue, what it is asked, and what it says.

Speaker(backend, Sampling(temperature=0.8)).draw([Ask(...)], n=16)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path

from sage_data import sac
from sage_data.chat import ChatBackend, Completion, CompletionStatus, Conversation, Message, Sampling, width_of
from sage_data.dialogue import Role, Scenario, Utterance

OPENER = Path(__file__).with_name("prompts") / "opener.txt"
"""What the user simulator was asked before it tells its situation."""
_NO_TAG = {"no state tag", "no action tag"}
_CUT = "truncated"


class StopReason(StrEnum):
    """Why a dialogue ended."""

    EXCHANGES = "exchanges"
    """It had as many exchanges as asked for."""
    FAREWELL = "farewell"
    LOOP = "loop"
    """Both speakers said again, word for word, what they had said just before."""
    EMPTY = "empty"
    """A speaker said nothing."""
    FAILED = "failed"
    """A backend failed or refused; see `Transcript.error`."""


class TagForm(StrEnum):
    """How a reply's tags came out."""

    WELL_FORMED = "well_formed"
    UNTAGGED = "untagged"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Ask:
    """One reply that is wanted."""

    scenario: Scenario
    role: Role
    """Who is to speak, as the dialogue names it."""
    exchange: int
    """Number of the exchange, from 0."""
    messages: tuple[Message, ...]
    """The history as the speaking model sees it; its own messages are `assistant`."""
    seed: int
    """Depends on the run's seed, scenario, role, exchange and sample alone, so that two agents meet the same user."""
    forgotten: int = 0
    """Oldest messages that had to be left out for the last reply already; more history will not need fewer."""
    slots: tuple[str, ...] = sac.SLOTS
    """Slots that the speaking model was taught to put into its tags."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a speaker said."""

    completion: Completion
    chain: sac.Chain
    """Its text with the tags it declared."""
    problems: tuple[str, ...] = ()
    """What was wrong with the tags, and whether the text was cut."""
    forgotten: int = 0
    """Oldest messages left out because the model's context could not hold the whole history."""

    @property
    def form(self) -> TagForm:
        """Whether there were tags, and whether they were right."""
        problems = set(self.problems) - {_CUT}
        if self.chain.state is None and self.chain.action is None and problems <= _NO_TAG:
            return TagForm.UNTAGGED
        return TagForm.MALFORMED if problems else TagForm.WELL_FORMED

    @property
    def stop(self) -> StopReason | None:
        """Why the dialogue cannot go on after it, if it cannot. A reply cut at the length limit may stand."""
        if self.completion.status in (CompletionStatus.API_ERROR, CompletionStatus.REFUSED):
            return StopReason.FAILED
        return None if self.chain.text else StopReason.EMPTY


Replier = Callable[[Sequence[Ask]], Sequence[Reply]]
"""A role: answers every ask, in order."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """A model in a role."""

    backend: ChatBackend
    sampling: Sampling

    def __call__(self, asks: Sequence[Ask]) -> list[Reply]:
        """Answer with one draw each."""
        return [candidates[0] for candidates in self.draw(asks)]

    @property
    def at_once(self) -> int:
        """How many threads may ask it at once; see `sage_data.chat.width_of`."""
        return width_of(self.backend)

    def recall(self, ask: Ask) -> Reply | None:
        """What it said to the very same ask in an earlier attempt, if its backend remembers; nobody is asked."""
        recall = getattr(self.backend, "recall", None)
        if recall is None:
            return None
        for left in range(ask.forgotten, len(ask.messages), 2):
            if (drawn := recall(Conversation(ask.messages[left:], ask.seed), self.sampling)) is not None:
                return _read(drawn[0], left, ask.slots)
        return None

    def draw(self, asks: Sequence[Ask], n: int = 1) -> list[list[Reply]]:
        """Draw `n` candidates for each ask.

        When a history does not fit into the model's context, its oldest exchange is left out, again and again, and
        the number of messages left out is kept in `Reply.forgotten`.
        """
        replies: list[list[Reply]] = [[] for _ in asks]
        waiting = {place: ask.forgotten for place, ask in enumerate(asks)}
        while waiting:
            batch = [Conversation(asks[place].messages[left:], asks[place].seed) for place, left in waiting.items()]
            drawn = self.backend.generate(batch, self.sampling, n)
            again = {}
            for (place, left), row in zip(waiting.items(), drawn, strict=True):
                replies[place] = [_read(completion, left, asks[place].slots) for completion in row]
                if any(_too_long(completion) for completion in row) and left + 2 < len(asks[place].messages):
                    again[place] = left + 2
            waiting = again
        return replies


def history(utterances: Sequence[Utterance], role: Role, slots: Sequence[str] = sac.SLOTS) -> tuple[Message, ...]:
    """Return a dialogue as the model in `role` sees it: its own messages with tags, the other's without.

    `slots` are those that its tags hold.
    """
    messages = [Message("user", _opener())] if role == "user" else []
    for one in utterances:
        if one.role == role:
            messages.append(Message("assistant", sac.render(_chain(one, tuple(slots)))))
        else:
            messages.append(Message("user", one.text))
    return tuple(messages)


def _chain(one: Utterance, slots: tuple[str, ...]) -> sac.Chain:
    state, action = (None if tag is None else sac.choose(tag, slots) for tag in (one.perceived, one.state))
    untagged = state is None and action is None
    return sac.Chain(state, action, one.text, sac.SLOTS if untagged else slots)


@cache
def _opener() -> str:
    return OPENER.read_text(encoding="utf-8").strip()


def _read(completion: Completion, forgotten: int, slots: tuple[str, ...]) -> Reply:
    lenient = sac.parse_lenient(completion.text, slots)
    cut = (_CUT,) if completion.status is CompletionStatus.TRUNCATED else ()
    chain = replace(lenient.chain, text=lenient.chain.text.strip())
    return Reply(completion, chain, lenient.problems + cut, forgotten)


def _too_long(completion: Completion) -> bool:
    """Engines say so with a failure whose finish reason is "context"."""
    return completion.status is CompletionStatus.API_ERROR and completion.finish_reason == "context"
