"""What the judge self-test found: answers, checks, and the whole.

print(run_self_test(judge, material, settings).outcome)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sage_eval.judge.probes import Check, Probe
from sage_eval.judge.protocol import Reply
from sage_eval.judge.self_test_rules import Outcome
from sage_eval.stats import Interval
from sage_eval.stats.result import Result, plain
from sage_eval.verdict import Order, Verdict, combine


@dataclass(frozen=True, slots=True)
class Answer:
    """What a judge said of one probe."""

    probe: Probe
    replies: Mapping[Order, Reply]
    held: bool | None
    """True when it came out as it should; None when a call failed."""

    @property
    def verdict(self) -> Verdict:
        """Both orders together: A is the original, B the copy (of a real pair: its first and second)."""
        return combine(self.replies[Order.AB].choice, self.replies[Order.BA].choice)


@dataclass(frozen=True, slots=True)
class Checked(Result):
    """How one check came out."""

    check: Check
    required: bool
    """False when the judge need not pass it."""
    outcome: Outcome
    reason: str
    n: int
    """Pairs that are readable in both orders."""
    passes: int
    """Of these, the pairs that came out as they should."""
    rate: float | None
    interval: Interval | None
    """Exact, of `rate`."""
    threshold: float
    verdicts: Mapping[Verdict, int]
    """Of all pairs; A is the original, B the copy (of real pairs: their first and second)."""
    without_difference: int
    """Pairs left out because the copy would have been the original."""
    variants: Mapping[str, tuple[int, int]]
    """Attack, or what the null model says -> (passes, readable pairs)."""

    @property
    def failed(self) -> int:
        """Pairs with a malformed reply or an error: neither passes nor misses."""
        return self.verdicts.get(Verdict.MALFORMED, 0) + self.verdicts.get(Verdict.ERROR, 0)


@dataclass(frozen=True, slots=True)
class SelfTest(Result):
    """How a judge did on all checks."""

    judge: str
    judge_model: str
    """The judge's identity."""
    spec_hash: str
    outcome: Outcome
    """The worst of the checks that are required."""
    checks: tuple[Checked, ...]
    answers: tuple[Answer, ...]
    """Every probe with its replies; not part of the printed result."""
    pairs: int
    """Scenarios that the checks are made of."""
    asked_for: int
    unusable: int
    """Pairs passed over because one assistant says nothing."""
    level: float
    seed: int

    @property
    def passed(self) -> bool:
        """True when every required check is passed."""
        return self.outcome is Outcome.PASSED

    def as_dict(self) -> dict[str, Any]:
        """All but the answers, as plain JSON values."""
        return {one.name: plain(getattr(self, one.name)) for one in fields(self) if one.name != "answers"}

    def rows(self) -> list[tuple[str, str]]:
        """Judge, outcome, and one line a check."""
        checks = [(one.check.value, f"{one.outcome}: {one.reason}") for one in self.checks]
        return [("judge", self.judge), ("outcome", self.outcome.value), *checks]
