"""One spelling of a set of dialogues, so that any two programs that keep the same ones give the same hash.

A dialogue is one line of JSON with sorted keys: id, roles, texts, source ids, subreddit, thread, time, files. Lines are
sorted by id.

    digest = sha256_of(stage_lines(Path("kept")))
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from sage_data.store.dialogues import read_dialogues


def line_of(
    *,
    id: str,
    roles: Sequence[str],
    texts: Sequence[str],
    source_ids: Sequence[str | None],
    subreddit: str | None,
    thread: str | None,
    created_utc: int | None,
    files: Sequence[str],
) -> str:
    """One dialogue."""
    row = {
        "id": id,
        "roles": list(roles),
        "texts": list(texts),
        "source_ids": list(source_ids),
        "subreddit": subreddit,
        "thread": thread,
        "created_utc": created_utc,
        "files": list(files),
    }
    return json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sorted_lines(lines: Iterable[str]) -> list[str]:
    """Lines in order of id."""
    return sorted(lines, key=lambda line: str(json.loads(line)["id"]))


def stage_lines(folder: Path) -> list[str]:
    """The dialogues of a finished stage folder.

    Raises:
        InputError: the folder holds none.
    """
    return sorted_lines(
        line_of(
            id=dialogue.id,
            roles=[one.role for one in dialogue.utterances],
            texts=[one.text for one in dialogue.utterances],
            source_ids=[one.source_id for one in dialogue.utterances],
            subreddit=dialogue.source.place,
            thread=dialogue.source.thread,
            created_utc=dialogue.source.created_utc,
            files=dialogue.source.files,
        )
        for dialogue in read_dialogues(folder)
    )


def sha256_of(lines: Iterable[str]) -> str:
    """Hash of the lines, each with its newline."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()
