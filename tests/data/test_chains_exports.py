"""The tables of chains: what is in them, that libraries read them, and that nothing is lost on the way back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from sage_data.chains import (
    SCHEMAS,
    Config,
    Export,
    Variant,
    chain_dialogue,
    merge_moves,
    read_back,
    read_conversation,
    read_messages,
    rows,
)
from sage_data.cli.stage_command import stage_command
from sage_data.dialogue import Dialogue, Source, State, Utterance
from sage_data.errors import InputError
from sage_data.sac import ALL_SLOTS, choose
from sage_data.stage import run_stage
from sage_data.store.dialogues import to_table
from sage_data.store.shards import read_table, shard_name, write_table

SAD, KIND = State("sharing", "sad", ("supper",)), State("comfort")
TALK = Dialogue(
    "talk",
    (
        Utterance("user", "I eat alone.", SAD),
        Utterance("assistant", "That is hard.", KIND),
        Utterance("user", "Thanks.", State()),
        Utterance("assistant", "{Any time.}", KIND),
    ),
    Source("reddit", "t3_1", "aww", 5),
)


def written(dialogues: list[Dialogue], config: Config, export: Export) -> list[dict[str, Any]]:
    """Rows as they come out of a Parquet file's columns."""
    found = [
        row
        for one in dialogues
        if (done := chain_dialogue(one, config)).exchanges
        for row in rows(export, one, done, config.label)
    ]
    result: list[dict[str, Any]] = pa.Table.from_pylist(found, schema=SCHEMAS[export]).to_pylist()
    return result


# --- what the tables hold -----------------------------------------------------------------------------------------


def test_conversations_are_sharegpt() -> None:
    (row,) = written([TALK], Config(sac=False), Export.CONVERSATIONS)
    assert row["conversations"] == [
        {"from": "human", "value": "I eat alone."},
        {"from": "gpt", "value": "That is hard."},
        {"from": "human", "value": "Thanks."},
        {"from": "gpt", "value": "{Any time.}"},
    ]
    assert (row["id"], row["variant"], row["exchanges"], row["place"]) == ("talk", "none", 2, "aww")


def test_pairs_hold_each_reply_once_with_all_that_came_before() -> None:
    (whole,) = written([TALK], Config(), Export.MESSAGES)
    first, second = written([TALK], Config(), Export.COMPLETIONS)
    assert (first["exchange"], first["prompt"], first["completion"]) == (
        0,
        whole["messages"][:1],
        whole["messages"][1:2],
    )
    assert (second["exchange"], second["prompt"], second["completion"]) == (
        1,
        whole["messages"][:3],
        whole["messages"][3:],
    )


def test_turns_are_flat() -> None:
    first, second = written([TALK], Config(variant=Variant.STATE, slots=("motivation", "emotion")), Export.TURNS)
    assert {key: value for key, value in first.items() if value is not None} == {
        "id": "talk",
        "exchange": 0,
        "user_text": "I eat alone.",
        "reply_text": "That is hard.",
        "u_motivation": "sharing",
        "u_emotion": "sad",
        "u_topics": [],
        "variant": "state:motivation,emotion",
        "corpus": "reddit",
        "thread": "t3_1",
        "place": "aww",
        "created_utc": 5,
    }
    assert (second["exchange"], second["reply_text"], second["u_topics"], second["a_topics"]) == (
        1,
        "{Any time.}",
        [],
        None,
    )


# --- and back -----------------------------------------------------------------------------------------------------

NASTY = (
    "null", "", "\\", "\\{", "{", "}", '"', "'", "a, b", "[x]", "\n", "\r\n", "\x00", "\u2028", "😀", "שלום", "None",
    "{u_motivation: a, u_emotion: b, u_topic: []} hi", "{a_emotion: x} ", "\\{u_emotion: x} y", "</s><|im_end|>", "a~2",
)  # fmt: skip
TEXTS = st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
STATES = st.builds(State, st.none() | TEXTS, st.none() | TEXTS, st.lists(TEXTS, max_size=3).map(tuple))
UTTERANCES = st.builds(
    Utterance, st.sampled_from(["user", "assistant"]), TEXTS, st.none() | STATES, st.none() | st.none() | STATES
)
DIALOGUES = st.lists(
    st.builds(
        Dialogue,
        st.just("x"),
        st.lists(UTTERANCES, max_size=7).map(tuple),
        st.builds(Source, TEXTS, st.none() | TEXTS, st.none() | TEXTS, st.none() | st.integers(0, 2**40)),
        st.none() | TEXTS,
        st.none() | TEXTS,
    ),
    max_size=3,
).map(lambda some: [replace(one, id=f"d{number}") for number, one in enumerate(some)])
SLOTS = st.sets(st.sampled_from(ALL_SLOTS), min_size=1).map(lambda some: tuple(sorted(some)))
CONFIGS = st.builds(
    lambda variant, slots, missing: Config(
        variant=variant, slots=ALL_SLOTS if variant is Variant.NONE else slots, missing=missing
    ),
    st.sampled_from(Variant),
    SLOTS | st.just(ALL_SLOTS),
    st.sampled_from(["reject", "omit", "null"]),
)


def remaining(dialogue: Dialogue, config: Config) -> Dialogue:
    """What of a dialogue a table of this variant can hold, said without any grammar."""
    roles = [one.role for one in dialogue.utterances]
    first = roles.index("user")
    last = len(roles) - roles[::-1].index("assistant")
    moves = merge_moves(dialogue.utterances[first:last])
    utterances = []
    for user, reply in zip(moves[::2], moves[1::2], strict=True):
        seen = user.state if reply.perceived is None else reply.perceived
        utterances += [
            Utterance("user", user.text, kept(seen, config, Variant.STATE)),
            Utterance("assistant", reply.text, kept(reply.state, config, Variant.ACTION)),
        ]
    return replace(dialogue, utterances=tuple(utterances))


def kept(state: State | None, config: Config, alone: Variant) -> State | None:
    if config.variant not in (Variant.FULL, alone):
        return None
    given = State() if state is None and config.missing == "null" else state
    return None if given is None else choose(given, config.slots)


@settings(max_examples=200)
@given(DIALOGUES, CONFIGS, st.sampled_from(Export))
def test_every_table_of_every_variant_is_read_back(dialogues: list[Dialogue], config: Config, export: Export) -> None:
    table = written(dialogues, config, export)
    back = list(read_back(table, export))
    assert back == [remaining(one, config) for one in dialogues if chain_dialogue(one, config).exchanges]
    assert written(back, config, export) == table


def test_single_rows_are_read_back() -> None:
    (messages,) = written([TALK], Config(), Export.MESSAGES)
    (conversation,) = written([TALK], Config(), Export.CONVERSATIONS)
    assert read_messages(messages) == read_conversation(conversation) == TALK


@pytest.mark.parametrize(
    ("export", "change", "message"),
    [
        (Export.MESSAGES, {"messages": []}, "dialogue 'talk': expected user and assistant in turn, found nothing"),
        (Export.MESSAGES, {"messages": [{"role": "user", "content": ""}]}, "found user"),
        (Export.MESSAGES, {"variant": "mixed"}, "several variants"),
        (Export.CONVERSATIONS, {"conversations": [{"from": "gpt", "value": ""}] * 2}, "expected human and gpt"),
        (Export.COMPLETIONS, {"exchange": 1}, "exchanges 0 to 0 in order, found 1"),
        (Export.COMPLETIONS, {"completion": []}, "is not how exchange 0 begins"),
        (Export.TURNS, {"exchange": 3}, "order the rows by id and exchange"),
    ],
)
def test_rows_of_another_shape_are_named(export: Export, change: dict[str, Any], message: str) -> None:
    row = written([replace(TALK, utterances=TALK.utterances[:2])], Config(), export)[0] | change
    with pytest.raises(InputError, match=message):
        list(read_back([row], export))


def test_pairs_that_do_not_belong_together_are_named() -> None:
    table = written([TALK], Config(), Export.COMPLETIONS)
    table[0]["prompt"] = [{"role": "user", "content": "Something else."}]
    with pytest.raises(InputError, match="the prompt of exchange 0 is not how exchange 1 begins"):
        list(read_back(table, Export.COMPLETIONS))


# --- the stage, and the libraries that read it --------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_table(tmp_path / "in" / shard_name("dialogues", 0), to_table([TALK, replace(TALK, id="bare", utterances=())]))
    write_table(tmp_path / "in" / shard_name("dialogues", 1), to_table([replace(TALK, id="more")]))
    config = Config(export=(Export.TURNS, Export.COMPLETIONS, Export.CONVERSATIONS, Export.MESSAGES))
    run_stage("sage_data.chains", config, {"dialogues": [tmp_path / "in"]}, tmp_path / "out")
    return tmp_path / "out"


def test_the_stage_writes_what_is_asked_for_and_counts_once(tmp_path: Path, folder: Path) -> None:
    names = {export: [path.name for path in sorted(folder.glob(f"{export}-*"))] for export in Export}
    assert names == {export: [f"{export}-00000.parquet", f"{export}-00001.parquet"] for export in Export}
    assert [path.name for path in (folder / "rejected").iterdir()] == ["messages-00000.parquet"]
    assert "tables: messages, completions, conversations, turns" in (folder / "summary.txt").read_text()
    turns = run_stage("sage_data.chains", {"export": ["turns"]}, {"dialogues": [tmp_path / "in"]}, tmp_path / "turns")
    both = run_stage("sage_data.chains", {}, {"dialogues": [tmp_path / "in"]}, tmp_path / "messages")
    assert turns.counts == both.counts
    assert [one.came_in for one in turns.counts] == [3, 8]
    assert not list((tmp_path / "turns").glob("messages-*"))
    assert read_table(tmp_path / "turns", "turns") == read_table(folder, "turns")


def test_the_command_line_has_all_of_it(tmp_path: Path, folder: Path) -> None:
    command = stage_command("sac", "sage_data.chains", "write chains", "")
    source = str(tmp_path / "in")
    ran = CliRunner().invoke(command, [source, "--out", str(tmp_path / "plain"), "--no-sac", "--export", "turns", "-q"])
    assert ran.exit_code == 0, ran.output
    assert set(read_table(tmp_path / "plain", "turns")["variant"].to_pylist()) == {"none"}
    slots = ["--slots", "topic", "--slots", "motivation", "-q"]
    ran = CliRunner().invoke(command, [source, "--out", str(tmp_path / "slots"), *slots])
    assert ran.exit_code == 0, ran.output
    assert set(read_table(tmp_path / "slots", "messages")["variant"].to_pylist()) == {"full:motivation,topic"}


def test_the_default_writes_the_bytes_it_always_has(tmp_path: Path, folder: Path) -> None:
    run_stage("sage_data.chains", {}, {"dialogues": [tmp_path / "in"]}, tmp_path / "messages")
    for index in (0, 1):
        name = shard_name("messages", index)
        assert (tmp_path / "messages" / name).read_bytes() == (folder / name).read_bytes()
    assert read_table(folder, "messages")["messages"].to_pylist()[0][1]["content"] == (
        "{u_motivation: sharing, u_emotion: sad, u_topic: [supper]} "
        "{a_motivation: comfort, a_emotion: null, a_topic: []} That is hard."
    )


def test_datasets_reads_every_table(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    datasets = pytest.importorskip("datasets")
    for export in Export:
        loaded = datasets.load_dataset(
            "parquet", data_files=str(folder / f"{export}-*.parquet"), split="train", cache_dir=str(tmp_path / "cache")
        )
        assert list(loaded) == read_table(folder, export.value).to_pylist()
        assert list(read_back(loaded, export)) == [TALK, replace(TALK, id="more")]


@pytest.mark.slow
def test_trl_takes_messages_pairs_and_conversations(folder: Path) -> None:
    data_utils = pytest.importorskip("trl.data_utils")
    for export in (Export.MESSAGES, Export.COMPLETIONS):
        assert all(map(data_utils.is_conversational, read_table(folder, export.value).to_pylist()))
    messages, conversations = (read_table(folder, name).to_pylist() for name in ("messages", "conversations"))
    assert all(map(data_utils.is_conversational_from_value, conversations))
    for ours, theirs in zip(messages, conversations, strict=True):
        turned = data_utils.maybe_convert_to_chatml(theirs)["messages"]
        names = {"human": "user", "gpt": "assistant"}
        assert [{**one, "role": names[one["role"]]} for one in turned] == ours["messages"]


@pytest.mark.slow
def test_trl_writes_prompt_and_completion_as_it_writes_the_messages(folder: Path) -> None:
    data_utils = pytest.importorskip("trl.data_utils")
    tokenizer = pytest.importorskip("transformers").PreTrainedTokenizerFast(tokenizer_object=bare_tokenizer())
    tokenizer.chat_template = (
        "{% for one in messages %}<{{ one.role }}>{{ one.content }}<end>{% endfor %}"
        "{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    whole = {row["id"]: row for row in read_table(folder, "messages").to_pylist()}
    for row in read_table(folder, "completions").to_pylist():
        written = data_utils.apply_chat_template({key: row[key] for key in ("prompt", "completion")}, tokenizer)
        said = {"messages": whole[row["id"]]["messages"][: 2 * row["exchange"] + 2]}
        assert written["prompt"].endswith("<assistant>")
        assert written["prompt"] + written["completion"] == data_utils.apply_chat_template(said, tokenizer)["text"]


def bare_tokenizer() -> Any:
    tokenizers = pytest.importorskip("tokenizers")
    return tokenizers.Tokenizer(tokenizers.models.BPE())
