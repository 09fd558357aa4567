"""How many calls at once, and how many a minute.

`Window` adapts the number of open calls to what a server bears, as TCP does (additive increase, multiplicative
decrease; Chiu and Jain, 1989). `Rates` holds calls back so that a stated number a minute is not passed.

    window = Window(most=16); window.grow(); window.shrink(sent_at=1.0, now=2.0)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from aiolimiter import AsyncLimiter

from sage_data.chat.protocol import Message

BYTES_PER_TOKEN = 4
"""Rough size of a token in UTF-8 bytes, where a server does not say how many there were."""
TOKENS_PER_MESSAGE = 4
"""Rough number of tokens that a chat template puts around a message."""
_BURST_S = 10.0


@dataclass
class Window:
    """How many calls one server may have open: grows by one per round of successes, halves when it is too much."""

    most: int
    limit: float = math.inf
    cut_at: float = -math.inf

    def __post_init__(self) -> None:
        self.limit = min(self.limit, float(self.most))

    @property
    def slots(self) -> int:
        """Calls that may be open now; at least one."""
        return int(self.limit)

    def grow(self) -> None:
        """A call went well."""
        self.limit = min(float(self.most), self.limit + 1 / self.limit)

    def shrink(self, sent_at: float, now: float) -> None:
        """The server said, or showed by silence, that it has too much to do.

        Calls that were sent before the last cut say nothing about the window after it, so a burst of refusals halves
        it once.
        """
        if sent_at >= self.cut_at:
            self.limit, self.cut_at = max(1.0, self.limit / 2), now


class Rates:
    """Requests and tokens a minute. Belongs to one event loop."""

    def __init__(self, requests_per_minute: float | None, tokens_per_minute: float | None) -> None:
        # Short buckets: a bucket of a whole minute would let twice the rate pass in the first one.
        self._requests = None if requests_per_minute is None else _bucket(requests_per_minute, 1.0)
        self._tokens = None if tokens_per_minute is None else _bucket(tokens_per_minute, _BURST_S)

    async def take(self, tokens: int) -> None:
        """Wait until a call that may use this many tokens may be sent."""
        if self._requests is not None:
            await self._requests.acquire()
        left = float(tokens) if self._tokens is not None else 0.0
        while self._tokens is not None and left > 0:
            part = min(left, self._tokens.max_rate)
            await self._tokens.acquire(part)
            left -= part


def _bucket(per_minute: float, burst_s: float) -> AsyncLimiter:
    """A bucket that holds `burst_s` seconds' worth, and at least one."""
    period_s = max(burst_s, 60.0 / per_minute)
    return AsyncLimiter(max(1.0, per_minute * period_s / 60.0), period_s)


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has."""
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / BYTES_PER_TOKEN)


def estimated_prompt(messages: Sequence[Message]) -> int:
    """About how many tokens a conversation has as a prompt."""
    return sum(estimated_tokens(message.content) + TOKENS_PER_MESSAGE for message in messages)
