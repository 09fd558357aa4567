"""Benchmarks on real servers: vLLM against the same weights here, and what `transformers serve` can and cannot."""

import pytest
from bench_material import write_tasks
from real_servers import make_tiny_model, transformers_server, vllm_server

from sage_data.chat import Message
from sage_data.errors import BackendError
from sage_data.stage import run_stage
from sage_data.store.shards import read_table

pytest.importorskip("lm_eval")
TEXTS = ["I lost my keys at the station today.", "Question: What is 2 and 2?\nAnswer:", "That must be hard."]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    talks = [((Message("user", text),), f"#### {number}") for number, text in enumerate(TEXTS)]
    return make_tiny_model(tmp_path_factory.mktemp("served") / "model", talks, steps=40)


@pytest.fixture
def tasks(tmp_path):
    return write_tasks(tmp_path / "tasks")


@pytest.mark.vllm
def test_vllm_gives_the_scores_of_the_same_weights_here(model, tasks, tmp_path):
    # The same context on both sides, and numbers of the same kind.
    config = {"max_length": 1024, "batch_size": 4}
    with vllm_server(model, tmp_path / "vllm.log") as url:
        served = {"model_uri": f"openai:tiny@{url}?attempts=2", **config}
        run_stage("sage_eval.bench", served, {"tokenizer": model, "tasks": tasks}, tmp_path / "served")
    direct = {**config, "model_args": {"dtype": "float32"}}
    run_stage("sage_eval.bench", direct, {"model": model, "tasks": tasks}, tmp_path / "direct")
    one, other = (read_table(tmp_path / name, "bench_samples").to_pylist() for name in ("served", "direct"))
    for mine, theirs in zip(one, other, strict=True):
        assert [mine[name] for name in ("task", "doc_id", "prompt_hash", "target")] == [
            theirs[name] for name in ("task", "doc_id", "prompt_hash", "target")
        ]
        if mine["loglikelihoods"]:
            # vLLM's weights and numbers may be bfloat16.
            assert mine["loglikelihoods"] == pytest.approx(theirs["loglikelihoods"], rel=0.02, abs=0.2)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_transformers_serve_can_write_and_is_refused_for_scoring(model, tasks, tmp_path):
    with transformers_server(model, tmp_path / "serve.log") as url:
        uri = {"model_uri": f"openai:{model}@{url}?attempts=2&concurrency=1"}
        chat = {**uri, "api": "chat", "names": ["tiny_sums"]}
        manifest = run_stage("sage_eval.bench", chat, {"tasks": tasks}, tmp_path / "chat")
        with pytest.raises(BackendError, match="nothing was run: these tasks score given text"):
            run_stage("sage_eval.bench", uri, {"tokenizer": model, "tasks": tasks}, tmp_path / "scored")
    rows = read_table(tmp_path / "chat", "bench_samples").to_pylist()
    replies = {row["doc_id"]: row["response"] for row in rows if row["filter"] == "flexible-extract"}
    assert replies[2] == "1"
    assert str(model) not in str(manifest.models)
