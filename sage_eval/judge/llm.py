"""The judge that asks a chat model, with the paper's criteria (Appendix A) in our own words.

Dialogues are data: each utterance is one JSON line inside fences that carry a nonce, so nothing said in a dialogue
can close its fence. The nonce is a hash of both dialogues in the order shown, which keeps prompts reproducible and
cannot be written into a dialogue beforehand.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sage_data.chat.protocol import ChatBackend, Completion, CompletionStatus, Conversation, Message, Sampling
from sage_data.store.files import sha256_json
from sage_eval.judge.protocol import Reply
from sage_eval.judge.transcripts import Presentation, Transcript
from sage_eval.verdict import REPLIES, Choice, read_choice

PROMPTS = Path(__file__).with_name("prompts")
SYSTEM, USER = PROMPTS / "pairwise_system.txt", PROMPTS / "pairwise_user.txt"
NONCE_CHARS = 16
ESCAPES = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029)}
"""Control characters and line breaks that `json.dumps` leaves as they are, with their JSON escapes."""


@dataclass(frozen=True)
class ChatJudge:
    """Judges through any `ChatBackend`, one call a presentation."""

    name: str
    backend: ChatBackend
    max_tokens: int = 16
    """A verdict line takes fewer; a judge that explains itself is cut off, and counted as malformed."""
    seed: int = 0

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
        return Sampling(temperature=0.0, max_tokens=self.max_tokens)

    def judge(self, presentations: Sequence[Presentation]) -> list[Reply]:
        """Ask about all presentations in one batch."""
        if not presentations:
            return []
        conversations = [Conversation(prompt(one), self.seed) for one in presentations]
        answers = self.backend.generate(conversations, self._sampling, 1)
        return [_reply(asked, answer[0]) for asked, answer in zip(conversations, answers, strict=True)]


def prompt(shown: Presentation) -> tuple[Message, ...]:
    """The messages that ask about one presentation."""
    nonce = sha256_json(asdict(shown))[:NONCE_CHARS]
    values = {"nonce": nonce, "first": json_lines(shown.first), "second": json_lines(shown.second)}
    return Message("system", _read(SYSTEM)), Message("user", _read(USER).format(**values))


def json_lines(lines: Transcript) -> str:
    """One JSON object an utterance; line breaks and control characters inside a text are escaped."""
    written = (json.dumps({"speaker": line.speaker, "text": line.text}, ensure_ascii=False) for line in lines)
    return "\n".join(line.translate(ESCAPES) for line in written)


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
