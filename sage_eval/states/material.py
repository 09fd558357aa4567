"""What is measured: the dialogues of each model, tags off, in an order that does not depend on how they were stored.

read_models(inputs.many("dialogues"), strip_prefix="rollout-")
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from sage_data.dialogue import Dialogue, State, Utterance
from sage_data.errors import ConfigError, InputError
from sage_data.inputs import Input
from sage_data.rollout import TagForm
from sage_data.sac import parse_lenient
from sage_data.store.dialogues import read_dialogues
from sage_data.store.shards import REJECTED

NO_REPLY = "no_reply"
_TAG_STARTS = ("{", "(", "[")
_PLAYED = ("dialogue_id", "stop_reason", "exchanges", *(f"agent_{form.value}" for form in TagForm))


class Kind(StrEnum):
    """Whose state, and who says so."""

    ACTION = "action"
    """The assistant's own state: its Dialog Action."""
    PERCEIVED = "perceived"
    """The user's state as the assistant reads it."""
    USER = "user"
    """The user's own state: annotated, or declared by the user simulator."""


SLOTS = ("motivation", "emotion")
"""Slots that are counted. Topics are open words, and several to an utterance."""


@dataclass(frozen=True, slots=True)
class Talk:
    """One dialogue as it is measured."""

    dialogue: Dialogue
    """Its texts without tags, well-formed or not."""

    @property
    def id(self) -> str:
        """The dialogue's id."""
        return self.dialogue.id

    @property
    def cluster(self) -> str:
        """What it was drawn with: its scenario, or itself."""
        return self.dialogue.scenario_id or f"dialogue {self.dialogue.id}"

    @property
    def replies(self) -> list[tuple[int, Utterance]]:
        """(Place in the dialogue, utterance) of everything the assistant said."""
        return [(place, one) for place, one in enumerate(self.dialogue.utterances) if one.role == "assistant"]

    def states(self, kind: Kind) -> Iterator[tuple[int, State | None]]:
        """(Place of the utterance that carries it, state or None where none was given)."""
        for place, one in enumerate(self.dialogue.utterances):
            if (one.role == "user") == (kind is Kind.USER):
                yield place, one.perceived if kind is Kind.PERCEIVED else one.state


@dataclass(frozen=True, slots=True)
class Model:
    """One model's dialogues."""

    name: str
    talks: tuple[Talk, ...]
    """Sorted by dialogue id."""
    lost: Mapping[str, int]
    """Reason -> dialogues that cannot be measured: rejected by the stage that made them, or without a reply."""
    outcomes: tuple[Mapping[str, Any], ...]
    """How each dialogue was played, as the rollout stage tells; empty for dialogues from elsewhere."""

    @property
    def replies(self) -> Iterator[tuple[Talk, int, Utterance]]:
        """Every utterance of the assistant with its dialogue and its place there."""
        return ((talk, place, one) for talk in self.talks for place, one in talk.replies)


def read_models(given: Sequence[Input], strip_prefix: str) -> list[Model]:
    """Read every folder; its label, without the prefix, names the model.

    Raises:
        ConfigError: two inputs have one name.
        InputError: a folder holds no dialogues, or two with one id.
    """
    models: dict[str, Model] = {}
    for one in given:
        name = one.label.removeprefix(strip_prefix)
        if name in models:
            raise ConfigError(
                f"two inputs are named {name!r} once {strip_prefix!r} is taken off",
                next_step="rename one of the folders",
            )
        models[name] = _read(one, name)
    return list(models.values())


def _read(given: Input, name: str) -> Model:
    talks = sorted((Talk(_bare(dialogue)) for dialogue in read_dialogues(given.path)), key=lambda talk: talk.id)
    for one, following in itertools.pairwise(talks):
        if one.id == following.id:
            raise InputError(
                f"{given.label}: two dialogues have the id {one.id}; expected one, as both would be counted",
                next_step="give each folder once, or make the dialogues again",
            )
    silent = [talk for talk in talks if not talk.replies]
    lost = _rejected(given)
    if silent:
        lost[NO_REPLY] += len(silent)
    return Model(name, tuple(talk for talk in talks if talk.replies), lost, _outcomes(given))


def _bare(dialogue: Dialogue) -> Dialogue:
    said = (replace(one, text=spoken(one.text)) for one in dialogue.utterances)
    return replace(dialogue, utterances=tuple(said))


def spoken(text: str) -> str:
    """Take tags off the front of an utterance, whole or damaged."""
    return parse_lenient(text).chain.text if text.lstrip().startswith(_TAG_STARTS) else text


def _rejected(given: Input) -> Counter[str]:
    """Reason -> dialogues that the stage which made the folder set aside."""
    counted: Counter[str] = Counter()
    for path in _shards(given.path / REJECTED, "dialogues"):
        table = pq.read_table(path, columns=[name for name in ("reason",) if name in pq.read_schema(path).names])
        reasons = table.column("reason").to_pylist() if table.num_columns else [REJECTED] * table.num_rows
        counted.update(map(str, reasons))
    return counted


def _outcomes(given: Input) -> tuple[Mapping[str, Any], ...]:
    rows = [row for path in _shards(given.path, "outcomes") for row in pq.read_table(path).to_pylist()]
    missing = [name for name in _PLAYED if rows and name not in rows[0]]
    if missing:
        raise InputError(
            f"{given.label}: outcomes lack the columns {', '.join(missing)}", next_step="run the rollout again"
        )
    return tuple(sorted(rows, key=lambda row: str(row["dialogue_id"])))


def _shards(folder: Path, table: str) -> list[Path]:
    return sorted(folder.glob(f"{table}-[0-9]*.parquet"))


def lost_by_model(models: Iterable[Model]) -> Counter[str]:
    """Dialogues that are not measured, by reason, over all models."""
    return sum((Counter(dict(model.lost)) for model in models), Counter())
