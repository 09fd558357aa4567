"""The shipped fake: answers what is scripted, fails as planted, and refuses everything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sage_data.chat import ChatBackend, CompletionStatus, Conversation, Message, Sampling, Steering, open_chat
from sage_data.chat.scripted import ScriptedBackend, open_scripted
from sage_data.errors import BackendError, UnscriptedPromptError

SCRIPT = {
    "model": "demo",
    "answers": [
        {"when": {"equals": "Hi"}, "say": ["Hello!", "Hey."], "logprob": -1.5},
        {"when": {"contains": "weather", "role": "user"}, "say": ["Sunny, with a"], "status": "truncated"},
        {"when": {"pattern": "^Judge "}, "status": "refused", "error": "I would rather not."},
        {"when": {"messages": 3}, "status": "empty"},
    ],
}


def asked(*contents: str) -> Conversation:
    return Conversation(tuple(Message("user" if i % 2 == 0 else "assistant", text) for i, text in enumerate(contents)))


@pytest.fixture
def backend(tmp_path: Path) -> ScriptedBackend:
    path = tmp_path / "script.json"
    path.write_text(json.dumps(SCRIPT), encoding="utf-8")
    return open_scripted(str(path))


def test_candidates_are_taken_in_order_and_go_round(backend: ScriptedBackend) -> None:
    rows = backend.generate([asked("Hi"), asked("Hi")], Sampling(), n=3)
    assert [[one.text for one in row] for row in rows] == [["Hello!", "Hey.", "Hello!"]] * 2
    assert all(one.ok and one.finish_reason == "stop" and one.logprob == -1.5 for row in rows for one in row)


@pytest.mark.parametrize(
    ("conversation", "status", "finish", "error"),
    [
        (asked("How is the weather?"), CompletionStatus.TRUNCATED, "length", None),
        (asked("Judge this."), CompletionStatus.REFUSED, None, "I would rather not."),
        (asked("a", "b", "c"), CompletionStatus.EMPTY, None, None),
    ],
)
def test_planted_failures_come_back_typed(
    backend: ScriptedBackend,
    conversation: Conversation,
    status: CompletionStatus,
    finish: str | None,
    error: str | None,
) -> None:
    [[one]] = backend.generate([conversation], Sampling())
    assert (one.status, one.finish_reason, one.error) == (status, finish, error)
    assert not one.ok


def test_the_unscripted_fails_loudly_and_names_the_message(backend: ScriptedBackend) -> None:
    with pytest.raises(UnscriptedPromptError, match="nothing scripted for the user message 'Tell me a story'"):
        backend.generate([asked("Hi"), asked("Tell me a story")], Sampling())


def test_role_is_a_condition_too() -> None:
    backend = ScriptedBackend.of({"Hi": "Hello!"})
    with pytest.raises(UnscriptedPromptError):
        backend.generate([asked("x", "Hi!")], Sampling())


def test_it_keeps_what_it_was_asked_and_is_a_chat_backend(backend: ScriptedBackend) -> None:
    conversations = [asked("Hi"), asked("Hi")]
    backend.generate(conversations, Sampling())
    assert backend.calls == conversations
    assert isinstance(backend, ChatBackend)


def test_steering_is_refused_rather_than_ignored(backend: ScriptedBackend) -> None:
    with pytest.raises(BackendError, match="cannot be steered"):
        backend.generate([asked("Hi")], Sampling(steering=Steering({"a_motivation": {"humor": 1.0}})))


def test_identity_names_the_words_not_the_file(backend: ScriptedBackend, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere.json"
    copy.write_text(json.dumps(SCRIPT), encoding="utf-8")
    other = tmp_path / "other.json"
    other.write_text(json.dumps({**SCRIPT, "answers": SCRIPT["answers"][:1]}), encoding="utf-8")
    assert open_chat(f"scripted:{copy}").identity == backend.identity
    assert open_chat(f"scripted:{other}").identity != backend.identity
    assert backend.identity.startswith("demo@")


@pytest.mark.parametrize(
    "text", ["", "[]", '{"answers": [{"say": []}]}', '{"answers": [{"say": ["a"], "stat": "ok"}]}', '{"model": "x"}']
)
def test_what_is_no_script_is_refused_with_its_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BackendError, match=r"bad\.json: cannot be read as a script"):
        open_scripted(str(path))


def test_a_missing_script_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="cannot be read as a script"):
        open_scripted(str(tmp_path / "none.json"))
