"""The judge self-test as a text to read.

print(summary([run_self_test(judge, material, settings)]))
"""

from __future__ import annotations

from collections.abc import Sequence

from sage_eval.judge.self_test_results import Checked, SelfTest
from sage_eval.judge.self_test_rules import Outcome
from sage_eval.tables import show_interval, text_table
from sage_eval.verdict import Verdict

_NOTE = (
    "A check is passed when the rate of pairs that came out right reaches what is needed and its exact interval\n"
    "lies above one half. incons.: the orders disagree. failed: malformed or error, counted for neither side.\n"
    "original, copy: pairs won by each; of consistent and renamed: by the pair's first and second model.\n"
)
_HEADER = ("check", "outcome", "right", "rate", "interval", "needed", "original", "copy", "tie", "incons.", "failed")


def summary(found: Sequence[SelfTest]) -> str:
    """Every judge's checks as a text to read."""
    return "\n".join([*(_one(test) for test in found), _NOTE])


def _one(test: SelfTest) -> str:
    few = "" if test.pairs == test.asked_for else f" (all there are; {test.asked_for} were asked for)"
    head = f"Judge {test.judge}: self-test {test.outcome}, on {test.pairs} scenarios{few}"
    remarks = [f"{one.check}{'' if one.required else ' (not required)'}: {_remark(one)}" for one in test.checks]
    told = [line for line, one in zip(remarks, test.checks, strict=True) if _worth_telling(one)]
    if test.unusable:
        told.append(f"{test.unusable} pairs were passed over because one assistant says nothing")
    table = text_table(_HEADER, [_cells(one) for one in test.checks], left=2)
    return "\n\n".join(part for part in (head, table, "\n".join(told)) if part) + "\n"


def _worth_telling(one: Checked) -> bool:
    return one.outcome is not Outcome.PASSED or one.without_difference > 0 or any(_missed(one))


def _missed(one: Checked) -> list[str]:
    """Attacks and null models that won, with how often."""
    return [f"{name!r} {n - passes} of {n}" for name, (passes, n) in one.variants.items() if passes < n]


def _remark(one: Checked) -> str:
    won = "".join(f"\n  won: {missed}" for missed in _missed(one))
    same = f"; pairs in which there was nothing to change: {one.without_difference}" if one.without_difference else ""
    return f"{one.outcome}, {one.reason}{same}{won}"


def _cells(one: Checked) -> tuple[str, ...]:
    limits = "-" if one.interval is None else show_interval(one.interval.low, one.interval.high, ".0%")
    states = (Verdict.A, Verdict.B, Verdict.TIE, Verdict.INCONSISTENT)
    return (
        one.check.value,
        one.outcome.value if one.required else f"({one.outcome.value})",
        f"{one.passes}/{one.n}",
        "-" if one.rate is None else f"{one.rate:.0%}",
        limits,
        f"{one.threshold:.0%}",
        *(str(one.verdicts.get(state, 0)) for state in states),
        str(one.failed),
    )
