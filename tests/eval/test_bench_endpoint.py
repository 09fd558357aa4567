"""Benchmarks through a real HTTP server: the same scores as the checkpoint behind it, and no failure scored."""

import json

import pytest
from bench_material import write_checkpoint, write_tasks
from chat_server import FILTERED, NO_CHOICES, NULL_CONTENT, ChatServer, Fault, always
from completions_server import CompletionsServer

from sage_data.errors import BackendError, ConfigError, InputError
from sage_data.stage import run_stage
from sage_data.store.shards import read_table

pytestmark = pytest.mark.slow

pytest.importorskip("lm_eval")
SECRET = "sk-very-secret-0123456789"


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    folder = tmp_path_factory.mktemp("endpoint")
    return {"tokenizer": [write_checkpoint(folder / "model", 3)], "tasks": [write_tasks(folder / "tasks")]}


@pytest.fixture
def server(material):
    with CompletionsServer(material["tokenizer"][0]) as running:
        yield running


def bench(server, material, out, options="attempts=1", **config):
    uri = f"openai:tiny@{server.url}?{options}"
    return run_stage("sage_eval.bench", {"model_uri": uri, "batch_size": 4, **config}, material, out)


def chat(server, material, out, **config):
    tasks = {"tasks": material["tasks"]}
    return bench(server, tasks, out, **{"api": "chat", "names": ["tiny_sums"], **config})


@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_server_gives_the_scores_of_the_checkpoint_behind_it(server, material, tmp_path, concurrency):
    manifest = bench(server, material, tmp_path / "served", f"concurrency={concurrency}", max_length=256)
    direct = {"model": material["tokenizer"], "tasks": material["tasks"]}
    run_stage("sage_eval.bench", {"batch_size": 4}, direct, tmp_path / "direct")
    served, here = (read_table(tmp_path / name, "bench_samples").to_pylist() for name in ("served", "direct"))
    assert len(served) == len(here) == 2 * 9 + 2 * 4
    for one, other in zip(served, here, strict=True):
        assert one.pop("loglikelihoods") == pytest.approx(other.pop("loglikelihoods"), abs=1e-4)
        assert one == other
    assert manifest.models == {"candidate": "tiny"}
    assert "127.0.0.1" not in (tmp_path / "served" / "manifest.json").read_text()


def test_the_key_is_sent_and_never_written(material, tmp_path, monkeypatch):
    monkeypatch.setenv("SAGE_TEST_KEY", SECRET)
    with CompletionsServer(material["tokenizer"][0], key=SECRET) as server:
        options = "attempts=1&key_env=SAGE_TEST_KEY"
        bench(server, material, tmp_path / "out", options, names=["tiny_sums"], limit=2)
        assert set(server.keys) == {SECRET}
        monkeypatch.setenv("SAGE_TEST_KEY", wrong := f"{SECRET}-wrong")
        with pytest.raises(BackendError) as error:
            bench(server, material, tmp_path / "refused", options)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]
    assert wrong not in str(error.value)
    assert "401" in str(error.value)


def test_another_key_of_the_environment_is_not_sent_to_an_address_that_anyone_could_read(monkeypatch):
    from sage_data.chat.openai.address import parse_address
    from sage_eval.bench.endpoint import Api, open_endpoint

    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    clients = {
        url: open_endpoint(parse_address(f"m@{url}"), Api.CHAT, {"batch_size": 1})
        for url in ("http://example.org/v1", "https://example.org/v1")
    }
    sent = {url: client.header.get("Authorization") for url, client in clients.items()}
    assert sent == {"http://example.org/v1": None, "https://example.org/v1": f"Bearer {SECRET}"}


def no_echo(answer):
    for choice in answer["choices"]:
        if choice["logprobs"]:
            choice["logprobs"] = {name: values[-1:] for name, values in choice["logprobs"].items()}
    return answer


def without(name):
    return lambda answer: {**answer, "choices": [{**choice, name: None} for choice in answer["choices"]]}


@pytest.mark.parametrize("change", [no_echo, without("logprobs")])
def test_a_server_without_prompt_logprobs_is_refused_before_anything_runs(server, material, tmp_path, change):
    server.change = change
    with pytest.raises(BackendError, match=r"nothing was run: these tasks score given text.*one more \(echo\)"):
        bench(server, material, tmp_path / "out")
    assert len(server.calls) == 1


def error_body(answer):
    return {"error": {"message": "overloaded", "type": "server_error"}}


def one_missing(answer):
    return {**answer, "choices": answer["choices"][:-1]}


def not_finite(answer):
    logprobs = answer["choices"][0]["logprobs"]
    logprobs["token_logprobs"][2] = None
    return answer


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize("change", [error_body, one_missing, not_finite, without("logprobs")])
def test_an_answer_that_is_none_ends_the_run_instead_of_being_scored(server, material, tmp_path, change, concurrency):
    good = iter(range(2))
    server.change = lambda answer: answer if next(good, None) is not None else change(answer)
    with pytest.raises(BackendError, match="tiny: expected"):
        bench(server, material, tmp_path / "out", f"attempts=1&concurrency={concurrency}", names=["tiny_animals"])
    assert len(server.calls) > 2
    assert not list(tmp_path.rglob("bench_samples*"))


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize(
    "fault", [NO_CHOICES, NULL_CONTENT, FILTERED, Fault("error", body=json.dumps({"error": {"message": "quota"}}))]
)
def test_a_chat_reply_that_is_none_is_never_a_wrong_answer(material, tmp_path, fault, concurrency):
    with ChatServer("The answer is #### 4", schedule=always(fault)) as server:
        with pytest.raises(BackendError, match="tiny: expected"):
            chat(server, material, tmp_path / "out", options=f"attempts=1&concurrency={concurrency}")
    assert not list(tmp_path.rglob("bench_samples*"))


def test_what_a_chat_server_says_is_scored(material, tmp_path):
    with ChatServer("#### 4", model="tiny") as server:
        chat(server, material, tmp_path / "out")
        asked = [call.body["messages"] for call in server.calls]
    rows = read_table(tmp_path / "out", "bench_samples").to_pylist()
    strict = [row["value"] for row in rows if row["filter"] == "strict-match"]
    assert strict == [0.0, 0.0, 1.0, 0.0]
    assert sorted(one[-1]["content"] for one in asked)[2] == "Question: What is 2 and 2?\nAnswer:"


def test_a_failure_that_passes_is_tried_again(material, tmp_path):
    body = Fault("error", body=json.dumps({"error": {"message": "busy"}}))
    with ChatServer("#### 4", schedule=lambda number, _: body if number == 0 else None) as server:
        chat(server, material, tmp_path / "out", options="attempts=3", limit=2)
        assert server.count == 3


def test_text_is_not_scored_through_a_chat_endpoint_and_nothing_is_asked(material, tmp_path):
    with ChatServer("Hello!") as server:
        with pytest.raises(ConfigError, match=r"nothing was run: tiny_animals score given text"):
            chat(server, material, tmp_path / "out", names=["tiny_sums", "tiny_animals"])
        assert server.count == 0


@pytest.mark.parametrize(
    ("uri", "config", "said"),
    [
        ("openai:m@http://127.0.0.1:1/v1,http://127.0.0.1:2/v1", {}, "several"),
        ("openai:m@http://127.0.0.1:1/v1?top_p=0.5", {}, "cannot keep the option 'top_p'"),
        ("openai:m@http://127.0.0.1:1/v1", {"tokenizer_id": "/somewhere/else"}, "expected a Hub id"),
        ("openai:m@http://127.0.0.1:1/v1", {"model_args": {"trust_remote_code": True}}, "trust_remote_code stays off"),
    ],
)
def test_addresses_and_options_that_could_not_be_kept_are_refused(material, tmp_path, uri, config, said):
    tasks = {"tasks": material["tasks"]}
    with pytest.raises(ConfigError, match=said):
        run_stage("sage_eval.bench", {"model_uri": uri, **config}, tasks, tmp_path / "out")


def test_a_server_whose_tokenizer_is_unknown_is_told_so(server, material, tmp_path):
    with pytest.raises(InputError, match="no tokenizer for tiny"):
        bench(server, {"tasks": material["tasks"]}, tmp_path / "out")
