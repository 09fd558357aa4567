"""What the tables of a dataset hold, counted row by row: tags, places, months and lengths.

    contents = look(config, staged=None)

Where the files that will be published are there already, they are counted, else the shards they are made from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sage_data.dialogue import State
from sage_data.publishing.card.chained import chain_states
from sage_data.publishing.layout import DatasetConfig
from sage_data.store.shards import shard_paths

SLOTS = ("motivation", "emotion", "topics")
ROLES = ("user", "assistant")
COLUMNS = {"motivation": "motivation", "emotion": "emotion", "topic": "topics"}
"""Slot of a chain -> the field of a state that holds it."""
NONE = ""
"""Key of utterances that were annotated and have no such tag; no tag is empty."""


@dataclass
class Contents:
    """Counts over one config."""

    rows: int = 0
    annotated: Counter[str] = field(default_factory=Counter)
    """Role -> utterances with a state."""
    unannotated: Counter[str] = field(default_factory=Counter)
    """Role -> utterances without one."""
    tags: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    """(role, slot) -> tag -> utterances that have it, or `NONE`."""
    places: Counter[str] = field(default_factory=Counter)
    corpora: Counter[str] = field(default_factory=Counter)
    months: Counter[str] = field(default_factory=Counter)
    """Such as 2012-11 -> rows."""
    situations: Counter[str] = field(default_factory=Counter)
    """Emotion that its author gave a scenario -> scenarios."""
    lengths: Counter[int] = field(default_factory=Counter)
    """Utterances or messages in a row -> rows."""

    @property
    def turns(self) -> int:
        """Utterances or messages in all."""
        return sum(length * rows for length, rows in self.lengths.items())


def look(config: DatasetConfig, staged: Path) -> Contents:
    """Count one config: the files in `staged/<config>/` if there are some, else the shards of its stage."""
    found = Contents()
    for batch in _batches(config, staged):
        found.rows += batch.num_rows
        _count_origin(batch, found)
        for name in ("utterances", "messages", "conversations"):
            if name in batch.schema.names:
                found.lengths.update(_counted(pc.list_value_length(batch[name])))
        if "utterances" in batch.schema.names:
            _count_tags(pc.list_flatten(batch["utterances"]), found)
        if "situation" in batch.schema.names:
            found.situations.update(_counted(batch["emotion"]))
        for role, slots, state in chain_states(batch):
            _count_state(role, slots, state, found)
    return found


def first_row(config: DatasetConfig, staged: Path) -> dict[str, Any] | None:
    """The first row of a config, from where `look` counts them; None when it has none."""
    for batch in _batches(config, staged):
        if batch.num_rows:
            return dict(batch.slice(0, 1).to_pylist()[0])
    return None


def _batches(config: DatasetConfig, staged: Path) -> Iterator[pa.RecordBatch]:
    # In the order of the splits: the example is a row to learn from, not one to be tested on.
    published = [path for one in config.splits for path in sorted((staged / config.name).glob(f"{one.name}-*.parquet"))]
    for path in published or shard_paths(config.folder, config.table):
        yield from pq.ParquetFile(path).iter_batches()


def _count_origin(batch: pa.RecordBatch, found: Contents) -> None:
    origin = _origin_columns(batch)
    for name, counter in (("place", found.places), ("corpus", found.corpora)):
        if name in origin:
            counter.update(_counted(origin[name]))
    if "created_utc" in origin:
        times = pc.drop_null(origin["created_utc"]).cast(pa.timestamp("s"))
        found.months.update(_counted(pc.strftime(times, "%Y-%m")))


def _origin_columns(batch: pa.RecordBatch) -> dict[str, pa.Array]:
    """Columns that tell where a row comes from, be they a struct `source` or columns of their own."""
    columns = {name: batch[name] for name in batch.schema.names}
    if "source" in columns and pa.types.is_struct(columns["source"].type):
        names = columns["source"].type.names
        columns |= {name: pc.struct_field(columns["source"], name) for name in names}
    return columns


def _counted(values: pa.Array) -> dict[Any, int]:
    """Value -> how often it occurs; nulls are left out."""
    counted = pc.value_counts(pc.drop_null(values))
    return dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True))


def _count_tags(utterances: pa.Array, found: Contents) -> None:
    if not pa.types.is_struct(utterances.type) or "state" not in utterances.type.names:
        return
    roles, states = pc.struct_field(utterances, "role"), pc.struct_field(utterances, "state")
    for role in ROLES:
        mine = pc.filter(states, pc.equal(roles, role))
        known = pc.drop_null(mine)
        found.annotated[role] += len(known)
        found.unannotated[role] += len(mine) - len(known)
        for slot in SLOTS:
            _count_slot(pc.struct_field(known, slot), found.tags.setdefault((role, slot), Counter()))


def _count_slot(values: pa.Array, counter: Counter[str]) -> None:
    if pa.types.is_list(values.type):
        # A topic named twice in one utterance counts once.
        pairs = pa.table({"row": pc.list_parent_indices(values), "tag": pc.list_flatten(values)})
        tags = pairs.group_by(["row", "tag"]).aggregate([])["tag"].combine_chunks()
        empty = pc.sum(pc.equal(pc.fill_null(pc.list_value_length(values), 0), 0)).as_py() or 0
    else:
        tags, empty = values, values.null_count
    counter.update(_counted(tags))
    if empty:
        counter[NONE] += empty


def _count_state(role: str, slots: tuple[str, ...], state: State | None, found: Contents) -> None:
    """Count one tag of a chain; slots that it leaves out say nothing."""
    if state is None:
        found.unannotated[role] += 1
        return
    found.annotated[role] += 1
    tags = {"motivation": {state.motivation or NONE}, "emotion": {state.emotion or NONE}}
    tags["topic"] = set(state.topics) or {NONE}
    for slot in slots:
        found.tags.setdefault((role, COLUMNS[slot]), Counter()).update(tags[slot])
