"""How often each tag occurs, and the lines that say so.

count_tags(read_dialogues(folder))["user"]["emotion"]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from sage_data.annotation.agreement import Comparison
from sage_data.dialogue import Dialogue, Role, State
from sage_data.sac import SLOTS

ROLES: tuple[Role, ...] = ("user", "assistant")
SHOWN_TAGS = 5
NULL = "null"
TagCounts = dict[str, dict[str, dict[str, int]]]
"""Role -> slot -> tag -> number of utterances that have it, most frequent first; a null tag counts as "null"."""


def count_tags(dialogues: Iterable[Dialogue]) -> TagCounts:
    """Count the tags of all utterances that have a state."""
    counters = {role: {slot: Counter[str]() for slot in SLOTS} for role in ROLES}
    for utterance in (one for dialogue in dialogues for one in dialogue.utterances):
        for slot, tags in _tags(utterance.state).items():
            counters[utterance.role][slot].update(tags)
    return {role: {slot: _sorted(counter) for slot, counter in slots.items()} for role, slots in counters.items()}


def tag_lines(tags: TagCounts) -> list[str]:
    """The most frequent tags, a line for each role and slot."""
    lines = []
    for role, slots in tags.items():
        for slot, counted in slots.items():
            shown = list(_sorted(counted).items())[:SHOWN_TAGS]
            lines.append(f"{role:9} {slot:10} " + ", ".join(f"{tag} {count:,}" for tag, count in shown))
    return lines


def agreement_lines(compared: Comparison) -> list[str]:
    """How well the states agree with gold ones, a line for each role and slot."""
    lines = [f"{'agreement with gold':20} {'n':>7} {'accuracy':>8} {'majority':>8} {'macro-F1':>8} {'kappa':>6}"]
    for role, slots in compared.labels.items():
        for slot, one in slots.items():
            figures = f"{one.accuracy:8.3f} {one.majority_accuracy:8.3f} {one.macro_f1:8.3f} {one.kappa:6.3f}"
            lines.append(f"{role + ' ' + slot:20} {one.n:7,} {figures}")
    lines.append(f"topics: precision {compared.topic_precision:.3f}, recall {compared.topic_recall:.3f}")
    return lines


def _tags(state: State | None) -> dict[str, set[str]]:
    if state is None:
        return {}
    motivation, emotion = state.motivation or NULL, state.emotion or NULL
    return dict(zip(SLOTS, ({motivation}, {emotion}, set(state.topics) or {NULL}), strict=True))


def _sorted(counter: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))
