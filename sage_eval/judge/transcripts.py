"""What a judge gets to see: two transcripts of one scenario, by seat, without tags and without the models' names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sage_data.dialogue import Dialogue
from sage_data.errors import InputError
from sage_data.sac import parse_lenient

_TAG_STARTS = ("{", "(", "[")


@dataclass(frozen=True, slots=True)
class Line:
    """One utterance as it is judged."""

    speaker: str
    """"user" or "assistant"."""
    text: str


Transcript = tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Presentation:
    """What one call shows: it tells the judge nothing but the words and the seats."""

    first: Transcript
    second: Transcript


@dataclass(frozen=True, slots=True)
class Matched:
    """Dialogues of two models that share a scenario, and those that do not."""

    pairs: tuple[tuple[Dialogue, Dialogue], ...]
    """(A's, B's), ordered by scenario id."""
    only_a: int
    only_b: int


def transcript(dialogue: Dialogue) -> Transcript:
    """Strip a dialogue to what was said."""
    return tuple(Line(one.role, spoken(one.text)) for one in dialogue.utterances)


def spoken(text: str) -> str:
    """Remove state and action tags, well-formed or not, from the front of an utterance."""
    return parse_lenient(text).chain.text if text.lstrip().startswith(_TAG_STARTS) else text


def assistant_words(lines: Transcript) -> float | None:
    """Mean words of the assistant's utterances; None when there are none."""
    lengths = [len(line.text.split()) for line in lines if line.speaker == "assistant"]
    return sum(lengths) / len(lengths) if lengths else None


def by_scenario(dialogues: Iterable[Dialogue], label: str) -> dict[str, Dialogue]:
    """Index a model's dialogues by scenario.

    Raises:
        InputError: a dialogue has no scenario, or a scenario has two dialogues.
    """
    found: dict[str, Dialogue] = {}
    for dialogue in dialogues:
        if dialogue.scenario_id is None:
            raise InputError(
                f"{label}: dialogue {dialogue.id} has no scenario id; only rollouts of scenarios can be compared",
                next_step="make the transcripts with sage eval rollout",
            )
        if dialogue.scenario_id in found:
            raise InputError(
                f"{label}: scenario {dialogue.scenario_id} has two dialogues, "
                f"{found[dialogue.scenario_id].id} and {dialogue.id}; expected one a scenario",
                next_step="roll out one dialogue a scenario",
            )
        found[dialogue.scenario_id] = dialogue
    return found


def match(a: Mapping[str, Dialogue], b: Mapping[str, Dialogue]) -> Matched:
    """Join two models' dialogues by scenario."""
    shared = sorted(a.keys() & b.keys())
    return Matched(tuple((a[one], b[one]) for one in shared), len(a) - len(shared), len(b) - len(shared))
