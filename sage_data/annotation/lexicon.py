"""The offline annotator: reads states from cue words, the form of the utterance and VADER's compound score.

A documented baseline, not a model: it needs no network and gives the same states everywhere. Every label's score is the
sum of the cues found for it and of features of the utterance; the highest wins (`cues.toml` holds all of them).

Features: `question` (ends with a question mark), `inner_question` (has one elsewhere), `no_question` (has none),
`first` (opens the dialogue), `answers` (the utterance before it ended with a question mark), `after_request` (the
utterance before it requested or suggested something), `short` (at most 5 words), `long` (more than 15),
`first_person`, `second_person`, `positive` and `negative` (VADER's compound beyond 0.3 either way),
`previous_positive`, `previous_negative` (that of the utterance before), `user`, `assistant`, and `always`.

Measured by `python benchmarks/annotation/agreement.py DATA`, against always giving the most frequent label (kappa 0).
Held out: a half of each corpus, by a hash of dialogue ids, scored once when the cues were done; the other half was used
to look at errors. Unseen: sets that nobody looked at (EmpatheticDialogues' training set, RECCON, ESConv's failed
dialogues). 95 % bootstrap intervals over dialogues:

    held out, labels                            n    accuracy              macro-F1              kappa   majority
    EmpatheticDialogues, situation, 32       1,372   0.325 [0.300, 0.348]  0.372 [0.341, 0.395]  0.310   0.052 / 0.003
    EmpatheticDialogues, speaker, 33         3,152   0.262 [0.246, 0.280]  0.241 [0.225, 0.256]  0.221   0.089 / 0.004
    EmpatheticDialogues, listener intent, 8  2,124   0.527 [0.506, 0.547]  0.380 [0.359, 0.400]  0.413   0.421 / 0.074
    DailyDialog, act, 4                      7,795   0.705 [0.691, 0.718]  0.586 [0.570, 0.601]  0.541   0.435 / 0.151
    DailyDialog, emotion, 7                  7,795   0.794 [0.783, 0.805]  0.290 [0.257, 0.323]  0.283   0.843 / 0.131
    ESConv, strategy, 8                      3,105   0.375 [0.357, 0.395]  0.308 [0.290, 0.328]  0.264   0.218 / 0.045

    unseen, labels                              n    accuracy              macro-F1              kappa   majority
    EmpatheticDialogues, situation, 32      19,533   0.320 [0.314, 0.327]  0.372 [0.365, 0.379]  0.305   0.051 / 0.003
    EmpatheticDialogues, speaker, 33        43,934   0.267 [0.262, 0.271]  0.251 [0.247, 0.255]  0.228   0.078 / 0.004
    EmpatheticDialogues, listener intent, 8 30,294   0.536 [0.531, 0.542]  0.379 [0.374, 0.385]  0.418   0.433 / 0.075
    RECCON, emotion, 7                       8,204   0.524 [0.508, 0.540]  0.291 [0.264, 0.316]  0.195   0.444 / 0.088
    ESConv failed, strategy, 8               2,348   0.353 [0.326, 0.379]  0.280 [0.256, 0.303]  0.239   0.221 / 0.045

On the development half: 0.314 / 0.358 / 0.299, 0.271 / 0.250 / 0.229, 0.518 / 0.375 / 0.404, 0.680 / 0.576 / 0.517,
0.802 / 0.287 / 0.268 and 0.394 / 0.332 / 0.285 (accuracy / macro-F1 / kappa, in the same order). An earlier version of
the cues was made with a look at errors of both halves, so the unseen sets are the stricter test. Speaker emotions and
listener intents are a model's predictions, not people's. On DailyDialog's emotions, 84 % of which are "none", always
answering "none" has the higher accuracy. On the sample world (981 kept dialogues) accuracy is 0.961 for the user's
motivation, 0.978 for the user's emotion, 0.905 and 0.953 for the assistant's; its texts were known.

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
ASKED = frozenset({"requesting", "suggestion"})
"""Motivations of an utterance that the next one may take up."""
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
        states: list[State] = []
        for index, (utterance, one) in enumerate(zip(utterances, seen, strict=True)):
            before = seen[index - 1] if index else None
            features = _features(one, before) | {utterance.role}
            if states and states[-1].motivation in ASKED:
                features.add("after_request")
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
        "inner_question": not one.asks and "?" in one.text,
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
