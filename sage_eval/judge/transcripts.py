"""What a judge gets to see: two transcripts of one scenario, by seat, without tags and without the models' names.

Dialogues are joined by scenario and sample: the first rollout of A meets the first of B, and so on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from sage_data.dialogue import Dialogue
from sage_data.errors import InputError
from sage_data.sac import parse_lenient
from sage_data.store.files import sha256_json

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
    replicate: int = 0
    """How often the same was asked before. Not shown: a judge that draws its answer draws anew for each."""

    @property
    def words_hash(self) -> str:
        """SHA-256 of what is shown: words and seats."""
        return sha256_json([[asdict(line) for line in seat] for seat in (self.first, self.second)])


Place = tuple[str, int]
"""(scenario id, sample): which rollout of which scenario."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models' dialogues of one scenario and sample."""

    scenario_id: str
    sample: int
    a: Dialogue
    b: Dialogue

    @property
    def place(self) -> Place:
        """Where it stands among the pairs of its comparison."""
        return self.scenario_id, self.sample


@dataclass(frozen=True, slots=True)
class Matched:
    """Dialogues of two models that share a scenario and sample, and how many do not."""

    pairs: tuple[Pair, ...]
    """Ordered by scenario id, then sample."""
    only_a: int
    """Dialogues of A in scenarios that B lacks."""
    only_b: int
    samples_only_a: int = 0
    """Dialogues of A in shared scenarios, as a sample that B lacks there."""
    samples_only_b: int = 0

    @property
    def scenarios(self) -> tuple[str, ...]:
        """The scenarios that both have, in order."""
        return tuple(dict.fromkeys(pair.scenario_id for pair in self.pairs))

    def left_out(self, a: str, b: str) -> dict[str, int]:
        """Reason -> dialogues that meet none, for the counts of a stage; those that are none are not listed."""
        reasons = {
            f"only_in_{a}": self.only_a,
            f"only_in_{b}": self.only_b,
            f"sample_only_in_{a}": self.samples_only_a,
            f"sample_only_in_{b}": self.samples_only_b,
        }
        return {reason: count for reason, count in reasons.items() if count}


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


def by_place(dialogues: Iterable[Dialogue], label: str) -> dict[Place, Dialogue]:
    """Index a model's dialogues by scenario and sample; one that does not say which sample it is counts as the first.

    Raises:
        InputError: a dialogue has no scenario, or a sample of a scenario has two dialogues.
    """
    found: dict[Place, Dialogue] = {}
    for dialogue in dialogues:
        if dialogue.scenario_id is None:
            raise InputError(
                f"{label}: dialogue {dialogue.id} has no scenario id; only rollouts of scenarios can be compared",
                next_step="make the transcripts with sage eval rollout",
            )
        place = dialogue.scenario_id, dialogue.sample or 0
        if place in found:
            raise InputError(
                f"{label}: sample {place[1]} of scenario {place[0]} has two dialogues, {found[place].id} and "
                f"{dialogue.id}; expected one",
                next_step="several rollouts of a scenario tell themselves apart by `sample`: make them with sage eval "
                "rollout",
            )
        found[place] = dialogue
    return found


def match(a: Mapping[Place, Dialogue], b: Mapping[Place, Dialogue]) -> Matched:
    """Join two models' dialogues by scenario and sample."""
    pairs = tuple(Pair(*place, a[place], b[place]) for place in sorted(a.keys() & b.keys()))
    only_a, samples_a = _unmatched(a, b)
    only_b, samples_b = _unmatched(b, a)
    return Matched(pairs, only_a, only_b, samples_a, samples_b)


def _unmatched(own: Mapping[Place, Dialogue], other: Mapping[Place, Dialogue]) -> tuple[int, int]:
    """Dialogues in scenarios that the other lacks, and in samples alone that it lacks."""
    scenarios = {scenario for scenario, _ in other}
    missing = [place for place in own if place not in other]
    elsewhere = sum(scenario not in scenarios for scenario, _ in missing)
    return elsewhere, len(missing) - elsewhere
