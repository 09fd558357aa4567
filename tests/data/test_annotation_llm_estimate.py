"""The pilot's interval holds what it should, and the sample spreads."""

from __future__ import annotations

import numpy as np
import pytest

from sage_data.annotation.llm.pilot import sample
from sage_data.annotation.llm.report import wilson
from sage_data.chat.estimate import Seen, Size, remaining_use
from sage_data.chat.meter import Prices

PRICES = Prices(input_usd=0.15, output_usd=0.6)


def world(rng: np.random.Generator, rows: int, again: float) -> list[Seen]:
    """Dialogues of all lengths; tokens scatter about a ratio to it, and a share needs a second try."""
    made = []
    for body in (rng.lognormal(6.5, 0.5, rows) + 50).astype(int).tolist():
        sent = round((body + 5000) / 4.2 * rng.normal(1, 0.02))
        got = round(body / 2.5 * rng.lognormal(0, 0.25))
        second = rng.random() < again
        more = (sent + got + 60, got) if second else (0, 0)
        made.append(Seen(Size(body + 5000, body), 1 + second, sent, got, sent + more[0], got + more[1]))
    return made


@pytest.mark.parametrize("again", [0.0, 0.05, 0.3])
def test_the_interval_covers_the_truth_as_often_as_it_says(again: float) -> None:
    runs, hits, widths = 120, np.zeros(4), []
    for run in range(runs):
        rows = world(np.random.default_rng(run), 200, again)
        pilot, rest = rows[:20], rows[20:]
        use = remaining_use(pilot, [one.size for one in rest], PRICES, seed=run)
        true = [sum(getattr(one, name) for one in rest) for name in ("calls", "prompt_tokens", "completion_tokens")]
        assert use.cost_usd is not None
        ranges = (use.calls, use.prompt_tokens, use.completion_tokens, use.cost_usd)
        for index, (value, found) in enumerate(zip([*true, PRICES.cost(true[1], true[2])], ranges, strict=True)):
            assert found.low <= found.expected <= found.high
            hits[index] += found.low <= value <= found.high
        widths.append((use.cost_usd.high - use.cost_usd.low) / use.cost_usd.expected)
    # 0.95 less three standard errors of 120 runs; more is allowed, but not at the price of saying nothing.
    assert min(hits / runs) >= 0.89, hits / runs
    assert np.mean(widths) < 0.5


def test_nothing_left_takes_nothing() -> None:
    pilot = world(np.random.default_rng(1), 6, 0.0)
    for seen in (pilot, pilot[:1]):
        use = remaining_use(seen, [], PRICES, seed=1)
        assert use.calls.high == use.prompt_tokens.high == use.completion_tokens.high == 0
        assert use.cost_usd is not None
        assert use.cost_usd.high == 0
    assert remaining_use(pilot, [pilot[0].size], None, seed=1).cost_usd is None


def test_the_sample_spreads_and_is_seeded() -> None:
    places = [(shard, row) for shard in range(4) for row in range(50)]
    chosen = sample(places, 20, seed=3)
    assert chosen == sample(places, 20, seed=3) != sample(places, 20, seed=4)
    assert [sum(shard == one for shard, _ in chosen) for one in range(4)] == [5, 5, 5, 5]
    assert sorted(set(chosen)) == chosen
    assert sample(places[:3], 20, seed=3) == places[:3]
    assert sample(places, 0, seed=3) == []


@pytest.mark.parametrize(
    ("count", "n", "low", "high"), [(0, 10, 0.0, 0.277533), (5, 10, 0.236593, 0.763407), (10, 10, 0.722467, 1.0)]
)
def test_wilson_intervals(count: int, n: int, low: float, high: float) -> None:
    found = wilson(count, n)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))
    assert wilson(0, 0).rate is None
