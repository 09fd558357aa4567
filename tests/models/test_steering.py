"""The slot automaton: where it boosts, whatever the tokens, and where it must not."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_data.chat import Steering
from sage_data.dialogue import State
from sage_data.errors import ConfigError
from sage_data.sac import Chain, choose, render
from sage_models.steering import SlotAutomaton

BYTES = [bytes([value]) for value in range(256)]
PIECES = [
    b" humor",
    b"{a_",
    b"_motivation",
    b" hum",
    b"or",
    b"joke",
    b" joke",
    b", a_emotion: ",
    b" lion",
    b" [",
    b"[dog",
    b" dog",
]
VOCABULARY = [*BYTES, *PIECES]
MESSAGE = render(
    Chain(State("sharing", "sad", ("dog",)), State("humor", "warm", ("dog", "cat")), "humor, a_motivation: humor")
)


def greedy(text: str) -> list[int]:
    """Encode with the longest piece at each place."""
    rest, tokens = text.encode(), []
    while rest:
        token = max(
            (n for n, piece in enumerate(VOCABULARY) if rest.startswith(piece)), key=lambda n: len(VOCABULARY[n])
        )
        tokens.append(token)
        rest = rest[len(VOCABULARY[token]) :]
    return tokens


def bytewise(text: str) -> list[int]:
    return list(text.encode())


def automaton(boost: Mapping[str, Mapping[str, float]], encode: Callable[[str], list[int]] = greedy) -> SlotAutomaton:
    return SlotAutomaton(Steering(boost), VOCABULARY, encode)


def boosted_along(
    machine: SlotAutomaton, text: str, encode: Callable[[str], list[int]] = greedy
) -> list[tuple[int, bytes, float]]:
    """Return (byte place, token, amount) for every boost offered while `text` is generated."""
    state, place, found = machine.start, 0, []
    for token in encode(text):
        found += [(place, VOCABULARY[one], amount) for one, amount in machine.boosts(state).items()]
        state, place = machine.advance(state, token), place + len(VOCABULARY[token])
    return found


def after(text: str) -> int:
    return len(text.encode())


def test_the_word_is_boosted_once_in_its_slot_and_nowhere_else() -> None:
    header = MESSAGE[: MESSAGE.index("{a_motivation:") + len("{a_motivation:")]
    assert boosted_along(automaton({"a_motivation": {"humor": 1.5}}), MESSAGE) == [(after(header), b" humor", 1.5)]


def test_a_word_of_several_tokens_is_followed_along_its_path() -> None:
    machine = automaton({"a_motivation": {"humor": 2.0}}, bytewise)
    found = boosted_along(machine, MESSAGE, bytewise)
    assert [token for _, token, _ in found] == [b"h", b"u", b"m", b"o", b"r"]
    assert {amount for *_, amount in found} == {2.0}


def test_another_word_leaves_the_path_after_the_shared_beginning() -> None:
    machine = automaton({"a_motivation": {"humor": 2.0}}, bytewise)
    text = MESSAGE.replace("{a_motivation: humor", "{a_motivation: hushed")
    assert [token for _, token, _ in boosted_along(machine, text, bytewise)] == [b"h", b"u", b"m"]


@pytest.mark.parametrize(
    ("slot", "word", "before"),
    [
        ("u_motivation", "sharing", "{u_motivation:"),
        ("u_emotion", "sad", "u_emotion:"),
        ("u_topic", "dog", "u_topic: ["),
        ("a_emotion", "warm", "a_emotion:"),
    ],
)
def test_every_slot_of_both_tags_can_be_steered(slot: str, word: str, before: str) -> None:
    places = {place for place, *_ in boosted_along(automaton({slot: {word: 1.0}}, bytewise), MESSAGE, bytewise)}
    first = after(MESSAGE[: MESSAGE.index(before)]) + len(before) + ("topic" not in slot)
    assert places == set(range(first, first + len(word)))


@pytest.mark.parametrize(
    ("slot", "slots", "word"),
    [
        ("a_emotion", ("emotion",), "warm"),
        ("u_emotion", ("emotion", "topic"), "sad"),
        ("a_topic", ("topic",), "dog"),
        ("a_topic", ("motivation", "topic"), "dog"),
        ("a_motivation", ("motivation",), "humor"),
    ],
)
@pytest.mark.parametrize("encode", [greedy, bytewise])
def test_a_slot_is_steered_wherever_it_stands_in_tags_of_chosen_slots(
    slot: str, slots: tuple[str, ...], word: str, encode: Callable[[str], list[int]]
) -> None:
    state = choose(State("humor", "sad" if slot == "u_emotion" else "warm", ("dog",)), slots)
    tags = (state, choose(State(), slots)) if slot.startswith("u") else (choose(State(), slots), state)
    text = render(Chain(*tags, "hi", slots))
    found = boosted_along(automaton({slot: {word: 2.0}}, encode), text, encode)
    assert b"".join(piece for _, piece, _ in found).strip() == word.encode()


def test_a_topic_may_stand_first_or_later_in_the_list() -> None:
    machine = automaton({"a_topic": {"dog": 1.0}}, bytewise)
    for topics in (("dog",), ("cat", "dog"), ("cat", "cow", "dog")):
        text = render(Chain(State(), State(topics=topics), "x"))
        found = [token for _, token, _ in boosted_along(machine, text, bytewise)]
        assert found[-3:] == [b"d", b"o", b"g"]
        assert found[:-3] == [b"d"] * (len(topics) - 1)


def test_words_that_share_a_token_are_not_added_up() -> None:
    machine = automaton({"a_motivation": {"humor": 1.0, "humorous": 3.0}})
    [(_, token, amount), *rest] = boosted_along(machine, MESSAGE)
    assert (token, amount) == (b" humor", 3.0)
    assert [token for _, token, _ in rest] == [b"o"]


def test_a_phrase_with_a_comma_is_boosted_as_it_is_written() -> None:
    machine = automaton({"a_emotion": {'warm, "so" warm': 1.0}}, bytewise)
    text = render(Chain(State(), State(emotion='warm, "so" warm'), "x"))
    written = '"warm, \\"so\\" warm"'
    assert b"".join(token for _, token, _ in boosted_along(machine, text, bytewise)).decode() == written


def test_quoted_look_alikes_of_a_header_do_not_open_a_slot() -> None:
    machine = automaton({"a_emotion": {"sad": 1.0}}, bytewise)
    text = render(
        Chain(None, State(motivation='x", a_emotion: sad', emotion="glad"), "{a_motivation: x, a_emotion: sad")
    )
    found = boosted_along(machine, text, bytewise)
    assert [token for _, token, _ in found] == [b"s"]
    assert found[0][0] == text.rindex("a_emotion: glad") + len("a_emotion: ")


def test_the_reply_is_never_steered() -> None:
    machine = automaton({"a_motivation": {"humor": 1.0}}, bytewise)
    for text in ("{a_motivation: ", "x {a_motivation: ", "{u_motivation: x} x {a_motivation: "):
        state = machine.start
        for token in bytewise(text):
            state = machine.advance(state, token)
        assert bool(machine.boosts(state)) is (text == "{a_motivation: ")


@given(st.lists(st.sampled_from(range(len(VOCABULARY))), max_size=40), st.randoms(use_true_random=False))
def test_the_state_depends_on_the_bytes_not_on_how_tokens_cut_them(tokens: list[int], draw: object) -> None:
    machine = automaton({"a_motivation": {"humor": 1.0}, "a_topic": {"dog": 1.0}})
    text = b"{a_motivation:" + b"".join(VOCABULARY[token] for token in tokens)
    by_token = by_byte = machine.start
    for token in [*bytewise("{a_motivation:"), *tokens]:
        by_token = machine.advance(by_token, token)
    for byte in text:
        by_byte = machine.advance(by_byte, byte)
    assert by_token == by_byte


@given(st.text(alphabet='{}[]:," \\_aumotivationhumr', max_size=60))
def test_outside_its_slot_no_text_is_boosted(text: str) -> None:
    machine = automaton({"a_motivation": {"humor": 1.0}}, bytewise)
    state, seen = machine.start, b""
    for byte in text.encode():
        if machine.boosts(state):
            assert b"{a_motivation:" in seen
        state, seen = machine.advance(state, byte), seen + bytes([byte])


@pytest.mark.parametrize("slot", ["motivation", "x_emotion", "a_topics", "a_motivation "])
def test_an_unknown_slot_is_refused(slot: str) -> None:
    with pytest.raises(ConfigError, match="cannot steer slot"):
        automaton({slot: {"humor": 1.0}})


def test_an_empty_word_is_refused() -> None:
    with pytest.raises(ConfigError, match="empty word"):
        automaton({"a_motivation": {" ": 1.0}})
