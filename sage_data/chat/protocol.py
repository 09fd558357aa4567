"""The protocol that every engine implements, and the plain values that pass through it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message as models see it: `content` may hold tags."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Steering:
    """Which words to make likelier inside which slot of the action or state tag (paper section 3.7)."""

    boost: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Slot name (`a_motivation`, `u_emotion`, ...) -> word or phrase -> amount added to its logit."""

    def __bool__(self) -> bool:
        return any(self.boost.values())


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to draw tokens. `temperature=0` means greedy; the paper's search uses 1.1, 100 and 1.1 (section 3.4)."""

    temperature: float = 0.0
    top_k: int = 0
    """Keep this many likeliest tokens; 0 keeps all."""
    repetition_penalty: float = 1.0
    max_tokens: int = 128
    """Upper bound of generated tokens, the end token not counted."""
    stop: tuple[str, ...] = ()
    """Texts that end the completion; the text itself is not returned."""
    steering: Steering | None = None
    """Applied by engines that can; an engine that cannot must refuse rather than ignore it."""
    json_schema: str | None = None
    """JSON Schema, as JSON text, that the reply should follow.

    A wish: engines that can, hold the reply to it; others leave it to the prompt. So whoever asks checks the reply.
    """


@dataclass(frozen=True, slots=True)
class Conversation:
    """What to answer: messages, and the seed of this one conversation's draws.

    Candidate i of a conversation depends on (`seed`, i) alone, never on what else is in the batch.
    """

    messages: tuple[Message, ...]
    seed: int = 0


class CompletionStatus(StrEnum):
    """What became of a request.

    Only `OK` may be read as an answer to a question (a verdict, an annotation, a choice). A rollout may speak the text
    of a `TRUNCATED` reply and records that it did.
    """

    OK = "ok"
    API_ERROR = "api_error"
    REFUSED = "refused"
    EMPTY = "empty"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True)
class Completion:
    """One candidate reply."""

    text: str
    status: CompletionStatus
    model: str
    """Identity of the model that answered."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    finish_reason: str | None = None
    logprob: float | None = None
    """Sum of the drawn tokens' log-probabilities under the unmodified model, natural log; None if unknown."""
    error: str | None = None
    """What the backend said, when the status is not `OK`."""
    tokens_estimated: bool = False
    """True when the server did not count the tokens, so that the backend estimated them."""

    @property
    def ok(self) -> bool:
        """True when the text may be used as an answer."""
        return self.status is CompletionStatus.OK


@runtime_checkable
class ChatBackend(Protocol):
    """A model that answers conversations, many at a time.

    A backend whose calls cost money or minutes sets `journaled = True`: a stage then keeps its finished calls. One that
    waits for others, as for a server, says in `at_once` how many threads may ask it at once; see `width_of`.
    """

    @property
    def identity(self) -> str:
        """Stable name of the model and its weights; goes into manifests and journal keys, never a secret or path."""
        ...

    def generate(self, conversations: Sequence[Conversation], sampling: Sampling, n: int = 1) -> list[list[Completion]]:
        """Answer each conversation with `n` candidates, in order: result[i][j] is candidate j of conversation i.

        Failures are completions with a typed status, not exceptions.

        Raises:
            BackendError: the backend cannot be used at all, or cannot honour `sampling`.
        """
        ...


@runtime_checkable
class StreamingChat(ChatBackend, Protocol):
    """A backend that hands over each answer as soon as it is there, so that none is lost when the process dies."""

    def stream(
        self, conversations: Iterable[Conversation], sampling: Sampling, n: int = 1
    ) -> Iterator[tuple[int, list[Completion]]]:
        """Yield (position of the conversation, its `n` candidates) in the order in which they finish.

        Conversations are taken from the iterable only as calls become free, so whoever feeds it may stop doing so.
        Everything that was taken is answered.

        Raises:
            BackendError: the backend cannot be used at all, or cannot honour `sampling`.
        """
        ...


def width_of(backend: ChatBackend) -> int:
    """How many conversations a backend answers side by side when as many threads ask; 1 where none may but one.

    Models in this process say nothing of it: they answer a whole batch at once, and from one thread.
    """
    return int(getattr(backend, "at_once", 1))
