"""What the remaining rows of paid work will take, told from a pilot: calls, tokens and money with a 95 % interval.

A row is what is asked about at once: a dialogue to annotate, a pair of dialogues to judge. Method. Tokens of a first
call are taken to be in proportion to the length of what is sent (input) and of the dialogue (output); the ratios come
from the pilot. The interval joins three doubts, by `DRAWS` seeded draws:

- the ratios: the pilot is drawn again with replacement (bootstrap);
- the remaining dialogues scatter about the ratio: their sum gets a normal error of the pilot's residual spread;
- second tries, which a small pilot may not show at all: the share of dialogues that need one is drawn from the Beta
  distribution of Jeffreys' interval. Where the pilot has none, one further call is taken to send the first call and its
  reply again and to give as long a reply, and the low end has none. Work that never asks twice leaves this doubt out.

As the bootstrap of a small sample is too narrow, the tails are cut where a t distribution would cut them (Hesterberg
2015, the expanded percentile interval). Simulated coverage stands in the tests.

    remaining_use(observed, sizes, Prices(input_usd=0.15, output_usd=0.6), seed=7)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from sage_data.chat.meter import Prices
from sage_data.errors import BudgetStopError

CONFIDENCE = 0.95
DRAWS = 4_000
JEFFREYS = 0.5
MILLION = 1_000_000

Draws = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Size:
    """How long the request about one row is."""

    prompt_characters: int
    """Of all messages of the first call."""
    dialogue_characters: int
    """Of what decides how long the reply is: the last message, which holds the dialogue."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one row of the pilot took."""

    size: Size
    calls: int
    first_prompt_tokens: int
    first_completion_tokens: int
    prompt_tokens: int
    """Of all its calls."""
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Range:
    """An amount that is not known yet."""

    low: float
    expected: float
    """Median."""
    high: float


@dataclass(frozen=True, slots=True)
class Use:
    """What some rows will take."""

    calls: Range
    prompt_tokens: Range
    completion_tokens: Range
    cost_usd: Range | None
    """None where prices are not known."""


@dataclass(frozen=True, slots=True)
class _Draws:
    """`DRAWS` guesses at what the remaining dialogues will take."""

    calls: Draws
    prompt_tokens: Draws
    completion_tokens: Draws

    def cost(self, prices: Prices) -> Draws:
        """US dollars."""
        total: Draws = self.prompt_tokens * prices.input_usd + self.completion_tokens * prices.output_usd
        return total / MILLION


def remaining_use(
    pilot: Sequence[Seen], remaining: Sequence[Size], prices: Prices | None, seed: int, *, second_tries: bool = True
) -> Use:
    """Estimate what the remaining rows will take; the pilot holds at least two if any remain.

    Args:
        pilot: what each row of the pilot took.
        remaining: the lengths of the others.
        prices: per million tokens; None leaves money out.
        seed: of the draws.
        second_tries: whether a reply that cannot be used is asked for again.
    """
    rng = np.random.default_rng(seed)
    first = _first_calls(rng, pilot, remaining)
    every = _with_second_tries(rng, first, pilot, len(remaining)) if second_tries else first
    # A pilot without second tries tells nothing of how few there may be, so none is the least.
    least = every if any(one.calls > 1 for one in pilot) else first
    tail = _tail(len(pilot))
    return Use(
        calls=_range(least.calls, every.calls, tail, 0),
        prompt_tokens=_range(least.prompt_tokens, every.prompt_tokens, tail, 0),
        completion_tokens=_range(least.completion_tokens, every.completion_tokens, tail, 0),
        cost_usd=None if prices is None else _range(least.cost(prices), every.cost(prices), tail, 6),
    )


def _first_calls(rng: np.random.Generator, pilot: Sequence[Seen], remaining: Sequence[Size]) -> _Draws:
    """Every remaining dialogue is asked once."""
    calls = np.full(DRAWS, float(len(remaining)))
    if not remaining or len(pilot) < 2:
        return _Draws(calls, np.zeros(DRAWS), np.zeros(DRAWS))
    chosen = rng.integers(0, len(pilot), size=(DRAWS, len(pilot)))
    sent = _in_proportion(
        np.array([one.size.prompt_characters for one in pilot], dtype=np.float64),
        np.array([one.first_prompt_tokens for one in pilot], dtype=np.float64),
        float(sum(one.prompt_characters for one in remaining)),
        chosen,
        rng.standard_normal(DRAWS) * len(remaining) ** 0.5,
    )
    got = _in_proportion(
        np.array([one.size.dialogue_characters for one in pilot], dtype=np.float64),
        np.array([one.first_completion_tokens for one in pilot], dtype=np.float64),
        float(sum(one.dialogue_characters for one in remaining)),
        chosen,
        rng.standard_normal(DRAWS) * len(remaining) ** 0.5,
    )
    return _Draws(calls, sent, got)


def _in_proportion(
    sizes: Draws, tokens: Draws, characters: float, chosen: np.ndarray[Any, np.dtype[np.int64]], noise: Draws
) -> Draws:
    """Draws of the tokens for so many further characters.

    `sizes`, `tokens`: of the pilot's dialogues, (n,). `chosen`: the bootstrap's samples of them, (draws, n). `noise`:
    errors of the remaining dialogues' sum, in residual standard deviations, (draws,).
    """
    ratio = tokens[chosen].sum(axis=1) / sizes[chosen].sum(axis=1)
    residual = tokens - sizes * tokens.sum() / sizes.sum()
    spread = float((residual**2).sum() / (len(tokens) - 1)) ** 0.5
    drawn: Draws = np.maximum(ratio * characters + noise * spread, 0.0)
    return drawn


def _with_second_tries(rng: np.random.Generator, first: _Draws, pilot: Sequence[Seen], count: int) -> _Draws:
    """The same with the further calls for dialogues whose first reply cannot be used."""
    if not count:
        return first
    tried = [one for one in pilot if one.calls > 1]
    share = rng.beta(len(tried) + JEFFREYS, len(pilot) - len(tried) + JEFFREYS, DRAWS)
    part = rng.binomial(count, share) / count
    calls, sent, got = _further(tried) if tried else _one_more(pilot)
    return _Draws(
        first.calls + part * count * calls,
        first.prompt_tokens * (1 + part * sent),
        first.completion_tokens * (1 + part * got),
    )


def _further(tried: Sequence[Seen]) -> tuple[float, float, float]:
    """Further calls a dialogue, and their tokens of input and of output as shares of its first call's."""
    calls = sum(one.calls - 1 for one in tried) / len(tried)
    sent, got = (sum(one.first_prompt_tokens for one in tried), sum(one.first_completion_tokens for one in tried))
    more_sent = sum(one.prompt_tokens for one in tried) - sent
    more_got = sum(one.completion_tokens for one in tried) - got
    return calls, more_sent / max(sent, 1), more_got / max(got, 1)


def _one_more(pilot: Sequence[Seen]) -> tuple[float, float, float]:
    """One further call that sends the first one and its reply again."""
    sent, got = (sum(one.first_prompt_tokens for one in pilot), sum(one.first_completion_tokens for one in pilot))
    return 1.0, 1.0 + got / max(sent, 1), 1.0


def _range(least: Draws, every: Draws, tail: float, decimals: int) -> Range:
    low = min(float(np.quantile(least, tail)), float(np.quantile(every, tail)))
    expected, high = (float(value) for value in np.quantile(every, [0.5, 1 - tail]))
    return Range(round(low, decimals), round(expected, decimals), round(high, decimals))


def _tail(n: int) -> float:
    """Share of draws to cut at each end so that a bootstrap of n values covers what it should."""
    if n < 2:
        return (1 - CONFIDENCE) / 2
    normal = NormalDist()
    return float(normal.cdf(-_student(n - 1, normal.inv_cdf((1 + CONFIDENCE) / 2)) * (n / (n - 1)) ** 0.5))


def _student(freedom: int, z: float) -> float:
    """Quantile of Student's t at the normal quantile `z`: Cornish-Fisher terms, within 0.1 % from 5 degrees on."""
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / float(freedom) ** power for power, term in enumerate(terms, start=1))


def only_the_pilot(lines: Iterable[str]) -> BudgetStopError:
    """The error that ends a run of which no more than the estimate was wanted."""
    return BudgetStopError(
        "\n".join(["only the pilot was asked for", *lines]),
        next_step="the same command without --pilot-only goes on; no finished call is repeated",
    )
