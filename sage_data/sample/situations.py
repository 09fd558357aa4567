"""Scenarios in the format of EmpatheticDialogues: `train.csv`, `valid.csv`, `test.csv`, eight columns, no quoting.

The files have that dataset's own traps: commas written `_comma_`, unbalanced quotation marks, utterances of digits
only, conversations of one turn, free text in `selfeval`, candidates as a ninth field in the held-out file, and one
situation of the test split that also stands in train. All words are the miniature world's.

    write_situations(Path("scenarios"), seed=7, sizes={"train": 600, "valid": 120, "test": 120})
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from sage_data.sample.characters import USER_EMOTIONS
from sage_data.sample.talk import Style, Talk, Turn

HEADER = "conv_id,utterance_idx,context,prompt,speaker_idx,utterance,selfeval,tags"
QUOTE_CHANCE, DIGIT_CHANCE, SINGLE_CHANCE, CANDIDATE_CHANCE = 0.02, 0.01, 0.01, 0.3
LEAK_EVERY = 60
"""In the test split, each conversation whose number is a multiple of this repeats a situation of train."""


@dataclass(frozen=True, slots=True)
class Situation:
    """One conversation of a split."""

    id: str
    emotion: str
    """One of the 32 labels; the emotion of the first utterance."""
    prompt: str
    """The situation in the words of who tells it."""
    turns: tuple[Turn, ...]


def situation(seed: int, split: str, number: int) -> Situation:
    """Conversation `number` of a split; the same arguments give the same one."""
    if split == "test" and number % LEAK_EVERY == 0 and number:
        leaked = situation(seed, "train", number)
        return Situation(f"hit:{number}_test:{number}", leaked.emotion, leaked.prompt, leaked.turns)
    rng = Random(f"{seed}:situation:{split}:{number}")
    emotion = USER_EMOTIONS[number % len(USER_EMOTIONS)]
    talk = Talk(rng, Style.WARM, emotion=emotion)
    talk.go_on(1 if rng.random() < SINGLE_CHANCE else rng.choice((4, 4, 5, 6)))
    prompt = f"I felt {emotion}, because {talk.opening_event}."
    return Situation(f"hit:{number}_{split}:{number}", emotion, _torn(rng, prompt), tuple(talk.turns))


def _torn(rng: Random, prompt: str) -> str:
    """The prompt, now and then with a quotation mark that is never closed, as people type."""
    return f'"{prompt}' if rng.random() < QUOTE_CHANCE else prompt


def situations(seed: int, split: str, size: int) -> Iterator[Situation]:
    """The conversations of a split, in order."""
    return (situation(seed, split, number) for number in range(size))


def field(text: str) -> str:
    """A text as a field of the file."""
    return text.replace(",", "_comma_")


def csv_lines(one: Situation, seed: int, split: str) -> Iterator[str]:
    """The lines of one conversation."""
    rng = Random(f"{seed}:csv:{one.id}")
    speakers = rng.sample(range(900), 2)
    selfeval = rng.choice(("5|5|5_2|2|5", "4|5|5_5|5|5", "1|5|5_I have to go now thank you|4|5", ""))
    for index, turn in enumerate(one.turns):
        text = "100" if index == 3 and rng.random() < DIGIT_CHANCE else turn.text
        fields = [one.id, str(index + 1), one.emotion, one.prompt, str(speakers[index % 2]), text, selfeval, ""]
        line = ",".join(map(field, fields))
        candidates = split == "test" and rng.random() < CANDIDATE_CHANCE
        yield f"{line},{'|'.join(field(other.text) for other in one.turns)}" if candidates else line


def write_situations(folder: Path, *, seed: int, sizes: Mapping[str, int]) -> None:
    """Write one file a split into `folder`, which must exist."""
    for split, size in sizes.items():
        lines = [HEADER]
        for one in situations(seed, split, size):
            lines.extend(csv_lines(one, seed, split))
        (folder / f"{split}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
