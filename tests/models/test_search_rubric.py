"""The rubric prefers, feature by feature, what it says it prefers, and refuses what is broken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_data.chat import Completion, CompletionStatus, Message
from sage_data.rollout import Reply
from sage_data.sac import parse_lenient
from sage_models.search.rubric import FEATURES, RubricSelector, content_words
from sage_models.search.selector import Choice, Selection

TAGS = (
    "{u_motivation: sharing, u_emotion: sad, u_topic: [boat]} {a_motivation: empathy, a_emotion: warm, a_topic: [boat]}"
)
SAD = (Message("user", "I am so sad because my old boat sank in the storm last night."),)
GLAD = (Message("user", "I am so happy, my old boat won the big race last night!"),)
GOOD = "I am so sorry about your old boat. That storm must have been frightening to watch. Was anybody hurt?"


def reply(text: str, status: CompletionStatus = CompletionStatus.OK) -> Reply:
    lenient = parse_lenient(text)
    cut = ("truncated",) if status is CompletionStatus.TRUNCATED else ()
    return Reply(Completion(text, status, "m"), lenient.chain, lenient.problems + cut)


def select(messages: tuple[Message, ...], *texts: str) -> Selection:
    [selection] = RubricSelector().select([Choice(messages, tuple(map(reply, texts)))])
    return selection


def feature(name: str, messages: tuple[Message, ...], text: str) -> float:
    return select(messages, text).verdicts[0].features[name]


@pytest.mark.parametrize(
    "worse",
    [
        "Bananas grow in warm countries, and they are yellow. Do you like fruit on a summer day?",
        "Your old boat sank in the storm. That is a thing that boats do. Was anybody hurt?",
        "I am so sorry about your old boat. That storm must have been frightening to watch, as storms often are here.",
        "Sorry, boat?",
        "I am so sorry about your old boat. That storm must have been frightening to watch. Was anybody",
        "I am so sorry about your old boat. That storm must have been stupid to watch. Was anybody hurt?",
        "I AM SO SORRY ABOUT YOUR OLD BOAT. THAT STORM MUST HAVE BEEN FRIGHTENING. WAS ANYBODY HURT?",
        "{a_motivation: I am so sorry about your old boat. That storm must have been frightening. Was anybody hurt?",
    ],
)
def test_a_good_reply_beats_one_with_a_single_fault(worse: str) -> None:
    selection = select(SAD, worse, GOOD)
    assert selection.chosen == 1
    assert selection.verdicts[1].score > selection.verdicts[0].score


def test_the_mood_follows_the_user() -> None:
    joke, comfort = "Ha ha, I bet the boat grinned all the way!", "I am sorry, that sounds hard."
    assert (feature("mood", SAD, comfort), feature("mood", SAD, joke)) == (1.0, 0.0)
    assert (feature("mood", GLAD, comfort), feature("mood", GLAD, joke)) == (0.0, 1.0)
    assert feature("mood", GLAD, "Congratulations, I am glad for you.") == pytest.approx(0.7)


def test_saying_the_same_again_is_never_acceptable() -> None:
    history = (*SAD, Message("assistant", f"{TAGS} {GOOD}"), Message("user", "Nobody was hurt, but I miss my boat."))
    selection = select(history, GOOD, "I can imagine how you miss your boat. What did you love most about it?")
    assert selection.chosen == 1
    assert selection.verdicts[0].features["freshness"] == 0
    assert not selection.verdicts[0].acceptable
    assert select(history, GOOD.lower()).chosen is None


def test_nothing_good_is_said_and_the_best_is_still_named() -> None:
    selection = select(SAD, "{ [ boat", "boat boat boat boat", "Hm, your old boat sank, I am")
    assert selection.chosen is None
    assert selection.best == 2


@pytest.mark.parametrize("status", [CompletionStatus.TRUNCATED])
def test_a_cut_reply_is_not_acceptable(status: CompletionStatus) -> None:
    [selection] = RubricSelector().select([Choice(SAD, (reply(GOOD, status),))])
    assert selection.chosen is None


def test_broken_tags_are_blamed_and_missing_ones_are_not() -> None:
    assert feature("tags", SAD, GOOD) == 1
    assert feature("tags", SAD, f"{TAGS} {GOOD}") == 1
    assert feature("tags", SAD, f"(u_motivation: x) {GOOD}") == 0
    assert select(SAD, GOOD, f"{TAGS} {GOOD}").chosen == 1


@pytest.mark.parametrize("scrap", ["{x]}", "a\ufffdb", "w0rd", "u_emotion: sad", "boat boat boat", "tab\x07"])
def test_scraps_are_not_appropriate(scrap: str) -> None:
    assert feature("appropriateness", SAD, f"I am sorry about {scrap} your boat.") == 0
    assert feature("appropriateness", SAD, "I am sorry about your boat, all 12 metres of it.") == 1


@pytest.mark.parametrize("number", ["2019", "90s", "20th", "12:30", "1000", "3 of 5"])
def test_numbers_are_no_scraps(number: str) -> None:
    assert feature("appropriateness", SAD, f"Boats of {number} were built better, I think.") == 1


def test_length_is_best_between_8_and_40_words() -> None:
    lengths = [feature("length", SAD, " ".join(["word"] * count)) for count in (4, 8, 40, 80)]
    assert lengths == [0.5, 1.0, 1.0, 0.5]


def test_equals_go_to_the_earlier() -> None:
    assert select(SAD, GOOD, GOOD).chosen == 0


def test_content_words_leave_plain_words_out() -> None:
    assert content_words("I went with my dogs to the dog's garden") == {"dog", "garden"}


@given(st.text(max_size=200), st.text(max_size=200))
def test_scores_stay_between_0_and_1_for_any_text(said: str, answered: str) -> None:
    [verdict] = select((Message("user", said),), answered).verdicts
    assert 0 <= verdict.score <= 1
    assert set(verdict.features) == set(FEATURES)
    assert all(0 <= value <= 1 for value in verdict.features.values())
