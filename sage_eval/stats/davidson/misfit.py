"""Says in words that one strength a model does not describe the verdicts, and where they part most.

misfits(rating.pairs, rating.fits, alpha=0.05)
"""

from __future__ import annotations

from collections.abc import Sequence

from sage_eval.stats.davidson.results import ComponentFit, PairRating
from sage_eval.tables import show_p


def misfits(pairs: Sequence[PairRating], fits: Sequence[ComponentFit], alpha: float) -> list[str]:
    """One sentence for every component that the model does not fit at `alpha`, with the pair that is worst."""
    found = []
    for fit in fits:
        p = fit.goodness.p
        inside = [one for one in pairs if {one.model_a, one.model_b} <= set(fit.models) and one.n]
        if p is None or p >= alpha or not inside:
            continue
        worst = max(inside, key=_away)
        found.append(
            f"one strength a model does not describe the verdicts on {', '.join(fit.models)} (p = {show_p(p)}), so "
            f"that strengths and ranks are a poor summary; worst is {_said(worst)}"
        )
    return found


def _outcomes(one: PairRating) -> list[tuple[str, int, float]]:
    """(what, observed, expected) of the three outcomes."""
    ties, share = one.expected_tie_share or 0.0, one.expected_share_b or 0.0
    return [
        (f"{one.model_a} won", one.wins_a, one.n * (1.0 - ties) * (1.0 - share)),
        ("ties were", one.ties, one.n * ties),
        (f"{one.model_b} won", one.wins_b, one.n * (1.0 - ties) * share),
    ]


def _away(one: PairRating) -> float:
    """Pearson's statistic of one pair."""
    return sum((seen - expected) ** 2 / expected for _, seen, expected in _outcomes(one) if expected > 1e-12)


def _said(one: PairRating) -> str:
    parts = [f"{what} {seen}, expected {expected:.1f}" for what, seen, expected in _outcomes(one) if seen or expected]
    return f"{one.model_a} against {one.model_b}, {one.n} verdicts: {'; '.join(parts)}"
