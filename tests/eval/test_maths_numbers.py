"""Which numbers a text holds: golden cases by hand, and what was written is read back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_eval.maths.numbers import as_number, numbers, spelt

SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = {2: "twenty", 3: "thirty", 4: "forty", 5: "fifty", 6: "sixty", 7: "seventy", 8: "eighty", 9: "ninety"}
FRAMES = ("It is {}.", "${} in all!", "so: {}", "{}\n", "**{}**")


def say(value: int) -> str:
    """A whole number below a million in words, by another way than the parser's."""
    if value < 20:
        return SMALL[value]
    if value < 100:
        tens, unit = divmod(value, 10)
        return TENS[tens] + (f"-{SMALL[unit]}" if unit else "")
    if value < 1000:
        hundreds, rest = divmod(value, 100)
        return f"{SMALL[hundreds]} hundred" + (f" and {say(rest)}" if rest else "")
    thousands, rest = divmod(value, 1000)
    return f"{say(thousands)} thousand" + (f" {'and ' if rest < 100 else ''}{say(rest)}" if rest else "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sure! 16 - 3 - 4 = 9, so she sells nine.", [16, 3, 4, 9, 9]),
        ("$1,200.50, 20% and 5km", [Decimal("1200.50"), 20, 5]),
        ("That's 18.", [18]),
        ("It is -7 degrees, 5-3 is 2", [-7, 5, 3, 2]),
        ("It is \u22127.", [-7]),
        ("(12)", [12]),
        ("x3, 2nd, 1/2, 3:30, 1.2.3, 12,5", []),
        ("two hundred and five", [205]),
        ("a hundred and twenty-one thousand", [121000]),
        ("three thousand four hundred", [3400]),
        ("two three", [2, 3]),
        ("that one, and one more", []),
        ("twenty one", [21]),
        ("Seventy\u2013two?", [72]),
        ("someone tends to often", []),
        ("\u0663\u0664", [34]),
        ("no number here :)", []),
        ("= 1,234,567.", [1234567]),
        ("1,23", []),
        ("10,000 people and 10, 20", [10000, 10, 20]),
    ],
)
def test_golden(text, expected):
    assert numbers(text) == [Decimal(one) for one in expected]


@given(
    st.integers(0, 10**9),
    st.integers(0, 999),
    st.sampled_from(FRAMES),
)
def test_figures_are_read_back(whole, part, frame):
    for written in (f"{whole}", f"{whole:,}", f"{whole:,}.{part:03d}"):
        assert numbers(frame.format(written)) == [Decimal(written.replace(",", ""))]


@given(st.integers(0, 999_999))
def test_words_are_read_back(value):
    assert spelt(say(value)) == ([] if value == 1 else [value])


@given(st.integers(2, 999_999))
def test_words_in_a_sentence_are_read_back(value):
    assert numbers(f"She has {say(value)} of them.") == [Decimal(value)]


@given(st.text())
def test_any_text_can_be_read_and_every_number_is_finite(text):
    assert all(one.is_finite() for one in numbers(text))


@given(st.lists(st.integers(2, 10**6), max_size=5))
def test_several_figures_keep_their_order(values):
    assert numbers(", ".join(f"{value} eggs" for value in values)) == [Decimal(value) for value in values]


def test_a_whole_text_is_one_number_or_none():
    assert as_number(" 1,200 ") == 1200
    assert as_number("3 or 4") is None
    assert as_number("many") is None
