"""Draw one token a row from logits: repetition penalty, steering, temperature, top-k, then a seeded draw.

A draw is the argmax of logits plus Gumbel noise. The noise of a token is a hash of (row key, step, token id), so a
candidate's draws do not depend on its neighbours in the batch, on the order of equal logits, or on the device.

    draw(logits, keys, step, Sampling(temperature=1.1, top_k=100), seen, boosts)
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from sage_data.chat import Sampling

_GOLDEN, _MIX_1, _MIX_2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
"""Constants of the SplitMix64 finaliser (Steele, Lea and Flood 2014)."""
_UNIFORM_BITS = 52


def row_key(seed: int, candidate: int) -> int:
    """Return the 64-bit key, as a signed integer, of one candidate's draws."""
    digest = hashlib.blake2b(f"{seed}:{candidate}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def draw(
    logits: Tensor,
    keys: Tensor,
    step: int,
    sampling: Sampling,
    seen: Tensor | None,
    boosts: Sequence[Mapping[int, float]],
) -> Tensor:
    """Return the drawn token ids, (rows,).

    Args:
        logits: (rows, vocabulary), float32, as the model gave them; not changed.
        keys: (rows,), int64, from `row_key`.
        step: number of tokens drawn before, the same for all rows.
        sampling: how to draw.
        seen: (rows, vocabulary), bool: tokens of the prompt and of the reply so far; None without repetition penalty.
        boosts: for each row, token id -> amount to add (paper section 3.7); may be empty.
    """
    scores = penalised(logits, seen, sampling.repetition_penalty)
    scores = boosted(scores, boosts)
    if sampling.temperature == 0:
        return scores.argmax(dim=-1)
    scores = scores / sampling.temperature
    if sampling.top_k:
        scores, ids = scores.topk(min(sampling.top_k, scores.shape[-1]), dim=-1)
    else:
        ids = torch.arange(scores.shape[-1], device=scores.device).expand_as(scores)
    picked = (scores.double() + gumbel(keys, step, ids)).argmax(dim=-1, keepdim=True)
    return ids.gather(-1, picked).squeeze(-1)


def penalised(logits: Tensor, seen: Tensor | None, penalty: float) -> Tensor:
    """Divide positive and multiply negative logits of seen tokens by `penalty`, as transformers does."""
    if seen is None or penalty == 1:
        return logits
    changed = torch.where(logits < 0, logits * penalty, logits / penalty)
    return torch.where(seen, changed, logits)


def boosted(scores: Tensor, boosts: Sequence[Mapping[int, float]]) -> Tensor:
    """Add each row's boosts; entries without one keep their bits."""
    cells = [(row, token, amount) for row, wanted in enumerate(boosts) for token, amount in wanted.items()]
    if not cells:
        return scores
    rows, tokens, amounts = zip(*cells, strict=True)
    scores = scores.clone()
    place = (torch.tensor(rows, device=scores.device), torch.tensor(tokens, device=scores.device))
    scores[place] += torch.tensor(amounts, dtype=scores.dtype, device=scores.device)
    return scores


def gumbel(keys: Tensor, step: int, ids: Tensor) -> Tensor:
    """Return Gumbel noise (rows, ids), float64, for token ids (rows, ids) at this step."""
    base = _mixed(keys + _signed(_GOLDEN * (step + 1)))
    bits = _mixed(base.unsqueeze(-1) + ids * _signed(_GOLDEN))
    uniform = (_shifted(bits, 64 - _UNIFORM_BITS).double() + 0.5) * 2.0**-_UNIFORM_BITS
    return -torch.log(-torch.log(uniform))


def _mixed(bits: Tensor) -> Tensor:
    """SplitMix64's finaliser on int64, whose products wrap around."""
    bits = (bits ^ _shifted(bits, 30)) * _signed(_MIX_1)
    bits = (bits ^ _shifted(bits, 27)) * _signed(_MIX_2)
    return bits ^ _shifted(bits, 31)


def _shifted(bits: Tensor, places: int) -> Tensor:
    """Shift right without copying the sign."""
    return (bits >> places) & ((1 << (64 - places)) - 1)


def _signed(value: int) -> int:
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value
