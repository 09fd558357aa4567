"""Read prompts of different lengths into one cache, a few rows at a time.

Small groups of rows keep the work inside the processor's cache and hold padding down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.cache_utils import Cache

from sage_models.engines.room import cache_argument, joined, new_cache

NOBODY, EVERYBODY = -2, -1
"""Owners of a cache position: padding, and the prompt that all candidates share."""
_TOKENS_AT_ONCE = {"cpu": 4096}
_TOKENS_AT_ONCE_ELSEWHERE = 32768


@dataclass(frozen=True)
class Prefilled:
    """A batch of prompts, read."""

    cache: Cache
    """Keys and values, (conversations, heads, seq, head size) in each layer."""
    owner: Tensor
    """(conversations, seq): whose a position is; see NOBODY and EVERYBODY."""
    logits: Tensor
    """(conversations, vocabulary), float32: scores of the first reply token."""


def prefill(model: PreTrainedModel, prompts: Sequence[Sequence[int]]) -> Prefilled:
    """Read `prompts` (token ids, each at least one) and score the token after each."""
    layers = model.config.get_text_config().num_hidden_layers
    caches, owners, logits = [], [], []
    for group in _groups(prompts, _TOKENS_AT_ONCE.get(model.device.type, _TOKENS_AT_ONCE_ELSEWHERE)):
        cache = new_cache(layers)
        ids, valid = _left_padded(group, model.device)
        output = model(
            input_ids=ids,
            attention_mask=_causal(valid),
            position_ids=(valid.long().cumsum(-1) - 1).clamp(min=0),
            **cache_argument(model, cache),
            use_cache=True,
            logits_to_keep=1,
        )
        caches.append(cache)
        owners.append(torch.where(valid, EVERYBODY, NOBODY))
        logits.append(output.logits[:, -1].float())
    width = max(owner.shape[-1] for owner in owners)
    padded = [torch.nn.functional.pad(owner, (width - owner.shape[-1], 0), value=NOBODY) for owner in owners]
    return Prefilled(joined(caches, layers), torch.cat(padded), torch.cat(logits))


def _groups(prompts: Sequence[Sequence[int]], tokens: int) -> Iterator[list[Sequence[int]]]:
    """Cut `prompts` into runs of at most `tokens` padded tokens (one prompt at least)."""
    group: list[Sequence[int]] = []
    for prompt in prompts:
        longest = max(len(prompt), *(len(other) for other in group), 0)
        if group and longest * (len(group) + 1) > tokens:
            yield group
            group = []
        group.append(prompt)
    yield group


def _left_padded(prompts: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return token ids and validity, both (rows, seq)."""
    width = max(map(len, prompts))
    ids = torch.tensor([[0] * (width - len(prompt)) + list(prompt) for prompt in prompts], device=device)
    lengths = torch.tensor([len(prompt) for prompt in prompts], device=device)
    return ids, torch.arange(width, device=device) >= width - lengths.unsqueeze(-1)


def _causal(valid: Tensor) -> Tensor:
    """Return the mask (rows, 1, seq, seq), True where attended; padding attends to itself, to stay finite."""
    width = valid.shape[-1]
    before = torch.ones(width, width, dtype=torch.bool, device=valid.device).tril()
    itself = torch.eye(width, dtype=torch.bool, device=valid.device)
    return ((before & valid.unsqueeze(1)) | itself).unsqueeze(1)
