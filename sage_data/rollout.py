"""Two speakers and one scenario make one dialogue: used by self-play search and by evaluation.

A block of scenarios is played in lock-step, so that a backend always has many conversations to answer at once. Both
speakers are callables: a plain `Speaker` says the first thing that comes to its model's mind, while the search's
speaker draws many candidates and chooses. What each side sees:

- The agent plays `assistant`. Its own earlier replies stand in its history as it would have written them, tags first
  (the form it is trained on); the user's utterances are plain text.
- The user simulator is a model too, so the roles are flipped: it plays `assistant` in its own history and sees the
  agent's utterances, without tags, as `user`. A short opener stands before its first utterance, because chat
  templates want a user's message first.

    roll(scenarios, Speaker(agent, sampling), Speaker(user, sampling), Settings(exchanges=8, seed=7))
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from pathlib import Path

from sage_data import sac
from sage_data.chat import ChatBackend, Completion, CompletionStatus, Conversation, Message, Sampling
from sage_data.dialogue import Dialogue, Role, Scenario, Source, Utterance
from sage_data.stage import derive_seed

OPENER = Path(__file__).with_name("prompts") / "rollout_opener.txt"
"""What the user simulator was asked before it tells its situation."""
FAREWELL = re.compile(
    r"\b(?:good ?bye|bye|farewell|good ?night|take care|see (?:you|ya)(?: \w+)?|talk to you (?:later|soon|tomorrow))"
    r"[\s.!,]*$",
    re.IGNORECASE,
)
"""An utterance that ends like this ends the dialogue."""
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
    """Depends on the run's seed, scenario, role and exchange alone: two agents meet a user with the same draws."""
    forgotten: int = 0
    """Oldest messages that had to be left out for the last reply already; more history will not need fewer."""


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
                replies[place] = [_read(completion, left) for completion in row]
                if any(_too_long(completion) for completion in row) and left + 2 < len(asks[place].messages):
                    again[place] = left + 2
            waiting = again
        return replies


@dataclass(frozen=True, slots=True)
class Settings:
    """How to play."""

    exchanges: int = 8
    """Exchanges of a user utterance and a reply (paper section 4: 8)."""
    seed: int = 0
    trim_user: bool = True
    """Cut the user's utterance after its first question, so that it leaves the agent something to answer."""
    corpus: str = "rollout"
    """Name of the corpus that the dialogues belong to."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """One dialogue as it was played."""

    dialogue: Dialogue
    stop_reason: StopReason
    stopped_by: Role | None
    """Whose utterance, or missing utterance, ended it; None when the exchanges ran out."""
    problems: tuple[tuple[int, str], ...]
    """(Index of the utterance, what was wrong with it)."""
    forms: tuple[TagForm, ...]
    """How the tags of each generated utterance came out, in order."""
    forgotten: int
    """Most messages that either side had to leave out of its history."""
    prompt_tokens: int
    completion_tokens: int
    error: str | None = None
    """What the backend said, when it failed."""

    @property
    def exchanges(self) -> int:
        """Number of replies of the agent."""
        return Counter(utterance.role for utterance in self.dialogue.utterances)["assistant"]


def roll(scenarios: Sequence[Scenario], agent: Replier, user: Replier, settings: Settings) -> list[Transcript]:
    """Play one dialogue for each scenario, all in lock-step; the user speaks first, the situation in its words."""
    talks = [_Talk(scenario, settings) for scenario in scenarios]
    order: tuple[tuple[Role, Replier], ...] = (("user", user), ("assistant", agent))
    for exchange in range(settings.exchanges):
        for role, replier in order:
            live = [talk for talk in talks if talk.stop is None and not (exchange == 0 and role == "user")]
            if live:
                replies = replier([talk.ask(role, exchange) for talk in live])
                for talk, reply in zip(live, replies, strict=True):
                    talk.hear(role, reply)
    return [talk.transcript() for talk in talks]


@dataclass
class _Talk:
    """A dialogue being played."""

    scenario: Scenario
    settings: Settings
    utterances: list[Utterance] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)
    stop: StopReason | None = None
    stopped_by: Role | None = None
    error: str | None = None
    forgotten: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.utterances.append(Utterance("user", self.scenario.situation))

    def ask(self, role: Role, exchange: int) -> Ask:
        """Say what is wanted from `role`."""
        seed = derive_seed(self.settings.seed, self.scenario.id, role, exchange)
        return Ask(self.scenario, role, exchange, history(self.utterances, role), seed, self.forgotten[role])

    def hear(self, role: Role, reply: Reply) -> None:
        """Take a reply into the dialogue, or end it."""
        self.replies.append(reply)
        self.forgotten[role] = reply.forgotten
        if reply.stop is not None:
            self.stop, self.stopped_by, self.error = reply.stop, role, reply.completion.error
            return
        self.problems += [(len(self.utterances), problem) for problem in reply.problems]
        text = _up_to_question(reply.chain.text) if role == "user" and self.settings.trim_user else reply.chain.text
        self.utterances.append(Utterance(role, text, state=reply.chain.action, perceived=reply.chain.state))
        # A user who says goodbye is still answered.
        if role == "assistant" and any(FAREWELL.search(one.text) for one in self.utterances[-2:]):
            self.stop = StopReason.FAREWELL
            self.stopped_by = "user" if FAREWELL.search(self.utterances[-2].text) else "assistant"
        elif role == "assistant" and _loops(self.utterances):
            self.stop, self.stopped_by = StopReason.LOOP, role

    def transcript(self) -> Transcript:
        """Return the finished dialogue; one that ended on an unanswered user utterance keeps it."""
        model = next((reply.completion.model for reply in self.replies), None)
        return Transcript(
            dialogue=Dialogue(
                id=self.scenario.id,
                utterances=tuple(self.utterances),
                source=Source(self.settings.corpus),
                scenario_id=self.scenario.id,
                model=model,
            ),
            stop_reason=self.stop or StopReason.EXCHANGES,
            stopped_by=self.stopped_by,
            problems=tuple(self.problems),
            forms=tuple(reply.form for reply in self.replies if reply.stop is None),
            forgotten=max(self.forgotten.values(), default=0),
            prompt_tokens=sum(reply.completion.prompt_tokens for reply in self.replies),
            completion_tokens=sum(reply.completion.completion_tokens for reply in self.replies),
            error=self.error,
        )


def history(utterances: Sequence[Utterance], role: Role) -> tuple[Message, ...]:
    """Return a dialogue as the model in `role` sees it: its own messages with tags, the other's without."""
    messages = [Message("user", _opener())] if role == "user" else []
    for one in utterances:
        if one.role == role:
            messages.append(Message("assistant", sac.render(sac.Chain(one.perceived, one.state, one.text))))
        else:
            messages.append(Message("user", one.text))
    return tuple(messages)


@cache
def _opener() -> str:
    return OPENER.read_text(encoding="utf-8").strip()


def _read(completion: Completion, forgotten: int) -> Reply:
    lenient = sac.parse_lenient(completion.text)
    cut = (_CUT,) if completion.status is CompletionStatus.TRUNCATED else ()
    chain = replace(lenient.chain, text=lenient.chain.text.strip())
    return Reply(completion, chain, lenient.problems + cut, forgotten)


def _too_long(completion: Completion) -> bool:
    """Engines say so with a failure whose finish reason is "context"."""
    return completion.status is CompletionStatus.API_ERROR and completion.finish_reason == "context"


def _up_to_question(text: str) -> str:
    """Cut after the first question mark and the marks that belong to it."""
    match = re.search(r"\?[?!\"')]*", text)
    return text if match is None else text[: match.end()]


def _loops(utterances: Sequence[Utterance]) -> bool:
    """Tell whether the last exchange is the one before it, but for case and spacing."""
    if len(utterances) < 4:
        return False
    said = [" ".join(one.text.lower().split()) for one in utterances[-4:]]
    return said[:2] == said[2:]
