"""Supervised fine-tuning on a tiny model: what it learns from, what it leaves alone, what it writes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from made_messages import dialogue_messages, write_messages
from torch.nn import functional

from sage_data.errors import ConfigError, InputError, StageError
from sage_data.stage import Context, run_stage
from sage_models.adapters import LINEAGE, weights_hash
from sage_models.masking import mask_dataset
from sage_models.sft.trainer import QuickLossTrainer, dataset_of
from sage_models.training import load_model

QUICK = {"epochs": 2, "lr": 5e-3, "batch": 8, "threads": 1}


def tune(base: Path, data: Path, out: Path, **config: Any) -> Any:
    return run_stage("sage_models.sft", {**QUICK, **config}, {"base": [base], "data": [data]}, out, Context(seed=3))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_messages(tmp_path_factory.mktemp("data"), [dialogue_messages(seed) for seed in range(24)])


@pytest.fixture(scope="module")
def tuned(tiny_model_dir: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tuned") / "sft"
    tune(tiny_model_dir, data, out)
    return out


def test_loss_falls_and_the_curve_is_kept(tuned: Path) -> None:
    curve = pq.read_table(tuned / "curves.parquet").to_pylist()
    assert [row["step"] for row in curve] == list(range(1, 7))
    assert curve[-1]["loss"] < curve[0]["loss"] - 0.3
    assert curve[0]["loss"] == pytest.approx(torch.tensor(381.0).log().item(), abs=0.3)  # random weights
    assert "loss" in (tuned / "summary.txt").read_text()


def test_first_loss_is_the_mean_over_the_marked_tokens(tiny_model_dir: Path, data: Path, tmp_path: Path) -> None:
    tune(tiny_model_dir, data, tmp_path / "sft", batch=24, epochs=1)
    model, tokenizer = load_model(tiny_model_dir)
    rows = mask_dataset([dialogue_messages(seed) for seed in range(24)], tokenizer, 256).rows
    losses = []
    for row in rows:
        logits = model(torch.tensor([row.input_ids])).logits[0, :-1]
        every = functional.cross_entropy(logits, torch.tensor(row.input_ids[1:]), reduction="none")
        losses += every[torch.tensor(row.mask[1:])].tolist()
    first = pq.read_table(tmp_path / "sft" / "curves.parquet")["loss"][0].as_py()
    assert first == pytest.approx(sum(losses) / len(losses), rel=1e-5)
    assert len(losses) == sum(sum(row.mask) for row in rows)


def test_own_loss_equals_that_of_trl(tiny_model_dir: Path, tmp_path: Path) -> None:
    from trl import SFTConfig, SFTTrainer

    model, tokenizer = load_model(tiny_model_dir)
    rows = dataset_of(mask_dataset([dialogue_messages(seed) for seed in range(4)], tokenizer, 256).rows)
    arguments = SFTConfig(
        output_dir=str(tmp_path), report_to="none", use_cpu=True, bf16=False, max_length=None, disable_tqdm=True,
        dataset_kwargs={"skip_prepare_dataset": True},
    )  # fmt: skip
    trainer = QuickLossTrainer(model=model, args=arguments, train_dataset=rows, processing_class=tokenizer)
    batch = trainer.data_collator([rows[index] for index in range(4)])
    own = trainer.compute_loss(model, dict(batch))
    theirs = SFTTrainer.compute_loss(trainer, model, dict(batch))
    assert own.item() == pytest.approx(theirs.item(), rel=1e-6)


def test_words_of_the_user_are_never_a_target(tiny_model_dir: Path) -> None:
    """The gradient at the output reaches no logit that predicts a token of the user's or of the template."""
    model, tokenizer = load_model(tiny_model_dir)
    [row] = mask_dataset([dialogue_messages(5)], tokenizer, 256).rows
    labels = torch.tensor([row.labels])
    logits = model(torch.tensor([row.input_ids])).logits.detach().requires_grad_()
    [gradient] = torch.autograd.grad(functional.cross_entropy(logits[0, :-1], labels[0, 1:]), logits)
    touched = gradient[0].abs().sum(-1) > 0
    assert touched[:-1].tolist() == list(row.mask[1:])


def test_same_seed_same_bytes(tiny_model_dir: Path, data: Path, tuned: Path, tmp_path: Path) -> None:
    again = tune(tiny_model_dir, data, tmp_path / "sft")
    first = tune(tiny_model_dir, data, tuned)  # finished: nothing is run again
    assert again.content_hash == first.content_hash


def test_precision_of_one_run_does_not_leak_into_the_next(
    tiny_model_dir: Path, data: Path, tuned: Path, tmp_path: Path
) -> None:
    half = tune(tiny_model_dir, data, tmp_path / "half", precision="bfloat16")
    single = tune(tiny_model_dir, data, tmp_path / "single", precision="float32")
    assert half.content_hash != single.content_hash
    assert weights_hash(tmp_path / "single" / "model") == weights_hash(tuned / "model")


def test_merged_model_equals_base_with_adapter(tiny_model_dir: Path, tuned: Path) -> None:
    from peft import PeftModel

    ids = torch.arange(6, 60)[None]
    stacked = PeftModel.from_pretrained(load_model(tiny_model_dir)[0], tuned / "adapter")(ids).logits
    merged = load_model(tuned / "model")[0](ids).logits
    start = load_model(tiny_model_dir)[0](ids).logits
    torch.testing.assert_close(merged, stacked, atol=2e-5, rtol=1e-5)
    assert (merged - start).abs().max() > 0.01


def test_lineage_names_the_parent_and_no_path(tiny_model_dir: Path, tuned: Path) -> None:
    assert json.loads((tuned / "adapter" / LINEAGE).read_text())["parent"] == weights_hash(tiny_model_dir)
    for file in tuned.rglob("*"):
        if file.is_file() and file.name != "manifest.json":
            assert str(tiny_model_dir).encode() not in file.read_bytes(), file


def test_full_training_writes_no_adapter(tiny_model_dir: Path, data: Path, tmp_path: Path) -> None:
    tune(tiny_model_dir, data, tmp_path / "full", full=True, epochs=1)
    assert not (tmp_path / "full" / "adapter").exists()
    assert weights_hash(tmp_path / "full" / "model") != weights_hash(tiny_model_dir)


def test_too_long_for_the_model_is_refused(tiny_model_dir: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at most 256"):
        tune(tiny_model_dir, data, tmp_path / "sft", max_length=257)


def test_nothing_to_train_on_is_an_error(tiny_model_dir: Path, tmp_path: Path) -> None:
    data = write_messages(tmp_path / "data", [[{"role": "user", "content": "hello?"}]])
    with pytest.raises(InputError, match="no_assistant_message"):
        tune(tiny_model_dir, data, tmp_path / "sft")


def test_a_diverged_run_fails_instead_of_reporting_a_loss_of_zero(
    tiny_model_dir: Path, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(StageError, match="training diverged at step") as caught:
        tune(tiny_model_dir, data, tmp_path / "sft", lr=1e30, full=True, warmup=0.0)
    assert caught.value.next_step == "lower lr"
    assert not (tmp_path / "sft").exists()


def test_micro_batches_give_the_weights_of_the_whole_batch(tiny_model_dir: Path, data: Path, tmp_path: Path) -> None:
    for micro in (2, 8):
        tune(tiny_model_dir, data, tmp_path / str(micro), batch=8, micro_batch=micro, epochs=1, full=True, lr=1e-3)
    small, whole = (load_model(tmp_path / str(micro) / "model")[0].state_dict() for micro in (2, 8))
    start = load_model(tiny_model_dir)[0].state_dict()
    assert max((whole[name] - start[name]).abs().max().item() for name in whole) > 1e-3
    for name in whole:
        torch.testing.assert_close(small[name], whole[name], atol=1e-5, rtol=0)


def test_a_reply_may_end_in_a_token_that_the_generation_configuration_lists(
    tiny_model_dir: Path, data: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_model_dir, tmp_path / "base")
    template = tmp_path / "base" / "chat_template.jinja"
    template.write_text(template.read_text().replace("~ eos_token", "~ '<|system|>'"))
    with pytest.raises(ConfigError, match="end token inside"):
        tune(tmp_path / "base", data, tmp_path / "refused", epochs=1)
    settings = tmp_path / "base" / "generation_config.json"
    system = load_model(tiny_model_dir)[1].convert_tokens_to_ids("<|system|>")
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"eos_token_id": [2, system]}))
    tune(tmp_path / "base", data, tmp_path / "tuned", epochs=1)
