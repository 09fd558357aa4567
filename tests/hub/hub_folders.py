"""Finished stage folders with planted rows, as publishing finds them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from sage_data.dialogue import Dialogue, Source, State, Utterance
from sage_data.store.dialogues import to_table
from sage_data.store.manifest import Counts, Manifest, Origin, content_hash, list_files, write_manifest
from sage_data.store.shards import shard_name, total_counts, write_table

OWN = Origin(name="Made for a test", license="cc0-1.0", url="https://example.org/made")
REDDIT = Origin(name="Reddit", license="unknown", withhold_text=True)
LONELY = State("sharing", "lonely", ("family",))
CARING = State("empathy", "caring", ("family",))


def dialogue(number: int, text: str = "How was your day?") -> Dialogue:
    """Two utterances; `text` is the second."""
    said = (
        Utterance("user", f"I spent day {number} alone.", LONELY, source_id=f"c{number}a"),
        Utterance("assistant", text, CARING, source_id=f"c{number}b"),
    )
    source = Source("reddit", f"t3_{number}", "CasualConversation", 1_134_000_000 + number, ("RC_2005-12.zst",))
    return Dialogue(f"d{number}", said, source)


def dialogues(count: int) -> pa.Table:
    return to_table(dialogue(number) for number in range(count))


def write_folder(
    folder: Path, tables: Sequence[pa.Table], origins: Sequence[Origin] = (OWN,), name: str = "dialogues"
) -> Path:
    """A folder that looks as if a stage had written these shards."""
    for index, table in enumerate(tables):
        counts = [Counts(unit=name, came_in=table.num_rows, kept=table.num_rows)]
        write_table(folder / shard_name(name, index), table, counts)
    files = list_files(folder)
    manifest = Manifest(
        stage=folder.name,
        uses="tests",
        version=1,
        fingerprint="0" * 64,
        content_hash=content_hash(files),
        config={},
        seed=0,
        inputs={},
        origins=list(origins),
        counts=total_counts(folder / one.path for one in files),
        files=files,
    )
    write_manifest(folder, manifest)
    return folder
