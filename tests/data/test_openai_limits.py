"""The parts that hold calls back: window, breaker, rates."""

import asyncio
import math

from hypothesis import given
from hypothesis import strategies as st

from sage_data.chat.openai.breaker import Breaker
from sage_data.chat.openai.limits import Rates, Window, estimated_prompt, estimated_tokens
from sage_data.chat.protocol import Message


class TestWindow:
    def test_a_burst_of_refusals_halves_it_once(self) -> None:
        window = Window(most=16)
        for _ in range(16):
            window.shrink(sent_at=1.0, now=2.0)
        assert window.slots == 8
        window.shrink(sent_at=1.9, now=2.5)  # sent before the cut
        assert window.slots == 8
        window.shrink(sent_at=2.1, now=3.0)
        assert window.slots == 4

    def test_a_round_of_successes_adds_about_one(self) -> None:
        window = Window(most=16, limit=4.0)
        for _ in range(4):
            window.grow()
        assert 4.8 < window.limit <= 5.0

    @given(st.lists(st.booleans(), max_size=300), st.integers(1, 64))
    def test_it_stays_within_one_and_its_bound(self, wells: list[bool], most: int) -> None:
        window = Window(most)
        for moment, well in enumerate(wells):
            window.grow() if well else window.shrink(moment, moment + 0.5)
            assert 1 <= window.slots <= most


class TestBreaker:
    def test_opens_after_so_many_in_a_row_and_lets_one_call_try(self) -> None:
        breaker = Breaker(failures=3, wait_s=10.0)
        for moment in (1.0, 2.0):
            breaker.failed(moment)
        breaker.succeeded()
        for moment in (3.0, 4.0):
            breaker.failed(moment)
        assert breaker.closed
        breaker.failed(5.0)
        assert not breaker.closed
        assert breaker.ready_at(6.0) == 15.0
        breaker.begin()
        assert breaker.ready_at(16.0) == math.inf
        breaker.failed(17.0)
        assert breaker.ready_at(18.0) == 27.0
        breaker.begin()
        breaker.abandoned()
        assert breaker.ready_at(28.0) == 27.0
        breaker.begin()
        breaker.succeeded()
        assert breaker.ready_at(29.0) == 29.0
        assert breaker.in_a_row == 0


class TestRates:
    def test_requests_keep_their_rate(self) -> None:
        async def seconds(calls: int) -> float:
            rates = Rates(1200.0, None)
            loop = asyncio.get_running_loop()
            began = loop.time()
            await asyncio.gather(*(rates.take(1) for _ in range(calls)))
            return loop.time() - began

        # Twenty a second, of which twenty may go at once.
        assert asyncio.run(seconds(24)) >= 0.15

    def test_a_call_larger_than_the_bucket_gets_through(self) -> None:
        async def seconds() -> float:
            rates = Rates(None, 60_000.0)
            loop = asyncio.get_running_loop()
            began = loop.time()
            await rates.take(10_150)  # the bucket holds 10,000 and fills with 1,000 a second
            return loop.time() - began

        assert 0.12 <= asyncio.run(seconds()) < 5

    def test_estimates(self) -> None:
        assert estimated_tokens("") == 0
        assert estimated_tokens("word") == 1
        assert estimated_tokens("größer") == 2  # eight bytes
        assert estimated_prompt([Message("user", "word"), Message("assistant", "words")]) == 1 + 4 + 2 + 4
