"""Asks one agent one block of problems: small talk, the question, and a plain request if the reply held no number.

talk(speaker, problems, config, seed=7)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sage_data.chat import Completion, CompletionStatus
from sage_data.dialogue import Scenario, State, Utterance
from sage_data.rollout import Ask, Replier, Reply, Speaker, history
from sage_data.sac import Chain
from sage_data.stage import derive_seed
from sage_eval.maths.numbers import numbers
from sage_eval.maths.problems import Problem

NUDGE = "Could you just tell me the number, please?"
ANSWERED, NO_NUMBER, FAILED = "answered", "no_number", "failed"


@dataclass
class Talk:
    """One problem and what was said about it."""

    problem: Problem
    utterances: list[Utterance] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    over: bool = False

    @property
    def wants_nudge(self) -> bool:
        """The last reply held no number. Whether a number was right plays no part, or nudges would leak the answer."""
        return not self.over and bool(self.rows) and self.rows[-1]["outcome"] == NO_NUMBER

    def user(self, text: str) -> None:
        """The user says something."""
        self.utterances.append(Utterance("user", text))

    def agent(self, reply: Reply) -> bool:
        """The agent's reply is taken in; False when there is none."""
        if reply.stop is not None:
            self.over = True
            return False
        chain = reply.chain
        self.utterances.append(Utterance("assistant", chain.text, chain.action, chain.state))
        return True


def talk(speaker: Replier, asked: Sequence[Problem], slots: tuple[str, ...], nudges: int, seed: int) -> list[Talk]:
    """Talk about a block of problems, all in lock-step."""
    talks = [Talk(problem) for problem in asked]
    for one in talks:
        one.user(one.problem.opening)
    for one, reply in _ask(speaker, talks, 0, slots, seed):
        if not one.agent(reply):
            one.rows.append(_row(one, reply, 0, "opening"))
    live = [one for one in talks if not one.over]
    for one in live:
        one.user(one.problem.ask)
    for attempt in range(nudges + 1):
        for one, reply in _ask(speaker, live, attempt + 1, slots, seed):
            one.agent(reply)
            one.rows.append(_row(one, reply, attempt, "question" if attempt == 0 else "nudge"))
        live = [one for one in live if one.wants_nudge]
        for one in live if attempt < nudges else []:
            one.user(NUDGE)
    return talks


def recall(speaker: Speaker, asked: Sequence[Problem], slots: tuple[str, ...], nudges: int, seed: int) -> None:
    """Go through a block that an earlier attempt finished, by the journal alone, so that what it cost is counted.

    Nobody is asked: a call that the journal does not hold had failed, and ended its talk.
    """
    talk(lambda asks: [speaker.recall(ask) or _forgotten() for ask in asks], asked, slots, nudges, seed)


def _forgotten() -> Reply:
    return Reply(Completion("", CompletionStatus.API_ERROR, ""), Chain(None, None, ""))


def _ask(
    speaker: Replier, talks: Sequence[Talk], exchange: int, slots: tuple[str, ...], seed: int
) -> list[tuple[Talk, Reply]]:
    if not talks:
        return []
    asks = [
        Ask(
            Scenario(one.problem.id, one.problem.opening, None, "test"),
            "assistant",
            exchange,
            history(one.utterances, "assistant", slots),
            derive_seed(seed, "maths", one.problem.id, exchange),
            slots=slots,
        )
        for one in talks
    ]
    return list(zip(talks, speaker(asks), strict=True))


def _row(one: Talk, reply: Reply, attempt: int, asked: str) -> dict[str, Any]:
    problem, failed = one.problem, reply.stop is not None
    found = [] if failed else numbers(reply.chain.text)
    state, action = reply.chain.state or State(), reply.chain.action or State()
    outcome = FAILED if failed else ANSWERED if found else NO_NUMBER
    return {
        "problem_id": problem.id,
        "kind": problem.kind,
        "question": problem.question,
        "answer": str(problem.answer),
        "answer_in_question": problem.answer_in_question,
        "attempt": attempt,
        "asked": asked,
        "outcome": outcome,
        "reply": reply.chain.text,
        "numbers": [str(number) for number in found],
        "last_right": None if failed else bool(found) and found[-1] == problem.answer,
        "any_right": None if failed else problem.answer in found,
        "u_motivation": state.motivation,
        "u_emotion": state.emotion,
        "a_motivation": action.motivation,
        "a_emotion": action.emotion,
        "tags": reply.form.value,
        "status": reply.completion.status.value,
        "error": reply.completion.error,
        "prompt_tokens": reply.completion.prompt_tokens,
        "completion_tokens": reply.completion.completion_tokens,
    }
