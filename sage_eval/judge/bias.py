"""What besides quality may have moved a judge: the seat a dialogue sat in, and its length.

Among inconsistent pairs an unbiased judge favours the first seat as often as the second. A judge that prefers the
shorter dialogue need not be biased, for the paper asks for short replies; but a win should be read beside that figure,
and beside what it would be at equal length. What a judge makes of its own model is in `self_preference`.

Rows of a second asking (`replicate` above 0) take no part; pairs of one scenario belong together in every interval and
test.

    measure(rows)["rubric:warm", "sage0", "sage1"].first_seat_share
    totals(rows)["rubric:warm"].position_test.p
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pyarrow as pa

from sage_eval.judge.shares import clustered_share
from sage_eval.judge.verdict_rows import Row, replicate
from sage_eval.stats import ClusterTest, Interval, LengthAdjusted, SignTest, cluster_test, length_adjusted, sign_test
from sage_eval.stats.result import Result
from sage_eval.verdict import Choice, Verdict

TABLE, TOTALS_TABLE = "judge_bias", "judge_bias_totals"
_SEATS = [
    ("pairs", pa.int64()),
    ("scenarios", pa.int64()),
    ("first_seat_calls", pa.int64()),
    ("second_seat_calls", pa.int64()),
    ("first_seat_share", pa.float64()),
    ("first_seat_low", pa.float64()),
    ("first_seat_high", pa.float64()),
    ("first_seat_pairs", pa.int64()),
    ("second_seat_pairs", pa.int64()),
    ("position_p", pa.float64()),
    ("shorter_wins", pa.int64()),
    ("longer_wins", pa.int64()),
    ("longer_share", pa.float64()),
    ("longer_low", pa.float64()),
    ("longer_high", pa.float64()),
    ("length_p", pa.float64()),
    ("level", pa.float64()),
]
SCHEMA = pa.schema(
    [
        ("judge", pa.string()),
        ("model_a", pa.string()),
        ("model_b", pa.string()),
        *_SEATS,
        ("words_a", pa.float64()),
        ("words_b", pa.float64()),
        ("words_difference", pa.float64()),
        ("adjusted_pairs", pa.int64()),
        ("share_b", pa.float64()),
        ("adjusted_share_b", pa.float64()),
        ("adjusted_low", pa.float64()),
        ("adjusted_high", pa.float64()),
        ("adjusted_p", pa.float64()),
        ("length_coefficient", pa.float64()),
        ("length_coefficient_p", pa.float64()),
        ("adjusted_note", pa.string()),
    ]
)
TOTALS_SCHEMA = pa.schema([("judge", pa.string()), *_SEATS])

Key = tuple[str, str, str]
_K = TypeVar("_K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Bias(Result):
    """One judge on one pair of models, or on all of them."""

    verdicts: Mapping[Verdict, int]
    calls: Mapping[Choice, int]
    """Both orders together."""
    scenarios: int
    first_seat: Interval | None
    """Of `first_seat_share`; None when no call chose a seat."""
    position: SignTest
    """Pairs in which both orders chose the second seat ("A") against those that chose the first ("B")."""
    position_test: ClusterTest
    """The same with each scenario counted once; with one such pair a scenario its p is that of `position`."""
    length: SignTest
    """Decisive pairs won by the dialogue with the longer replies ("A") against the shorter ("B")."""
    length_test: ClusterTest
    """The same with each scenario counted once."""
    longer: Interval | None
    """Of the share of those pairs that the longer won; None without any."""
    words_a: float | None
    """Mean words of a reply of A, averaged over dialogues."""
    words_b: float | None
    words_difference: float | None
    """Mean of words of B - words of A, over the pairs that have both."""
    adjusted: LengthAdjusted
    """B's share of decisive pairs as it would be at equal length. Of no meaning over several pairs of models."""
    level: float

    derived = ("pairs", "first_seat_share", "longer_share")

    @property
    def pairs(self) -> int:
        """Pairs judged, readable or not."""
        return sum(self.verdicts.values())

    @property
    def first_seat_share(self) -> float | None:
        """Share of the calls with a winner that chose the first seat: 0.5 when seats do not matter."""
        decided = self.calls[Choice.FIRST] + self.calls[Choice.SECOND]
        return self.calls[Choice.FIRST] / decided if decided else None

    @property
    def longer_share(self) -> float | None:
        """Share of decisive pairs, equal lengths aside, that the longer dialogue won."""
        return self.length.wins_a / self.length.n if self.length.n else None


def measure(rows: Iterable[Row], *, level: float = 0.95, seed: int = 0) -> dict[Key, Bias]:
    """Measure every (judge, A, B) among pair verdicts, in order of appearance.

    Args:
        rows: of `pair_verdicts`; those of a later asking are passed over.
        level: coverage of the intervals.
        seed: of the sign-flip tests, where they have to draw.
    """
    return {key: _bias(group, level, seed) for key, group in _groups(rows, _key).items()}


def totals(rows: Iterable[Row], *, level: float = 0.95, seed: int = 0) -> dict[str, Bias]:
    """Measure every judge over all its pairs of models; arguments as of `measure`."""
    return {judge: _bias(group, level, seed) for judge, group in _groups(rows, lambda row: str(row["judge"])).items()}


def _key(row: Row) -> Key:
    return row["judge"], row["model_a"], row["model_b"]


def _groups(rows: Iterable[Row], key: Callable[[Row], _K]) -> dict[_K, list[Row]]:
    groups: dict[_K, list[Row]] = {}
    for row in rows:
        if not replicate(row):
            groups.setdefault(key(row), []).append(row)
    return groups


def _bias(rows: Sequence[Row], level: float, seed: int) -> Bias:
    both = [(Choice(row["choice_ab"]), Choice(row["choice_ba"])) for row in rows]
    clusters = [row.get("scenario_id", index) for index, row in enumerate(rows)]
    seats = _scores(clusters, [_seat_score(*pair) for pair in both])
    lengths = _scores(clusters, [_length_score(row) for row in rows])
    return Bias(
        verdicts=Counter(Verdict(row["verdict"]) for row in rows),
        calls=Counter(choice for pair in both for choice in pair),
        scenarios=len(set(clusters)),
        first_seat=clustered_share(_first_seats(clusters, both), level),
        position=_sign_test(seats, level),
        position_test=cluster_test(seats, seed=seed, level=level),
        length=_sign_test(lengths, level),
        length_test=cluster_test(lengths, seed=seed, level=level),
        longer=clustered_share([(one.count(-1.0), len(one)) for one in lengths.values()], level),
        words_a=_mean([row["words_a"] for row in rows]),
        words_b=_mean([row["words_b"] for row in rows]),
        words_difference=_mean([row["words_b"] - row["words_a"] for row in rows if _measured(row)]),
        adjusted=_at_equal_length(rows, clusters, level),
        level=level,
    )


def _seat_score(ab: Choice, ba: Choice) -> float | None:
    """1 where both orders chose the first seat, -1 where both chose the second."""
    return {Choice.FIRST: 1.0, Choice.SECOND: -1.0}.get(ab) if ab is ba else None


def _length_score(row: Row) -> float | None:
    """1 where the shorter dialogue won, -1 where the longer did; None without a winner or a difference in length."""
    if not _decided(row) or row["words_a"] == row["words_b"]:
        return None
    return 1.0 if (row["verdict"] == Verdict.A.value) == (row["words_a"] < row["words_b"]) else -1.0


def _scores(clusters: Sequence[Hashable], scores: Sequence[float | None]) -> dict[Hashable, list[float]]:
    """Cluster -> the scores that there are."""
    found: dict[Hashable, list[float]] = {}
    for cluster, score in zip(clusters, scores, strict=True):
        if score is not None:
            found.setdefault(cluster, []).append(score)
    return found


def _sign_test(scores: Mapping[Hashable, Sequence[float]], level: float) -> SignTest:
    every = Counter(score for group in scores.values() for score in group)
    return sign_test(every[-1.0], every[1.0], level)


def _first_seats(clusters: Sequence[Hashable], both: Sequence[tuple[Choice, Choice]]) -> list[tuple[int, int]]:
    """(calls that chose the first seat, calls that chose a seat) of each cluster."""
    found: dict[Hashable, Counter[Choice]] = {}
    for cluster, pair in zip(clusters, both, strict=True):
        found.setdefault(cluster, Counter()).update(pair)
    return [(one[Choice.FIRST], one[Choice.FIRST] + one[Choice.SECOND]) for one in found.values()]


def _measured(row: Row) -> bool:
    return row["words_a"] is not None and row["words_b"] is not None


def _decided(row: Row) -> bool:
    return Verdict(row["verdict"]).decisive and _measured(row)


def _at_equal_length(rows: Sequence[Row], clusters: Sequence[Hashable], level: float) -> LengthAdjusted:
    decided = [(row, cluster) for row, cluster in zip(rows, clusters, strict=True) if _decided(row)]
    return length_adjusted(
        [row["verdict"] == Verdict.B.value for row, _ in decided],
        [row["words_a"] for row, _ in decided],
        [row["words_b"] for row, _ in decided],
        clusters=[cluster for _, cluster in decided],
        level=level,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def table(found: Mapping[Key, Bias]) -> pa.Table:
    """One row a judge and pair of models."""
    rows = [
        {"judge": judge, "model_a": a, "model_b": b, **_seat_cells(bias), **_length_cells(bias)}
        for (judge, a, b), bias in found.items()
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def totals_table(found: Mapping[str, Bias]) -> pa.Table:
    """One row a judge."""
    return pa.Table.from_pylist(
        [{"judge": judge, **_seat_cells(bias)} for judge, bias in found.items()], schema=TOTALS_SCHEMA
    )


def _seat_cells(bias: Bias) -> dict[str, Any]:
    return {
        "pairs": bias.pairs,
        "scenarios": bias.scenarios,
        "first_seat_calls": bias.calls[Choice.FIRST],
        "second_seat_calls": bias.calls[Choice.SECOND],
        "first_seat_share": bias.first_seat_share,
        **_limits("first_seat", bias.first_seat),
        "first_seat_pairs": bias.position.wins_b,
        "second_seat_pairs": bias.position.wins_a,
        "position_p": bias.position_test.p,
        "shorter_wins": bias.length.wins_b,
        "longer_wins": bias.length.wins_a,
        "longer_share": bias.longer_share,
        **_limits("longer", bias.longer),
        "length_p": bias.length_test.p,
        "level": bias.level,
    }


def _length_cells(bias: Bias) -> dict[str, Any]:
    adjusted = bias.adjusted
    return {
        "words_a": bias.words_a,
        "words_b": bias.words_b,
        "words_difference": bias.words_difference,
        "adjusted_pairs": adjusted.n,
        "share_b": adjusted.share_b,
        "adjusted_share_b": adjusted.adjusted_share_b,
        **_limits("adjusted", adjusted.interval),
        "adjusted_p": adjusted.p,
        "length_coefficient": adjusted.coefficient,
        "length_coefficient_p": adjusted.coefficient_p,
        "adjusted_note": adjusted.reason,
    }


def _limits(name: str, interval: Interval | None) -> dict[str, float | None]:
    low, high = (None, None) if interval is None else (interval.low, interval.high)
    return {f"{name}_low": low, f"{name}_high": high}
