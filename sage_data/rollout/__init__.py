"""Rollouts: two speakers and one scenario make one dialogue; used by self-play search and by evaluation."""

from sage_data.rollout.playing import Settings, Transcript, roll
from sage_data.rollout.speaking import OPENER, Ask, Replier, Reply, Speaker, StopReason, TagForm, history

__all__ = [
    "OPENER",
    "Ask",
    "Replier",
    "Reply",
    "Settings",
    "Speaker",
    "StopReason",
    "TagForm",
    "Transcript",
    "history",
    "roll",
]
