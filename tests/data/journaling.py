"""Backends and conversations for tests of the journal.

JournaledChat(Stream(), journal).generate(many(9), Sampling())
"""

from collections.abc import Iterable, Iterator, Sequence

from sage_data.chat import Completion, CompletionStatus, Conversation, Message, Sampling
from sage_data.errors import BackendError


def asks(*texts: str) -> list[Conversation]:
    return [Conversation((Message("user", text),)) for text in texts]


def many(count: int) -> list[Conversation]:
    return asks(*(f"row {index}" for index in range(count)))


def said(text: str, status: CompletionStatus = CompletionStatus.OK) -> Completion:
    return Completion(text, status, "fake", prompt_tokens=10, completion_tokens=5)


class Batch:
    """A backend that answers whole batches; "bad" fails until it is mended."""

    identity = "fake"
    journaled = True

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.mended = False

    def generate(self, conversations: Sequence[Conversation], sampling: Sampling, n: int = 1) -> list[list[Completion]]:
        return [self.answer(one) for one in conversations]

    def answer(self, conversation: Conversation) -> list[Completion]:
        text = conversation.messages[-1].content
        self.asked.append(text)
        bad = text == "bad" and not self.mended
        return [said("" if bad else f"re: {text}", CompletionStatus.API_ERROR if bad else CompletionStatus.OK)]


class Stream(Batch):
    """One that streams, `width` at a time, last in first out; dies after `dies_after` answers."""

    def __init__(self, width: int = 4, dies_after: int | None = None) -> None:
        super().__init__()
        self.width, self.left = width, dies_after
        self.most_behind = 0
        self.closed = False
        self.streams = 0

    def stream(
        self, conversations: Iterable[Conversation], sampling: Sampling, n: int = 1
    ) -> Iterator[tuple[int, list[Completion]]]:
        self.streams += 1
        source = enumerate(conversations)
        held: list[tuple[int, Conversation]] = []
        try:
            while True:
                while len(held) < self.width and (one := next(source, None)) is not None:
                    held.append(one)
                self.most_behind = max(self.most_behind, len(held))
                if not held:
                    return
                if self.left == 0:
                    raise BackendError("planted")
                self.left = None if self.left is None else self.left - 1
                position, conversation = held.pop()
                yield position, self.answer(conversation)
        finally:
            self.closed = True
