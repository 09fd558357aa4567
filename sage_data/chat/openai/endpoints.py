"""The servers of one model: which of them takes the next call.

The call goes to the server with the fewest open calls among those that are well: breaker closed (or due for its one
trial), not resting after a Retry-After, window not full. When none is well, calls wait; when none has been well for
longer than a stated time, the work ends. A server that says how long to wait is obeyed: that is no failure of its, and
the time does not count. Only when such waits come to as much as one call's attempts may wait, and nothing was answered
in between, does the work end.

    async with pool.turn() as endpoint: ...; pool.went_well(endpoint)
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from openai import AsyncOpenAI, Omit

from sage_data.chat.openai.breaker import Breaker
from sage_data.chat.openai.limits import Window
from sage_data.chat.openai.requests import Level
from sage_data.chat.openai.troubles import Kind, Trouble, TroubleError


@dataclass(eq=False)
class Endpoint:
    """One server, and what has been learnt about it."""

    url: str
    client: AsyncOpenAI = field(repr=False)
    window: Window
    breaker: Breaker
    headers: Mapping[str, str | Omit]
    """Of each request, besides the client's own."""
    level: Level
    """How far it can hold replies to JSON, as far as known."""
    singly: bool = False
    """It gives one candidate however many are asked for."""
    open_calls: int = 0
    sent: int = 0
    resting_until: float = -math.inf
    """It asked for patience until then."""

    def ready_at(self, now: float) -> float:
        """When it may be asked, as far as breaker and rest are concerned."""
        return max(self.resting_until, self.breaker.ready_at(now))

    def lower(self, level: Level) -> None:
        """It could not do `level`."""
        self.level = min(self.level, Level(max(level - 1, 0)))


@dataclass
class Pool:
    """All servers of one model. Belongs to one event loop."""

    endpoints: Sequence[Endpoint]
    most: int
    """Calls open at once, all servers together."""
    outage_s: float
    outage_at_start_s: float
    patience_s: float
    """Most seconds of stated waits, added up, without an answer."""

    def __post_init__(self) -> None:
        self._changed = asyncio.Event()
        self._open = 0
        self._down_since: float | None = None
        self._rested_s = 0.0
        """Stated waits since the last answer; where servers rest at the same time, that time counts once."""
        self._rest_ends = -math.inf
        self._answered = False
        self._cause = ""

    @property
    def slots(self) -> int:
        """Calls that the servers bear at this moment. May be read from any thread."""
        return min(self.most, sum(one.window.slots for one in self.endpoints))

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Endpoint]:
        """Wait for a server that takes a call, and hold one of its places.

        Raises:
            TroubleError: no server has been well for too long.
        """
        endpoint = await self._next()
        endpoint.open_calls += 1
        endpoint.sent += 1
        endpoint.breaker.begin()
        self._open += 1
        try:
            yield endpoint
        except asyncio.CancelledError:
            endpoint.breaker.abandoned()
            raise
        finally:
            endpoint.open_calls -= 1
            self._open -= 1
            self._wake()

    def went_well(self, endpoint: Endpoint) -> None:
        """The server gave a reply."""
        endpoint.window.grow()
        self._answers(endpoint)

    def went_wrong(self, endpoint: Endpoint, trouble: Trouble, sent_at: float) -> None:
        """The server gave none; what it should be asked again for, without a stated wait, counts for its breaker."""
        now = self._now()
        if trouble.busy:
            endpoint.window.shrink(sent_at, now)
        if trouble.kind is not Kind.AGAIN:
            self._answers(endpoint)
            return
        self._cause = f"{endpoint.url}: {trouble.message}"
        if trouble.wait_s:
            self._rest(endpoint, now, now + trouble.wait_s)
            return
        endpoint.breaker.failed(now)
        if self._down_since is None and not any(one.breaker.closed for one in self.endpoints):
            self._down_since = now

    def _rest(self, endpoint: Endpoint, now: float, until: float) -> None:
        endpoint.breaker.abandoned()
        endpoint.resting_until = max(endpoint.resting_until, until)
        self._rested_s += max(0.0, until - max(now, self._rest_ends))
        self._rest_ends = max(self._rest_ends, until)

    def _answers(self, endpoint: Endpoint) -> None:
        endpoint.breaker.succeeded()
        self._down_since, self._answered, self._rested_s = None, True, 0.0
        self._wake()

    async def _next(self) -> Endpoint:
        while True:
            now = self._now()
            if self._open < self.most and (free := self._free(now)):
                return min(free, key=lambda one: (one.open_calls, one.sent))
            self._end_a_long_outage(now)
            await self._wait(self._next_moment(now) - now)

    def _free(self, now: float) -> list[Endpoint]:
        return [one for one in self.endpoints if one.open_calls < one.window.slots and one.ready_at(now) <= now]

    def _next_moment(self, now: float) -> float:
        """When a server may become free without any call's end."""
        moments = [moment for one in self.endpoints if (moment := one.ready_at(now)) > now]
        return min([*moments, self._outage_ends_at()])

    def _outage_ends_at(self) -> float:
        if self._down_since is None:
            return math.inf
        limit_s = self.outage_s if self._answered else min(self.outage_s, self.outage_at_start_s)
        return self._down_since + limit_s + self._rested_s

    def _end_a_long_outage(self, now: float) -> None:
        if self._rested_s > self.patience_s:
            silent = f"servers asked for waits of {self._rested_s:.1f} s in all and answered nothing"
        elif self._down_since is not None and now >= self._outage_ends_at():
            silent = f"no server answered for {now - self._down_since:.1f} s"
        else:
            return
        what = f"{silent}; the last trouble was {self._cause}"
        step = f"{self._cause} - check that the server runs and the URL is right, then run the same command again"
        raise TroubleError(Trouble(Kind.FATAL, what, next_step=step))

    async def _wait(self, seconds: float) -> None:
        """Until something changes, at most this long."""
        try:
            await asyncio.wait_for(self._changed.wait(), None if math.isinf(seconds) else max(seconds, 0.001))
        except TimeoutError:
            return

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
