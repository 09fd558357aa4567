"""Adapters: where they attach, and that they go back only to where they came from."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import MAX_LENGTH
from peft import get_peft_model
from transformers import MixtralConfig, MixtralForCausalLM, PreTrainedTokenizerBase

from sage_data.errors import ConfigError, InputError
from sage_models.adapters import Lineage, lora_config, merge_adapter, read_lineage, save_adapter, weights_hash
from sage_models.base.architecture import new_model
from sage_models.training import load_model, save_model


def test_lora_sits_on_every_linear_layer_but_the_output(tiny_model_dir: Path) -> None:
    model, _ = load_model(tiny_model_dir)
    tuned = get_peft_model(model, lora_config(model, rank=2, alpha=4, dropout=0.0))
    trained = {name.split(".lora_")[0].split(".")[-1] for name, one in tuned.named_parameters() if one.requires_grad}
    assert trained == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


def test_in_a_mixture_the_experts_are_trained_and_the_router_is_not() -> None:
    config = MixtralConfig(
        vocab_size=32, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, num_local_experts=2, num_experts_per_tok=1,
    )  # fmt: skip
    model = MixtralForCausalLM(config)
    tuned = get_peft_model(model, lora_config(model, rank=2, alpha=4, dropout=0.0))
    trained = [name for name, one in tuned.named_parameters() if one.requires_grad]
    assert any("experts" in name for name in trained)
    assert any("q_proj" in name for name in trained)
    assert not any("router" in name or ".gate." in name for name in trained)


def test_an_adapter_goes_to_no_other_base(
    tiny_model_dir: Path, tiny_tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    model, _ = load_model(tiny_model_dir)
    tuned = get_peft_model(model, lora_config(model, rank=2, alpha=4, dropout=0.0))
    lineage = Lineage(parent=weights_hash(tiny_model_dir), trained_by="sft", data="d")
    save_adapter(tuned, lineage, tmp_path / "adapter")
    assert read_lineage(tmp_path / "adapter") == lineage
    other = new_model(tiny_tokenizer, hidden=64, layers=2, max_length=MAX_LENGTH, seed=8)
    save_model(other, tiny_tokenizer, tmp_path / "other")
    with pytest.raises(ConfigError, match="was trained on weights"):
        merge_adapter(tmp_path / "other", tmp_path / "adapter", tmp_path / "merged")
    merge_adapter(tiny_model_dir, tmp_path / "adapter", tmp_path / "merged")  # a fresh adapter changes nothing
    assert weights_hash(tmp_path / "merged") == weights_hash(tiny_model_dir)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\*\.safetensors"):
        weights_hash(tmp_path)
    with pytest.raises(InputError, match=r"lineage\.json"):
        read_lineage(tmp_path)
    with pytest.raises(InputError, match=r"config\.json"):
        load_model(tmp_path)
