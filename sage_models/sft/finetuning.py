"""The SFT stage's work in order: data -> masks -> training -> adapter, merged checkpoint and curves."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import PrinterCallback
from trl import SFTConfig

from sage_data.errors import InputError
from sage_data.stage import Context, Input, Output, derive_seed
from sage_data.store.files import remove
from sage_data.store.shards import read_table
from sage_models.adapters import Lineage, lora_config, weights_hash, write_result
from sage_models.masking import MaskedDataset, end_tokens, mask_dataset
from sage_models.sft import Config
from sage_models.sft.trainer import CURVE, QuickLossTrainer, dataset_of
from sage_models.training import (
    SCRATCH,
    CurveRecorder,
    context_length,
    load_model,
    quiet_libraries,
    reproducible,
    trainer_arguments,
)


def finetune(config: Config, base: Path, data: Input, out: Output, context: Context) -> None:
    """Train and write everything into `out`.

    Raises:
        ConfigError: the chat template cannot give an exact loss mask, or settings contradict each other.
        InputError: the base or the data is missing, or no dialogue can be trained on.
        StageError: training diverged.
    """
    dialogues = read_table(data.path, "messages", ["messages"])["messages"].to_pylist()
    seed = derive_seed("sft", context.seed) % 2**32
    with reproducible(seed, config.threads), quiet_libraries():
        model, tokenizer = load_model(base)
        ends = end_tokens(tokenizer, model.generation_config.eos_token_id)
        masked = mask_dataset(dialogues, tokenizer, context_length(model, config.max_length), ends)
        out.write_shard("examples", 0, masked.table(), counts=masked.counts, rejected=masked.rejected())
        if not masked.rows:
            raise InputError(f"{data.path}: no dialogue to train on; dropped {dict(masked.counts.dropped)}")
        trainer = _train(config, model, tokenizer, masked, seed, out, context)
        lineage = Lineage(parent=weights_hash(base), trained_by="sft", data=data.fingerprint)
        write_result(trainer.model, tokenizer, None if config.full else lineage, out)
    remove(out.path / SCRATCH)


def _train(
    config: Config, model: Any, tokenizer: Any, masked: MaskedDataset, seed: int, out: Output, context: Context
) -> QuickLossTrainer:
    steps = math.ceil(math.ceil(len(masked.rows) / config.batch) * config.epochs)
    arguments = SFTConfig(
        **trainer_arguments(config, out.path / SCRATCH, steps, seed),
        train_sampling_strategy="group_by_length",
        length_column_name="length",
        max_length=None,  # the rows were cut, and counted, by the masking
        dataset_kwargs={"skip_prepare_dataset": True},
    )
    adapter = None if config.full else lora_config(model, rank=config.rank, alpha=config.alpha, dropout=config.dropout)
    with context.progress("fine-tuning", steps, "steps") as bar:
        recorder = CurveRecorder(CURVE, bar)
        trainer = QuickLossTrainer(
            model=model,
            args=arguments,
            train_dataset=dataset_of(masked.rows),
            processing_class=tokenizer,
            peft_config=adapter,
            callbacks=[recorder],
        )
        trainer.remove_callback(PrinterCallback)
        began = time.monotonic()
        trainer.train()
        out.timing("training", time.monotonic() - began)
    out.write_table("curves.parquet", recorder.table())
    out.write_text("summary.txt", _summary(masked, recorder.rows, trainer.model))
    return trainer


def _summary(masked: MaskedDataset, rows: Sequence[dict[str, float | int]], model: Any) -> str:
    first, last = rows[0], rows[-1]
    trained = sum(one.numel() for one in model.parameters() if one.requires_grad)
    tokens = sum(len(row.input_ids) for row in masked.rows)
    return (
        f"fine-tuned {trained / 1e6:.2f} M of {model.num_parameters() / 1e6:.2f} M parameters on "
        f"{len(masked.rows):,} dialogues, {last['step']} steps\n"
        f"{masked.trained_tokens:,} of {tokens:,} tokens are in the loss; {masked.cut:,} dialogues cut, "
        f"dropped {dict(masked.counts.dropped) or 'none'}\n"
        f"loss {first['loss']:.3f} -> {last['loss']:.3f}, "
        f"token accuracy {first['token_accuracy']:.3f} -> {last['token_accuracy']:.3f}\n"
    )
