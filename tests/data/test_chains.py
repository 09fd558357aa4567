"""Chains: where each tag comes from, and a defined result for every shape of dialogue."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sage_data.chains import Config, DropReason, Variant, chain_dialogue, merge_moves
from sage_data.dialogue import Dialogue, Role, Source, State, Utterance
from sage_data.errors import InputError
from sage_data.sac import Chain, render
from sage_data.stage import run_stage
from sage_data.store.dialogues import from_table, to_table
from sage_data.store.shards import read_table, shard_name, write_table

SAD, GLAD, KIND, FUNNY = State("sharing", "sad"), State("gratitude", "glad"), State("comfort"), State("humor")


def say(role: Role, text: str, state: State | None = None, perceived: State | None = None) -> Utterance:
    return Utterance(role, text, state, perceived)


TALK = Dialogue(
    "talk",
    (
        say("user", "I eat alone.", SAD),
        say("assistant", "That is hard.", KIND),
        say("user", "Thanks.", GLAD),
        say("assistant", "{Any time.}", FUNNY),
    ),
    Source("reddit", "t3_1", "aww", 5, ("RC_2006-01.zst",)),
)


def replies(dialogue: Dialogue, **config: Any) -> list[Chain]:
    done = chain_dialogue(dialogue, Config(**config))
    written = [one["content"] for one in done.messages if one["role"] == "assistant"]
    chains = [one.chain for one in done.exchanges]
    plain = Config(**config).tags is Variant.NONE
    assert [chain.text if plain else render(chain) for chain in chains] == written
    return chains


def test_the_users_state_moves_to_the_start_of_the_reply() -> None:
    assert [one["content"] for one in chain_dialogue(TALK, Config()).messages] == [
        "I eat alone.",
        "{u_motivation: sharing, u_emotion: sad, u_topic: []} {a_motivation: comfort, a_emotion: null, a_topic: []} "
        "That is hard.",
        "Thanks.",
        "{u_motivation: gratitude, u_emotion: glad, u_topic: []} {a_motivation: humor, a_emotion: null, a_topic: []} "
        "\\{Any time.}",
    ]


@pytest.mark.parametrize(
    ("variant", "state", "action"),
    [
        (Variant.FULL, SAD, KIND),
        (Variant.NONE, None, None),
        (Variant.STATE, SAD, None),
        (Variant.ACTION, None, KIND),
    ],
)
def test_variants(variant: Variant, state: State | None, action: State | None) -> None:
    assert replies(TALK, variant=variant)[0] == Chain(state, action, "That is hard.")


def test_without_tags_a_reply_is_written_as_it_was_said() -> None:
    for config in (Config(variant=Variant.NONE), Config(sac=False)):
        assert chain_dialogue(TALK, config).messages[3] == {"role": "assistant", "content": "{Any time.}"}
        assert config.label == "none"


def test_chosen_slots_alone_are_written() -> None:
    config = Config(slots=("emotion", "motivation", "emotion"))
    assert config.label == "full:motivation,emotion"
    assert chain_dialogue(TALK, config).messages[1]["content"] == (
        "{u_motivation: sharing, u_emotion: sad} {a_motivation: comfort, a_emotion: null} That is hard."
    )
    state_alone = chain_dialogue(TALK, Config(variant=Variant.STATE, slots=("emotion",)))
    assert state_alone.messages[1]["content"] == "{u_emotion: sad} That is hard."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sac": False, "variant": "action"}, "the variant action asks for one"),
        ({"sac": False, "slots": ["emotion"]}, "slots are chosen of tags"),
        ({"variant": "none", "slots": ["emotion"]}, "slots are chosen of tags"),
        ({"slots": []}, "at least 1"),
        ({"slots": ["mood"]}, "'motivation', 'emotion' or 'topic'"),
        ({"export": []}, "at least 1"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Config.model_validate(options)


@pytest.mark.parametrize(
    ("utterance", "message"),
    [
        (say("user", None), "utterance 1: it has no text"),  # type: ignore[arg-type]
        (say("system", "Be kind."), "utterance 1: .* found 'system'"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_utterance_is_an_error(utterance: Utterance, message: str) -> None:
    with pytest.raises(InputError, match=message):
        chain_dialogue(replace(TALK, utterances=(TALK.utterances[0], utterance)), Config())


def test_an_empty_text_stays() -> None:
    talk = replace(TALK, utterances=(say("user", "", SAD), say("assistant", "", KIND)))
    assert [one["content"] for one in chain_dialogue(talk, Config(variant=Variant.NONE)).messages] == ["", ""]


def test_what_the_speaker_perceived_wins_over_the_annotation() -> None:
    seen = State("complaining", "angry")
    spoken = replace(TALK, utterances=(TALK.utterances[0], say("assistant", "Oh?", KIND, seen)))
    unannotated = replace(spoken, utterances=(say("user", "I eat alone."), spoken.utterances[1]))
    assert replies(spoken) == replies(unannotated) == [Chain(seen, KIND, "Oh?")]


def test_utterances_in_a_row_become_one() -> None:
    talk = replace(
        TALK,
        utterances=(
            say("user", "Hm.", GLAD),
            say("user", "I eat alone.", SAD),
            say("assistant", "Oh.", KIND),
            say("assistant", "Ha.", FUNNY),
        ),
    )
    assert replies(talk) == [Chain(SAD, KIND, "Oh.\nHa.")]
    assert merge_moves(talk.utterances)[0].text == "Hm.\nI eat alone."


def test_odd_ends_are_dropped_and_counted() -> None:
    talk = replace(
        TALK, utterances=(say("assistant", "Hi", KIND), *TALK.utterances, say("user", "Bye"), say("user", "!"))
    )
    result = chain_dialogue(talk, Config())
    assert (result.leading, result.trailing, len(result.messages)) == (1, 2, 4)


@pytest.mark.parametrize(
    "utterances",
    [
        (),
        (say("user", "Hi", SAD),),
        (say("assistant", "Hi", KIND),),
        (say("assistant", "Hi", KIND), say("user", "Hi", SAD)),
    ],
)
def test_without_an_exchange_a_dialogue_is_dropped(utterances: tuple[Utterance, ...]) -> None:
    result = chain_dialogue(replace(TALK, utterances=utterances), Config())
    assert (result.messages, result.reason) == ((), DropReason.NO_EXCHANGE)
    assert result.leading + result.trailing == len(utterances)


def test_missing_tags() -> None:
    bare = replace(TALK, utterances=(say("user", "I eat alone."), TALK.utterances[1]))
    assert chain_dialogue(bare, Config()).reason is DropReason.UNANNOTATED
    assert replies(bare, missing="omit") == [Chain(None, KIND, "That is hard.")]
    assert replies(bare, missing="null") == [Chain(State(), KIND, "That is hard.")]
    assert replies(bare, variant="action") == [Chain(None, KIND, "That is hard.")]
    assert replies(bare, variant="none", missing="null") == [Chain(None, None, "That is hard.")]


TURNS = st.lists(
    st.builds(
        Utterance,
        st.sampled_from(["user", "assistant"]),
        st.sampled_from(["a", "{b}", "c\nd"]),
        st.sampled_from([None, SAD, State("a, b", None, ("null",))]),
        st.sampled_from([None, GLAD]),
    ),
    max_size=8,
).map(tuple)


@given(TURNS, st.sampled_from(Variant), st.sampled_from(["reject", "omit", "null"]))
def test_any_dialogue_alternates_and_loses_nothing_uncounted(
    utterances: tuple[Utterance, ...], variant: Variant, missing: str
) -> None:
    config = Config.model_validate({"variant": variant, "missing": missing})
    result = chain_dialogue(replace(TALK, utterances=utterances), config)
    assert (result.reason is None) == bool(result.messages)
    if result.reason is not None:
        assert missing == "reject" or result.reason is DropReason.NO_EXCHANGE
        return
    assert [one["role"] for one in result.messages] == ["user", "assistant"] * (len(result.messages) // 2)
    kept = utterances[result.leading : len(utterances) - result.trailing]
    said = [text for one in result.exchanges for text in (one.user, one.chain.text)]
    assert "\n".join(said) == "\n".join(one.text for one in kept)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    bare = replace(TALK, id="bare", utterances=(say("user", "Hi"), say("assistant", "Hi")))
    odd = replace(TALK, id="odd", utterances=(*TALK.utterances, say("user", "Bye")))
    for index, dialogues in enumerate([[TALK, replace(TALK, id="alone", utterances=TALK.utterances[:1])], [bare, odd]]):
        write_table(tmp_path / "in" / shard_name("dialogues", index), to_table(dialogues))
    return tmp_path / "in"


def test_stage_counts_rejects_and_provenance(tmp_path: Path, folder: Path) -> None:
    manifest = run_stage("sage_data.chains", {}, {"dialogues": [folder]}, tmp_path / "out")
    counted = {one.unit: (one.came_in, one.kept, dict(one.dropped)) for one in manifest.counts}
    assert counted == {
        "dialogues": (4, 2, {"no_exchange": 1, "unannotated": 1}),
        "utterances": (12, 8, {"in_dropped_dialogue": 3, "trailing_user": 1}),
    }
    rows = read_table(tmp_path / "out", "messages").to_pylist()
    assert [(row["id"], row["exchanges"], row["place"], row["thread"]) for row in rows] == [
        ("talk", 2, "aww", "t3_1"),
        ("odd", 2, "aww", "t3_1"),
    ]
    rejected = read_table(tmp_path / "out" / "rejected", "messages")
    assert [one.id for one in from_table(rejected)] == ["alone", "bare"]
    assert rejected["reason"].to_pylist() == ["no_exchange", "unannotated"]
    assert "4 in, 2 kept" in (tmp_path / "out" / "summary.txt").read_text()


def test_dialogues_without_states_give_nothing_and_that_is_said(tmp_path: Path) -> None:
    plain = Dialogue("a", (Utterance("user", "Hi."), Utterance("assistant", "Hello!")))
    write_table(tmp_path / "in" / shard_name("dialogues", 0), to_table([plain]))
    manifest = run_stage("sage_data.chains", {}, {"dialogues": tmp_path / "in"}, tmp_path / "out")
    assert [("annotate them first" in one) for one in manifest.warnings] == [True]
    assert (
        run_stage("sage_data.chains", {"sac": False}, {"dialogues": tmp_path / "in"}, tmp_path / "raw").warnings == []
    )


def test_stage_gives_the_same_bytes_each_time(tmp_path: Path, folder: Path) -> None:
    runs = [run_stage("sage_data.chains", {}, {"dialogues": [folder]}, tmp_path / name) for name in ("a", "b")]
    assert runs[0].content_hash == runs[1].content_hash


def test_datasets_reads_the_messages(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    datasets = pytest.importorskip("datasets")
    run_stage("sage_data.chains", {}, {"dialogues": [folder]}, tmp_path / "out")
    files = str(tmp_path / "out" / "messages-*.parquet")
    loaded = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=os.fspath(tmp_path / "cache"))
    assert loaded.num_rows == 2
    assert loaded[0]["messages"][0] == {"role": "user", "content": "I eat alone."}
