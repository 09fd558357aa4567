"""What the judge stage says when it ends: verdicts, spending, where comparisons stopped, and what went wrong.

out.write_text(SUMMARY, summary(Told(plan, verdicts, calls, tests, tested, prices, biases, stops, out.warnings)))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any

from sage_data.chat.meter import Prices
from sage_data.chat.protocol import CompletionStatus
from sage_data.stage import Output
from sage_eval.judge import bias
from sage_eval.judge.purse import paid_once
from sage_eval.judge.self_test_rules import Outcome
from sage_eval.judge.settings import MOST_AGAIN
from sage_eval.judge.stopping import Stop
from sage_eval.plan import PANEL, AnalysisPlan, StoppingRule
from sage_eval.tables import show_p, text_table
from sage_eval.verdict import Verdict

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What a summary is made of."""

    plan: AnalysisPlan
    verdicts: Sequence[Row]
    calls: Sequence[Row]
    tests: Sequence[Row]
    """The self-test's calls."""
    tested: Mapping[str, Outcome]
    prices: Mapping[str, Prices | None]
    biases: Mapping[bias.Key, bias.Bias]
    """Of each comparison; the panel has none of its own."""
    stops: Sequence[Stop]
    warnings: Sequence[str] = ()
    """Of the run."""


def summary(told: Told) -> str:
    """The text of `summary.txt`."""
    plan, verdicts = told.plan, told.verdicts
    counted = [row for row in verdicts if not row["replicate"]]
    own = [row for row in counted if row["judge"] != PANEL]
    repeats = len(verdicts) - len(counted)
    title = f"{len(own)} verdicts, each from two calls with the seats exchanged"
    if repeats:
        title += f"; {repeats} more are repeats for test-retest agreement, and count for nothing else"
    parts = [title, _verdicts(counted, told.biases), _calls(told)]
    if told.stops:
        parts.append(_stops(plan, told.stops))
    parts.append(_plan(plan))
    if told.warnings:
        parts.append("\n".join(f"warning: {one}" for one in told.warnings))
    return "\n\n".join(parts) + "\n"


def _verdicts(rows: Sequence[Row], found: Mapping[bias.Key, bias.Bias]) -> str:
    states: dict[tuple[str, str, str], Counter[str]] = {}
    for row in rows:
        states.setdefault((row["judge"], row["model_a"], row["model_b"]), Counter())[row["verdict"]] += 1
    header = ("judge", "A", "B", "pairs", *(state.value for state in Verdict), "1st seat", "words A", "words B")
    lines = [
        (*key, str(count.total()), *(str(count[state.value]) for state in Verdict), *_bias_cells(found.get(key)))
        for key, count in states.items()
    ]
    note = "1st seat: share of calls that chose the dialogue shown first. Words: mean length of a reply."
    if any(row["judge"] == PANEL for row in rows):
        abstained = sum(row["abstained"] or 0 for row in rows)
        note += f"\n{PANEL}: what more than half of the readable judges say; {abstained} of their verdicts unreadable."
    return f"{text_table(header, lines, left=3)}\n\n{note}"


def _bias_cells(one: bias.Bias | None) -> list[str]:
    if one is None:
        return ["-"] * 3
    share = one.first_seat_share
    words = ["-" if mean is None else f"{mean:.1f}" for mean in (one.words_a, one.words_b)]
    return ["-" if share is None else f"{share:.0%}", *words]


def _calls(told: Told) -> str:
    """Calls and money by judge; a question asked twice word for word is paid once."""
    lines = []
    for judge, prices in told.prices.items():
        own = [row for row in told.calls if row["judge"] == judge]
        tests = [row for row in told.tests if row["judge"] == judge]
        paid = paid_once([*own, *tests])
        failed = sum(row["choice"] in ("malformed", "error") for row in own)
        sent, got = (sum(row[name] for row in paid) for name in ("prompt_tokens", "completion_tokens"))
        cost = "unknown" if prices is None else f"{prices.cost(sent, got):.4f}"
        counts = (len(own), failed, len(tests), sent, got)
        lines.append((judge, *(f"{count:,}" for count in counts), cost, told.tested[judge].value))
    header = ("judge", "calls", "unreadable", "self-test calls", "tokens in", "tokens out", "USD", "self-test")
    return text_table(header, lines)


def _stops(plan: AnalysisPlan, stops: Sequence[Stop]) -> str:
    family = len(plan.family)
    lines = []
    for one in stops:
        path = one.evidence.path
        ahead = one.evidence.better or "-"
        largest = max((0.0, *path.log_e))
        lines.append(
            (
                one.evidence.judge,
                one.evidence.model_a,
                one.evidence.model_b,
                str(len(one.evidence.scenarios)),
                str(one.planned),
                "-" if path.stopped_after is None else str(path.stopped_after),
                f"{exp(largest):.3g}" if largest < 700 else f"e^{largest:.0f}",
                show_p(path.p[-1] if path.p else None, -largest),
                ahead,
                "-" if one.calls_saved is None else str(one.calls_saved),
                "-" if one.usd_saved is None else f"{one.usd_saved:.4f}",
            )
        )
    header = (
        *("judge", "A", "B", "scenarios judged", "planned", "reached at"),
        *("largest E", "p", "claimed", "calls saved", "USD saved"),
    )
    saved = sum(one.calls_saved or 0 for one in stops)
    made = sum(one.calls_made or 0 for one in stops)
    bound = f"{family}/{plan.alpha:g} = {family / plan.alpha:g} ({family} comparisons)"
    reached = sum(one.evidence.reached for one in stops)
    ended = (
        f"E reached {bound} in {reached} of {len(stops)} comparisons, each of which ended with the block of scenarios "
        "in which it did (`reached at` counts scenarios)"
        if reached
        else f"E would have ended a comparison at {bound}, and reached it in none: all were judged to the last scenario"
    )
    note = (
        f"{ended}: {made:,} calls were made and {saved:,} saved. The p may be read at any time, and is not adjusted "
        "for the family; the bound is."
    )
    return f"{text_table(header, lines, left=3)}\n\n{note}"


def _plan(plan: AnalysisPlan) -> str:
    ends = "after the last pair" if plan.stopping is StoppingRule.FIXED else "by e-value"
    return (
        f"Analysis plan {plan.plan_hash}: {len(plan.family)} comparisons, alpha {plan.alpha:g} "
        f"({plan.correction.value}), ties {plan.tie_rule.value}, stopping {ends}; it was written before the first call."
    )


def _again(calls: Sequence[Row], rounds: int, *, greedy: bool) -> str:
    """How to ask again about what cannot be read; what a rubric or a reward model cannot score stays as it is."""
    malformed = any(call["choice"] == "malformed" for call in calls)
    if not malformed and not any(call["status"] == CompletionStatus.API_ERROR for call in calls):
        return ""
    if rounds > MOST_AGAIN:
        return f"; they were asked about {rounds} times, the most there are: choose another judge"
    hint = ", though at temperature 0 a model mostly says the same" if malformed and greedy else ""
    return f"; the same command with --retry-failed {rounds} asks again{hint}"


def tell_failures(verdicts: Iterable[Row], calls: Sequence[Row], rounds: int, out: Output, *, greedy: bool) -> None:
    """Say what was not judged, and where a judge changed under the run's feet.

    Args:
        verdicts: of the run.
        calls: of the run.
        rounds: how often a judge that gave no reply was asked; one more asks again.
        out: takes the failure and the warnings.
        greedy: whether the judges draw at temperature 0.
    """
    own = [row for row in verdicts if row["judge"] != PANEL]
    failed = Counter(row["verdict"] for row in own if Verdict(row["verdict"]).failed)
    if failed:
        why = ", ".join(f"{count} {state}" for state, count in sorted(failed.items()))
        out.fail(
            f"{failed.total()} of {len(own)} pairs have no readable verdict ({why}); they are excluded and counted"
            f"{_again(calls, rounds, greedy=greedy)}"
        )
    for judge in dict.fromkeys(row["judge"] for row in calls):
        versions = {row["provider_version"] for row in calls if row["judge"] == judge and row["status"] == "ok"}
        if len(versions) > 1:
            out.warn(f"judge {judge} answered as {len(versions)} versions: {', '.join(sorted(versions))}")
