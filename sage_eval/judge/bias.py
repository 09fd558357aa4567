"""What besides quality may have moved a judge: the seat a dialogue sat in, and its length.

Among inconsistent pairs an unbiased judge favours the first seat as often as the second. A judge that prefers the
shorter dialogue need not be biased, for the paper asks for short replies; but a win should be read beside that figure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from sage_eval.stats import SignTest, sign_test
from sage_eval.verdict import Choice, Verdict

TABLE = "judge_bias"
SCHEMA = pa.schema(
    [
        ("judge", pa.string()),
        ("model_a", pa.string()),
        ("model_b", pa.string()),
        ("pairs", pa.int64()),
        ("first_seat_calls", pa.int64()),
        ("second_seat_calls", pa.int64()),
        ("first_seat_share", pa.float64()),
        ("first_seat_pairs", pa.int64()),
        ("second_seat_pairs", pa.int64()),
        ("position_p", pa.float64()),
        ("words_a", pa.float64()),
        ("words_b", pa.float64()),
        ("shorter_wins", pa.int64()),
        ("longer_wins", pa.int64()),
        ("length_p", pa.float64()),
    ]
)

Key = tuple[str, str, str]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bias:
    """One judge on one pair of models."""

    verdicts: Mapping[Verdict, int]
    calls: Mapping[Choice, int]
    """Both orders together."""
    position: SignTest
    """Pairs in which both orders chose the second seat ("A") against those that chose the first ("B")."""
    length: SignTest
    """Decisive pairs won by the dialogue with the longer replies ("A") against the shorter ("B")."""
    words_a: float | None
    """Mean words of a reply of A, averaged over dialogues."""
    words_b: float | None

    @property
    def pairs(self) -> int:
        """Pairs judged, readable or not."""
        return sum(self.verdicts.values())

    @property
    def first_seat_share(self) -> float | None:
        """Share of the calls with a winner that chose the first seat: 0.5 when seats do not matter."""
        decided = self.calls[Choice.FIRST] + self.calls[Choice.SECOND]
        return self.calls[Choice.FIRST] / decided if decided else None


def measure(rows: Iterable[Row]) -> dict[Key, Bias]:
    """Measure every (judge, A, B) among pair verdicts, in order of appearance."""
    groups: dict[Key, list[Row]] = {}
    for row in rows:
        groups.setdefault((row["judge"], row["model_a"], row["model_b"]), []).append(row)
    return {key: _bias(group) for key, group in groups.items()}


def _bias(rows: Sequence[Row]) -> Bias:
    both = Counter((Choice(row["choice_ab"]), Choice(row["choice_ba"])) for row in rows)
    longer = Counter(filter(None, map(_won_by, rows)))
    return Bias(
        verdicts=Counter(Verdict(row["verdict"]) for row in rows),
        calls=Counter(choice for pair, count in both.items() for choice in pair for _ in range(count)),
        position=sign_test(both[Choice.SECOND, Choice.SECOND], both[Choice.FIRST, Choice.FIRST]),
        length=sign_test(longer["longer"], longer["shorter"]),
        words_a=_mean([row["words_a"] for row in rows]),
        words_b=_mean([row["words_b"] for row in rows]),
    )


def _won_by(row: Row) -> str | None:
    """Whether the longer or the shorter dialogue won; None without a winner, both lengths, or a difference."""
    verdict, words_a, words_b = Verdict(row["verdict"]), row["words_a"], row["words_b"]
    if not verdict.decisive or words_a is None or words_b is None or words_a == words_b:
        return None
    winner, loser = (words_a, words_b) if verdict is Verdict.A else (words_b, words_a)
    return "longer" if winner > loser else "shorter"


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def table(found: Mapping[Key, Bias]) -> pa.Table:
    """One row a judge and pair of models."""
    return pa.Table.from_pylist([_row(key, bias) for key, bias in found.items()], schema=SCHEMA)


def _row(key: Key, bias: Bias) -> dict[str, Any]:
    return {
        **dict(zip(("judge", "model_a", "model_b"), key, strict=True)),
        "pairs": bias.pairs,
        "first_seat_calls": bias.calls[Choice.FIRST],
        "second_seat_calls": bias.calls[Choice.SECOND],
        "first_seat_share": bias.first_seat_share,
        "first_seat_pairs": bias.position.wins_b,
        "second_seat_pairs": bias.position.wins_a,
        "position_p": bias.position.p,
        "words_a": bias.words_a,
        "words_b": bias.words_b,
        "shorter_wins": bias.length.wins_b,
        "longer_wins": bias.length.wins_a,
        "length_p": bias.length.p,
    }
