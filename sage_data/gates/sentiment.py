"""VADER's compound score, exactly as NLTK's `SentimentIntensityAnalyzer` computes it, but ten to twenty times as fast.

NLTK's analyzer is the definition (the paper names it); its word lists are used, and tests hold this scorer equal to it
to the last bit. VADER's rules look at a word, at three tokens before it and at two behind it, and treat most tokens
alike. So a token is written as one letter, the same for all tokens that no rule tells apart, and a text as a short
string of letters, its spelling. A regular expression finds the words with sentiment in it; what such a word counts
between the letters around it is worked out by the rules once, and remembered.

    scorer = CompoundScorer(load_lexicon().valences)
    scorer.compound("Not bad at all!")      # 0.484
"""

from __future__ import annotations

import importlib
import math
import re
import string
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sage_data.gates.lexicon import Constants, load_constants

MEMO_TOKENS = 262_144
"""Tokens remembered before everything is forgotten: about 25 MB."""
MEMO_WINDOWS = 131_072
"""Windows remembered before they are forgotten, for texts that shout and for others: about 15 MB each."""

_PUNCTUATION = string.punctuation
_MARKS = frozenset(_PUNCTUATION)
_DAMPING = (1.0, 0.95, 0.9)
"""Weight of a booster one, two and three tokens before the word it boosts (Hutto and Gilbert 2014)."""
_NAMED = frozenset({"at", "but", "kind", "least", "of", "very"})
"""Words that a rule of VADER names, in any case, beside its word lists."""
_NAMED_BEFORE = frozenset({"at", "least", "very"})
_SO = frozenset({"so", "this"})
_NAMED_AS_WRITTEN = _SO | {"never"}

_EDGE = "\0\0\0"
"""Stands before a spelling, so that the first word has a whole window as well."""
_FIRST_LETTER = {(False, False): 0x100, (True, False): 0x1000, (True, True): 0x88000, (False, True): 0x10F000}
"""Where letters begin for tokens (with sentiment, in capitals); there is room for 550,000 words of either case."""
_PLAIN, _PLAIN_UPPER = "\1", "\2"
"""The letters of all tokens that no rule asks about: most of a text."""
_FELT = re.compile("[\u1000-\U0010efff]")
_LOUD = re.compile("[\U00088000-\U0010ffff]")
_UPPER = re.compile("[\2\U00088000-\U0010ffff]")


def nltk_analyzer(valences: Mapping[str, float]) -> Any:
    """NLTK's own analyzer over a lexicon that is already parsed, without any file on `nltk.data.path`."""
    vader = importlib.import_module("nltk.sentiment.vader")
    analyzer = vader.SentimentIntensityAnalyzer.__new__(vader.SentimentIntensityAnalyzer)
    analyzer.lexicon = dict(valences)
    analyzer.constants = vader.VaderConstants()
    return analyzer


class CompoundScorer:
    """Scores texts; remembers tokens and windows between them. Not for use by several threads at once."""

    def __init__(self, valences: Mapping[str, float]) -> None:
        self._rules = _Rules(valences, load_constants())
        self._forget()

    def _forget(self) -> None:
        self._letters = _Letters(self._rules)
        self._calm = _Windows(self._letters, self._rules, shouts=False)
        self._shouting = _Windows(self._letters, self._rules, shouts=True)

    def compound(self, text: str) -> float:
        """The compound score, from -1 (most negative) to 1, rounded to 4 places; 0.0 for a text without sentiment."""
        if len(self._letters) > MEMO_TOKENS:
            self._forget()
        spelling = _EDGE + "".join(map(self._letters.__getitem__, text.split()))
        felt = _FELT.findall(spelling)
        if not felt:
            return 0.0
        total = float(sum(self._values(spelling, felt)))
        if total > 0:
            total += _emphasis(text)
        elif total < 0:
            total -= _emphasis(text)
        return round(total / math.sqrt(total * total + 15), 4)

    def _values(self, spelling: str, felt: Sequence[str]) -> list[float]:
        """What each of the letters `felt` counts where it stands."""
        windows = self._shouting if _LOUD.search(spelling) and _shouts(spelling) else self._calm
        reach = 1 if self._letters.openers.isdisjoint(felt) else 3
        # A word that occurs again counts as it did at first, wherever it stands: NLTK goes by the first place.
        values = [windows[spelling[(at := spelling.find(letter)) - 3 : at + reach]] for letter in felt]
        for letter in self._letters.buts:
            if letter in spelling:
                return self._around_but(spelling, values)
        return values

    def _around_but(self, spelling: str, values: Sequence[float]) -> list[float]:
        """What stands before the first "but" counts half, what stands behind it one and a half times."""
        middle = min(at for letter in self._letters.buts if (at := spelling.find(letter)) >= 0)
        before, upto = len(_FELT.findall(spelling, 0, middle)), len(_FELT.findall(spelling, 0, middle + 1))
        halved = [value * 0.5 for value in values[:before]]
        return [*halved, *values[before:upto], *(value * 1.5 for value in values[upto:])]


def _shouts(spelling: str) -> bool:
    """Some tokens are in capitals, but not all."""
    return 0 < len(_UPPER.findall(spelling)) < len(spelling) - len(_EDGE)


def _emphasis(text: str) -> float:
    """What exclamation marks (up to four) and repeated question marks add to the total's size."""
    questions = text.count("?")
    asking = 0.0 if questions < 2 else questions * 0.18 if questions <= 3 else 0.96
    return min(text.count("!"), 4) * 0.292 + asking


class _Token(NamedTuple):
    """What the rules ask about a token; equal tokens are written with the same letter."""

    word: str
    """As written, without one run of punctuation before or behind it; empty if that makes no difference."""
    lower: str
    """In lower case; empty unless a rule names it."""
    is_upper: bool
    valence: float | None
    """None: not in the lexicon."""
    boost: float | None
    """How much it strengthens what follows; negative weakens; None: no booster."""
    negates: bool
    in_phrase: bool
    """Is part of an idiom, or of a booster of two words."""

    @property
    def counts(self) -> bool:
        """Has sentiment of its own: boosters never have, even if they are in the lexicon."""
        return self.valence is not None and self.boost is None

    @property
    def as_word(self) -> _Token:
        """As much of it as matters when its own sentiment is asked for."""
        return self._replace(word=self.word if self.in_phrase else "")

    @property
    def as_neighbour(self) -> _Token:
        """As much of it as matters to a word behind it: one with a valence neither boosts nor negates."""
        told = self.valence is not None
        return self._replace(
            word=self.word if self.in_phrase or self.word in _NAMED_AS_WRITTEN else "",
            lower=self.lower if self.lower in _NAMED_BEFORE else "",
            is_upper=self.is_upper and self.boost is not None and not told,
            valence=0.0 if told else None,
            boost=None if told else self.boost,
            negates=self.negates and not told,
        )


_NOTHING = _Token("", "", is_upper=False, valence=None, boost=None, negates=False, in_phrase=False)
"""Stands for all tokens that no rule asks about."""


class _Letters(dict[str, str]):
    """Token -> its letter; none ("") for a single character, which VADER passes over. Learns what it is asked for."""

    def __init__(self, rules: _Rules) -> None:
        super().__init__()
        self._rules, self._told = rules, rules.told
        self._next = dict(_FIRST_LETTER)
        self._of = {_NOTHING: _PLAIN, _NOTHING._replace(is_upper=True): _PLAIN_UPPER}
        self.tokens = {letter: token for token, letter in self._of.items()}
        """What a letter stands for."""
        self.buts: list[str] = []
        """The letters of "but" and "BUT", once they occurred."""
        self.openers: set[str] = set()
        """The letters of words with sentiment for which it matters what stands behind them."""
        self._as_word: dict[str, str] = {}
        self._as_neighbour = {_EDGE[0]: _EDGE[0], _PLAIN: _PLAIN, _PLAIN_UPPER: _PLAIN}

    def __missing__(self, raw: str) -> str:
        lower, told = raw.lower(), self._told
        if len(raw) < 2:
            letter = ""
        elif lower in told or lower.strip(_PUNCTUATION) in told or "n't" in lower:
            letter = self._letter(self._rules.token(raw))
        else:
            letter = _PLAIN_UPPER if raw.isupper() else _PLAIN
        self[raw] = letter
        return letter

    def reduced(self, window: str) -> str:
        """A window that counts the same, with letters that tell as little as the rules ask for."""
        behind = window[4:] if window[3] in self.openers else ""
        return "".join(map(self._as_neighbour.__getitem__, window[:3])) + self._as_word[window[3]] + behind

    def _letter(self, token: _Token) -> str:
        if token not in self._of:
            kind = token.counts, token.is_upper
            letter = self._of[token] = chr(self._next[kind])
            self._next[kind] += 1
            self._learn(letter, token)
        return self._of[token]

    def _learn(self, letter: str, token: _Token) -> None:
        self.tokens[letter] = token
        self._as_word[letter] = self._letter(token.as_word)
        self._as_neighbour[letter] = self._letter(token.as_neighbour)
        if token.lower == "but":
            self.buts.append(letter)
        if token.counts and (token.in_phrase or token.lower == "kind"):
            self.openers.add(letter)


class _Windows(dict[str, float]):
    """Six letters, or fewer at the end of a text -> what the fourth counts among them. Learns what it is asked for."""

    def __init__(self, letters: _Letters, rules: _Rules, shouts: bool) -> None:
        super().__init__()
        self._letters, self._rules, self._shouts = letters, rules, shouts

    def __missing__(self, window: str) -> float:
        if len(self) >= MEMO_WINDOWS:
            self.clear()
        # Far fewer windows differ in what the rules ask for than in their letters, so most are looked up once more.
        reduced = self._letters.reduced(window)
        value = self[window] = self[reduced] if reduced != window else self._work_out(window)
        return value

    def _work_out(self, window: str) -> float:
        before = window[:3].lstrip(_EDGE)
        tokens = [self._letters.tokens[letter] for letter in before + window[3:]]
        return self._rules.in_context(tokens, len(before), self._shouts)


def _kind_of(tokens: Sequence[_Token], place: int) -> bool:
    return tokens[place].lower == "kind" and place + 1 < len(tokens) and tokens[place + 1].lower == "of"


class _Rules:
    """VADER's rules for one word among its neighbours."""

    def __init__(self, valences: Mapping[str, float], constants: Constants) -> None:
        self._valences, self._constants = valences, constants
        self._idioms = {tuple(phrase.split(" ")): value for phrase, value in constants.idioms.items()}
        boosters = (tuple(phrase.split(" ")) for phrase in constants.boosters)
        self._dampers = frozenset(phrase for phrase in boosters if len(phrase) > 1)
        self._phrase_words = frozenset(word for phrase in (*self._idioms, *self._dampers) for word in phrase)
        own = (word.lower() for word in self._phrase_words)
        self.told = frozenset((*valences, *constants.negations, *constants.boosters, *own, *_NAMED, *_NAMED_AS_WRITTEN))
        """Words in lower case that a rule asks about; it also asks about every "n't"."""

    def _bare(self, raw: str) -> str:
        """The token without the punctuation on one side, if that is one of VADER's marks; else as it is."""
        word = raw.strip(_PUNCTUATION)
        if raw.startswith(word):
            mark = raw[len(word) :]
        elif raw.endswith(word):
            mark = raw[: -len(word)]
        else:
            return raw
        alone = len(word) > 1 and mark in self._constants.marks
        return word if alone and (word.isalnum() or _MARKS.isdisjoint(word)) else raw

    def token(self, raw: str) -> _Token:
        """What the rules ask about a token."""
        word = self._bare(raw)
        lower = word.lower()
        valence, boost = self._valences.get(lower), self._constants.boosters.get(lower)
        in_phrase = word in self._phrase_words
        own = in_phrase or word in _NAMED_AS_WRITTEN or (valence is not None and boost is None)
        return _Token(
            word=word if own else "",
            lower=lower if lower in _NAMED else "",
            is_upper=word.isupper(),
            valence=valence,
            boost=boost,
            negates=lower in self._constants.negations or "n't" in lower,
            in_phrase=in_phrase,
        )

    def in_context(self, tokens: Sequence[_Token], place: int, shouts: bool) -> float:
        """Valence of the word at `place` after its case and the three tokens before it.

        `shouts`: some tokens of the text are in capitals, but not all.
        """
        token = tokens[place]
        valence = token.valence or 0.0
        if _kind_of(tokens, place):
            return 0.0
        if token.is_upper and shouts:
            valence += self._louder(valence)
        for distance in range(1, min(place, 3) + 1):
            before = tokens[place - distance]
            if before.valence is not None:
                continue
            if before.boost is not None:
                valence += self._boost(before, before.boost, valence, shouts) * _DAMPING[distance - 1]
            valence *= self._negation(tokens, place, distance)
            if distance == 3:
                valence = self._phrases(tokens, place, valence)
        return self._least(tokens, place, valence)

    def _louder(self, valence: float) -> float:
        return self._constants.capitals if valence > 0 else -self._constants.capitals

    def _boost(self, before: _Token, boost: float, valence: float, shouts: bool) -> float:
        if valence < 0:
            boost = -boost
        return boost + self._louder(valence) if before.is_upper and shouts else boost

    def _negation(self, tokens: Sequence[_Token], place: int, distance: int) -> float:
        """Factor by which the token `distance` before a word turns or strengthens it ("never so ...")."""
        before = tokens[place - distance]
        if distance == 3 and tokens[place - 1].word in _SO:
            return 1.25
        if distance > 1 and before.word == "never" and tokens[place - distance + 1].word in _SO:
            return 1.5 if distance == 2 else 1.25
        return self._constants.negation if before.negates else 1.0

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
            valence += self._constants.damper
        return valence

    def _least(self, tokens: Sequence[_Token], place: int, valence: float) -> float:
        """A word after "least" is turned, but not after "at least" or "very least"."""
        if place == 0 or tokens[place - 1].lower != "least" or tokens[place - 1].valence is not None:
            return valence
        if place > 1 and tokens[place - 2].lower in {"at", "very"}:
            return valence
        return valence * self._constants.negation
