"""Judging itself: comparison by comparison, block by block, until each is through or its evidence will do.

Course(config, plan, purse, known, tested, out, context).run(tasks)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import pyarrow as pa
import pyarrow.parquet as pq

from sage_data.chat.protocol import CompletionStatus
from sage_data.progress import Bar
from sage_data.stage import Context, Output
from sage_data.store.shards import shard_name
from sage_eval.judge.pilot import Known, Task
from sage_eval.judge.protocol import Reply
from sage_eval.judge.purse import Purse, paid_once
from sage_eval.judge.records import (
    CALLS,
    VERDICTS,
    Ask,
    Row,
    asks_of,
    call_counts,
    call_table,
    pair_counts,
    panel_counts,
    panel_table,
    verdict_table,
)
from sage_eval.judge.self_test_rules import Outcome
from sage_eval.judge.settings import Config
from sage_eval.judge.stopping import Evidence, Stop, evidence
from sage_eval.judge.transcripts import Pair
from sage_eval.plan import PANEL, AnalysisPlan, StoppingRule
from sage_eval.verdict import Order


@dataclass
class Course:
    """The calls of one run, in an order that depends on the plan and on verdicts alone."""

    config: Config
    plan: AnalysisPlan
    purse: Purse
    known: Known
    tested: Mapping[str, Outcome]
    """How each judge did on questions with known answers."""
    out: Output
    context: Context
    stops: list[Stop] = field(default_factory=list)
    """Where each comparison ended, if the plan stops early."""
    verdicts: list[Row] = field(default_factory=list)
    """Every pair verdict so far."""
    _shards: int = 0

    def run(self, tasks: Sequence[Task], left_out: Sequence[dict[str, int]]) -> None:
        """Judge every comparison and write its shards; those that an earlier attempt finished are only read.

        Args:
            tasks: the comparisons, judge by judge.
            left_out: reason -> dialogues that meet none, for each task.

        Raises:
            BudgetStopError: the budget is used up; finished calls are kept.
            BackendError: a judge is of no use.
        """
        with self.context.progress("judge", total=sum(len(task.pairs) for task in tasks), unit="pairs") as bar:
            for task, reasons in zip(tasks, left_out, strict=True):
                self._judge(task, reasons, bar)

    def _judge(self, task: Task, left_out: dict[str, int], bar: Bar) -> None:
        rows: list[Row] = []
        calls: list[Row] = []
        blocks = list(blocks_of(task.pairs, self.config.block))
        waiting = len(task.pairs)
        found = self._evidence(task, rows)
        for number, block in enumerate(blocks):
            asked = self._calls(task, block)
            verdicts = verdict_table(block, asked, self.tested[task.comparison.judge.name].value)
            rows += verdicts.to_pylist()
            calls += asked.to_pylist()
            waiting -= len(block)
            found = self._evidence(task, rows)
            ends = found is not None and found.reached
            reasons = {**(left_out if number == 0 else {}), **({"not_needed": waiting} if ends else {})}
            self._write(verdicts, len(block), reasons)
            bar.advance(len(block) + (waiting if ends else 0))
            if ends:
                break
        self.verdicts += rows
        if found is not None:
            self.stops.append(_stop(task, found, calls))

    def _evidence(self, task: Task, rows: Sequence[Row]) -> Evidence | None:
        """What is known so far; None where the plan does not stop early."""
        if self.plan.stopping is StoppingRule.FIXED:
            return None
        return evidence(task.comparison.judge.name, *task.comparison.models, rows, self.plan)

    def _calls(self, task: Task, block: Sequence[Pair]) -> pa.Table:
        index = self._shards
        if self.out.has_shard(CALLS, index):
            return pq.read_table(self.out.path / shard_name(CALLS, index))
        asks = asks_of(block, task.times)
        table = call_table(task.comparison, asks, self._replies(task, asks))
        self.out.write_shard(CALLS, index, table, counts=call_counts(table))
        return table

    def _write(self, verdicts: pa.Table, pairs: int, left_out: dict[str, int]) -> None:
        if not self.out.has_shard(VERDICTS, self._shards):
            self.out.write_shard(VERDICTS, self._shards, verdicts, counts=pair_counts(pairs, left_out))
        self._shards += 1

    def _replies(self, task: Task, asks: Sequence[Ask]) -> list[Reply]:
        """What the judge says; where no reply came at all it is asked again, as often as is allowed."""
        replies = {ask.key: reply for ask in asks if (reply := self.known.get(task.key(ask))) is not None}
        missing = [ask for ask in asks if ask.key not in replies]
        for _ in range(self.config.retry_failed + 1):
            if missing:
                with self.purse.spending(task.comparison.judge.name):
                    answers = task.comparison.judge.judge([ask.presentation for ask in missing])
                replies |= {ask.key: reply for ask, reply in zip(missing, answers, strict=True)}
            missing = [ask for ask in asks if replies[ask.key].status is CompletionStatus.API_ERROR]
        return [replies[ask.key] for ask in asks]

    def panel(self, judges: Sequence[str]) -> None:
        """Write what the majority of the judges says of each pair that all of them judged."""
        table = panel_table(self.verdicts, judges)
        if not self.out.has_shard(VERDICTS, self._shards):
            self.out.write_shard(VERDICTS, self._shards, table, counts=panel_counts(table))
        self._shards += 1
        rows: list[Row] = table.to_pylist()
        self.verdicts += rows
        if self.plan.stopping is StoppingRule.FIXED:
            return
        for a, b in self.plan.pairs:
            own = [row for row in rows if (row["model_a"], row["model_b"]) == (a, b)]
            found = evidence(PANEL, a, b, own, self.plan)
            self.stops.append(Stop(found, self.plan.scenarios[f"{a}|{b}"], None, None, None))


def blocks_of(pairs: Sequence[Pair], size: int) -> Iterator[tuple[Pair, ...]]:
    """Cut pairs into blocks of at most `size` scenarios, all samples of a scenario together."""
    scenarios = [tuple(group) for _, group in groupby(pairs, key=lambda pair: pair.scenario_id)]
    for start in range(0, len(scenarios), size):
        yield tuple(pair for group in scenarios[start : start + size] for pair in group)


def _stop(task: Task, found: Evidence, calls: Sequence[Row]) -> Stop:
    planned = len(Order) * sum(task.times(pair) for pair in task.pairs)
    saved = planned - len(calls)
    paid = paid_once(calls)
    known = task.comparison.prices is not None and paid
    mean = sum(call["cost_usd"] for call in paid) / len(calls) if known else None
    scenarios = len({pair.scenario_id for pair in task.pairs})
    return Stop(found, scenarios, len(calls), saved, None if mean is None else saved * mean)
