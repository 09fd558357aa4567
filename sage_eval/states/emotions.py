"""Does the model read the user's emotion as the scenario's author named it?

Only the scenario's label is known, one a dialogue, and it describes the situation that the user opens with. So the
first user utterance is what counts ("first"); "every" takes all of a dialogue's readings for the same label, "any" asks
whether one of them hits it, which a talkative model does by luck more often.

A free emotion is mapped to one of the 32 labels of EmpatheticDialogues by `emotions.toml`, or is unmapped; a stated
"none" is unmapped too. Accuracy is of the mapped; `strict` counts what is unmapped as wrong; `coverage` is the mapped
share. Kappa takes label and mapped reading as two raters.

match_rows(model, labels, mapping)
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa

from sage_eval.states.counting import ESTIMATE_FIELDS, limits
from sage_eval.states.estimates import Estimate, Sums, proportion
from sage_eval.states.material import Kind, Model
from sage_eval.stats.agreement import agreement

MATCHES, ACCURACY, CONFUSIONS = "emotion_matches", "emotion_accuracy", "emotion_confusions"
MAPPING = Path(__file__).with_name("emotions.toml")
SCOPES = ("first", "every", "any")
RESAMPLES = 1000

MATCH_SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("kind", pa.string()),
        ("dialogue_id", pa.string()),
        ("scenario_id", pa.string()),
        ("turn", pa.int64()),
        ("reading", pa.int64()),
        ("label", pa.string()),
        ("emotion", pa.string()),
        ("mapped", pa.string()),
        ("hit", pa.bool_()),
    ]
)
ACCURACY_SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("kind", pa.string()),
        ("scope", pa.string()),
        ("readings", pa.int64()),
        ("mapped", pa.int64()),
        ("coverage", pa.float64()),
        ("hits", pa.int64()),
        ("accuracy", pa.float64()),
        *ESTIMATE_FIELDS,
        ("strict", pa.float64()),
        ("strict_low", pa.float64()),
        ("strict_high", pa.float64()),
        ("kappa", pa.float64()),
        ("kappa_low", pa.float64()),
        ("kappa_high", pa.float64()),
    ]
)
CONFUSION_SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("kind", pa.string()),
        ("label", pa.string()),
        ("mapped", pa.string()),
        ("count", pa.int64()),
        ("label_count", pa.int64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Mapping32:
    """Free words -> labels."""

    words: Mapping[str, str]
    """Word -> label; each label is a word of its own."""
    openings: tuple[str, ...]
    """What may stand in front of a word, the longest first."""

    @property
    def labels(self) -> list[str]:
        """The labels, sorted."""
        return sorted(set(self.words.values()))

    def label(self, emotion: str | None) -> str | None:
        """The label of a free emotion; None when it is unmapped."""
        word = plain(emotion or "")
        while word not in self.words:
            opening = next((one for one in self.openings if word.startswith(f"{one} ")), None)
            if opening is None:
                return None
            word = word[len(opening) :].strip()
        return self.words[word]


def plain(emotion: str) -> str:
    """Fold case and width, read hyphens as spaces, collapse white space."""
    return " ".join(unicodedata.normalize("NFKC", emotion).casefold().replace("-", " ").split())


@cache
def shipped_mapping() -> Mapping32:
    """The mapping of `emotions.toml`.

    Raises:
        ValueError: a word stands under two labels.
    """
    raw = tomllib.loads(MAPPING.read_text(encoding="utf-8"))
    words: dict[str, str] = {}
    for label, listed in raw["labels"].items():
        for word in (label, *listed):
            if words.setdefault(plain(word), label) != label:
                raise ValueError(f"{MAPPING.name}: {word!r} stands under {words[plain(word)]} and under {label}")
    return Mapping32(words, tuple(sorted(raw["openings"], key=lambda one: (-len(one), one))))


def match_rows(model: Model, labels: Mapping[str, str], mapping: Mapping32) -> Iterator[dict[str, Any]]:
    """One row a reading of the user, in dialogues whose scenario has a label.

    `kind` says who read: the assistant (perceived), or the user's own state (annotated, or declared by a simulator).
    """
    for kind in (Kind.PERCEIVED, Kind.USER):
        for talk in model.talks:
            label = labels.get(talk.dialogue.scenario_id or "")
            if label is None:
                continue
            heard = list(accumulate(one.role == "user" for one in talk.dialogue.utterances))
            for place, state in talk.states(kind):
                if state is None:
                    continue
                mapped = mapping.label(state.emotion)
                yield {
                    "model": model.name,
                    "kind": kind.value,
                    "dialogue_id": talk.id,
                    "scenario_id": talk.dialogue.scenario_id,
                    "turn": place,
                    "reading": heard[place] - 1,
                    "label": label,
                    "emotion": state.emotion,
                    "mapped": mapped,
                    "hit": None if mapped is None else mapped == label,
                }


def accuracy_rows(rows: Sequence[Mapping[str, Any]], level: float, seed: int) -> Iterator[dict[str, Any]]:
    """Accuracy of one model by who read and by which readings count."""
    for kind in (Kind.PERCEIVED, Kind.USER):
        of_kind = [row for row in rows if row["kind"] == kind.value]
        for scope in SCOPES if of_kind else ():
            yield {"kind": kind.value, **_accuracy(scope, _in_scope(of_kind, scope), level, seed)}


def _in_scope(rows: Sequence[Mapping[str, Any]], scope: str) -> list[Mapping[str, Any]]:
    if scope == "every":
        return list(rows)
    if scope == "first":
        return [row for row in rows if row["reading"] == 0]
    best: dict[str, Mapping[str, Any]] = {}
    rank = {True: 2, False: 1, None: 0}
    for row in rows:
        kept = best.setdefault(row["dialogue_id"], row)
        if rank[row["hit"]] > rank[kept["hit"]]:
            best[row["dialogue_id"]] = row
    return list(best.values())


def _accuracy(scope: str, rows: Sequence[Mapping[str, Any]], level: float, seed: int) -> dict[str, Any]:
    mapped = [row for row in rows if row["mapped"] is not None]
    accuracy, strict = _share(mapped, level), _share(rows, level)
    return {
        "scope": scope,
        "readings": len(rows),
        "mapped": len(mapped),
        "coverage": len(mapped) / len(rows) if rows else None,
        "hits": sum(row["hit"] for row in mapped),
        "accuracy": accuracy.value,
        **limits(accuracy),
        "strict": strict.value,
        "strict_low": strict.low,
        "strict_high": strict.high,
        **_kappa(mapped if scope != "any" else [], level, seed),
    }


def _share(rows: Sequence[Mapping[str, Any]], level: float) -> Estimate:
    sums = Sums()
    for row in rows:
        sums.add(row["scenario_id"], float(bool(row["hit"])))
    return proportion(sums, level)


def _kappa(rows: Sequence[Mapping[str, Any]], level: float, seed: int) -> dict[str, float | None]:
    """Cohen's kappa; none for "any", whose reading is chosen by the label."""
    nothing: dict[str, float | None] = {"kappa": None, "kappa_low": None, "kappa_high": None}
    if not rows:
        return nothing
    ratings = [(row["label"], row["mapped"]) for row in rows]
    clusters = [row["scenario_id"] for row in rows]
    found = agreement(ratings, clusters=clusters, level=level, seed=seed, resamples=RESAMPLES).kappa
    if found is None or found.value is None:
        return nothing
    interval = found.interval
    low, high = (None, None) if interval is None else (interval.low, interval.high)
    return {"kappa": found.value, "kappa_low": low, "kappa_high": high}


def confusion_rows(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """First readings of one model by label, the most frequent wrong pair first; NULL `mapped` is unmapped."""
    for kind in (Kind.PERCEIVED, Kind.USER):
        first = [row for row in rows if row["kind"] == kind.value and row["reading"] == 0]
        totals = Counter(row["label"] for row in first)
        pairs = Counter((row["label"], row["mapped"]) for row in first)
        for (label, mapped), count in sorted(pairs.items(), key=lambda one: (-one[1], one[0][0], str(one[0][1]))):
            yield {"kind": kind.value, "label": label, "mapped": mapped, "count": count, "label_count": totals[label]}
