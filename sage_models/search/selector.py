"""What a selector is: it looks at the candidates of each turn and chooses one, or says that none is good.

The paper's selector is a large language model (section 3.4); the offline one is `sage_models.search.rubric`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sage_data.chat import Message
from sage_data.rollout import Reply


@dataclass(frozen=True, slots=True)
class Choice:
    """One turn to decide."""

    messages: tuple[Message, ...]
    """The history as the agent saw it; its last message is the user's."""
    candidates: tuple[Reply, ...]
    """At least one; different from each other."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a selector thinks of one candidate."""

    score: float
    """Higher is better, between 0 and 1."""
    features: Mapping[str, float]
    """What the score is made of; may be empty."""
    acceptable: bool
    """Whether it may be chosen."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a selector says about one turn."""

    chosen: int | None
    """Index of the candidate it chooses; None when none is good."""
    best: int
    """Index of the candidate with the highest score, good or not."""
    verdicts: tuple[Verdict, ...]
    """One for each candidate."""
    raw: str | None = None
    """The selector's own words, when it is a model."""


class Selector(Protocol):
    """Chooses among candidates, for many turns at a time."""

    @property
    def identity(self) -> str:
        """Stable name, for manifests."""
        ...

    def select(self, choices: Sequence[Choice]) -> list[Selection]:
        """Decide each turn, in order."""
        ...
