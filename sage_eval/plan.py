"""The analysis plan: what will be compared, tested and claimed, written and hashed before the first call.

Whoever reads the verdicts later takes the settings from the plan, names its hash, and says so where they differ.

    plan = keep_plan(AnalysisPlan(...), out)
    plan = read_plan(Path("judged/"))
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sage_data.errors import ConfigError, InputError
from sage_data.stage import Output
from sage_data.store.files import sha256_json

Setting = TypeVar("Setting", bound=float | StrEnum)
PLAN = "analysis_plan.json"
_AGAIN = "run the judge stage again"
PANEL = "panel"
"""Name that the majority of several judges has in tables, beside the judges' own."""


class TieRule(StrEnum):
    """What becomes of pairs that neither model won (ties, and pairs whose two orders disagree)."""

    DROP = "drop"
    """They take no part in the test: the sign test on decisive pairs."""
    HALF = "half"
    """Half a win for each: the mean score per scenario is tested."""


class Correction(StrEnum):
    """How p-values are adjusted for the family."""

    HOLM = "holm"
    """Bounds the chance of any false claim."""
    BH = "bh"
    """Bounds the expected share of false claims; for exploration."""


class StoppingRule(StrEnum):
    """When judging ends."""

    FIXED = "fixed"
    """After the last pair."""
    E_VALUE = "e-value"
    """As soon as a comparison's e-value reaches family size / alpha, which may be looked at after every pair."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlannedJudge(_Frozen):
    """A judge as it was when the plan was made."""

    name: str
    identity: str = Field(description="Identity of the model or rubric.")
    spec_hash: str = Field(description="Hash of everything but the dialogues that its answers depend on.")


class AnalysisPlan(_Frozen):
    """What was decided before judging."""

    version: int = 1
    pairs: tuple[tuple[str, str], ...] = Field(description="Models compared, [A, B].")
    judges: tuple[PlannedJudge, ...]
    panel: bool = Field(description="True when the majority of the judges is a member of the family too.")
    transcripts: dict[str, str] = Field(description="Model -> content hash of its transcripts.")
    scenarios: dict[str, int] = Field(description='"A|B" -> number of scenarios that both models have.')
    samples: int = Field(
        1, ge=1, description="Most rollouts a scenario and model; more than 1 makes scenarios clusters."
    )
    replicates: int = Field(
        1, ge=1, description="How often a judge is asked about a pair in each order, where it is asked again at all."
    )
    replicate_share: float = Field(
        1.0, gt=0, le=1, description="Share of the scenarios that are asked again, if `replicates` is more than 1."
    )
    alpha: float = Field(0.05, gt=0, lt=1, description="Chance of any false claim in the whole family.")
    correction: Correction = Correction.HOLM
    tie_rule: TieRule = TieRule.DROP
    stopping: StoppingRule = StoppingRule.FIXED
    self_test: tuple[str, ...] = Field((), description="Checks that every judge is put to before its verdicts count.")
    seed: int = 0

    @property
    def family(self) -> tuple[tuple[str, str, str], ...]:
        """Every (judge, A, B) that is tested; one that cannot be tested stays a member."""
        names = [judge.name for judge in self.judges] + ([PANEL] if self.panel else [])
        return tuple((name, a, b) for name in names for a, b in self.pairs)

    @property
    def plan_hash(self) -> str:
        """SHA-256 of the plan."""
        return sha256_json(self.model_dump(mode="json"))


def read_plan(folder: Path) -> AnalysisPlan | None:
    """The plan of a judge stage's folder; None where there is none (verdicts made before plans were written).

    Raises:
        InputError: it cannot be read.
    """
    try:
        return None if (text := _stored(folder)) is None else AnalysisPlan.model_validate_json(text)
    except ValidationError as error:
        raise InputError(f"{folder / PLAN}: not an analysis plan: {error}", next_step=_AGAIN) from error


def written_hash(folder: Path) -> str | None:
    """Hash of the plan that stands in a judge stage's folder, as it is written there; None where there is none.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return None if (text := _stored(folder)) is None else sha256_json(json.loads(text))
    except ValueError as error:
        raise InputError(f"{folder / PLAN}: not readable as JSON: {error}", next_step=_AGAIN) from error


def _stored(folder: Path) -> bytes | None:
    path = folder / PLAN
    return path.read_bytes() if path.is_file() else None


def settled(name: str, option: Setting | None, plans: Sequence[AnalysisPlan], default: Setting) -> Setting:
    """A setting: the option where one is given, else what the plans say, else the default.

    Raises:
        ConfigError: the plans say different things, and there is no option.
    """
    if option is not None:
        return option
    planned: list[Setting] = list(dict.fromkeys(getattr(plan, name) for plan in plans))
    if len(planned) > 1:
        raise ConfigError(
            f"the analysis plans of the folders differ in {name}: {', '.join(map(str, planned))}",
            next_step=f"give --{name.replace('_', '-')}, or take the folders one at a time",
        )
    return planned[0] if planned else default


def departures(name: str, used: Setting, plans: Sequence[AnalysisPlan]) -> list[str]:
    """What to warn of where a setting is not the one that was planned."""
    planned = dict.fromkeys(getattr(plan, name) for plan in plans)
    return [f"{name} is {used}, where the analysis plan said {one}" for one in planned if one != used]


def hashes(plans: Sequence[AnalysisPlan]) -> str | None:
    """Hashes of the plans, each named once; None without a plan."""
    return ", ".join(dict.fromkeys(plan.plan_hash for plan in plans)) or None


def keep_plan(plan: AnalysisPlan, out: Output) -> AnalysisPlan:
    """Write the plan, whole or not at all; an attempt that is gone on with must still have the same.

    Raises:
        ConfigError: an earlier attempt in this folder was begun under another plan.
    """
    earlier = read_plan(out.path)
    if earlier is None:
        out.write_json(PLAN, plan.model_dump(mode="json"))
    elif earlier != plan:
        changed = [name for name in AnalysisPlan.model_fields if getattr(earlier, name) != getattr(plan, name)]
        raise ConfigError(
            f"{out.path / PLAN}: judging was begun under another plan; it differs in {', '.join(changed)}",
            next_step="judge into another folder, or delete this one to begin anew; finished calls stay in the journal",
        )
    return plan
