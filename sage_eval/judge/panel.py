"""The panel: what the majority of several judges says of a pair. Nothing but verdicts in, verdicts out.

A judge whose call failed abstains, and is counted. Where no more than half of the judges can be read there is no panel:
its verdict is a failure too. Else a verdict that more than half of those who can be read share is the panel's, be it a
model, a tie, or that the seats decided; where none is, the panel contradicts itself, which is what `inconsistent` says.

The panel is no better than its judges are different: three of one family are hardly more than one.

    majority([Verdict.A, Verdict.A, Verdict.ERROR])     # Ballot(verdict=Verdict.A, readable=2, abstained=1)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sage_eval.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Ballot:
    """What a panel said of one pair."""

    verdict: Verdict
    readable: int
    """Judges with a readable verdict."""
    abstained: int
    """Judges whose verdict is malformed or an error."""


def majority(votes: Sequence[Verdict]) -> Ballot:
    """Count the judges' verdicts on one pair; their order means nothing.

    Raises:
        ValueError: there is no judge.
    """
    if not votes:
        raise ValueError("a panel needs at least one judge; found none")
    readable = [vote for vote in votes if not vote.failed]
    return Ballot(_verdict(votes, readable), len(readable), len(votes) - len(readable))


def _verdict(votes: Sequence[Verdict], readable: Sequence[Verdict]) -> Verdict:
    if 2 * len(readable) <= len(votes):
        return Verdict.ERROR if Verdict.ERROR in votes else Verdict.MALFORMED
    verdict, count = Counter(readable).most_common(1)[0]
    return verdict if 2 * count > len(readable) else Verdict.INCONSISTENT
