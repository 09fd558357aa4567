"""On what terms the comparisons are tested: options where they are given, else the analysis plan, else the defaults.

settle(Config(), plans=[read_plan(Path("judged/"))], found=[("rubric:warm", "base", "tuned")], seed=0).terms
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from sage_data.errors import ConfigError
from sage_data.stage import StageConfig
from sage_eval.plan import AnalysisPlan, Correction, StoppingRule, TieRule, departures, hashes, settled
from sage_eval.stats.result import Result

Key = tuple[str, str, str]
"""Judge, model A, model B."""
DEFAULT_ALPHA = 0.05


class Config(StageConfig):
    """How the verdicts are tested. What is left out is taken from the analysis plan of the judge stage."""

    alpha: float | None = Field(
        None,
        gt=0.0,
        lt=1.0,
        description="Chance of any false claim in the whole family; by default the plan's, or .05.",
    )
    level: float = Field(0.95, gt=0.0, lt=1.0, description="Coverage of the intervals, each for itself.")
    correction: Correction | None = Field(
        None, description="How p is adjusted for claims; by default the plan's, or Holm. Both are always shown."
    )
    tie_rule: TieRule | None = Field(
        None, description="What pairs without a winner count as; by default the plan's, or drop."
    )
    stopping: StoppingRule | None = Field(
        None,
        description="When judging ended; by default the plan's, or after the last pair. If results were looked at on "
        "the way, p is not valid: say e-value.",
    )
    family_size: int | None = Field(
        None, ge=1, description="Comparisons that are claimed together, where there are more than in these folders."
    )
    resamples: int = Field(
        10_000, ge=99, description="Sign patterns drawn where there are several rollouts and too many to count."
    )


@dataclass(frozen=True, slots=True)
class Terms(Result):
    """Settings that all comparisons of a family share."""

    alpha: float = DEFAULT_ALPHA
    level: float = 0.95
    correction: Correction = Correction.HOLM
    tie_rule: TieRule = TieRule.DROP
    stopping: StoppingRule = StoppingRule.FIXED
    family_size: int = 1
    """Members of the family, those that could not be tested included."""
    resamples: int = 10_000
    seed: int = 0
    plan_hash: str | None = None
    """Of the analysis plan; None without one."""

    @property
    def shares(self) -> bool:
        """True when B's share of decisive pairs is the estimate to show, False when the score with ties as half is.

        An e-value is left as it is by a tie, whatever the tie rule.
        """
        return self.tie_rule is TieRule.DROP or self.stopping is StoppingRule.E_VALUE


@dataclass(frozen=True, slots=True)
class Settled:
    """The terms, who the members of the family are, and what is to be warned of."""

    terms: Terms
    family: tuple[Key, ...]
    """Every comparison that was planned or found."""
    unplanned: tuple[Key, ...]
    """Those that were found without being planned; empty where there is no plan."""
    warnings: tuple[str, ...]


def settle(config: Config, plans: Sequence[AnalysisPlan], found: Sequence[Key], seed: int) -> Settled:
    """Settle the terms; comparisons that were not planned enlarge the family, so that no claim gets cheaper by them.

    Raises:
        ConfigError: the plans differ and no option decides; the family is said to be smaller than it is; or p is asked
            for although judging stopped on what it found.
    """
    planned = tuple(dict.fromkeys(member for plan in plans for member in plan.family))
    family = tuple(dict.fromkeys([*planned, *found]))
    unplanned = tuple(key for key in family if key not in planned) if plans else ()
    alpha = settled("alpha", config.alpha, plans, DEFAULT_ALPHA)
    correction = settled("correction", config.correction, plans, Correction.HOLM)
    tie_rule = settled("tie_rule", config.tie_rule, plans, TieRule.DROP)
    stopping = settled("stopping", config.stopping, plans, StoppingRule.FIXED)
    _refuse_p_after_stopping(stopping, plans)
    terms = Terms(
        alpha=alpha,
        level=config.level,
        correction=correction,
        tie_rule=tie_rule,
        stopping=stopping,
        family_size=_size(config.family_size, len(family)),
        resamples=config.resamples,
        seed=seed,
        plan_hash=hashes(plans),
    )
    return Settled(terms, family, unplanned, (*_departures(terms, plans), *_enlarged(terms, family, unplanned, plans)))


def _refuse_p_after_stopping(stopping: StoppingRule, plans: Sequence[AnalysisPlan]) -> None:
    if stopping is StoppingRule.FIXED and any(plan.stopping is StoppingRule.E_VALUE for plan in plans):
        raise ConfigError(
            "the analysis plan let judging stop on its results, so p is not valid and cannot be claimed on; found "
            "stopping: fixed",
            next_step="leave --stopping out, or say --stopping e-value",
        )


def _size(wanted: int | None, members: int) -> int:
    if wanted is not None and wanted < members:
        raise ConfigError(
            f"the family has {members} members, planned or found; --family-size is {wanted}",
            next_step="leave --family-size out, or give at least that",
        )
    return wanted or members


def _departures(terms: Terms, plans: Sequence[AnalysisPlan]) -> list[str]:
    return [
        *departures("alpha", terms.alpha, plans),
        *departures("correction", terms.correction, plans),
        *departures("tie_rule", terms.tie_rule, plans),
        *departures("stopping", terms.stopping, plans),
    ]


def _enlarged(
    terms: Terms, family: Sequence[Key], unplanned: Sequence[Key], plans: Sequence[AnalysisPlan]
) -> list[str]:
    warnings = []
    if unplanned:
        listed = "; ".join(f"{a} against {b} by {judge}" for judge, a, b in unplanned)
        warnings.append(f"{len(unplanned)} comparisons are not in the analysis plan and enlarge the family: {listed}")
    if plans and terms.family_size > len(family):
        warnings.append(f"family_size is {terms.family_size}, where plan and verdicts make {len(family)}")
    return warnings
