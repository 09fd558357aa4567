"""Holds claims of a paper's text against its table.

checked, findings = check_claims(about, results)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import assert_never

from sage_data.errors import InputError
from sage_eval.paper.about import (
    About,
    Better,
    Claim,
    Improved,
    JudgesAgree,
    LargestDrop,
    MoreTies,
    MostlyDeclined,
    NoDifference,
    Ratio,
    Same,
    UndecidedExcluded,
    WholeSet,
)
from sage_eval.paper.findings import CheckedClaim, Finding, ScoreResult, Severity, WinResult
from sage_eval.tables import show_p

Verdict = tuple[bool, str]
"""Whether a claim holds, and the evidence."""


def check_wins(about: About, results: Sequence[WinResult], n: int | None) -> list[CheckedClaim]:
    """Claims about a win table.

    Raises:
        InputError: a claim is about rows that the table does not have, or about benchmarks.
    """
    return [_checked(claim, _of_wins(claim, results, n, about.alpha)) for claim in about.claims]


def check_scores(about: About, results: Sequence[ScoreResult]) -> list[CheckedClaim]:
    """Claims about a benchmark table.

    Raises:
        InputError: a claim is about a task that the table does not have, or about wins.
    """
    return [_checked(claim, _of_scores(claim, results, about.alpha)) for claim in about.claims]


def discrepancies(claims: Sequence[CheckedClaim]) -> list[Finding]:
    """A finding for each claim that does not hold."""
    return [
        Finding("claim", Severity.NOTE if one.note else Severity.CLAIM, one.where, one.says, one.evidence, "")
        for one in claims
        if not one.holds
    ]


def _checked(claim: Claim, verdict: Verdict) -> CheckedClaim:
    return CheckedClaim(claim.says, claim.where, claim.note, *verdict)


def _misplaced(claim: Claim) -> InputError:
    return InputError(f"a claim of kind {claim.kind!r} cannot be checked on this form of table")


def _of_wins(claim: Claim, results: Sequence[WinResult], n: int | None, alpha: float) -> Verdict:
    match claim:
        case Better() | NoDifference():
            return _compared(claim, _pair(results, claim.a, claim.b, claim.judge), alpha)
        case Ratio():
            return _ratio(claim, _pair(results, claim.a, claim.b, None))
        case JudgesAgree():
            return _agree(results)
        case MoreTies():
            return _ties(claim, results)
        case UndecidedExcluded():
            return _excluded(results, n)
        case WholeSet():
            return n == claim.size, f"n is {n}, the set has {claim.size}"
        case Same():
            return _same(claim)
        case LargestDrop() | Improved() | MostlyDeclined():
            raise _misplaced(claim)
    assert_never(claim)


def _of_scores(claim: Claim, results: Sequence[ScoreResult], alpha: float) -> Verdict:
    match claim:
        case LargestDrop():
            return _largest(claim, results)
        case Improved():
            return _improved(_task(results, claim.task), alpha)
        case MostlyDeclined():
            falls = sum(one.difference < 0 for one in results)
            return 2 * falls > len(results), f"{falls} of {len(results)} scores fall"
        case Same():
            return _same(claim)
        case Better() | NoDifference() | Ratio() | JudgesAgree() | MoreTies() | UndecidedExcluded() | WholeSet():
            raise _misplaced(claim)
    assert_never(claim)


def _same(claim: Same) -> Verdict:
    return claim.first.strip() == claim.second.strip(), f"{claim.first} in one place, {claim.second} in the other"


def _pair(results: Sequence[WinResult], a: str, b: str, judge: str | None) -> list[WinResult]:
    found = [one for one in results if (one.model_a, one.model_b) == (a, b) and judge in (None, one.judge)]
    if not found:
        raise InputError(f"a claim is about {a} vs {b}{f' by {judge}' if judge else ''}; the table has no such row")
    return found


def _compared(claim: Better | NoDifference, rows: Sequence[WinResult], alpha: float) -> Verdict:
    """B leads with every judge, and significantly where that is claimed; or no judge tells the two apart."""
    if isinstance(claim, NoDifference):
        holds = not any(_significant(one, alpha) for one in rows)
    else:
        holds = all(one.wins_b > one.wins_a and (not claim.significant or _significant(one, alpha)) for one in rows)
    return holds, "; ".join(map(_tested, rows))


def _significant(one: WinResult, alpha: float) -> bool:
    return one.p is not None and one.p < alpha


def _tested(one: WinResult) -> str:
    return f"{one.judge} {one.wins_a}:{one.wins_b}, p = {show_p(one.p, one.log_p)}"


def _ratio(claim: Ratio, rows: Sequence[WinResult]) -> Verdict:
    ratios = {one.judge: one.wins_b / one.wins_a if one.wins_a else float("inf") for one in rows}
    holds = all(abs(one / claim.ratio - 1.0) <= claim.tolerance for one in ratios.values())
    return holds, ", ".join(f"{judge} {one:.2f} times" for judge, one in ratios.items())


def _agree(results: Sequence[WinResult]) -> Verdict:
    pairs: dict[tuple[str, str], list[WinResult]] = {}
    for one in results:
        pairs.setdefault((one.model_a, one.model_b), []).append(one)
    split = [
        f"{a} vs {b}: " + "; ".join(map(_tested, rows))
        for (a, b), rows in pairs.items()
        if any(one.wins_b > one.wins_a for one in rows) and any(one.wins_b < one.wins_a for one in rows)
    ]
    agreed = f"the judges prefer the same model in {len(pairs) - len(split)} of {len(pairs)} pairs"
    return not split, "; ".join([agreed, *split])


def _ties(claim: MoreTies, results: Sequence[WinResult]) -> Verdict:
    ties: Counter[str] = Counter()
    for one in results:
        ties[one.judge] += one.ties
    if claim.judge not in ties:
        raise InputError(f"a claim is about the judge {claim.judge}; the table has {', '.join(ties)}")
    holds = all(ties[claim.judge] > count for judge, count in ties.items() if judge != claim.judge)
    return holds, ", ".join(f"{judge} {count}" for judge, count in ties.items())


def _excluded(results: Sequence[WinResult], n: int | None) -> Verdict:
    whole = [one for one in results if one.n == n]
    shares = [one.ties / one.n for one in whole if one.n]
    span = f"{min(shares):.0%} to {max(shares):.0%}" if shares else "none"
    return not whole, (
        f"{len(whole)} of {len(results)} rows add up to n = {n}: no pair was left out, so pairs whose two orders "
        f"disagree, and replies that could not be read, must be inside Ties ({span})"
    )


def _task(results: Sequence[ScoreResult], task: str) -> ScoreResult:
    found = next((one for one in results if one.task == task), None)
    if found is None:
        raise InputError(f"a claim is about the task {task}; the table has {', '.join(one.task for one in results)}")
    return found


def _largest(claim: LargestDrop, results: Sequence[ScoreResult]) -> Verdict:
    named = _task(results, claim.task)
    falling = [one for one in results if one.difference < 0]
    sizes = {
        "p": lambda one: -(one.p if one.p is not None else 1.0),
        "relative": lambda one: -(one.relative or 0.0),
        "points": lambda one: -one.difference,
    }
    first = max(falling, key=sizes[claim.by], default=None)
    if first is None:
        return False, "no score falls"
    said = f"{_drop(named)}"
    return first is named, said if first is named else f"{_drop(first)}; {said}"


def _drop(one: ScoreResult) -> str:
    relative = "" if one.relative is None else f", {100 * one.relative:+.1f}% relative"
    tested = (
        "no standard error" if one.z is None else f"z = {one.z:.2f}, p = {show_p(one.p)}, Holm {show_p(one.p_holm)}"
    )
    return f"{one.task} {100 * one.difference:+.1f} points{relative} ({tested})"


def _improved(one: ScoreResult, alpha: float) -> Verdict:
    return one.difference > 0 and one.p is not None and one.p < alpha, _drop(one)
