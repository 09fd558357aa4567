"""The base stage's work in order: corpus -> tokenizer -> windows -> training -> checkpoint folder and curves."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
from transformers import PreTrainedTokenizerFast

from sage_data.errors import InputError
from sage_data.stage import Context, Output, derive_seed
from sage_data.store.files import remove
from sage_models.base import Config
from sage_models.base.architecture import new_model
from sage_models.base.corpus import Windows, encode, held_out_windows, read_corpus, split_corpus, without_control
from sage_models.base.pretraining import Curve, Plan, held_out_loss, pretrain
from sage_models.base.tokenizer import SPECIAL, train_tokenizer
from sage_models.masking import control_pattern
from sage_models.training import SCRATCH, bfloat16_wanted, check_finite, quiet_libraries, reproducible, save_model


def build(config: Config, corpus: Path, out: Output, context: Context) -> None:
    """Make the model and write everything into `out`.

    Raises:
        InputError: the corpus is missing, empty or smaller than one window.
        StageError: training diverged.
    """
    seed = derive_seed("base", context.seed)
    with reproducible(seed, config.threads), quiet_libraries():
        clean = without_control(read_corpus(corpus), control_pattern(SPECIAL))
        out.write_shard("corpus", 0, clean.table(), counts=clean.counts, rejected=clean.rejected())
        train, held_out = split_corpus(clean.rows, config.held_out, seed)
        contents = (message["content"] for dialogue in train for message in dialogue)
        tokenizer = train_tokenizer(contents, config.vocab_size, config.max_length)
        windows = Windows(encode(train, tokenizer), config.window, seed)
        if windows.per_epoch < 1:
            raise InputError(
                f"{corpus}: expected more than {config.window} tokens to train on, found "
                f"{sum(map(len, windows.dialogues))}",
                next_step="lower `window` or give a larger corpus",
            )
        _train(config, windows, encode(held_out, tokenizer), tokenizer, seed, out, context)
    remove(out.path / SCRATCH)


def _train(
    config: Config,
    windows: Windows,
    held_out: list[list[int]],
    tokenizer: PreTrainedTokenizerFast,
    seed: int,
    out: Output,
    context: Context,
) -> None:
    model = new_model(
        tokenizer, hidden=config.hidden, layers=config.layers, max_length=config.max_length, seed=seed % 2**32
    )
    plan = make_plan(config)
    total = plan.steps * plan.batch * config.window
    began = time.monotonic()
    with context.progress("training the base", total, "tokens") as bar:
        curve = pretrain(model, windows, plan, out.path / SCRATCH, bar.advance)
    seconds = time.monotonic() - began
    out.timing("training", seconds)
    apart = held_out_windows(held_out, config.window, tokenizer.pad_token_id)
    loss = held_out_loss(model, apart, batch=config.batch, bfloat16=plan.bfloat16)
    check_finite(plan.steps, {"held-out loss": loss})
    out.write_table("curves.parquet", curve_table(curve, loss))
    out.write_text("summary.txt", _summary(model.num_parameters(), len(tokenizer), windows, curve, loss))
    with out.folder("model") as folder:
        save_model(model, tokenizer, folder)


def make_plan(config: Config) -> Plan:
    """Turn the token budget into whole steps, at least one."""
    steps = max(1, config.tokens // (config.batch * config.window))
    return Plan(
        steps=steps,
        batch=config.batch,
        rate=config.lr,
        warmup=max(1, round(config.warmup * steps)),
        weight_decay=config.weight_decay,
        bfloat16=bfloat16_wanted(config.precision, device="cpu"),
        checkpoint_every=config.checkpoint_every,
    )


def curve_table(curve: Curve, held_out: float) -> pa.Table:
    """One row a step; `held_out_loss` (nats per token) stands in the last."""
    steps = len(curve.step)
    last = pa.array([None] * (steps - 1) + [held_out], pa.float64())
    return pa.table({**asdict(curve), "held_out_loss": last})


def _summary(parameters: int, vocabulary: int, windows: Windows, curve: Curve, loss: float) -> str:
    epochs = curve.tokens[-1] / sum(map(len, windows.dialogues))
    return (
        f"tiny base: {parameters / 1e6:.2f} M parameters, {vocabulary:,} tokens in the vocabulary\n"
        f"trained on {curve.tokens[-1]:,} tokens ({epochs:.1f} epochs of {len(windows.dialogues):,} dialogues)\n"
        f"loss {curve.loss[0]:.3f} -> {curve.loss[-1]:.3f}, held out {loss:.3f} nats per token\n"
    )
