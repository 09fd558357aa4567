"""LoRA adapters: where they attach, how they are archived, and what they came from.

Each training stage archives its adapter and merges it (equal to running the adapter beside its base, up to rounding).
peft records an adapter's base as a path, which says nothing on another machine: `lineage.json` records the hash of
the base's weights instead.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftModel

from sage_data.errors import InputError
from sage_data.stage import Output
from sage_data.store.files import remove, sha256_file, sha256_json, write_json
from sage_models.training import save_model

LINEAGE = "lineage.json"
CONFIG = "adapter_config.json"
FUSED_EXPERTS = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where an adapter comes from."""

    parent: str
    """`weights_hash` of the model it was trained on."""
    trained_by: str
    """The stage, for example "sft"."""
    data: str
    """Fingerprint of its training data."""


def lora_config(model: Any, *, rank: int, alpha: int, dropout: float) -> LoraConfig:
    """LoRA on every linear layer but the output; in mixtures of experts, on attention and on the fused experts.

    There the router stays as it is: "all-linear" would train it too, and would miss the experts, whose weights are
    three-dimensional in transformers 5.
    """
    shared = {"r": rank, "lora_alpha": alpha, "lora_dropout": dropout, "bias": "none", "task_type": "CAUSAL_LM"}
    if any(name.endswith(FUSED_EXPERTS[0]) for name, _ in model.named_parameters()):
        return LoraConfig(target_modules=ATTENTION, target_parameters=FUSED_EXPERTS, **shared)
    return LoraConfig(target_modules="all-linear", **shared)


def weights_hash(folder: Path) -> str:
    """Hash of a checkpoint's weight files (names and bytes).

    Raises:
        InputError: the folder holds no safetensors.
    """
    found = {path.name: sha256_file(path) for path in sorted(folder.glob("*.safetensors"))}
    if not found:
        raise InputError(f"{folder}: expected weights in *.safetensors; found none")
    return sha256_json(found)


def save_adapter(model: PeftModel, lineage: Lineage, folder: Path) -> None:
    """Write the adapter alone, with its lineage and without the paths of this machine."""
    for config in model.peft_config.values():
        config.base_model_name_or_path = ""
    model.save_pretrained(folder)
    _order_sets(folder / CONFIG)
    remove(folder / "README.md")  # peft's card template; the project's cards are generated from the manifest
    write_json(folder / LINEAGE, asdict(lineage))


def _order_sets(path: Path) -> None:
    """Sort the lists of an adapter's config: peft keeps them as sets, whose order differs from process to process."""
    config = json.loads(path.read_text(encoding="utf-8"))
    write_json(path, {key: sorted(value) if isinstance(value, list) else value for key, value in config.items()})


def write_result(model: Any, tokenizer: Any, lineage: Lineage | None, out: Output) -> None:
    """Write `adapter/` (when there is a lineage, that is, an adapter) and the complete, merged `model/`."""
    if lineage is not None:
        with out.folder("adapter") as folder:
            save_adapter(model, lineage, folder)
        model = model.merge_and_unload()
    with out.folder("model") as folder:
        save_model(model, tokenizer, folder)
