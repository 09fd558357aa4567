"""What calls cost, and when to stop: tokens are counted, money follows from them.

What can be counted is what replies tell. A request that timed out, lost its connection or brought no completion may
have been charged all the same, and a killed run's calls in flight too; nobody tells how many tokens those were. The
requests are counted (`lost`), but not their money, so a bill may exceed what stands here.

meter = Meter(Prices(input_usd=0.15, output_usd=0.60), max_cost=2.0)
chat = context.chat("openai:MODEL@URL", inputs, meter)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import RLock
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from sage_data.chat.protocol import Completion
from sage_data.errors import BudgetStopError

_MILLION = 1_000_000
_KEY_DIGITS = 16
"""Of a call's key in hexadecimal: enough to tell millions apart, and cheap to keep."""


class Prices(BaseModel):
    """What a provider asks, in US dollars per million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input_usd: float = Field(default=0.0, ge=0, allow_inf_nan=False, description="Per million tokens of prompts.")
    output_usd: float = Field(default=0.0, ge=0, allow_inf_nan=False, description="Per million generated tokens.")

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float:
        """US dollars for so many tokens. Always call it on totals: a sum of parts would depend on their order."""
        return (prompt_tokens * self.input_usd + completion_tokens * self.output_usd) / _MILLION


@dataclass(eq=False)
class Meter:
    """Counts calls and tokens, and says when no further call may start. Shared by all backends of one budget.

    Backends that ask other prices get meters of their own, which `beside` links to one budget. Threads may share one.

    The budget is for the work, not for one attempt at it: what answers from the journal cost when they were made counts
    too. Of a call that failed then and is made again, only what it costs now is known.
    """

    prices: Prices = field(default_factory=Prices)
    max_cost: float | None = None
    """US dollars; None for no bound. No call starts once the calls so far, with those still open taken at the mean cost
    of a call, have used it up. Until the first answer nothing is known of a call's cost, so as many may start as the
    backend takes at once."""
    started: int = 0
    calls: int = 0
    """Conversations asked and answered, failures included; each may have taken several attempts."""
    failed: int = 0
    """Of these, how many brought no usable candidate."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    journaled: int = 0
    """Answers that came from the journal and cost nothing now."""
    paid_before: int = 0
    """Calls behind them: made by an earlier attempt, each counted once."""
    prompt_tokens_before: int = 0
    completion_tokens_before: int = 0
    estimated: int = 0
    """Requests whose tokens the server did not count, so that the backend estimated them."""
    lost: int = 0
    """Requests that were sent and brought no reply. They may have been charged; how many tokens, nobody tells."""
    _counted: set[int] = field(default_factory=set, init=False, repr=False)
    _lock: Any = field(default_factory=RLock, init=False, repr=False)
    _of_budget: list[Meter] = field(default_factory=list, init=False, repr=False)
    """All meters of the budget, this one included."""

    def __post_init__(self) -> None:
        self._of_budget.append(self)

    def beside(self, prices: Prices) -> Self:
        """A meter for calls with other prices, which count against the same budget."""
        other = type(self)(prices, self.max_cost)
        other._lock, other._of_budget = self._lock, self._of_budget
        self._of_budget.append(other)
        return other

    @property
    def cost_usd(self) -> float:
        """US dollars spent now, as far as replies told their tokens."""
        return self.prices.cost(self.prompt_tokens, self.completion_tokens)

    @property
    def cost_before_usd(self) -> float:
        """US dollars that the answers from the journal cost when they were made."""
        return self.prices.cost(self.prompt_tokens_before, self.completion_tokens_before)

    @property
    def total_usd(self) -> float:
        """US dollars spent before and now: what counts against `max_cost`."""
        prompt = self.prompt_tokens_before + self.prompt_tokens
        return self.prices.cost(prompt, self.completion_tokens_before + self.completion_tokens)

    @property
    def open_calls(self) -> int:
        """Calls begun and not yet answered."""
        return self.started - self.calls

    @property
    def may_start(self) -> bool:
        """True when the budget bears one more call."""
        if self.max_cost is None:
            return True
        with self._lock:
            return sum(one.total_usd + one._expected_usd for one in self._of_budget) < self.max_cost

    @property
    def _expected_usd(self) -> float:
        """What the calls still open will cost, taken at the mean cost of a call."""
        known = self.calls + self.paid_before
        return self.total_usd * self.open_calls / known if known else 0.0

    def start(self) -> bool:
        """Begin a call; False when no further one may start."""
        with self._lock:
            if not self.may_start:
                return False
            self.started += 1
            return True

    def finish(self, completions: Sequence[Completion], key: str | None = None) -> None:
        """A call was answered. With its key in the journal, it does not count again when it comes from there."""
        with self._lock:
            self._first_time(key)
            self.calls += 1
            self.failed += not any(one.ok for one in completions)
            self.prompt_tokens += sum(one.prompt_tokens for one in completions)
            self.completion_tokens += sum(one.completion_tokens for one in completions)

    def abandon(self, calls: int) -> None:
        """So many calls were begun and will not be answered."""
        with self._lock:
            self.started -= calls

    def unsure(self, estimated: int, lost: int) -> None:
        """So many more requests had their tokens estimated, or brought no reply."""
        with self._lock:
            self.estimated += estimated
            self.lost += lost

    def from_journal(self, completions: Sequence[Completion], key: str | None = None) -> None:
        """An answer was there already. What it cost counts as spent before, once for each key."""
        with self._lock:
            self.journaled += 1
            if self._first_time(key):
                self.paid_before += 1
                self.prompt_tokens_before += sum(one.prompt_tokens for one in completions)
                self.completion_tokens_before += sum(one.completion_tokens for one in completions)

    def __str__(self) -> str:
        tokens = f"{self.prompt_tokens:,} prompt and {self.completion_tokens:,} completion tokens"
        guessed = f" ({self.estimated:,} requests estimated)" if self.estimated else ""
        kept = f"{self.journaled:,} answers from the journal, {self.cost_before_usd:.4f} USD spent before"
        lost = f"; {self.lost:,} requests brought no reply, and what they cost is not known" if self.lost else ""
        return f"{self.calls:,} calls, {tokens}{guessed}, {self.cost_usd:.4f} USD spent now; {kept}{lost}"

    def stop(self) -> BudgetStopError:
        """The error that ends the work when no further call may start."""
        allowed = "no bound" if self.max_cost is None else f"{self.max_cost:g} USD"
        spent = sum(one.total_usd for one in self._of_budget)
        return BudgetStopError(
            f"stopped at the allowed cost of {allowed}: {'; besides, '.join(map(str, self._of_budget))}",
            next_step="the same command with a higher --max-cost goes on; no finished call is repeated, and what was "
            f"spent so far, {spent:.4f} USD, counts",
        )

    def _first_time(self, key: str | None) -> bool:
        """True when no call with this key has been counted, or none is given."""
        if key is None:
            return True
        mark, before = int(key[:_KEY_DIGITS], 16), len(self._counted)
        self._counted.add(mark)
        return len(self._counted) > before
