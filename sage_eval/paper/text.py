"""A checked table as text: the recomputed rows, what they show, claims, and the discrepancies.

print(text(report))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from textwrap import fill

from sage_eval.paper.findings import CheckedClaim, Finding, Report, ScoreResult, Severity, WinResult
from sage_eval.tables import show_interval, show_p, show_share, text_table

WIDTH = 110
KINDS = {
    Severity.ERROR: ("error", "errors"),
    Severity.CLAIM: ("claim that does not hold", "claims that do not hold"),
    Severity.NOTE: ("note", "notes"),
}


def text(report: Report) -> str:
    """The whole report."""
    rows = _win_table(report) if report.n is not None or _wins(report) else _score_table(report)
    parts = [f"{report.table}\n{report.source}".rstrip(), rows, "\n".join(_item(one) for one in report.shows)]
    if report.claims:
        held = [one for one in report.claims if one.holds]
        head = f"Claims: {len(held)} of {len(report.claims)} hold; the others are among the discrepancies"
        parts.append("\n".join([head, *(_item(_claim(one)) for one in held)]))
    return "\n\n".join([*parts, _findings(report.findings)]) + "\n"


def _wins(report: Report) -> list[WinResult]:
    return [one for one in report.recomputed if isinstance(one, WinResult)]


def _item(sentence: str, mark: str = "-") -> str:
    return fill(sentence, WIDTH, initial_indent=f"{mark} ", subsequent_indent="  ", break_on_hyphens=False)


def _claim(one: CheckedClaim | Finding) -> str:
    says, where, shown = (
        (one.says, one.where, one.evidence)
        if isinstance(one, CheckedClaim)
        else (one.printed, one.place, one.recomputed)
    )
    return f"{where}: {says}. Shown: {shown}."


def _findings(findings: Sequence[Finding]) -> str:
    if not findings:
        return "No discrepancy."
    counts = Counter(one.severity for one in findings)
    kinds = ", ".join(f"{counts[kind]} {KINDS[kind][counts[kind] != 1]}" for kind in KINDS if counts[kind])
    lines = [f"Discrepancies: {len(findings)} ({kinds})"]
    return "\n".join([*lines, *(_item(_said(one), f"[{one.severity}] {one.id}:") for one in findings)])


def _said(one: Finding) -> str:
    if not one.why:
        return _claim(one)
    return f"{one.place}: printed {one.printed}; recomputed {one.recomputed}. {one.why[0].upper()}{one.why[1:]}."


def _win_table(report: Report) -> str:
    header = ("judge", "A", "B", "A wins", "ties", "B wins", "n", "share of B", "net win", "p", "Holm", "stars")
    note = (
        f"Exact two-sided sign test on decisive pairs; share of B among them with its 95% Wilson interval; Holm over "
        f"{len(report.recomputed)}. stars: as printed, and what p allows where that differs."
    )
    return f"{text_table(header, [_win_cells(one) for one in _wins(report)], left=3)}\n\n{fill(note, WIDTH)}"


def _win_cells(one: WinResult) -> tuple[str, ...]:
    stars = one.stars or "-"
    allowed = one.fitting_stars or "-"
    return (
        one.judge,
        one.model_a,
        one.model_b,
        show_share(one.wins_a, one.n),
        show_share(one.ties, one.n),
        show_share(one.wins_b, one.n),
        str(one.n),
        "-" if one.share_b is None else f"{one.share_b:.2f} {show_interval(one.share_low, one.share_high, '.2f')}",
        "-" if one.net_win is None else f"{one.net_win:+.3f}",
        show_p(one.p, one.log_p),
        show_p(one.p_holm),
        stars if one.stars is None or stars == allowed else f"{stars} ({allowed})",
    )


def _score_table(report: Report) -> str:
    header = (
        "task",
        "base",
        "new",
        "diff",
        "relative",
        "z",
        "p",
        "p as rounded",
        "Holm",
        "detectable",
        "n",
        "n by error",
    )
    note = (
        f"z and p treat the two scores as independent (unpaired); Holm over {len(report.recomputed)}; p as rounded: "
        "what the rounding of the printed numbers leaves open; detectable: smallest difference found at "
        f"{report.alpha:g} with {report.power:.0%} power; n by error: documents that fit both standard errors."
    )
    rows = [_score_cells(one) for one in report.recomputed if isinstance(one, ScoreResult)]
    return f"{text_table(header, rows)}\n\n{fill(note, WIDTH)}"


def _score_cells(one: ScoreResult) -> tuple[str, ...]:
    return (
        one.task,
        f"{one.base:.3f}",
        f"{one.new:.3f}",
        f"{one.difference:+.3f}",
        "-" if one.relative is None else f"{one.relative:+.1%}",
        "-" if one.z is None else f"{one.z:.2f}",
        show_p(one.p),
        "-" if one.p_low is None else f"{show_p(one.p_low)}..{show_p(one.p_high)}",
        show_p(one.p_holm),
        "-" if one.detectable is None else f"{one.detectable:.3f}",
        "-" if one.n is None else str(one.n),
        "-" if one.n_low is None else f"{one.n_low}..{'' if one.n_high is None else one.n_high}",
    )
