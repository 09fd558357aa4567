"""The miniature world's words: topics and sentence frames, read from the text files that lie beside this module.

All text was written for this project (CC0). `{slots}` in a frame say what must be filled in before it can be spoken.

    topics()["gardening"].lines["bad"]
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sage_data.errors import InputError

TEXT_FOLDER = Path(__file__).parent / "text"
TOPIC_FILES = tuple(TEXT_FOLDER / f"topics_{name}.txt" for name in ("home", "free", "out"))
TURN_FILE = TEXT_FOLDER / "turns.txt"
BASE_FILE = TEXT_FOLDER / "base.txt"
PEOPLE = ("sister", "brother", "cousin", "aunt", "uncle", "mom", "dad", "roommate")
"""Whom `{p}` may stand for: "my {p}" when the user speaks, "your {p}" when the assistant does."""
MANY_LINES = ("good", "bad", "wish", "ask", "tip", "joke", "own", "old", "idea")


@dataclass(frozen=True, slots=True)
class Frame:
    """One sentence pattern."""

    pattern: str
    """Text with `{slot}` marks, for `str.format_map`."""
    slots: tuple[str, ...]
    """Names of its slots as written, in order, each once."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question of the assistant's and the answer the user has for it."""

    question: Frame
    answer: Frame


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing people talk about."""

    name: str
    """As it stands in `State.topics`, for example "gardening"."""
    details: tuple[str, ...]
    """Words `{x}` may stand for; one is chosen for a whole dialogue."""
    it: str
    """What the talk is about as a noun phrase in the user's words, for example "my {x}"."""
    doing: str
    """The same as an activity, for example "working in the garden"."""
    lines: Mapping[str, tuple[str, ...]]
    """good, bad, wish, old: clauses; tip: a verb phrase; joke, own, idea: sentences."""
    exchanges: tuple[Exchange, ...]


def frame(pattern: str) -> Frame:
    """Read one sentence pattern."""
    names = [name for _, name, _, _ in string.Formatter().parse(pattern) if name]
    return Frame(pattern, tuple(dict.fromkeys(names)))


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def _exchange(line: str, where: str) -> Exchange:
    question, mark, answer = line.partition(" > ")
    if not mark:
        raise InputError(f"{where}: expected 'question? > answer.', found {line!r}")
    return Exchange(frame(question), frame(answer))


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (where, line) for each line that is neither blank nor a comment."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            yield f"{path.name} line {number}", line.strip()


@cache
def topics() -> dict[str, Topic]:
    """All topics by name, in file order.

    Raises:
        InputError: a topics file is not in its format.
    """
    blocks: dict[str, dict[str, list[str]]] = {}
    name = ""
    for path in TOPIC_FILES:
        for where, line in _rows(path):
            if line.startswith("@"):
                name = line[1:]
                blocks[name] = {key: [] for key in ("x", "it", "ing", *MANY_LINES)}
                continue
            key, _, value = line.partition(": ")
            if name not in blocks or key not in blocks[name]:
                raise InputError(f"{where}: expected '@topic' or one of x, it, ing, {MANY_LINES}, found {line!r}")
            blocks[name][key].append(value)
    return {name: _topic(name, block) for name, block in blocks.items()}


def _topic(name: str, block: dict[str, list[str]]) -> Topic:
    short = [key for key, lines in block.items() if not lines]
    if short:
        raise InputError(f"topic {name!r} has no line for {', '.join(short)}")
    return Topic(
        name,
        tuple(block["x"][0].split(" | ")),
        block["it"][0],
        block["ing"][0],
        {key: tuple(block[key]) for key in MANY_LINES if key != "ask"},
        tuple(_exchange(line, f"topic {name!r}") for line in block["ask"]),
    )


@cache
def banks() -> dict[str, tuple[Frame, ...]]:
    """Sentence frames by section, for example `user.open.sad`."""
    listed = sections(TURN_FILE) | sections(BASE_FILE)
    return {name: tuple(map(frame, lines)) for name, lines in listed.items() if name != "assistant.ask"}


@cache
def exchanges() -> tuple[Exchange, ...]:
    """Questions with answers that fit any topic."""
    return tuple(_exchange(line, "assistant.ask") for line in sections(TURN_FILE)["assistant.ask"])


def sections(path: Path) -> dict[str, tuple[str, ...]]:
    """Lines of a text file under their `[section]` heads.

    Raises:
        InputError: a line stands before the first head.
    """
    found: dict[str, list[str]] = {}
    lines: list[str] | None = None
    for where, line in _rows(path):
        if re.fullmatch(r"\[[^\]]+\]", line):
            lines = found.setdefault(line[1:-1], [])
        elif lines is None:
            raise InputError(f"{where}: expected a [section] head first, found {line!r}")
        else:
            lines.append(line)
    return {name: tuple(lines) for name, lines in found.items()}
