"""The State-Action Chain grammar: exact both ways, and forgiving with what models write."""

from __future__ import annotations

import time
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sage_data import sac
from sage_data.dialogue import State
from sage_data.errors import InputError
from sage_data.sac import ACTION, SLOTS, USER, Chain, choose, parse, parse_lenient, render, render_tag

NASTY = (
    "null", "", "seeking advice", "a, b", "{u_motivation: x}", "[x]", "don't", '"', "\\", "\\{", ": ", "😀 joy",
    "שלום", "हिन्दी", "a\nb", "a\r\n", " x ", "und_er", "u_emotion: sad", "\u2028", "\x00", "'", "None", "3/4", "a--b",
)  # fmt: skip
CHARACTERS = st.characters(exclude_categories=["Cs"])
VALUES = st.one_of(st.sampled_from(NASTY), st.text(CHARACTERS, max_size=12))
STATES = st.builds(State, st.none() | VALUES, st.none() | VALUES, st.lists(VALUES, max_size=4).map(tuple))
TEXTS = st.one_of(st.sampled_from(NASTY), st.text(CHARACTERS, max_size=40))
CHAINS = st.builds(Chain, st.none() | STATES, st.none() | STATES, TEXTS)
SOME_SLOTS = st.sets(st.sampled_from(SLOTS), min_size=1).map(lambda some: tuple(one for one in SLOTS if one in some))


def narrowed(chain: Chain, slots: tuple[str, ...]) -> Chain:
    state, action = (None if one is None else choose(one, slots) for one in (chain.state, chain.action))
    return Chain(state, action, chain.text, slots if state or action else SLOTS)


FRAGMENTS = st.lists(
    st.sampled_from(
        ("{", "}", "(", ")", "[", "]", '"', "'", "\\", ", ", " ", "\n", ":", "u_motivation: ", "u_emotion:", "null",
         "a_topic: ", "x_motivation: ", "USER_topics: ", "sharing", "joy", "{u_motivation: ", "[a_emotion: ", "]} ")
    ),
    max_size=25,
).map("".join)  # fmt: skip

GOLDEN = Chain(
    State("sharing", "lonely", ("thanksgiving", "family")), State("empathy", None, ()), "That must be tough!"
)


def test_golden_message() -> None:
    assert render(GOLDEN) == (
        "{u_motivation: sharing, u_emotion: lonely, u_topic: [thanksgiving, family]} "
        "{a_motivation: empathy, a_emotion: null, a_topic: []} That must be tough!"
    )


@given(CHAINS)
@example(Chain(None, None, "{u_motivation: a, u_emotion: b, u_topic: []} x"))
@example(Chain(State(), None, ""))
@example(Chain(None, State("null", "", ("null", "a, b")), "\\"))
def test_every_chain_is_read_back_as_it_was(chain: Chain) -> None:
    assert parse(render(chain)) == chain


@given(CHAINS, SOME_SLOTS)
def test_chosen_slots_are_read_back_as_they_were(chain: Chain, slots: tuple[str, ...]) -> None:
    some = narrowed(chain, slots)
    message = render(some)
    assert parse(message) == some
    read = parse_lenient(message, some.slots)
    assert read.chain == some
    assert read.well_formed == (some.state is not None and some.action is not None)
    assert parse_lenient(message).well_formed == (read.well_formed and some.slots == SLOTS)
    assert parse_lenient(message).chain == some


@given(FRAGMENTS | CHAINS.map(render) | st.builds(narrowed, CHAINS, SOME_SLOTS).map(render) | TEXTS)
def test_what_parse_accepts_is_rendered_as_it_was(message: str) -> None:
    try:
        chain = parse(message)
    except InputError:
        return
    assert render(chain) == message


@pytest.mark.parametrize(
    "message",
    [
        "{u_motivation: sharing, } hi",
        "{} hi",
        "{u_emotion: sad, u_motivation: sharing} hi",
        "{u_emotion: sad, u_emotion: sad} hi",
        "{u_motivation: sharing} {a_emotion: sad} hi",
        "{u_motivation: sharing, a_emotion: sad} hi",
        "{hello} hi",
        "\\o/",
        '{u_motivation: "plain", u_emotion: null, u_topic: []} hi',
        '{u_motivation: "\\q", u_emotion: null, u_topic: []} hi',
        "{u_motivation: a, u_emotion: b, u_topic: [null]} hi",
        "{u_motivation: a, u_emotion: b, u_topic: [c]}hi",
    ],
)
def test_parse_refuses_what_render_would_not_write(message: str) -> None:
    with pytest.raises(InputError, match="not a State-Action Chain"):
        parse(message)
    assert not parse_lenient(message).well_formed


@given(CHAINS)
def test_lenient_reading_agrees_on_canonical_messages(chain: Chain) -> None:
    read = parse_lenient(render(chain))
    assert read.chain == chain
    assert read.well_formed == (chain.state is not None and chain.action is not None)


@given(FRAGMENTS | TEXTS)
def test_lenient_reading_never_raises_nor_loses_text(message: str) -> None:
    read = parse_lenient(message)
    if read.chain.state is None and read.chain.action is None and "cut" not in " ".join(read.problems):
        assert read.chain.text == (message[1:] if message.startswith(("\\{", "\\\\")) else message)
    assert message.endswith(read.chain.text)
    assert read.well_formed or read.problems


@given(STATES, STATES, st.text("abc \n!?", max_size=20), st.sampled_from(["{}", "()", "[]"]))
@example(State(), State(None, None, ("x", "u_emotion: sad", "y")), "", "{}")
def test_text_behind_loose_tags_is_kept(state: State, action: State, text: str, brackets: str) -> None:
    tags = [
        f"{brackets[0]}{render_tag(one, prefix)[1:-1]}{brackets[1]}"
        for one, prefix in ((state, USER), (action, ACTION))
    ]
    assert parse_lenient("".join(tags) + "x" + text).chain.text == "x" + text


PAPER_STATE = State("sharing", "amused")
PAPER_ACTION = State("humor", "playful")


@pytest.mark.parametrize(
    "message",
    [
        "(u_motivation: sharing, u_emotion: amused) [x_motivation: humor, x_emotion: playful] Hal Your cat!",
        "{u_motivation: sharing, u_emotion: amused}{a_motivation: humor, a_emotion: playful}Hal Your cat!",
        "{u_emotion: amused, u_motivation: sharing}\n{a_emotion: playful, a_motivation: humor}\n\nHal Your cat!",
        "[x_motivation: humor, x_emotion: playful] (u_motivation: sharing, u_emotion: amused) Hal Your cat!",
        "{user_motivation:sharing, user_emotion:amused} {assistant_motivation:humor, assistant_emotion:playful} "
        "Hal Your cat!",
        '{"u_motivation": "sharing", "u_emotion": "amused"} {"a_motivation": "humor", "a_emotion": "playful"} '
        "Hal Your cat!",
        "{U_Motivation: 'sharing', u_emotion: amused, u_topics: null} {a_motivation: humor, a_emotion: playful} "
        "Hal Your cat!",
        "{u_motivation: sharing, u_emotion: amused {a_motivation: humor, a_emotion: playful} Hal Your cat!",
    ],
)
def test_loose_styles_are_understood(message: str) -> None:
    read = parse_lenient(message)
    assert read.chain == Chain(PAPER_STATE, PAPER_ACTION, "Hal Your cat!")
    assert "not in canonical form" in read.problems
    assert not read.well_formed


@pytest.mark.parametrize(
    ("message", "chain", "problem"),
    [
        ("just text", Chain(None, None, "just text"), "no state tag"),
        ("  (laughs) hello", Chain(None, None, "  (laughs) hello"), "no action tag"),
        ("{u_motivation: sharing", Chain(None, None, "{u_motivation: sharing"), "tag is cut short"),
        (
            "{u_motivation: sharing, u_emotion: am",
            Chain(State("sharing"), None, "u_emotion: am"),
            "tag is not closed",
        ),
        (
            "{u_motivation: sharing, u_emotion: sad, u_topic: [cat, owl] Hal",
            Chain(State("sharing", "sad", ("cat", "owl")), None, "Hal"),
            "tag is not closed",
        ),
        ("{u_motivation: , u_emotion: None} x", Chain(State(), None, "x"), "slot u_topic is missing"),
        ("{a_motivation: joy, with you} x", Chain(None, State("joy, with you"), "x"), "slot a_emotion is missing"),
        ("{u_emotion: a, u_emotion: b} x", Chain(State(None, "a"), None, "x"), "slot u_emotion twice"),
        ("{u_emotion: a, a_emotion: b} x", Chain(State(None, "a"), None, "x"), "slot a_emotion inside a u_ tag"),
        ("{u_emotion: a} {u_emotion: b} x", Chain(State(None, "a"), None, "x"), "second u_ tag"),
        (
            "{a_emotion: a} {u_emotion: b} x",
            Chain(State(None, "b"), State(None, "a"), "x"),
            "action tag before state tag",
        ),
        (
            "{u_topic: [cat, 'a, b', \"c, d\"]} x",
            Chain(State(topics=("cat", "a, b", "c, d")), None, "x"),
            "no action tag",
        ),
        ("{u_topic: cat, owl} x", Chain(State(topics=("cat", "owl")), None, "x"), "no action tag"),
        ("{u_emotion: sad} \\{smile}", Chain(State(None, "sad"), None, "{smile}", ("emotion",)), "no action tag"),
        ("(u_emotion: sad) \\{smile}", Chain(State(None, "sad"), None, "{smile}"), "no action tag"),
    ],
)
def test_what_is_wrong_is_named(message: str, chain: Chain, problem: str) -> None:
    read = parse_lenient(message)
    assert read.chain == chain
    assert problem in read.problems


def test_one_tag_only_is_canonical_but_not_well_formed() -> None:
    read = parse_lenient(render(Chain(None, State("humor"), "Ha.")))
    assert read.problems == ("no state tag",)


def test_chosen_slots_golden() -> None:
    message = "{u_motivation: sharing, u_topic: [cat]} {a_motivation: null, a_topic: []} Hm."
    chain = Chain(State("sharing", None, ("cat",)), State(), "Hm.", ("motivation", "topic"))
    assert render(chain) == message
    assert parse(message) == chain
    assert parse_lenient(message, ("motivation", "topic")).well_formed


def test_slots_that_were_not_taught_are_named() -> None:
    message = "{u_motivation: sharing, u_emotion: sad} {a_motivation: empathy, a_emotion: warm} Oh."
    assert parse_lenient(message).problems == ("slot u_topic is missing", "slot a_topic is missing")
    assert parse_lenient(message, ("motivation",)).problems == (
        "slot u_emotion is unexpected",
        "slot a_emotion is unexpected",
    )
    loose = parse_lenient("(u_emotion: sad) [a_emotion: warm] Oh.", ("emotion",))
    assert loose.problems == ("not in canonical form",)
    assert loose.chain == Chain(State(None, "sad"), State(None, "warm"), "Oh.")


@pytest.mark.parametrize(
    "slots", [(), ("emotion", "motivation"), ("mood",), ("motivation", "motivation"), ("emotion",)]
)
def test_a_chain_cannot_have_slots_that_would_not_be_read_back(slots: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="cannot have the slots"):
        Chain(State("sharing"), None, "", slots)
    with pytest.raises(ValueError, match="cannot have the slots"):
        Chain(None, None, "", slots)


def slow_value_end(message: str, start: int, closer: str, strings: object) -> int | None:
    """The same as `sac._value_end`, said plainly: every character is looked at, and every quote searched from."""
    depth: list[str] = []
    position = start
    while position < len(message):
        char = message[position]
        if char == closer and closer not in depth:
            return position
        if char in ", \t\n\r" and sac._SLOT.match(message, position):
            return position
        if char in sac._CLOSES and sac._SLOT.match(message, position + 1):
            return position
        if char in sac._CLOSES:
            depth.append(sac._CLOSES[char])
        elif char in depth[-1:]:
            depth.pop()
        quoted = sac._STRING.match(message, position)
        position = quoted.end() if quoted else position + 1
    closed_list = sac._LIST.match(message, start)
    return closed_list.end() if closed_list else None


@given(FRAGMENTS)
@example('{u_motivation: \\"a\\", u_topic: ["b\\"", c] a_emotion: "d}')
@example('{u_motivation: "a\\"} {a_motivation: \\" "b"}')
@example("{u_motivation: (({x}) ]}, u_emotion: y}")
def test_quick_and_plain_reading_agree(message: str) -> None:
    for text in (message, "{u_motivation: " + message, message.replace('"', '\\"') + message):
        quick = parse_lenient(text)
        with patch.object(sac, "_value_end", slow_value_end):
            assert parse_lenient(text) == quick


@pytest.mark.parametrize(
    "run", ['\\"', '"a', '\\\\"', "('", "[(", "{)", ', \\"', 'u_emotion: \\", ', '["a", ', "[' ", '{u_topic: ["', "a} "]
)
def test_no_run_of_signs_takes_long(run: str) -> None:
    message = "{u_motivation: " + run * (32_000 // len(run))
    took = []
    for _ in range(3):
        began = time.process_time()
        parse_lenient(message)
        took.append(time.process_time() - began)
    assert min(took) < 0.1
