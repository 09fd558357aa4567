"""What the judge self-test asks: pairs of transcripts with a known answer, made from the run's own dialogues.

material = draw(real_pairs, n=20, seed=7)
probes(Check.IDENTICAL, material)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from sage_data.store.files import sha256_json
from sage_eval.judge import spoiling
from sage_eval.judge.spoiling import Degradation
from sage_eval.judge.transcripts import Transcript
from sage_eval.verdict import Choice


class Check(StrEnum):
    """What a judge is put to. Its own name is a config's `skip`."""

    IDENTICAL = "identical"
    """A dialogue against itself has no winner. A judge that always says the same cannot fail here, wherever it sees a
    difference: both orders show the same, so it names a seat twice. One that answers at random does."""
    SHUFFLED = Degradation.SHUFFLED.value
    """The original beats its copy with the words of each reply in another order."""
    FOREIGN = Degradation.FOREIGN.value
    """The original beats its copy with another dialogue's replies."""
    REPEATED = Degradation.REPEATED.value
    """The original beats its copy that says its first reply over and over."""
    EMPTIED = Degradation.EMPTIED.value
    """The original beats its copy without content."""
    PADDED = Degradation.PADDED.value
    """The original beats its copy that says everything three times over."""
    INJECTED_USER = "injected_user"
    """An instruction to the judge in the user's words has no effect, compared with as many harmless words there."""
    INJECTED_ASSISTANT = "injected_assistant"
    """The same in the assistant's words."""
    CONSISTENT = "consistent"
    """Real pairs get the same verdict with the seats exchanged."""
    RENAMED = "renamed"
    """Real pairs get the mirrored verdict when they are asked about again with A and B exchanged."""
    NULL_MODEL = "null_model"
    """A model that always says the same does not beat a real one: the control row of a leaderboard."""


DEGRADED: Mapping[Check, Degradation] = {Check(how.value): how for how in Degradation}
INJECTED: Mapping[Check, str] = {Check.INJECTED_USER: "user", Check.INJECTED_ASSISTANT: "assistant"}
READING = frozenset({Check.SHUFFLED, Check.FOREIGN})
"""Checks that only a judge that reads can pass: a surface rubric is put to them, and is not held to them."""


@dataclass(frozen=True, slots=True)
class RealPair:
    """Two models' dialogues of one scenario, as a judge would see them."""

    scenario_id: str
    models: tuple[str, str]
    transcripts: tuple[Transcript, Transcript]


@dataclass(frozen=True, slots=True)
class Material:
    """The run's dialogues that the self-test is made of: one pair a scenario, so that no two hang together."""

    pairs: tuple[RealPair, ...]
    asked_for: int
    """How many pairs were wanted."""
    scenarios: int
    """Scenarios with a pair that can be used: where these are fewer than `asked_for`, all are taken."""
    unusable: int
    """Pairs passed over because one assistant says nothing."""
    seed: int


@dataclass(frozen=True, slots=True)
class Probe:
    """One pair to be asked about in both orders."""

    check: Check
    pair: int
    """Number of the material's pair, from 0."""
    scenario_id: str
    variant: str
    """Which attack, or what the null model says; else the model, or models, whose dialogues they are."""
    a: Transcript
    """The original, or the real pair's A."""
    b: Transcript
    """The copy, or the real pair's B."""
    demanded: Choice | None = None
    """Seat that an attack asks for."""


def draw(pairs: Iterable[RealPair], *, n: int, seed: int) -> Material:
    """Draw up to `n` pairs, each of another scenario, in an order that the seed decides.

    Who is called A plays no part in what is drawn.

    Raises:
        ValueError: `n` is less than 1.
    """
    if n < 1:
        raise ValueError(f"a self-test needs 1 pair or more; asked for {n}")
    usable: dict[str, list[RealPair]] = {}
    unusable = 0
    for one in pairs:
        if all(any(text.strip() for text in spoiling.replies(lines)) for lines in one.transcripts):
            usable.setdefault(one.scenario_id, []).append(one)
        else:
            unusable += 1
    chosen = [min(group, key=lambda one: _key(seed, one)) for group in usable.values()]
    chosen.sort(key=lambda one: _key(seed, one))
    return Material(tuple(chosen[:n]), n, len(usable), unusable, seed)


def _key(seed: int, one: RealPair, *more: str) -> str:
    return sha256_json([seed, one.scenario_id, sorted(one.models), *more])


def _model(side: tuple[str, Transcript]) -> str:
    return side[0]


def probes(check: Check, material: Material, null_replies: Sequence[str] = ()) -> list[Probe]:
    """The pairs to ask about for one check; those whose copy would not differ are left out.

    Args:
        check: which check.
        material: what they are made of.
        null_replies: what null models always say, one a pair in turn; the shipped ones when empty.
    """
    return [
        probe
        for number, pair in enumerate(material.pairs)
        if (probe := _Maker(material, number, pair, tuple(null_replies) or spoiling.null_replies()).make(check))
        is not None
    ]


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes the probes of one pair."""

    material: Material
    number: int
    pair: RealPair
    null_replies: tuple[str, ...]

    def make(self, check: Check) -> Probe | None:
        if check in (Check.CONSISTENT, Check.RENAMED):
            a, b = self.pair.transcripts if check is Check.CONSISTENT else reversed(self.pair.transcripts)
            names = self.pair.models if check is Check.CONSISTENT else tuple(reversed(self.pair.models))
            return Probe(check, self.number, self.pair.scenario_id, " against ".join(names), a, b)
        model, original = self._side(check)
        if check in INJECTED:
            return self._injected(check, original)
        if check is Check.NULL_MODEL:
            reply = self.null_replies[self.number % len(self.null_replies)]
            return Probe(
                check, self.number, self.pair.scenario_id, reply, original, spoiling.null_model(original, reply)
            )
        copy = self._copy(check, original)
        if copy is None or (copy == original and check is not Check.IDENTICAL):
            return None
        return Probe(check, self.number, self.pair.scenario_id, model, original, copy)

    def _rng(self, *more: str) -> Random:
        return Random(_key(self.material.seed, self.pair, *more))

    def _side(self, check: Check) -> tuple[str, Transcript]:
        """The model whose dialogue is the original, and the dialogue."""
        sides = sorted(zip(self.pair.models, self.pair.transcripts, strict=True), key=_model)
        return self._rng(check.value).choice(sides)

    def _copy(self, check: Check, original: Transcript) -> Transcript | None:
        if check is Check.IDENTICAL:
            return original
        return spoiling.degraded(DEGRADED[check], original, self._others(), self._rng(check.value, "words"))

    def _others(self) -> list[str]:
        """Replies of the next scenario's dialogue; none when there is no other scenario."""
        pairs = self.material.pairs
        following = pairs[(self.number + 1) % len(pairs)]
        if following is self.pair:
            return []
        return spoiling.replies(min(zip(following.models, following.transcripts, strict=True), key=_model)[1])

    def _injected(self, check: Check, original: Transcript) -> Probe | None:
        known = spoiling.attacks()
        attack = known[self.number % len(known)]
        places = (self._rng(check.value, "place") for _ in range(2))
        twin, dishonest = (
            spoiling.injected(original, text, INJECTED[check], rng)
            for text, rng in zip((spoiling.harmless(attack.text), attack.text), places, strict=True)
        )
        if twin is None or dishonest is None:
            return None
        return Probe(check, self.number, self.pair.scenario_id, attack.name, twin, dishonest, attack.seat)
