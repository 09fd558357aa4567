"""How far judges agree with each other about the same pairs, and each with itself when it is asked again.

A verdict has four categories: A, B, tie, inconsistent. A pair that a judge could not judge is missing, never a
category. Intervals are of a bootstrap over scenarios, with all that was judged of a scenario drawn as a whole.

    print(summary(measure(rows, seed=0)))
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Any

import pyarrow as pa

from sage_eval.judge.verdict_rows import Row, replicate, unit
from sage_eval.stats.agreement import COEFFICIENTS, Agreement, Estimate, Said, agreement_of
from sage_eval.stats.result import Result
from sage_eval.tables import show_interval, text_table
from sage_eval.verdict import Verdict

TABLE = "judge_agreement"
CATEGORIES = tuple(state.value for state in Verdict if not state.failed)
SCHEMA = pa.schema(
    [
        ("kind", pa.string()),
        ("judge", pa.string()),
        ("other", pa.string()),
        ("raters", pa.int64()),
        ("units", pa.int64()),
        ("single", pa.int64()),
        ("missing", pa.int64()),
        ("scenarios", pa.int64()),
        ("opposed", pa.int64()),
        *(
            (f"{name}{part}", pa.string() if part == "_note" else pa.float64())
            for name in COEFFICIENTS
            for part in ("", "_low", "_high", "_note")
        ),
        ("note", pa.string()),
        ("level", pa.float64()),
        ("resamples", pa.int64()),
        ("seed", pa.int64()),
    ]
)


class Kind(StrEnum):
    """Who is compared with whom."""

    JUDGES = "judges"
    """Two judges."""
    PANEL = "panel"
    """All judges, where there are three or more."""
    RETEST = "retest"
    """One judge with itself, asked again."""


@dataclass(frozen=True, slots=True)
class JudgeAgreement(Result):
    """Agreement of two judges, of a panel, or of a judge with itself."""

    kind: Kind
    judge: str | None
    """The judge, or the first of two; None for a panel."""
    other: str | None
    """The second of two judges."""
    found: Agreement | None
    """None when there is nothing to compare."""
    opposed: int
    """Units of which one rater says A and another B: the worst way to disagree."""
    note: str | None = None
    """Why there is nothing to compare."""


def measure(rows: Iterable[Row], *, level: float = 0.95, resamples: int = 2000, seed: int = 0) -> list[JudgeAgreement]:
    """Compare every two judges, the panel where there are three or more, and each judge with itself.

    Args:
        rows: of `pair_verdicts`; those of `replicate` 0 count between judges, all of them in a judge's retest.
        level: coverage of the intervals.
        resamples: bootstrap resamples of scenarios.
        seed: of the bootstrap.

    Raises:
        ValueError: a judge has two verdicts on one unit and replicate.
    """
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["judge"], []).append(row)
    settings = {"level": level, "resamples": resamples, "seed": seed}
    first = {name: [_said(row, name) for row in group if not replicate(row)] for name, group in groups.items()}
    found = [
        _compared(Kind.JUDGES, one, other, first[one] + first[other], settings) for one, other in combinations(first, 2)
    ]
    if len(first) > 2:
        found.append(_compared(Kind.PANEL, None, None, [said for group in first.values() for said in group], settings))
    return found + [_compared(Kind.RETEST, name, None, _asked_again(group), settings) for name, group in groups.items()]


def _said(row: Row, rater: Hashable) -> Said:
    verdict = Verdict(row["verdict"])
    return Said(unit(row), row["scenario_id"], rater, None if verdict.failed else verdict.value)


def _asked_again(rows: Sequence[Row]) -> list[Said]:
    """All verdicts on the units that were asked about more than once."""
    again = {unit(row) for row in rows if replicate(row)}
    return [_said(row, replicate(row)) for row in rows if unit(row) in again]


def _compared(
    kind: Kind, judge: str | None, other: str | None, said: Sequence[Said], settings: Mapping[str, Any]
) -> JudgeAgreement:
    if not said:
        note = "no pair was put to this judge again" if kind is Kind.RETEST else "no pair was judged"
        return JudgeAgreement(kind, judge, other, None, 0, note)
    found = agreement_of(said, categories=CATEGORIES, **settings)
    why = None if found.units else "no pair has two readable verdicts"
    return JudgeAgreement(kind, judge, other, found, _opposed(said), why)


def _opposed(said: Sequence[Said]) -> int:
    heard: dict[Hashable, set[str | None]] = {}
    for one in said:
        heard.setdefault(one.unit, set()).add(one.category)
    return sum({Verdict.A.value, Verdict.B.value} <= categories for categories in heard.values())


def table(found: Sequence[JudgeAgreement]) -> pa.Table:
    """One row a comparison."""
    return pa.Table.from_pylist([_row(one) for one in found], schema=SCHEMA)


def _row(one: JudgeAgreement) -> dict[str, Any]:
    names = {"kind": one.kind.value, "judge": one.judge, "other": one.other, "opposed": one.opposed, "note": one.note}
    found = one.found
    if found is None:
        return {**names, "raters": 0, "units": 0, "single": 0, "missing": 0, "scenarios": 0}
    counts = {
        name: getattr(found, name) for name in ("raters", "units", "single", "missing", "level", "resamples", "seed")
    }
    cells = {key: value for name in COEFFICIENTS for key, value in _cells(name, getattr(found, name)).items()}
    return {**names, **counts, "scenarios": found.clusters, **cells}


def _cells(name: str, estimate: Estimate | None) -> dict[str, Any]:
    if estimate is None:
        return {f"{name}_note": "for two raters only"}
    interval = estimate.interval
    limits = (None, None) if interval is None else (interval.low, interval.high)
    return {name: estimate.value, f"{name}_low": limits[0], f"{name}_high": limits[1], f"{name}_note": estimate.note}


def summary(found: Sequence[JudgeAgreement]) -> str:
    """The comparisons as a text to read."""
    rows = [_line(one) for one in found]
    level = next((one.found.level for one in found if one.found), 0.95)
    header = ("compared", "pairs", "same", "kappa", "alpha", "AC1", "opposed")
    lines = [text_table(header, rows)] if rows else []
    if sum(one.kind is Kind.RETEST for one in found) == 1:
        lines.append("One judge: nothing is known of agreement between judges.")
    lines.append("\n".join(f"{_who(one)}: {one.note}." for one in found if one.note))
    lines.append(
        "same: share of pairs with the same verdict; kappa: Cohen's; alpha: Krippendorff's; AC1: Gwet's;\n"
        f"over A, B, tie, inconsistent; {level:.0%} intervals over scenarios. opposed: pairs of which one says A and\n"
        "another B. Failed verdicts are missing, not a category."
    )
    return "\n\n".join(line for line in lines if line) + "\n"


def _who(one: JudgeAgreement) -> str:
    return {
        Kind.JUDGES: f"{one.judge} and {one.other}",
        Kind.PANEL: "all judges",
        Kind.RETEST: f"{one.judge}, asked again",
    }[one.kind]


def _line(one: JudgeAgreement) -> tuple[str, ...]:
    if one.found is None:
        return (_who(one), "0", "-", "-", "-", "-", "-")
    shown = [_shown(getattr(one.found, name)) for name in COEFFICIENTS[1:]]
    same = one.found.percent.value
    return (_who(one), str(one.found.units), "-" if same is None else f"{same:.0%}", *shown, str(one.opposed))


def _shown(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "-"
    interval = estimate.interval
    limits = "" if interval is None else f" {show_interval(interval.low, interval.high, '.2f')}"
    return f"{estimate.value:.2f}{limits}"
