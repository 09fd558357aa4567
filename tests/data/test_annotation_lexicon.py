"""The lexicon annotator on plain English: what people mean, worked out by hand."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_data.annotation.annotator import AnnotationFailure, Annotator, FailureKind
from sage_data.annotation.lexicon import LexiconAnnotator
from sage_data.dialogue import Dialogue, Role, State, Utterance
from sage_data.gates.lexicon import load_lexicon
from sage_data.gates.sentiment import CompoundScorer


@cache
def annotator() -> LexiconAnnotator:
    return LexiconAnnotator(CompoundScorer(load_lexicon().valences).compound)


def state(text: str, role: Role = "user") -> State:
    return annotator().states([Utterance("user", "Well."), Utterance(role, text)])[1]


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ("Every Thanksgiving I eat alone and feel so lonely.", "lonely"),
        ("My flight leaves tomorrow and I can't wait!", "excited"),
        ("I am really proud of my son, he graduated.", "proud"),
        ("My boss keeps calling me at night, it is so annoying.", "annoyed"),
        ("I'm nervous about the interview.", "anxious"),
        ("The soup had a hair in it, that was disgusting.", "disgusted"),
        ("I have never been so proud in my life.", "proud"),
        ("I am not proud.", None),
        ("I don't feel scared, but lonely.", "lonely"),
        ("The bus leaves at nine.", None),
        ("I'm afraid we are sold out.", None),
        ("I'm afraid of the cellar.", "afraid"),
        ("Are you kidding?", "surprised"),
        ("Shut up and leave me alone!", "angry"),
        ("", None),
    ],
)
def test_emotion(text: str, emotion: str | None) -> None:
    assert state(text).emotion == emotion


@pytest.mark.parametrize(
    ("text", "motivation"),
    [
        ("What should I do about my roommate?", "seeking advice"),
        ("Thanks so much!", "gratitude"),
        ("Have you considered volunteering at a shelter?", "suggestion"),
        ("I'm so sorry to hear that.", "empathy"),
        ("Don't worry, it will be okay.", "comfort"),
        ("You can do this, keep going!", "encouragement"),
        ("Congratulations on the new job!", "celebration"),
        ("Haha, only my cat could do that.", "humor"),
        ("Yes, I agree with you.", "agreement"),
        ("Where did you park the car?", "asking"),
        ("I went to the market and bought a melon.", "sharing"),
        ("Tell me more about the garden.", "interest"),
        ("Good night, see you tomorrow.", "farewell"),
        ("Hello, where do I find the platform?", "asking"),
        ("What would it cost? I have ten euros.", "asking"),
        ("If I understand you, the lease ends in May.", "paraphrasing"),
        ("According to the museum, tickets cost nine euros.", "informing"),
        ("You have to turn left at the bakery.", "suggestion"),
    ],
)
def test_motivation(text: str, motivation: str) -> None:
    assert state(text).motivation == motivation


def test_context_counts() -> None:
    said = [Utterance("user", "Do you like fish?"), Utterance("assistant", "I do.")]
    asked = annotator().states(said)[1].motivation
    unasked = annotator().states([Utterance("user", "Here is a fish."), Utterance("assistant", "I do.")])[1].motivation
    assert (asked, unasked) == ("agreement", "agreement")
    assert annotator().states([Utterance("user", "Hello")])[0].motivation == "greeting"


def test_taking_up_a_request_is_told_from_agreeing() -> None:
    def answer(before: str, text: str) -> str | None:
        return annotator().states([Utterance("user", before), Utterance("assistant", text)])[1].motivation

    assert answer("Could you please water the plants?", "Sure, no problem.") == "accepting"
    assert answer("The plants look well.", "Sure, they do.") == "agreement"


def test_satisfies_the_protocol_and_names_itself() -> None:
    one: Annotator = annotator()
    assert one.identity.startswith("lexicon:")


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.text(max_size=60)), max_size=5))
def test_any_dialogue_keeps_its_words_and_gets_a_state_each(turns: list[tuple[Role, str]]) -> None:
    dialogue = Dialogue("d", tuple(Utterance(role, text) for role, text in turns))
    (result,) = annotator().annotate([dialogue])
    if isinstance(result, AnnotationFailure):
        assert not turns
        assert result.kind is FailureKind.NO_UTTERANCES
        return
    assert [(one.role, one.text) for one in result.utterances] == turns
    assert all(one.state is not None and len(one.state.topics) <= 3 for one in result.utterances)
    assert list(annotator().annotate([dialogue])) == [result]
