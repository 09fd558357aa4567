"""What passes between a reward judge and the model that scores for it.

Score(1.25, tokens=210)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from sage_eval.judge.transcripts import Transcript

DECIMALS = 4
"""Scores are rounded so far: beyond, they depend on what else was in the batch."""


@dataclass(frozen=True, slots=True)
class Score:
    """What a reward model says of one dialogue."""

    value: float | None
    """None when there is none."""
    tokens: int = 0
    """Length of the dialogue as it was scored."""
    error: str | None = None
    """Why there is no score."""


class Scorer(Protocol):
    """Gives dialogues numbers."""

    def score(self, transcripts: Sequence[Transcript]) -> list[Score]:
        """Score each dialogue on its own, in order."""
        ...


class Options(BaseModel):
    """The query part of a reward judge's URI; `sage_eval.judge.reward` says what each means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    margin: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)
    label: str | None = None
    batch: int = Field(default=8, ge=1)
    max_length: int | None = Field(default=None, ge=1)
    device: str = "auto"


def as_messages(lines: Transcript) -> list[Mapping[str, str]]:
    """A transcript as chat templates take it."""
    return [{"role": line.speaker, "content": line.text} for line in lines]


def as_text(lines: Transcript) -> str:
    """A transcript for a tokenizer without a chat template: one line an utterance."""
    return "\n".join(f"{line.speaker.capitalize()}: {line.text}" for line in lines)
