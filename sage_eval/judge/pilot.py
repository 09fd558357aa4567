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

from sage_data.chat.estimate import CONFIDENCE, Seen, Size, only_the_pilot, remaining_use
from sage_data.errors import BackendError
from sage_data.stage import Context, Output, derive_seed
from sage_eval.judge.protocol import Judge, PaidJudge, Reply
from sage_eval.judge.purse import Purse
from sage_eval.judge.records import Ask, Comparison, Row, asks_of
from sage_eval.judge.settings import MOST_AGAIN, Config
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
class Now:
    """What this attempt made of a judge's pilot, and what it still has to make; both less than all where it resumes."""

    made_calls: int | None
    """None where nobody counts: the model runs in this process."""
    open_calls: int

    def share(self, one: Mapping[str, Any]) -> float:
        """Share of an estimate's remaining calls that nothing answers yet."""
        return min(1.0, self.open_calls / one["remaining_calls"]) if one["remaining_calls"] else 0.0

    def made(self, calls: int) -> str:
        """How many of the pilot's calls were made now, where not all were."""
        if self.made_calls is None or self.made_calls >= calls:
            return ""
        return f" ({self.made_calls:,} made now, {calls - self.made_calls:,} answered before, which cost nothing now)"


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
        done = {
            tuple(row[name] for name in ("judge", "model_a", "model_b", "scenario_id", "sample")) for row in finished
        }
        known = self._ask(paid, done) if self.config.pilot_pairs else {}
        names = dict.fromkeys(task.comparison.judge.name for task in paid)
        if not self.out.has(ESTIMATE):
            for name in names:
                self._refuse_unreadable(name, paid, known)
            self.out.write_json(ESTIMATE, self._estimate(paid, known))
        now = {name: Now(self.purse.made_now(name), self._open_calls(name, paid, known, done)) for name in names}
        self._say(json.loads((self.out.path / ESTIMATE).read_text(encoding="utf-8")), now)
        return known

    def _open_calls(self, name: str, tasks: Sequence[Task], known: Known, done: set[tuple[Any, ...]]) -> int:
        """Calls of a judge that nothing answers yet: no pilot, no finished shard, no journal."""
        own = [task for task in tasks if task.comparison.judge.name == name]
        judge = own[0].comparison.judge
        asks = [
            ask.presentation
            for task in own
            for ask in asks_of(task.pairs, task.times)
            if task.key(ask) not in known and (name, *task.comparison.models, *ask.pair.place) not in done
        ]
        asks += [seats for one in self.questions for seats in (one, Presentation(one.second, one.first))]
        return sum(not (isinstance(judge, PaidJudge) and judge.holds(shown)) for shown in asks)

    def _ask(self, tasks: Sequence[Task], done: set[tuple[Any, ...]]) -> Known:
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

    def _refuse_unreadable(self, name: str, tasks: Sequence[Task], known: Known) -> None:
        """Stop where a judge said nothing that can be read, and would be asked more.

        Raises:
            BackendError: it is so; says what it said.
        """
        replies = [reply for (judge, *_), reply in known.items() if judge == name]
        pairs = sum(len(task.pairs) for task in tasks if task.comparison.judge.name == name)
        waiting = len(Order) * pairs - len(replies)
        if not replies or waiting <= 0 or any(reply.choice not in UNREADABLE for reply in replies):
            return
        counted = Counter(reply.choice for reply in replies)
        worst = counted.most_common(1)[0][0]
        example = next(reply for reply in replies if reply.choice is worst)
        tests = len(Order) * len(self.questions)
        rest = f"the other {waiting:,} calls" + (f" and {tests:,} of the self-test" if tests else "")
        raise BackendError(
            f"judge {name}: not one of the {len(replies)} replies of the pilot can be read, so {rest} were not made; "
            f"{worst.value} {counted[worst]} times, as in {example.error or example.raw[:200]!r}",
            next_step=_way_on(worst, self.config.retry_failed + 1),
        )

    def _say(self, estimate: Mapping[str, Any], now: Mapping[str, Now]) -> None:
        """Say the estimate, and how much of it this attempt made and still has to make.

        Raises:
            BudgetStopError: only the pilot was wanted.
        """
        lines = estimate_lines(estimate, now)
        if self.config.max_cost is not None:
            lines += budget_lines(estimate, self.config.max_cost)
        if self.config.pilot_only:
            raise only_the_pilot(lines)
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


def _way_on(worst: Choice, rounds: int) -> str:
    """What helps a judge whose pilot brought nothing."""
    all_the_same = "--pilot-pairs 0 asks about all pairs all the same"
    if worst is Choice.ERROR:
        return f"see what the server says; the same command asks again; {all_the_same}"
    again = (
        f"these replies are kept: once the server is mended, --retry-failed {rounds} asks again"
        if rounds <= MOST_AGAIN
        else "these replies are kept, and the server was asked as often as can be: give it another name"
    )
    return (
        "choose a judge that answers with the verdict alone (a thinking model: ?thinking=false, or more --max-tokens); "
        f"{again}; {all_the_same}"
    )


def estimate_lines(estimate: Mapping[str, Any], now: Mapping[str, Now]) -> list[str]:
    """What the pilot told, judge by judge, and all together."""
    judges = estimate["judges"]
    lines = [line for name, one in judges.items() for line in _judge_lines(name, one, estimate, now[name])]
    spans = [(one["remaining"]["cost_usd"], now[name].share(one)) for name, one in judges.items() if one["remaining"]]
    if len(spans) > 1 and all(span is not None for span, _ in spans):
        low, high = (sum(span[end] * share for span, share in spans) for end in ("low", "high"))
        lines.append(f"all judges together: {low:,.4f} to {high:,.4f} USD still to pay")
    if estimate["at_most"]:
        lines.append("that is the most: with --stop e-value a comparison ends as soon as the evidence will do")
    return lines


def _judge_lines(name: str, one: Mapping[str, Any], estimate: Mapping[str, Any], now: Now) -> list[str]:
    taken, left, share = one["pilot"], one["remaining"], now.share(one)
    kept = one["remaining_calls"] - now.open_calls
    held = f", besides {kept:,} that are answered already" if kept > 0 else ""
    if left is None:
        characters = round(one["characters"] * share)
        return [f"judge {name}: no pilot; {now.open_calls:,} calls of {characters:,} characters to make{held}"]
    paid = "" if taken["cost_usd"] is None else f", {taken['cost_usd']:.4f} USD"
    cost = left["cost_usd"]
    to_pay = "" if cost is None else f"; {cost['low'] * share:,.4f} to {cost['high'] * share:,.4f} USD"
    return [
        f"judge {name}: pilot of {taken['pairs']:,} pairs, {taken['calls']:,} calls in all{now.made(taken['calls'])}: "
        f"{taken['prompt_tokens']:,} tokens in, {taken['completion_tokens']:,} out{paid}; "
        f"{taken['unreadable']:,} replies cannot be read",
        f"judge {name}: the remaining {now.open_calls:,} calls{held} ({one['self_test_calls']:,} of the self-test "
        f"among them), will take ({100 * estimate['confidence']:g} % intervals) tokens in "
        f"{_amount(left['prompt_tokens'], share)}; out {_amount(left['completion_tokens'], share)}{to_pay}",
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


def _amount(value: Mapping[str, float], share: float) -> str:
    return f"{value['low'] * share:,.0f} to {value['high'] * share:,.0f}"
