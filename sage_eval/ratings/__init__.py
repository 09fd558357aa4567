"""Rates many models from pair verdicts: strengths with intervals, significance groups, differences, fit and cycles.

Each judge is rated by itself, and so is the panel where there is one. The model is Bradley and Terry's with ties after
Davidson; scenarios are resampled as a whole, with every pair and sample in them. Claims (groups, ranks, cycles) are
adjusted over all pairs of models of one judge. Unreadable verdicts are excluded and counted; inconsistent ones too,
unless `ties` says otherwise. Replicates rate nothing: they are repeats of the same pair.

    sage eval ratings judged/ --out ratings/
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from sage_data.errors import ConfigError
from sage_data.stage import SUMMARY, Context, Counts, Inputs, Need, Output, StageConfig, derive_seed
from sage_eval.evidence import doubts
from sage_eval.plan import AnalysisPlan, StoppingRule, departures, hashes, read_plan, settled
from sage_eval.ratings.chart import chart
from sage_eval.ratings.rated import Rated
from sage_eval.ratings.tables import fit_table, model_table, pair_table
from sage_eval.ratings.text import summary
from sage_eval.ratings.verdicts import Judged, Ties, pooled, read_verdicts
from sage_eval.stats.davidson import Games, RatingSettings, rate
from sage_eval.verdict import Verdict

VERSION = 2
INPUTS = (Need("verdicts", "folders of pair verdicts", many=True),)
MODELS, PAIRS, FITS = "ratings", "rating_pairs", "rating_fit"
DEFAULT_ALPHA = 0.05


class Config(StageConfig):
    """How the models are rated."""

    ties: Ties = Field(
        Ties.TIE,
        description="Verdicts that count as ties. Inconsistent ones say that the seat decided, so they do not.",
    )
    pooled: bool = Field(
        False, description="Also rate all judges' verdicts together; those on one scenario stay one cluster."
    )
    anchor: str | None = Field(None, description="Model whose strength is 0; by default strengths add up to 0.")
    alpha: float | None = Field(
        None,
        gt=0.0,
        lt=1.0,
        description="Chance of any false claim over the pairs of one judge; by default the analysis plan's, or .05.",
    )
    level: float = Field(0.95, gt=0.0, lt=1.0, description="Coverage of each interval.")
    prior: float = Field(
        0.5,
        gt=0.0,
        description="Wins added to either side for each strength to estimate, spread over the compared pairs.",
    )
    resamples: int = Field(2000, ge=100, description="Bootstrap resamples of the scenarios.")


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write the tables `ratings`, `rating_pairs` and `rating_fit`, their summary and a chart.

    Raises:
        ConfigError: the plans of the folders differ in alpha and none is given, or the anchor is unknown.
        InputError: there are no verdicts, or they are mixed up (see `read_verdicts`).
    """
    folders = [one.path for one in inputs.many("verdicts")]
    judged, repeats = read_verdicts(folders)
    plans = [plan for folder in folders if (plan := read_plan(folder)) is not None]
    alpha = settled("alpha", config.alpha, plans, DEFAULT_ALPHA)
    plan_hash = hashes(plans)
    listed = [*judged, pooled(judged)] if config.pooled else judged
    _check_anchor(config, listed)
    with context.progress("ratings", total=len(listed), unit="judges") as bar:
        found = []
        for one in listed:
            found.append(_rated(one, config, alpha, plan_hash, context.seed))
            bar.advance(1)
    out.write_shard(MODELS, 0, model_table(found), counts=_counts(judged, repeats, config.ties))
    out.write_shard(PAIRS, 0, pair_table(found))
    out.write_shard(FITS, 0, fit_table(found))
    out.write_text(SUMMARY, summary(found))
    out.write_text("ratings.svg", chart(found))
    for doubt in doubts({one.judge: one.rows for one in judged}):
        out.warn(doubt)
    _warn(out, found, alpha, plans)


def _rated(judged: Judged, config: Config, alpha: float, plan_hash: str | None, seed: int) -> Rated:
    settings = RatingSettings(config.level, alpha, config.prior, config.anchor, config.resamples)
    games = Games.of(judged.games(config.ties), judged.models)
    rating = rate(games, settings, seed=derive_seed(seed, "ratings", judged.judge))
    return Rated(judged, rating, config.ties, plan_hash)


def _check_anchor(config: Config, judged: Sequence[Judged]) -> None:
    for one in judged:
        if config.anchor is not None and config.anchor not in one.models:
            raise ConfigError(
                f"the anchor {config.anchor} is not among the models of judge {one.judge}: {', '.join(one.models)}",
                next_step="give --anchor one of them, or leave it out",
            )


def _counts(judged: Sequence[Judged], repeats: int, ties: Ties) -> Counts:
    verdicts = [Verdict(row["verdict"]) for one in judged for row in one.rows]
    states = [Verdict.MALFORMED, Verdict.ERROR] + ([Verdict.INCONSISTENT] if ties is Ties.TIE else [])
    dropped = {state.value: verdicts.count(state) for state in states} | {"repeat": repeats}
    dropped = {reason: count for reason, count in dropped.items() if count}
    came_in = len(verdicts) + repeats
    return Counts(
        unit="verdicts", came_in=came_in, kept=came_in - sum(dropped.values()), dropped=dropped, quarantined=0
    )


def _warn(out: Output, found: Sequence[Rated], alpha: float, plans: Sequence[AnalysisPlan]) -> None:
    for one in found:
        for message in one.rating.warnings:
            out.warn(f"{one.judge}: {message}")
    for message in departures("alpha", alpha, plans):
        out.warn(message)
    if any(plan.stopping is StoppingRule.E_VALUE for plan in plans):
        out.warn(
            "the analysis plan let judging stop on its results: strengths lean towards who led then, and intervals, "
            "p, groups and ranks do not hold at their levels; claim with sage eval significance, by the e-value"
        )
