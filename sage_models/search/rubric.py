"""The offline selector: a small, readable heuristic for what the paper asks of a companion (section 3.6).

The paper's criteria are consistency, humor, sympathy, informativeness, appropriateness and respect. Each is measured
by named features between 0 and 1, over the words of the user's last utterance, the agent's own earlier replies, and
the candidate; the score is their weighted mean. It reads words, not meaning: it tells a fitting reply from a broken or
careless one, not a good one from a very good one.

    RubricSelector().select([Choice(messages, candidates)])
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from sage_data.chat import CompletionStatus
from sage_data.rollout import Reply, TagForm
from sage_data.sac import parse_lenient
from sage_models.search.selector import Choice, Selection, Verdict

CUES = Path(__file__).with_name("cues.toml")
_APOSTROPHE = "\u2019"
_WORD = re.compile(rf"[^\W_]+(?:['{_APOSTROPHE}][^\W_]+)*")
_JUNK = re.compile(
    r"[\[\]{}<>|\\^~=@\ufffd]|[\x00-\x08\x0b-\x1f]|[ua]_(?:motivation|emotion|topic)"
    r"|[^\W\d_]\d+[^\W\d_]|\b(\w+)(?: \1\b){2,}",
    re.IGNORECASE,
)
"""Scraps of markup, bytes that are no text, digits inside words, and a word said three times in a row."""
_SHORTEST, _LONGEST = 8, 40
"""Words of a reply that is neither curt nor a lecture; the paper's final model averages 21.8."""
_LEARNT_ENOUGH = 5
"""New content words that make a reply informative."""
_GOOD_ENOUGH = 0.5
"""A reply that scores less is not worth keeping: the selector would rather see others."""


class _Moment:
    """What there is to compare a reply with."""

    def __init__(self, choice: Choice) -> None:
        said = [message.content for message in choice.messages if message.role == "user"]
        self.user = said[-1] if said else ""
        self.user_words = content_words(self.user)
        own = [parse_lenient(message.content).chain.text for message in choice.messages if message.role == "assistant"]
        self.own = [(_plain(text), content_words(text)) for text in own]
        self.tagged = any(reply.form is TagForm.WELL_FORMED for reply in choice.candidates)


Feature = Callable[[_Moment, Reply], float]


def relevance(moment: _Moment, reply: Reply) -> float:
    """Consistency with the user's last words: it takes up two of their content words."""
    if not moment.user_words:
        return 1.0
    wanted = min(2, len(moment.user_words))
    return min(1.0, len(moment.user_words & content_words(reply.chain.text)) / wanted)


def freshness(moment: _Moment, reply: Reply) -> float:
    """Consistency with itself: it does not say again what the agent has said."""
    words = content_words(reply.chain.text)
    return 1 - max((_overlap(words, before) for _, before in moment.own), default=0.0)


def mood(moment: _Moment, reply: Reply) -> float:
    """Sympathy for a user who feels low; humor or shared joy for one who feels well; either will do for the rest."""
    text = reply.chain.text
    sympathy, humor, joy = (hits(text, name) > 0 for name in ("sympathy", "humor", "joy"))
    low, high = hits(moment.user, "low"), hits(moment.user, "high")
    if low > high:
        return float(sympathy)
    if high > low:
        return 1.0 if humor else 0.7 * joy
    return float(sympathy or humor or joy)


def question(_: _Moment, reply: Reply) -> float:
    """It asks one thing; two questions at once are half as good."""
    asked = len(re.findall(r"\?+", reply.chain.text))
    return 0.0 if asked == 0 else 1.0 if asked == 1 else 0.5


def informativeness(moment: _Moment, reply: Reply) -> float:
    """It brings content words that the user has not just said."""
    return min(1.0, len(content_words(reply.chain.text) - moment.user_words) / _LEARNT_ENOUGH)


def length(_: _Moment, reply: Reply) -> float:
    """It is 8 to 40 words long; outside it loses in proportion."""
    count = len(_WORD.findall(reply.chain.text))
    return min(1.0, count / _SHORTEST, _LONGEST / max(count, 1))


def finished(_: _Moment, reply: Reply) -> float:
    """Its last sentence ends, and it was not cut."""
    ends = re.search(r"[.!?…][\"')\]]*$", reply.chain.text.strip()) is not None
    return float(ends and reply.completion.status is CompletionStatus.OK)


def tags(moment: _Moment, reply: Reply) -> float:
    """Its tags follow the grammar; none at all will do where no candidate has any."""
    return float(reply.form is TagForm.WELL_FORMED or (reply.form is TagForm.UNTAGGED and not moment.tagged))


def appropriateness(_: _Moment, reply: Reply) -> float:
    """No scraps of markup, no broken characters and no stuttering in its text."""
    return float(_JUNK.search(reply.chain.text) is None)


def respect(_: _Moment, reply: Reply) -> float:
    """No rude word, and no shouting."""
    letters = [char for char in reply.chain.text if char.isalpha()]
    shouts = len(letters) > 12 and sum(map(str.isupper, letters)) > len(letters) / 2
    return float(hits(reply.chain.text, "rude") == 0 and not shouts)


FEATURES: Mapping[str, tuple[float, Feature]] = {
    "relevance": (3.0, relevance),
    "freshness": (2.0, freshness),
    "mood": (2.0, mood),
    "question": (1.5, question),
    "informativeness": (1.0, informativeness),
    "length": (1.0, length),
    "finished": (1.0, finished),
    "tags": (1.0, tags),
    "appropriateness": (1.0, appropriateness),
    "respect": (1.0, respect),
}
"""Name -> (weight, measure)."""


class RubricSelector:
    """A `Selector` that needs no model."""

    identity = "rubric-1"

    def select(self, choices: Sequence[Choice]) -> list[Selection]:
        """Judge every candidate and choose the best acceptable one; the earlier of equals."""
        return [self._select(choice) for choice in choices]

    def _select(self, choice: Choice) -> Selection:
        moment = _Moment(choice)
        verdicts = tuple(_judge(moment, reply) for reply in choice.candidates)
        best = max(range(len(verdicts)), key=lambda place: (verdicts[place].score, -place))
        good = [place for place, verdict in enumerate(verdicts) if verdict.acceptable]
        chosen = max(good, key=lambda place: (verdicts[place].score, -place), default=None)
        return Selection(chosen, best, verdicts)


def _judge(moment: _Moment, reply: Reply) -> Verdict:
    measured = {name: measure(moment, reply) for name, (_, measure) in FEATURES.items()}
    weight = sum(one for one, _ in FEATURES.values())
    score = sum(FEATURES[name][0] * value for name, value in measured.items()) / weight
    repeats = _plain(reply.chain.text) in {text for text, _ in moment.own}
    clean = all(measured[name] == 1 for name in ("finished", "tags", "appropriateness", "respect"))
    return Verdict(score, measured, acceptable=clean and not repeats and score >= _GOOD_ENOUGH)


def content_words(text: str) -> set[str]:
    """Return the words of a text that carry its topic, plural endings taken off."""
    words = {word.lower().replace(_APOSTROPHE, "'") for word in _WORD.findall(text)}
    return {word.removesuffix("'s").removesuffix("s") if len(word) > 3 else word for word in words - _cues()[1]}


def hits(text: str, cue: str) -> int:
    """Count the cues of one kind in a text."""
    return len(_cues()[0][cue].findall(text.replace(_APOSTROPHE, "'")))


@cache
def _cues() -> tuple[Mapping[str, re.Pattern[str]], frozenset[str]]:
    lists = tomllib.loads(CUES.read_text(encoding="utf-8"))
    plain = frozenset(lists.pop("plain").split())
    patterns = {
        name: re.compile(
            r"\b(?:" + "|".join(re.escape(cue).replace(r"\*", r"\w*") for cue in cues) + r")\b", re.IGNORECASE
        )
        for name, cues in lists.items()
    }
    return patterns, plain


def _overlap(one: set[str], other: set[str]) -> float:
    """Jaccard index of two sets of words; two empty ones are alike."""
    return len(one & other) / len(one | other) if one | other else 1.0


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))
