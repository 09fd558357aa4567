"""The world's talk: sentiment by the real VADER, states with cues, no repetition, a small vocabulary."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.sentiment.vader import VaderConstants

from sage_data.errors import MissingDependencyError
from sage_data.gates.lexicon import load_lexicon
from sage_data.gates.sentiment import CompoundScorer, nltk_analyzer
from sage_data.sample.base import base_documents
from sage_data.sample.characters import (
    ASSISTANT_EMOTIONS,
    ASSISTANT_MOTIVATIONS,
    RARE_ACTIONS,
    USER_EMOTIONS,
    USER_MOTIVATIONS,
    action_weights,
)
from sage_data.sample.cues import EMOTION_CUES, MOTIVATION_CUES, found, topic_words
from sage_data.sample.talk import Style, Turn, chill, converse
from sage_data.sample.wording import banks, exchanges, topics

MARGIN = 0.45
TALKS = 400
SEEDS = st.integers(0, 10**6)


@pytest.fixture(scope="module")
def talks() -> list[list[Turn]]:
    return [converse(Random(f"test:{number}"), 5 + number % 6) for number in range(TALKS)]


@pytest.fixture(scope="module")
def scorer() -> CompoundScorer:
    try:
        return CompoundScorer(load_lexicon().valences)
    except MissingDependencyError as error:
        pytest.skip(str(error))


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def sentences(text: str) -> list[str]:
    return [part.strip(' ."!?') for part in re.split(r"(?<=[.!?]) ", text)]


def test_same_generator_same_talk() -> None:
    assert converse(Random("x"), 8) == converse(Random("x"), 8)
    assert converse(Random("x"), 8) != converse(Random("y"), 8)


@given(SEEDS, st.integers(5, 10))
def test_a_warm_talk_passes_shape_gates(seed: int, turns: int) -> None:
    talk = converse(Random(seed), turns)
    assert [turn.role for turn in talk] == ["assistant" if index % 2 else "user" for index in range(turns)]
    assert sum(len(turn.text.split()) for turn in talk) > 18 * turns
    assert any(turn.asks for turn in talk)


@given(SEEDS, st.integers(5, 10))
def test_nobody_asks_in_a_plain_talk(seed: int, turns: int) -> None:
    talk = converse(Random(seed), turns, style=Style.PLAIN)
    assert not any(turn.asks for turn in talk)
    assert sum(len(turn.text.split()) for turn in talk) > 18 * turns


@given(SEEDS, st.integers(5, 8))
def test_a_short_talk_is_short_and_asks(seed: int, turns: int) -> None:
    talk = converse(Random(seed), turns, style=Style.SHORT)
    assert sum(len(turn.text.split()) for turn in talk) < 13 * turns
    assert any(turn.asks for turn in talk)


@given(SEEDS)
def test_a_formal_assistant_is_long_and_asks_nothing(seed: int) -> None:
    replies = [turn for turn in converse(Random(seed), 6, style=Style.FORMAL) if turn.role == "assistant"]
    assert all("?" not in turn.text and 42 < len(turn.text.split()) < 110 for turn in replies)


@given(SEEDS)
def test_no_sentence_twice_in_one_talk(seed: int) -> None:
    said = [one for turn in converse(Random(seed), 10) for one in sentences(turn.text)]
    assert len(said) == len(set(said))


@given(SEEDS, st.integers(5, 10))
def test_text_is_clean(seed: int, turns: int) -> None:
    for turn in converse(Random(seed), turns):
        assert not re.search(r"[{}\n]|  | [.,!?:]|\.\.|,,|,\.", turn.text)
        assert turn.text[0].isupper()
        assert turn.text[-1] in ".!?"
        assert not re.search(r"\b(\w+) \1\b", turn.text), turn.text
        assert not re.search(r"\ba [aeio]\w+", turn.text), turn.text


def test_every_warm_utterance_passes_the_sentiment_gate(talks: list[list[Turn]], scorer: CompoundScorer) -> None:
    for style in (Style.WARM, Style.PLAIN, Style.SHORT):
        some = talks if style is Style.WARM else [converse(Random(number), 7, style=style) for number in range(100)]
        low = [turn.text for talk in some for turn in talk if scorer.compound(turn.text) <= MARGIN]
        assert not low


@pytest.mark.slow
def test_many_warm_utterances_pass_the_sentiment_gate(scorer: CompoundScorer) -> None:
    for number in range(10_000):
        for turn in converse(Random(f"many:{number}"), 8):
            assert scorer.compound(turn.text) > 0.4, turn.text


def test_a_chilled_utterance_fails_the_sentiment_gate(talks: list[list[Turn]], scorer: CompoundScorer) -> None:
    for number, talk in enumerate(talks):
        index = number % len(talk)
        cold = chill(Random(number), talk, index)
        assert [turn.cold for turn in cold] == [place == index for place in range(len(talk))]
        assert scorer.compound(cold[index].text) < 0


def test_scorer_is_nltk_on_this_text(talks: list[list[Turn]], scorer: CompoundScorer) -> None:
    analyzer = nltk_analyzer(load_lexicon().valences)
    for talk in talks[:40]:
        for turn in talk:
            assert scorer.compound(turn.text) == analyzer.polarity_scores(turn.text)["compound"]


def test_no_clause_ends_in_a_negation() -> None:
    # VADER turns around a word up to three words after a negation, and feelings are put right behind these clauses.
    for topic in topics().values():
        for key in ("good", "bad", "wish", "old"):
            for line in topic.lines[key]:
                tail = [word for word in words(line) if len(word) > 1][-3:]
                assert not any(word in VaderConstants.NEGATE or word.endswith("n't") for word in tail), line


def test_every_utterance_holds_cues_of_its_state(talks: list[list[Turn]]) -> None:
    for talk in talks:
        for turn in talk:
            assert found(turn.text, EMOTION_CUES[turn.role]) == (turn.state.emotion,), turn
            assert turn.state.motivation in found(turn.text, MOTIVATION_CUES[turn.role]), turn


def test_cues_name_every_state() -> None:
    assert tuple(EMOTION_CUES["user"]) == USER_EMOTIONS
    assert set(EMOTION_CUES["assistant"]) == set(ASSISTANT_EMOTIONS)
    assert tuple(MOTIVATION_CUES["user"]) == USER_MOTIVATIONS
    assert set(MOTIVATION_CUES["assistant"]) == set(ASSISTANT_MOTIVATIONS)


def test_the_world_is_wide_and_its_vocabulary_small(talks: list[list[Turn]]) -> None:
    assert len(topics()) >= 40
    assert len({turn.text for talk in talks for turn in talk}) > 0.98 * sum(map(len, talks))
    spoken = {word for talk in talks for turn in talk for word in words(turn.text)}
    spoken |= {word for _, messages in base_documents(1, 1500) for one in messages for word in words(one["content"])}
    spoken |= {word for topic in topics().values() for lines in topic.lines.values() for word in words(" ".join(lines))}
    assert 1000 < len(spoken) <= 1500


def test_every_topic_is_complete_and_has_words_of_its_own() -> None:
    for name, topic in topics().items():
        assert len(topic.exchanges) == 4
        assert {key: len(lines) for key, lines in topic.lines.items()} == {
            "good": 3,
            "bad": 3,
            "wish": 2,
            "tip": 3,
            "joke": 2,
            "own": 2,
            "old": 2,
            "idea": 1,
        }
        assert len(topic_words()[name]) >= 3, name


def test_no_line_is_written_twice() -> None:
    lines = [line for topic in topics().values() for group in topic.lines.values() for line in group]
    lines += [one.pattern for frames in banks().values() for one in frames]
    lines += [pair.question.pattern for pair in exchanges()]
    assert len(lines) == len(set(lines))


def test_actions_depend_on_the_user_and_some_are_rare() -> None:
    for emotion in USER_EMOTIONS:
        for motivation in USER_MOTIVATIONS:
            weights = action_weights(emotion, motivation)
            assert set(weights) <= set(ASSISTANT_MOTIVATIONS)
            for rare in ("philosophical", "homesickness"):
                assert 0.005 < weights[rare] / sum(weights.values()) < 0.05
    assert action_weights("sad", "sharing")["empathy"] > action_weights("sad", "sharing").get("humor", 0)
    advice = action_weights("sad", "seeking advice")
    assert max(advice, key=advice.__getitem__) == "suggestion"


def test_rare_actions_occur_and_stay_rare() -> None:
    seen = [turn.state.motivation for number in range(600) for turn in converse(Random(number), 8)[1::2]]
    for name in RARE_ACTIONS:
        assert 0.005 < seen.count(name) / len(seen) < 0.06
