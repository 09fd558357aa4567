"""The words by which a state can be told from a text in the miniature world, as a documented list.

Every utterance of the world holds a cue of its emotion and one of its motivation (a test says so); an annotator that
looks for these words, in any case and at word boundaries, finds most states again. Two motivations or emotions may
have cues in one utterance, for example when a user with a joke says that something still makes him sad.

    EMOTION_CUES["user"]["lonely"]
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache

from sage_data.dialogue import Role
from sage_data.sample.wording import BASE_FILE, TURN_FILE, Topic, sections, topics

Cues = Mapping[str, tuple[str, ...]]

EMOTION_CUES: Mapping[Role, Cues] = {
    "user": {
        "sad": ("sad", "tears"),
        "lonely": ("lonely", "all by myself", "nobody around"),
        "anxious": ("anxious", "worry", "worried", "nervous"),
        "annoyed": ("annoyed", "annoying", "frustrated", "on my nerves"),
        "disappointed": ("disappointed", "let down", "expected more"),
        "embarrassed": ("embarrassed", "embarrassing", "turned red", "blush"),
        "excited": ("excited", "can't wait", "thrilled"),
        "proud": ("proud", "pride"),
        "grateful": ("grateful", "blessed", "my blessings"),
        "hopeful": ("hopeful", "fingers crossed"),
        "nostalgic": ("nostalgic", "those days", "those sweet days"),
        "joyful": ("joyful", "joy", "over the moon", "delighted"),
    },
    "assistant": {
        "empathetic": ("feel for you", "feel with you", "heart goes out"),
        "warm": ("warm hug", "a warm cup", "warm and good"),
        "supportive": ("here for you", "on your side", "count on me"),
        "optimistic": ("bright side", "I am sure that"),
        "cheerful": ("yay", "what wonderful news", "what a wonderful day"),
        "playful": ("grinning", "giggle", "big wink"),
        "curious": ("curious", "I wonder"),
        "thoughtful": ("thought about it", "think it over", "think about it", "to be honest"),
        "wistful": ("old times", "sweet ache", "sighing", "sweet feeling"),
    },
}
"""Role -> emotion -> cues."""

MOTIVATION_CUES: Mapping[Role, Cues] = {
    "user": {
        "sharing": ("wanted to tell", "wanted to share", "had to tell", "let me tell you", "first person I told"),
        "seeking advice": ("what should I do", "what would you do", "advice"),
        "asking": ("how about you", "what about you", "have you ever"),
        "gratitude": ("thank you", "thanks"),
        "agreement": ("you are right", "I agree", "that is so true"),
        "humor": ("haha", "just kidding", "funny face"),
        "celebration": ("celebrate", "cheers"),
        "reminiscing": ("I remember", "reminds me", "back then"),
        "planning": ("plan",),
    },
    "assistant": {
        "empathy": ("I understand", "I know how that feels", "I can see why"),
        "comfort": ("it is okay", "be gentle with yourself", "take your time", "things will get better"),
        "encouragement": ("keep going", "I believe in you", "you can do it"),
        "suggestion": ("maybe you could", "one idea", "you might try", "how about this"),
        "celebration": ("congratulations", "hooray", "well done"),
        "humor": ("haha", "joke", "just kidding"),
        "interest": ("hear more", "tell me more", "want to hear", "so interesting"),
        "agreement": ("I agree", "you are right", "so true"),
        "sharing": ("same here", "me too", "as for me", "since you ask about me"),
        "philosophical": ("deep", "what life is about", "think about life"),
        "reminiscing": ("I remember", "reminds me", "back then"),
        "teasing": ("teasing", "admit it", "look at you"),
        "homesickness": ("homesick", "miss home"),
    },
}
"""Role -> motivation -> cues."""


def has_cue(text: str, cues: tuple[str, ...]) -> bool:
    """True when one of the cues stands in the text as whole words, in any case."""
    return any(_cue(cue).search(text) for cue in cues)


def found(text: str, cues: Cues) -> tuple[str, ...]:
    """The values whose cues stand in the text, the one whose cue comes first in the text first."""
    places = {
        name: min((match.start() for cue in listed if (match := _cue(cue).search(text))), default=-1)
        for name, listed in cues.items()
    }
    return tuple(sorted((name for name, place in places.items() if place >= 0), key=places.__getitem__))


@cache
def _cue(cue: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(cue)}\b", re.IGNORECASE)


@cache
def topic_words() -> dict[str, frozenset[str]]:
    """Words that stand in the lines of one topic alone, and in no sentence frame."""
    spoken = {name: _words(_lines(topic)) for name, topic in topics().items()}
    uses = Counter(word for words in spoken.values() for word in words)
    own = {word for word, count in uses.items() if count == 1} - _frame_words()
    return {name: frozenset(words & own) for name, words in spoken.items()}


def _frame_words() -> set[str]:
    listed = [line for path in (TURN_FILE, BASE_FILE) for lines in sections(path).values() for line in lines]
    return _words(listed)


def _lines(topic: Topic) -> list[str]:
    asked = [one.pattern for pair in topic.exchanges for one in (pair.question, pair.answer)]
    said = [line for lines in topic.lines.values() for line in lines]
    return [*topic.details, topic.name, topic.it, topic.doing, *said, *asked]


def _words(lines: Iterable[str]) -> set[str]:
    text = " ".join(lines)
    return set(re.findall(r"[a-z']+", re.sub(r"\{\w+\}", " ", text.lower())))
