"""Optimisers and schedule of the tiny base's training."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn


def learning_rate(step: int, steps: int, warmup: int) -> float:
    """Factor on the peak rate at `step` (0-based): linear warm-up, then a cosine down to a tenth of the peak."""
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    return 0.1 + 0.45 * (1 + math.cos(math.pi * done))


class Optimisers:
    """Muon for the matrices inside the layers, AdamW for embeddings and norms, stepped as one.

    Muon's steps are scaled to AdamW's size, so both follow one learning rate.
    """

    def __init__(self, model: nn.Module, rate: float, weight_decay: float) -> None:
        inner, rest = _split(model.named_parameters())
        self._peak = rate
        self._both: tuple[torch.optim.Optimizer, ...] = (
            torch.optim.Muon(inner, lr=rate, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
        )

    def step(self, factor: float) -> float:
        """Take one step at `factor` times the peak rate, clear the gradients, and return the rate used."""
        rate = self._peak * factor
        for optimiser in self._both:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
            optimiser.zero_grad()
        return rate

    def state_dict(self) -> list[dict[str, object]]:
        """State of both, to be resumed from."""
        return [optimiser.state_dict() for optimiser in self._both]

    def load_state_dict(self, states: list[dict[str, object]]) -> None:
        """Go on from a saved state."""
        for optimiser, state in zip(self._both, states, strict=True):
            optimiser.load_state_dict(state)


def _split(named: Iterable[tuple[str, nn.Parameter]]) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    inner: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in named:
        (inner if parameter.ndim == 2 and ".layers." in name else rest).append(parameter)
    return inner, rest
