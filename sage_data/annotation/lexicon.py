"""The offline annotator: reads states from cue words, the form of the utterance and VADER's compound score.

A documented baseline, not a model: it needs no network and gives the same states everywhere. Every label's score is the
sum of the cues found for it and of features of the utterance; the highest wins (`cues.toml` holds all of them).

Features: `question` (ends with a question mark), `no_question` (holds none), `first` (opens the dialogue), `answers`
(the utterance before it ended with a question mark), `short` (at most 5 words), `long` (more than 15), `first_person`,
`second_person`, `positive` and `negative` (VADER's compound beyond 0.3 either way), `previous_positive`,
`previous_negative` (that of the utterance before), `user`, `assistant`, and `always`.

Measured agreement, against always giving the most frequent label (accuracy / macro-F1; kappa 0):

    labels, utterances (n)                                          accuracy  macro-F1  kappa   majority
    EmpatheticDialogues, emotion of valid situations, 32 (2,770)       0.320     0.368  0.305   0.053 / 0.003
    EmpatheticDialogues, predicted speaker emotion, 33 (6,338)         0.267     0.247  0.225   0.090 / 0.004
    EmpatheticDialogues, predicted listener intent, 8 (4,274)          0.519     0.381  0.401   0.417 / 0.074
    DailyDialog validation and test, act, 4 (15,809)                   0.579     0.479  0.381   0.421 / 0.148
    DailyDialog validation and test, emotion, 7 (15,809)               0.794     0.263  0.264   0.849 / 0.131
    ESConv dev and test, strategy, 8 (5,760)                           0.365     0.272  0.253   0.199 / 0.042
    sample world, 490 kept dialogues, user emotion, 12 (1,842)         0.967     0.973  0.962   0.221
    sample world, assistant motivation, 13 (1,649)                     0.894     0.937  0.882   0.177

Labels of those corpora were mapped by hand to the nearest label here. These are development figures: the cues were
tuned on the sample world, the errors on the real sets were looked at too, and no part was held out. On DailyDialog's
emotions, 85 % of which are "none", always answering "none" has the higher accuracy.

    sage data annotate kept/ --out annotated/
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sage_data.annotation.annotator import AnnotationFailure, FailureKind
from sage_data.annotation.cues import CUE_FILE, CueBook, CueFile, Hit, shipped_cues, words
from sage_data.annotation.topics import WORD_FILE, pick_topics
from sage_data.dialogue import Dialogue, State, Utterance

LEANING = 0.3
"""Compound score beyond which an utterance counts as positive or negative."""
SHORT_WORDS, LONG_WORDS = 5, 15
NEGATION_REACH = 3
STRESSED = frozenset({"so", "this", "more"})
"""Behind "never" they stress what follows: "I have never been so proud"."""
REPORT_BONUS, POLARITY_BONUS = 0.5, 0.25
FURTHER, MOST_FURTHER = 0.25, 0.75
"""Share of their weight that a label's cues beyond its best one add, and the most they add together."""
NOWHERE = 1_000_000
LEAST_EMOTION = 1.5
"""Score below which an utterance has no emotion: one weak cue alone is not enough."""
FIRST_PERSON = frozenset({"i", "i'm", "i've", "i'd", "i'll", "im", "my", "me", "we", "we're", "our", "mine"})
SECOND_PERSON = frozenset({"you", "your", "you're", "you've", "you'll", "you'd", "yourself", "u", "ur"})


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known about one utterance."""

    text: str
    words: list[str]
    compound: float
    asks: bool


@dataclass(frozen=True, slots=True)
class LexiconAnnotator:
    """Annotates by cues. `compound` gives VADER's compound score of a text, from -1 to 1."""

    compound: Callable[[str], float]
    max_topics: int = 3
    cues: CueFile | None = None
    """The cue file to use; None: the shipped one."""

    @property
    def identity(self) -> str:
        """Name of the method with a hash of its word lists."""
        digest = hashlib.sha256(CUE_FILE.read_bytes() + WORD_FILE.read_bytes()).hexdigest()
        return f"lexicon:{digest[:12]}"

    def annotate(self, dialogues: Iterable[Dialogue]) -> Iterator[Dialogue | AnnotationFailure]:
        """One result a dialogue, in order; only a dialogue without utterances fails."""
        for dialogue in dialogues:
            if dialogue.utterances:
                states = self.states(dialogue.utterances)
                annotated = map(_with_state, dialogue.utterances, states)
                yield replace(dialogue, utterances=tuple(annotated))
            else:
                detail = f"{dialogue.id}: expected at least one utterance, found none"
                yield AnnotationFailure(dialogue, FailureKind.NO_UTTERANCES, detail)

    def states(self, utterances: Sequence[Utterance]) -> list[State]:
        """The state of each utterance of one dialogue."""
        cues = self.cues or shipped_cues()
        seen = [self._see(utterance.text) for utterance in utterances]
        topics = pick_topics([one.words for one in seen], self.max_topics)
        states = []
        for index, (utterance, one) in enumerate(zip(utterances, seen, strict=True)):
            before = seen[index - 1] if index else None
            features = _features(one, before) | {utterance.role}
            states.append(State(_motivation(cues, one, features), _emotion(cues, one, features), topics[index]))
        return states

    def _see(self, text: str) -> _Seen:
        return _Seen(text, words(text), self.compound(text), text.rstrip(" \n\t\"')").endswith("?"))


def _with_state(utterance: Utterance, state: State) -> Utterance:
    return replace(utterance, state=state)


def _features(one: _Seen, before: _Seen | None) -> set[str]:
    held = {
        "always": True,
        "question": one.asks,
        "no_question": "?" not in one.text,
        "first": before is None,
        "short": len(one.words) <= SHORT_WORDS,
        "long": len(one.words) > LONG_WORDS,
        "first_person": not FIRST_PERSON.isdisjoint(one.words),
        "second_person": not SECOND_PERSON.isdisjoint(one.words),
        "positive": one.compound > LEANING,
        "negative": one.compound < -LEANING,
    }
    if before is not None:
        held["answers"] = before.asks
        held["previous_positive"] = before.compound > LEANING
        held["previous_negative"] = before.compound < -LEANING
    return {name for name, holds in held.items() if holds}


def _motivation(cues: CueFile, one: _Seen, features: Collection[str]) -> str | None:
    scores = _scores(cues.motivations, cues.motivations.find(one.words, one.text), features)
    best = _best(scores)
    return best if best is not None and scores[best][0] > 0 else None


def _emotion(cues: CueFile, one: _Seen, features: Collection[str]) -> str | None:
    hits = []
    for hit in cues.emotions.find(one.words, one.text):
        if not _negated(cues, one.words, hit.start):
            bonus = REPORT_BONUS if _reported(cues, one.words, hit.start) else 0.0
            hits.append(replace(hit, weight=hit.weight + bonus))
    scores = _scores(cues.emotions, hits, features)
    leaning = (one.compound > LEANING) - (one.compound < -LEANING)
    leant = {
        name: (score + POLARITY_BONUS * (leaning != 0 and leaning == cues.polarity.get(name)), place)
        for name, (score, place) in scores.items()
    }
    best = _best(leant)
    return best if best is not None and leant[best][0] >= LEAST_EMOTION else None


def _scores(book: CueBook, hits: Sequence[Hit], features: Collection[str]) -> dict[str, tuple[float, int]]:
    """Label -> its score and the place of its first cue, in the book's order; only labels that something speaks for."""
    by_label: dict[str, list[Hit]] = {}
    for hit in hits:
        by_label.setdefault(hit.label, []).append(hit)
    scores = {}
    for label in book.labels:
        own = by_label.get(label.name, [])
        if own or not label.needs_cue:
            formal = sum(weight for name, weight in label.features.items() if name in features)
            if own or formal:
                first = min((hit.start for hit in own), default=NOWHERE)
                scores[label.name] = (formal + _cue_weight(own), first)
    return scores


def _cue_weight(hits: Sequence[Hit]) -> float:
    """The best cue's weight, and a little for each further one: ten weak cues are not ten times as sure as one."""
    weights = [hit.weight for hit in hits]
    best = max(weights, default=0.0)
    return best + min(FURTHER * (sum(weights) - best), MOST_FURTHER)


def _best(scores: dict[str, tuple[float, int]]) -> str | None:
    """The label with the highest score; of equals the one whose cue comes first, then the book's order."""
    return min(scores, key=lambda name: (-scores[name][0], scores[name][1]), default=None)


def _negated(cues: CueFile, text_words: Sequence[str], start: int) -> bool:
    reach = text_words[max(0, start - NEGATION_REACH) : start]
    if "but" in reach or ("never" in reach and not STRESSED.isdisjoint(reach)):
        return False
    return not cues.negators.isdisjoint(reach)


def _reported(cues: CueFile, text_words: Sequence[str], start: int) -> bool:
    end = start
    while end > 0 and text_words[end - 1] in cues.fillers:
        end -= 1
    return any(" ".join(text_words[max(0, end - length) : end]) in cues.reports for length in (1, 2, 3))
