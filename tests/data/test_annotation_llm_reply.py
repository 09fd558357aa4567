"""What a model's reply must be like: fifty malformed ones are refused by name, good ones are read back whole."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from annotating import TURNS, dialogue, entries
from hypothesis import given, settings
from hypothesis import strategies as st

from sage_data.annotation.annotator import FailureKind as Kind
from sage_data.annotation.llm.prompt import Mode, Prompt
from sage_data.annotation.llm.reply import ReplyError, Rules, read_reply
from sage_data.annotation.llm.request import as_json, reply_schema
from sage_data.annotation.llm.tags import shipped_tags
from sage_data.dialogue import State, Utterance
from sage_data.sac import Chain, parse, render

RULES = Rules(Mode(), shipped_tags())
TALK = dialogue("talk", *TURNS).utterances
ASKED = json.loads(as_json(TALK))["utterances"]
Change = Callable[[list[dict[str, Any]]], Any]


def good() -> list[dict[str, Any]]:
    return copy.deepcopy(entries(ASKED))


def reply(value: Any) -> str:
    return json.dumps({"utterances": value})


def put(index: int, field: str, value: Any) -> Change:
    def change(made: list[dict[str, Any]]) -> Any:
        made[index][field] = value
        return made

    return change


GOOD = reply(good())
RAW = [
    ("", Kind.NOT_JSON),
    ("   \n", Kind.NOT_JSON),
    ("Sure! Here is the annotation you asked for.", Kind.NOT_JSON),
    (f"Here you are:\n{GOOD}", Kind.NOT_JSON),
    (f"{GOOD}\nI hope this helps.", Kind.NOT_JSON),
    (GOOD[:-1], Kind.NOT_JSON),
    (GOOD[: len(GOOD) // 2], Kind.NOT_JSON),
    (GOOD + GOOD, Kind.NOT_JSON),
    (GOOD.replace('"', "'"), Kind.NOT_JSON),
    (GOOD.replace('"index": 0,', '"index": 0,,'), Kind.NOT_JSON),
    (GOOD.replace('"index": 0,', '"index": 0, "index": 0,'), Kind.NOT_JSON),
    (GOOD.replace('"index": 0,', '"index": NaN,'), Kind.NOT_JSON),
    (GOOD.replace('"index": 0,', f'"index": {"9" * 5000},'), Kind.NOT_JSON),
    ("[" * 100_000, Kind.NOT_JSON),
    (f"```json\n```json\n{GOOD}\n```\n```", Kind.NOT_JSON),
    (f"```\n{GOOD}", Kind.NOT_JSON),
    ("<html><body>502 Bad Gateway</body></html>", Kind.NOT_JSON),
    ("null", Kind.WRONG_SHAPE),
    ("42", Kind.WRONG_SHAPE),
    ('"utterances"', Kind.WRONG_SHAPE),
    ("{}", Kind.WRONG_SHAPE),
    (json.dumps(good()), Kind.WRONG_SHAPE),
    (json.dumps({"utterances": good(), "note": "done"}), Kind.WRONG_SHAPE),
    (json.dumps({"dialogue": good()}), Kind.WRONG_SHAPE),
    (json.dumps({"utterances": {"0": good()[0]}}), Kind.WRONG_SHAPE),
    (json.dumps({"utterances": None}), Kind.WRONG_SHAPE),
    (json.dumps({"utterances": good(), "half \ud83d": 1}), Kind.WRONG_SHAPE),
    (GOOD.replace('"index": 0,', f'"index": {"9" * 4000},'), Kind.WRONG_INDEX),
]
CHANGED: list[tuple[Change, Kind]] = [
    (lambda made: [], Kind.WRONG_COUNT),
    (lambda made: made[:-1], Kind.WRONG_COUNT),
    (lambda made: [*made, made[-1]], Kind.WRONG_COUNT),
    (lambda made: ["text", *made[1:]], Kind.WRONG_SHAPE),
    (lambda made: [None, *made[1:]], Kind.WRONG_SHAPE),
    (lambda made: [{**made[0], "reason": "because"}, *made[1:]], Kind.WRONG_SHAPE),
    (lambda made: [{k: v for k, v in made[0].items() if k != "emotion"}, *made[1:]], Kind.WRONG_SHAPE),
    (put(0, "emo\ud83dtion", "happy"), Kind.WRONG_SHAPE),
    (put(0, "a\x1b[2Jb", "happy"), Kind.WRONG_SHAPE),
    (put(1, "role", "assis\ud83dtant"), Kind.WRONG_ROLE),
    (put(1, "bridge", "Do you like \ud83d?"), Kind.BRIDGE_NOT_QUESTION),
    (put(0, "index", True), Kind.WRONG_SHAPE),
    (put(0, "index", "0"), Kind.WRONG_SHAPE),
    (put(0, "motivation", ["sharing"]), Kind.WRONG_SHAPE),
    (put(0, "topics", "cat"), Kind.WRONG_SHAPE),
    (put(0, "topics", [1]), Kind.WRONG_SHAPE),
    (put(0, "text", None), Kind.WRONG_SHAPE),
    (lambda made: list(reversed(made)), Kind.WRONG_INDEX),
    (put(2, "index", 3), Kind.WRONG_INDEX),
    (put(1, "role", "user"), Kind.WRONG_ROLE),
    (put(1, "role", "gpt"), Kind.WRONG_ROLE),
    (put(0, "emotion", "a feeling of very deep joy"), Kind.BAD_TAG),
    (put(0, "emotion", "x" * 41), Kind.BAD_TAG),
    (put(0, "motivation", "{u_motivation: x}"), Kind.BAD_TAG),
    (put(0, "motivation", "He is glad."), Kind.BAD_TAG),
    (put(0, "emotion", "happy, proud"), Kind.BAD_TAG),
    (put(0, "emotion", "hap\x00py"), Kind.BAD_TAG),
    (put(0, "emotion", "hap\ud83dpy"), Kind.BAD_TAG),
    (put(0, "topics", ["a", "b", "c", "d"]), Kind.BAD_TAG),
    (put(0, "text", ""), Kind.EMPTY_TEXT),
    (put(0, "text", " \n "), Kind.EMPTY_TEXT),
    (put(0, "text", "My cat Milo\x07 had 4 kittens last night"), Kind.BAD_TEXT),
    (put(0, "text", "My cat Milo had 4 kittens last night \ud83d"), Kind.BAD_TEXT),
    (put(0, "text", "{u_motivation: sharing, u_emotion: happy} My cat Milo had 4 kittens last night"), Kind.BAD_TEXT),
    (put(0, "text", "Congratulations! You must be over the moon about that."), Kind.TEXT_DRIFTED),
    (put(2, "text", "Yeah, but I know where to keep them."), Kind.FACT_CHANGED),
    (put(0, "text", "My cat Milo had five kittens last night."), Kind.FACT_CHANGED),
    (put(0, "text", "My cat had 4 kittens last night."), Kind.FACT_CHANGED),
    (put(0, "bridge", "Do you like it?"), Kind.BRIDGE_NOT_ALLOWED),
    (put(3, "bridge", "Is it large?"), Kind.BRIDGE_NOT_ALLOWED),
    (put(1, "bridge", "Tell me more."), Kind.BRIDGE_NOT_QUESTION),
    (put(1, "bridge", "Why? And where?"), Kind.BRIDGE_NOT_QUESTION),
    (put(1, "bridge", "I love cats. Do you?"), Kind.BRIDGE_NOT_QUESTION),
    (put(1, "bridge", "Well " + "so " * 40 + "why?"), Kind.BRIDGE_NOT_QUESTION),
]
MALFORMED = [*RAW, *((reply(change(good())), kind) for change, kind in CHANGED)]


def refused(text: str, rules: Rules = RULES) -> ReplyError:
    with pytest.raises(ReplyError) as caught:
        read_reply(text, TALK, rules)
    return caught.value


def test_there_are_at_least_fifty_malformed_replies() -> None:
    assert len(MALFORMED) >= 50
    assert len({text for text, _ in MALFORMED}) == len(MALFORMED)


@pytest.mark.parametrize(("text", "kind"), MALFORMED, ids=range(len(MALFORMED)))
def test_each_is_refused_by_its_name(text: str, kind: Kind) -> None:
    error = refused(text)
    assert error.kind == kind, error.message
    assert error.message.isprintable()
    assert len(error.message) < 700


def test_a_good_reply_is_applied() -> None:
    found = read_reply(GOOD, TALK, RULES)
    assert [one.text for one in found.utterances][:2] == [
        "My cat Milo had 4 kittens last night",
        "Thats wonderful news for you How do you feel about it?",
    ]
    assert found.utterances[0].state == State("sharing", "happy", ("cat",))
    assert found.utterances[2].state == State("sharing", None, ("cat",))
    assert [(one.index, one.bridge) for one in found.rewrites] == [
        (0, None),
        (1, "How do you feel about it?"),
        (2, None),
        (4, None),
    ]
    assert found.similarity == 1.0


def test_one_fence_is_taken_off() -> None:
    whole = read_reply(GOOD, TALK, RULES)
    assert read_reply(f"```json\n{GOOD}\n```", TALK, RULES) == whole
    assert read_reply(f"\n```\n{GOOD}\n```  \n", TALK, RULES) == whole


def test_kept_text_may_not_change_and_needs_none() -> None:
    rules = Rules(Mode(keep_text=True), shipped_tags())
    bare = [{key: one[key] for key in Mode(keep_text=True).fields} for one in good()]
    found = read_reply(reply(bare), TALK, rules)
    assert [one.text for one in found.utterances] == list(TURNS)
    assert not found.rewrites
    same = [{**one, "text": text} for one, text in zip(bare, TURNS, strict=True)]
    assert read_reply(reply(same), TALK, rules) == found
    same[0]["text"] = "My cat Milo had 4 kittens last night"
    assert refused(reply(same), rules).kind == Kind.TEXT_CHANGED
    assert refused(reply([{**one, "bridge": "Why so?"} for one in bare]), rules).kind == Kind.BRIDGE_NOT_ALLOWED


def test_no_bridge_means_none() -> None:
    rules = Rules(Mode(bridge=False), shipped_tags())
    assert refused(GOOD, rules).kind == Kind.BRIDGE_NOT_ALLOWED
    without = [{key: one[key] for key in Mode(bridge=False).fields} for one in good()]
    assert not any(one.bridge for one in read_reply(reply(without), TALK, rules).rewrites)


def test_a_question_leads_to_the_user_only() -> None:
    two = (Utterance("assistant", "Hi there."), Utterance("assistant", "How nice"), Utterance("user", "yes"))
    asked = json.loads(as_json(two))["utterances"]
    made = entries(asked, bridges=False)
    made[1]["bridge"] = "Is Mr. Brown at home?"
    assert read_reply(reply(made), two, RULES).utterances[1].text == "How nice Is Mr. Brown at home?"
    made[0]["bridge"], made[1]["bridge"] = "Who is it?", None
    with pytest.raises(ReplyError, match="where no utterance of the user comes next"):
        read_reply(reply(made), two, RULES)


@pytest.mark.parametrize("mode", [Mode(), Mode(bridge=False), Mode(keep_text=True), Mode(most_topics=1)])
def test_the_in_context_example_obeys_its_own_rules(mode: Mode) -> None:
    prompt = Prompt.load(mode, shipped_tags())
    found = read_reply(prompt.example_reply, prompt.example, Rules(mode, shipped_tags()))
    assert sum(one.bridge is not None for one in found.rewrites) == mode.bridges
    assert all(one.state for one in found.utterances)
    assert set(json.loads(prompt.example_reply)["utterances"][0]) == set(
        json.loads(reply_schema(mode))["properties"]["utterances"]["items"]["required"]
    )


# --- properties ---------------------------------------------------------------------------------------------------

ANYTHING = st.text(st.one_of(st.characters(exclude_categories=()), st.sampled_from('\ud83d\ude00\x1b"{<')), max_size=8)
"""Halves of surrogate pairs too, as JSON has them."""
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=30)
TAGS = st.one_of(st.none(), st.sampled_from(["sharing", "Joy", "sad ", "light_hearted", "NULL", "caf\u00e9 talk"]))
ENTRY = st.fixed_dictionaries({"text": WORDS, "motivation": TAGS, "emotion": TAGS, "topics": st.lists(TAGS.map(str))})


@settings(max_examples=60, deadline=None)
@given(st.lists(ENTRY, min_size=1, max_size=5))
def test_a_valid_reply_round_trips(made: list[dict[str, Any]]) -> None:
    talk = dialogue("any", *(one["text"] for one in made)).utterances
    listed = [
        {**one, "index": index, "role": talk[index].role, "bridge": None, "topics": one["topics"][:3]}
        for index, one in enumerate(made)
    ]
    found = read_reply(reply(listed), talk, RULES)
    assert [one.text for one in found.utterances] == [one.text for one in talk]
    assert not found.rewrites
    for one in found.utterances:
        assert one.state is not None
        chain = Chain(one.state, one.state, one.text)
        assert parse(render(chain)) == chain


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_no_mutation_crashes_or_slips_through(data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(GOOD)))
    inserted = data.draw(ANYTHING)
    removed = data.draw(st.integers(0, 5))
    text = GOOD[:cut] + inserted + GOOD[cut + removed :]
    try:
        found = read_reply(text, TALK, RULES)
    except ReplyError as error:
        assert error.kind in Kind  # noqa: PT017 - either way is fine, a crash is not
    else:
        assert [one.role for one in found.utterances] == [one.role for one in TALK]
        assert all(one.similarity >= RULES.min_similarity for one in found.rewrites)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANYTHING,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANYTHING, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 4), st.one_of(st.sampled_from(Mode().fields), ANYTHING), JSON)
def test_any_value_in_any_field_is_accepted_or_refused(index: int, field: str, value: Any) -> None:
    try:
        found = read_reply(reply(put(index, field, value)(good())), TALK, RULES)
    except ReplyError as error:
        assert f"utterance {index}" in error.message  # noqa: PT017
    else:
        assert found.utterances[index].role == TALK[index].role
