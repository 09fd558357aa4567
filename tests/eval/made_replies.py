"""Replies with states, and how planted dialogues were played."""

import pyarrow as pa

from sage_data.dialogue import State, Utterance
from sage_data.rollout.recording import OUTCOME_SCHEMA


def reply(text, action=None, perceived=None):
    """An assistant's utterance with (motivation, emotion) of its action and of its reading."""
    states = [None if one is None else State(*one) for one in (action, perceived)]
    return Utterance("assistant", text, *states)


def outcomes():
    """Outcomes of the planted dialogues, with one that failed: it counts for the tags alone."""
    played = [
        ("a/s1", "s1", "exchanges", (2, 0, 0), 12),
        ("a/s2", "s2", "exchanges", (1, 0, 1), 9),
        ("a/s3", "s3", "exchanges", (0, 1, 0), 2),
        ("a/s4", "s4", "failed", (0, 1, 0), 5),
    ]
    rows = [
        {
            "dialogue_id": dialogue,
            "scenario_id": scenario,
            "stop_reason": stop,
            "exchanges": sum(forms),
            "agent_well_formed": forms[0],
            "agent_untagged": forms[1],
            "agent_malformed": forms[2],
            "problems": [],
            "completion_tokens": tokens,
        }
        for dialogue, scenario, stop, forms, tokens in played
    ]
    return pa.Table.from_pylist(rows, OUTCOME_SCHEMA)
