"""Rollouts: two speakers and one scenario make one dialogue; used by self-play search and by evaluation."""

from sage_data.rollout.playing import Settings, Talk, Transcript, play_together, roll
from sage_data.rollout.speaking import OPENER, Ask, Replier, Reply, Speaker, StopReason, TagForm, history
from sage_data.rollout.threads import play

__all__ = [
    "OPENER",
    "Ask",
    "Replier",
    "Reply",
    "Settings",
    "Speaker",
    "StopReason",
    "TagForm",
    "Talk",
    "Transcript",
    "history",
    "play",
    "play_together",
    "roll",
]
