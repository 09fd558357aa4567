"""Real models behind real OpenAI-compatible servers: what the misbehaving server of the other tests cannot show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from real_servers import make_tiny_model, transformers_server, vllm_server

from sage_data.chat import CompletionStatus, Conversation, Message, Sampling, open_chat

TEXTS = ["I lost my keys at the station today.", "Oh no! Where did you see them last?", "That must be hard."]
SCHEMA = {
    "type": "object",
    "properties": {"mood": {"type": "string", "enum": ["glad", "sad"]}},
    "required": ["mood"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("served") / "model", TEXTS)


@pytest.fixture(scope="module")
def vllm(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URI of the model behind vLLM."""
    with vllm_server(tiny_model, tmp_path_factory.mktemp("log") / "vllm.log") as url:
        yield f"openai:tiny@{url}"


@pytest.fixture(scope="module")
def transformers(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URI of the model behind `transformers serve`, which answers one request at a time."""
    with transformers_server(tiny_model, tmp_path_factory.mktemp("log") / "transformers.log") as url:
        yield f"openai:{tiny_model}@{url}?concurrency=2"


@pytest.fixture(
    params=[pytest.param("vllm", marks=pytest.mark.vllm), pytest.param("transformers", marks=pytest.mark.slow)]
)
def server(request: pytest.FixtureRequest) -> str:
    """Each kind of server."""
    return str(request.getfixturevalue(request.param))


def ask(*texts: str, seed: int = 0) -> list[Conversation]:
    return [Conversation((Message("user", text),), seed=seed) for text in texts]


def test_each_conversation_is_answered_within_its_bounds(server: str) -> None:
    answers = open_chat(server).generate(ask(*TEXTS), Sampling(max_tokens=8))
    assert [len(one) for one in answers] == [1, 1, 1]
    for (completion,) in answers:
        assert completion.status in (CompletionStatus.OK, CompletionStatus.TRUNCATED)
        assert 0 < completion.completion_tokens <= 8
        assert completion.prompt_tokens > 0


def test_greedy_answers_are_the_same_again(server: str) -> None:
    chat = open_chat(server)
    first, second = (chat.generate(ask(TEXTS[0]), Sampling(max_tokens=12)) for _ in range(2))
    assert [one.text for one in first[0]] == [one.text for one in second[0]]


def test_there_are_as_many_candidates_as_asked_for(server: str) -> None:
    (candidates,) = open_chat(server).generate(ask(TEXTS[0]), Sampling(temperature=1.0, max_tokens=12), n=4)
    assert len(candidates) == 4


@pytest.mark.vllm
def test_candidates_differ_and_come_again_with_their_seed(vllm: str) -> None:
    sampling = Sampling(temperature=2.0, max_tokens=12)
    (first,), (again,), (other,) = (
        open_chat(vllm).generate(ask(TEXTS[0], seed=seed), sampling, n=4) for seed in (1, 1, 2)
    )
    assert len({one.text for one in first}) > 1
    assert [one.text for one in first] == [one.text for one in again] != [one.text for one in other]


@pytest.mark.vllm
def test_a_schema_holds_a_model_that_knows_nothing_of_it(vllm: str) -> None:
    sampling = Sampling(temperature=1.0, max_tokens=64, json_schema=json.dumps(SCHEMA))
    answers = open_chat(vllm).generate(ask(*TEXTS), sampling)
    assert all(json.loads(one.text)["mood"] in ("glad", "sad") for (one,) in answers)
