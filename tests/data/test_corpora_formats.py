"""Each format on a few records of its own: who speaks, what becomes of labels, and why a record is none."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_data.corpora import dailydialog, messages, sharegpt
from sage_data.corpora.files import CorpusFile
from sage_data.corpora.formats import Format, detect, detect_row, reader
from sage_data.corpora.records import Drop, Found, Item, Note, Reason, Rejected
from sage_data.dialogue import State, Utterance
from sage_data.scenarios.lines import FIELDS


def write(path: Path, content: str | bytes) -> Path:
    data = content if isinstance(content, bytes) else content.encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def read(path: Path, expected: Format) -> list[Item]:
    """What the detected format finds in a file."""
    file = CorpusFile.at(path)
    assert detect(file) is expected
    return list(reader(expected, file, "drop")(file))


def only(items: list[Item]) -> Found:
    (item,) = items
    assert isinstance(item, Found), item
    return item


def said(found: Item) -> list[tuple[str, str]]:
    assert isinstance(found, Found), found
    return [(one.role, one.text) for one in found.utterances]


def reason(item: Item) -> Reason | None:
    return item.reason if isinstance(item, Rejected) else None


# --- chat dialects --------------------------------------------------------------------------------------------------


HI = {"role": "user", "content": "Hi"}
YO = {"role": "assistant", "content": "Yo"}


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [HI, YO]},
        {"conversation": [HI, YO], "conversation_id": "c"},
        {"prompt": [HI], "completion": [YO]},
        [HI, YO],
        {"messages": [{"role": "User ", "content": [{"type": "text", "text": "Hi"}]}, YO]},
    ],
)
def test_messages(row: Any) -> None:
    assert said(messages.from_row(row, 1)) == [("user", "Hi"), ("assistant", "Yo")]


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        ([], Reason.NO_MESSAGES),
        ([{"role": "system", "content": "Be kind."}], Reason.NO_MESSAGES),
        ([HI, {"role": "tool", "content": "3"}], Reason.TOOL_MESSAGE),
        ([HI, {"role": "assistant", "content": None, "tool_calls": [{"id": "x"}]}], Reason.TOOL_MESSAGE),
        ([HI, {"role": "narrator", "content": "Later"}], Reason.UNKNOWN_ROLE),
        ([HI, {"role": None, "content": "Later"}], Reason.UNKNOWN_ROLE),
        ([HI, {"role": "assistant", "content": None}], Reason.NOT_TEXT),
        ([HI, {"role": "assistant", "content": 3}], Reason.NOT_TEXT),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}], Reason.NOT_TEXT),
        ([HI, {"role": "assistant", "content": "  "}], Reason.EMPTY_MESSAGE),
        (["Hi"], Reason.NOT_A_RECORD),
        ("Hi", Reason.NOT_A_RECORD),
    ],
)
def test_what_is_no_dialogue_of_two_is_rejected(turns: Any, expected: Reason) -> None:
    assert reason(messages.from_row({"messages": turns}, 4)) is expected


def test_system_prompts_are_left_out_and_counted_or_rejected() -> None:
    prompted = [{"role": "system", "content": "Be kind."}, HI, {"role": "developer", "content": "x"}, YO]
    found = messages.from_row({"messages": prompted, "id": 7, "model": "m"}, 1)
    assert said(found) == [("user", "Hi"), ("assistant", "Yo")]
    assert isinstance(found, Found)
    assert (found.dropped, found.key, found.model) == ({Drop.SYSTEM_PROMPT: 2}, "7", "m")
    assert reason(messages.from_row({"messages": prompted}, 1, "reject")) is Reason.SYSTEM_PROMPT


def test_sharegpt_under_all_its_names() -> None:
    turns = [("system", "x"), ("human", "a"), ("gpt", "b"), ("user", "c"), ("chatgpt", "d"), ("gpt", "e")]
    found = sharegpt.from_row({"id": "s", "conversations": [{"from": who, "value": text} for who, text in turns]}, 1)
    assert said(found) == [("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"), ("assistant", "e")]
    call = {"conversations": [{"from": "function_call", "value": "{}"}]}
    assert reason(sharegpt.from_row(call, 1)) is Reason.TOOL_MESSAGE
    assert reason(sharegpt.from_row({"messages": []}, 1)) is Reason.NOT_A_RECORD


ROWS = [
    {"conversations": [{"from": "human", "value": f"{'é' * 9}[{n}]"}, {"from": "gpt", "value": "}"}]} for n in range(40)
]


@pytest.mark.parametrize("form", ["jsonl", "array", "pretty", "parquet"])
def test_one_dialect_in_every_kind_of_file(tmp_path: Path, form: str) -> None:
    path = tmp_path / {"jsonl": "a.jsonl", "parquet": "a.parquet"}.get(form, "a.json.gz")
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    else:
        lines = "\n\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS)
        write(path, lines if form == "jsonl" else json.dumps(ROWS, indent=1 if form == "pretty" else None))
    found = read(path, Format.SHAREGPT)
    assert [said(one)[0] for one in found] == [("user", f"{'é' * 9}[{n}]") for n in range(40)]


def test_bad_lines_are_named_and_the_others_read(tmp_path: Path) -> None:
    good = json.dumps({"messages": [HI, YO]}).encode()
    deep = b'{"messages":' + b"[" * 100_000
    lines = [good, b'{"messages": [', b"\xff", b"", b"null", deep, good]
    found = read(write(tmp_path / "a.jsonl", b"\n".join(lines)), Format.MESSAGES)
    assert [(one.line, reason(one)) for one in found] == [
        (1, None),
        (2, Reason.NOT_JSON),
        (3, Reason.NOT_UTF8),
        (5, Reason.NOT_A_RECORD),
        (6, Reason.NOT_JSON),
        (7, None),
    ]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["messages", "role", "content", "from", "value", "conversations", "type", "text", "id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_any_json_is_a_dialogue_or_has_a_reason(value: Any) -> None:
    for item in (messages.from_row(value, 1), sharegpt.from_row(value, 1)):
        assert isinstance(item, Found | Rejected)
    for item in dailydialog.from_rows([(1, value)]):
        assert isinstance(item, Found | Rejected)
    detect_row(value)


# --- corpora --------------------------------------------------------------------------------------------------------


def test_dailydialog_with_its_labels(tmp_path: Path) -> None:
    text = "Hi . __eou__ Fine ? __eou__ Yes ! __eou__\nOne . __eou__ Two . __eou__\nA __eou__ __eou__ B __eou__\n"
    path = write(tmp_path / "test" / "dialogues_test.txt", text)
    write(path.with_name("dialogues_act_test.txt"), "3 2 4 \n1 1 1 \n1 1 1 \n")
    write(path.with_name("dialogues_emotion_test.txt.gz"), "0 6 4 \n0 0 \n0 0 0\n")
    first, second, third = read(path, Format.DAILYDIALOG)
    assert isinstance(first, Found)
    assert first.utterances == (
        Utterance("user", "Hi .", State("directive", None)),
        Utterance("assistant", "Fine ?", State("question", "surprise")),
        Utterance("user", "Yes !", State("commissive", "happiness")),
    )
    assert isinstance(second, Found)
    assert (second.utterances[0].state, second.notes) == (None, (Note.LABELS_UNMATCHED,))
    assert reason(third) is Reason.EMPTY_MESSAGE


def test_dailydialog_without_labels_and_by_rows(tmp_path: Path) -> None:
    found = only(read(write(tmp_path / "validation_dialogues.txt.gz", "Hi . __eou__ So ? __eou__"), Format.DAILYDIALOG))
    assert [one.state for one in found.utterances] == [None, None]
    rows = [{"dialog": ["Hi . ", " Why ?"], "act": [1, 2], "emotion": [0, 1]}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "train.parquet")
    found = only(read(tmp_path / "train.parquet", Format.DAILYDIALOG))
    assert found.utterances[1] == Utterance("assistant", "Why ?", State("question", "anger"))


def test_reccon_keeps_its_words_and_speakers(tmp_path: Path) -> None:
    def turn(speaker: str, text: str, emotion: str) -> dict[str, Any]:
        return {"turn": 1, "speaker": speaker, "utterance": text, "emotion": emotion}

    whole = {"tr_1": [[turn("A", "Hey", "neutral"), turn("A", "you", "happy"), turn("B", "Oh", "surprise")]], "tr_2": 3}
    first, second = read(write(tmp_path / "train.json", json.dumps(whole)), Format.DAILYDIALOG)
    assert isinstance(first, Found)
    assert (first.key, said(first)) == ("tr_1", [("user", "Hey"), ("user", "you"), ("assistant", "Oh")])
    assert [one.state for one in first.utterances] == [State(emotion=word) for word in ("neutral", "happy", "surprise")]
    assert reason(second) is Reason.NOT_A_RECORD


def test_topical_chat(tmp_path: Path) -> None:
    def turn(agent: str, text: str, sentiment: str) -> dict[str, Any]:
        return {"message": text, "agent": agent, "sentiment": sentiment, "knowledge_source": [], "turn_rating": "Good"}

    content = [turn("agent_1", "Do you read? ", "Curious to dive deeper"), turn("agent_2", "Yes", "")]
    odd = [turn("agent_3", "Hm", "Sad")]
    whole = {"t_1": {"article_url": "u", "content": content}, "t_2": {"content": odd}, "t_3": {"content": []}}
    first, second, third = read(write(tmp_path / "valid_rare.json", json.dumps(whole)), Format.TOPICAL_CHAT)
    assert isinstance(first, Found)
    assert (first.key, first.place) == ("t_1", "rare")
    assert first.utterances == (
        Utterance("user", "Do you read?", State(emotion="Curious to dive deeper")),
        Utterance("assistant", "Yes", State()),
    )
    assert (reason(second), reason(third)) == (Reason.NOT_A_RECORD, Reason.NO_MESSAGES)


def test_personachat_as_json_lines(tmp_path: Path) -> None:
    turns = [{"agent": "agent_1", "message": "hi ."}, {"agent": "agent_2", "message": "hello ."}]
    lines = [json.dumps(["valid_0", {"content": turns}]), json.dumps(["valid_1", 3]), json.dumps({"content": turns})]
    found = read(write(tmp_path / "valid.jsonl", "\n".join(lines)), Format.PERSONACHAT)
    assert said(found[0]) == [("user", "hi ."), ("assistant", "hello .")]
    assert [reason(one) for one in found[1:]] == [Reason.NOT_A_RECORD] * 2


def test_personachat_as_numbered_text(tmp_path: Path) -> None:
    lines = [
        "1 your persona: i like tea .",
        "2 partner's persona: i like cats .",
        "3 __SILENCE__\thello .\t\tno|hello .",
        "4 hi , you ?\tfine .\t\tx|fine .",
        "1 hey\tyo",
        "broken",
        "3 again\tyes",
        "1 your persona: alone .",
    ]
    first, broken, second, third = read(write(tmp_path / "train_both.txt", "\n".join(lines)), Format.PERSONACHAT)
    assert said(first) == [("assistant", "hello ."), ("user", "hi , you ?"), ("assistant", "fine .")]
    assert isinstance(first, Found)
    assert (first.lines, first.dropped) == (4, {Drop.PERSONA: 2, Drop.SILENCE: 1})
    assert isinstance(broken, Rejected)
    assert (broken.line, broken.unit) == (6, "lines")
    assert isinstance(second, Found)
    assert (said(second)[-1], second.notes) == (("assistant", "yes"), (Note.TURNS_MISSING,))
    assert reason(third) is Reason.NO_MESSAGES


def test_esconv_whole_dialogues(tmp_path: Path) -> None:
    turns = [
        {"speaker": "seeker", "annotation": {}, "content": "Hello\n"},
        {"speaker": "supporter", "annotation": {"strategy": "Questions"}, "content": "How are you?"},
    ]
    row = {"emotion_type": "anxiety", "problem_type": "job crisis", "situation": "I lost my job.", "dialog": turns}
    silent = {**row, "dialog": [{"speaker": "speaker", "content": " "}]}
    first, *others = read(
        write(tmp_path / "ESConv.json", json.dumps([row, silent, {**row, "dialog": []}, {}])), Format.ESCONV
    )
    assert isinstance(first, Found)
    assert first.utterances == (
        Utterance("user", "Hello"),
        Utterance("assistant", "How are you?", State("Questions")),
    )
    assert (first.place, first.situation, first.emotion) == ("job crisis", "I lost my job.", "anxiety")
    assert [reason(one) for one in others] == [Reason.EMPTY_MESSAGE, Reason.NO_MESSAGES, Reason.NOT_A_RECORD]


EXAMPLES = [
    "1.0 0 0 Hi  EOS 1.0 1 1 [Other] Hello ",
    "1.0 0 0 Hi  EOS 1.0 1 1 [Other] Hello  EOS 1.0 1 2 [Questions] All well?",
    "0.0 1 2 [Questions] All well? EOS 0.0 0 4 No. EOS 1.0 1 5 [Self-disclosure] Me too EOS. ",
    "1.0 0 0 Hey EOS 1.0 1 1 Hey",
    "1.0 0 0 Yes EOS 1.0 1 1 [Other] Good EOS 1.0 1 2 [Other] day",
]


def test_esconv_examples_become_the_dialogues_they_were_cut_from(tmp_path: Path) -> None:
    lines = [*EXAMPLES[:2], "nonsense", *EXAMPLES[2:]]
    found = read(write(tmp_path / "devWithStrategy_short.tsv", "\n".join(lines)), Format.ESCONV)
    broken, first, second, third = found
    assert isinstance(broken, Rejected)
    assert (broken.line, broken.unit) == (3, "lines")
    assert isinstance(first, Found)
    assert [(one.text, one.state.motivation if one.state else None) for one in first.utterances] == [
        ("Hi", None),
        ("Hello", "Other"),
        ("All well?", "Questions"),
        ("No.", None),
        ("Me too EOS.", "Self-disclosure"),
    ]
    assert (first.lines, first.notes) == (3, (Note.TURNS_MISSING,))
    assert [len(said(one)) for one in (second, third)] == [2, 3]


def empathetic(*rows: tuple[str, int, str, int, str]) -> str:
    lines = [
        f"{conversation},{number},sad,{situation.replace(',', '_comma_')},{speaker},{text.replace(',', '_comma_')},,"
        for conversation, number, situation, speaker, text in rows
    ]
    return "\n".join([",".join(FIELDS), *lines])


def test_empathetic_dialogues(tmp_path: Path) -> None:
    text = empathetic(
        ("c:1", 1, 'My "cat, dead', 3, 'It is, "gone'),
        ("c:1", 2, 'My "cat, dead', 8, "Oh\u2028no"),
        ("c:2", 1, "x", 7, "hi"),
        ("c:2", 3, "x", 7, "well"),
        ("c:3", 1, "y", 7, "one"),
        ("c:3", 2, "z", 8, "two"),
        ("c:3", 2, "y", 7, "three"),
    )
    text = text.replace("c:3,1", "bad,line\nc:3,1") + "\nc:3,3,sad,y,7,   ,,\nc:3,x,sad,y,7,q,,"
    found = read(write(tmp_path / "valid.csv.gz", text), Format.EMPATHETIC_DIALOGUES)
    first, bad, second, contradiction, empty, odd, third = found
    assert isinstance(first, Found)
    assert said(first) == [("user", 'It is, "gone'), ("assistant", "Oh\u2028no")]
    assert (first.key, first.situation, first.emotion, first.lines) == ("c:1", 'My "cat, dead', "sad", 2)
    assert isinstance(second, Found)
    assert (second.notes, said(second)) == ((Note.TURNS_MISSING,), [("user", "hi"), ("user", "well")])
    assert [reason(one) for one in (bad, contradiction, empty, odd)] == [
        Reason.FIELD_COUNT,
        Reason.CONTRADICTION,
        Reason.EMPTY_MESSAGE,
        Reason.NOT_A_RECORD,
    ]
    assert isinstance(third, Found)
    assert (said(third), third.notes) == ([("user", "one"), ("assistant", "three")], (Note.SPEAKERS_UNCLEAR,))


def test_a_bad_line_does_not_cut_a_conversation_in_two(tmp_path: Path) -> None:
    text = empathetic(("c:1", 1, "x", 3, "a"), ("c:1", 2, "x", 8, "b"), ("c:1", 3, "x", 3, "c"))
    lines = text.split("\n")
    found = read(write(tmp_path / "train.csv", "\n".join([*lines[:2], "bad", *lines[2:]])), Format.EMPATHETIC_DIALOGUES)
    assert [len(said(one)) for one in found if isinstance(one, Found)] == [3]


@pytest.mark.parametrize("text", ["Dear diary", '{"a": 1}', "[1, 2]", "x,y\n1,2", "\ufeff\n", '["x"]'])
def test_unknown_formats_are_not_guessed(tmp_path: Path, text: str) -> None:
    assert detect(CorpusFile.at(write(tmp_path / "a.json", text))) is None
