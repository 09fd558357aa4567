"""Each gate on both sides of its edge, and the order of reasons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_data.errors import ConfigError, InputError
from sage_data.gates import checks
from sage_data.gates.blocked import BlockedPhrases, read_phrases
from sage_data.gates.checks import first_reason
from sage_data.gates.frequent import COMMON_WORDS, has_common_word
from sage_data.gates.language import load_identifier
from sage_data.gates.order import Tools, gates_in_order
from sage_data.gates.thresholds import Thresholds
from sage_data.reddit.reasons import DialogueReason

R = DialogueReason
OPEN = Thresholds(
    min_turns_exclusive=None, min_mean_words_exclusive=None, need_question=False, min_compound_exclusive=None
)
WORDS = ["one two three four"]


def of_lengths(*lengths: int, end: str = "?") -> list[str]:
    return [" ".join(["word"] * length) + end for length in lengths]


def spelled(word: str) -> tuple[str, float]:
    """A stand-in for the language classifier: "en" with the probability the text names."""
    return ("en", float(word)) if word[0].isdigit() else ("de", 1.0)


@pytest.mark.parametrize(
    ("gate", "kept", "dropped", "reason"),
    [
        (lambda t: checks.too_few_turns(t, 4), ["a"] * 5, ["a"] * 4, R.TOO_FEW_TURNS),
        (lambda t: checks.too_many_turns(t, 5), ["a"] * 5, ["a"] * 6, R.TOO_MANY_TURNS),
        (lambda t: checks.too_short_utterances(t, 15), of_lengths(1, 30), of_lengths(1, 29), R.TOO_SHORT_UTTERANCES),
        (lambda t: checks.too_short_utterances(t, 15.5), of_lengths(16), of_lengths(15, 16), R.TOO_SHORT_UTTERANCES),
        (lambda t: checks.long_utterance(t, 4), WORDS, ["a", "one two three four five"], R.LONG_UTTERANCE),
        (lambda t: checks.short_utterance(t, 4), WORDS, [*WORDS, "one two three"], R.SHORT_UTTERANCE),
        (lambda t: checks.too_many_words(t, 5), [*WORDS, "five"], [*WORDS, "five", "six"], R.TOO_MANY_WORDS),
        (checks.no_question, ["Fine.", 'Well?"', "Yes."], ["Fine.", "Well? Yes."], R.NO_QUESTION),
        (lambda t: checks.long_word(t, 5), ["ab cdefg", ""], ["ab", "cdefg h abcde!"], R.LONG_WORD),
        (lambda t: checks.repeated_words(t, 3), ["no no", "no no.  No yes no"], ["ah no no\nno"], R.REPEATED_WORDS),
        (lambda t: checks.repeated_words(t, 2), ["a b a b a"], ["a b b a"], R.REPEATED_WORDS),
        (lambda t: checks.capitals(t, 5), ["AAAA AAAA aAAAAa", "ÀÉÎÕÜ"], ["a", "xAAAAAx"], R.CAPITALS),
        (checks.quote, ["a > b", "->", "&gt; a"], ["a\n\n  > b"], R.QUOTE),
        (checks.quote, [""], ["x", ">b"], R.QUOTE),
        (lambda t: checks.brackets(t, "[]"), ["(a) {b}"], ["a", "b]"], R.BRACKETS),
        (checks.url, ["http a.b ://", "swww.a.b"], ["a", "see HTTPS://a.b"], R.URL),
        (checks.url, ["www"], ["(WWW.a.b)"], R.URL),
        (checks.no_common_word, ["Rain", "oh, THE sun", "it’s"], ["the rain", "the sun", "snow"], R.NO_COMMON_WORD),
        (lambda t: checks.low_sentiment(t, 0.4, float), ["0.41", "0.9"], ["0.9", "0.4"], R.LOW_SENTIMENT),
        (lambda t: checks.other_language(t, "en", None, spelled), ["0.1"], ["x"], R.OTHER_LANGUAGE),
        (lambda t: checks.other_language(t, "en", 0.9, spelled), ["0.9"], ["0.89"], R.OTHER_LANGUAGE),
    ],
)
def test_both_sides_of_the_edge(
    gate: Callable[[Sequence[str]], R | None], kept: list[str], dropped: list[str], reason: R
) -> None:
    assert gate(kept) is None
    assert gate(dropped) is reason


@given(st.lists(st.integers(0, 40), min_size=1, max_size=9), st.integers(0, 40))
def test_mean_is_exact(lengths: list[int], above: int) -> None:
    keep = checks.too_short_utterances(of_lengths(*lengths, end=""), float(above)) is None
    assert keep == (sum(lengths) > above * len(lengths))


@given(st.lists(st.sampled_from(["a", "b", "A"]), max_size=12), st.integers(2, 4))
def test_repeats_are_found_as_a_search_finds_them(tokens: list[str], in_a_row: int) -> None:
    slow = any(tokens[i : i + in_a_row] == [tokens[i]] * in_a_row for i in range(len(tokens)))
    assert (checks.repeated_words([" ".join(tokens)], in_a_row) is not None) == slow


def test_the_first_low_score_ends_the_search() -> None:
    asked = []

    def compound(text: str) -> float:
        asked.append(text)
        return float(text)

    assert checks.low_sentiment(["0.5", "0.4", "0.9"], 0.4, compound) is R.LOW_SENTIMENT
    assert asked == ["0.5", "0.4"]


def test_fifty_common_words() -> None:
    assert len(COMMON_WORDS) == 50
    assert has_common_word("don\u2019t")
    assert has_common_word("'The'")
    assert not has_common_word("theatre the3atre2 __")


def test_blocked_phrases_are_whole_words_in_any_case() -> None:
    phrases = BlockedPhrases(["Darn", "holy  COW", "f**k", "@$$", ":(", "x-ray!", ""])
    for text in ("darn!", "oh, _darn_", "Holy\n cow.", "what the F**K", "b@$$et", "no :( ", "an x-ray!s"):
        assert phrases.found_in(text), text
    for text in ("", "darned", "undarn", "holy cows", "unholy cow", "f**ks", "f*k", "x-ray"):
        assert not phrases.found_in(text), text


@given(st.lists(st.sampled_from(["ab", "a b", "b", "c-d", "é", "b c"]), min_size=1), st.text("abcdé -.", max_size=12))
def test_blocked_phrases_are_found_as_a_search_finds_them(phrases: list[str], text: str) -> None:
    def stands(phrase: str) -> bool:
        flat = f" {' '.join(text.split())} "
        places = [i for i in range(len(flat)) if flat.startswith(phrase, i)]
        return any(not flat[i - 1].isalnum() and not flat[i + len(phrase)].isalnum() for i in places)

    assert BlockedPhrases(phrases).found_in(text) == any(map(stands, phrases))


def test_a_block_list_is_a_file_of_lines(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("# mild ones\ndarn\r\n\n  holy cow \n", encoding="utf-8")
    assert read_phrases(path).found_in("Holy cow")
    assert not read_phrases(path).found_in("mild ones")
    for wrong in (b"# nothing\n\n", b"\xff\n"):
        path.write_bytes(wrong)
        with pytest.raises(InputError, match=r"words\.txt"):
            read_phrases(path)


def test_languages_are_told_apart() -> None:
    identify = load_identifier("en")
    assert identify("Where is the nearest station, and when does the train leave?")[0] == "en"
    assert identify("Wo ist der Bahnhof, und wann fährt der Zug nach Hause ab?")[0] == "de"
    with pytest.raises(ConfigError, match="'xx'"):
        load_identifier("xx")


FAILING: list[tuple[dict[str, Any], list[str], R]] = [
    ({"min_turns_exclusive": 9}, ["a"], R.TOO_FEW_TURNS),
    ({"max_turns": 1}, ["a", "a"], R.TOO_MANY_TURNS),
    ({"min_mean_words_exclusive": 15}, ["a"], R.TOO_SHORT_UTTERANCES),
    ({"max_words": 3}, WORDS, R.LONG_UTTERANCE),
    ({"min_words": 5}, WORDS, R.SHORT_UTTERANCE),
    ({"max_total_words": 3}, WORDS, R.TOO_MANY_WORDS),
    ({"need_question": True}, ["a"], R.NO_QUESTION),
    ({"max_word_characters": 3}, ["abcd"], R.LONG_WORD),
    ({"repeated_words": 3}, ["a a a"], R.REPEATED_WORDS),
    ({"capitals_in_row": 5}, ["AAAAA"], R.CAPITALS),
    ({"drop_quotes": True}, [">"], R.QUOTE),
    ({"bracket_characters": "("}, ["("], R.BRACKETS),
    ({"drop_urls": True}, ["http://"], R.URL),
    ({"need_common_word": True}, ["x", "x"], R.NO_COMMON_WORD),
    ({"min_compound_exclusive": 0.0}, ["x"], R.LOW_SENTIMENT),
    ({"language": "en"}, ["x"], R.OTHER_LANGUAGE),
]


def judged(texts: list[str], limits: Thresholds) -> R | None:
    tools = Tools(compound=lambda text: 0.0 if text == "x" else 1.0, identify=spelled)
    return first_reason(texts, [gate for _, gate in gates_in_order(limits, tools)])


@pytest.mark.parametrize(("limits", "texts", "reason"), FAILING)
def test_each_gate_is_switched_on_by_its_threshold_alone(limits: dict[str, Any], texts: list[str], reason: R) -> None:
    assert judged(texts, OPEN) is None
    assert judged(texts, OPEN.model_copy(update=limits)) is reason


def test_the_first_reason_in_order_counts() -> None:
    everything = {key: value for limits, _, _ in FAILING for key, value in limits.items()}
    texts = ["> ( AAAAA http:// abcd x x x", *["x"] * 4]  # fails every gate
    seen = []
    while (reason := judged(texts, OPEN.model_copy(update=everything))) is not None:
        seen.append(reason)
        (switch,) = (key for limits, _, one in FAILING if one is reason for key in limits)
        everything[switch] = getattr(OPEN, switch)
    assert seen == [reason for reason in R if reason not in (R.BLOCKED_WORDS, R.DUPLICATE, R.NEAR_DUPLICATE)]


def test_a_gate_without_its_tool_is_an_error() -> None:
    for on in ({"min_compound_exclusive": 0.4}, {"language": "en"}):
        with pytest.raises(ValueError, match="Tools"):
            gates_in_order(OPEN.model_copy(update=on), Tools())
