"""Before the many calls: a few pairs of each comparison tell what the others will cost, and if replies can be read.

The pilot's pairs are the first of each comparison in its random order, so that stopping early makes no use of them more
or less likely. Their answers are kept and used: no call is made twice. What they tell is written to `estimate.json`.

known = Pilot(config, purse, questions, out, context).run(tasks, finished)
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sage_data.chat.estimate import CONFIDENCE, Seen, Size, remaining_use
from sage_data.errors import BackendError, BudgetStopError
from sage_data.stage import Context, Output, derive_seed
from sage_eval.judge.protocol import Judge, PaidJudge, Reply
from sage_eval.judge.purse import Purse
from sage_eval.judge.records import Ask, Comparison, Row, asks_of
from sage_eval.judge.settings import Config
from sage_eval.judge.transcripts import Pair, Presentation
from sage_eval.plan import StoppingRule
from sage_eval.verdict import Choice, Order

ESTIMATE = "estimate.json"
UNREADABLE = (Choice.MALFORMED, Choice.ERROR)
Key = tuple[str, str, str, tuple[str, int, Order, int]]
"""(judge, A, B, which call)."""
Known = dict[Key, Reply]
"""What was answered already."""


@dataclass(frozen=True, slots=True)
class Task:
    """One comparison and the pairs it may take."""

    comparison: Comparison
    pairs: tuple[Pair, ...]
    """In the order in which they are judged."""
    drawn: tuple[Pair, ...]
    """The same in the random order of the plan."""
    repeats: Mapping[tuple[str, int], int]
    """Place -> how often it is asked, where that is more than once."""

    def times(self, pair: Pair) -> int:
        """How often a pair is asked in each order."""
        return self.repeats.get(pair.place, 1)

    def key(self, ask: Ask) -> Key:
        """Name of a call among all calls."""
        return self.comparison.judge.name, *self.comparison.models, ask.key


@dataclass(frozen=True, slots=True)
class Pilot:
    """The pilot of one run."""

    config: Config
    purse: Purse
    questions: Sequence[Presentation]
    """What the self-test will ask each judge in both orders; it belongs to what the run will cost."""
    out: Output
    context: Context

    def run(self, tasks: Sequence[Task], finished: Iterable[Row]) -> Known:
        """Ask about the sample, write and say the estimate; gives the answers.

        An estimate that an earlier attempt wrote is said again; what it asked is asked again only as far as no finished
        shard holds it, and then the journal answers.

        Raises:
            BudgetStopError: only the pilot was wanted, or it used up the budget.
            BackendError: a judge is of no use, or not one of its replies can be read and more pairs are waiting.
        """
        paid = [task for task in tasks if isinstance(task.comparison.judge, PaidJudge)]
        if not paid:
            return {}
        known = self._ask(paid, finished) if self.config.pilot_pairs else {}
        if not self.out.has(ESTIMATE):
            for name in dict.fromkeys(task.comparison.judge.name for task in paid):
                _refuse_unreadable(name, paid, known)
            self.out.write_json(ESTIMATE, self._estimate(paid, known))
        self._say(json.loads((self.out.path / ESTIMATE).read_text(encoding="utf-8")))
        return known

    def _ask(self, tasks: Sequence[Task], finished: Iterable[Row]) -> Known:
        done = {
            tuple(row[name] for name in ("judge", "model_a", "model_b", "scenario_id", "sample")) for row in finished
        }
        known: Known = {}
        chosen = [(task, self._chosen(task, tasks)) for task in tasks]
        with self.context.progress("pilot", total=sum(len(pairs) for _, pairs in chosen), unit="pairs") as bar:
            for task, pairs in chosen:
                judge = task.comparison.judge
                asks = [
                    ask for ask in asks_of(pairs) if (judge.name, *task.comparison.models, *ask.pair.place) not in done
                ]
                with self.purse.spending(judge.name):
                    replies = judge.judge([ask.presentation for ask in asks])
                known |= {task.key(ask): reply for ask, reply in zip(asks, replies, strict=True)}
                bar.advance(len(pairs))
        return known

    def _chosen(self, task: Task, tasks: Sequence[Task]) -> Sequence[Pair]:
        """The judge's share of the pilot that falls to one of its comparisons."""
        siblings = sum(one.comparison.judge is task.comparison.judge for one in tasks)
        return task.drawn[: -(-self.config.pilot_pairs // siblings)]

    def _estimate(self, tasks: Sequence[Task], known: Known) -> dict[str, Any]:
        names = dict.fromkeys(task.comparison.judge.name for task in tasks)
        return {
            "judges": {name: self._of_judge(name, tasks, known) for name in names},
            "at_most": self.config.stop is StoppingRule.E_VALUE,
            "confidence": CONFIDENCE,
        }

    def _of_judge(self, name: str, tasks: Sequence[Task], known: Known) -> dict[str, Any]:
        own = [task for task in tasks if task.comparison.judge.name == name]
        prices = own[0].comparison.prices
        pilot: list[Seen] = []
        remaining: list[Size] = []
        replies: list[Reply] = []
        for task in own:
            for pair in task.pairs:
                size = _size(task, pair)
                answered = [known[key] for order in Order if (key := task.key(Ask(pair, order))) in known]
                if answered:
                    pilot.append(_seen(size, answered))
                    replies += answered
                remaining += [size] * (task.times(pair) - bool(answered))
        remaining += [_length(own[0].comparison.judge, shown) for shown in self.questions]
        sent, got = sum(one.prompt_tokens for one in replies), sum(one.completion_tokens for one in replies)
        seed = derive_seed(self.context.seed, "judge", "estimate", name)
        return {
            "pilot": {
                "pairs": len(pilot),
                "calls": len(replies),
                "prompt_tokens": sent,
                "completion_tokens": got,
                "unreadable": sum(one.choice in UNREADABLE for one in replies),
                "cost_usd": None if prices is None else prices.cost(sent, got),
            },
            "remaining_calls": len(Order) * len(remaining),
            "self_test_calls": len(Order) * len(self.questions),
            "remaining": asdict(remaining_use(pilot, remaining, prices, seed, second_tries=False)) if pilot else None,
            "characters": sum(one.prompt_characters for one in remaining),
        }

    def _say(self, estimate: Mapping[str, Any]) -> None:
        """Say the estimate.

        Raises:
            BudgetStopError: only the pilot was wanted.
        """
        lines = estimate_lines(estimate)
        if self.config.max_cost is not None:
            lines += budget_lines(estimate, self.config.max_cost)
        if self.config.pilot_only:
            raise BudgetStopError(
                "\n".join(["only the pilot was asked for", *lines]),
                next_step="the same command without --pilot-only goes on; no finished call is repeated",
            )
        for line in lines:
            self.context.report.say(line)


def _size(task: Task, pair: Pair) -> Size:
    """Length of what is sent about a pair in both orders, which are equally long; a verdict's length is one for all."""
    return _length(task.comparison.judge, Ask(pair, Order.AB).presentation)


def _length(judge: Judge, shown: Presentation) -> Size:
    sent = judge.characters(shown) if isinstance(judge, PaidJudge) else 0
    return Size(len(Order) * sent, dialogue_characters=1)


def _seen(size: Size, replies: Sequence[Reply]) -> Seen:
    sent, got = sum(one.prompt_tokens for one in replies), sum(one.completion_tokens for one in replies)
    return Seen(size, len(replies), sent, got, sent, got)


def _refuse_unreadable(name: str, tasks: Sequence[Task], known: Known) -> None:
    """Stop where a judge said nothing that can be read, and would be asked more.

    Raises:
        BackendError: it is so; says what it said.
    """
    replies = [reply for (judge, *_), reply in known.items() if judge == name]
    waiting = sum(len(Order) * len(task.pairs) for task in tasks if task.comparison.judge.name == name) - len(replies)
    if not replies or waiting <= 0 or any(reply.choice not in UNREADABLE for reply in replies):
        return
    counted = Counter(reply.choice for reply in replies)
    worst = counted.most_common(1)[0][0]
    example = next(reply for reply in replies if reply.choice is worst)
    raise BackendError(
        f"judge {name}: not one of the {len(replies)} replies of the pilot can be read, so the other {waiting:,} calls "
        f"were not made; {worst.value} {counted[worst]} times, as in {example.error or example.raw[:200]!r}",
        next_step="choose a judge that answers with the verdict alone (a thinking model: ?thinking=false); "
        "--pilot-pairs 0 asks about all pairs all the same",
    )


def estimate_lines(estimate: Mapping[str, Any]) -> list[str]:
    """What the pilot told, judge by judge, and all together."""
    lines = [line for name, one in estimate["judges"].items() for line in _judge_lines(name, one, estimate)]
    spans = [one["remaining"]["cost_usd"] for one in estimate["judges"].values() if one["remaining"]]
    if len(spans) > 1 and None not in spans:
        low, high = (sum(span[end] for span in spans) for end in ("low", "high"))
        lines.append(f"all judges together: {low:,.4f} to {high:,.4f} USD still to pay")
    if estimate["at_most"]:
        lines.append("that is the most: with --stop e-value a comparison ends as soon as the evidence will do")
    return lines


def _judge_lines(name: str, one: Mapping[str, Any], estimate: Mapping[str, Any]) -> list[str]:
    taken, left = one["pilot"], one["remaining"]
    if left is None:
        return [f"judge {name}: no pilot; {one['remaining_calls']:,} calls of {one['characters']:,} characters to make"]
    paid = "" if taken["cost_usd"] is None else f", {taken['cost_usd']:.4f} USD"
    cost = left["cost_usd"]
    to_pay = "" if cost is None else f"; {cost['low']:,.4f} to {cost['high']:,.4f} USD"
    return [
        f"judge {name}: pilot of {taken['pairs']:,} pairs took {taken['calls']:,} calls, "
        f"{taken['prompt_tokens']:,} tokens in, {taken['completion_tokens']:,} out{paid}; "
        f"{taken['unreadable']:,} replies cannot be read",
        f"judge {name}: the remaining {one['remaining_calls']:,} calls, {one['self_test_calls']:,} of them of the "
        f"self-test, will take ({100 * estimate['confidence']:g} % "
        f"intervals) tokens in {_amount(left['prompt_tokens'])}; out {_amount(left['completion_tokens'])}{to_pay}",
    ]


def budget_lines(estimate: Mapping[str, Any], max_cost: float) -> list[str]:
    """Whether the budget, which is for all judges and attempts together, is too small even if all goes well."""
    judges = [one for one in estimate["judges"].values() if one["remaining"] and one["remaining"]["cost_usd"]]
    least = sum(one["remaining"]["cost_usd"]["low"] + one["pilot"]["cost_usd"] for one in judges)
    if least <= max_cost or estimate["at_most"]:
        return []
    return [
        f"the allowed {max_cost:g} USD will not do: at least {least:.4f} USD are needed in all, what earlier attempts "
        "spent included; the run stops there, and what is finished by then is kept"
    ]


def _amount(value: Mapping[str, float]) -> str:
    return f"{value['low']:,.0f} to {value['high']:,.0f}"
