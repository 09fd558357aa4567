"""Tests every line of the comparison and says what may be claimed.

Right-or-wrong scores are put to the exact McNemar test, others to the paired bootstrap with a sign-flip test, mmlu to
tests over its subjects. Where scores by document are missing, a z-test on the two standard errors stands in; it knows
nothing of what both models find hard, and so needs larger differences than a paired one.

    compare(matched.lines, Config(), seed=0)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import erfc, sqrt
from statistics import NormalDist

import numpy as np

from sage_data.stage import derive_seed
from sage_eval.bench.pairing import Scores
from sage_eval.regress.settings import Config
from sage_eval.regress.units import Aggregates, Compared
from sage_eval.stats.families import holm
from sage_eval.stats.grouped import grouped_difference
from sage_eval.stats.margins import HALF_A_DOCUMENT
from sage_eval.stats.paired import mcnemar, paired_bootstrap, tango_interval
from sage_eval.stats.result import Result

SMALLEST_BOOTSTRAP = 30
"""Documents below which a bootstrap or z-test proves nothing: it knows no spread but that of what it saw."""
SMALLEST_CLUSTERS = 6
"""Subjects below which a test over subjects proves nothing: with five, its smallest p is .0625."""


class Outcome(StrEnum):
    """What a comparison shows."""

    REGRESSED = "regressed"
    """Worse after Holm, and a loss beyond the margin is not ruled out."""
    EQUIVALENT = "equivalent"
    """A loss beyond the margin is ruled out by the adjusted interval."""
    IMPROVED = "improved"
    """Better after Holm, and a loss beyond the margin is ruled out."""
    UNDECIDED = "undecided"
    """Neither can be said with this many documents."""


class Method(StrEnum):
    """How a line was tested."""

    MCNEMAR = "mcnemar"
    BOOTSTRAP = "bootstrap"
    CLUSTERED = "clustered"
    """Over subjects."""
    UNPAIRED = "unpaired"
    """A z-test on two standard errors."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Which interval is asked for."""

    level: float
    correction: float = 0.0
    """Documents by which Tango's limits are moved out: without half a document, too many models at the margin pass."""


@dataclass(frozen=True, slots=True)
class Tested:
    """One test at one level of its interval."""

    method: Method
    n: int | None
    difference: float
    low: float
    high: float
    p: float
    trusted: bool
    """False where so few documents prove nothing."""
    clusters: int | None = None
    seed: int | None = None
    resamples: int | None = None


@dataclass(frozen=True, slots=True)
class Regression(Result):
    """One line's comparison, with the settings it was tested under."""

    task: str
    filter: str
    metric: str
    member: bool
    """True where it belongs to the family; False where it is only shown beside."""
    n: int | None
    """Documents; None where that is not known."""
    clusters: int | None
    """Subjects that the documents were taken together by."""
    base: float
    new: float
    difference: float
    """new - base."""
    low: float
    high: float
    """Interval of the difference at `level`, for this line alone."""
    gain_low: float
    """Lower limit of the gain, one-sided at alpha / family_size; positive is better."""
    better: int | None
    """Documents that the new model does better; None when unpaired."""
    worse: int | None
    method: Method
    p: float
    p_holm: float | None
    """None for a line outside the family."""
    trusted: bool
    higher_is_better: bool
    margin: float
    alpha: float
    level: float
    family_size: int
    seed: int | None
    resamples: int | None

    derived = ("relative", "outcome")

    @property
    def relative(self) -> float | None:
        """The difference as a share of base; None when base is 0."""
        return self.difference / self.base if self.base else None

    @property
    def gain(self) -> tuple[float, float, float]:
        """Difference and interval (estimate, low, high), turned so that positive is better."""
        values = (self.difference, self.low, self.high)
        return values if self.higher_is_better else (-values[0], -values[2], -values[1])

    @property
    def outcome(self) -> Outcome:
        """What may be claimed; of a line outside the family, by its own p and a limit adjusted as the family's are."""
        significant = self.trusted and (self.p if self.p_holm is None else self.p_holm) < self.alpha
        if self.trusted and self.gain_low > -self.margin:
            return Outcome.IMPROVED if significant and self.gain[0] > 0 else Outcome.EQUIVALENT
        return Outcome.REGRESSED if significant and self.gain[0] < 0 else Outcome.UNDECIDED


def compare(lines: Sequence[Compared], config: Config, seed: int) -> list[Regression]:
    """Test every line; p-values are adjusted over those that belong to the family."""
    family = sum(line.member for line in lines)
    shown, strict = Limits(config.level), Limits(1.0 - 2.0 * config.alpha / max(1, family), HALF_A_DOCUMENT)
    found = [
        _line(
            line, examine(line.scores, config, shown, seed), examine(line.scores, config, strict, seed), config, family
        )
        for line in lines
    ]
    adjusted = iter(holm([one.p for one in found if one.member]))
    return [replace(one, p_holm=next(adjusted)) if one.member else one for one in found]


def _line(line: Compared, shown: Tested, strict: Tested, config: Config, family: int) -> Regression:
    scores = line.scores
    better, worse = _changed(scores)
    before, after = _means(scores)
    return Regression(
        *scores.name,
        member=line.member,
        n=shown.n,
        clusters=shown.clusters,
        base=before,
        new=after,
        difference=shown.difference,
        low=shown.low,
        high=shown.high,
        gain_low=strict.low if scores.higher_is_better else -strict.high,
        better=better,
        worse=worse,
        method=shown.method,
        p=shown.p,
        p_holm=None,
        trusted=shown.trusted,
        higher_is_better=scores.higher_is_better,
        margin=config.margin,
        alpha=config.alpha,
        level=config.level,
        family_size=family,
        seed=shown.seed,
        resamples=shown.resamples,
    )


def _means(scores: Scores | Aggregates) -> tuple[float, float]:
    if isinstance(scores, Aggregates):
        return scores.base.value, scores.new.value
    return float(scores.base.mean()), float(scores.new.mean())


def _changed(scores: Scores | Aggregates) -> tuple[int | None, int | None]:
    """Documents that became better and worse."""
    if isinstance(scores, Aggregates):
        return None, None
    gain = (scores.new - scores.base) * (1.0 if scores.higher_is_better else -1.0)
    return int(np.sum(gain > 0)), int(np.sum(gain < 0))


def examine(scores: Scores | Aggregates, config: Config, limits: Limits, seed: int) -> Tested:
    """Test "no difference" in the way that the scores call for, with an interval of this level."""
    if isinstance(scores, Aggregates):
        return _unpaired(scores, limits.level)
    own = derive_seed(seed, *scores.name)
    if scores.clusters is not None and len(set(scores.clusters)) > 1:
        return _clustered(scores, config, limits, own)
    return _by_document(scores, config, limits, own)


def _by_document(scores: Scores, config: Config, limits: Limits, seed: int) -> Tested:
    n = scores.base.size
    if scores.binary:
        lost = int(np.sum(scores.base > scores.new))
        gained = int(np.sum(scores.new > scores.base))
        found = mcnemar(lost, gained, n, limits.level)
        interval = tango_interval(lost, gained, n, limits.level, limits.correction)
        return Tested(Method.MCNEMAR, n, found.difference, interval.low, interval.high, found.p, trusted=True)
    found = paired_bootstrap(scores.base, scores.new, seed=seed, resamples=config.resamples, level=limits.level)
    drawn = found.interval
    trusted = n >= SMALLEST_BOOTSTRAP
    return Tested(
        Method.BOOTSTRAP, n, found.difference, drawn.low, drawn.high, found.p, trusted, None, seed, config.resamples
    )


def _clustered(scores: Scores, config: Config, limits: Limits, seed: int) -> Tested:
    """Over subjects; its interval is nowhere narrower than that of the documents taken one by one.

    Subjects of which hardly any document changed would otherwise look as if nothing could change.
    """
    alone = _by_document(scores, config, limits, seed)
    found = grouped_difference(
        scores.base, scores.new, clusters=scores.clusters, seed=seed, resamples=config.resamples, level=limits.level
    )
    robust = found.interval
    return replace(
        alone,
        method=Method.CLUSTERED,
        low=alone.low if robust is None else min(alone.low, robust.low),
        high=alone.high if robust is None else max(alone.high, robust.high),
        p=1.0 if found.p is None else found.p,
        trusted=found.clusters >= SMALLEST_CLUSTERS and alone.trusted,
        clusters=found.clusters,
        seed=seed,
        resamples=config.resamples,
    )


def _unpaired(scores: Aggregates, level: float) -> Tested:
    difference = scores.new.value - scores.base.value
    error = sqrt((scores.base.stderr or 0.0) ** 2 + (scores.new.stderr or 0.0) ** 2)
    half = NormalDist().inv_cdf((1.0 + level) / 2.0) * error
    n = scores.base.n if scores.base.n is not None else scores.new.n
    p = erfc(abs(difference) / error / sqrt(2.0))
    trusted = n is None or n >= SMALLEST_BOOTSTRAP
    return Tested(Method.UNPAIRED, n, difference, difference - half, difference + half, p, trusted)
