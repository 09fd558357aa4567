"""Comparisons as a text to read: counts and tests first, then what goes with them, then how to read it.

print(summary(found))
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from textwrap import fill

from sage_eval.plan import StoppingRule, TieRule
from sage_eval.significance.comparing import Comparison, Significance
from sage_eval.significance.terms import Terms
from sage_eval.significance.testing import Method
from sage_eval.stats import Interval
from sage_eval.tables import show_interval, show_p, show_share, text_table
from sage_eval.verdict import Verdict

WIDTH = 108
_COUNTS = (
    "judge",
    "A",
    "B",
    "A wins",
    "ties",
    "B wins",
    "incons.",
    "failed",
    "{estimate}",
    "p",
    "{evidence}",
    "better",
)
_MORE = (
    "judge",
    "B - A",
    "net win",
    "interval",
    "if failed",
    "holds",
    "log10 E",
    "BH",
    "least",
    "equal length",
)


def summary(found: Significance) -> str:
    """The tables as text."""
    terms, listed = found.terms, found.comparisons
    betting = terms.stopping is StoppingRule.E_VALUE
    estimate = "share of B" if terms.shares else "score of B"
    evidence = "log10 E" if betting else _adjustment(terms)
    header = [name.format(estimate=estimate, evidence=evidence) for name in _COUNTS]
    parts = [
        text_table(header, [_counts(one) for one in listed], left=3),
        "\n".join(fill(line, WIDTH) for line in _notes(found)),
        text_table(_MORE, [_more(one) for one in listed], left=2),
        "\n".join(fill(line, WIDTH) for line in _legend(found)),
    ]
    return "\n\n".join(parts) + "\n"


def _adjustment(terms: Terms) -> str:
    return {"holm": "Holm", "bh": "BH"}[terms.correction.value]


def _counts(one: Comparison) -> tuple[str, ...]:
    shown = one.shown
    betting = one.terms.stopping is StoppingRule.E_VALUE
    return (
        one.judge,
        one.model_a,
        one.model_b,
        show_share(one.counts[Verdict.A], one.n),
        show_share(one.counts[Verdict.TIE], one.n),
        show_share(one.counts[Verdict.B], one.n),
        str(one.counts[Verdict.INCONSISTENT]),
        str(one.failures.n),
        _interval(shown.share_interval if one.terms.shares else shown.half_tie_interval, ".2f"),
        show_p(shown.p, shown.log_p),
        _log10(one.bet.log_e) if betting else show_p(one.p_adjusted) + one.stars,
        one.better or one.conclusion.value,
    )


def _more(one: Comparison) -> tuple[str, ...]:
    shown, length, bounds = one.shown, one.length, one.failures.net_win
    return (
        one.judge,
        f"{one.model_b} - {one.model_a}",
        "-" if shown.net_win is None else f"{shown.net_win:+.2f}",
        _interval(shown.net_win_interval, "+.2f"),
        show_interval(*bounds, "+.2f") if bounds and one.failures.n else "-",
        {True: "yes", False: "no", None: "-"}[one.holds],
        _log10(one.bet.log_e),
        show_p(one.p_bh),
        "none" if one.least_share is None else f"{one.least_share:.2f}",
        "-" if length is None else _interval(length.interval, ".2f"),
    )


def _interval(interval: Interval | None, form: str) -> str:
    return "-" if interval is None else show_interval(interval.low, interval.high, form)


def _log10(log_e: float) -> str:
    return f"{log_e / log(10.0) + 0.0:.1f}"


def _notes(found: Significance) -> list[str]:
    terms, listed = found.terms, found.comparisons
    repeats = sum(one.repeats for one in listed)
    return [
        f"{_methods(listed, terms)} {_estimate(listed, terms)}",
        _claims(terms),
        *([f"Not counted: {repeats} verdicts that repeat a pair."] if repeats else []),
        *(
            f"Undecidable: {one.judge}, {one.model_a} against {one.model_b}: {one.shown.reason}."
            for one in _mute(listed)
        ),
        *([f"Analysis plan {terms.plan_hash}."] if terms.plan_hash else []),
    ]


def _methods(listed: Sequence[Comparison], terms: Terms) -> str:
    said = {
        Method.SIGN: "Exact two-sided sign test on decisive pairs",
        Method.MEANS: "Several rollouts a scenario: sign-flip test of scenarios' means, "
        + ("ties counted as half" if terms.tie_rule is TieRule.HALF else "ties dropped"),
    }
    used = dict.fromkeys(one.shown.method for one in listed if one.n)
    return f"{'. '.join(said[method] for method in used or [Method.SIGN])}."


def _estimate(listed: Sequence[Comparison], terms: Terms) -> str:
    if not terms.shares:
        return f"Score: B's wins and half of what neither won, of all readable pairs, {terms.level:.0%} interval."
    kind = "Wilson interval"
    if any(one.shown.method is Method.MEANS for one in listed):
        kind = "interval"
    elif terms.stopping is StoppingRule.E_VALUE:
        kind = "confidence sequence, which holds after every pair"
    return f"Share of B among decisive pairs, {terms.level:.0%} {kind}."


def _claims(terms: Terms) -> str:
    size = f"{terms.family_size} comparison{'' if terms.family_size == 1 else 's'}"
    if terms.stopping is StoppingRule.E_VALUE:
        return (
            "Judging could stop on its results, so claims rest on the e-value: at least "
            f"{terms.family_size / terms.alpha:g}, for alpha = {terms.alpha:g} over {size}. p, the net win's "
            "interval and what is said of equal length only describe: they are not valid after such a stop."
        )
    claimed = "a chance of any false claim" if _adjustment(terms) == "Holm" else "an expected share of false claims"
    return (
        f"{_adjustment(terms)} over {size}, *** < .001, ** < .01, * < .05; better: claimed, with {claimed} of at most "
        f"{terms.alpha:g}."
    )


def _legend(found: Significance) -> list[str]:
    terms = found.terms
    return [
        "net win: B's wins less A's, of all readable pairs. if failed: the same had all failed pairs gone to A, to B; "
        "holds: the claim stands however they had gone. log10 E: evidence that may be looked at any time. BH: p for "
        f"exploration. least: smallest share of wins that so many pairs show in 80% of cases, at {terms.alpha:g} / "
        f"{terms.family_size}. equal length: share of B if both were equally long."
    ]


def _mute(listed: Sequence[Comparison]) -> list[Comparison]:
    return [one for one in listed if one.shown.p is None]
