"""The shipped fake: a backend that answers from a script and refuses to make anything up. For tests and trials.

A script is a JSON file, or the same as Python values:

    {
      "model": "scripted-demo",
      "answers": [
        {"when": {"equals": "I lost my keys."}, "say": ["Oh no! Where did you last see them?", "Bad luck."]},
        {"when": {"role": "user", "contains": "weather"}, "say": ["Sunny, with a"], "status": "truncated"},
        {"when": {"pattern": "^Judge "}, "status": "refused", "error": "I would rather not."}
      ]
    }

`when` looks at the conversation's last message; all its conditions must hold, and the first entry that fits answers.
Candidate j takes entry j of `say`, going round. A conversation that no entry fits raises UnscriptedPromptError: a test
that asks something new must say what comes back.

    sage_data.chat.open_chat("scripted:answers.json")
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sage_data.chat.protocol import Completion, CompletionStatus, Conversation, Sampling
from sage_data.errors import BackendError, UnscriptedPromptError

_SHOWN = 200


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class When(_Strict):
    """Conditions on a conversation; those left out always hold."""

    equals: str | None = Field(default=None, description="The last message's whole content.")
    contains: str | None = Field(default=None, description="A part of the last message.")
    pattern: str | None = Field(default=None, description="A regular expression found in the last message.")
    role: str | None = Field(default=None, description="Role of the last message.")
    messages: int | None = Field(default=None, description="Number of messages in the conversation.")

    def fits(self, conversation: Conversation) -> bool:
        """Tell whether every condition holds."""
        last = conversation.messages[-1]
        return all(
            (
                self.equals is None or self.equals == last.content,
                self.contains is None or self.contains in last.content,
                self.pattern is None or re.search(self.pattern, last.content) is not None,
                self.role is None or self.role == last.role,
                self.messages is None or self.messages == len(conversation.messages),
            )
        )


class Answer(_Strict):
    """One entry of a script."""

    when: When = When()
    say: tuple[str, ...] = Field(default=(), description="The candidates, in order.")
    status: CompletionStatus = Field(default=CompletionStatus.OK, description="What to pretend became of the request.")
    error: str | None = None
    finish_reason: str | None = Field(default=None, description='Default: "stop", or "length" when truncated.')
    logprob: float | None = None

    @model_validator(mode="after")
    def _has_text_when_it_needs_one(self) -> Answer:
        if not self.say and self.status in (CompletionStatus.OK, CompletionStatus.TRUNCATED):
            raise ValueError(f"an answer with status {self.status.value!r} must say something")
        return self


class Script(_Strict):
    """What the fake knows."""

    model: str = Field(default="scripted", description="Name it goes by.")
    answers: tuple[Answer, ...]


class ScriptedBackend:
    """A `ChatBackend` that answers from a `Script`; `calls` keeps every conversation it was asked, in order."""

    journaled = True
    """It stands in for backends whose calls cost money, so its finished calls are kept like theirs."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.calls: list[Conversation] = []

    @classmethod
    def of(cls, answers: Mapping[str, str | Sequence[str]], model: str = "scripted") -> ScriptedBackend:
        """Answer each last message, given word for word, with a reply or with a list of candidates."""
        entries = tuple(
            Answer(when=When(equals=asked), say=(said,) if isinstance(said, str) else tuple(said))
            for asked, said in answers.items()
        )
        return cls(Script(model=model, answers=entries))

    @property
    def identity(self) -> str:
        """The script's name and the hash of all it says."""
        digest = hashlib.sha256(self._script.model_dump_json().encode()).hexdigest()
        return f"{self._script.model}@{digest[:16]}"

    def generate(self, conversations: Sequence[Conversation], sampling: Sampling, n: int = 1) -> list[list[Completion]]:
        """Answer each conversation with `n` candidates; see `ChatBackend.generate`.

        Raises:
            UnscriptedPromptError: no entry fits a conversation.
            BackendError: `sampling` asks for steering, which a script cannot honour.
        """
        if sampling.steering:
            raise BackendError("the scripted backend cannot be steered", next_step="use an hf: backend")
        return [self._answer(conversation, n) for conversation in conversations]

    def _answer(self, conversation: Conversation, n: int) -> list[Completion]:
        self.calls.append(conversation)
        answer = next((one for one in self._script.answers if one.when.fits(conversation)), None)
        if answer is None:
            last = conversation.messages[-1]
            raise UnscriptedPromptError(
                f"{self._script.model}: nothing scripted for the {last.role} message {last.content[:_SHOWN]!r} "
                f"(message {len(conversation.messages)} of its conversation)",
                next_step="add an entry to the script whose `when` fits it",
            )
        return [self._completion(answer, conversation, candidate) for candidate in range(n)]

    def _completion(self, answer: Answer, conversation: Conversation, candidate: int) -> Completion:
        text = answer.say[candidate % len(answer.say)] if answer.say else ""
        usual = {CompletionStatus.OK: "stop", CompletionStatus.TRUNCATED: "length"}
        return Completion(
            text=text,
            status=answer.status,
            model=self.identity,
            prompt_tokens=sum(len(message.content.split()) for message in conversation.messages),
            completion_tokens=len(text.split()),
            finish_reason=answer.finish_reason or usual.get(answer.status),
            logprob=answer.logprob,
            error=answer.error,
        )


def open_scripted(rest: str) -> ScriptedBackend:
    """Open the script in the JSON file `rest`.

    Raises:
        BackendError: there is no such file, or it is not a script.
    """
    try:
        raw: Any = json.loads(Path(rest).read_text(encoding="utf-8"))
        return ScriptedBackend(Script.model_validate(raw))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, ValidationError) as error:
        raise BackendError(
            f"{rest}: cannot be read as a script: {error}",
            next_step='the file should look like {"answers": [{"when": {"equals": "Hi"}, "say": ["Hello!"]}]}',
        ) from error
