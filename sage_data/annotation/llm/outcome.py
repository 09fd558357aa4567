"""What became of each dialogue and each rewritten text, as tables beside the dialogues.

`asked-*.parquet` has a row for every dialogue that came in, with its calls and tokens; the report is made of it alone,
so a run that was killed reports the same as one that was not. `rewrites-*.parquet` keeps the original of every text
that is another now. Both are in shards of the same numbers as the dialogues.

    rewrites_to_table([(dialogue.id, rewrite), ...])
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sage_data.annotation.annotator import AnnotationFailure
from sage_data.annotation.llm.asking import Job
from sage_data.annotation.llm.reply import Annotated
from sage_data.annotation.llm.wording import Rewrite
from sage_data.dialogue import Dialogue
from sage_data.errors import InputError
from sage_data.store.shards import shard_name

ASKED, REWRITES = "asked", "rewrites"


class Outcome(StrEnum):
    """What became of a dialogue."""

    ANNOTATED = "annotated"
    PASSED = "passed"
    """It had its states already and went through as it was."""
    FAILED = "failed"


ASKED_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("outcome", pa.string()),
        ("failures", pa.list_(pa.string())),  # why each call but a good last one could not be used, in order
        ("calls", pa.int32()),  # none where an earlier dialogue with the same id and words has made them
        ("repairs", pa.int32()),  # calls that showed the model its bad reply
        ("rounds", pa.int32()),  # calls that began anew, the first included
        ("mended", pa.bool_()),  # a repair gave the reply that was used
        ("prompt_tokens", pa.int64()),
        ("completion_tokens", pa.int64()),
        ("utterances", pa.int32()),
        ("rewritten", pa.int32()),  # utterances whose own words changed
        ("bridges", pa.int32()),  # utterances that got a question
        ("similarity", pa.float64()),  # mean over those annotated; null where nothing was
        ("annotated", pa.int32()),  # utterances that got a state; one that keeps its own is none of them
    ]
)
REWRITE_SCHEMA = pa.schema(
    [
        ("dialogue", pa.string()),
        ("index", pa.int32()),  # of the utterance in its dialogue, from 0
        ("original", pa.string()),
        ("rewritten", pa.string()),  # without the question
        ("bridge", pa.string()),  # the question that was added, or null
        ("similarity", pa.float64()),
    ]
)


def asked_row(job: Job) -> dict[str, Any]:
    """The row of a dialogue that a model was asked about."""
    result = job.result
    rewrites = result.rewrites if isinstance(result, Annotated) else ()
    return {
        **_calls(None if job.repeat else job),
        "id": job.dialogue.id,
        "outcome": Outcome.ANNOTATED if isinstance(result, Annotated) else Outcome.FAILED,
        "failures": [kind.value for kind in job.kinds],
        "utterances": len(job.dialogue.utterances),
        "rewritten": sum(one.rewritten != one.original for one in rewrites),
        "bridges": sum(one.bridge is not None for one in rewrites),
        "similarity": round(result.similarity, 6) if isinstance(result, Annotated) else None,
        "annotated": result.annotated if isinstance(result, Annotated) else 0,
    }


def unasked_row(dialogue: Dialogue, failure: AnnotationFailure | None) -> dict[str, Any]:
    """The row of a dialogue that no model was asked about."""
    return {
        **_calls(None),
        "id": dialogue.id,
        "outcome": Outcome.FAILED if failure else Outcome.PASSED,
        "failures": [failure.kind.value] if failure else [],
        "utterances": len(dialogue.utterances),
        "rewritten": 0,
        "bridges": 0,
        "similarity": None,
        "annotated": 0,
    }


def _calls(job: Job | None) -> dict[str, Any]:
    return {
        "calls": job.calls if job else 0,
        "repairs": job.repairs if job else 0,
        "rounds": job.rounds if job else 0,
        "mended": bool(job and job.mended),
        "prompt_tokens": job.prompt_tokens if job else 0,
        "completion_tokens": job.completion_tokens if job else 0,
    }


def asked_to_table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """One row a dialogue, in the order of the input."""
    return pa.Table.from_pylist(list(rows), schema=ASKED_SCHEMA)


def rewrites_to_table(rewrites: Iterable[tuple[str, Rewrite]]) -> pa.Table:
    """One row an utterance whose text is another now: (id of its dialogue, what changed)."""
    rows = [
        {
            "dialogue": dialogue,
            "index": one.index,
            "original": one.original,
            "rewritten": one.rewritten,
            "bridge": one.bridge,
            "similarity": one.similarity,
        }
        for dialogue, one in rewrites
    ]
    return pa.Table.from_pylist(rows, schema=REWRITE_SCHEMA)


def earlier_rewrites(folder: Path, shard: int) -> dict[str, list[Rewrite]]:
    """Dialogue id -> what an earlier annotation changed in it, for one shard of an input; empty if there was none.

    Raises:
        InputError: the input's table of rewrites cannot be read.
    """
    found: dict[str, list[Rewrite]] = {}
    for dialogue, rewrite in _read_rewrites(folder / shard_name(REWRITES, shard)):
        found.setdefault(dialogue, []).append(rewrite)
    return found


def _read_rewrites(path: Path) -> Iterator[tuple[str, Rewrite]]:
    if not path.is_file():
        return
    try:
        rows = pq.read_table(path, columns=REWRITE_SCHEMA.names).to_pylist()
    except (OSError, pa.ArrowException, KeyError) as error:
        raise InputError(f"{path}: expected the texts of an earlier annotation: {error}") from error
    for row in rows:
        yield row.pop("dialogue"), Rewrite(**row)
