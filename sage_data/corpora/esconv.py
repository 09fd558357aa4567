"""ESConv (Liu et al., ACL 2021): emotional support, each supporter's turn with its strategy.

`ESConv.json` and `FailedESConv.json` hold whole dialogues: strategies become motivations of the supporter, the
assistant; the situation and its emotion become a scenario; the kind of problem is the place. Surveys and feedback stay
behind. `*WithStrategy_short.tsv` holds training examples, each a supporter's turn with at most four turns before it;
dialogues are put together again from the turns' numbers. What no example shows is missing there: the seeker's words
behind the last reply, and turns that lie too far back.

    sage data load ESConv.json FailedESConv.json --out loaded/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sage_data.corpora.files import CorpusFile, read_lines, read_values
from sage_data.corpora.records import Found, Item, Items, Note, Reason, Rejected, head
from sage_data.corpora.speaking import shown
from sage_data.dialogue import Role, State, Utterance

SPEAKERS: dict[str, Role] = {
    "seeker": "user", "speaker": "user", "usr": "user",
    "supporter": "assistant", "listener": "assistant", "sys": "assistant",
}  # fmt: skip
_ENDS = re.compile(r"\s*EOS (?=[\d.]+ [01] \d+ )")
_TURN = re.compile(r"[\d.]+ ([01]) (\d+) (.*)", re.DOTALL)
_STRATEGY = re.compile(r"\[([^\]]{1,60})\]\s*(.*)", re.DOTALL)


def read_json(file: CorpusFile) -> Items:
    """The dialogues of `ESConv.json` or `FailedESConv.json`."""
    for number, row in read_values(file):
        yield row if isinstance(row, Rejected) else _of_row(row, number)


def _of_row(row: Any, number: int) -> Item:
    turns = row.get("dialog") if isinstance(row, Mapping) else None
    if not isinstance(turns, list) or not all(_is_turn(turn) for turn in turns):
        return Rejected(number, Reason.NOT_A_RECORD, shown(row), "expected `dialog`, a list of `speaker` and `content`")
    utterances = tuple(
        Utterance(SPEAKERS[turn["speaker"]], turn["content"].strip(), _state(turn.get("annotation"))) for turn in turns
    )
    if not utterances:
        return Rejected(number, Reason.NO_MESSAGES, shown(row), "expected at least one turn, found none")
    if not all(one.text for one in utterances):
        return Rejected(number, Reason.EMPTY_MESSAGE, shown(row), "a turn is empty")
    place, situation, emotion = (_text(row.get(name)) for name in ("problem_type", "situation", "emotion_type"))
    return Found(utterances, number, place=place, situation=situation, emotion=emotion)


def _is_turn(turn: Any) -> bool:
    return isinstance(turn, Mapping) and turn.get("speaker") in SPEAKERS and isinstance(turn.get("content"), str)


def _state(annotation: Any) -> State | None:
    strategy = annotation.get("strategy") if isinstance(annotation, Mapping) else None
    return State(motivation=strategy) if isinstance(strategy, str) and strategy else None


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


# --- training examples ---------------------------------------------------------------------------------------------


def read_examples(file: CorpusFile) -> Items:
    """The dialogues that the training examples of one file were cut from."""
    held: dict[int, Utterance] = {}
    begin, lines, last = 1, 0, -1
    for number, line in read_lines(file):
        turns = None if isinstance(line, Rejected) else parse_example(line)
        if turns is None:
            yield _bad(number, line)
            continue
        if _begins(turns, held, last):
            yield from _joined(held, begin, lines)
            held, begin, lines = {}, number, 0
        held |= turns
        last = max(turns)
        lines += 1
    yield from _joined(held, begin, lines)


def parse_example(line: str) -> dict[int, Utterance] | None:
    """Number -> turn of one training example; None when it is none."""
    turns: dict[int, Utterance] = {}
    for part in _ENDS.split(line.strip()):
        found = _TURN.fullmatch(part.strip())
        if found is None:
            return None
        turns[int(found[2])] = _turn(found[1], found[3].strip())
    return turns if all(one.text for one in turns.values()) else None


def _turn(seat: str, text: str) -> Utterance:
    if seat == "0":
        return Utterance("user", text)
    found = _STRATEGY.fullmatch(text)
    return (
        Utterance("assistant", found[2].strip(), State(motivation=found[1])) if found else Utterance("assistant", text)
    )


def _begins(turns: Mapping[int, Utterance], held: Mapping[int, Utterance], last: int) -> bool:
    """True when an example belongs to another dialogue than those before it."""
    return max(turns) <= last or any(held.get(number, turn) != turn for number, turn in turns.items())


def _joined(held: Mapping[int, Utterance], line: int, lines: int) -> Iterator[Found]:
    if held:
        notes = () if len(held) == max(held) + 1 else (Note.TURNS_MISSING,)
        yield Found(tuple(held[number] for number in sorted(held)), line, lines=lines, notes=notes)


def _bad(number: int, line: str | Rejected) -> Rejected:
    if isinstance(line, Rejected):
        return Rejected(number, line.reason, line.text, line.detail, "lines")
    return Rejected(number, Reason.NOT_A_RECORD, head(line), "expected turns `weight speaker number text`", "lines")
