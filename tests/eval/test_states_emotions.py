"""Free emotion words against the 32 labels: the mapping that ships, and what is never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_eval.states.emotions import accuracy_rows, plain, shipped_mapping

LABELS = """
afraid angry annoyed anticipating anxious apprehensive ashamed caring confident content devastated disappointed
disgusted embarrassed excited faithful furious grateful guilty hopeful impressed jealous joyful lonely nostalgic
prepared proud sad sentimental surprised terrified trusting
"""
"""The 32 of EmpatheticDialogues (Rashkin et al. 2019)."""


def test_the_labels_are_the_32_and_each_stands_for_itself():
    mapping = shipped_mapping()
    assert mapping.labels == sorted(LABELS.split())
    assert len(mapping.labels) == 32
    assert all(mapping.label(one) == one for one in mapping.labels)


@pytest.mark.parametrize(
    ("emotion", "label"),
    [
        ("Happy", "joyful"),
        ("very  unhappy", "sad"),
        ("a little bit scared", None),
        ("a bit scared", "afraid"),
        ("feeling very nervous", "anxious"),
        ("heart-broken", None),
        ("heartbroken", "devastated"),
        ("self-assured", "confident"),
        ("\uff33\uff41\uff44", "sad"),
        ("upset", None),
        ("frustrated and sad", None),
        ("not sad", None),
        ("", None),
        (None, None),
        ("neutral", None),
    ],
)
def test_words_are_mapped_or_left_out(emotion, label):
    assert shipped_mapping().label(emotion) == label


@given(
    st.sampled_from(sorted(shipped_mapping().words)), st.lists(st.sampled_from(shipped_mapping().openings), max_size=3)
)
def test_openings_and_case_change_nothing(word, openings):
    mapping = shipped_mapping()
    written = " ".join([*openings, word])
    assert mapping.label(written) == mapping.label(written.upper()) == mapping.words[word]


@given(st.text(max_size=30))
def test_a_word_is_mapped_only_when_it_is_in_the_list(text):
    mapping = shipped_mapping()
    assert mapping.label(text) is None or plain(text).endswith(tuple(mapping.words))


def reading(number, label, mapped, position=0):
    hit = None if mapped is None else mapped == label
    return {
        "kind": "perceived",
        "dialogue_id": f"d{number}",
        "scenario_id": f"s{number}",
        "reading": position,
        "label": label,
        "mapped": mapped,
        "hit": hit,
    }


def test_accuracy_by_hand():
    rows = [
        *(reading(n, "sad", "sad") for n in range(6)),
        *(reading(n, "sad", "proud") for n in range(6, 8)),
        *(reading(n, "proud", "proud") for n in range(8, 11)),
        reading(11, "proud", None),
        reading(11, "proud", "proud", position=1),
    ]
    first, every, any_of = accuracy_rows(rows, level=0.95, seed=0)
    assert (first["readings"], first["mapped"], first["hits"]) == (12, 11, 9)
    assert (first["accuracy"], first["strict"]) == (pytest.approx(9 / 11), pytest.approx(9 / 12))
    # Expected by chance: (8/11)(6/11) + (3/11)(5/11) = 63/121; observed 99/121.
    assert first["kappa"] == pytest.approx((99 - 63) / (121 - 63))
    assert (every["readings"], every["hits"]) == (13, 10)
    # In the last dialogue the second reading is right, which "any" takes.
    assert (any_of["readings"], any_of["hits"], any_of["coverage"], any_of["kappa"]) == (12, 10, 1.0, None)
