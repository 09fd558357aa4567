"""Dialogues without their words: what stays, what is refused, and which rows a tombstone takes along."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_data.chains import MESSAGE_SCHEMA
from sage_data.dialogue import Dialogue, Scenario, Source, State, Utterance
from sage_data.errors import InputError, PublishError
from sage_data.publishing.withholding import (
    LONGEST_TAG,
    MOST_TOPICS,
    WITHHELD_SCHEMA,
    drop_tombstones,
    from_comments,
    hashed,
    must_withhold,
    read_tombstones,
    tombstoned,
    trace,
    withhold,
)
from sage_data.reddit import ORIGIN
from sage_data.stage import Origin
from sage_data.store.dialogues import DIALOGUE_SCHEMA, SCENARIO_SCHEMA, scenarios_to_table, to_table
from sage_data.store.manifest import Manifest

CALM = State("sharing", "calm", ("tea", "rain"))


def dialogue(name: str, *ids: str, text: str = "said in {}") -> Dialogue:
    utterances = tuple(
        Utterance("assistant" if place % 2 else "user", text.format(one), CALM if place else None, source_id=one)
        for place, one in enumerate(ids)
    )
    return Dialogue(name, utterances, Source("reddit", "t3_x", "books", 10, ("RC_2006-01.zst",)))


TWO = to_table([dialogue("a", "c1", "c2"), dialogue("b", "t3_x", "c4", "c5")])
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""SHA-256 of "abc", the standard's own example (FIPS 180-4)."""


def test_a_text_becomes_its_hash_and_its_length() -> None:
    (row,) = withhold(to_table([dialogue("a", "c1", text="abc")])).to_pylist()
    (utterance,) = row["utterances"]
    assert utterance == {
        "role": "user",
        "state": None,
        "perceived": None,
        "source_id": "c1",
        "text_sha256": ABC,
        "original_sha256": None,
        "characters": 3,
    }


def test_all_else_stays() -> None:
    withheld = withhold(TWO)
    assert withheld.schema == WITHHELD_SCHEMA
    assert withheld.drop_columns("utterances").equals(TWO.drop_columns("utterances"))
    for before, after in zip(TWO["utterances"].to_pylist(), withheld["utterances"].to_pylist(), strict=True):
        assert [{key: one[key] for key in ("role", "state", "perceived", "source_id")} for one in before] == [
            {key: one[key] for key in ("role", "state", "perceived", "source_id")} for one in after
        ]


@given(st.lists(st.lists(st.text(), max_size=4), max_size=6), st.integers(0, 6), st.integers(0, 6))
def test_the_hash_is_of_the_text_as_it_stands(said: list[list[str]], start: int, length: int) -> None:
    """Neither normalised nor stripped; lengths are in code points; a slice of a table is what it shows."""
    dialogues = [
        replace(dialogue(str(row)), utterances=tuple(Utterance("user", text, source_id="c") for text in texts))
        for row, texts in enumerate(said)
    ]
    withheld = withhold(to_table(dialogues).slice(start, length)).to_pylist()
    assert [[(one["text_sha256"], one["characters"]) for one in row["utterances"]] for row in withheld] == [
        [(hashlib.sha256(text.encode()).hexdigest(), len(text)) for text in texts]
        for texts in said[start : start + length]
    ]


def test_words_are_nowhere_in_the_bytes() -> None:
    secret = "the heron stood in the marsh"
    sink = pa.BufferOutputStream()
    withheld = withhold(to_table([dialogue("a", "c1", "c2", text=secret)]))
    with pa.ipc.new_file(sink, withheld.schema) as file:
        file.write_table(withheld)
    assert secret.encode() not in sink.getvalue().to_pybytes()


def test_chunks_and_wide_types_do_not_matter() -> None:
    wide = pa.schema(
        [pa.field(one.name, pa.large_string() if one.type == pa.string() else one.type) for one in DIALOGUE_SCHEMA]
    )
    assert withhold(pa.concat_tables([TWO.slice(0, 1), TWO.slice(1)]).cast(wide)).equals(withhold(TWO))


def test_the_authors_own_words_have_a_hash_too() -> None:
    rewrites = pa.table({"dialogue": ["b", "gone"], "index": [2, 0], "original": ["abc", "x"], "bridge": ["", ""]})
    rows = withhold(TWO, hashed(rewrites))["utterances"].to_pylist()
    assert [[one["original_sha256"] for one in row] for row in rows] == [[None, None], [None, None, ABC]]
    assert hashed(None) is hashed(rewrites.slice(0, 0)) is None


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (MESSAGE_SCHEMA.empty_table(), "messages"),
        (SCENARIO_SCHEMA.empty_table(), "situation"),
        (
            to_table(
                [
                    dialogue("a", "c1"),
                    Dialogue(
                        "b", (Utterance("user", "x", State(None, None, ("t",) * 11), None, "c"),), Source("reddit")
                    ),
                ]
            ),
            "at most 10 topics .* up to 11 in 1 utterances, the first in dialogue b",
        ),
        (TWO.append_column("note", pa.array(["x", "y"])), "note"),
        (to_table([dialogue("a", "c1"), replace(dialogue("b", "c2"), source=Source("hit"))]), "the first is b"),
        (to_table([dialogue("a", "c1"), Dialogue("b", (Utterance("user", "x"),), Source("reddit"))]), "dialogue b"),
        (
            to_table(
                [
                    dialogue("a", "c1"),
                    Dialogue(
                        "b", (Utterance("user", "x", State(None, None, ("t" * 81,)), None, "c"),), Source("reddit")
                    ),
                ]
            ),
            "found 81 in dialogue b",
        ),
    ],
)
def test_what_cannot_be_withheld_is_refused(table: pa.Table, says: str) -> None:
    with pytest.raises(PublishError, match=says) as caught:
        withhold(table)
    assert caught.value.next_step


def test_the_longest_tag_passes() -> None:
    state = State("m" * LONGEST_TAG, "e" * LONGEST_TAG, ("t" * LONGEST_TAG,) * MOST_TOPICS)
    table = to_table([Dialogue("a", (Utterance("user", "x", state, state, "c1"),), Source("reddit"))])
    assert withhold(table).num_rows == 1


def test_withheld_is_what_derives_from_such_an_origin() -> None:
    free = Origin(name="ours", license="cc0-1.0")
    assert must_withhold([free, ORIGIN])
    assert not must_withhold([free])
    assert not must_withhold([])


@pytest.mark.parametrize("table", [TWO, withhold(TWO)])
@pytest.mark.parametrize(
    ("ids", "left"),
    [
        ([], ["a", "b"]),
        (["c2"], ["b"]),
        (["t1_c2"], ["b"]),
        (["t3_x"], ["a"]),
        (["x", "c"], ["a", "b"]),
        (["c1", "c5"], []),
    ],
)
def test_a_tombstone_takes_the_whole_dialogue(table: pa.Table, ids: list[str], left: list[str]) -> None:
    kept, dropped = drop_tombstones(table, ids)
    assert kept["id"].to_pylist() == left
    assert dropped == 2 - len(left)
    assert kept.schema == table.schema


def test_ids_in_the_data_may_have_their_prefix() -> None:
    table = to_table([dialogue("a", "t1_c1")])
    assert drop_tombstones(table, ["c1"])[1] == drop_tombstones(table, ["t1_c1"])[1] == 1


def test_later_rows_of_a_slice_are_found() -> None:
    assert tombstoned(TWO.slice(1), ["c4"]) == ["b"]


def test_rows_that_name_no_comments_go_by_their_dialogue() -> None:
    messages = pa.Table.from_pylist([{"id": "a", "messages": []}, {"id": "b", "messages": []}], schema=MESSAGE_SCHEMA)
    kept, dropped = drop_tombstones(messages, ["c2"], trace([TWO], ["c2"]))
    assert (kept["id"].to_pylist(), dropped) == (["b"], 1)
    assert drop_tombstones(messages, [])[1] == 0
    with pytest.raises(PublishError, match="names its comments"):
        drop_tombstones(messages, ["c2"])
    with pytest.raises(PublishError, match="names its comments"):
        drop_tombstones(messages, ["c2"], trace([TWO.slice(1)], ["c2"]))


SCENARIOS = scenarios_to_table([Scenario(name, f"said in {name}", None, "train") for name in ("a", "b")])
"""What the scenarios stage makes of `TWO`: the first utterance under the dialogue's id."""


def test_situations_go_with_the_dialogues_that_they_were_made_from() -> None:
    kept, dropped = drop_tombstones(SCENARIOS, ["c2"], trace([TWO], ["c2"]))
    assert (kept["id"].to_pylist(), dropped) == (["b"], 1)
    with pytest.raises(PublishError, match="2 rows of which nothing is known, such as id a"):
        drop_tombstones(SCENARIOS, ["c2"])


def test_situations_that_no_comment_was_made_into_stay() -> None:
    assert drop_tombstones(SCENARIOS, ["c2"], comments=False)[1] == 0
    # Should their dialogues be known all the same, they go with them.
    assert drop_tombstones(SCENARIOS, ["c2"], trace([TWO], ["c2"]), comments=False)[1] == 1


def test_what_was_spoken_from_a_tombstoned_situation_goes_too() -> None:
    played = to_table(
        [
            replace(dialogue("p1", "x"), scenario_id="a"),
            replace(dialogue("p2", "y"), scenario_id="p1"),
            replace(dialogue("p3", "z"), scenario_id="b"),
            dialogue("p4", "w"),
        ]
    )
    traced = trace([played, TWO], ["c2"])
    assert drop_tombstones(played, ["c2"], traced)[0]["id"].to_pylist() == ["p3", "p4"]
    messages = pa.table({"id": ["p2", "p3"], "scenario_id": ["p1", "b"]})
    assert drop_tombstones(messages, ["c2"], traced)[0]["id"].to_pylist() == ["p3"]
    with pytest.raises(PublishError, match="such as scenario_id b"):
        drop_tombstones(played, ["c2"], trace([played, TWO.slice(0, 1)], ["c2"]))
    assert drop_tombstones(played, ["c2"], trace([played, TWO.slice(0, 1)], ["c2"], ["b"]))[1] == 2


def test_rows_may_hold_comments_where_their_source_or_a_stage_above_says_so() -> None:
    assert from_comments(manifest(origins=[ORIGIN]))
    assert from_comments(manifest(uses="sage_data.reddit"))
    assert not from_comments(manifest(origins=[Origin(name="ours", license="cc0-1.0")]))


def manifest(**changed: Any) -> Manifest:
    plain = {"stage": "x", "uses": "x", "version": 1, "fingerprint": "", "content_hash": "", "config": {}, "seed": 0}
    return Manifest(**{**plain, "inputs": {}, "files": [], **changed})


def test_dialogues_of_before_there_were_splits_are_withheld_too() -> None:
    source = DIALOGUE_SCHEMA.field("source").type
    old = pa.struct([field for field in source if field.name != "split"])
    place = DIALOGUE_SCHEMA.get_field_index("source")
    before = TWO.cast(DIALOGUE_SCHEMA.set(place, pa.field("source", old)))
    assert withhold(before).equals(withhold(TWO))


def test_tombstones_are_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "gone.txt"
    path.write_bytes("\ufeff# asked for on Monday\r\nt1_c1\r\n\r\n  c2 # and this\nt3_x\n".encode())
    assert read_tombstones(path) == {"c1", "c2", "t3_x"}


@pytest.mark.parametrize("line", ["https://www.reddit.com/r/books", "C1", "c1 c2", "t1_", "t2_ann", "ü"])
def test_a_line_that_is_no_id_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "gone.txt"
    path.write_text(f"c1\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2: expected a comment's id"):
        read_tombstones(path)


def test_no_file_of_tombstones_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a text file"):
        read_tombstones(tmp_path / "nothing.txt")
