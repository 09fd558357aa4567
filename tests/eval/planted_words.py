"""Dialogues for planted evaluations: plain sentences with states, drawn so that every model has its own manner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sage_data.dialogue import Dialogue, Scenario, Source, State, Utterance

EMOTIONS = ("proud", "sad", "afraid", "grateful", "angry", "hopeful", "lonely", "surprised")
TOPICS = ("garden", "exam", "dog", "journey", "music", "neighbour", "kitchen", "football")
USER_MOTIVATIONS = ("sharing", "answering", "seeking advice", "asking", "joking")
MOTIVATIONS = ("empathy", "curiosity", "praise", "advice", "humor")
_OPENERS = (
    "Something happened with my {topic} this week, and I still feel {emotion}.",
    "I never thought that my {topic} would leave me so {emotion}.",
    "You will not believe what became of my {topic}; I was quite {emotion}.",
)
_SAID = (
    "It went on for a whole day.",
    "My sister says I should let it rest.",
    "The {topic} is all I can think of.",
    "I would do it again, I suppose.",
    "Nobody at home took it seriously.",
    "Honestly, I feel {emotion} about it.",
)
_REPLIES = {
    "empathy": ("I can hear how {emotion} you are.", "That sounds like a lot to carry.", "I am glad you told me."),
    "curiosity": ("What happened to the {topic} next?", "How did the others take it?", "When did it begin?"),
    "praise": ("You handled the {topic} well.", "That took some courage.", "Well done, truly."),
    "advice": ("Perhaps give the {topic} a week.", "You could write it down.", "Talk to someone who was there."),
    "humor": (
        "At least the {topic} has not sued you yet.",
        "I would have blamed the cat.",
        "A fine film it would make.",
    ),
}
_WHEN = ("on Monday", "last night", "before lunch", "in the rain", "after work", "all summer", "at dawn", "by chance")
_WHERE = (
    "at the station",
    "in the old mill",
    "by the lake",
    "on the stairs",
    "at school",
    "near the market",
    "at home",
)
_WHO = ("with Ana", "with my uncle", "with two strangers", "without Bo", "with the children", "with Mr Lund", "alone")


@dataclass(frozen=True, slots=True)
class Manner:
    """How a model talks."""

    sentences: int
    """Sentences of a reply."""
    motivations: tuple[float, float, float, float, float]
    """How often it means each of `MOTIVATIONS`; adds up to 1."""


def scenarios(count: int) -> list[Scenario]:
    """Made-up situations; emotion and topic run through all combinations."""
    return [
        Scenario(
            f"hit:{index // 2}_conv:{index}",
            _OPENERS[index % 3].format(topic=_topic(index), emotion=_emotion(index)),
            _emotion(index),
            "test",
        )
        for index in range(count)
    ]


def _emotion(index: int) -> str:
    return EMOTIONS[index % len(EMOTIONS)]


def _topic(index: int) -> str:
    return TOPICS[index // len(EMOTIONS) % len(TOPICS)]


def reply_text(motivation: str, index: int, first: int, sentences: int) -> str:
    """A reply of so many sentences to scenario number `index`, beginning with sentence `first` of its kind."""
    kind = _REPLIES[motivation]
    joined = " ".join(kind[(first + place) % len(kind)] for place in range(sentences))
    return joined.format(topic=_topic(index), emotion=_emotion(index))


def dialogue(scenario: Scenario, index: int, model: str, manner: Manner, exchanges: int, seed: int) -> Dialogue:
    """One rollout: the same seed and model always say the same."""
    rng = np.random.default_rng([seed, index, *model.encode()])
    motivations = rng.choice(len(MOTIVATIONS), size=exchanges, p=manner.motivations)
    kinds, picks = rng.integers(len(USER_MOTIVATIONS), size=exchanges), rng.integers(1000, size=exchanges)
    emotion, topic = _emotion(index), _topic(index)
    utterances = []
    for place in range(exchanges):
        drawn = int(picks[place])
        detail = f"It was {_WHEN[drawn % 8]}, {_WHERE[drawn // 8 % 7]}, {_WHO[drawn // 56 % 7]}."
        said = _SAID[drawn % len(_SAID)].format(topic=topic, emotion=emotion) if place else scenario.situation
        said = f"{said} {detail}" if place else said
        felt = State(USER_MOTIVATIONS[int(kinds[place])] if place else "sharing", emotion, (topic,))
        motivation = MOTIVATIONS[int(motivations[place])]
        # One reading in four is of another emotion, so that accuracy has something to measure.
        read = State("sharing", emotion if drawn % 4 else EMOTIONS[drawn % len(EMOTIONS)], (topic,))
        text = reply_text(motivation, index, drawn, manner.sentences)
        utterances += [
            Utterance("user", said, felt),
            Utterance("assistant", text, State(motivation, "caring" if motivation == "empathy" else None), read),
        ]
    return Dialogue(scenario.id, tuple(utterances), Source("rollout"), scenario.id, f"hf:{model}")
