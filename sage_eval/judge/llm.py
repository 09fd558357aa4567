"""The judge that asks a chat model, with the paper's criteria (Appendix A) in our own words.

Dialogues are data: each utterance is one JSON line inside fences that carry a nonce, so nothing said in a dialogue
can close its fence, and nothing in it can be taken for a mark of a chat template. The nonce is a hash of the seed and
of both dialogues in the order shown, drawn again should a dialogue hold it: prompts are reproducible, and no dialogue
can be written that knows its own.

The verdict is one small JSON object. A server that can is held to it by a schema; the reply is matched whole all the
same, and one that is anything else is malformed.

    ChatJudge("mixtral", open_chat("openai:MODEL@URL"), seed=7).judge([Presentation(first, second)])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

from sage_data.chat.protocol import ChatBackend, Completion, CompletionStatus, Conversation, Message, Sampling
from sage_data.chat.quoting import json_line
from sage_data.stage import derive_seed
from sage_data.store.files import sha256_json
from sage_eval.judge.protocol import Reply
from sage_eval.judge.transcripts import Presentation, Transcript
from sage_eval.verdict import REPLIES, REPLY_SCHEMA, Choice, read_choice

PROMPTS = Path(__file__).with_name("prompts")
SYSTEM, USER = PROMPTS / "pairwise_system.txt", PROMPTS / "pairwise_user.txt"
NONCE_CHARS = 16
MAX_TOKENS = 32
"""A verdict takes fewer; a judge that explains itself is cut off, and counted as malformed."""


@dataclass(frozen=True)
class ChatJudge:
    """Judges through any `ChatBackend`, one call a presentation."""

    name: str
    backend: ChatBackend
    max_tokens: int = MAX_TOKENS
    seed: int = 0
    temperature: float = 0.0
    constrained: bool = True
    """Whether the backend is asked to hold the reply to the schema; one that cannot leaves it to the prompt."""

    @property
    def identity(self) -> str:
        """The backend's identity."""
        return self.backend.identity

    @property
    def spec_hash(self) -> str:
        """Hash of model, prompts, sampling and the replies that count as verdicts."""
        return sha256_json(
            {
                "model": self.identity,
                "system": _read(SYSTEM),
                "user": _read(USER),
                "sampling": asdict(self._sampling),
                "seed": self.seed,
                "replies": dict(REPLIES),
            }
        )

    @property
    def _sampling(self) -> Sampling:
        schema = REPLY_SCHEMA if self.constrained else None
        return Sampling(temperature=self.temperature, max_tokens=self.max_tokens, json_schema=schema)

    def judge(self, presentations: Sequence[Presentation]) -> list[Reply]:
        """Ask about all presentations in one batch."""
        if not presentations:
            return []
        conversations = [Conversation(prompt(one, self.seed), self._seed(one)) for one in presentations]
        answers = self.backend.generate(conversations, self._sampling, 1)
        return [_reply(asked, answer[0]) for asked, answer in zip(conversations, answers, strict=True)]

    def characters(self, presentation: Presentation) -> int:
        """Length of both messages."""
        return sum(len(message.content) for message in prompt(presentation, self.seed))

    def _seed(self, shown: Presentation) -> int:
        """A replicate has a seed of its own, so neither the journal nor a server's cache can answer for it."""
        return derive_seed(self.seed, "judge", "replicate", shown.replicate) if shown.replicate else self.seed


def prompt(shown: Presentation, seed: int = 0) -> tuple[Message, ...]:
    """The messages that ask about one presentation; the same for each replicate of it."""
    first, second = json_lines(shown.first), json_lines(shown.second)
    values = {"nonce": nonce(first, second, seed), "first": first, "second": second}
    return Message("system", _read(SYSTEM)), Message("user", _read(USER).format(**values))


def nonce(first: str, second: str, seed: int) -> str:
    """A code that neither text holds, the same for the same texts, order and seed."""
    drawn = (sha256_json([seed, first, second, turn])[:NONCE_CHARS] for turn in count())
    return next(code for code in drawn if code not in first and code not in second)


def json_lines(lines: Transcript) -> str:
    r"""One JSON object an utterance; line breaks, control characters and marks such as `<|im_end|>` are escaped."""
    return "\n".join(json_line(line.speaker, line.text) for line in lines)


def _reply(asked: Conversation, answer: Completion) -> Reply:
    return Reply(
        choice=choice_of(answer),
        raw=answer.text,
        status=answer.status,
        prompt_hash=sha256_json([asdict(message) for message in asked.messages]),
        model=answer.model,
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
        error=answer.error,
    )


def choice_of(answer: Completion) -> Choice:
    """Read a completion. Only a finished one can hold a verdict, whatever the text of another may look like.

    A backend that never answered is an error; one that refused, said nothing or was cut off answered malformed.
    """
    if answer.status is CompletionStatus.OK:
        return read_choice(answer.text)
    return Choice.ERROR if answer.status is CompletionStatus.API_ERROR else Choice.MALFORMED


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").rstrip("\n")
