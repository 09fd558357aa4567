"""The dialogue classes: frozen, comparable, with stated defaults."""

from __future__ import annotations

import dataclasses

import pytest

from sage_data.dialogue import Dialogue, Scenario, Source, State, Utterance

DIALOGUE = Dialogue("d1", (Utterance("user", "Hi"), Utterance("assistant", "Hello", State("greeting"))))


@pytest.mark.parametrize(
    "value",
    [State("sharing"), Utterance("user", "Hi"), Source("reddit"), DIALOGUE, Scenario("s1", "I won.", "proud", "test")],
)
def test_values_are_frozen_hashable_and_equal_by_content(value: object) -> None:
    first = dataclasses.fields(value)[0].name  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, first, "changed")
    copy = dataclasses.replace(value)  # type: ignore[type-var]
    assert copy == value
    assert hash(copy) == hash(value)


def test_an_unannotated_utterance_is_not_one_with_an_empty_state() -> None:
    bare = Utterance("user", "Hi")
    assert bare.state is None
    assert bare != dataclasses.replace(bare, state=State())


def test_defaults_claim_nothing() -> None:
    dialogue = Dialogue("d1", ())
    assert (dialogue.source, dialogue.scenario_id, dialogue.model) == (Source("unknown"), None, None)
    assert State() == State(None, None, ())
