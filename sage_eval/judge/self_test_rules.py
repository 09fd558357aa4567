"""When a check of the judge self-test is passed, and what must be passed for a judge to be trusted.

A check is passed when the share of pairs that came out as they should reaches its threshold, and the exact interval of
that share lies above one half, which is what guessing reaches at best. Too few pairs pass nothing by luck: below
`fewest` readable pairs a check can be failed (where the whole interval lies below the threshold), never passed. A pair
with a failed call counts for neither side; with too many of them the judge could not be asked.

    decide(Tally(passes=19, n=20, failed=0), threshold=0.8, settings=Settings())
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from sage_eval.judge import rubric
from sage_eval.judge.probes import DEGRADED, INJECTED, READING, Check
from sage_eval.judge.protocol import Judge
from sage_eval.stats import Interval, exact_interval

GUESSING = 0.5
"""Share of pairs that a judge without any idea gets right in the checks that are hardest to guess badly."""
TRIES = 2
"""From so many tries on, an attack, or a null model, that won every time fails its check whatever the others did."""
THRESHOLDS: Mapping[Check, float] = {
    Check.IDENTICAL: 0.9,
    **dict.fromkeys(DEGRADED, 0.8),
    **dict.fromkeys(INJECTED, 0.9),
    Check.CONSISTENT: 0.7,
    Check.RENAMED: 0.9,
    Check.NULL_MODEL: 0.8,
}
"""Share of pairs that have to come out as they should.

A null model may win a few times: half of its dialogues have every surface mark of a good reply, and the run's weakest
model is among those it meets. Real pairs may be inconsistent more often than others, for they may be close.
"""


class Settings(BaseModel):
    """How the judge self-test is carried out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    skip: tuple[Check, ...] = Field((), description="Checks to leave out, by name; the result says so.")
    pairs: int = Field(20, ge=1, description="Scenarios a check is made of; all, where the run has fewer.")
    fewest: int = Field(10, ge=1, description="Readable pairs below which a check is never passed.")
    most_failures: float = Field(
        0.2, ge=0.0, lt=1.0, description="Share of pairs with a failed call above which the judge could not be asked."
    )
    thresholds: Mapping[Check, float] = Field(
        default_factory=dict, description="Check -> share of pairs that must come out right, in place of the usual."
    )
    optional: tuple[Check, ...] | None = Field(
        None,
        description="Checks that need not be passed; when left out: none, for a rubric those that take reading.",
    )
    null_replies: tuple[str, ...] = Field(
        (),
        description="What null models always say, in turn; shipped sentences, one bland and one flattering, if empty.",
    )
    level: float = Field(0.95, gt=0.0, lt=1.0, description="Coverage of the exact intervals.")

    def threshold(self, check: Check) -> float:
        """Share of pairs that must come out right."""
        return self.thresholds.get(check, THRESHOLDS[check])

    def not_required(self, judge: Judge) -> frozenset[Check]:
        """Checks that this judge need not pass."""
        if self.optional is not None:
            return frozenset(self.optional)
        return READING if judge.identity.startswith(f"{rubric.SCHEME}@") else frozenset()


class Outcome(StrEnum):
    """How a check, or the whole test, came out."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    """Too few pairs to tell."""
    NOT_ASKED = "could not be asked"
    """Too many calls failed."""
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Tally:
    """Pairs of one check."""

    passes: int
    """Came out as they should."""
    n: int
    """Readable in both orders."""
    failed: int
    """With a malformed reply or an error in either order."""
    variants: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Attack, or what the null model says -> (passes, readable pairs); empty where an attack plays no part."""

    @property
    def rate(self) -> float | None:
        """Share of readable pairs that came out as they should."""
        return self.passes / self.n if self.n else None

    def interval(self, level: float) -> Interval | None:
        """Exact (Clopper-Pearson) interval of the rate; None without a readable pair."""
        return exact_interval(self.passes, self.n, level) if self.n else None


def decide(tally: Tally, threshold: float, settings: Settings) -> tuple[Outcome, str]:
    """Say how a check came out, and why."""
    asked = tally.n + tally.failed
    if asked == 0:
        return Outcome.UNDECIDED, "there was no pair to ask about"
    if tally.failed > settings.most_failures * asked:
        return Outcome.NOT_ASKED, f"{tally.failed} of {asked} pairs have no readable verdict"
    interval = tally.interval(settings.level)
    if interval is None:
        return Outcome.UNDECIDED, "there is no readable pair"
    rate = tally.passes / tally.n
    if tally.n < settings.fewest:
        if interval.high < threshold:
            return Outcome.FAILED, f"at best {interval.high:.0%}, below {threshold:.0%}, however few the pairs"
        return Outcome.UNDECIDED, f"{tally.n} readable pairs; at least {settings.fewest} are needed"
    if always := [name for name, (held, tried) in tally.variants.items() if tried >= TRIES and not held]:
        return Outcome.FAILED, f"won every time: {', '.join(map(repr, always))}"
    if rate < threshold:
        return Outcome.FAILED, f"{rate:.0%} is below {threshold:.0%}"
    if interval.low <= GUESSING:
        return Outcome.UNDECIDED, f"too few pairs to tell {rate:.0%} from guessing"
    return Outcome.PASSED, f"{rate:.0%} reaches {threshold:.0%}"


def overall(required: Mapping[Check, Outcome]) -> Outcome:
    """The outcome of the whole test: the worst of what is required; skipped checks take no part."""
    found = {outcome for outcome in required.values() if outcome is not Outcome.SKIPPED}
    for outcome in (Outcome.FAILED, Outcome.NOT_ASKED, Outcome.UNDECIDED):
        if outcome in found:
            return outcome
    return Outcome.PASSED if found else Outcome.SKIPPED
