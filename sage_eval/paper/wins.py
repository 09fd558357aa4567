"""Recomputes a win table from its counts: sums, percentages, sign tests, stars.

results = recompute(rows, about)
findings = discrepancies(rows, results, about)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from sage_eval.paper.about import About
from sage_eval.paper.findings import Finding, Severity, WinResult
from sage_eval.paper.printed import Printed
from sage_eval.paper.tables import WinRow
from sage_eval.stats.families import holm
from sage_eval.stats.power import critical_wins, detectable_share
from sage_eval.stats.signs import sign_test
from sage_eval.tables import show_p

CELLS = {"wins_a": "wins of A", "ties": "ties", "wins_b": "wins of B"}
NO_STAR = "none"


def recompute(rows: Sequence[WinRow], about: About) -> list[WinResult]:
    """Test every row; p-values are adjusted over all rows of the table."""
    tests = [sign_test(row.wins_a, row.wins_b) for row in rows]
    adjusted = holm([test.p for test in tests])
    return [
        WinResult(
            row.judge,
            row.model_a,
            row.model_b,
            row.wins_a,
            row.ties,
            row.wins_b,
            row.total,
            test.p,
            test.log_p,
            p_holm,
            test.share_b,
            None if test.wilson is None else test.wilson.low,
            None if test.wilson is None else test.wilson.high,
            (row.wins_b - row.wins_a) / row.total if row.total else None,
            (row.wins_b + row.ties / 2) / row.total if row.total else None,
            detectable_share(test.n, alpha=about.alpha, power=about.power),
            row.stars,
            fitting_stars(test.p, about.stars),
        )
        for row, test, p_holm in zip(rows, tests, adjusted, strict=True)
    ]


def fitting_stars(p: float | None, levels: dict[str, float]) -> str:
    """The mark of the strictest level that p is below; empty when it is below none."""
    below = [(level, mark) for mark, level in levels.items() if p is not None and p < level]
    return min(below)[1] if below else ""


def expected_n(rows: Sequence[WinRow], about: About) -> int | None:
    """Items of each row: as declared, else what most rows add up to; None where no number has a majority."""
    if about.n is not None:
        return about.n
    n, count = Counter(row.total for row in rows).most_common(1)[0]
    return n if 2 * count > len(rows) else None


def discrepancies(rows: Sequence[WinRow], results: Sequence[WinResult], about: About) -> list[Finding]:
    """Everything printed that the counts contradict."""
    n = expected_n(rows, about)
    found = [one for row in rows for one in _sum(row, n)]
    found += [one for row in rows for one in _percents(row, n or row.total)]
    found += _precision(rows, n)
    if about.stars:
        found += [one for row, result in zip(rows, results, strict=True) for one in _stars(row, result, about)]
        found += _stars_out_of_order(results, about)
    return found


# -- sums and percentages ---------------------------------------------------------------------------------------------


def _sum(row: WinRow, n: int | None) -> Iterator[Finding]:
    if n is None or row.total == n:
        return
    missing = n - row.total
    repairs = [repair for name in CELLS if (repair := _repair(row, name, missing, n)) is not None]
    yield Finding(
        "sum",
        Severity.ERROR,
        row.place,
        f"{row.wins_a} + {row.ties} + {row.wins_b}",
        f"{row.total}, not {n} ({missing} missing)" if missing > 0 else f"{row.total}, not {n} ({-missing} too many)",
        "; ".join(repairs) or "no single cell, changed, would fit both the sum and its percentage",
    )


def _repair(row: WinRow, name: str, missing: int, n: int) -> str | None:
    """One cell that would put the sum right and fit its printed percentage, which it does not fit now."""
    count, percent = row.counts[name] + missing, row.percents.get(name)
    if percent is None or count < 0 or _fits(percent, row.counts[name], n) or not _fits(percent, count, n):
        return None
    repaired = {**row.counts, name: count}
    p = sign_test(repaired["wins_a"], repaired["wins_b"]).p
    return (
        f"probably {count} {CELLS[name]} instead of {row.counts[name]}: {count} of {n} is {100 * count / n:.2f}%, "
        f"printed {percent.text}; the sign test would then give p = {show_p(p)}"
    )


def _fits(percent: Printed, count: int, n: int) -> bool:
    """True when the percentage may stand for the count, at the decimals printed or rounded to a whole number."""
    exact = 100.0 * count / n
    return percent.may_be(exact) or (percent.whole and percent.may_be(exact, 0))


def _percents(row: WinRow, n: int) -> Iterator[Finding]:
    for name, percent in row.percents.items():
        count = row.counts[name]
        if n == 0 or _fits(percent, count, n):
            continue
        exact = 100.0 * count / n
        near = abs(exact - percent.value) <= 3 * percent.half
        fitting = percent.counts(n, 0 if percent.whole else None)
        cut = ", cut off instead of rounded" if percent.cut_from(exact) else ""
        yield Finding(
            "percent",
            Severity.NOTE if near else Severity.ERROR,
            f"{row.place}, {CELLS[name]}",
            f"{count} ({percent.text})",
            f"{exact:.2f}% of {n}, {exact:.{percent.decimals}f}% as printed",
            f"{percent.text} fits {fitting[0]} to {fitting[-1]}{cut}"
            if fitting
            else f"no count of {n} gives {percent.text}",
        )


def _precision(rows: Sequence[WinRow], n: int | None) -> Iterator[Finding]:
    """Whole percents printed with decimals that they do not have: one finding for the table."""
    loose = [
        (row, name, percent)
        for row in rows
        for name, percent in row.percents.items()
        if not percent.may_be(100.0 * row.counts[name] / (n or row.total or 1))
        and _fits(percent, row.counts[name], n or row.total or 1)
    ]
    if not loose:
        return
    row, name, percent = loose[0]
    count, of = row.counts[name], n or row.total
    yield Finding(
        "percent-precision",
        Severity.NOTE,
        f"{len(loose)} cells in {len({one[0].line for one in loose})} rows, first {row.place}, {CELLS[name]}",
        f"{count} ({percent.text})",
        f"{100 * count / of:.2f}%",
        "rounded to whole percents but printed with decimals: the printed zero is no digit of the number",
    )


# -- stars ------------------------------------------------------------------------------------------------------------


def _stars(row: WinRow, result: WinResult, about: About) -> Iterator[Finding]:
    printed = row.stars or ""
    if row.stars is None or printed == result.fitting_stars:
        return
    level = about.stars.get(printed, 1.0)
    claimed = level < about.stars.get(result.fitting_stars, 1.0)
    p = show_p(result.p, result.log_p)
    if not claimed:
        why = f"the mark {result.fitting_stars} would hold, since p is below {about.stars[result.fitting_stars]:g}"
    elif result.p is None or result.p >= about.alpha:
        why = f"the difference is not even significant at {about.alpha:g}; {_needed(result, level)}"
    else:
        adjusted = "and so is p" if result.p_holm < about.alpha else "but p is not"
        held = f"p is below {about.alpha:g}, {adjusted} after Holm over the table ({show_p(result.p_holm)})"
        why = f"not below {level:g}: {_needed(result, level)}; {held}"
    said = f"p < {level:g}" if printed in about.stars else f"p not below {max(about.stars.values()):g}"
    yield Finding(
        "stars",
        Severity.ERROR if claimed else Severity.NOTE,
        row.place,
        f"{printed or NO_STAR}: {said}",
        f"p = {p}: {result.fitting_stars or NO_STAR}",
        why,
    )


def _needed(result: WinResult, level: float) -> str:
    decisive, most = result.wins_a + result.wins_b, max(result.wins_a, result.wins_b)
    fewer = int(critical_wins(np.array([decisive]), level)[0])
    if fewer < 0:
        return f"no outcome of {decisive} decisive pairs could reach it"
    return f"of {decisive} decisive pairs one model would need {decisive - fewer}, it has {most}"


def _stars_out_of_order(results: Sequence[WinResult], about: About) -> Iterator[Finding]:
    """A row with a stronger mark and a weaker lead than another: no threshold on any p gives that."""
    marks = ["", *sorted(about.stars, key=lambda mark: -about.stars[mark])]
    for weaker, stronger in pairwise(marks):
        above = [one for one in results if one.stars == stronger and one.log_p is not None]
        below = [one for one in results if one.stars == weaker and one.log_p is not None]
        if not above or not below:
            continue
        worst = max(above, key=lambda one: one.log_p or 0.0)
        best = min(below, key=lambda one: one.log_p or 0.0)
        if (worst.log_p or 0.0) > (best.log_p or 0.0) + 1e-9:
            yield Finding(
                "stars-order",
                Severity.ERROR,
                f"{_row(worst)}; {_row(best)}",
                f"{stronger} for {worst.wins_a}:{worst.wins_b}, {weaker or NO_STAR} for {best.wins_a}:{best.wins_b}",
                f"p = {show_p(worst.p, worst.log_p)} and p = {show_p(best.p, best.log_p)}",
                "the row with the weaker evidence has the stronger mark: no level of p, whichever it is, gives both",
            )


def _row(result: WinResult) -> str:
    return f"{result.judge}, {result.model_a} vs {result.model_b}"


# -- what the numbers show --------------------------------------------------------------------------------------------


def shows(results: Sequence[WinResult], about: About) -> list[str]:
    """The table in sentences."""
    differing = sum(one.p_holm < about.alpha for one in results)
    found = [f"{differing} of {len(results)} rows differ at {about.alpha:g} after Holm."]
    starred = [one for one in results if one.stars]
    if starred and about.stars:
        right = [one for one in starred if one.stars == one.fitting_stars]
        names = "; ".join(f"{_row(one)}, p = {show_p(one.p, one.log_p)}" for one in right)
        verb = "row holds" if len(starred) == 1 else "rows holds" if len(right) == 1 else "rows hold"
        found.append(f"{len(right)} of {len(starred)} starred {verb} as printed{f': {names}' if right else ''}.")
    tied = [one.ties / one.n for one in results if one.n]
    if any(tied):
        found.append(
            f"Between {min(tied):.0%} and {max(tied):.0%} of the pairs count as ties, which the sign test leaves out: "
            "a share of wins among decisive pairs says more than one among all."
        )
    return found
