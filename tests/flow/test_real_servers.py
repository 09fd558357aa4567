"""Real models behind real OpenAI-compatible servers: what the misbehaving server of the other tests cannot show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from real_servers import make_tiny_model, transformers_server, vllm_server

from sage_data.annotation.llm.prompt import Mode, Prompt
from sage_data.annotation.llm.request import Request
from sage_data.annotation.llm.tags import shipped_tags
from sage_data.chat import CompletionStatus, Conversation, Message, Sampling, open_chat
from sage_data.dialogue import Dialogue, Role, Utterance
from sage_data.stage import Context, run_stage
from sage_data.store.dialogues import read_dialogues, to_table
from sage_data.store.shards import shard_name, write_table

TEXTS = ["I lost my keys at the station today.", "Oh no! Where did you see them last?", "That must be hard."]
SCHEMA = {
    "type": "object",
    "properties": {"mood": {"type": "string", "enum": ["glad", "sad"]}},
    "required": ["mood"],
    "additionalProperties": False,
}


TALKS = {
    f"d{number}": (f"My {animal} is {mood} today.", "Is it often like that?", f"Only when the {animal} is hungry.")
    for number, (animal, mood) in enumerate([("cat", "loud"), ("dog", "shy"), ("horse", "wild"), ("parrot", "rude")])
}
STATES = (("sharing", "amused"), ("asking", "curious"), ("explaining", "hopeful"))


def dialogue(name: str) -> Dialogue:
    roles: tuple[Role, ...] = ("user", "assistant", "user")
    return Dialogue(name, tuple(Utterance(role, text) for role, text in zip(roles, TALKS[name], strict=True)))


def annotation(name: str) -> str:
    """What the model is taught to answer about a dialogue."""
    topic = TALKS[name][0].split()[1]
    entries = [
        {
            "index": index,
            "role": utterance.role,
            "motivation": motivation,
            "emotion": emotion,
            "topics": [topic],
        }
        for index, (utterance, (motivation, emotion)) in enumerate(zip(dialogue(name).utterances, STATES, strict=True))
    ]
    return json.dumps({"utterances": entries}, separators=(",", ":"))


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says `TEXTS` when greeted, and knows how three of the four dialogues are annotated."""
    request = Request(Prompt.load(Mode(keep_text=True), shipped_tags()))
    chat = [((Message("user", text),), text) for text in TEXTS]
    taught = [(request.messages(dialogue(name).utterances), annotation(name)) for name in list(TALKS)[:3]]
    return make_tiny_model(tmp_path_factory.mktemp("served") / "model", [*chat, *taught], steps=60)


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


@pytest.mark.vllm
def test_a_real_model_annotates_what_it_was_taught(vllm: str, tmp_path: Path) -> None:
    write_table(tmp_path / "in" / shard_name("dialogues", 0), to_table(dialogue(name) for name in TALKS))
    options = {"annotator": "llm", "model": vllm, "keep_text": True, "temperature": 0.0, "pilot_rows": 0}
    options |= {"input_price": 1.0, "output_price": 1.0, "max_tokens": 512}
    context = Context(journal=tmp_path / "journal.sqlite")
    manifest = run_stage("sage_data.annotation", options, {"dialogues": [tmp_path / "in"]}, tmp_path / "out", context)
    annotated = {one.id: one for one in read_dialogues(tmp_path / "out")}
    for name in list(TALKS)[:3]:
        states = [one.state for one in annotated[name].utterances]
        assert [(one.motivation, one.emotion) for one in states if one] == list(STATES)
        assert [one.text for one in annotated[name].utterances] == list(TALKS[name])
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["calls"] >= 4
    assert report["cost_usd"] == pytest.approx((report["prompt_tokens"] + report["completion_tokens"]) / 1e6)
    # What it was not taught it may get wrong: that is asked once more, and then kept apart.
    failed = {one.id for one in read_dialogues(tmp_path / "out" / "rejected")} if manifest.failures else set()
    assert annotated.keys() | failed == TALKS.keys()
    assert len(failed) == report["failed"]["count"] <= 1
