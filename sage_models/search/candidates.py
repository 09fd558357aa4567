"""Draw many candidates for each reply, let a selector choose, and keep every candidate with what was thought of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import pyarrow as pa

from sage_data.dialogue import State
from sage_data.rollout import Ask, Reply, Speaker, StopReason
from sage_data.rollout.recording import rounded
from sage_data.stage import derive_seed
from sage_models.search.rubric import FEATURES
from sage_models.search.selector import Choice, Selection, Selector, Verdict

_MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
CANDIDATE_SCHEMA = pa.schema(
    [
        ("dialogue_id", pa.string()),
        ("scenario_id", pa.string()),
        ("turn", pa.int64()),
        ("candidate", pa.int64()),
        ("draw", pa.int64()),
        ("merged_into", pa.int64()),
        ("selected", pa.bool_()),
        ("chosen_by", pa.string()),
        ("context", pa.list_(_MESSAGE)),
        ("forgotten", pa.int64()),
        ("content", pa.string()),
        ("text", pa.string()),
        *[(f"{prefix}_{slot}", pa.string()) for prefix in "ua" for slot in ("motivation", "emotion")],
        *[(f"{prefix}_topics", pa.list_(pa.string())) for prefix in "ua"],
        ("score", pa.float64()),
        ("acceptable", pa.bool_()),
        *[(f"score_{name}", pa.float64()) for name in FEATURES],
        ("selector_reply", pa.string()),
        ("logprob", pa.float64()),
        ("completion_tokens", pa.int64()),
        ("status", pa.string()),
        ("problems", pa.list_(pa.string())),
    ]
)
"""One row a candidate. `turn`: number of the reply in its dialogue, from 0. `draw`: 0, or 1 for the second draw.
`merged_into`: the candidate with the very same content that stands for it before the selector; null if it is itself.
`context`: the messages the model saw, `forgotten` older ones left out. `content`: as generated, tags included."""


class ChosenBy(StrEnum):
    """How a turn's reply came to be chosen."""

    SELECTOR = "selector"
    SECOND_DRAW = "second_draw"
    """None of the first candidates was good; one of the second draw is."""
    FALLBACK = "fallback"
    """None was good twice; the best of all was kept."""
    NOTHING = "nothing"
    """No candidate had any text; the dialogue ends."""


@dataclass
class _Turn:
    """One turn's candidates on the way to a decision."""

    ask: Ask
    replies: list[Reply]
    second: int
    """Number of the first candidate of the second draw; the number of candidates while there is none."""
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    raw: str | None = None
    chosen: int | None = None
    best: int | None = None
    chosen_by: ChosenBy = ChosenBy.NOTHING

    def leaders(self) -> list[int]:
        """Return the candidates that have text, the first of each set of identical ones."""
        first: dict[str, int] = {}
        for number, reply in enumerate(self.replies):
            if reply.stop is None:
                first.setdefault(reply.completion.text, number)
        return list(first.values())

    def choice(self) -> Choice:
        """Put the turn before a selector."""
        replies = tuple(self.replies[number] for number in self.leaders())
        return Choice(self.ask.messages[replies[0].forgotten :], replies)

    def learn(self, selection: Selection) -> None:
        """Take what the selector says about `choice()`."""
        numbers = self.leaders()
        self.verdicts = dict(zip(numbers, selection.verdicts, strict=True))
        self.raw = selection.raw
        self.best = numbers[selection.best]
        if selection.chosen is not None:
            self.chosen = numbers[selection.chosen]
            self.chosen_by = ChosenBy.SELECTOR if self.second == len(self.replies) else ChosenBy.SECOND_DRAW

    def reply(self) -> Reply:
        """Return the reply that stands, falling back on the best; without any text, a failure before an empty one."""
        if self.chosen is None and self.best is not None:
            self.chosen, self.chosen_by = self.best, ChosenBy.FALLBACK
        if self.chosen is not None:
            return self.replies[self.chosen]
        return next((reply for reply in self.replies if reply.stop is StopReason.FAILED), self.replies[0])

    def rows(self) -> list[dict[str, Any]]:
        """Return one row for each candidate, see CANDIDATE_SCHEMA."""
        leader = {self.replies[number].completion.text: number for number in self.leaders()}
        return [self._row(number, reply, leader) for number, reply in enumerate(self.replies)]

    def _row(self, number: int, reply: Reply, leader: dict[str, int]) -> dict[str, Any]:
        ask, completion = self.ask, reply.completion
        stands = number if reply.stop is not None else leader.get(completion.text, number)
        verdict = self.verdicts.get(stands)
        return {
            "dialogue_id": ask.scenario.id,
            "scenario_id": ask.scenario.id,
            "turn": ask.exchange,
            "candidate": number,
            "draw": int(number >= self.second),
            "merged_into": None if stands == number else stands,
            "selected": number == self.chosen,
            "chosen_by": self.chosen_by.value,
            "context": [{"role": one.role, "content": one.content} for one in ask.messages[reply.forgotten :]],
            "forgotten": reply.forgotten,
            "content": completion.text,
            "text": reply.chain.text,
            **_slots("u", reply.chain.state),
            **_slots("a", reply.chain.action),
            "score": verdict.score if verdict else None,
            "acceptable": verdict.acceptable if verdict else False,
            **{f"score_{name}": verdict.features.get(name) if verdict else None for name in FEATURES},
            "selector_reply": self.raw,
            "logprob": rounded(completion.logprob),
            "completion_tokens": completion.completion_tokens,
            "status": completion.status.value,
            "problems": list(reply.problems),
        }


@dataclass
class SearchingSpeaker:
    """A role in a dialogue that thinks of `candidates` replies and says the one its selector chooses."""

    speaker: Speaker
    selector: Selector
    candidates: int
    turns: list[_Turn] = field(default_factory=list)
    """Every turn so far, in the order asked."""

    def __call__(self, asks: Sequence[Ask]) -> list[Reply]:
        """Answer each ask; see `sage_data.rollout.Replier`."""
        turns = [_Turn(ask, row, len(row)) for ask, row in zip(asks, self._draw(asks), strict=True)]
        self._select(turns)
        undecided = [turn for turn in turns if turn.chosen is None]
        if undecided:
            again = [replace(turn.ask, seed=derive_seed(turn.ask.seed, "second draw")) for turn in undecided]
            for turn, row in zip(undecided, self._draw(again), strict=True):
                turn.replies += row
            self._select(undecided)
        self.turns += turns
        return [turn.reply() for turn in turns]

    def rows(self) -> list[dict[str, Any]]:
        """Return every candidate drawn so far, see CANDIDATE_SCHEMA."""
        return [row for turn in self.turns for row in turn.rows()]

    def _draw(self, asks: Sequence[Ask]) -> list[list[Reply]]:
        return self.speaker.draw(asks, self.candidates)

    def _select(self, turns: Sequence[_Turn]) -> None:
        ready = [turn for turn in turns if turn.leaders()]
        for turn, selection in zip(ready, self.selector.select([turn.choice() for turn in ready]), strict=True):
            turn.learn(selection)


def _slots(prefix: str, state: State | None) -> dict[str, Any]:
    known = state or State()
    return {
        f"{prefix}_motivation": known.motivation,
        f"{prefix}_emotion": known.emotion,
        f"{prefix}_topics": list(known.topics),
    }
