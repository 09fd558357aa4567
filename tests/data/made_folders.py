"""Finished folders made by hand, for tests of what reads them: two dialogues, whatever manifest is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from sage_data.dialogue import Dialogue, Source, State, Utterance
from sage_data.publishing.layout import DatasetConfig, read_configs
from sage_data.store.dialogues import to_table
from sage_data.store.manifest import Ancestor, Counts, Manifest, Origin, content_hash, list_files, write_manifest
from sage_data.store.shards import shard_name, write_table

MADE = Origin(name="a made-up talk", license="cc0-1.0", note="For tests.", synthetic=True)
REDDIT = Origin(name="Reddit comments", license="other", url="https://www.reddit.com", withhold_text=True)


def dialogue(number: int, *texts: str, state: State | None = None, **source: Any) -> Dialogue:
    """A dialogue whose utterances all carry `state`."""
    roles = ("user", "assistant")
    said = tuple(
        Utterance(roles[place % 2], text, state, source_id=f"c{number}{place}")  # type: ignore[arg-type]
        for place, text in enumerate(texts)
    )
    where = Source(**{"corpus": "reddit", "thread": f"t3_{number}", "place": "smalltalk", "created_utc": 0, **source})
    return Dialogue(f"d{number}", said, where)


TWO = (
    dialogue(1, "I got the job!", "Well done. What will you do?", state=State("sharing", "proud", ("work", "job"))),
    dialogue(2, "It rains.", "Take a coat.", "Thanks!", state=State(None, None, ()), created_utc=40 * 86_400),
)


def made_stage(name: str, **changed: Any) -> Ancestor:
    """A stage above, with nothing special about it."""
    plain: dict[str, Any] = {
        "stage": name,
        "uses": "toy_stages",
        "version": 1,
        "fingerprint": f"{name}-mark",
        "content_hash": f"{name:0<64}",
        "config": {},
        "seed": 7,
    }
    return Ancestor(**{**plain, **changed})


def made_counts(came_in: int, kept: int, unit: str = "dialogues", quarantined: int = 0, **dropped: int) -> Counts:
    """Counts that add up, or the test is wrong."""
    counts = Counts(unit=unit, came_in=came_in, kept=kept, dropped=dropped, quarantined=quarantined)
    assert counts.adds_up()
    return counts


def made_folder(
    folder: Path, dialogues: tuple[Dialogue, ...] = TWO, table: tuple[str, pa.Table] | None = None, **changed: Any
) -> Path:
    """A finished folder with one shard of dialogues, or of another table."""
    name, rows = table or ("dialogues", to_table(dialogues))
    write_table(folder / shard_name(name, 0), rows)
    files = list_files(folder)
    plain: dict[str, Any] = {
        "stage": folder.name,
        "uses": "toy_stages",
        "version": 1,
        "fingerprint": f"{folder.name}-mark",
        "content_hash": content_hash(files),
        "config": {},
        "seed": 7,
        "inputs": {},
        "origins": [MADE],
        "counts": [],
        "files": files,
    }
    write_manifest(folder, Manifest(**{**plain, **changed}))
    return folder


def made_config(
    folder: Path, dialogues: tuple[Dialogue, ...] = TWO, table: tuple[str, pa.Table] | None = None, **changed: Any
) -> DatasetConfig:
    """The config of such a folder."""
    return read_configs([made_folder(folder, dialogues, table, **changed)])[0]
