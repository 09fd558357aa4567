"""Does a judge favour its own model, or one it shares an ancestor with?

A judge's own model may win because it is better. So its score under that judge is set against its score under the other
judges, on the same pairs of dialogues: what is left over is the judge's own. With one judge nothing can be said.

    measure(rows, models={"sage0": Origin({"hf:base"}), "sage1": Origin({"hf:tuned"}, {"hf:base"})})
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pyarrow as pa

from sage_eval.judge.verdict_rows import Row, replicate, unit
from sage_eval.stats import Interval, cluster_test
from sage_eval.stats.result import Result
from sage_eval.verdict import Verdict

TABLE = "judge_self_preference"
SCHEMA = pa.schema(
    [
        ("judge", pa.string()),
        ("own_model", pa.string()),
        ("relation", pa.string()),
        ("others", pa.string()),
        ("pairs", pa.int64()),
        ("scenarios", pa.int64()),
        ("own_score", pa.float64()),
        ("others_score", pa.float64()),
        ("difference", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("p", pa.float64()),
        ("note", pa.string()),
        ("level", pa.float64()),
        ("seed", pa.int64()),
    ]
)


class Relation(StrEnum):
    """What a judge has to do with a model that it judges."""

    SAME = "same model"
    LINEAGE = "shared lineage"
    """One was trained from the other, or both from a third."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a model is, and what it was made from."""

    identities: Collection[str]
    """Its identity; several where its dialogues name several."""
    ancestors: Collection[str] = ()
    """Identities of the models it was trained from."""

    def relation(self, other: Origin) -> Relation | None:
        """What the two have to do with each other; None: nothing that is known."""
        if {*self.identities} & {*other.identities}:
            return Relation.SAME
        shared = {*self.identities, *self.ancestors} & {*other.identities, *other.ancestors}
        return Relation.LINEAGE if shared else None


@dataclass(frozen=True, slots=True)
class SelfPreference(Result):
    """One judge and one model that is its own.

    Scores are shares of wins, with half of what neither won (ties and inconsistent pairs), 0 to 1, each scenario
    counted once; pairs that failed under the judge, or under all others, are left out.
    """

    judge: str
    own_model: str | None
    """None when no candidate is the judge's own."""
    relation: Relation | None
    others: tuple[str, ...]
    """Judges compared with: those with no relation to either model of a pair."""
    pairs: int
    scenarios: int
    own_score: float | None
    """Of the own model against others, under this judge."""
    others_score: float | None
    """The same under the other judges, averaged."""
    difference: float | None
    """Above 0 the judge is kinder to its own model than others are."""
    interval: Interval | None
    """Of `difference`."""
    p: float | None
    """Two-sided sign-flip test of "no difference"."""
    note: str | None
    """Why something is not measurable."""
    level: float
    seed: int


@dataclass(frozen=True, slots=True)
class _Scored:
    """One pair of dialogues in which the own model meets another."""

    cluster: Hashable
    own: float
    """Of the own model under its judge, -1 to 1."""
    others: Mapping[str, float]
    """Other judge -> the same under it."""


def measure(
    rows: Iterable[Row],
    *,
    models: Mapping[str, Origin],
    judges: Mapping[str, Origin] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> list[SelfPreference]:
    """Compare each judge with the others on the pairs of its own models; a judge without one gets a row that says so.

    Args:
        rows: of `pair_verdicts`; those of a later asking are passed over.
        models: candidate's name -> what it is; a name that is missing is taken to be unrelated, and the row says so.
        judges: judge's name -> what it is; a judge left out is taken to be what its rows' `judge_model` says.
        level: coverage of the intervals.
        seed: of the sign-flip tests, where they have to draw.
    """
    first = [row for row in rows if not replicate(row)]
    known = _Relations(models, _judges(first, judges or {}))
    names = list(dict.fromkeys(name for row in first for name in (row["model_a"], row["model_b"])))
    unknown = [name for name in names if name not in models]
    found: list[SelfPreference] = []
    for judge in known.judges:
        own = [(name, relation) for name in names if (relation := known.between(judge, name))]
        scored = {name: list(_scored(judge, name, first, known)) for name, _ in own}
        found.extend(_compared(judge, *one, scored[one[0]], known, level, seed) for one in own)
        if not own:
            found.append(_unrelated(judge, unknown, level, seed))
    return found


def _judges(rows: Sequence[Row], given: Mapping[str, Origin]) -> dict[str, Origin]:
    answered: dict[str, set[str]] = {}
    for row in rows:
        answered.setdefault(row["judge"], set()).add(row["judge_model"])
    return {name: given.get(name) or Origin(identities) for name, identities in answered.items()}


@dataclass(frozen=True, slots=True)
class _Relations:
    """Which judge has to do with which model."""

    models: Mapping[str, Origin]
    judges: Mapping[str, Origin]

    def between(self, judge: str, name: str) -> Relation | None:
        """What a judge has to do with a candidate; None: nothing that is known."""
        return self.judges[judge].relation(self.models[name]) if name in self.models else None

    def impartial(self, row: Row) -> bool:
        """True when the row's judge has nothing to do with either model."""
        return not any(self.between(row["judge"], row[side]) for side in ("model_a", "model_b"))


def _scored(judge: str, own: str, rows: Sequence[Row], known: _Relations) -> Iterator[_Scored]:
    """The pairs in which `own` meets a model that is not the judge's, as this judge and impartial others saw them."""
    others: dict[Hashable, dict[str, float]] = {}
    for row in rows:
        score = Verdict(row["verdict"]).score
        if score is not None and known.impartial(row):
            others.setdefault(unit(row), {})[row["judge"]] = score
    for row in rows:
        pair = [row["model_a"], row["model_b"]]
        score = Verdict(row["verdict"]).score
        if row["judge"] != judge or own not in pair or score is None:
            continue
        if all(known.between(judge, name) for name in pair):
            continue
        side = 1.0 if own == row["model_b"] else -1.0
        heard = {name: side * one for name, one in others.get(unit(row), {}).items()}
        yield _Scored(row["scenario_id"], side * score, heard)


def _compared(
    judge: str, own: str, relation: Relation, scored: Sequence[_Scored], known: _Relations, level: float, seed: int
) -> SelfPreference:
    both = [one for one in scored if one.others]
    # The one judge's score is shown although there is nothing to compare it with.
    counted = both or scored
    apart = cluster_test(
        _by_cluster((one.cluster, (one.own - _mean(one.others)) / 2.0) for one in both), seed=seed, level=level
    )
    return SelfPreference(
        judge=judge,
        own_model=own,
        relation=relation,
        others=tuple(sorted({name for one in both for name in one.others})),
        pairs=len(counted),
        scenarios=len({one.cluster for one in counted}),
        own_score=_half_tie((one.cluster, one.own) for one in counted),
        others_score=_half_tie((one.cluster, _mean(one.others)) for one in both),
        difference=apart.mean,
        interval=apart.interval,
        p=apart.p,
        note=_why_not(scored, both, known),
        level=level,
        seed=seed,
    )


def _why_not(scored: Sequence[_Scored], both: Sequence[_Scored], known: _Relations) -> str | None:
    if both:
        return None
    if len(known.judges) == 1:
        return "not measurable: one judge"
    if not scored:
        return "not measurable: no readable verdict on its own model against another"
    return "not measurable: no judge without a relation to the models has a verdict on these pairs"


def _unrelated(judge: str, unknown: Sequence[str], level: float, seed: int) -> SelfPreference:
    note = "none of the models is the judge's own"
    if unknown:
        note = f"not measurable: it is not known what model {', '.join(unknown)} is"
    return SelfPreference(judge, None, None, (), 0, 0, None, None, None, None, None, note, level, seed)


def _mean(others: Mapping[str, float]) -> float:
    return sum(others.values()) / len(others)


def _by_cluster(scores: Iterable[tuple[Hashable, float]]) -> dict[Hashable, list[float]]:
    found: dict[Hashable, list[float]] = {}
    for cluster, score in scores:
        found.setdefault(cluster, []).append(score)
    return found


def _half_tie(scores: Iterable[tuple[Hashable, float]]) -> float | None:
    """Share of wins with half of what neither won: the mean over clusters of their means."""
    means = [sum(group) / len(group) for group in _by_cluster(scores).values()]
    return (1.0 + sum(means) / len(means)) / 2.0 if means else None


def table(found: Sequence[SelfPreference]) -> pa.Table:
    """One row a judge and model of its own, or a judge without one."""
    return pa.Table.from_pylist([_row(one) for one in found], schema=SCHEMA)


def _row(one: SelfPreference) -> dict[str, Any]:
    cells = {name: getattr(one, name) for name in SCHEMA.names if name not in ("relation", "others", "low", "high")}
    low, high = (None, None) if one.interval is None else (one.interval.low, one.interval.high)
    relation = None if one.relation is None else one.relation.value
    return {**cells, "relation": relation, "others": ", ".join(one.others), "low": low, "high": high}
