"""What a paper says about its table, beyond the cells: a TOML file beside the CSV, with the same name.

It declares the number of items, the meaning of stars, what a difference is taken relative to, and claims of the text
that the table can confirm or not.

    n = 2544
    stars = {"**" = 1e-50, "*" = 1e-10}
    [[claims]]
    kind = "better"
    a = "SAGE_0"
    b = "SAGE_1"
    says = "SAGE_1 is preferred over SAGE_0"
    where = "section 4"

    about = read_about(Path("table1.toml"))
"""

from __future__ import annotations

import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sage_data.errors import InputError


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Claim(_Frozen):
    says: str = Field(description="The claim, in one's own words.")
    where: str = Field(description="Where the text makes it.")
    note: bool = Field(False, description="True: worth a remark, not an error, when it does not hold.")


class Better(_Claim):
    """B is preferred over A; by every judge, unless one is named."""

    kind: Literal["better"]
    a: str
    b: str
    judge: str | None = None
    significant: bool = Field(True, description="False: only the direction is claimed.")


class NoDifference(_Claim):
    """A and B do not differ significantly; by any judge, unless one is named."""

    kind: Literal["no-difference"]
    a: str
    b: str
    judge: str | None = None


class Ratio(_Claim):
    """B wins about `ratio` times as often as A."""

    kind: Literal["ratio"]
    a: str
    b: str
    ratio: float = Field(gt=0)
    tolerance: float = Field(0.15, gt=0, description="Relative.")


class JudgesAgree(_Claim):
    """All judges prefer the same model of each pair."""

    kind: Literal["judges-agree"]


class MoreTies(_Claim):
    """One judge calls more ties than any other."""

    kind: Literal["more-ties"]
    judge: str


class UndecidedExcluded(_Claim):
    """Pairs without a consistent verdict were left out, so that rows need not add up to n."""

    kind: Literal["undecided-excluded"]


class WholeSet(_Claim):
    """The items are those of a set of known size."""

    kind: Literal["whole-set"]
    size: int = Field(ge=1)


class Same(_Claim):
    """Two places of the text give the same value."""

    kind: Literal["same"]
    first: str
    second: str


class LargestDrop(_Claim):
    """The largest loss is that of one task."""

    kind: Literal["largest-drop"]
    task: str
    by: Literal["p", "relative", "points"]


class Improved(_Claim):
    """A task improved."""

    kind: Literal["improved"]
    task: str


class MostlyDeclined(_Claim):
    """Most tasks declined."""

    kind: Literal["mostly-declined"]


Claim = Annotated[
    Better
    | NoDifference
    | Ratio
    | JudgesAgree
    | MoreTies
    | UndecidedExcluded
    | WholeSet
    | Same
    | LargestDrop
    | Improved
    | MostlyDeclined,
    Field(discriminator="kind"),
]


class Difference(StrEnum):
    """What a table's column of differences holds."""

    RELATIVE = "relative"
    """Percent of the base score."""
    POINTS = "points"
    """The difference of the scores, in percentage points."""
    SCORE = "score"
    """The difference of the scores, in their own unit."""


class About(_Frozen):
    """What is declared about one table."""

    title: str = ""
    source: str = Field("", description="Where the table was printed.")
    n: int | None = Field(None, ge=1, description="Items in each row of a win table.")
    n_source: str = Field("", description="Where the numbers of documents come from, if not from the table.")
    stars: dict[str, float] = Field({}, description="Mark -> the level that p must be below.")
    difference: Difference | None = Field(
        None, description="What the differences are; when left out, told by a percent sign and the figures."
    )
    difference_label: str | None = Field(
        None, description="Their column's heading, where it leaves open what they are relative to: that is a finding."
    )
    alpha: float = Field(0.05, gt=0, lt=1)
    power: float = Field(0.8, gt=0, lt=1, description="Of the smallest effect that is called detectable.")
    claims: tuple[Claim, ...] = ()


def read_about(path: Path) -> About:
    """Read the file beside a table; an empty one where there is none.

    Raises:
        InputError: it is not TOML, or declares what there is not.
    """
    if not path.is_file():
        return About.model_validate({})
    try:
        return About.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise InputError(f"{path}: {said}", next_step="see sage_eval.paper.about for what may be declared") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not readable as TOML: {error}") from error
