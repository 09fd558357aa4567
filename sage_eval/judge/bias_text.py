"""The bias of judges as a text to read: seat, length, own model.

print(summary(bias.measure(rows), bias.totals(rows), self_preference.measure(rows, models=models)))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sage_eval.judge.bias import Bias, Key
from sage_eval.judge.self_preference import SelfPreference
from sage_eval.stats import Interval
from sage_eval.tables import show_interval, show_p, text_table
from sage_eval.verdict import Choice

_ALL = ("all", "pairs")
_SEAT = ("judge", "A", "B", "1st", "2nd", "1st share", "interval", "both 1st", "both 2nd", "p")
_LENGTH = ("judge", "A", "B", "words A", "words B", "longer won", "p", "B's share", "at equal length")
_OWN = ("judge", "own model", "relation", "pairs", "own", "others", "difference", "p")


def summary(pairs: Mapping[Key, Bias], totals: Mapping[str, Bias], own: Sequence[SelfPreference]) -> str:
    """Three tables, each with how to read it."""
    every = [*pairs.items(), *(((judge, *_ALL), total) for judge, total in totals.items())]
    parts = [
        "Seat: calls that chose the dialogue shown first or second, and pairs whose two calls both did.",
        text_table(_SEAT, [(*key, *_seat(one)) for key, one in every], left=3),
        "An unbiased judge has a first share of 50% and as many pairs of one kind as of the other (p: of that).",
        "Length: mean words of a reply, and what the result would be between dialogues of equal length.",
        text_table(_LENGTH, [(*key, *_length(one)) for key, one in pairs.items()], left=3),
        "\n".join(_notes(pairs)),
        "Own model: its score (wins and half of ties) under its judge, and under the others on the same pairs.",
        text_table(_OWN, rows, left=3) if (rows := [_own(one) for one in own if one.own_model]) else "",
        "\n".join(f"{one.judge}: {one.note}." for one in own if one.note),
        "Intervals and p take the pairs of one scenario together.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _seat(one: Bias) -> tuple[str, ...]:
    return (
        str(one.calls[Choice.FIRST]),
        str(one.calls[Choice.SECOND]),
        _share(one.first_seat_share),
        _interval(one.first_seat),
        str(one.position.wins_b),
        str(one.position.wins_a),
        show_p(one.position_test.p),
    )


def _length(one: Bias) -> tuple[str, ...]:
    adjusted = one.adjusted
    limits = "" if adjusted.interval is None else f" {_interval(adjusted.interval)}"
    return (
        *("-" if words is None else f"{words:.1f}" for words in (one.words_a, one.words_b)),
        f"{one.length.wins_a} of {one.length.n}",
        show_p(one.length_test.p),
        _share(adjusted.share_b),
        f"{_share(adjusted.adjusted_share_b)}{limits}",
    )


def _notes(pairs: Mapping[Key, Bias]) -> list[str]:
    return [
        f"{judge}, {a} and {b}: no result at equal length ({one.adjusted.reason})."
        for (judge, a, b), one in pairs.items()
        if one.adjusted.reason
    ]


def _own(one: SelfPreference) -> tuple[str, ...]:
    difference = "-" if one.difference is None else f"{one.difference:+.0%}"
    limits = "" if one.interval is None else f" {show_interval(one.interval.low, one.interval.high, '+.0%')}"
    return (
        one.judge,
        one.own_model or "-",
        "-" if one.relation is None else one.relation.value,
        str(one.pairs),
        _share(one.own_score),
        _share(one.others_score),
        f"{difference}{limits}",
        show_p(one.p),
    )


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _interval(interval: Interval | None) -> str:
    return "-" if interval is None else show_interval(interval.low, interval.high, ".0%")
