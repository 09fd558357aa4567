"""Topics: nouns first, those the dialogue comes back to before others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sage_data.annotation.cues import words
from sage_data.annotation.topics import pick_topics


def topics(*texts: str, limit: int = 3) -> list[tuple[str, ...]]:
    return pick_topics([words(text) for text in texts], limit)


def test_nouns_behind_articles_and_prepositions() -> None:
    assert topics("I rode my old red bike to the lake.") == [("bike", "lake")]
    assert topics("Please do it again, and quickly!") == [()]


def test_a_noun_shown_once_is_a_noun_everywhere_and_plurals_count_together() -> None:
    assert topics("I have a dog.", "Dogs are funny.") == [("dog",), ("dogs",)]


def test_what_the_dialogue_comes_back_to_ranks_first() -> None:
    said = ("In the morning I fed the cat in the kitchen.", "How is the cat?")
    assert topics(*said) == [("cat", "kitchen"), ("cat",)]
    assert topics(*said, limit=1) == [("cat",), ("cat",)]
    assert topics(*said, limit=0) == [(), ()]


@given(st.lists(st.text(max_size=40), max_size=4), st.integers(0, 4))
def test_topics_are_words_of_their_utterance(texts: list[str], limit: int) -> None:
    picked = topics(*texts, limit=limit)
    assert len(picked) == len(texts)
    for text, found in zip(texts, picked, strict=True):
        assert len(found) <= limit
        assert set(found) <= set(words(text))
        assert len(set(found)) == len(found)
