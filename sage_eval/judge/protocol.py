"""The protocol that every judge implements: presentations in, one reply each out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from sage_data.chat.protocol import CompletionStatus
from sage_eval.judge.transcripts import Presentation
from sage_eval.verdict import Choice


@dataclass(frozen=True, slots=True)
class Reply:
    """What a judge answered to one presentation."""

    choice: Choice
    raw: str
    """The answer as it came; for a rubric, the two scores."""
    status: CompletionStatus
    prompt_hash: str
    """SHA-256 of everything the judge was shown."""
    model: str
    """Who answered, as they call themselves: for a server, the model and version it reports."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    error: str | None = None


class Judge(Protocol):
    """Compares dialogues by seat; it never learns which model sits where."""

    @property
    def name(self) -> str:
        """Short name for tables."""
        ...

    @property
    def spec_hash(self) -> str:
        """Hash of everything but the dialogues that the judge's answers depend on."""
        ...

    @property
    def identity(self) -> str:
        """Identity of the judging model, to be compared with the candidates'."""
        ...

    def judge(self, presentations: Sequence[Presentation]) -> list[Reply]:
        """Answer every presentation, in order; failures are replies with a typed status."""
        ...


@runtime_checkable
class PaidJudge(Judge, Protocol):
    """A judge whose calls may cost money, so that a pilot should tell beforehand how much."""

    def characters(self, presentation: Presentation) -> int:
        """Length of all that is sent to ask about one presentation."""
        ...
