"""Corpora with labels of people (or of a model), as dialogues to annotate and the label each utterance should get.

for sample in read_samples(Path("data")): ...
"""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

from sage_data.corpora.files import CorpusFile
from sage_data.corpora.formats import Format, detect, reader
from sage_data.corpora.records import Found
from sage_data.dialogue import Utterance
from sage_data.scenarios.sources import read_files

Part = Literal["development", "held out", "unseen"]
PARTS: tuple[Part, ...] = ("development", "held out", "unseen")
INTENTS = frozenset(
    {
        "acknowledging", "agreeing", "consoling", "encouraging", "questioning", "suggesting", "sympathizing", "wishing",
    }
)  # fmt: skip
STRATEGIES = frozenset(
    {
        "Questions", "Restatement or Paraphrasing", "Reflection of feelings", "Self-disclosure",
        "Affirmation and Reassurance", "Providing Suggestions", "Information", "Other",
    }
)  # fmt: skip
RECCON_WORDS = {"neutral": "none", "happy": "happiness", "sad": "sadness", "surprised": "surprise", "angry": "anger"}
"""RECCON's few unofficial words; "excited", twice, has no class and is left out."""
EMOTIONS = frozenset({"none", "anger", "disgust", "fear", "happiness", "sadness", "surprise"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One dialogue with what is known about its utterances."""

    part: Part
    utterances: tuple[Utterance, ...]
    """Without any state."""
    gold: tuple[tuple[str, int, str], ...]
    """Task, index of the utterance, its label."""


def half(key: str) -> Part:
    """The half of a corpus that a dialogue is in, by its id alone."""
    return "held out" if hashlib.sha256(key.encode()).digest()[0] % 2 else "development"


def read_samples(data: Path) -> Iterator[Sample]:
    """All samples below a folder with `empathetic_dialogues/` and `dialogue/`; what is missing is left out."""
    found = [
        (data / "empathetic_dialogues", situations),
        (data / "empathetic_dialogues" / "intents_annotated_train_valid.csv.gz", intents),
        (data / "dialogue" / "dailydialog", daily),
        (data / "dialogue" / "esconv", support),
    ]
    readers: list[tuple[Path, Callable[[Path], Iterator[Sample]]]] = found
    for path, read in readers:
        if path.exists():
            yield from read(path)


def situations(folder: Path) -> Iterator[Sample]:
    """Situations with the emotion they were written about; those of train were never looked at."""
    for split, file in read_files(folder, None).items():
        for one in file.scenarios:
            if one.emotion is not None:
                part: Part = "unseen" if split == "train" else half(one.id)
                yield Sample(part, (Utterance("user", one.situation),), (("ed_situation", 0, one.emotion),))


def intents(path: Path) -> Iterator[Sample]:
    """Conversations with predicted labels: emotions of the speaker, intents of the listener."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        rows = (row for row in csv.DictReader(stream) if row["Type"] == "utterance")
        for key, group in groupby(rows, lambda row: (row["split"], row["Dialog_ID"])):
            yield _intents(key, list(group))


def _intents(key: tuple[str, str], rows: Sequence[dict[str, str]]) -> Sample:
    split, conversation = key
    utterances = [Utterance("user" if row["Actor"] == "speaker" else "assistant", row["Text"]) for row in rows]
    gold = []
    for index, row in enumerate(rows):
        if row["Actor"] == "speaker":
            gold.append(("ed_speaker", index, row["Label"]))
        elif row["Label"] in INTENTS:
            gold.append(("ed_listener", index, row["Label"]))
    return Sample("unseen" if split == "train" else half(conversation), tuple(utterances), tuple(gold))


def daily(folder: Path) -> Iterator[Sample]:
    """DailyDialog's acts and emotions; RECCON's emotions, of training dialogues that were never looked at."""
    for file, one in _dialogues(folder, Format.DAILYDIALOG):
        reccon = one.key is not None
        gold = []
        for index, utterance in enumerate(one.utterances):
            if utterance.state is None:
                continue
            emotion = utterance.state.emotion or "none"
            emotion = RECCON_WORDS.get(emotion, emotion)
            gold += [("dd_emotion", index, emotion)] if emotion in EMOTIONS else []
            gold += [("dd_act", index, utterance.state.motivation)] if utterance.state.motivation else []
        plain = tuple(Utterance(utterance.role, rejoined(utterance.text)) for utterance in one.utterances)
        yield Sample("unseen" if reccon else half(f"{file.name}:{one.line}"), plain, tuple(gold))


def rejoined(text: str) -> str:
    """DailyDialog sets spaces around apostrophes, which would cut words in two."""
    return text.replace(" \u2019 ", "'").replace(" ' ", "'")


def support(folder: Path) -> Iterator[Sample]:
    """ESConv's strategies; those of the failed dialogues were never looked at."""
    for file, one in _dialogues(folder, Format.ESCONV):
        gold = tuple(
            ("es_strategy", index, utterance.state.motivation)
            for index, utterance in enumerate(one.utterances)
            if utterance.state is not None and utterance.state.motivation in STRATEGIES
        )
        plain = tuple(Utterance(utterance.role, utterance.text) for utterance in one.utterances)
        part: Part = "unseen" if file.name.startswith("Failed") else half(f"{file.name}:{one.line}")
        yield Sample(part, plain, tuple((task, index, label) for task, index, label in gold if label is not None))


def _dialogues(folder: Path, wanted: Format) -> Iterator[tuple[CorpusFile, Found]]:
    """The dialogues of every file in a folder that is of a format."""
    for path in sorted(folder.iterdir()):
        file = CorpusFile.at(path)
        if file.ending in (".txt", ".tsv", ".json") and detect(file) is wanted:
            for item in reader(wanted, file, "drop")(file):
                if isinstance(item, Found):
                    yield file, item
