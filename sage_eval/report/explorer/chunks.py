"""The dialogues themselves, some scenarios to a file, read from the warehouse in portions of bounded size.

Each file holds a few neighbouring scenarios whole: what was said in each of their dialogues, the candidates that were
not said, and the raw answers of the judges. Words for tags, judges' choices and the like are stored once a scenario.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import isfinite
from pathlib import Path
from typing import Any

from sage_eval.report.explorer.packed import Numbers
from sage_eval.warehouse.database import Connection

SQL = Path(__file__).parent / "sql"
PORTION = 50_000
"""Turns and candidates read from the warehouse at a time; a scenario that has more is read alone."""
FEATURES = (
    "relevance",
    "freshness",
    "mood",
    "question",
    "informativeness",
    "length",
    "finished",
    "tags",
    "appropriateness",
    "respect",
)
"""What a rubric scores a candidate by, in the order of its figures."""
Row = Mapping[str, Any]
OWN = ("motivation", "emotion", "topics")
READ = ("perceived_motivation", "perceived_emotion", "perceived_topics")
_CANDIDATE_OWN = ("a_motivation", "a_emotion", "a_topics")
_CANDIDATE_READ = ("u_motivation", "u_emotion", "u_topics")


@dataclass(slots=True)
class Scenario:
    """One scenario with everything that hangs on it."""

    number: int
    row: Row
    dialogues: list[tuple[Row, list[Row], dict[int, list[Row]]]]
    """(dialogue, its turns, turn -> candidates)."""
    answers: list[Row]

    def opening(self) -> str:
        """What the list shows: the situation, or else the first words of the first dialogue."""
        if self.row["situation"] is not None:
            return str(self.row["situation"])
        return next((turns[0]["text"] for _, turns, _ in self.dialogues if turns), "")


@dataclass(slots=True)
class _Words:
    """Short strings of one scenario, each stored once."""

    listed: list[str] = field(default_factory=list)
    _places: dict[str, int] = field(default_factory=dict)

    def place(self, word: str | None) -> int:
        """Where a word stands; -1 for none."""
        if word is None:
            return -1
        if word not in self._places:
            self._places[word] = len(self.listed)
            self.listed.append(word)
        return self._places[word]

    def state(self, row: Row, names: Sequence[str]) -> list[Any] | int:
        """A motivation, an emotion and topics; 0 when all are missing."""
        motivation, emotion, topics = (row[name] for name in names)
        if motivation is None and emotion is None and not topics:
            return 0
        return [self.place(motivation), self.place(emotion), [self.place(one) for one in topics or ()]]


def scenarios(connection: Connection, sizes: Numbers) -> Iterator[Scenario]:
    """Every scenario in order.

    Args:
        connection: a warehouse whose rows are numbered (`entries.number`).
        sizes: turns and candidates of each scenario.
    """
    for first, last in portions(sizes, PORTION):
        asked = {"first": first, "last": last}
        dialogues = _grouped(_rows(connection, "dialogues", asked), "scenario")
        turns = _grouped(_rows(connection, "turns", asked), "dialogue")
        candidates = _grouped(_rows(connection, "candidates", asked), "dialogue")
        answers = _grouped(_rows(connection, "answers", asked), "scenario")
        for row in _rows(connection, "scenarios", asked):
            number = row["scenario"]
            held = [
                (one, turns.get(one["dialogue"], []), _grouped(candidates.get(one["dialogue"], []), "turn"))
                for one in dialogues.get(number, [])
            ]
            yield Scenario(number, row, held, answers.get(number, []))


def portions(sizes: Numbers, most: int) -> Iterator[tuple[int, int]]:
    """(first, last) of runs of neighbours whose sizes add up to `most` at the most, or that are a single one."""
    first, held = 0, 0
    for index, size in enumerate(sizes.tolist()):
        if held and held + size > most:
            yield first, index - 1
            first, held = index, 0
        held += size
    if len(sizes):
        yield first, len(sizes) - 1


def as_block(scenario: Scenario) -> dict[str, Any]:
    """One scenario as the browser reads it."""
    words = _Words()
    row = scenario.row
    dialogues = [
        [
            one["dialogue"],
            one["dialogue_id"],
            words.place(one["stage"]),
            words.place(one["model"]),
            [_turn(words, turn, candidates.get(turn["turn"], [])) for turn in turns],
        ]
        for one, turns, candidates in scenario.dialogues
    ]
    answers = [_answer(words, answer) for answer in scenario.answers]
    return {
        "id": row["scenario_id"],
        "text": row["situation"],
        "emotion": row["emotion"],
        "split": row["split"],
        "dialogues": dialogues,
        "answers": answers,
        "words": words.listed,
    }


def _turn(words: _Words, turn: Row, candidates: Sequence[Row]) -> list[Any]:
    said = [words.place(turn["role"]), turn["text"], words.state(turn, OWN), words.state(turn, READ)]
    return [*said, [_candidate(words, one) for one in candidates]] if candidates else said


def _candidate(words: _Words, row: Row) -> list[Any]:
    text = row["text"] if row["text"] is not None else row["content"]
    figures = [_rounded(row[f"score_{name}"]) for name in FEATURES]
    return [
        int(row["selected"]),
        text,
        _rounded(row["score"]),
        words.state(row, _CANDIDATE_OWN),
        words.state(row, _CANDIDATE_READ),
        row["copies"],
        -1 if row["acceptable"] is None else int(row["acceptable"]),
        words.place(row["status"]),
        [words.place(one) for one in row["problems"] or ()],
        [] if all(figure is None for figure in figures) else figures,
    ]


def _answer(words: _Words, row: Row) -> list[Any]:
    texts = ("verdict", "choice_ab", "raw_ab", "error_ab", "choice_ba", "raw_ba", "error_ba")
    placed = [words.place(row[name]) for name in texts]
    return [row["row"], row["judging"], *placed, _rounded(row["words_a"], 1), _rounded(row["words_b"], 1)]


def _rounded(value: float | None, digits: int = 3) -> float | None:
    """Short enough to store; NaN and infinities, which JSON cannot hold, count as missing."""
    if value is None or not isfinite(value):
        return None
    return round(value, digits) + 0.0


def _rows(connection: Connection, name: str, asked: Mapping[str, int]) -> list[Row]:
    sql = (SQL / f"chunk_{name}.sql").read_text(encoding="utf-8")
    return list(connection.sql(sql, params=dict(asked)).to_arrow_table().to_pylist())


def _grouped(rows: Sequence[Row], name: str) -> dict[int, list[Row]]:
    return {key: list(group) for key, group in groupby(rows, key=lambda row: row[name])}
