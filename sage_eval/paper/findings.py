"""What a check comes to: recomputed rows, claims that hold or do not, every discrepancy with its evidence.

report = check(Path("table1.csv"))
report.findings
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sage_eval.paper.about import Difference
from sage_eval.stats.result import Result


class Severity(StrEnum):
    """How much a discrepancy matters."""

    ERROR = "error"
    """What is printed cannot be right: cells contradict each other, or a stated level does not hold."""
    CLAIM = "claim"
    """More is claimed than the numbers show."""
    NOTE = "note"
    """Imprecise, or open to misreading."""


@dataclass(frozen=True, slots=True)
class Finding(Result):
    """One discrepancy."""

    id: str
    """What kind it is, with a number where there are several."""
    severity: Severity
    place: str
    printed: str
    recomputed: str
    why: str
    """What follows, or what would put it right; empty for claims, whose evidence says all."""


@dataclass(frozen=True, slots=True)
class CheckedClaim(Result):
    """A claim of the text, held against the table."""

    says: str
    where: str
    note: bool
    """Only worth a remark when it does not hold."""
    holds: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class WinResult(Result):
    """One row of a win table, recomputed from its counts."""

    judge: str
    model_a: str
    model_b: str
    wins_a: int
    ties: int
    wins_b: int
    n: int
    """What the counts add up to."""
    p: float | None
    """Exact two-sided sign test of the decisive pairs; None when there is none."""
    log_p: float | None
    """Its natural logarithm."""
    p_holm: float
    share_b: float | None
    """B's share of the decisive pairs."""
    share_low: float | None
    """Wilson's limits of it."""
    share_high: float | None
    net_win: float | None
    """(B's wins - A's wins) / n: ties count for neither."""
    half_tie_score: float | None
    """(B's wins + ties / 2) / n."""
    detectable_share: float | None
    """Smallest share of B that so many decisive pairs show at alpha with the power asked for."""
    stars: str | None
    """As printed."""
    fitting_stars: str
    """What p allows."""
    seed: None = None


@dataclass(frozen=True, slots=True)
class ScoreResult(Result):
    """One row of a benchmark table, recomputed from its printed scores and standard errors."""

    task: str
    base: float
    new: float
    difference: float
    relative: float | None
    """difference / base."""
    standard_error: float | None
    """Of the difference, as if the two scores were independent: they are of the same documents, so it is too large."""
    z: float | None
    p: float | None
    """Two-sided, unpaired."""
    p_low: float | None
    """Least p that the rounding of scores and standard errors leaves open."""
    p_high: float | None
    p_holm: float
    detectable: float | None
    """Smallest difference that is found at alpha with the power asked for, given these standard errors."""
    n: int | None
    """Documents, as declared."""
    n_low: int | None
    """Least number of documents that fits both standard errors of a share of right answers."""
    n_high: int | None
    seed: None = None


@dataclass(frozen=True, slots=True)
class Report(Result):
    """A checked table."""

    table: str
    source: str
    n: int | None
    """Items of each row of a win table."""
    alpha: float
    power: float
    stars: dict[str, float]
    difference: Difference | None
    recomputed: tuple[WinResult, ...] | tuple[ScoreResult, ...]
    """One for each row of the table, in its order."""
    shows: tuple[str, ...]
    """What the numbers show, as sentences."""
    claims: tuple[CheckedClaim, ...]
    findings: tuple[Finding, ...]
    seed: None = None
    """Nothing is drawn."""


def numbered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Errors first, then claims, then notes; each id unique."""
    order = list(Severity)
    ordered = sorted(findings, key=lambda one: order.index(one.severity))
    seen: dict[str, int] = {}
    named = []
    for one in ordered:
        seen[one.id] = seen.get(one.id, 0) + 1
        named.append(replace(one, id=f"{one.id}-{seen[one.id]}"))
    return tuple(named)
