"""One budget for several judges, each with prices of its own.

with purse.spending("mixtral"):
    judge.judge(presentations)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sage_data.chat.meter import Meter
from sage_data.errors import BudgetStopError
from sage_data.store.shards import read_table
from sage_eval.judge.records import CALLS, Row

COUNTED = (
    *("judge", "model_a", "model_b", "scenario_id", "sample", "replicate", "prompt_hash"),
    *("prompt_tokens", "completion_tokens", "cost_usd"),
)
"""Columns of the calls that spending is told from."""


@dataclass
class Purse:
    """Counts what every judge spends, in all attempts together, and lets none begin a call beyond the budget."""

    max_cost: float | None = None
    """US dollars for all judges; None for no bound."""
    meters: dict[str, Meter] = field(default_factory=dict)
    """Judge -> its meter; judges whose prices nobody knows have none."""

    def give(self, judge: str, meter: Meter | None) -> None:
        """Count what goes through a meter as spent by this judge; None where prices are not known."""
        if meter is not None:
            self.meters[judge] = meter

    @property
    def total_usd(self) -> float:
        """US dollars spent before and now."""
        return sum(meter.total_usd for meter in self.meters.values())

    @contextmanager
    def spending(self, judge: str) -> Iterator[None]:
        """Let one judge make calls, up to what the others left.

        Raises:
            BudgetStopError: the budget is used up; all answers that came are in the journal.
        """
        own = self.meters.get(judge)
        if own is not None and self.max_cost is not None:
            own.max_cost = self.max_cost - (self.total_usd - own.total_usd)
        try:
            yield
        except BudgetStopError as error:
            raise BudgetStopError(
                f"stopped at the allowed cost of {self.max_cost:g} USD for all judges together: "
                + "; ".join(f"judge {name}: {meter}" for name, meter in self.meters.items()),
                next_step="the same command with a higher --max-cost goes on; no finished call is repeated, and what "
                f"was spent so far, {self.total_usd:.4f} USD, counts",
            ) from error

    def count(self, calls: Iterable[Row]) -> None:
        """Count calls that an earlier attempt finished: nobody makes them again, but they were paid."""
        for call in paid_once(calls):
            if (meter := self.meters.get(call["judge"])) is not None:
                meter.paid_before += 1
                meter.prompt_tokens_before += call["prompt_tokens"]
                meter.completion_tokens_before += call["completion_tokens"]


def finished_calls(folder: Path) -> list[Row]:
    """The calls in the shards that an earlier attempt finished."""
    if not any(folder.glob(f"{CALLS}-[0-9]*.parquet")):
        return []
    rows: list[Row] = read_table(folder, CALLS, list(COUNTED)).to_pylist()
    return rows


def paid_once(calls: Iterable[Row]) -> list[Row]:
    """Calls without those whose answer was another's: the same words in the same seats are asked of a judge once."""
    found: dict[tuple[Any, ...], Row] = {}
    for call in calls:
        found.setdefault((call["judge"], call["prompt_hash"], call.get("replicate", 0)), call)
    return list(found.values())
