"""Two speakers and one scenario make one dialogue: used by self-play search and by evaluation.

A `Talk` is one dialogue being played: it says what is wanted next and takes the reply. `roll` plays a block of them in
lock-step, so that a model in this process has many conversations to answer at once; `sage_data.rollout.threads` lets
each move on by itself, for servers. Both speakers are callables: a plain `Speaker` says the first thing that comes to
its model's mind, while the search's speaker draws many candidates and chooses. What each side sees:

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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sage_data.dialogue import Dialogue, Role, Scenario, Source, Utterance
from sage_data.rollout.speaking import Ask, Replier, Reply, StopReason, TagForm, history
from sage_data.sac import SLOTS
from sage_data.stage import derive_seed

_GOODBYE = (
    r"(?:good ?bye|bye(?: bye)?|farewell|good ?night|sleep well|take (?:good )?care(?: of yourself)?"
    r"|see (?:you|ya)(?: \w+)?|talk to you (?:later|soon|tomorrow))"
)
_OPENING = r"(?:(?:well|so|ok|okay|alright|and|now|thanks|thank you) )?"
FAREWELL = re.compile(
    rf"(?:(?:^|[.!?\u2026;]\s+|\n\s*){_OPENING}{_GOODBYE}(?:,[^.!?\u2026;\n]*)?|,\s+{_GOODBYE})[\s.!,\u2026]*$",
    re.IGNORECASE,
)
"""An utterance that ends like this ends the dialogue: its last sentence begins with a goodbye ("Good night, my
friend."), or comes to one after a comma ("It was so nice to talk to you, take good care of yourself.")."""


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
    slots: tuple[str, ...] = SLOTS
    """Slots that the agent was taught to put into its tags."""
    user_slots: tuple[str, ...] = SLOTS
    """Slots that the user simulator was taught."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """One dialogue as it was played."""

    dialogue: Dialogue
    stop_reason: StopReason
    stopped_by: Role | None
    """Whose utterance, or missing utterance, ended it; None when the exchanges ran out."""
    problems: tuple[tuple[int, str], ...]
    """(Index of the utterance, what was wrong with it)."""
    forms: tuple[tuple[Role, TagForm], ...]
    """How the tags of each generated utterance came out, in order."""
    forgotten: int
    """Most messages that either side had to leave out of its history."""
    prompt_tokens: int
    """Of both models."""
    completion_tokens: int
    user_prompt_tokens: int
    """Those of the user simulator alone."""
    user_completion_tokens: int
    error: str | None = None
    """What the backend said, when it failed."""

    @property
    def exchanges(self) -> int:
        """Number of replies of the agent."""
        return Counter(utterance.role for utterance in self.dialogue.utterances)["assistant"]


def roll(scenarios: Sequence[Scenario], agent: Replier, user: Replier, settings: Settings) -> list[Transcript]:
    """Play one dialogue for each scenario, all in lock-step; the user speaks first, the situation in its words."""
    return play_together([Talk(scenario, settings) for scenario in scenarios], agent, user)


def play_together(talks: Sequence[Talk], agent: Replier, user: Replier) -> list[Transcript]:
    """Play dialogues that have not begun to their ends in lock-step, one turn of all that still go on at a time."""
    speakers: Mapping[Role, Replier] = {"user": user, "assistant": agent}
    while live := [talk for talk in talks if not talk.over]:
        # They began together and nobody skips a turn, so the same role is to speak in all of them.
        replies = speakers[live[0].role]([talk.ask() for talk in live])
        for talk, reply in zip(live, replies, strict=True):
            talk.hear(reply)
    return [talk.transcript() for talk in talks]


@dataclass
class Talk:
    """A dialogue being played."""

    scenario: Scenario
    settings: Settings
    sample: int = 0
    """Which of the scenario's rollouts it is, from 0."""
    utterances: list[Utterance] = field(default_factory=list, init=False)
    replies: list[tuple[Role, Reply]] = field(default_factory=list, init=False)
    problems: list[tuple[int, str]] = field(default_factory=list, init=False)
    stop: StopReason | None = field(default=None, init=False)
    stopped_by: Role | None = field(default=None, init=False)
    error: str | None = field(default=None, init=False)
    forgotten: Counter[str] = field(default_factory=Counter, init=False)

    def __post_init__(self) -> None:
        # The situation is the first move.
        self.utterances.append(Utterance("user", self.scenario.situation))

    @property
    def id(self) -> str:
        """Id of the dialogue: the scenario's, with the number of the sample behind it from the second one on."""
        return f"{self.scenario.id}#{self.sample}" if self.sample else self.scenario.id

    @property
    def role(self) -> Role:
        """Who is to speak next."""
        return "user" if len(self.replies) % 2 else "assistant"

    @property
    def exchange(self) -> int:
        """Number of the exchange that the next utterance belongs to, from 0."""
        return (len(self.replies) + 1) // 2

    @property
    def over(self) -> bool:
        """True when nobody is to speak any more."""
        return self.stop is not None or self.exchange >= self.settings.exchanges

    def ask(self) -> Ask:
        """Say what is wanted from `role`."""
        role, exchange = self.role, self.exchange
        # What the first sample draws does not depend on there being others.
        sample = ("sample", self.sample) if self.sample else ()
        seed = derive_seed(self.settings.seed, self.scenario.id, role, exchange, *sample)
        slots = self.settings.user_slots if role == "user" else self.settings.slots
        messages = history(self.utterances, role, slots)
        return Ask(self.scenario, role, exchange, messages, seed, self.forgotten[role], slots)

    def hear(self, reply: Reply) -> None:
        """Take the reply of `role` into the dialogue, or end it."""
        role = self.role
        self.replies.append((role, reply))
        self.forgotten[role] = reply.forgotten
        if reply.stop is not None:
            self.stop, self.stopped_by, self.error = reply.stop, role, reply.completion.error
            return
        self.problems += [(len(self.utterances), problem) for problem in reply.problems]
        text = _up_to_question(reply.chain.text) if role == "user" and self.settings.trim_user else reply.chain.text
        self.utterances.append(Utterance(role, text, state=reply.chain.action, perceived=reply.chain.state))
        # A user who says goodbye is still answered.
        if role == "assistant":
            self.stop, self.stopped_by = _ending(self.utterances)

    def transcript(self) -> Transcript:
        """Return the finished dialogue; one that ended on an unanswered user utterance keeps it."""
        said = [(role, reply.completion) for role, reply in self.replies]
        model = next((completion.model for role, completion in said if role == "assistant"), None)
        return Transcript(
            dialogue=Dialogue(
                id=self.id,
                utterances=tuple(self.utterances),
                source=Source(self.settings.corpus),
                scenario_id=self.scenario.id,
                model=model,
                sample=self.sample,
            ),
            stop_reason=self.stop or StopReason.EXCHANGES,
            stopped_by=self.stopped_by,
            problems=tuple(self.problems),
            forms=tuple((role, reply.form) for role, reply in self.replies if reply.stop is None),
            forgotten=max(self.forgotten.values(), default=0),
            prompt_tokens=sum(completion.prompt_tokens for _, completion in said),
            completion_tokens=sum(completion.completion_tokens for _, completion in said),
            user_prompt_tokens=sum(completion.prompt_tokens for role, completion in said if role == "user"),
            user_completion_tokens=sum(completion.completion_tokens for role, completion in said if role == "user"),
            error=self.error,
        )


def _up_to_question(text: str) -> str:
    """Cut after the first question mark and the marks that belong to it."""
    match = re.search(r"\?[?!\"')]*", text)
    return text if match is None else text[: match.end()]


def _ending(utterances: Sequence[Utterance]) -> tuple[StopReason | None, Role | None]:
    """Tell whether the exchange just finished ends the dialogue, and through whom."""
    # The situation is what there is to talk about, whatever it ends with.
    for one in utterances[1:][-2:]:
        if FAREWELL.search(one.text):
            return StopReason.FAREWELL, one.role
    return (StopReason.LOOP, "assistant") if _loops(utterances) else (None, None)


def _loops(utterances: Sequence[Utterance]) -> bool:
    """Tell whether the last exchange is the one before it, but for case and spacing."""
    if len(utterances) < 4:
        return False
    said = [" ".join(one.text.lower().split()) for one in utterances[-4:]]
    return said[:2] == said[2:]
