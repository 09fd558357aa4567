"""Puts pair verdicts to the exact sign test: the paper's Table 1 with what it lacks (exact p, intervals, failures).

Each scenario counts once. Ties and inconsistent pairs are listed apart and take no part in the test; malformed and
error pairs are excluded and counted, and the net win is also given as if all of them had gone one way or the other.

    sage eval significance judged/ --out significance/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pyarrow as pa
from pydantic import Field

from sage_data.errors import InputError
from sage_data.stage import Context, Counts, Inputs, Need, Output, StageConfig
from sage_data.store.shards import read_table
from sage_eval.stats import Interval, SignTest, holm, sign_test
from sage_eval.tables import show_interval, show_p, show_share, text_table
from sage_eval.verdict import Verdict

VERSION = 1
INPUTS = (Need("verdicts", "folders of pair verdicts", many=True),)
TABLE = "significance"
STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
"""Marks of a Holm-adjusted p below a bound."""

SCHEMA = pa.schema(
    [
        ("judge", pa.string()),
        ("model_a", pa.string()),
        ("model_b", pa.string()),
        ("wins_a", pa.int64()),
        ("ties", pa.int64()),
        ("wins_b", pa.int64()),
        ("inconsistent", pa.int64()),
        ("malformed", pa.int64()),
        ("error", pa.int64()),
        ("n", pa.int64()),
        ("p", pa.float64()),
        ("log_p", pa.float64()),
        ("p_holm", pa.float64()),
        ("share_b", pa.float64()),
        ("share_b_low", pa.float64()),
        ("share_b_high", pa.float64()),
        ("share_b_exact_low", pa.float64()),
        ("share_b_exact_high", pa.float64()),
        ("net_win", pa.float64()),
        ("net_win_low", pa.float64()),
        ("net_win_high", pa.float64()),
        ("half_tie_score", pa.float64()),
        ("conclusion", pa.string()),
        ("stars", pa.string()),
        ("alpha", pa.float64()),
        ("level", pa.float64()),
        ("family_size", pa.int64()),
    ]
)


class Config(StageConfig):
    """How the verdicts are tested; all comparisons of the inputs are one family."""

    alpha: float = Field(0.05, gt=0.0, lt=1.0, description="Chance of any false claim in the whole family.")
    level: float = Field(0.95, gt=0.0, lt=1.0, description="Coverage of the intervals.")


class Conclusion(StrEnum):
    """What one comparison shows."""

    A_BETTER = "A better"
    B_BETTER = "B better"
    NOT_SHOWN = "not shown"
    """The decisive pairs are compatible with equal models."""
    UNDECIDABLE = "undecidable"
    """There is no decisive pair."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models under one judge, with the settings it was tested under."""

    judge: str
    model_a: str
    model_b: str
    counts: Mapping[Verdict, int]
    test: SignTest
    p_holm: float | None
    """p adjusted for the family; None when undecidable (which still counts as a member)."""
    family_size: int
    alpha: float
    level: float

    @property
    def n(self) -> int:
        """Pairs with a readable verdict."""
        return sum(count for verdict, count in self.counts.items() if not verdict.failed)

    @property
    def failed(self) -> int:
        """Pairs without one."""
        return self.counts[Verdict.MALFORMED] + self.counts[Verdict.ERROR]

    @property
    def net_win(self) -> float | None:
        """(B - A) / n, -1 to 1; None when nothing is readable."""
        return (self.test.wins_b - self.test.wins_a) / self.n if self.n else None

    @property
    def net_win_bounds(self) -> tuple[float, float] | None:
        """Net win if every failed pair had gone to A, and if every one had gone to B."""
        total = self.n + self.failed
        lead = self.test.wins_b - self.test.wins_a
        return ((lead - self.failed) / total, (lead + self.failed) / total) if total else None

    @property
    def half_tie_score(self) -> float | None:
        """B's wins plus half of what neither won, as a share of n."""
        return None if self.net_win is None else (1.0 + self.net_win) / 2.0

    @property
    def conclusion(self) -> Conclusion:
        """What may be claimed at `alpha` over the family."""
        if self.p_holm is None:
            return Conclusion.UNDECIDABLE
        if self.p_holm >= self.alpha:
            return Conclusion.NOT_SHOWN
        return Conclusion.B_BETTER if self.test.wins_b > self.test.wins_a else Conclusion.A_BETTER

    @property
    def stars(self) -> str:
        """`***`, `**`, `*` or nothing, for the adjusted p."""
        return next((mark for bound, mark in STARS if self.p_holm is not None and self.p_holm < bound), "")


Key = tuple[str, str, str]


def compare(counted: Mapping[Key, Mapping[Verdict, int]], *, alpha: float, level: float) -> list[Comparison]:
    """Test every (judge, A, B) and adjust for the family of all of them."""
    tests = {key: sign_test(counts[Verdict.A], counts[Verdict.B], level) for key, counts in counted.items()}
    adjusted = holm([1.0 if test.p is None else test.p for test in tests.values()])
    return [
        Comparison(
            *key,
            counts={verdict: counted[key][verdict] for verdict in Verdict},
            test=test,
            p_holm=p_holm if test.decidable else None,
            family_size=len(tests),
            alpha=alpha,
            level=level,
        )
        for (key, test), p_holm in zip(tests.items(), adjusted, strict=True)
    ]


def count(rows: Iterable[Mapping[str, Any]]) -> dict[Key, Counter[Verdict]]:
    """Count verdicts by judge and pair, in order of appearance.

    Raises:
        InputError: a scenario is judged twice by one judge, so that it would be counted as independent evidence; or
            what would be pooled differs: two specs under one judge's name, or a pair as (A, B) and as (B, A).
    """
    rows = list(rows)
    _refuse_mixtures(rows)
    counted: dict[Key, Counter[Verdict]] = {}
    seen: set[tuple[str, str, frozenset[str]]] = set()
    for row in rows:
        once = (row["judge"], row["scenario_id"], frozenset((row["model_a"], row["model_b"])))
        if once in seen:
            raise InputError(
                f"judge {row['judge']} has two verdicts on {row['model_a']} against {row['model_b']} "
                f"in scenario {row['scenario_id']}; expected one",
                next_step="give each folder of verdicts once, and list each pair in one order only",
            )
        seen.add(once)
        counted.setdefault((row["judge"], row["model_a"], row["model_b"]), Counter())[Verdict(row["verdict"])] += 1
    return counted


def _refuse_mixtures(rows: Sequence[Mapping[str, Any]]) -> None:
    firsts: dict[tuple[str, frozenset[str]], Mapping[str, Any]] = {}
    for row in rows:
        judge, a, b = row["judge"], row["model_a"], row["model_b"]
        first = firsts.setdefault((judge, frozenset((a, b))), row)
        if row["spec_hash"] != first["spec_hash"]:
            raise InputError(
                f"two judges of {a} and {b} are called {judge}: spec {first['spec_hash']} and spec {row['spec_hash']}",
                next_step="name them apart in the judge stages (judges: {uri: ..., name: ...}) and judge again",
            )
        if row["model_a"] != first["model_a"]:
            raise InputError(
                f"judge {judge} compares {b} with {a} and also {a} with {b}: one comparison would be tested as two",
                next_step="list each pair in one order only, in all judge stages",
            )


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write the `significance` table and its summary.

    Raises:
        InputError: there are no verdicts, a scenario is judged twice, or judges or pairs are mixed up (see `count`).
    """
    columns = ["judge", "spec_hash", "model_a", "model_b", "scenario_id", "verdict"]
    rows = [
        row for one in inputs.many("verdicts") for row in read_table(one.path, "pair_verdicts", columns).to_pylist()
    ]
    if not rows:
        raise InputError("the folders hold no verdict at all", next_step="look at the judge stage's summary")
    with context.progress("significance", total=None, unit="comparisons") as bar:
        found = compare(count(rows), alpha=config.alpha, level=config.level)
        bar.advance(len(found))
    failed = {state.value: lost for state in (Verdict.MALFORMED, Verdict.ERROR) if (lost := _total(found, state))}
    counts = Counts(
        unit="verdicts", came_in=len(rows), kept=len(rows) - sum(failed.values()), dropped=failed, quarantined=0
    )
    out.write_shard(TABLE, 0, table(found), counts=counts)
    out.write_text("summary.txt", summary(found))


def _total(found: Sequence[Comparison], verdict: Verdict) -> int:
    return sum(one.counts[verdict] for one in found)


def table(found: Sequence[Comparison]) -> pa.Table:
    """One row a comparison."""
    return pa.Table.from_pylist([_row(one) for one in found], schema=SCHEMA)


def _row(one: Comparison) -> dict[str, Any]:
    wilson, exact, bounds = _limits(one.test.wilson), _limits(one.test.exact), one.net_win_bounds or (None, None)
    return {
        "judge": one.judge,
        "model_a": one.model_a,
        "model_b": one.model_b,
        "wins_a": one.test.wins_a,
        "ties": one.counts[Verdict.TIE],
        "wins_b": one.test.wins_b,
        "inconsistent": one.counts[Verdict.INCONSISTENT],
        "malformed": one.counts[Verdict.MALFORMED],
        "error": one.counts[Verdict.ERROR],
        "n": one.n,
        "p": one.test.p,
        "log_p": one.test.log_p,
        "p_holm": one.p_holm,
        "share_b": one.test.share_b,
        "share_b_low": wilson[0],
        "share_b_high": wilson[1],
        "share_b_exact_low": exact[0],
        "share_b_exact_high": exact[1],
        "net_win": one.net_win,
        "net_win_low": bounds[0],
        "net_win_high": bounds[1],
        "half_tie_score": one.half_tie_score,
        "conclusion": one.conclusion.value,
        "stars": one.stars,
        "alpha": one.alpha,
        "level": one.level,
        "family_size": one.family_size,
    }


def _limits(interval: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval.low, interval.high)


def summary(found: Sequence[Comparison]) -> str:
    """The table as text."""
    header = ("judge", "A", "B", "A wins", "ties", "B wins", "incons.", "failed", "share of B", "p", "Holm", "better")
    first = found[0]
    note = (
        "Exact two-sided sign test on decisive pairs; share of B among them with its "
        f"{first.level:.0%} Wilson interval;\nHolm over {len(found)}, *** < .001, ** < .01, * < .05; "
        f"better: claimed at alpha = {first.alpha:g}."
    )
    return f"{text_table(header, [_cells(one) for one in found], left=3)}\n\n{note}\n"


def _cells(one: Comparison) -> tuple[str, ...]:
    return (
        one.judge,
        one.model_a,
        one.model_b,
        show_share(one.test.wins_a, one.n),
        show_share(one.counts[Verdict.TIE], one.n),
        show_share(one.test.wins_b, one.n),
        str(one.counts[Verdict.INCONSISTENT]),
        str(one.failed),
        show_interval(*_limits(one.test.wilson), ".2f"),
        show_p(one.test.p, one.test.log_p),
        show_p(one.p_holm) + one.stars,
        _better(one),
    )


def _better(one: Comparison) -> str:
    names = {Conclusion.A_BETTER: one.model_a, Conclusion.B_BETTER: one.model_b}
    return names.get(one.conclusion, one.conclusion.value)
