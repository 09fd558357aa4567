"""What one comparison's pairs show: the test, the bet, what failed pairs could change, and the result at equal length.

With one rollout a scenario the test is the exact sign test. A tie keeps its place whatever its sign, so both tie rules
give the same p there and differ in the estimate alone. With several rollouts a scenario, scenarios' mean scores are put
to the sign-flip test; then the tie rule says what is averaged, wins and losses alone or ties as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import floor

from sage_eval.betting import bet_on
from sage_eval.plan import StoppingRule, TieRule
from sage_eval.significance.pairs import FILLS, Pairs
from sage_eval.significance.terms import Terms
from sage_eval.stats import (
    ClusterTest,
    Interval,
    LengthAdjusted,
    cluster_test,
    confidence_sequence,
    detectable_share,
    length_adjusted,
    net_win,
    sign_test,
    worst_case,
)
from sage_eval.stats.result import Result
from sage_eval.verdict import Verdict


class Method(StrEnum):
    """How a comparison was tested."""

    SIGN = "sign test"
    """Exact, on pairs that one of the models won; one rollout a scenario."""
    MEANS = "scenario means"
    """Sign-flip test of scenarios' mean scores; several rollouts a scenario."""


@dataclass(frozen=True, slots=True)
class Shown(Result):
    """A test with the estimates that belong to it."""

    method: Method
    n: int
    """What the test rests on: decisive pairs, or scenarios with a score."""
    p: float | None
    """Two-sided; None when undecidable."""
    log_p: float | None
    """Natural logarithm of p, finite where p underflows."""
    lead: float | None
    """Mean of the scores that were tested, 1 for a win of B and -1 for one of A; None when there is none."""
    share_b: float | None
    """B's share of decisive pairs; with several rollouts the mean over scenarios of B's share in each."""
    share_interval: Interval | None
    """Wilson's, or where judging may stop on its results the confidence sequence; with several rollouts from the spread
    between scenarios."""
    share_exact: Interval | None
    """Clopper and Pearson's; None with several rollouts."""
    net_win: float | None
    """B's lead over all readable pairs, -1 to 1; with several rollouts the mean over scenarios."""
    net_win_interval: Interval | None
    """Tango's; with several rollouts from the spread between scenarios."""
    reason: str | None
    """Why it is undecidable; None when it is not."""
    seed: int | None
    """Of the sign flips where they are drawn; None where nothing can be drawn."""

    derived = ("half_tie_score", "half_tie_interval")

    @property
    def ahead(self) -> Verdict | None:
        """Who leads in what was tested; None when neither does."""
        return (Verdict.B if self.lead > 0 else Verdict.A) if self.lead else None

    @property
    def half_tie_score(self) -> float | None:
        """B's wins plus half of what neither won, as a share of readable pairs."""
        return None if self.net_win is None else (1.0 + self.net_win) / 2.0

    @property
    def half_tie_interval(self) -> Interval | None:
        """Of `half_tie_score`."""
        return _halved(self.net_win_interval)


@dataclass(frozen=True, slots=True)
class Bet(Result):
    """The e-value over pairs (scenarios, where they have several rollouts) in the order they were judged."""

    n: int
    """Pairs or scenarios in that order."""
    log_e: float
    """Natural logarithm of the e-value at the end; 0 is no evidence."""
    p: float
    """Anytime-valid p, 1 / the largest e-value on the way; not adjusted for the family."""
    threshold: float
    """E-value that claims: family size / alpha."""
    stopped_after: int | None
    """Pairs or scenarios until it was reached; None if it never was."""
    better: Verdict | None
    """Who was ahead then; None if it never was reached."""
    seed: None = None
    """Nothing is drawn."""


@dataclass(frozen=True, slots=True)
class Failures(Result):
    """What failed pairs could change."""

    n: int
    """Failed pairs."""
    net_win: tuple[float, float] | None
    """If all had gone to A, and if all had gone to B."""
    largest_p: float | None
    """Of all ways they could have come out; with several rollouts of four (left out, all A's, all B's, all ties). 1
    where they could turn the lead."""
    same_bet: bool
    """True when the e-value claims the same model in all of the four."""
    seed: None = None


def shown(pairs: Pairs, terms: Terms, seed: int) -> Shown:
    """Test one comparison.

    Args:
        pairs: its verdicts.
        terms: of the family.
        seed: of the sign flips, where they have to be drawn.
    """
    return _means(pairs, terms, seed) if pairs.clustered else _sign(pairs, terms)


def _sign(pairs: Pairs, terms: Terms) -> Shown:
    counts = pairs.counts
    test = sign_test(counts[Verdict.A], counts[Verdict.B], terms.level)
    always = confidence_sequence(test.wins_a, test.wins_b, terms.level)
    lead = net_win(
        counts[Verdict.A], counts[Verdict.B], counts[Verdict.TIE] + counts[Verdict.INCONSISTENT], terms.level
    )
    return Shown(
        method=Method.SIGN,
        n=test.n,
        p=test.p,
        log_p=test.log_p,
        lead=None if test.share_b is None else 2.0 * test.share_b - 1.0,
        share_b=test.share_b,
        share_interval=always if terms.stopping is StoppingRule.E_VALUE and test.decidable else test.wilson,
        share_exact=test.exact,
        net_win=lead.net_win,
        net_win_interval=lead.interval,
        reason=None if test.decidable else _why_not(pairs),
        seed=None,
    )


def _why_not(pairs: Pairs) -> str:
    if not pairs.rows:
        return "there is no verdict"
    return "no pair has a winner" if any(not Verdict(row["verdict"]).failed for row in pairs.rows) else "all failed"


def _means(pairs: Pairs, terms: Terms, seed: int) -> Shown:
    tests = {rule: _cluster_test(pairs, rule, terms, seed) for rule in TieRule}
    test, share, lead = tests[terms.tie_rule], tests[TieRule.DROP], tests[TieRule.HALF]
    return Shown(
        method=Method.MEANS,
        n=test.n,
        p=test.p,
        log_p=test.log_p,
        lead=test.mean,
        share_b=share.half_tie_score,
        share_interval=_halved(share.interval),
        share_exact=None,
        net_win=lead.mean,
        net_win_interval=lead.interval,
        reason=test.reason and test.reason.removeprefix("undecidable: "),
        seed=seed,
    )


def _cluster_test(pairs: Pairs, rule: TieRule, terms: Terms, seed: int) -> ClusterTest:
    return cluster_test(pairs.scores(rule), seed=seed, resamples=terms.resamples, level=terms.level)


def _halved(interval: Interval | None) -> Interval | None:
    """From -1..1 to 0..1."""
    return interval and Interval((1.0 + interval.low) / 2.0, (1.0 + interval.high) / 2.0, interval.level)


def bet(pairs: Pairs, terms: Terms) -> Bet:
    """Follow the e-value of one comparison; its claim stays valid however often it was looked at."""
    found = bet_on(list(pairs.by_scenario().values()), terms.tie_rule, alpha=terms.alpha, family_size=terms.family_size)
    path = found.path
    return Bet(
        n=path.n,
        log_e=path.log_e[-1] if path.n else 0.0,
        p=path.p[-1] if path.n else 1.0,
        threshold=path.threshold,
        stopped_after=path.stopped_after,
        better=found.better,
    )


def failures(pairs: Pairs, terms: Terms, seed: int, seen: Shown) -> Failures:
    """Look at what the pairs without a readable verdict could change.

    Args:
        pairs: verdicts of the comparison.
        terms: of the family.
        seed: of the sign flips, where they have to be drawn.
        seen: the test without the failed pairs.
    """
    counts = pairs.counts
    failed = counts[Verdict.MALFORMED] + counts[Verdict.ERROR]
    fills = [pairs.filled(fill) for fill in (FILLS if failed else FILLS[:1])]
    better = {bet(one, terms).better for one in fills}
    bounds, largest = _bounds_of_means(fills, terms, seed) if pairs.clustered else _bounds(counts, failed, terms)
    return Failures(
        n=failed,
        net_win=bounds,
        largest_p=None if seen.p is None else largest,
        same_bet=len(better) == 1 and None not in better,
    )


Bounds = tuple[float, float] | None


def _bounds(counts: Mapping[Verdict, int], failed: int, terms: Terms) -> tuple[Bounds, float | None]:
    neither = counts[Verdict.TIE] + counts[Verdict.INCONSISTENT]
    worst = worst_case(counts[Verdict.A], counts[Verdict.B], neither, failed, alpha=terms.alpha, level=terms.level)
    return worst.net_win, worst.largest_p


def _bounds_of_means(fills: Sequence[Pairs], terms: Terms, seed: int) -> tuple[Bounds, float]:
    """Net wins with all failed pairs A's and all B's, and the largest p of all fills."""
    leads = [_cluster_test(one, TieRule.HALF, terms, seed).mean for one in fills]
    known = [lead for lead in leads if lead is not None]
    tests = [_cluster_test(one, terms.tie_rule, terms, seed) for one in fills]
    sides = {(test.mean or 0.0) > 0.0 for test in tests}
    largest = 1.0 if len(sides) > 1 else max(1.0 if test.p is None else test.p for test in tests)
    return (min(known), max(known)) if known else None, largest


def least_share(pairs: Pairs, terms: Terms, seen: Shown) -> float | None:
    """Smallest win share that so many decisive pairs show in 80% of cases, at alpha / family size; None if none can.

    Several rollouts of a scenario are worth fewer pairs: as many as would give the share that was found its error.
    """
    worth = len(pairs.decisive())
    if pairs.clustered:
        test = _cluster_test(pairs, TieRule.DROP, terms, 0)
        error, lead = test.standard_error, test.mean or 0.0
        worth = min(worth, floor((1.0 - lead**2) / error**2)) if error else test.n
    return detectable_share(worth, alpha=terms.alpha / terms.family_size)


def at_equal_length(pairs: Pairs, terms: Terms) -> LengthAdjusted | None:
    """The result adjusted for words; None where the verdicts do not tell how long the dialogues were."""
    if not pairs.measured:
        return None
    decisive = pairs.decisive()
    return length_adjusted(
        [Verdict(row["verdict"]) is Verdict.B for row in decisive],
        [row["words_a"] for row in decisive],
        [row["words_b"] for row in decisive],
        clusters=[row["scenario_id"] for row in decisive],
        level=terms.level,
    )
