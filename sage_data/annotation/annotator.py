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

    API_ERROR = "api_error"
    """The backend gave no answer."""
    REFUSED = "refused"
    """The model declined."""
    TRUNCATED = "truncated"
    """The reply reached the token limit."""
    EMPTY = "empty"
    """The reply holds nothing."""

    NOT_JSON = "not_json"
    """The reply is no JSON value, or more than one."""
    WRONG_SHAPE = "wrong_shape"
    """JSON, but a field is missing, unknown or of the wrong type."""
    WRONG_COUNT = "wrong_count"
    """More or fewer utterances than the dialogue has."""
    WRONG_INDEX = "wrong_index"
    """Utterances out of order, or numbered otherwise."""
    WRONG_ROLE = "wrong_role"
    """An utterance was given to the other speaker."""
    BAD_TAG = "bad_tag"
    """A motivation, emotion or topic that is no short tag, or too many topics."""
    EMPTY_TEXT = "empty_text"
    """A rewritten utterance holds nothing but white space."""
    BAD_TEXT = "bad_text"
    """A rewritten utterance holds control characters or tags that the original does not."""
    TEXT_CHANGED = "text_changed"
    """The text was to stay as it is."""
    TEXT_DRIFTED = "text_drifted"
    """A rewritten utterance shares too little with the original."""
    FACT_CHANGED = "fact_changed"
    """A number, name, negation or question vanished, a number or negation appeared, or a word became its opposite."""
    BRIDGE_NOT_ALLOWED = "bridge_not_allowed"
    """A question was added where none may be."""
    BRIDGE_NOT_QUESTION = "bridge_not_question"
    """What was added is not one short question."""


@dataclass(frozen=True, slots=True)
class AnnotationFailure:
    """A dialogue that could not be annotated, as it came in."""

    dialogue: Dialogue
    kind: FailureKind
    detail: str
    """What was expected and found."""
    reply: str | None = None
    """What the model said last, shortened; None where no model was asked or nothing came back."""


class Annotator(Protocol):
    """Names motivation, emotion and topics of each utterance (paper Appendix B)."""

    @property
    def identity(self) -> str:
        """Stable name of the method and its resources, for manifests."""
        ...

    def annotate(self, dialogues: Iterable[Dialogue]) -> Iterator[Dialogue | AnnotationFailure]:
        """One result a dialogue, in order: the dialogue with a state on each utterance, or a failure."""
        ...
