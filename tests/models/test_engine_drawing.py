"""Drawing a token: the distribution is right, and a draw depends on its own row alone."""

from __future__ import annotations

import math

import pytest
import torch
from transformers.generation.logits_process import RepetitionPenaltyLogitsProcessor

from sage_data.chat import Sampling
from sage_models.engines.drawing import boosted, draw, gumbel, penalised, row_key

LOGITS = torch.tensor([[0.0, 1.0, 2.0, -1.0, -30.0]])
ROWS = 40_000


def keys(count: int) -> torch.Tensor:
    return torch.tensor([row_key(11, number) for number in range(count)])


def shares(sampling: Sampling, boost: dict[int, float] | None = None) -> list[float]:
    rows = LOGITS.expand(ROWS, 5)
    drawn = draw(rows, keys(ROWS), 3, sampling, None, [boost] * ROWS if boost else [])
    return (torch.bincount(drawn, minlength=5) / ROWS).tolist()


def near(found: list[float], expected: torch.Tensor) -> bool:
    """Each share within 4.5 standard errors."""
    pairs = zip(found, expected.tolist(), strict=True)
    return all(abs(share - p) <= 4.5 * math.sqrt(p * (1 - p) / ROWS) + 1e-9 for share, p in pairs)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_follow_the_softmax_at_each_temperature(temperature: float) -> None:
    assert near(shares(Sampling(temperature=temperature)), (LOGITS[0] / temperature).softmax(-1))


def test_top_k_keeps_the_k_likeliest() -> None:
    expected = LOGITS[0].masked_fill(torch.tensor([True, False, False, True, True]), -math.inf).softmax(-1)
    assert near(shares(Sampling(temperature=1.0, top_k=2)), expected)


def test_a_boost_shifts_the_odds_by_its_exponential() -> None:
    expected = (LOGITS[0] + torch.tensor([1.5, 0, 0, 0, 0])).softmax(-1)
    assert near(shares(Sampling(temperature=1.0), {0: 1.5}), expected)


def test_zero_temperature_takes_the_likeliest() -> None:
    assert draw(LOGITS, keys(1), 0, Sampling(), None, []).tolist() == [2]


def test_a_row_draws_the_same_in_any_company() -> None:
    logits = torch.randn(6, 50, generator=torch.Generator().manual_seed(1))
    sampling = Sampling(temperature=1.3, top_k=20)
    together = draw(logits, keys(6), 4, sampling, None, []).tolist()
    alone = [draw(logits[[row]], keys(6)[[row]], 4, sampling, None, []).item() for row in range(6)]
    shuffled = draw(logits.flip(0), keys(6).flip(0), 4, sampling, None, []).tolist()[::-1]
    assert together == alone == shuffled


def test_noise_differs_between_keys_steps_and_tokens() -> None:
    ids = torch.arange(200).expand(50, 200)
    noise = torch.stack([gumbel(keys(50), step, ids) for step in range(20)])
    assert noise.isfinite().all()
    assert len(set(noise.flatten().tolist())) == noise.numel()
    assert abs(noise.mean().item() - 0.5772) < 0.01
    assert abs(noise.var().item() - math.pi**2 / 6) < 0.02


def test_the_repetition_penalty_is_transformers_own() -> None:
    logits = torch.randn(3, 40, generator=torch.Generator().manual_seed(2))
    prompt = torch.tensor([[1, 2, 2], [5, 6, 7], [0, 0, 0]])
    seen = torch.zeros(3, 40, dtype=torch.bool).scatter_(1, prompt, value=True)
    theirs = RepetitionPenaltyLogitsProcessor(1.3)(prompt, logits.clone())
    assert torch.equal(penalised(logits, seen, 1.3), theirs)


def test_entries_without_a_boost_keep_their_bits() -> None:
    logits = torch.randn(3, 40, generator=torch.Generator().manual_seed(3))
    changed = boosted(logits, [{}, {7: 2.0, 9: -1.0}, {}])
    same = torch.ones(3, 40, dtype=torch.bool)
    same[1, [7, 9]] = False
    assert torch.equal(changed[same], logits[same])
    assert torch.equal(changed[~same], logits[1, [7, 9]] + torch.tensor([2.0, -1.0]))
    assert boosted(logits, [{}, {}, {}]) is logits


def test_keys_are_fixed() -> None:
    assert row_key(0, 0) == row_key(0, 0)
    assert len({row_key(seed, candidate) for seed in range(30) for candidate in range(30)}) == 900
