"""What every annotator does: it gives each utterance of a dialogue its state, or says why it could not.

for result in annotator.annotate(dialogues): ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from sage_data.dialogue import Dialogue


class FailureKind(StrEnum):
    """Why a dialogue could not be annotated."""

    NO_UTTERANCES = "no_utterances"
    """There is nothing to annotate."""


@dataclass(frozen=True, slots=True)
class AnnotationFailure:
    """A dialogue that could not be annotated, as it came in."""

    dialogue: Dialogue
    kind: FailureKind
    detail: str
    """What was expected and found."""


class Annotator(Protocol):
    """Names motivation, emotion and topics of each utterance (paper Appendix B)."""

    @property
    def identity(self) -> str:
        """Stable name of the method and its resources, for manifests."""
        ...

    def annotate(self, dialogues: Iterable[Dialogue]) -> Iterator[Dialogue | AnnotationFailure]:
        """One result a dialogue, in order: the dialogue with a state on each utterance, or a failure."""
        ...
