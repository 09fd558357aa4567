"""Dialogues and scenarios as Arrow tables: one row each, one declared schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from sage_data.dialogue import Dialogue, Scenario, Source, State, Utterance
from sage_data.errors import InputError
from sage_data.store.shards import read_shards

_STATE = pa.struct([("motivation", pa.string()), ("emotion", pa.string()), ("topics", pa.list_(pa.string()))])
_UTTERANCE = pa.struct(
    [
        ("role", pa.string()),
        ("text", pa.string()),
        ("state", _STATE),
        ("perceived", _STATE),
        ("source_id", pa.string()),
    ]
)
_SOURCE = pa.struct(
    [
        ("corpus", pa.string()),
        ("thread", pa.string()),
        ("place", pa.string()),
        ("created_utc", pa.int64()),
        ("files", pa.list_(pa.string())),
        ("split", pa.string()),
    ]
)
DIALOGUE_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("utterances", pa.list_(_UTTERANCE)),
        ("source", _SOURCE),
        ("scenario_id", pa.string()),
        ("model", pa.string()),
    ]
)
ROLLOUT_SCHEMA = DIALOGUE_SCHEMA.append(pa.field("sample", pa.int64()))
"""Dialogues of which one scenario may have several."""
SCENARIO_SCHEMA = pa.schema(
    [("id", pa.string()), ("situation", pa.string()), ("emotion", pa.string()), ("split", pa.string())]
)


def to_table(dialogues: Iterable[Dialogue]) -> pa.Table:
    """One row a dialogue, in the order given."""
    return pa.Table.from_pylist([_dialogue_row(dialogue) for dialogue in dialogues], schema=DIALOGUE_SCHEMA)


def rollouts_to_table(dialogues: Iterable[Dialogue]) -> pa.Table:
    """The same with the column `sample`."""
    rows = [{**_dialogue_row(dialogue), "sample": dialogue.sample} for dialogue in dialogues]
    return pa.Table.from_pylist(rows, schema=ROLLOUT_SCHEMA)


def from_table(table: pa.Table) -> list[Dialogue]:
    """The inverse of `to_table` and of `rollouts_to_table`; extra columns are ignored.

    Raises:
        InputError: a column is missing.
    """
    schema = ROLLOUT_SCHEMA if "sample" in table.column_names else DIALOGUE_SCHEMA
    return [_dialogue(row) for row in _columns(table, schema).to_pylist()]


def read_dialogues(folder: Path) -> Iterator[Dialogue]:
    """All dialogues of a stage folder, in order.

    Raises:
        InputError: the folder holds none.
    """
    for table in read_shards(folder, "dialogues"):
        yield from from_table(table)


def scenarios_to_table(scenarios: Iterable[Scenario]) -> pa.Table:
    """One row a scenario, in the order given."""
    rows = [{"id": one.id, "situation": one.situation, "emotion": one.emotion, "split": one.split} for one in scenarios]
    return pa.Table.from_pylist(rows, schema=SCENARIO_SCHEMA)


def read_scenarios(folder: Path) -> Iterator[Scenario]:
    """All scenarios of a stage folder, in order.

    Raises:
        InputError: the folder holds none.
    """
    for table in read_shards(folder, "scenarios"):
        yield from (Scenario(**row) for row in _columns(table, SCENARIO_SCHEMA).to_pylist())


def _columns(table: pa.Table, schema: pa.Schema) -> pa.Table:
    missing = [name for name in schema.names if name not in table.column_names]
    if missing:
        raise InputError(
            f"expected the columns {', '.join(schema.names)}; missing: {', '.join(missing)}",
            next_step="these Parquet files were not written by a stage of sage",
        )
    return table.select(schema.names)


def _state_row(state: State | None) -> dict[str, Any] | None:
    if state is None:
        return None
    return {"motivation": state.motivation, "emotion": state.emotion, "topics": list(state.topics)}


def _state(row: Mapping[str, Any] | None) -> State | None:
    return None if row is None else State(row["motivation"], row["emotion"], tuple(row["topics"] or ()))


def _dialogue_row(dialogue: Dialogue) -> dict[str, Any]:
    source = dialogue.source
    return {
        "id": dialogue.id,
        "utterances": [
            {
                "role": utterance.role,
                "text": utterance.text,
                "state": _state_row(utterance.state),
                "perceived": _state_row(utterance.perceived),
                "source_id": utterance.source_id,
            }
            for utterance in dialogue.utterances
        ],
        "source": {
            "corpus": source.corpus,
            "thread": source.thread,
            "place": source.place,
            "created_utc": source.created_utc,
            "files": list(source.files),
            "split": source.split,
        },
        "scenario_id": dialogue.scenario_id,
        "model": dialogue.model,
    }


def _dialogue(row: Mapping[str, Any]) -> Dialogue:
    source = row["source"]
    return Dialogue(
        id=row["id"],
        utterances=tuple(
            Utterance(one["role"], one["text"], _state(one["state"]), _state(one["perceived"]), one["source_id"])
            for one in row["utterances"]
        ),
        source=Source(
            source["corpus"],
            source["thread"],
            source["place"],
            source["created_utc"],
            tuple(source["files"] or ()),
            source.get("split"),
        ),
        scenario_id=row["scenario_id"],
        model=row["model"],
        sample=row.get("sample"),
    )
