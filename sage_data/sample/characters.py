"""How the people of the miniature world behave: what they feel, why they speak, and how the assistant answers.

The assistant's action depends on the user's state, stochastically: the tables below are the policy that a model can
learn from the world's dialogues. A weight of 2 beside weights that add up to about 100 makes a value rare, which
leaves room for steering.

    action_weights("sad", "seeking advice")
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

LOW_EMOTIONS = ("sad", "lonely", "anxious", "annoyed", "disappointed", "embarrassed")
HIGH_EMOTIONS = ("excited", "proud", "grateful", "hopeful", "nostalgic", "joyful")
USER_EMOTIONS = LOW_EMOTIONS + HIGH_EMOTIONS
"""What a user may feel; each is also one of the 32 labels of EmpatheticDialogues."""

USER_MOTIVATIONS = (
    "sharing",
    "seeking advice",
    "asking",
    "gratitude",
    "agreement",
    "humor",
    "celebration",
    "reminiscing",
    "planning",
)
RARE_ACTIONS = ("philosophical", "reminiscing", "teasing", "homesickness")
"""Motivations of the assistant that stay at a few percent; the paper steers towards them (Table 4)."""
ASSISTANT_MOTIVATIONS = (
    "empathy",
    "comfort",
    "encouragement",
    "suggestion",
    "celebration",
    "humor",
    "interest",
    "agreement",
    "sharing",
    *RARE_ACTIONS,
)
ASSISTANT_EMOTIONS = (
    "empathetic",
    "warm",
    "supportive",
    "optimistic",
    "cheerful",
    "playful",
    "curious",
    "thoughtful",
    "wistful",
)

Weights = Mapping[str, int]

OPENING_MOTIVATIONS: Mapping[bool, Weights] = {
    True: {"sharing": 50, "seeking advice": 40, "asking": 10},
    False: {"sharing": 40, "celebration": 20, "asking": 20, "humor": 10, "planning": 10},
}
"""Why a user speaks first; True: the emotion is a low one."""

LATER_MOTIVATIONS: Mapping[bool, Weights] = {
    True: {
        "sharing": 27,
        "seeking advice": 27,
        "asking": 12,
        "gratitude": 12,
        "agreement": 10,
        "humor": 6,
        "planning": 6,
    },
    False: {
        "sharing": 22,
        "celebration": 14,
        "asking": 18,
        "humor": 14,
        "planning": 12,
        "agreement": 9,
        "gratitude": 9,
        "seeking advice": 2,
    },
}
ANSWERING_MOTIVATIONS: Mapping[str, Weights] = {
    "suggestion": {"agreement": 35, "gratitude": 35},
    "humor": {"humor": 50},
    "encouragement": {"gratitude": 20, "planning": 15},
    "celebration": {"celebration": 20, "gratitude": 10},
    "philosophical": {"agreement": 40},
    "teasing": {"humor": 50},
}
"""What an action of the assistant adds to the weights of the user's next motivation."""
NOSTALGIC_MOTIVATIONS: Weights = {"reminiscing": 60}

FEELING_CHANGE: Mapping[bool, Weights] = {
    True: {"": 62, "hopeful": 22, "grateful": 16},
    False: {"": 84, "joyful": 8, "grateful": 8},
}
"""What a user feels after a reply; "" stands for no change."""

ACTIONS_BY_EMOTION: Mapping[str, Weights] = {
    "sad": {"empathy": 46, "comfort": 34, "encouragement": 10, "interest": 6},
    "lonely": {"comfort": 44, "empathy": 30, "interest": 12, "suggestion": 8},
    "anxious": {"encouragement": 42, "comfort": 34, "suggestion": 10, "empathy": 8},
    "annoyed": {"empathy": 44, "humor": 24, "agreement": 14, "interest": 10},
    "disappointed": {"encouragement": 46, "empathy": 30, "comfort": 12, "interest": 6},
    "embarrassed": {"humor": 46, "comfort": 26, "empathy": 18, "interest": 4},
    "excited": {"celebration": 42, "interest": 34, "humor": 14, "agreement": 6},
    "proud": {"celebration": 62, "interest": 18, "agreement": 8, "encouragement": 6},
    "grateful": {"agreement": 44, "celebration": 20, "interest": 18, "humor": 12},
    "hopeful": {"encouragement": 52, "interest": 24, "agreement": 12, "celebration": 8},
    "nostalgic": {"interest": 48, "agreement": 24, "empathy": 14, "reminiscing": 8},
    "joyful": {"celebration": 36, "humor": 32, "interest": 20, "agreement": 6},
}
ACTIONS_BY_MOTIVATION: Mapping[str, Weights] = {
    "seeking advice": {"suggestion": 300, "encouragement": 20},
    "asking": {"sharing": 400},
    "humor": {"humor": 120, "teasing": 6},
    "gratitude": {"encouragement": 60, "agreement": 20},
    "agreement": {"interest": 40, "humor": 20},
    "celebration": {"celebration": 100, "humor": 20},
    "reminiscing": {"interest": 60, "reminiscing": 8},
    "planning": {"encouragement": 70, "interest": 40},
}
"""What the user's motivation adds to the weights of the action."""
RARE_WEIGHT = 2

TONES: Mapping[str, Weights] = {
    "empathy": {"empathetic": 75, "warm": 25},
    "comfort": {"warm": 55, "supportive": 35, "empathetic": 10},
    "encouragement": {"supportive": 50, "optimistic": 50},
    "suggestion": {"thoughtful": 60, "supportive": 20, "optimistic": 20},
    "celebration": {"cheerful": 90, "warm": 10},
    "humor": {"playful": 90, "cheerful": 10},
    "interest": {"curious": 92, "thoughtful": 8},
    "agreement": {"thoughtful": 40, "warm": 30, "cheerful": 30},
    "sharing": {"cheerful": 30, "warm": 30, "curious": 40},
    "philosophical": {"thoughtful": 90, "wistful": 10},
    "reminiscing": {"wistful": 90, "warm": 10},
    "teasing": {"playful": 100},
    "homesickness": {"wistful": 100},
}
"""Which emotion the assistant shows with an action."""


def is_low(emotion: str) -> bool:
    """True for an emotion that asks for comfort."""
    return emotion in LOW_EMOTIONS


@cache
def action_weights(emotion: str, motivation: str) -> dict[str, int]:
    """Weights of the assistant's motivations after a user's state."""
    weights = dict(ACTIONS_BY_EMOTION[emotion])
    for name, extra in ACTIONS_BY_MOTIVATION.get(motivation, {}).items():
        weights[name] = weights.get(name, 0) + extra
    scale = max(1, sum(weights.values()) // 100)
    for name in RARE_ACTIONS:
        weights[name] = weights.get(name, 0) + RARE_WEIGHT * scale
    return weights


@cache
def motivation_weights(emotion: str, last_action: str) -> dict[str, int]:
    """Weights of a user's motivations; `last_action` is the assistant's last one, "" before the first."""
    tables = OPENING_MOTIVATIONS if not last_action else LATER_MOTIVATIONS
    weights = dict(tables[is_low(emotion)])
    more = dict(ANSWERING_MOTIVATIONS.get(last_action, {}))
    if emotion == "nostalgic":
        more |= NOSTALGIC_MOTIVATIONS
    for name, extra in more.items():
        weights[name] = weights.get(name, 0) + extra
    return weights
