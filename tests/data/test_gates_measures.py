"""What counts as a word and as a question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_data.gates.measures import ends_with_question, words


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), (" \n", 0), ("one", 1), ("well , fine?", 3), ("a\u00a0b\u2003c\x1fd", 4), ("don't re-do https://a.b", 3)],
)
def test_words_are_cut_at_unicode_white_space(text: str, count: int) -> None:
    assert words(text) == count


@pytest.mark.parametrize(
    "text",
    [
        "Really?",
        "Really? \n\t\u00a0",
        'She said "really?"',
        "“Really?”",
        "«Really?»",
        "(really?)",
        "[really?]",
        "*Really?*",
        "**_Really?_**",
        "`really?`",
        "Really??",
        "Really?!",
        "Really!?",
        "Really?!!!",
        "本当？",
        "本当？」",
        "حقا؟",
        "Really‽",
        "Really⁉",
        "Really? 🎉",
        "Really?🤷🏽‍♀️",
        "Really? ❤️ ",
        "Really? 🇫🇷",
        "Really? :)",
        "Really?:-)",
        "Really? ;P \n",
        "Really? <3",
        "Really? ^_^",
        "Really? xD",
        '("Really? 🎉") ',
        "?",
        "Really❓",
        "Really?❗",
        "Really ❔ ",
        "Πράγματι\u037e",
        ">!Really?!<",
        "Really? (:",
        "Really? -_-",
        "Really? o_O",
        "Really? T_T",
        "*Really?*\u200b",
    ],
)
def test_questions(text: str) -> None:
    assert ends_with_question(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "Really.",
        "Really!",
        "Really?...",
        "Really? Yes",
        "Really? (yes)",
        "How many? 83",
        "How often? x3",
        "Is it? I mean it.",
        "🎉",
        ":)",
        '"',
        "!!!",
        "http://a.b/?q=1",
        "Really? \u200bno",
        "❗",
        ">!Really!<",
        "Really < 3",
        "Is it? yes-",
        "Is it? foo_o",
    ],
)
def test_no_questions(text: str) -> None:
    assert not ends_with_question(text)


@given(st.text(st.sampled_from('a ?!.:)(<"*_-oT3\u200b🎉❓？'), max_size=12))
def test_the_quick_way_out_changes_nothing(text: str) -> None:
    # A full-width letter in front makes the text non-ASCII, so that it is looked at to the end.
    assert ends_with_question("a " + text) == ends_with_question("\uff41 " + text)


def test_long_tails_take_no_time() -> None:
    assert ends_with_question("?" + ") " * 50_000)
    assert not ends_with_question("a" + "!" * 50_000)
