"""The comparison as text: a table like the paper's Table 2, with n, p, interval and verdict beside the scores.

print(summary(found, "base", "sage-dpo"))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from textwrap import fill

from sage_eval.regress.comparing import Method, Outcome, Regression
from sage_eval.tables import show_interval, show_p, text_table

HEADER = ("task", "metric", "n", "base", "new", "diff", "interval", "rel.", "p", "Holm", "verdict")
METHODS = {
    Method.MCNEMAR: "the exact McNemar test on the documents that changed, with Tango's interval",
    Method.BOOTSTRAP: "sign flips over documents, with a bootstrap interval",
    Method.CLUSTERED: "sign flips over subjects, with a cluster-robust interval",
    Method.UNPAIRED: "UNPAIRED, a z-test on the two standard errors",
}
CAVEAT = (
    "Unpaired tests are for want of scores by document. They leave out that both models met the same documents, and so "
    "find less than paired ones would."
)
WIDTH = 110


def summary(found: Sequence[Regression], base: str, new: str) -> str:
    """The table as text, the family first, with what was tested and how."""
    members = [one for one in found if one.member]
    others = [one for one in found if not one.member]
    parts = [f"Base {base}, new {new}", text_table(HEADER, [_cells(one) for one in members], left=2)]
    if others:
        parts.append("Beside the family (other filters, subjects; p not adjusted):")
        parts.append(text_table(HEADER, [_cells(one) for one in others], left=2))
    outcomes = Counter(one.outcome for one in members)
    total = ", ".join(f"{outcomes[outcome]} {outcome.value}" for outcome in Outcome)
    return "\n\n".join([*parts, "\n".join(fill(note, WIDTH) for note in _notes(found)), f"{total}.\n"])


def _notes(found: Sequence[Regression]) -> list[str]:
    first = found[0]
    used = [method for method in Method if any(one.method is method for one in found)]
    tests = [METHODS[used[0]]] if len(used) == 1 else [f"{METHODS[one]} ({_of(found, one)})" for one in used]
    filters = {one.filter: one.metric for one in found if one.filter != "none"}
    return [
        f"Tests: {'; '.join(tests)}.",
        *([CAVEAT] if Method.UNPAIRED in used else []),
        *([f"Filters of {', '.join(sorted(set(filters.values())))}: {', '.join(filters)}."] if filters else []),
        f"Intervals of the difference: {first.level:.0%}, each for its line alone. Holm over {first.family_size}, "
        f"alpha {first.alpha:g}. diff is in units of the metric, rel. is diff / base.",
        f"A loss up to the margin of {first.margin:g} is no regression. It is ruled out by an interval of its own, "
        f"adjusted for all tasks ({1 - 2 * first.alpha / first.family_size:.4g}).",
        "equivalent: no loss beyond the margin is left open, though a gain of any size may be. undecided: such a loss "
        "is neither shown nor ruled out.",
    ]


def _of(found: Sequence[Regression], method: Method) -> str:
    """Tasks tested in one way, each named once; mmlu with the number of its subjects."""
    tasks = {one.task: one.clusters for one in found if one.method is method}
    return ", ".join(task if clusters is None else f"{task}: {clusters}" for task, clusters in tasks.items())


def _cells(one: Regression) -> tuple[str, ...]:
    return (
        one.task,
        one.metric if one.filter == "none" else one.filter,
        "?" if one.n is None else str(one.n),
        f"{one.base:.3f}",
        f"{one.new:.3f}",
        f"{one.difference:+.3f}",
        show_interval(one.low, one.high),
        "-" if one.relative is None else f"{one.relative:+.1%}",
        show_p(one.p),
        show_p(one.p_holm),
        one.outcome.value,
    )
