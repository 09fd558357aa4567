"""How well two annotators of the same utterances agree: accuracy, macro-F1 and Cohen's kappa, with a majority baseline.

agreement(gold=["sad", "joyful", None], predicted=["sad", None, None])
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sage_data.errors import InputError


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
