"""Tests every member of a family and says what may be claimed.

compare(group(evidence, settled.family), settled.terms)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sage_data.stage import derive_seed
from sage_eval.plan import Correction, StoppingRule
from sage_eval.significance.pairs import Pairs
from sage_eval.significance.terms import Key, Terms
from sage_eval.significance.testing import Bet, Failures, Shown, at_equal_length, bet, failures, least_share, shown
from sage_eval.stats import LengthAdjusted, benjamini_hochberg, holm
from sage_eval.stats.result import Result
from sage_eval.tables import show_p
from sage_eval.verdict import Verdict

STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
"""Marks of an adjusted p below a bound."""


class Conclusion(StrEnum):
    """What one comparison shows."""

    A_BETTER = "A better"
    B_BETTER = "B better"
    NOT_SHOWN = "not shown"
    """The decisive pairs are compatible with equal models."""
    UNDECIDABLE = "undecidable"
    """There is nothing to test: no decisive pair, or no verdict at all."""


@dataclass(frozen=True, slots=True)
class Comparison(Result):
    """Two models under one judge."""

    judge: str
    model_a: str
    model_b: str
    counts: Mapping[Verdict, int]
    """Pairs by verdict, all six."""
    scenarios: int
    repeats: int
    """Verdicts on pairs that were judged already, which are no evidence."""
    planned: bool | None
    """Whether the analysis plan names it; None without a plan."""
    shown: Shown
    bet: Bet
    failures: Failures
    p_holm: float | None
    """p adjusted for the family; None when undecidable (which still counts as a member), or when judging could stop on
    its results, so that p is not valid."""
    p_bh: float | None
    """The same after Benjamini and Hochberg."""
    conclusion: Conclusion
    """What may be claimed at alpha over the family."""
    holds: bool | None
    """Whether that would be claimed however the failed pairs had come out; None where nothing is claimed."""
    least_share: float | None
    """Smallest win share that so many decisive pairs show in 80% of cases; None if they can show none."""
    length: LengthAdjusted | None
    """The result at equal length; None where the verdicts do not tell lengths."""
    terms: Terms

    derived = ("n", "p_adjusted", "stars", "better")

    @property
    def n(self) -> int:
        """Pairs with a readable verdict."""
        return sum(count for verdict, count in self.counts.items() if not verdict.failed)

    @property
    def p_adjusted(self) -> float | None:
        """The adjusted p that the claim rests on; None where it rests on the e-value, or nothing can be tested."""
        return self.p_holm if self.terms.correction is Correction.HOLM else self.p_bh

    @property
    def stars(self) -> str:
        """`***`, `**`, `*` or nothing, for the adjusted p."""
        p = self.p_adjusted
        return next((mark for bound, mark in STARS if p is not None and p < bound), "")

    @property
    def better(self) -> str | None:
        """The model that is claimed to be better."""
        return {Conclusion.A_BETTER: self.model_a, Conclusion.B_BETTER: self.model_b}.get(self.conclusion)

    def rows(self) -> list[tuple[str, str]]:
        """(name, value) as the table shows them; the JSON has everything."""
        share = self.shown.share_b
        return [
            ("judge", self.judge),
            ("A", self.model_a),
            ("B", self.model_b),
            *((verdict.value, str(count)) for verdict, count in self.counts.items()),
            ("share of B", "-" if share is None else f"{share:.3f}"),
            ("p", show_p(self.shown.p, self.shown.log_p)),
            ("p adjusted", show_p(self.p_adjusted)),
            ("e-value", f"exp({self.bet.log_e:.2f})"),
            ("conclusion", self.conclusion.value),
        ]


@dataclass(frozen=True, slots=True)
class Significance(Result):
    """All comparisons of one family."""

    comparisons: tuple[Comparison, ...]
    terms: Terms

    derived = ("n", "seed")

    @property
    def n(self) -> int:
        """Comparisons."""
        return len(self.comparisons)

    @property
    def seed(self) -> int:
        """Of everything that is drawn."""
        return self.terms.seed

    def rows(self) -> list[tuple[str, str]]:
        """One line a comparison."""
        return [(f"{one.judge}: {one.model_a} against {one.model_b}", one.conclusion.value) for one in self.comparisons]


@dataclass(frozen=True, slots=True)
class _Adjusted:
    holm: float | None
    bh: float | None
    worst: float | None
    """Adjusted by the family's correction, had the failed pairs of all members come out as badly as they could."""


def compare(pairs: Mapping[Key, Pairs], terms: Terms, *, planned: Collection[Key] | None = None) -> Significance:
    """Test every member and adjust for the whole family.

    Args:
        pairs: verdicts by comparison; a member without any has none.
        terms: of the family, whose size may exceed the members given here.
        planned: members that the analysis plan names; None without a plan.

    Raises:
        ValueError: the family is smaller than the members given.
    """
    seeds = {key: derive_seed(terms.seed, "significance", *key) for key in pairs}
    tests = {key: shown(one, terms, seeds[key]) for key, one in pairs.items()}
    lost = {key: failures(one, terms, seeds[key], tests[key]) for key, one in pairs.items()}
    adjusted = _adjust(tests, lost, terms)
    found = []
    for key, one in pairs.items():
        wager = bet(one, terms)
        conclusion = _conclusion(tests[key], wager, adjusted[key], terms)
        found.append(
            Comparison(
                *key,
                counts=one.counts,
                scenarios=one.scenarios,
                repeats=one.repeats,
                planned=None if planned is None else key in planned,
                shown=tests[key],
                bet=wager,
                failures=lost[key],
                p_holm=adjusted[key].holm,
                p_bh=adjusted[key].bh,
                conclusion=conclusion,
                holds=_holds(conclusion, lost[key], adjusted[key], terms),
                least_share=least_share(one, terms, tests[key]),
                length=at_equal_length(one, terms),
                terms=terms,
            )
        )
    return Significance(tuple(found), terms)


def _adjust(tests: Mapping[Key, Shown], lost: Mapping[Key, Failures], terms: Terms) -> dict[Key, _Adjusted]:
    """Adjust p over the family; members beyond those given count as tests that could not be carried out."""
    if terms.family_size < len(tests):
        raise ValueError(f"{len(tests)} comparisons are given, but the family has {terms.family_size}")
    if terms.stopping is StoppingRule.E_VALUE:
        return dict.fromkeys(tests, _Adjusted(None, None, None))
    others = [None] * (terms.family_size - len(tests))
    seen = [*(test.p for test in tests.values()), *others]
    worst = [*(one.largest_p for one in lost.values()), *others]
    method = holm if terms.correction is Correction.HOLM else benjamini_hochberg
    columns = zip(tests.items(), holm(seen), benjamini_hochberg(seen), method(worst), strict=False)
    return {
        key: _Adjusted(None, None, None) if test.p is None else _Adjusted(by_holm, by_bh, at_worst)
        for (key, test), by_holm, by_bh, at_worst in columns
    }


def _conclusion(test: Shown, wager: Bet, adjusted: _Adjusted, terms: Terms) -> Conclusion:
    if test.p is None:
        return Conclusion.UNDECIDABLE
    if terms.stopping is StoppingRule.E_VALUE:
        better = wager.better
    else:
        p = adjusted.holm if terms.correction is Correction.HOLM else adjusted.bh
        better = test.ahead if p is not None and p < terms.alpha else None
    if better is None:
        return Conclusion.NOT_SHOWN
    return Conclusion.B_BETTER if better is Verdict.B else Conclusion.A_BETTER


def _holds(conclusion: Conclusion, lost: Failures, adjusted: _Adjusted, terms: Terms) -> bool | None:
    if conclusion not in (Conclusion.A_BETTER, Conclusion.B_BETTER):
        return None
    if terms.stopping is StoppingRule.E_VALUE:
        return lost.same_bet
    return adjusted.worst is not None and adjusted.worst < terms.alpha
