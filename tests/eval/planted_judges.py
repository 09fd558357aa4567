"""Judges whose every habit is known, and dialogues for them to judge, for the tests of the self-test."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from random import Random

from sage_data.chat import CompletionStatus
from sage_eval.judge.probes import Material, RealPair, draw
from sage_eval.judge.protocol import Reply
from sage_eval.judge.transcripts import Line, Presentation, Transcript, assistant_words
from sage_eval.verdict import Choice

Habit = Callable[[Presentation], Choice]
WORDS = (
    *("garden", "dog", "rain", "kitchen", "brother", "train", "coffee", "bread"),
    *("music", "window", "winter", "letter", "shoes", "boat", "apple", "street"),
)


@dataclass(frozen=True)
class PlantedJudge:
    """Chooses by a habit; a malformed reply or an error comes with the status that a backend would give."""

    habit: Habit
    name: str = "planted"
    identity: str = "planted-model"
    spec_hash: str = "spec"

    def judge(self, presentations):
        return [self._reply(self.habit(one)) for one in presentations]

    def _reply(self, choice):
        status = CompletionStatus.API_ERROR if choice is Choice.ERROR else CompletionStatus.OK
        error = "HTTP 503" if choice is Choice.ERROR else None
        return Reply(
            choice, choice.value, status, "p", self.identity, prompt_tokens=10, completion_tokens=2, error=error
        )


def by_score(score: Callable[[Transcript], float]) -> Habit:
    """Prefers the higher score, whatever the seat."""

    def habit(shown):
        first, second = score(shown.first), score(shown.second)
        return Choice.TIE if first == second else Choice.FIRST if first > second else Choice.SECOND

    return habit


def knowing(originals: Collection[Transcript]) -> Habit:
    """Knows the originals from their copies; of two originals it prefers the one it knew first."""
    order = {lines: len(originals) - index for index, lines in enumerate(originals)}
    return by_score(lambda lines: order.get(lines, 0))


def long_winded(shown: Presentation) -> Choice:
    """Prefers more words."""
    return by_score(lambda lines: assistant_words(lines) or 0.0)(shown)


def always(choice: Choice) -> Habit:
    return lambda _: choice


def at_random(seed: int, ties: bool = False) -> Habit:
    rng = Random(seed)
    return lambda _: rng.choice([Choice.FIRST, Choice.SECOND, *([Choice.TIE] if ties else [])])


def obeying(orders: dict[str, Choice], otherwise: Habit) -> Habit:
    """Does what it is told wherever one of the texts is said, in either dialogue."""

    def habit(shown):
        said = "\n".join(line.text for lines in (shown.first, shown.second) for line in lines)
        return next((choice for text, choice in orders.items() if text in said), None) or otherwise(shown)

    return habit


def pleased_by(text: str, otherwise: Habit) -> Habit:
    """Prefers the dialogue in which a text is said."""

    def habit(shown):
        pleased = by_score(lambda lines: any(text in line.text for line in lines))(shown)
        return otherwise(shown) if pleased is Choice.TIE else pleased

    return habit


def failing(every: int, failure: Choice, otherwise: Habit) -> Habit:
    """Fails in each `every`th call."""
    calls = iter(range(1, 10**6))
    return lambda shown: failure if next(calls) % every == 0 else otherwise(shown)


def talk(rng: Random, exchanges: int = 4) -> Transcript:
    """A dialogue in made-up words, five to nine a reply."""

    def line(speaker):
        return Line(speaker, " ".join(rng.choices(WORDS, k=rng.randint(5, 9))) + rng.choice([".", "?", "!"]))

    return tuple(line(speaker) for _ in range(exchanges) for speaker in ("user", "assistant"))


def real_pairs(count: int, models=("x", "y"), seed: int = 0) -> list[RealPair]:
    """One pair a scenario."""
    rng = Random(seed)
    return [RealPair(f"s{index:03}", models, (talk(rng), talk(rng))) for index in range(count)]


def material(count: int = 20, n: int = 20, seed: int = 7) -> Material:
    return draw(real_pairs(count), n=n, seed=seed)


def originals(given: Material) -> list[Transcript]:
    return [lines for pair in given.pairs for lines in pair.transcripts]


def perfect(given: Material) -> PlantedJudge:
    return PlantedJudge(knowing(originals(given)))
