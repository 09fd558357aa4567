"""From a record of a benchmark's original file to the row that its dataset on the Hub has: one small function a task.

Columns have the Hub's names, kinds and order, so that a document's hash is the same as in a run on the Hub's data.
What an original lacks is made up in a way that no prompt shows: ids count lines, labels count choices.

    hellaswag(record)["label"]  # "3": the Hub keeps the number as text
"""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa

from sage_eval.bench.mirror.reading import LETTERS, Record

Row = dict[str, Any]

_TEXT = pa.string()
_CHOICES = pa.struct([("text", pa.list_(_TEXT)), ("label", pa.list_(_TEXT))])
_LISTED = re.compile(r"\(A\) (.+) \(B\) (.+) \(C\) (.+) \(D\) (.+)")
_MARK = re.compile(r"\([A-D]\)")
_QUESTION = "Question: "


def _schema(**kinds: pa.DataType) -> pa.Schema:
    return pa.schema(list(kinds.items()))


HELLASWAG = _schema(
    ind=pa.int32(),
    activity_label=_TEXT,
    ctx_a=_TEXT,
    ctx_b=_TEXT,
    ctx=_TEXT,
    endings=pa.list_(_TEXT),
    source_id=_TEXT,
    split=_TEXT,
    split_type=_TEXT,
    label=_TEXT,
)
ARC = _schema(id=_TEXT, question=_TEXT, choices=_CHOICES, answerKey=_TEXT)
MMLU = _schema(question=_TEXT, subject=_TEXT, choices=pa.list_(_TEXT), answer=pa.int64())
WINOGRANDE = _schema(sentence=_TEXT, option1=_TEXT, option2=_TEXT, answer=_TEXT)
OPENBOOKQA = _schema(id=_TEXT, question_stem=_TEXT, choices=_CHOICES, answerKey=_TEXT)
PIQA = _schema(goal=_TEXT, sol1=_TEXT, sol2=_TEXT, label=pa.int64())
SIQA = _schema(context=_TEXT, question=_TEXT, answerA=_TEXT, answerB=_TEXT, answerC=_TEXT, label=_TEXT)
COMMONSENSE_QA = _schema(
    id=_TEXT,
    question=_TEXT,
    question_concept=_TEXT,
    choices=pa.struct([("label", pa.list_(_TEXT)), ("text", pa.list_(_TEXT))]),
    answerKey=_TEXT,
)
GSM8K = _schema(question=_TEXT, answer=_TEXT)


FILLER = "(this split is not in the source; it is here for lm-eval to open: use num_fewshot 0)"
"""`datasets` refuses a split without rows, and lm-eval opens the one for examples even where it shows none."""


def filler(schema: pa.Schema) -> Row:
    """A row of no meaning, which whoever sees it in a prompt must notice."""
    return {field.name: _filling(field.name, field.type) for field in schema}


def _filling(name: str, kind: pa.DataType) -> Any:
    if pa.types.is_struct(kind):
        return {kind.field(index).name: _filling(name, kind.field(index).type) for index in range(kind.num_fields)}
    if pa.types.is_list(kind):
        return [_filling(name, kind.value_type)] * 4
    if pa.types.is_integer(kind):
        return 0
    # hellaswag's task reads every label as a number while it opens the split.
    return "0" if name == "label" else FILLER


def hellaswag(record: Record) -> Row:
    """`hellaswag_val.jsonl` of the authors, one item a line."""
    endings = record.texts("endings", 4)
    # A context may end with its first sentence: then ctx_b is empty.
    loose = {name: _any_text(record, name) for name in ("ctx_a", "ctx_b", "split", "split_type", "source_id")}
    return {
        "ind": record.index("ind", 2**31),
        "activity_label": record.text("activity_label"),
        "ctx": record.text("ctx"),
        "endings": endings,
        "label": str(record.index("label", len(endings))),
        **loose,
    }


def _any_text(record: Record, name: str) -> str:
    value = record.value(name)
    if not isinstance(value, str):
        raise record.wrong(f"{name} to be text", value)
    return value


def arc(record: Record) -> Row:
    """The authors' `ARC-Challenge-Test.jsonl` and its like, or lines with query, choices and gold."""
    return _queried(record) if record.has("query") else _stemmed(record, "question")


def _queried(record: Record) -> Row:
    query, options = record.text("query"), record.texts("choices")
    if not query.startswith(_QUESTION) or len(options) > len(LETTERS) + 1:
        raise record.wrong(f"query to begin with {_QUESTION!r} and five choices at most", query)
    labels = [chr(ord("A") + index) for index in range(len(options))]
    return {
        "id": f"{record.file.stem}-{record.line}",
        "question": query.removeprefix(_QUESTION),
        "choices": {"text": options, "label": labels},
        "answerKey": labels[record.index("gold", len(options))],
    }


def _stemmed(record: Record, name: str) -> Row:
    question = record.inner("question")
    texts, labels = _listed(question)
    return {
        "id": record.text("id"),
        name: question.text("stem"),
        "choices": {"text": texts, "label": labels},
        "answerKey": record.label("answerKey", labels),
    }


def _listed(record: Record) -> tuple[list[str], list[str]]:
    """Texts and labels of choices that are a list of {text, label}."""
    found = record.value("choices")
    if not isinstance(found, list) or not found:
        raise record.wrong("choices to be a list of choices", found)
    choices = [record.inside(one, "each choice") for one in found]
    labels = [one.text("label") for one in choices]
    if len(set(labels)) != len(labels):
        raise record.wrong("labels that differ", labels)
    return [one.text("text") for one in choices], labels


def winogrande(record: Record) -> Row:
    """The authors' `dev.jsonl`, or "partial" lines: two contexts that end with an option, and their continuation."""
    if record.has("sentence"):
        sentence = record.text("sentence")
        if sentence.count("_") != 1:
            raise record.wrong("sentence to hold one blank (_)", sentence)
        return {
            "sentence": sentence,
            "option1": record.text("option1"),
            "option2": record.text("option2"),
            "answer": record.label("answer", ("1", "2")),
        }
    first, second = record.texts("context_options", 2)
    continuation = record.text("continuation")
    begun = _shared(first, second)
    options = first[len(begun) :], second[len(begun) :]
    if not begun or first == second or not all(options) or "_" in first + second:
        raise record.wrong("two contexts with one beginning and another end", [first, second])
    # A blank before a mark of punctuation has no space behind it.
    gap = " " if continuation[0].isalnum() else ""
    return {
        "sentence": f"{begun}_{gap}{continuation}",
        "option1": options[0],
        "option2": options[1],
        "answer": str(record.index("gold", 2) + 1),
    }


def _shared(first: str, second: str) -> str:
    """The whole words with which both begin, and the space behind them."""
    same = 0
    while same < min(len(first), len(second)) and first[same] == second[same]:
        same += 1
    return first[: first.rfind(" ", 0, same) + 1]


def openbookqa(record: Record) -> Row:
    """`test.tsv` with choices as "(A) ... (B) ...", or the authors' `test.jsonl`."""
    if record.has("question"):
        return _stemmed(record, "question_stem")
    listed = record.text("Choices")
    parts = _LISTED.fullmatch(listed)
    if parts is None or len(_MARK.findall(listed)) != len(LETTERS):
        raise record.wrong("Choices to be (A) ... (B) ... (C) ... (D) ...", listed)
    return {
        "id": record.text("ID"),
        "question_stem": record.text("Question Stem"),
        "choices": {"text": list(parts.groups()), "label": list(LETTERS)},
        "answerKey": record.label("Answer Key", LETTERS),
    }


def piqa(record: Record) -> Row:
    """`valid.jsonl`, with the label of its line in `valid-labels.lst`."""
    return {**{name: record.text(name) for name in ("goal", "sol1", "sol2")}, "label": record.index("label", 2)}


def siqa(record: Record) -> Row:
    """`dev.jsonl` with three options and the right one's text, or the authors' with labels from 1 to 3."""
    asked = {name: record.text(name) for name in ("context", "question")}
    if record.has("options"):
        options, answer = record.texts("options", 3), record.text("answer")
        if options.count(answer) != 1:
            raise record.wrong("answer to be exactly one of the options", answer)
        label = str(options.index(answer) + 1)
    else:
        options = [record.text(f"answer{letter}") for letter in "ABC"]
        label = record.label("label", ("1", "2", "3"))
    return {**asked, **dict(zip(("answerA", "answerB", "answerC"), options, strict=True)), "label": label}


def commonsense_qa(record: Record) -> Row:
    """`dev_rand_split.jsonl`, as the authors nest it or as the Hub does."""
    nested = isinstance(record.value("question"), dict)
    if nested:
        question = record.inner("question")
        texts, labels = _listed(question)
        asked = {"question": question.text("stem"), "question_concept": question.text("question_concept")}
    else:
        choices = record.inner("choices")
        texts, labels = choices.texts("text", 5), choices.texts("label", 5)
        asked = {"question": record.text("question"), "question_concept": record.text("question_concept")}
    if labels != list("ABCDE"):
        # lm-eval's task asks for these letters, whatever the labels are.
        raise record.wrong("choices labelled A, B, C, D, E", labels)
    return {
        "id": record.text("id"),
        **asked,
        "choices": {"label": labels, "text": texts},
        "answerKey": record.label("answerKey", labels),
    }


def gsm8k(record: Record) -> Row:
    """`test.jsonl`: a question, and an answer that ends with `#### ` and a number."""
    answer = record.text("answer")
    if not re.search(r"#### -?[\d.,]+\s*$", answer):
        raise record.wrong("answer to end with #### and a number", answer[-40:])
    return {"question": record.text("question"), "answer": answer}


def mmlu(record: Record, subject: str) -> Row:
    """A row of `anatomy_test.csv` and its like."""
    return {
        "question": record.text("question"),
        "subject": subject,
        "choices": [record.text(f"choice{index}") for index in range(len(LETTERS))],
        "answer": record.index("answer", len(LETTERS)),
    }
