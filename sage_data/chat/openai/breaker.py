"""A circuit breaker: a server that keeps failing is left alone for a while, then tried with one call.

breaker = Breaker(failures=5, wait_s=10.0)
if breaker.ready_at(now) <= now: breaker.begin(); ...; breaker.failed(now)
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class Breaker:
    """Closed until `failures` in a row; then open for `wait_s` seconds; then half open: one call decides.

    Moments are seconds of any one clock that never goes back.
    """

    failures: int
    wait_s: float
    in_a_row: int = 0
    opened_at: float | None = None
    probing: bool = False

    @property
    def closed(self) -> bool:
        """True while calls may pass freely."""
        return self.opened_at is None

    def ready_at(self, now: float) -> float:
        """The moment from which a call may pass: `now` when closed, infinite while another call tries the server."""
        if self.opened_at is None:
            return now
        return math.inf if self.probing else self.opened_at + self.wait_s

    def begin(self) -> None:
        """A call passes."""
        self.probing = not self.closed

    def succeeded(self) -> None:
        """The server answered: the breaker closes."""
        self.in_a_row, self.opened_at, self.probing = 0, None, False

    def failed(self, now: float) -> None:
        """The server did not answer, had too much to do, or spoke in another voice."""
        self.in_a_row += 1
        self.probing = False
        if self.in_a_row >= self.failures:
            self.opened_at = now

    def abandoned(self) -> None:
        """A call ended without telling anything, because it was cancelled."""
        self.probing = False
