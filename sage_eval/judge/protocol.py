"""The protocol that every judge implements: presentations in, one reply each out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

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
    """Identity of the model, or rubric, that answered."""
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
