"""The tiny base's training loop: a fixed number of tokens, resumable to the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from transformers import LlamaForCausalLM

from sage_data.store.files import atomic_path
from sage_models.base.corpus import Windows
from sage_models.base.optimisation import Optimisers, learning_rate
from sage_models.training import check_finite

MAX_GRADIENT_NORM = 1.0
STATE = "state.pt"


@dataclass(frozen=True)
class Plan:
    """How long and how hard to train."""

    steps: int
    batch: int
    """Windows per step."""
    rate: float
    """Peak learning rate."""
    warmup: int
    """Steps of linear warm-up."""
    weight_decay: float
    bfloat16: bool
    """Run matrix products in bfloat16; weights, sums and optimiser stay float32."""
    checkpoint_every: int
    """Steps between checkpoints."""


@dataclass
class Curve:
    """What was measured at each step."""

    step: list[int] = field(default_factory=list)
    """1-based."""
    tokens: list[int] = field(default_factory=list)
    """Tokens predicted so far."""
    loss: list[float] = field(default_factory=list)
    """Mean cross-entropy of the step's batch, nats per token, before the step was taken."""
    lr: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)
    """Before clipping to 1."""


def pretrain(
    model: LlamaForCausalLM, windows: Windows, plan: Plan, scratch: Path, on_step: Callable[[int], None]
) -> Curve:
    """Train in place, going on from the checkpoint in `scratch` when there is one. `on_step` hears of tokens done.

    Raises:
        StageError: training diverged.
    """
    optimisers = Optimisers(model, plan.rate, plan.weight_decay)
    curve = _resume(scratch / STATE, model, optimisers)
    first = len(curve.step)
    on_step(first * plan.batch * windows.length)
    model.train()
    for step, batch in enumerate(windows.batches(plan.batch, first, plan.steps), start=first):
        loss = batch_loss(model, batch, bfloat16=plan.bfloat16)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT_NORM)
        check_finite(step + 1, {"loss": loss.item(), "gradient norm": norm.item()})
        rate = optimisers.step(learning_rate(step, plan.steps, plan.warmup))
        _record(curve, step, batch, loss=loss.item(), rate=rate, norm=norm.item())
        on_step(plan.batch * windows.length)
        if (step + 1) % plan.checkpoint_every == 0 and step + 1 < plan.steps:
            _save(scratch / STATE, model, optimisers, curve)
    return curve


def batch_loss(model: LlamaForCausalLM, batch: torch.Tensor, *, bfloat16: bool) -> torch.Tensor:
    """Mean cross-entropy of predicting (batch, length + 1) windows; padding is not predicted."""
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        logits = model(input_ids=batch[:, :-1], use_cache=False).logits
    targets = batch[:, 1:].reshape(-1)
    return functional.cross_entropy(logits.flatten(0, 1).float(), targets, ignore_index=_pad(model))


@torch.no_grad()
def held_out_loss(model: LlamaForCausalLM, windows: torch.Tensor, *, batch: int, bfloat16: bool) -> float:
    """Mean cross-entropy in nats per token over all windows (windows, length + 1)."""
    model.eval()
    total, count = 0.0, 0
    for part in torch.split(windows, batch):
        predicted = int((part[:, 1:] != _pad(model)).sum())
        total += batch_loss(model, part, bfloat16=bfloat16).item() * predicted
        count += predicted
    return total / count


def _pad(model: LlamaForCausalLM) -> int:
    pad = model.config.pad_token_id
    return -100 if pad is None else int(pad)


def _record(curve: Curve, step: int, batch: torch.Tensor, *, loss: float, rate: float, norm: float) -> None:
    seen = curve.tokens[-1] if curve.tokens else 0
    curve.step.append(step + 1)
    curve.tokens.append(seen + batch[:, 1:].numel())
    curve.loss.append(loss)
    curve.lr.append(rate)
    curve.gradient_norm.append(norm)


def _save(path: Path, model: LlamaForCausalLM, optimisers: Optimisers, curve: Curve) -> None:
    state: dict[str, Any] = {
        "model": model.state_dict(),
        "optimisers": optimisers.state_dict(),
        "curve": asdict(curve),
    }
    with atomic_path(path) as temporary:
        torch.save(state, temporary)


def _resume(path: Path, model: LlamaForCausalLM, optimisers: Optimisers) -> Curve:
    if not path.is_file():
        return Curve()
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimisers.load_state_dict(state["optimisers"])
    return Curve(**state["curve"])
