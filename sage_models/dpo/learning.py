"""The DPO stage's work in order: candidates -> pairs -> training -> adapter, merged checkpoint and curves."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers import PrinterCallback
from trl import DPOConfig, DPOTrainer

from sage_data.errors import ConfigError, InputError, StageError
from sage_data.stage import Context, Input, Output, derive_seed
from sage_data.store.files import remove
from sage_data.store.shards import read_shards
from sage_models.adapters import Lineage, lora_config, weights_hash, write_result
from sage_models.dpo import Config
from sage_models.dpo.pairs import COLUMNS, Candidate, Fits, Pairs, make_pairs
from sage_models.masking import control_pattern, control_tokens
from sage_models.training import (
    SCRATCH,
    CurveRecorder,
    context_length,
    load_model,
    quiet_libraries,
    reproducible,
    trainer_arguments,
)

CURVE = {
    "epoch": "epoch",
    "num_tokens": "tokens",
    "loss": "loss",
    "learning_rate": "lr",
    "grad_norm": "gradient_norm",
    "rewards/chosen": "reward_chosen",
    "rewards/rejected": "reward_rejected",
    "rewards/margins": "margin",
    "rewards/accuracies": "accuracy",
}
"""Logged name -> column. Rewards are beta times the log-ratio to the reference; `accuracy` is the share of pairs whose
chosen reply has the higher reward."""
FIRST_MARGIN = 1e-3
"""Before the first step policy and reference are the same model, so the margin is 0 and the sigmoid loss is ln 2."""


def learn(config: Config, base: Path, trajectories: Input, out: Output, context: Context) -> None:
    """Train and write everything into `out`.

    Raises:
        ConfigError: the chat template renders a prompt otherwise once it is answered, or settings contradict.
        InputError: the base or the candidates are missing, or they give no pair.
        StageError: the reference is not the model that training started from, or training diverged.
    """
    seed = derive_seed("dpo", context.seed) % 2**32
    rows = [row for table in read_shards(trajectories.path, "candidates", COLUMNS) for row in table.to_pylist()]
    with reproducible(seed, config.threads), quiet_libraries():
        model, tokenizer = load_model(base)
        fits = fits_within(tokenizer, context_length(model, config.max_length))
        pairs = make_pairs(rows, seed, fits, control_pattern(control_tokens(tokenizer).values()))
        out.write_shard("pairs", 0, pairs.table, counts=pairs.counts, rejected=pairs.rejected)
        if not pairs.table.num_rows:
            raise InputError(f"{trajectories.path}: no preference pair; dropped {dict(pairs.counts[0].dropped)}")
        trainer, recorder = _train(config, model, tokenizer, pairs, seed, out, context)
        _check_reference(recorder.rows[0])
        out.write_table("curves.parquet", recorder.table())
        out.write_text("summary.txt", _summary(pairs, recorder.rows))
        write_result(trainer.model, tokenizer, Lineage(weights_hash(base), "dpo", trajectories.fingerprint), out)
    remove(out.path / SCRATCH)


def fits_within(tokenizer: Any, limit: int) -> Fits:
    """A test whether both replies fit into `limit` tokens together with their prompt.

    Raises:
        ConfigError: (the test) the template renders the prompt otherwise once it is answered.
    """

    def fits(chosen: Candidate, rejected: Candidate) -> bool:
        prompt = _ids(tokenizer, chosen["context"], add_generation_prompt=True)
        whole = [
            _ids(tokenizer, [*chosen["context"], {"role": "assistant", "content": row["content"]}])
            for row in (chosen, rejected)
        ]
        if any(ids[: len(prompt)] != prompt for ids in whole):
            raise ConfigError(
                "preference pairs: expected the chat template to write a prompt the same way with and without its "
                f"reply; found otherwise in dialogue {chosen['dialogue_id']}, turn {chosen['turn']}",
                next_step="use a template that keeps earlier messages as they are, such as "
                "sage_models/base/chat_template.jinja",
            )
        return max(map(len, whole)) <= limit

    return fits


def _ids(tokenizer: Any, messages: Sequence[Any], **options: bool) -> list[int]:
    return list(tokenizer.apply_chat_template(messages, tokenize=True, return_dict=True, **options)["input_ids"])


def _train(
    config: Config, model: Any, tokenizer: Any, pairs: Pairs, seed: int, out: Output, context: Context
) -> tuple[DPOTrainer, CurveRecorder]:
    steps = math.ceil(math.ceil(pairs.table.num_rows / config.batch) * config.epochs)
    mixed = config.sft_weight > 0
    arguments = DPOConfig(
        **trainer_arguments(config, out.path / SCRATCH, steps, seed),
        beta=config.beta,
        loss_type=["sigmoid", "sft"] if mixed else "sigmoid",
        loss_weights=[1.0, config.sft_weight] if mixed else None,
        max_length=None,
    )
    with context.progress("preference learning", steps, "steps") as bar:
        recorder = CurveRecorder(CURVE, bar)
        trainer = DPOTrainer(
            model=model,
            args=arguments,
            train_dataset=Dataset.from_list(pairs.table.select(["prompt", "chosen", "rejected"]).to_pylist()),
            processing_class=tokenizer,
            peft_config=lora_config(model, rank=config.rank, alpha=config.alpha, dropout=config.dropout),
            callbacks=[recorder],
        )
        trainer.remove_callback(PrinterCallback)
        began = time.monotonic()
        trainer.train()
        out.timing("training", time.monotonic() - began)
    return trainer, recorder


def _check_reference(first: dict[str, float | int]) -> None:
    if not abs(first["margin"]) <= FIRST_MARGIN:  # so written, it refuses a margin that is no number, too
        raise StageError(
            f"preference learning: expected a margin of 0 before the first step, found {first['margin']:.4f}: the "
            "reference is not the model that training started from"
        )


def _summary(pairs: Pairs, rows: Sequence[dict[str, float | int]]) -> str:
    replies, candidates = pairs.counts
    first, last = rows[0], rows[-1]
    return (
        f"{replies.kept:,} preference pairs from {replies.came_in:,} replies, without a pair: "
        f"{dict(replies.dropped) or 'none'}\n"
        f"{candidates.came_in:,} candidates, not usable as a contrast: {dict(candidates.dropped) or 'none'}\n"
        f"loss {first['loss']:.4f} -> {last['loss']:.4f}, margin {first['margin']:.3f} -> {last['margin']:.3f}, "
        f"chosen preferred {first['accuracy']:.2f} -> {last['accuracy']:.2f} of the batch\n"
    )
