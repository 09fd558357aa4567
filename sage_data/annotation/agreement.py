"""How well two annotators of the same utterances agree: accuracy, macro-F1 and Cohen's kappa, with a majority baseline.

`compare` sets annotated dialogues against a table of gold states, such as the sample world's `gold/states.parquet`.

    agreement(gold=["sad", "joyful", None], predicted=["sad", None, None])
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sage_data.annotation.topics import stem
from sage_data.dialogue import Dialogue, Role, State
from sage_data.errors import InputError

GOLD_FILE = "states.parquet"
GOLD_COLUMNS = ("dialogue", "index", "motivation", "emotion", "topics")
Gold = Mapping[tuple[str, int], State]
"""(dialogue, index of the utterance from 0) -> its true state."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of predicted with gold labels over `n` utterances. None is a label like any other."""

    n: int
    accuracy: float
    macro_f1: float
    """Mean F1 over the labels that occur in gold."""
    kappa: float
    """Cohen's kappa: 0 at chance level, 1 where all agree; 1.0 where both know one and the same label only."""
    majority_accuracy: float
    """Accuracy of always saying gold's most frequent label; its kappa is 0."""
    majority_macro_f1: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Annotated dialogues against gold."""

    labels: Mapping[Role, Mapping[str, Agreement]]
    """Role -> "motivation" or "emotion" -> agreement; roles without gold are absent."""
    topic_precision: float
    """Share of the topics named that are gold topics; singular and plural are one. 0.0 where none is named."""
    topic_recall: float
    """Share of gold topics that are named; 0.0 where there are none."""
    without_gold: int
    """Annotated utterances that gold does not know."""


def agreement(gold: Sequence[str | None], predicted: Sequence[str | None]) -> Agreement:
    """Compare two lists of labels, one entry an utterance.

    Raises:
        InputError: the lists differ in length or are empty.
    """
    if len(gold) != len(predicted) or not gold:
        raise InputError(f"expected two lists of one length, at least 1; found {len(gold)} and {len(predicted)}")
    n = len(gold)
    golds, guesses = Counter(gold), Counter(predicted)
    right = Counter(one for one, other in zip(gold, predicted, strict=True) if one == other)
    accuracy = right.total() / n
    chance = sum(count * guesses[label] for label, count in golds.items()) / n**2
    f1 = [2 * right[label] / (count + guesses[label]) for label, count in golds.items()]
    most = golds.most_common(1)[0][1]
    return Agreement(
        n=n,
        accuracy=accuracy,
        macro_f1=sum(f1) / len(f1),
        kappa=1.0 if chance == 1.0 else (accuracy - chance) / (1 - chance),
        majority_accuracy=most / n,
        majority_macro_f1=2 * most / (most + n) / len(golds),
    )


def read_gold(path: Path) -> Gold:
    """Read gold states from a Parquet file, or from `states.parquet` in a folder.

    Raises:
        InputError: there is no such file, or it lacks a column.
    """
    file = path / GOLD_FILE if path.is_dir() else path
    try:
        rows = pq.read_table(file, columns=list(GOLD_COLUMNS)).to_pylist()
    except (OSError, pa.ArrowException, KeyError) as error:
        raise InputError(f"{file}: expected a table with {', '.join(GOLD_COLUMNS)}: {error}") from error
    return {
        (row["dialogue"], row["index"]): State(row["motivation"], row["emotion"], tuple(row["topics"] or ()))
        for row in rows
    }


def compare(dialogues: Iterable[Dialogue], gold: Gold) -> Comparison:
    """Set annotated dialogues against gold. Gold may name a dialogue by its id or by its first utterance's source id.

    Raises:
        InputError: gold knows none of the utterances.
    """
    pairs: list[tuple[Role, State, State]] = []
    without = 0
    for role, state, true in _paired(dialogues, gold):
        if true is None:
            without += 1
        else:
            pairs.append((role, state, true))
    if not pairs:
        raise InputError(f"gold knows none of the {without} annotated utterances", next_step="check the input `gold`")
    roles = sorted({role for role, _, _ in pairs}, reverse=True)
    return Comparison({role: _of_role(pairs, role) for role in roles}, *_topics(pairs), without)


def _paired(dialogues: Iterable[Dialogue], gold: Gold) -> Iterable[tuple[Role, State, State | None]]:
    for dialogue in dialogues:
        first = (dialogue.utterances[0].source_id or "").removeprefix("t1_") if dialogue.utterances else ""
        for index, utterance in enumerate(dialogue.utterances):
            if utterance.state is not None:
                true = gold.get((dialogue.id, index)) or gold.get((first, index))
                yield utterance.role, utterance.state, true


def _of_role(pairs: Sequence[tuple[Role, State, State]], role: Role) -> dict[str, Agreement]:
    own = [(state, true) for one, state, true in pairs if one == role]
    return {
        "motivation": agreement([true.motivation for _, true in own], [state.motivation for state, _ in own]),
        "emotion": agreement([true.emotion for _, true in own], [state.emotion for state, _ in own]),
    }


def _topics(pairs: Sequence[tuple[Role, State, State]]) -> tuple[float, float]:
    """Precision and recall of topics."""
    named = sum(len(state.topics) for _, state, _ in pairs)
    there = sum(len(true.topics) for _, _, true in pairs)
    both = sum(len(set(map(stem, state.topics)) & set(map(stem, true.topics))) for _, state, true in pairs)
    return both / max(named, 1), both / max(there, 1)
