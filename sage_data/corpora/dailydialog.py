"""DailyDialog: text files with `__eou__` behind each utterance, acts and emotions beside them; or RECCON's JSON.

`dialogues_test.txt` (or `test_dialogues.txt`) has one dialogue a line; beside it, `dialogues_act_test.txt` and
`dialogues_emotion_test.txt` have one number an utterance. Acts become motivations and emotions emotions, by the words
of the paper (Li et al., IJCNLP 2017); emotion 0, "no emotion", is null. RECCON (Poria et al., 2021) annotates a part
of it anew: its emotion words are kept as they are, with "neutral" for none and a few unofficial ones. Rows of
`dialog`, `act` and `emotion`, as on the Hub, are read too. Speakers take turns; the first is the user.

    sage data load dailydialog/ --out loaded/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sage_data.corpora.files import CorpusFile, read_lines, read_rows, read_whole
from sage_data.corpora.records import Found, Item, Items, Note, Reason, Rejected, head
from sage_data.corpora.speaking import shown
from sage_data.dialogue import Role, State, Utterance

END = "__eou__"
ACTS = {"1": "inform", "2": "question", "3": "directive", "4": "commissive"}
EMOTIONS = {
    "0": None, "1": "anger", "2": "disgust", "3": "fear", "4": "happiness", "5": "sadness", "6": "surprise",
}  # fmt: skip
DIALOGUES, TEXT = "dialogues", "dialogues_text"
LABELS = ("_act", "_emotion")
SEATS: tuple[Role, Role] = ("user", "assistant")


def read_text(file: CorpusFile) -> Items:
    """The dialogues of one text file, with the labels of the files beside it."""
    acts, emotions = (_numbers(file, mark) for mark in LABELS)
    for number, line in read_lines(file):
        if isinstance(line, Rejected):
            yield line
        else:
            yield _of_line(line, number, acts.get(number), emotions.get(number))


def _of_line(line: str, number: int, acts: Sequence[str] | None, emotions: Sequence[str] | None) -> Item:
    texts = [text.strip() for text in line.split(END)]
    if not texts[-1]:
        texts.pop()
    return _dialogue(texts, number, head(line), acts, emotions)


def _numbers(file: CorpusFile, mark: str) -> dict[int, list[str]]:
    """Line -> the numbers of a file of labels; empty when there is none beside the dialogues."""
    found = label_file(file.path, mark)
    if found is None:
        return {}
    lines = read_lines(CorpusFile.at(found))
    return {number: line.split() for number, line in lines if isinstance(line, str)}


def label_file(path: Path, mark: str) -> Path | None:
    """The file with the acts or emotions of a file of dialogues, by name; None when there is none.

    `dialogues_act_test.txt` belongs to `dialogues_test.txt`, `test_dialogues_act.txt.gz` to `test_dialogues.txt.gz`,
    and `dialogues_act.txt`, of the whole corpus, to `dialogues_text.txt`.
    """
    return _beside(path, path.name.replace(TEXT, DIALOGUES, 1).replace(DIALOGUES, f"{DIALOGUES}{mark}", 1))


def labelled_file(path: Path) -> Path | None:
    """The file of dialogues that a file of labels belongs to, by name; None when there is none."""
    marked = next((one for mark in LABELS if (one := f"{DIALOGUES}{mark}") in path.name), None)
    if marked is None:
        return None
    return _beside(path, path.name.replace(marked, DIALOGUES, 1)) or _beside(path, path.name.replace(marked, TEXT, 1))


def _beside(path: Path, name: str) -> Path | None:
    """The file of this name beside `path`, packed or not; None when there is none."""
    plain = name.removesuffix(".gz")
    places = [path.with_name(one) for one in (name, plain, f"{plain}.gz")]
    return next((one for one in places if one != path and one.is_file()), None)


def _dialogue(
    texts: Sequence[str], line: int, text: str, acts: Sequence[str] | None, emotions: Sequence[str] | None
) -> Item:
    """One dialogue from its texts and its labels, which are numbers or words."""
    if not texts:
        return Rejected(line, Reason.NO_MESSAGES, text, "expected at least one utterance, found none")
    if not all(texts):
        return Rejected(line, Reason.EMPTY_MESSAGE, text, f"utterance {list(map(bool, texts)).index(False) + 1}")
    given = [one for one in (acts, emotions) if one is not None]
    matched = all(len(one) == len(texts) for one in given)
    states = _states(len(texts), acts, emotions) if given and matched else [None] * len(texts)
    utterances = tuple(
        Utterance(SEATS[index % 2], one, state) for index, (one, state) in enumerate(zip(texts, states, strict=True))
    )
    return Found(utterances, line, notes=() if matched else (Note.LABELS_UNMATCHED,))


def _states(count: int, acts: Sequence[str] | None, emotions: Sequence[str] | None) -> list[State | None]:
    motivations = [ACTS.get(one, one) for one in acts] if acts is not None else [None] * count
    felt = [EMOTIONS.get(one, one) for one in emotions] if emotions is not None else [None] * count
    return [State(motivation, emotion) for motivation, emotion in zip(motivations, felt, strict=True)]


# --- other forms ---------------------------------------------------------------------------------------------------


def read_reccon(file: CorpusFile) -> Items:
    """The dialogues of RECCON's JSON: id -> one list of turns.

    Raises:
        DamagedFileError: the file is no whole JSON.
    """
    whole = read_whole(file)
    pairs = whole.items() if isinstance(whole, Mapping) else [("", whole)]
    for number, (key, parts) in enumerate(pairs, 1):
        turns = parts[0] if isinstance(parts, list) and len(parts) == 1 else None
        yield _reccon(key, turns, number)


def _reccon(key: str, turns: Any, line: int) -> Item:
    if not isinstance(turns, list) or not all(_is_turn(turn) for turn in turns):
        return Rejected(line, Reason.NOT_A_RECORD, head(f"{key} {turns!r}"), "expected one list of turns")
    texts = [turn["utterance"].strip() for turn in turns]
    item = _dialogue(texts, line, head(key), None, [str(turn["emotion"]) for turn in turns])
    if isinstance(item, Rejected):
        return item
    speakers = [turn["speaker"] for turn in turns]
    seats = {name: SEATS[index % 2] for index, name in enumerate(dict.fromkeys(speakers))}
    utterances = tuple(
        replace(utterance, role=seats[speaker]) for utterance, speaker in zip(item.utterances, speakers, strict=True)
    )
    return replace(item, key=key, utterances=utterances)


def _is_turn(turn: Any) -> bool:
    return (
        isinstance(turn, Mapping) and {"speaker", "emotion"} <= turn.keys() and isinstance(turn.get("utterance"), str)
    )


def read_parquet(file: CorpusFile) -> Items:
    """The dialogues of a Parquet file with the columns `dialog`, `act` and `emotion`."""
    return from_rows(read_rows(file))


def from_rows(rows: Iterable[tuple[int, Any]]) -> Iterator[Item]:
    """The dialogues of numbered rows of `dialog`, `act` and `emotion`."""
    for number, row in rows:
        texts = row.get("dialog") if isinstance(row, Mapping) else None
        if isinstance(row, Rejected):
            yield row
        elif not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            yield Rejected(number, Reason.NOT_A_RECORD, shown(row), "expected `dialog`, a list of texts")
        else:
            acts, emotions = (_listed(row.get(name)) for name in ("act", "emotion"))
            yield _dialogue([text.strip() for text in texts], number, shown(row), acts, emotions)


def _listed(labels: Any) -> list[str] | None:
    return [str(label) for label in labels] if isinstance(labels, list) else None
