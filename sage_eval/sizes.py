"""What `sage eval plan-size` does: how many pairs to judge to show a difference, or what so many pairs can show.

The plan is for the exact two-sided sign test; a family of several tests is planned for at alpha / family each, which is
what Holm asks of the smallest p. Several rollouts a scenario count for less than as many scenarios (see
`sage_eval.stats.power.design_effect`), and are then tested on scenarios' means.

    sage eval plan-size --win-share 0.55 --ties 0.2 --inconsistent 0.1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sage_data.chat.meter import Prices
from sage_data.errors import ConfigError
from sage_eval.stats.power import (
    design_effect,
    detectable_share,
    exact_pairs,
    exact_power,
    formula_pairs,
    pairs_to_judge,
    share_of_net_win,
)
from sage_eval.stats.result import Result
from sage_eval.stats.stopping import MOST, StoppingTime, stopping_time
from sage_eval.tables import text_table

ORDERS = 2
"""Calls a pair and judge: each pair is judged with the seats exchanged."""
_FARTHEST = 100_000
"""Decisive pairs beyond which no stopping time is worked out."""
_AROUND = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Sizes beside the planned one, as multiples of it."""


class Wish(BaseModel):
    """What an experimenter wants to know; exactly one of the first two, or `pairs` alone or with one of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    win_share: float | None = Field(None, gt=0, lt=1, description="True share of the better model's wins.")
    net_win: float | None = Field(None, gt=-1, lt=1, description="Its lead as a share of all pairs.")
    pairs: int | None = Field(None, ge=1, description="Scenarios to judge, each pair of models in each.")
    alpha: float = Field(0.05, gt=0, lt=1)
    power: float = Field(0.8, gt=0, lt=1)
    comparisons: int = Field(1, ge=1, description="Pairs of models.")
    judges: int = Field(1, ge=1)
    family: int | None = Field(None, ge=1, description="Tests; comparisons times judges when left out.")
    ties: float = Field(0.0, ge=0, lt=1)
    inconsistent: float = Field(0.0, ge=0, lt=1)
    rollouts: int = Field(1, ge=1)
    icc: float = Field(0.0, ge=0, le=1)
    sequential: bool = False
    input_price: float | None = Field(None, ge=0)
    output_price: float | None = Field(None, ge=0)
    input_tokens: int = Field(2500, ge=0)
    output_tokens: int = Field(8, ge=0)

    @model_validator(mode="after")
    def _fits(self) -> Wish:
        if self.win_share is not None and self.net_win is not None:
            raise ValueError("give --win-share or --net-win, not both: one follows from the other")
        if self.win_share is None and self.net_win is None and self.pairs is None:
            raise ValueError("say what is to be shown (--win-share or --net-win) or how much is judged (--pairs)")
        if self.sequential and self.win_share is None and self.net_win is None:
            raise ValueError("--sequential needs --win-share or --net-win: when judging stops depends on the true lead")
        if self.ties + self.inconsistent >= 1.0:
            raise ValueError("--ties and --inconsistent leave no pair with a winner")
        if (self.input_price is None) != (self.output_price is None):
            raise ValueError("--input-price and --output-price belong together")
        return self

    @property
    def decisive(self) -> float:
        """Share of pairs with a winner."""
        return 1.0 - self.ties - self.inconsistent

    @property
    def family_size(self) -> int:
        """Tests that are claimed together."""
        return self.family or self.comparisons * self.judges

    @property
    def share(self) -> float | None:
        """Win share among decisive pairs that is to be shown; None when it is asked for.

        Raises:
            ValueError: the net win is too large for the share of decisive pairs.
        """
        return self.win_share if self.net_win is None else share_of_net_win(self.net_win, self.decisive)


@dataclass(frozen=True, slots=True)
class Size(Result):
    """One number of scenarios and what it gives; per comparison of two models unless said otherwise."""

    scenarios: int
    pairs: int
    """Pairs of dialogues: scenarios times rollouts."""
    decisive_pairs: int
    """Independent decisive pairs that they are worth: scenarios divided by the design effect, and so on."""
    calls: int
    """Judge calls over all comparisons and judges."""
    cost_usd: float | None
    """Over all comparisons; None without prices."""
    power: float | None
    """Chance to show the wanted share; None when none is wanted."""
    detectable_share: float | None
    """Smallest win share shown with the wanted power; None when so few pairs can show none."""
    detectable_net_win: float | None
    """The same as a lead over all pairs."""


@dataclass(frozen=True, slots=True)
class Stopping(Result):
    """What judging costs if it ends as soon as the e-value allows."""

    mean_pairs: int
    """Pairs a comparison, on average, until the threshold is reached."""
    quantiles: tuple[int | None, int | None, int | None]
    """Pairs after which 10, 50 and 90% of comparisons have stopped."""
    reached_by_plan: float
    """Chance that it is reached within the planned pairs."""
    mean_calls: int
    """Over all comparisons and judges, if judging ends with the planned pairs at the latest."""
    calls_saved: int
    """Planned calls less `mean_calls`."""
    mean_cost_usd: float | None
    unlimited: StoppingTime
    """In decisive pairs."""


@dataclass(frozen=True, slots=True)
class SizePlan(Result):
    """How much to judge, with the settings it follows from."""

    share: float | None
    """Win share among decisive pairs that is to be shown; None when only the size was given."""
    net_win: float | None
    """The same as a lead over all pairs."""
    alpha: float
    alpha_each: float
    """Level that the smallest p of the family is held against."""
    target_power: float
    family_size: int
    decisive: float
    """Share of pairs with a winner."""
    design_effect: float
    exact: int | None
    """Decisive pairs that the exact test needs."""
    formula: int | None
    """The same by the normal formula."""
    plan: Size
    around: tuple[Size, ...]
    """The plan and sizes beside it."""
    stopping: Stopping | None
    n: int
    """Scenarios planned."""
    settings: dict[str, Any]
    """The question as it was asked."""
    seed: None = None
    """Nothing is drawn."""


def plan(wish: Wish) -> SizePlan:
    """Work out how much to judge.

    Raises:
        ConfigError: the net win is too large for the share of decisive pairs, or the share too near one half.
    """
    alpha = wish.alpha / wish.family_size
    try:
        share = wish.share
        exact = None if share is None else exact_pairs(share, alpha=alpha, power=wish.power)
        formula = None if share is None else formula_pairs(share, alpha=alpha, power=wish.power)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    scenarios = wish.pairs or pairs_to_judge(exact or 1, wish.decisive, wish.rollouts, wish.icc)
    sizes = [_size(max(1, round(scenarios * factor)), wish, share) for factor in _AROUND]
    planned = sizes[_AROUND.index(1.0)]
    return SizePlan(
        share=share,
        net_win=None if share is None else (2.0 * share - 1.0) * wish.decisive,
        alpha=wish.alpha,
        alpha_each=alpha,
        target_power=wish.power,
        family_size=wish.family_size,
        decisive=wish.decisive,
        design_effect=design_effect(wish.rollouts, wish.icc),
        exact=exact,
        formula=formula,
        plan=planned,
        around=tuple(sizes),
        stopping=None if share is None or not wish.sequential else _stopping(planned, wish, share),
        n=scenarios,
        settings=wish.model_dump(mode="json"),
    )


def _size(scenarios: int, wish: Wish, share: float | None) -> Size:
    alpha = wish.alpha / wish.family_size
    worth = int(scenarios * _worth(wish) + 1e-9)
    shown = detectable_share(worth, alpha=alpha, power=wish.power)
    pairs = scenarios * wish.rollouts
    calls = pairs * ORDERS * wish.judges * wish.comparisons
    return Size(
        scenarios=scenarios,
        pairs=pairs,
        decisive_pairs=worth,
        calls=calls,
        cost_usd=_cost(calls, wish),
        power=None if share is None else float(exact_power(worth, share, alpha=alpha)),
        detectable_share=shown,
        detectable_net_win=None if shown is None else (2.0 * shown - 1.0) * wish.decisive,
    )


def _worth(wish: Wish) -> float:
    """Independent decisive pairs that a scenario is worth."""
    return wish.decisive * wish.rollouts / design_effect(wish.rollouts, wish.icc)


def _cost(calls: int, wish: Wish) -> float | None:
    if wish.input_price is None or wish.output_price is None:
        return None
    prices = Prices(input_usd=wish.input_price, output_usd=wish.output_price)
    return round(prices.cost(calls * wish.input_tokens, calls * wish.output_tokens), 2)


def _stopping(planned: Size, wish: Wish, share: float) -> Stopping:
    limit = max(1, planned.decisive_pairs)
    settings: dict[str, Any] = {"alpha": wish.alpha, "family_size": wish.family_size}
    unlimited = stopping_time(share, most=min(_FARTHEST, max(MOST, 2 * limit)), **settings)
    within = stopping_time(share, most=min(_FARTHEST, limit), **settings)

    def judged(decisive_pairs: float) -> int:
        return round(decisive_pairs / _worth(wish)) * wish.rollouts

    low, middle, high = (None if one is None else judged(one) for one in unlimited.quantiles)
    calls = min(planned.calls, judged(within.mean) * ORDERS * wish.judges * wish.comparisons)
    return Stopping(
        mean_pairs=judged(unlimited.mean),
        quantiles=(low, middle, high),
        reached_by_plan=within.reached,
        mean_calls=calls,
        calls_saved=planned.calls - calls,
        mean_cost_usd=_cost(calls, wish),
        unlimited=unlimited,
    )


def describe(found: SizePlan) -> str:
    """The plan in words and tables."""
    parts = [_aim(found), _table(found)]
    if found.stopping is not None:
        parts.append(_stopping_lines(found, found.stopping))
    return "\n\n".join(parts) + "\n"


def _aim(found: SizePlan) -> str:
    size, tests = found.plan, "one test" if found.family_size == 1 else f"each of {found.family_size} tests"
    level = f"power {found.target_power:.0%}, {tests} at {found.alpha_each:.4g}"
    spent = f"{size.calls} judge calls in all{_money(size.cost_usd)}"
    if found.share is None or found.net_win is None or found.exact is None:
        return f"{size.scenarios} scenarios, {size.pairs} pairs a comparison, {spent} ({level}):"
    aim = f"a win share of {found.share:.2%} of decisive pairs (net win {found.net_win:+.1%} of all pairs)"
    needed = f"{found.exact} decisive pairs by the exact sign test, {found.formula} by the normal formula"
    judged = f"{size.scenarios} scenarios, {size.pairs} pairs a comparison"
    share = f"{found.decisive:.0%} of pairs have a winner, design effect {found.design_effect:.2f}"
    return f"To show {aim},\n{level}:\n\n  needed   {needed}\n  judge    {judged} ({share})\n  calls    {spent}"


def _money(cost: float | None) -> str:
    return "" if cost is None else f", about ${cost:,.2f}"


def _table(found: SizePlan) -> str:
    header = ["scenarios", "pairs", "decisive", "calls", "cost", "power", "shows share", "shows net win"]
    rows = [[*_counts(one), *_shown(one)] for one in found.around]
    note = (
        "decisive: what the pairs are worth as independent pairs with a winner. power: chance to show that share.\n"
        f"shows: the smallest win share, and net win, that so many show with power {found.target_power:.0%}."
    )
    return f"{text_table(header, rows, left=0)}\n\n{note}"


def _counts(one: Size) -> list[str]:
    cost = "-" if one.cost_usd is None else f"${one.cost_usd:,.2f}"
    return [str(one.scenarios), str(one.pairs), str(one.decisive_pairs), str(one.calls), cost]


def _shown(one: Size) -> list[str]:
    power = "-" if one.power is None else f"{one.power:.1%}"
    if one.detectable_share is None or one.detectable_net_win is None:
        return [power, "nothing", "nothing"]
    return [power, f"{one.detectable_share:.1%}", f"{one.detectable_net_win:+.1%}"]


def _stopping_lines(found: SizePlan, one: Stopping) -> str:
    quantiles = ", ".join("more" if pairs is None else str(pairs) for pairs in one.quantiles)
    more = "" if one.unlimited.reached > 0.999 else f" (at least: {1 - one.unlimited.reached:.1%} go on for longer)"
    return (
        f"If judging ends as soon as the e-value reaches {found.family_size / found.alpha:g}:\n\n"
        f"  pairs a comparison   {one.mean_pairs} on average{more}; 10, 50, 90% have stopped by {quantiles}\n"
        f"  within the plan      {one.reached_by_plan:.0%} stop early, {one.mean_calls} calls on average"
        f"{_money(one.mean_cost_usd)}: {one.calls_saved} saved"
    )


@click.command(
    epilog="\b\nExample:\n  sage eval plan-size --win-share 0.55 --ties 0.2 --inconsistent 0.1\n"
    "  sage eval plan-size --pairs 2544 --ties 0.35 --family 8"
)
@click.option("--win-share", type=float, help="Share of decisive pairs that the better model wins, for example 0.55.")
@click.option("--net-win", type=float, help="Instead: its wins less its losses as a share of all pairs.")
@click.option("--pairs", type=int, help="Scenarios there are: say what they can show.")
@click.option("--alpha", type=float, default=0.05, show_default=True, help="Chance of any false claim in the family.")
@click.option("--power", type=float, default=0.8, show_default=True, help="Chance to show the difference.")
@click.option("--comparisons", type=int, default=1, show_default=True, help="Pairs of models.")
@click.option("--judges", type=int, default=1, show_default=True, help="Judges of each pair.")
@click.option("--family", type=int, help="Tests claimed together  [default: comparisons times judges].")
@click.option("--ties", type=float, default=0.0, show_default=True, help="Share of pairs that end in a tie.")
@click.option("--inconsistent", type=float, default=0.0, show_default=True, help="Share whose two orders disagree.")
@click.option("--rollouts", type=int, default=1, show_default=True, help="Rollouts a scenario.")
@click.option("--icc", type=float, default=0.0, show_default=True, help="Correlation of rollouts of one scenario.")
@click.option("--sequential", is_flag=True, help="Also: expected pairs if judging stops by e-value; needs a share.")
@click.option("--input-price", type=float, help="USD per million tokens of input.")
@click.option("--output-price", type=float, help="USD per million tokens of output.")
@click.option("--input-tokens", type=int, default=2500, show_default=True, help="Of one call: prompt, two dialogues.")
@click.option("--output-tokens", type=int, default=8, show_default=True, help="Of one call.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def plan_size(as_json: bool, **asked: Any) -> None:
    """Say how many pairs to judge to show a difference, or what so many can show; with calls and money."""
    try:
        wish = Wish(**asked)
    except ValidationError as error:
        raise ConfigError(_complaint(error), next_step="sage eval plan-size --help") from error
    found = plan(wish)
    click.echo(found.to_json() if as_json else describe(found), nl=as_json)


def _complaint(error: ValidationError) -> str:
    """The first fault, by the name of its option."""
    first = error.errors()[0]
    option = "".join(f"--{str(part).replace('_', '-')}: " for part in first["loc"])
    return f"{option}{first['msg'].removeprefix('Value error, ')}"
