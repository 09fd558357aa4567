"""Ratings as a text to read.

print(summary(rated))
"""

from __future__ import annotations

from collections.abc import Sequence

from sage_eval.ratings.rated import Rated
from sage_eval.ratings.verdicts import Ties
from sage_eval.stats.davidson import ComponentFit, ModelRating, PairRating
from sage_eval.tables import show_interval, show_p, text_table
from sage_eval.verdict import Verdict

_MODELS = ("model", "group", "rank", "strength", "interval", "Elo", "wins", "ties", "losses", "incons.", "failed")
_PAIRS = ("A", "B", "B - A", "interval", "p", "Holm", "n", "share of B", "expected")


def summary(found: Sequence[Rated]) -> str:
    """All judges, one after another, and how to read the figures."""
    return "\n".join([*(_one(rated) for rated in found), _note(found[0])])


def _one(rated: Rated) -> str:
    rating = rated.rating
    judged = rated.judged
    head = (
        f"Judge {rated.judge}: {rating.games} of {len(judged.rows)} verdicts count, "
        f"on {rating.clusters} of {judged.scenarios} scenarios"
    )
    models = [_model_cells(rated, one) for one in rating.models]
    models += [_unrated_cells(rated, name) for name in rating.unrated]
    parts = [
        head,
        text_table(_MODELS, models, left=2),
        text_table(_PAIRS, [_pair_cells(one) for one in rating.pairs], left=2),
        "\n".join([*(_fit_line(one) for one in rating.fits), *_remarks(rated)]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _model_cells(rated: Rated, one: ModelRating) -> tuple[str, ...]:
    interval = one.interval
    return (
        one.model,
        one.letters if len(rated.rating.fits) == 1 else f"{one.component}:{one.letters}",
        str(one.rank_low) if one.rank_low == one.rank_high else f"{one.rank_low}-{one.rank_high}",
        f"{one.strength:+.3f}",
        "-" if interval is None else show_interval(interval.low, interval.high, "+.3f"),
        f"{one.elo:.0f}",
        str(one.wins),
        str(one.ties),
        str(one.losses),
        *_excluded(rated, one.model),
    )


def _unrated_cells(rated: Rated, name: str) -> tuple[str, ...]:
    return (name, "unrated", "-", "-", "-", "-", "0", "0", "0", *_excluded(rated, name))


def _excluded(rated: Rated, name: str) -> tuple[str, str]:
    states = rated.judged.states(name)
    return str(states[Verdict.INCONSISTENT]), str(states[Verdict.MALFORMED] + states[Verdict.ERROR])


def _pair_cells(one: PairRating) -> tuple[str, ...]:
    interval = one.interval
    return (
        one.model_a,
        one.model_b,
        "-" if one.difference is None else f"{one.difference:+.3f}",
        "-" if interval is None else show_interval(interval.low, interval.high, "+.3f"),
        show_p(one.p),
        show_p(one.p_holm),
        str(one.n),
        _share(one.share_b),
        _share(one.expected_share_b),
    )


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.3f}"


def _fit_line(one: ComponentFit) -> str:
    goodness = one.goodness
    ties = f"Tie parameter {one.tie_parameter:.3f}. "
    if goodness.df == 0:
        return f"{ties}Fit of {', '.join(one.models)}: nothing left to test."
    thin = " (some expected counts are below 5)" if goodness.smallest_expected < 5 else ""
    return (
        f"{ties}Fit of {', '.join(one.models)}: deviance {goodness.deviance:.1f} on {goodness.df} df, "
        f"p = {show_p(goodness.p)} by bootstrap over scenarios{thin}."
    )


def _remarks(rated: Rated) -> list[str]:
    rating = rated.rating
    lines = [f"Cycle: {cycle}" for cycle in rating.cycles]
    lines += [f"{name}: {rated.judged.why_unrated(name)}" for name in rating.unrated]
    return lines + [f"Note: {message}." for message in rating.warnings]


def _note(rated: Rated) -> str:
    rating = rated.rating
    origin = f"{rating.anchor} has strength 0" if rating.anchor else "strengths add up to 0"
    ties = "inconsistent pairs count as ties" if rated.ties is Ties.TIE_INCONSISTENT else "inconsistent pairs excluded"
    plan = f"\nAnalysis plan {rated.plan_hash}." if rated.plan_hash else ""
    return (
        f"Bradley-Terry with ties (Davidson): strength is the log-odds of a win against a loss, {origin};\n"
        f"Elo is 1000 + 400 log10 of the odds. {rating.level:.0%} intervals from {rating.resamples} resamples of "
        f"scenarios;\n{ties}; prior of {rating.prior:g} wins a strength. Models that share a group letter\n"
        f"could not be told apart; groups and ranks hold at once at alpha = {rating.alpha:g} (score tests, of two\n"
        f"models alone sign flips; Holm over the pairs of a judge).{plan}\n"
    )
