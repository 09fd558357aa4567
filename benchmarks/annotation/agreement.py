"""Measures how well the lexicon annotator agrees with the labels of four corpora, against the majority baseline.

Each corpus is split in two by a hash of each dialogue's id: in the *development* half errors may be looked at
(`--errors`), the *held out* half is only scored. The third part, *unseen*, are sets whose text and errors nobody looked
at while cues were written: EmpatheticDialogues' training set, RECCON, and ESConv's failed dialogues. Labels are mapped
by hand (`mappings.toml`). Intervals are 95 % percentile bootstrap intervals over dialogues, because utterances of one
dialogue are not independent.

    python benchmarks/annotation/agreement.py DATA              # DATA holds empathetic_dialogues/ and dialogue/
    python benchmarks/annotation/agreement.py DATA --part development --errors dd_act
"""

from __future__ import annotations

import argparse
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np
from labelled import PARTS, Part, Sample, read_samples
from numpy.typing import NDArray

from sage_data.annotation.agreement import Agreement, agreement
from sage_data.annotation.lexicon import LexiconAnnotator
from sage_data.dialogue import State
from sage_data.gates.lexicon import load_lexicon
from sage_data.gates.sentiment import CompoundScorer

MAPPINGS = Path(__file__).parent / "mappings.toml"
RESAMPLES = 1_000
SEED = 0
SHOWN_ERRORS, SHOWN_PAIRS = 6, 12
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reading:
    """How the annotator's labels are read in one task."""

    title: str
    slot: str
    otherwise: str
    none: str
    labels: Mapping[str, str]

    def __call__(self, state: State) -> str:
        """The corpus' label for a state."""
        label = getattr(state, self.slot)
        if label is None:
            return self.none
        return self.labels.get(label, label if self.otherwise == "=" else self.otherwise)


@dataclass(slots=True)
class Pairs:
    """Labels of one task in one part."""

    gold: list[str] = field(default_factory=list)
    predicted: list[str] = field(default_factory=list)
    dialogue: list[int] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Score:
    """One line of the table."""

    point: Agreement
    accuracy: Interval
    macro_f1: Interval
    kappa: Interval


def read_mappings(path: Path = MAPPINGS) -> dict[str, Reading]:
    """Task -> mapping, in the file's order."""
    raw: dict[str, dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))
    return {task: Reading(**entry) for task, entry in raw.items()}


def annotate(
    samples: Iterable[Sample], annotator: LexiconAnnotator, mappings: Mapping[str, Reading]
) -> tuple[dict[tuple[str, Part], Pairs], int]:
    """(task, part) -> gold and predicted labels; and the number of utterances annotated."""
    pairs: dict[tuple[str, Part], Pairs] = {}
    utterances = 0
    for number, sample in enumerate(samples):
        states = annotator.states(sample.utterances)
        utterances += len(states)
        for task, index, label in sample.gold:
            found = pairs.setdefault((task, sample.part), Pairs())
            found.gold.append(label)
            found.predicted.append(mappings[task](states[index]))
            found.dialogue.append(number)
            found.text.append(sample.utterances[index].text)
    return pairs, utterances


# --- figures --------------------------------------------------------------------------------------------------------


def score(pairs: Pairs, resamples: int = RESAMPLES) -> Score:
    """Agreement of one task with intervals."""
    labels = sorted({*pairs.gold, *pairs.predicted})
    place = {label: index for index, label in enumerate(labels)}
    cell = np.array(
        [place[gold] * len(labels) + place[guess] for gold, guess in zip(pairs.gold, pairs.predicted, strict=True)]
    )
    _, dialogue = np.unique(pairs.dialogue, return_inverse=True)
    count = int(dialogue.max()) + 1
    random = np.random.default_rng(SEED)
    figures = []
    for _ in range(resamples):
        weight = np.bincount(random.integers(0, count, count), minlength=count)[dialogue]
        matrix: Matrix = np.bincount(cell, weights=weight, minlength=len(labels) ** 2).astype(np.float64)
        figures.append(of_matrix(matrix.reshape(len(labels), len(labels))))
    low, high = np.percentile(np.array(figures), [2.5, 97.5], axis=0)
    intervals = [Interval(float(one), float(other)) for one, other in zip(low, high, strict=True)]
    return Score(agreement(pairs.gold, pairs.predicted), *intervals)


def of_matrix(matrix: Matrix) -> tuple[float, float, float]:
    """Accuracy, macro-F1 and kappa of a matrix of counts, gold by predicted; as `sage_data.annotation.agreement`."""
    total, right = matrix.sum(), np.diag(matrix)
    gold, guessed = matrix.sum(axis=1), matrix.sum(axis=0)
    accuracy = right.sum() / total
    chance = (gold * guessed).sum() / total**2
    held = gold > 0
    f1 = 2 * right[held] / (gold + guessed)[held]
    kappa = 1.0 if chance == 1.0 else (accuracy - chance) / (1 - chance)
    return float(accuracy), float(f1.mean()), float(kappa)


# --- output ---------------------------------------------------------------------------------------------------------


def table(scores: Mapping[tuple[str, Part], Score], mappings: Mapping[str, Reading]) -> str:
    """All figures as Markdown, part by part."""
    head = "| labels | n | accuracy | macro-F1 | kappa | majority accuracy / macro-F1 |\n|---|--:|---|---|---|---|"
    lines = []
    for part in PARTS:
        rows = [_row(mappings[task].title, scores[task, part]) for task in mappings if (task, part) in scores]
        lines += [f"\n{part}\n\n{head}", *rows] if rows else []
    return "\n".join(lines).lstrip() + "\n"


def _row(title: str, one: Score) -> str:
    point = one.point
    majority = f"{point.majority_accuracy:.3f} / {point.majority_macro_f1:.3f}"
    cells = [
        title,
        f"{point.n:,}",
        _cell(point.accuracy, one.accuracy),
        _cell(point.macro_f1, one.macro_f1),
        _cell(point.kappa, one.kappa),
        majority,
    ]
    return f"| {' | '.join(cells)} |"


def _cell(value: float, interval: Interval) -> str:
    return f"{value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def errors(pairs: Pairs) -> str:
    """The most frequent confusions with a few utterances each."""
    wrong = [
        (gold, guess, text)
        for gold, guess, text in zip(pairs.gold, pairs.predicted, pairs.text, strict=True)
        if gold != guess
    ]
    lines = []
    for (gold, guess), number in Counter((gold, guess) for gold, guess, _ in wrong).most_common(SHOWN_PAIRS):
        lines.append(f"{gold} taken for {guess}: {number}")
        shown = [text for one, other, text in wrong if (one, other) == (gold, guess)]
        lines += [f"    {text[:160]!r}" for text in shown[:SHOWN_ERRORS]]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table, and errors of the development half where asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path, help="folder with empathetic_dialogues/ and dialogue/")
    parser.add_argument("--part", choices=PARTS, action="append", help="only this part (repeatable)")
    parser.add_argument("--errors", metavar="TASK", help="show errors of the development half")
    parser.add_argument("--resamples", type=int, default=RESAMPLES, help="bootstrap resamples")
    given = parser.parse_args(arguments)
    wanted = set(given.part or PARTS)
    mappings = read_mappings()
    annotator = LexiconAnnotator(CompoundScorer(load_lexicon().valences).compound)
    samples = [sample for sample in read_samples(given.data) if sample.part in wanted]
    if not samples:
        click.echo(f"{given.data}: expected empathetic_dialogues/ or dialogue/ in it, found neither", err=True)
        return 1
    started = time.perf_counter()
    pairs, utterances = annotate(samples, annotator, mappings)
    seconds = time.perf_counter() - started
    click.echo(table({key: score(one, given.resamples) for key, one in pairs.items()}, mappings))
    click.echo(f"{annotator.identity}: {utterances:,} utterances, {utterances / seconds:,.0f} a second")
    if given.errors and (given.errors, "development") in pairs:
        click.echo(errors(pairs[given.errors, "development"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
