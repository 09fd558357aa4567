"""Adapters: where they attach, and what they say they came from."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from peft import get_peft_model
from transformers import MixtralConfig, MixtralForCausalLM

from sage_data.errors import InputError
from sage_models.adapters import LINEAGE, Lineage, lora_config, save_adapter, weights_hash
from sage_models.training import load_model


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


def test_an_adapter_names_the_weights_it_was_trained_on(tiny_model_dir: Path, tmp_path: Path) -> None:
    model, _ = load_model(tiny_model_dir)
    tuned = get_peft_model(model, lora_config(model, rank=2, alpha=4, dropout=0.0))
    lineage = Lineage(parent=weights_hash(tiny_model_dir), trained_by="sft", data="d")
    save_adapter(tuned, lineage, tmp_path / "adapter")
    assert Lineage(**json.loads((tmp_path / "adapter" / LINEAGE).read_text())) == lineage
    assert str(tiny_model_dir) not in (tmp_path / "adapter" / "adapter_config.json").read_text()


@pytest.mark.slow
def test_its_config_has_the_same_bytes_in_every_process(tiny_model_dir: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from peft import get_peft_model;"
        "from sage_models.adapters import Lineage, lora_config, save_adapter;"
        "from sage_models.training import load_model;"
        "model, _ = load_model(Path(sys.argv[1]));"
        "save_adapter(get_peft_model(model, lora_config(model, rank=2, alpha=4, dropout=0.0)),"
        " Lineage('p', 't', 'd'), Path(sys.argv[2]))"
    )
    written = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", code, str(tiny_model_dir), str(folder)], env=environment, check=True)
        written.append((folder / "adapter_config.json").read_bytes())
    assert written[0] == written[1]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\*\.safetensors"):
        weights_hash(tmp_path)
    with pytest.raises(InputError, match=r"config\.json"):
        load_model(tmp_path)
