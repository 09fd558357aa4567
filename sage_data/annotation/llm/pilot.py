"""Before the paid calls: a free forecast, then a pilot of a few dialogues that tells what the others will take.

The pilot is a seeded sample with one dialogue from each of equal parts of the input, so it spreads over all shards. Its
answers are kept and used: no dialogue is asked about twice. What it tells is written to `estimate.json`.

    answered = Pilot(config, folder, out, context, asking).run()
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from sage_data.annotation.annotator import AnnotationFailure
from sage_data.annotation.llm.advice import pilot_failed
from sage_data.annotation.llm.asking import Asking, Job
from sage_data.annotation.llm.shelf import Alike, Place, needs_asking
from sage_data.annotation.settings import Config
from sage_data.chat.estimate import CONFIDENCE, Seen, Size, only_the_pilot, remaining_use
from sage_data.chat.meter import Prices
from sage_data.dialogue import Dialogue
from sage_data.stage import Context, Output, derive_seed
from sage_data.store.dialogues import from_table
from sage_data.store.shards import read_shards, shard_name

ESTIMATE = "estimate.json"
CHARACTERS_PER_TOKEN = 4.0
"""Of English in the tokenizers of today, about; the forecast says so."""
REPLY_SHARE = 1.5
"""Length of a reply as a share of the dialogue's, about: the tags come on top of the text."""
CALLS_PER_ROUND = 2
"""A first try, and the repair of a bad reply."""


@dataclass(frozen=True, slots=True)
class Pilot:
    """The pilot of one run."""

    config: Config
    prices: Prices | None
    folder: Path
    out: Output
    context: Context
    asking: Asking

    def run(self) -> Mapping[Place, Job]:
        """Ask about the sample, write and say the estimate; gives the sample's finished jobs.

        An estimate that an earlier attempt wrote is said again. Its answers come from the journal, before all others,
        so that the budget is used up in the same order as before.

        Raises:
            BudgetStopError: only the pilot was wanted, or it used up the budget.
            BackendError: not one reply could be used, and more dialogues are waiting.
        """
        answered = self._ask()
        estimate = json.loads((self.out.path / ESTIMATE).read_text(encoding="utf-8"))
        lines = estimate_lines(estimate)
        if self.config.max_cost is not None:
            lines += budget_lines(estimate, self.config.max_cost)
        if self.config.pilot_only:
            raise only_the_pilot(lines)
        for line in lines:
            self.context.report.say(line)
        return answered

    def _ask(self) -> dict[Place, Job]:
        sizes = dict(self._sizes())
        forecast = self._forecast(list(sizes.values()))
        seed = derive_seed(self.context.seed, "annotation", "pilot")
        chosen = sample(list(sizes), self.config.pilot_rows, seed)
        again = self.out.has(ESTIMATE)
        if not again:
            self.context.report.say(forecast_line(forecast, self.config.max_tokens))
        done = {(job.shard, job.row): job for job in self._answered(chosen)}
        failures = [job.result for job in done.values() if isinstance(job.result, AnnotationFailure)]
        if failures and len(failures) == len(chosen) < len(sizes):
            raise pilot_failed(failures, len(sizes) - len(done))
        if not again:
            self._write(sizes, forecast, [done[place] for place in chosen], seed)
        return done

    def _write(self, sizes: Mapping[Place, Size], forecast: Mapping[str, int], jobs: list[Job], seed: int) -> None:
        pilot = {(job.shard, job.row): _seen(job, sizes[job.shard, job.row]) for job in jobs}
        remaining = [size for place, size in sizes.items() if place not in pilot]
        use = remaining_use(list(pilot.values()), remaining, self.prices, seed)
        self.out.write_json(
            ESTIMATE,
            {
                "dialogues": {"to_ask": len(sizes), "pilot": len(pilot), "remaining": len(remaining)},
                "forecast": forecast,
                "pilot": self._taken(jobs),
                "remaining": asdict(use) if pilot else None,
                "confidence": CONFIDENCE,
            },
        )

    def _forecast(self, sizes: list[Size]) -> dict[str, int]:
        room = self.config.max_tokens * CHARACTERS_PER_TOKEN
        return {
            "calls_low": len(sizes),
            "calls_high": len(sizes) * CALLS_PER_ROUND * (self.config.retry_failed + 1),
            "prompt_tokens_of_first_calls": round(sum(one.prompt_characters for one in sizes) / CHARACTERS_PER_TOKEN),
            "long_replies": sum(one.dialogue_characters * REPLY_SHARE > room for one in sizes),
        }

    def _answered(self, chosen: list[Place]) -> Iterator[Job]:
        """The sample's jobs, but none of a shard that an earlier attempt finished."""
        wanted = {place for place in chosen if not self.out.has(shard_name("dialogues", place[0]))}
        jobs = (Job(*place, dialogue) for place, dialogue in self._waiting() if place in wanted)
        with self.context.progress("pilot", len(chosen), "dialogues") as bar:
            for job in self.asking.run(jobs):
                bar.advance()
                yield job

    def _waiting(self) -> Iterator[tuple[Place, Dialogue]]:
        """Every dialogue that will be asked about, with its place, in order; of those that are alike, the first."""
        alike = Alike()
        for index, table in enumerate(read_shards(self.folder, "dialogues")):
            for row, dialogue in enumerate(from_table(table)):
                replaced = self.config.existing == "replace"
                if needs_asking(dialogue, replace_states=replaced) and not alike.met(dialogue):
                    yield (index, row), dialogue

    def _sizes(self) -> Iterator[tuple[Place, Size]]:
        for place, dialogue in self._waiting():
            messages = self.asking.request.messages(dialogue.utterances)
            lengths = [len(message.content) for message in messages]
            yield place, Size(sum(lengths), lengths[-1])

    def _taken(self, jobs: list[Job]) -> dict[str, Any]:
        """What the pilot took."""
        tokens = sum(job.prompt_tokens for job in jobs), sum(job.completion_tokens for job in jobs)
        return {
            "calls": sum(job.calls for job in jobs),
            "prompt_tokens": tokens[0],
            "completion_tokens": tokens[1],
            "failed": sum(isinstance(job.result, AnnotationFailure) for job in jobs),
            "cost_usd": None if self.prices is None else round(self.prices.cost(*tokens), 6),
        }


def sample(places: list[Place], rows: int, seed: int) -> list[Place]:
    """One place from each of `rows` equal parts, in order; all of them where there are no more than that."""
    if len(places) <= rows:
        return places
    rng = random.Random(seed)
    bounds = [part * len(places) // rows for part in range(rows + 1)] if rows else []
    return [places[rng.randrange(low, high)] for low, high in pairwise(bounds)]


def _seen(job: Job, size: Size) -> Seen:
    return Seen(
        size,
        job.calls,
        job.first_prompt_tokens,
        job.first_completion_tokens,
        job.prompt_tokens,
        job.completion_tokens,
    )


def forecast_line(forecast: Mapping[str, int], max_tokens: int) -> str:
    """What can be said for nothing."""
    long = forecast["long_replies"]
    return (
        f"forecast: {forecast['calls_low']:,} to {forecast['calls_high']:,} calls; first calls send about "
        f"{forecast['prompt_tokens_of_first_calls']:,} tokens ({CHARACTERS_PER_TOKEN:g} characters taken for one)"
    ) + (f"; {long:,} replies may not fit into max_tokens {max_tokens:,}" if long else "")


def estimate_lines(estimate: Mapping[str, Any]) -> list[str]:
    """What the pilot told."""
    taken, left, dialogues = estimate["pilot"], estimate["remaining"], estimate["dialogues"]
    if left is None:
        return [f"no pilot: {dialogues['remaining']:,} dialogues to ask about"]
    paid = "" if taken["cost_usd"] is None else f", {taken['cost_usd']:.4f} USD"
    to_pay = "" if left["cost_usd"] is None else f"; {_money(left['cost_usd'])} USD"
    return [
        f"pilot: {dialogues['pilot']:,} dialogues took {taken['calls']:,} calls, {taken['prompt_tokens']:,} tokens in, "
        f"{taken['completion_tokens']:,} out{paid}; {taken['failed']:,} failed",
        f"the remaining {dialogues['remaining']:,} will take ({100 * estimate['confidence']:g} % intervals): calls "
        f"{_amount(left['calls'])}; tokens in {_amount(left['prompt_tokens'])}; out "
        f"{_amount(left['completion_tokens'])}{to_pay}",
    ]


def budget_lines(estimate: Mapping[str, Any], max_cost: float) -> list[str]:
    """Whether the budget, which is for all attempts together, is too small even if all goes well."""
    left = estimate["remaining"]
    least = 0.0 if left is None else left["cost_usd"]["low"] + estimate["pilot"]["cost_usd"]
    if least <= max_cost:
        return []
    return [
        f"the allowed {max_cost:g} USD will not do: at least {least:.4f} USD are needed in all, what earlier attempts "
        "spent included; the run stops there, and what is finished by then is kept"
    ]


def _amount(value: Mapping[str, float]) -> str:
    return f"{value['low']:,.0f} to {value['high']:,.0f}"


def _money(value: Mapping[str, float]) -> str:
    return f"{value['low']:,.4f} to {value['high']:,.4f}"
