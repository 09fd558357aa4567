"""Arithmetic word problems of our own with known answers, and gsm8k's from a file.

The answer of a generated problem is a whole number of at least 2 that does not stand in the question, so that a reply
that repeats the question cannot be taken for right.

problems(seed=7, count=100), read_gsm8k(Path("test.jsonl"))
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from sage_data.errors import InputError
from sage_data.stage import derive_seed
from sage_eval.maths.numbers import as_number, numbers

MARK = "####"
"""What stands before the final number of a gsm8k answer (Cobbe et al. 2021)."""
NAMES = ("Mira", "Tom", "Ada", "Luis", "Nora", "Ivan", "Zoe", "Karim", "Ella", "Ben", "Priya", "Otto")
THINGS = ("apples", "stickers", "marbles", "pencils", "cookies", "books", "tulips", "postcards", "buttons", "eggs")
OPENINGS = (
    "Hi! I am finally home, it was a long day at school.",
    "I am in a maths class and it is too hard for me.",
    "My little sister and I are doing homework at the kitchen table.",
    "What a rainy afternoon. I still have homework to finish.",
    "I have a test tomorrow and I am a bit nervous about it.",
    "I just made myself some tea before going back to my exercises.",
)
ASKS = (
    "Can you help me with this one? {question}",
    "Here is what I am stuck on: {question}",
    "Maybe you know this. {question}",
    "Okay, one question for you. {question}",
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One question with its answer, and the small talk it comes after."""

    id: str
    kind: str
    """Name of the template, or "gsm8k"."""
    question: str
    answer: Decimal
    opening: str
    """The user's first utterance."""
    ask: str
    """The user's second utterance: the question in a chat's words."""

    @property
    def answer_in_question(self) -> bool:
        """Whether the answer stands in the question as a number."""
        return self.answer in numbers(self.question)


Draft = tuple[str, int]
"""(Question, answer)."""


def _add(random: Random) -> Draft:
    a, b, c = (random.randint(3, 60) for _ in range(3))
    one, other, thing = _cast(random)
    return (
        f"{one} has {a} {thing}, {other} has {b}, and they find {c} more. How many {thing} do they have together?",
        a + b + c,
    )


def _take(random: Random) -> Draft:
    a, b, c = random.randint(60, 200), random.randint(3, 25), random.randint(3, 25)
    one, other, thing = _cast(random)
    return f"{one} had {a} {thing}, gave {b} to {other} and lost {c}. How many {thing} are left?", a - b - c


def _times(random: Random) -> Draft:
    a, b = random.randint(3, 15), random.randint(4, 24)
    one, _, thing = _cast(random)
    return f"{one} packs {a} boxes with {b} {thing} in each. How many {thing} is that?", a * b


def _share(random: Random) -> Draft:
    people, each = random.randint(3, 9), random.randint(11, 30)
    one, _, thing = _cast(random)
    return (
        f"{one} shares {people * each} {thing} equally among {people} friends. How many {thing} does each friend get?",
        each,
    )


def _change(random: Random) -> Draft:
    price, count = random.randint(2, 9), random.randint(2, 8)
    paid = 50 if price * count < 45 else 100
    one, _, thing = _cast(random)
    return (
        f"{one} buys {count} packs of {thing} for {price} dollars each and pays with a {paid}-dollar note. "
        "How many dollars does the shop give back?",
        paid - price * count,
    )


def _trip(random: Random) -> Draft:
    speed, hours, more = random.randint(40, 90), random.randint(2, 6), random.randint(5, 35)
    one, _, _ = _cast(random)
    return (
        f"{one} drives for {hours} hours at {speed} miles an hour and then walks {more} miles. "
        "How many miles is that in all?",
        speed * hours + more,
    )


def _percent(random: Random) -> Draft:
    percent, price = random.choice((10, 20, 25, 50)), 20 * random.randint(3, 30)
    _, _, thing = _cast(random)
    return (
        f"A crate of {thing} costs {price} dollars, and today it is {percent}% off. What does it cost now, in dollars?",
        price - price * percent // 100,
    )


def _double(random: Random) -> Draft:
    a, more = random.randint(6, 40), random.randint(2, 15)
    one, other, thing = _cast(random)
    return (
        f"{one} has {a} {thing}. {other} has twice as many and {more} more. How many {thing} do both have together?",
        3 * a + more,
    )


TEMPLATES: dict[str, Callable[[Random], Draft]] = {
    "add": _add,
    "take": _take,
    "times": _times,
    "share": _share,
    "change": _change,
    "trip": _trip,
    "percent": _percent,
    "double": _double,
}


def _cast(random: Random) -> tuple[str, str, str]:
    one, other = random.sample(NAMES, 2)
    return one, other, random.choice(THINGS)


def problems(seed: int, count: int) -> list[Problem]:
    """So many problems, the templates in turn; problem i depends on the seed and i alone."""
    return [_problem(seed, number) for number in range(count)]


def _problem(seed: int, number: int) -> Problem:
    kind = list(TEMPLATES)[number % len(TEMPLATES)]
    random = Random(derive_seed(seed, "maths", number))
    question, answer = TEMPLATES[kind](random)
    while answer < 2 or Decimal(answer) in numbers(question):
        question, answer = TEMPLATES[kind](random)
    return _framed(f"{kind}-{number:05d}", kind, question, Decimal(answer), random)


def _framed(name: str, kind: str, question: str, answer: Decimal, random: Random) -> Problem:
    ask = random.choice(ASKS).format(question=question)
    return Problem(name, kind, question, answer, random.choice(OPENINGS), ask)


def read_gsm8k(path: Path, seed: int, limit: int | None = None) -> list[Problem]:
    """Problems of a JSON Lines file with `question` and `answer`, the answer ending in `#### N`.

    Raises:
        InputError: a line is not of that shape, or there is none.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}", next_step="give a JSON Lines file") from error
    listed = [(number, line) for number, line in enumerate(lines, 1) if line.strip()][:limit]
    if not listed:
        raise InputError(f"{path}: expected lines with question and answer, found none")
    return [_gsm8k(path, number, line, seed) for number, line in listed]


def _gsm8k(path: Path, number: int, line: str, seed: int) -> Problem:
    place = f"{path}, line {number}"
    try:
        raw: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(f"{place}: not JSON: {error}") from error
    if not isinstance(raw, dict) or not all(isinstance(raw.get(key), str) for key in ("question", "answer")):
        raise InputError(f'{place}: expected {{"question": ..., "answer": ...}} with texts')
    answer = as_number(raw["answer"].rpartition(MARK)[2]) if MARK in raw["answer"] else None
    if answer is None:
        raise InputError(f"{place}: expected an answer that ends in {MARK} and one number")
    random = Random(derive_seed(seed, "maths", "gsm8k", number))
    return _framed(f"gsm8k-{number:05d}", "gsm8k", raw["question"].strip(), answer, random)


def in_blocks(found: Sequence[Problem], size: int) -> list[Sequence[Problem]]:
    """Runs of at most `size` problems."""
    return [found[start : start + size] for start in range(0, len(found), size)]
