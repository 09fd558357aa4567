"""VADER's compound score, exactly as NLTK's `SentimentIntensityAnalyzer` computes it, but about ten times faster.

NLTK's analyzer is the definition (the paper names it); its word lists are used, and tests hold this scorer equal to it
to the last bit. It is faster because what depends on one token alone (its punctuation, case, valence, boosting,
negating) is worked out once a token, and because tokens without sentiment are passed over.

    scorer = CompoundScorer(load_lexicon().valences)
    scorer.compound("Not bad at all!")      # 0.4926...
"""

from __future__ import annotations

import importlib
import math
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

MEMO_TOKENS = 262_144
"""Tokens remembered before the memory is emptied: about 60 MB."""

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_DAMPING = (1.0, 0.95, 0.9)
"""Weight of a booster one, two and three tokens before the word it boosts (Hutto and Gilbert 2014)."""


def nltk_analyzer(valences: Mapping[str, float]) -> Any:
    """NLTK's own analyzer over a lexicon that is already parsed, without any file on `nltk.data.path`."""
    vader = importlib.import_module("nltk.sentiment.vader")
    analyzer = vader.SentimentIntensityAnalyzer.__new__(vader.SentimentIntensityAnalyzer)
    analyzer.lexicon = dict(valences)
    analyzer.constants = vader.VaderConstants()
    return analyzer


@dataclass(frozen=True, slots=True)
class _Token:
    """Everything about a token that does not depend on its neighbours."""

    word: str
    """Without one run of punctuation before or behind it."""
    lower: str
    is_upper: bool
    valence: float | None
    """None: not in the lexicon."""
    boost: float | None
    """How much it strengthens what follows; negative weakens; None: no booster."""
    negates: bool
    in_phrase: bool
    """Is part of an idiom, or of a booster of two words."""


_PLAIN = _Token("", "", is_upper=False, valence=None, boost=None, negates=False, in_phrase=False)
_PLAIN_UPPER = _Token("", "", is_upper=True, valence=None, boost=None, negates=False, in_phrase=False)
"""Stand for all tokens that no rule asks about: most of a text."""

_ASKED_ABOUT = frozenset({"at", "but", "kind", "least", "never", "of", "so", "this", "very"})
"""Words that a rule of VADER names, beside its word lists."""


class CompoundScorer:
    """Scores texts; remembers tokens between them. Not for use by several threads at once."""

    def __init__(self, valences: Mapping[str, float]) -> None:
        self._valences = valences
        self._memo: dict[str, _Token] = {}

    @cached_property
    def _constants(self) -> Any:
        return importlib.import_module("nltk.sentiment.vader").VaderConstants

    @cached_property
    def _idioms(self) -> dict[tuple[str, ...], float]:
        return {tuple(phrase.split(" ")): value for phrase, value in self._constants.SPECIAL_CASE_IDIOMS.items()}

    @cached_property
    def _dampers(self) -> frozenset[tuple[str, ...]]:
        phrases = (tuple(phrase.split(" ")) for phrase in self._constants.BOOSTER_DICT)
        return frozenset(phrase for phrase in phrases if len(phrase) > 1)

    @cached_property
    def _phrase_words(self) -> frozenset[str]:
        return frozenset(word for phrase in (*self._idioms, *self._dampers) for word in phrase)

    @cached_property
    def _told(self) -> frozenset[str]:
        """Every lower-case word of which anything is known, but negations."""
        phrase_words = (word.lower() for word in self._phrase_words)
        return frozenset((*self._valences, *self._constants.BOOSTER_DICT, *phrase_words, *_ASKED_ABOUT))

    @cached_property
    def _marks(self) -> frozenset[str]:
        return frozenset(self._constants.PUNC_LIST)

    def compound(self, text: str) -> float:
        """The compound score, from -1 (most negative) to 1, rounded to 4 places; 0.0 for a text without sentiment."""
        memo = self._memo
        tokens = [memo.get(raw) or self._learn(raw) for raw in text.split() if len(raw) > 1]
        values = self._values(tokens)
        if not values:
            return 0.0
        total = float(sum(_around_but(tokens, values)))
        if total > 0:
            total += _emphasis(text)
        elif total < 0:
            total -= _emphasis(text)
        return round(total / math.sqrt(total * total + 15), 4)

    def _learn(self, raw: str) -> _Token:
        if len(self._memo) >= MEMO_TOKENS:
            self._memo.clear()
        token = self._memo[raw] = self._look_up(raw if raw.isalnum() else self._bare(raw))
        return token

    def _look_up(self, word: str) -> _Token:
        lower = word.lower()
        negates = lower in self._constants.NEGATE or "n't" in lower
        if not (negates or lower in self._told):
            return _PLAIN_UPPER if word.isupper() else _PLAIN
        return _Token(
            word=word,
            lower=lower,
            is_upper=word.isupper(),
            valence=self._valences.get(lower),
            boost=self._constants.BOOSTER_DICT.get(lower),
            negates=negates,
            in_phrase=word in self._phrase_words,
        )

    def _bare(self, raw: str) -> str:
        """The token without the punctuation on one side, if that is one of VADER's marks; else as it is."""
        word = raw.translate(_PUNCTUATION)
        if len(word) > 1 and (
            (raw.startswith(word) and raw[len(word) :] in self._marks)
            or (raw.endswith(word) and raw[: -len(word)] in self._marks)
        ):
            return word
        return raw

    def _values(self, tokens: Sequence[_Token]) -> list[tuple[int, float]]:
        """Position and valence in context of each token that carries any.

        A word that occurs again counts as it did at first, wherever it stands: NLTK goes by the first place.
        """
        first: dict[str, float] = {}
        values = []
        shouts: bool | None = None
        for place, token in enumerate(tokens):
            if token.valence is None or token.boost is not None:
                continue
            if token.word not in first:
                if shouts is None:
                    shouts = 0 < sum(one.is_upper for one in tokens) < len(tokens)
                first[token.word] = self._in_context(tokens, place, token.valence, shouts)
            values.append((place, first[token.word]))
        return values

    def _in_context(self, tokens: Sequence[_Token], place: int, valence: float, shouts: bool) -> float:
        """Valence of a word after its case and the three tokens before it.

        `shouts`: some tokens of the text are in capitals, but not all.
        """
        token = tokens[place]
        if [after.lower for after in tokens[place : place + 2]] == ["kind", "of"]:
            return 0.0
        if token.is_upper and shouts:
            valence += self._constants.C_INCR if valence > 0 else -self._constants.C_INCR
        for distance in range(1, min(place, 3) + 1):
            before = tokens[place - distance]
            if before.valence is not None:
                continue
            if before.boost is not None:
                valence += self._boost(before, valence, shouts) * _DAMPING[distance - 1]
            valence *= self._negation(tokens, place, distance)
            if distance == 3:
                valence = self._phrases(tokens, place, valence)
        return self._least(tokens, place, valence)

    def _boost(self, before: _Token, valence: float, shouts: bool) -> float:
        boost: float = before.boost or 0.0
        if valence < 0:
            boost = -boost
        if before.is_upper and shouts:
            boost += self._constants.C_INCR if valence > 0 else -self._constants.C_INCR
        return boost

    def _negation(self, tokens: Sequence[_Token], place: int, distance: int) -> float:
        """Factor by which the token `distance` before a word turns or strengthens it ("never so ...")."""
        words = [token.word for token in tokens[place - distance : place]]
        if distance == 2 and words[0] == "never" and words[1] in {"so", "this"}:
            return 1.5
        if distance == 3 and (words[2] in {"so", "this"} or (words[0] == "never" and words[1] in {"so", "this"})):
            return 1.25
        factor: float = self._constants.N_SCALAR if tokens[place - distance].negates else 1.0
        return factor

    def _phrases(self, tokens: Sequence[_Token], place: int, valence: float) -> float:
        """Idioms that end before, at or after a word replace its valence; "kind of" and the like weaken it."""
        near = tokens[place - 3 : place + 3]
        if not any(token.in_phrase for token in near):
            return valence
        three, two, one, own, *after = (token.word for token in near)
        for phrase in ((one, own), (two, one, own), (two, one), (three, two, one), (three, two)):
            if phrase in self._idioms:
                valence = self._idioms[phrase]
                break
        for length in range(1, len(after) + 1):
            valence = self._idioms.get((own, *after[:length]), valence)
        if (three, two) in self._dampers or (two, one) in self._dampers:
            valence += self._constants.B_DECR
        return valence

    def _least(self, tokens: Sequence[_Token], place: int, valence: float) -> float:
        """A word after "least" is turned, but not after "at least" or "very least"."""
        if place == 0 or tokens[place - 1].lower != "least" or tokens[place - 1].valence is not None:
            return valence
        if place > 1 and tokens[place - 2].lower in {"at", "very"}:
            return valence
        turned: float = valence * self._constants.N_SCALAR
        return turned


def _around_but(tokens: Sequence[_Token], values: Sequence[tuple[int, float]]) -> list[float]:
    """What stands before the first "but" counts half, what stands behind it one and a half times."""
    middle = next((place for place, token in enumerate(tokens) if token.lower == "but"), None)
    if middle is None:
        return [value for _, value in values]
    return [value * 0.5 if place < middle else value * 1.5 if place > middle else value for place, value in values]


def _emphasis(text: str) -> float:
    """What exclamation marks (up to four) and repeated question marks add to the total's size."""
    questions = text.count("?")
    asking = 0.0 if questions < 2 else questions * 0.18 if questions <= 3 else 0.96
    return min(text.count("!"), 4) * 0.292 + asking
