"""Compares two models' benchmark scores document by document: the paper's Table 2 with n, p, interval and a verdict.

Documents are paired, and their hashes must match: the same document, the same prompt, the same target. Right-or-wrong
scores are put to the exact McNemar test, others to the paired bootstrap. p-values are adjusted over all m tasks (Holm).
A loss is ruled out by the lower limit of an interval at level 1 - 2 alpha / m (one-sided, Bonferroni); the interval
that is shown has `level` and is each task's own.

    sage eval regress bench-base/ --new bench-sage1/ --out regressions/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import Field

from sage_data.stage import Context, Counts, Inputs, Need, Output, StageConfig, derive_seed
from sage_eval.bench.pairing import Scores, pair
from sage_eval.stats import PairedDifference, holm, mcnemar, paired_bootstrap
from sage_eval.tables import show_interval, show_p, text_table

VERSION = 2
INPUTS = (
    Need("base", "benchmark scores of the model before"),
    Need("new", "benchmark scores of the model after"),
)
TABLE = "regressions"
SMALLEST_BOOTSTRAP = 30
"""Documents below which a bootstrap proves nothing: it knows no spread but that of the documents it saw."""

SCHEMA = pa.schema(
    [
        ("task", pa.string()),
        ("filter", pa.string()),
        ("metric", pa.string()),
        ("n", pa.int64()),
        ("base", pa.float64()),
        ("new", pa.float64()),
        ("difference", pa.float64()),
        ("relative", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("gain_low", pa.float64()),
        ("better", pa.int64()),
        ("worse", pa.int64()),
        ("method", pa.string()),
        ("p", pa.float64()),
        ("p_holm", pa.float64()),
        ("verdict", pa.string()),
        ("higher_is_better", pa.bool_()),
        ("margin", pa.float64()),
        ("alpha", pa.float64()),
        ("level", pa.float64()),
        ("family_size", pa.int64()),
        ("seed", pa.int64()),
        ("resamples", pa.int64()),
    ]
)


class Config(StageConfig):
    """What counts as a regression."""

    metrics: tuple[str, ...] = Field(
        ("acc_norm", "acc", "exact_match"), min_length=1, description="The first of these that a task has is compared."
    )
    margin: float = Field(0.02, ge=0.0, description="A loss up to this much, in units of the metric, is no regression.")
    alpha: float = Field(
        0.05,
        gt=0.0,
        lt=0.5,
        description="Chance, over all tasks, of any false claim of a difference, and of any that a loss is ruled out.",
    )
    level: float = Field(0.95, gt=0.0, lt=1.0, description="Coverage of each interval shown, for its task alone.")
    resamples: int = Field(10_000, ge=100, description="Bootstrap resamples.")


class Outcome(StrEnum):
    """What a comparison shows."""

    REGRESSED = "regressed"
    """Worse after Holm, and a loss beyond the margin is not ruled out."""
    EQUIVALENT = "equivalent"
    """A loss beyond the margin is ruled out by the adjusted interval."""
    IMPROVED = "improved"
    """Better after Holm, and a loss beyond the margin is ruled out."""
    UNDECIDED = "undecided"
    """Neither can be said with this many documents; a bootstrap over few (`SMALLEST_BOOTSTRAP`) always leads here."""


@dataclass(frozen=True, slots=True)
class Regression:
    """One task's comparison, with the settings it was tested under."""

    scores: Scores
    change: PairedDifference
    gain_low: float
    """Lower limit of the gain, one-sided at alpha / family_size; positive is better."""
    p_holm: float
    family_size: int
    margin: float
    alpha: float

    @property
    def gain(self) -> tuple[float, float, float]:
        """Difference and interval (estimate, low, high), turned so that positive is better."""
        change = self.change
        values = (change.difference, change.interval.low, change.interval.high)
        return values if self.scores.higher_is_better else (-values[0], -values[2], -values[1])

    @property
    def outcome(self) -> Outcome:
        """What may be claimed."""
        gain = self.gain[0]
        trusted = self.change.method == "mcnemar" or self.change.n >= SMALLEST_BOOTSTRAP
        significant = trusted and self.p_holm < self.alpha
        if trusted and self.gain_low > -self.margin:
            return Outcome.IMPROVED if significant and gain > 0 else Outcome.EQUIVALENT
        return Outcome.REGRESSED if significant and gain < 0 else Outcome.UNDECIDED


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write the `regressions` table and its summary.

    Raises:
        InputError: the two folders do not hold the same documents, or a task has none of the metrics.
    """
    base, new = inputs.one("base"), inputs.one("new")
    scores = pair(base.path, new.path, config.metrics)
    with context.progress("regress", total=len(scores), unit="tasks") as bar:
        found = compare(scores, config, context.seed)
        bar.advance(len(scores))
    documents = sum(one.base.size for one in scores)
    counts = Counts(unit="paired scores", came_in=documents, kept=documents, quarantined=0)
    out.write_shard(TABLE, 0, table(found), counts=counts)
    out.write_text("summary.txt", summary(found, base.label, new.label))
    worse = [f"{one.scores.task} ({one.scores.filter})" for one in found if one.outcome is Outcome.REGRESSED]
    if worse:
        out.warn(f"{new.label} is worse than {base.label} on {', '.join(worse)}")


def compare(scores: Sequence[Scores], config: Config, seed: int) -> list[Regression]:
    """Test every task and adjust for the family of all of them."""
    changes = [_change(one, config, config.level, seed) for one in scores]
    adjusted = holm([change.p for change in changes])
    lows = [_gain_low(one, config, len(scores), seed) for one in scores]
    return [
        Regression(one, change, low, p_holm, len(scores), config.margin, config.alpha)
        for one, change, low, p_holm in zip(scores, changes, lows, adjusted, strict=True)
    ]


def _gain_low(scores: Scores, config: Config, family_size: int, seed: int) -> float:
    """Lower limit of the gain that holds for all tasks at once: one-sided, alpha / family_size for each."""
    interval = _change(scores, config, 1.0 - 2.0 * config.alpha / family_size, seed).interval
    return interval.low if scores.higher_is_better else -interval.high


def _change(scores: Scores, config: Config, level: float, seed: int) -> PairedDifference:
    if scores.binary:
        lost = int(np.sum(scores.base > scores.new))
        gained = int(np.sum(scores.new > scores.base))
        return mcnemar(lost, gained, scores.base.size, level)
    own_seed = derive_seed(seed, *scores.name)
    return paired_bootstrap(scores.base, scores.new, seed=own_seed, resamples=config.resamples, level=level)


def table(found: Sequence[Regression]) -> pa.Table:
    """One row a task, filter and metric."""
    return pa.Table.from_pylist([_row(one) for one in found], schema=SCHEMA)


def _row(one: Regression) -> dict[str, Any]:
    scores, change = one.scores, one.change
    sign = 1.0 if scores.higher_is_better else -1.0
    base = float(scores.base.mean())
    return {
        "task": scores.task,
        "filter": scores.filter,
        "metric": scores.metric,
        "n": change.n,
        "base": base,
        "new": float(scores.new.mean()),
        "difference": change.difference,
        "relative": change.difference / base if base else None,
        "low": change.interval.low,
        "high": change.interval.high,
        "gain_low": one.gain_low,
        "better": int(np.sum(sign * (scores.new - scores.base) > 0)),
        "worse": int(np.sum(sign * (scores.new - scores.base) < 0)),
        "method": change.method,
        "p": change.p,
        "p_holm": one.p_holm,
        "verdict": one.outcome.value,
        "higher_is_better": scores.higher_is_better,
        "margin": one.margin,
        "alpha": one.alpha,
        "level": change.interval.level,
        "family_size": one.family_size,
        "seed": change.seed,
        "resamples": change.resamples,
    }


def summary(found: Sequence[Regression], base: str, new: str) -> str:
    """The table as text."""
    header = ("task", "filter", "metric", "n", "base", "new", "diff", "interval", "p", "Holm", "verdict")
    outcomes = Counter(one.outcome for one in found)
    total = ", ".join(f"{outcomes[outcome]} {outcome.value}" for outcome in Outcome)
    first = found[0]
    note = (
        f"Paired over documents: exact McNemar test or bootstrap, {first.change.interval.level:.0%} interval, "
        f"Holm over {len(found)};\nmargin {first.margin:g}, alpha {first.alpha:g}. A loss is ruled out by an interval "
        f"of its own, adjusted for all tasks ({1 - 2 * first.alpha / first.family_size:.4g})."
    )
    return (
        f"Base {base}, new {new}\n\n{text_table(header, [_cells(one) for one in found], left=3)}\n\n{note}\n{total}.\n"
    )


def _cells(one: Regression) -> tuple[str, ...]:
    scores, change = one.scores, one.change
    return (
        scores.task,
        scores.filter,
        scores.metric,
        str(change.n),
        f"{scores.base.mean():.3f}",
        f"{scores.new.mean():.3f}",
        f"{change.difference:+.3f}",
        show_interval(change.interval.low, change.interval.high),
        show_p(change.p),
        show_p(one.p_holm),
        one.outcome.value,
    )
