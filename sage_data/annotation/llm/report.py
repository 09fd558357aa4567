"""What became of all dialogues: how many failed and why, how often a second try helped, tags, tokens, money.

Made from the tables that the stage wrote, so it is the same for a run that was interrupted. Rates carry Wilson's 95 %
interval.

    report = make_report(out.path, tags, prices)
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pyarrow as pa

from sage_data.annotation.llm.advice import again_lines
from sage_data.annotation.llm.outcome import ASKED, ASKED_SCHEMA, Outcome
from sage_data.annotation.settings import Config
from sage_data.annotation.tally import NULL, TagCounts
from sage_data.chat.meter import Prices
from sage_data.store.shards import read_shards

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of `n` with its interval; all None where n is 0."""

    count: int
    n: int
    rate: float | None
    low: float | None
    high: float | None


def wilson(count: int, n: int) -> Rate:
    """The share `count` of `n` with Wilson's score interval."""
    if not n:
        return Rate(count, n, None, None, None)
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    share, scale = count / n, 1 + z * z / n
    middle = (share + z * z / (2 * n)) / scale
    half = z * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5 / scale
    # Exactly 0 and 1 at the ends, where rounding would leave a trace.
    low = 0.0 if count == 0 else max(middle - half, 0.0)
    high = 1.0 if count == n else min(middle + half, 1.0)
    return Rate(count, n, round(share, 6), round(low, 6), round(high, 6))


@dataclass(slots=True)
class Totals:
    """Sums over the table of outcomes."""

    outcomes: Counter[str] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)
    """Column -> its sum; of dialogues that are alike, only the first has calls and tokens."""
    annotated_utterances: int = 0
    similarity: float = 0.0
    """Sum over all annotated utterances."""
    last_failures: Counter[str] = field(default_factory=Counter)
    """Why a dialogue failed in the end."""
    all_failures: Counter[str] = field(default_factory=Counter)
    """Why a call could not be used, also where a further one helped."""
    asked: int = 0
    repaired: Counter[bool] = field(default_factory=Counter)
    """Did a repair help?, over dialogues that were given one."""
    retried: Counter[bool] = field(default_factory=Counter)
    """Did a further round help?, over dialogues that were given one."""

    def add_table(self, table: pa.Table) -> None:
        """Count all dialogues of one shard."""
        for row in table.select(ASKED_SCHEMA.names).to_pylist():
            self.add(row)

    def add(self, row: dict[str, Any]) -> None:
        """Count one dialogue."""
        outcome, failures = row["outcome"], row["failures"]
        self.outcomes[outcome] += 1
        if outcome == Outcome.FAILED:
            self.last_failures[failures[-1]] += 1
        if outcome == Outcome.ANNOTATED:
            self.annotated_utterances += row["annotated"]
            self.similarity += row["similarity"] * row["annotated"]
            self.sums.update({name: row[name] for name in _CHANGES})
        if row["calls"]:
            self.asked += 1
            self.all_failures.update(failures)
            self.sums.update({name: row[name] for name in _SUMMED})
            self.repaired.update([row["mended"]] if row["repairs"] else [])
            self.retried.update([outcome == Outcome.ANNOTATED] if row["rounds"] > 1 else [])


_CHANGES = ("rewritten", "bridges")
_SUMMED = ("calls", "prompt_tokens", "completion_tokens")


def read_totals(folder: Path) -> Totals:
    """Add up the table of outcomes of a stage folder."""
    totals = Totals()
    for table in read_shards(folder, ASKED):
        totals.add_table(table)
    return totals


def make_report(totals: Totals, tags: TagCounts, prices: Prices | None) -> dict[str, Any]:
    """The report as plain data."""
    total = totals.outcomes.total()
    failed = totals.outcomes[Outcome.FAILED]
    tokens = totals.sums["prompt_tokens"], totals.sums["completion_tokens"]
    return {
        "dialogues": {"came_in": total, **{one.value: totals.outcomes[one] for one in Outcome}},
        "failed": asdict(wilson(failed, total)),
        "failures": {kind: asdict(wilson(count, total)) for kind, count in sorted(totals.last_failures.items())},
        "unusable_replies": {
            kind: asdict(wilson(count, totals.sums["calls"])) for kind, count in sorted(totals.all_failures.items())
        },
        "repairs": _tries(totals.repaired, totals.asked),
        "further_rounds": _tries(totals.retried, totals.asked),
        "utterances": {
            "annotated": totals.annotated_utterances,
            "rewritten": totals.sums["rewritten"],
            "bridges": totals.sums["bridges"],
            "mean_similarity": _mean(totals.similarity, totals.annotated_utterances),
        },
        "null_rates": {role: {slot: _null_rate(slots, slot) for slot in slots} for role, slots in tags.items()},
        "calls": totals.sums["calls"],
        "prompt_tokens": tokens[0],
        "completion_tokens": tokens[1],
        "cost_usd": None if prices is None else round(prices.cost(*tokens), 6),
    }


def _tries(helped: Counter[bool], asked: int) -> dict[str, Any]:
    """How many of the dialogues asked about needed it, and how many of those it helped."""
    return {"needed": asdict(wilson(helped.total(), asked)), "helped": asdict(wilson(helped[True], helped.total()))}


def _mean(total: float, n: int) -> float | None:
    return round(total / n, 6) if n else None


def _null_rate(slots: dict[str, dict[str, int]], slot: str) -> dict[str, Any]:
    """Share of the utterances that have no tag in a slot; each has one emotion, if only null, so these count them."""
    return asdict(wilson(slots[slot].get(NULL, 0), sum(slots["emotion"].values())))


def report_lines(report: dict[str, Any], config: Config) -> list[str]:
    """The report in a few lines."""
    dialogues, utterances = report["dialogues"], report["utterances"]
    return [
        f"{dialogues['came_in']:,} dialogues: {dialogues['annotated']:,} annotated, {dialogues['passed']:,} had their "
        f"states, {dialogues['failed']:,} failed{_percent(report['failed'])}",
        *(f"  {kind:20} {one['count']:7,}{_percent(one)}" for kind, one in report["failures"].items()),
        *again_lines(_failures(report), config),
        *(_tried(name, report[name]) for name in ("repairs", "further_rounds") if report[name]["needed"]["count"]),
        f"{utterances['annotated']:,} utterances annotated, {utterances['rewritten']:,} rewritten, "
        f"{utterances['bridges']:,} with a question added, mean similarity {_shown(utterances['mean_similarity'])}",
        f"{report['calls']:,} calls, {report['prompt_tokens']:,} tokens in, {report['completion_tokens']:,} out"
        + ("" if report["cost_usd"] is None else f", {report['cost_usd']:.4f} USD"),
    ]


def failure_message(report: dict[str, Any], config: Config) -> str | None:
    """What to say of the dialogues that failed; None where none did."""
    failed = report["dialogues"]["failed"]
    if not failed:
        return None
    failures = _failures(report)
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in failures.items())
    told = (
        f"{failed:,} of {report['dialogues']['came_in']:,} dialogues could not be annotated ({kinds}); they stand in "
        "rejected/ with the reason and the reply"
    )
    return "; ".join([told, *again_lines(failures, config)])


def _failures(report: dict[str, Any]) -> dict[str, int]:
    return {kind: one["count"] for kind, one in report["failures"].items()}


def _tried(name: str, tries: dict[str, Any]) -> str:
    needed, helped = tries["needed"], tries["helped"]
    return (
        f"{name.replace('_', ' ')} for {needed['count']:,}{_percent(needed)}, "
        f"of which {helped['count']:,} helped{_percent(helped)}"
    )


def _percent(rate: dict[str, Any]) -> str:
    if rate["rate"] is None:
        return ""
    return f" ({100 * rate['rate']:.1f} %, {100 * rate['low']:.1f}-{100 * rate['high']:.1f})"


def _shown(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
