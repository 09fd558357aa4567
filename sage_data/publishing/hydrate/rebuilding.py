"""Phase 2 of rebuilding: puts the texts that were found back into one part of the dialogues, if they are the right.

An utterance gets the first text (in order of dumps and lines, as in the Reddit stage) that has the published hash, or
else the hash of its author's words before an annotator rewrote them. If any line of the dumps says that the comment was
deleted or removed, then it is: what somebody took back stays away, even where an older line still has it.

    rebuilt = rebuild(part, read_texts(folder, 0), frozenset(), keep_changed=False)
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sage_data.publishing.hydrate.gathering import id_keys
from sage_data.publishing.withholding import bare_id, text_hashes
from sage_data.reddit.comments import DELETED, REMOVED
from sage_data.stage import Counts
from sage_data.store.dialogues import DIALOGUE_SCHEMA

GONE = pa.array(sorted({DELETED, *REMOVED}), pa.string())
"""Texts that stand where a comment was deleted or removed."""
REJECTED_SCHEMA = pa.schema(
    [("id", pa.string()), ("reason", pa.string()), ("index", pa.int64()), ("source_id", pa.string())]
)
"""A dialogue that was not rebuilt: the reason, and the first utterance (from 0) and comment that give it."""
NOWHERE = -1


class Loss(StrEnum):
    """Why an utterance has no text; of several, a dialogue is rejected for the first in this order."""

    TOMBSTONED = "tombstoned"
    """Its comment is on the list of tombstones."""
    DELETED = "deleted"
    """The dumps say that it was deleted by its author, or removed."""
    MISSING = "missing"
    """No line of the dumps that can be used has its id."""
    CHANGED = "changed"
    """Its text is not the one that was published: edited since, or rewritten by an annotator."""


LOSSES = tuple(Loss)
ORIGINAL = "rewritten"
"""The annotator's wording is lost, the author's own words are back."""
IN_REJECTED = "in_rejected_dialogue"
"""An utterance whose text was found, in a dialogue that lacks another."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """One part of the dataset with its text."""

    dialogues: pa.Table
    """Rows of `DIALOGUE_SCHEMA`, in their order."""
    rejected: pa.Table
    """Rows of `REJECTED_SCHEMA`, in their order."""
    counts: tuple[Counts, ...]
    """Of `dialogues`, of their `utterances`, and of `texts`: those that are what was published."""


def rebuild(part: pa.Table, texts: pa.Table, tombstones: frozenset[str], *, keep_changed: bool) -> Rebuilt:
    """Rebuild the dialogues of one part (rows of `WITHHELD_SCHEMA`) from the texts found for it.

    With `keep_changed`, a text that is not the one that was published will do.
    """
    listed = part["utterances"].combine_chunks()
    fields = _fields(listed)
    lengths = pc.list_value_length(listed).to_numpy()
    places, losses, originals = _resolve(fields, texts, tombstones)
    changed = losses == _code(Loss.CHANGED)
    if keep_changed:
        losses[changed] = 0
    owners = np.repeat(np.arange(part.num_rows), lengths)
    worst = _worst(losses, owners, part.num_rows)
    kept = (worst == 0)[owners]
    utterances = _utterances(fields, texts["text"], places, kept)
    dialogues = _with_utterances(part.filter(pa.array(worst == 0)), utterances, lengths[worst == 0])
    counts = (
        _counts("dialogues", part.num_rows, _tally(worst)),
        _counts("utterances", len(losses), _tally(losses) + Counter({IN_REJECTED: int((~kept & (losses == 0)).sum())})),
        _counts(
            "texts",
            int(kept.sum()),
            Counter({ORIGINAL: int((kept & originals).sum()), str(Loss.CHANGED): int((kept & changed).sum())}),
        ),
    )
    return Rebuilt(dialogues, _rejected(part, fields["source_id"], losses, worst, lengths), counts)


def _fields(listed: pa.ListArray) -> dict[str, pa.Array]:
    """Fields of all utterances (utterances,) of a list of dialogues."""
    flat = pc.list_flatten(listed)
    return {name: pc.struct_field(flat, name) for name in flat.type.names}


def _resolve(
    fields: dict[str, pa.Array], texts: pa.Table, tombstones: frozenset[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each utterance (utterances,): where its text stands, why it has none, and whether it is the author's own."""
    found = _Found.of(texts)
    wanted = zip(
        fields["source_id"].to_pylist(),
        id_keys(fields["source_id"].cast(pa.string())).tolist(),
        fields["text_sha256"].to_pylist(),
        fields["original_sha256"].to_pylist(),
        strict=True,
    )
    places, losses, originals = [], [], []
    for name, key, published, original in wanted:
        place, loss = found.look_up(key, published)
        own = loss is Loss.CHANGED and original is not None and (key, original) in found.by_hash
        if own:
            place, loss = found.by_hash[key, original], None
        if bare_id(name or "") in tombstones:
            place, loss = NOWHERE, Loss.TOMBSTONED
        places.append(place)
        losses.append(_code(loss))
        originals.append(own and loss is None)
    return np.array(places, np.int64), np.array(losses, np.uint8), np.array(originals, bool)


@dataclass(frozen=True, slots=True)
class _Found:
    """What the dumps hold for one part."""

    first: dict[int, int]
    """Key of an id -> place of its first text."""
    by_hash: dict[tuple[int, str], int]
    """(key, hash) -> place of the first text that has them."""
    gone: frozenset[int]
    """Keys of comments that are deleted or removed in some line."""

    @classmethod
    def of(cls, texts: pa.Table) -> _Found:
        hashes = (digest for chunk in texts["text"].chunks for digest in text_hashes(chunk).to_pylist())
        first: dict[int, int] = {}
        by_hash: dict[tuple[int, str], int] = {}
        for place, (key, digest) in enumerate(zip(texts["key"].to_pylist(), hashes, strict=True)):
            first.setdefault(key, place)
            by_hash.setdefault((key, digest), place)
        gone = pc.filter(texts["key"], pc.is_in(texts["text"], GONE))
        return cls(first, by_hash, frozenset(gone.to_pylist()))

    def look_up(self, key: int, published: str | None) -> tuple[int, Loss | None]:
        """Place of the text to take, and what is wrong with it."""
        if key in self.gone:
            return NOWHERE, Loss.DELETED
        if key not in self.first:
            return NOWHERE, Loss.MISSING
        place = self.by_hash.get((key, published or ""))
        return (self.first[key], Loss.CHANGED) if place is None else (place, None)


def _code(loss: Loss | None) -> int:
    """0 for no loss, else the loss's place in `LOSSES` plus one."""
    return 0 if loss is None else LOSSES.index(loss) + 1


def _worst(losses: np.ndarray, owners: np.ndarray, dialogues: int) -> np.ndarray:
    """The loss for which each dialogue is rejected (dialogues,), 0 for none."""
    worst = np.full(dialogues, len(LOSSES) + 1, dtype=np.uint8)
    lost = losses != 0
    np.minimum.at(worst, owners[lost], losses[lost])
    worst[worst > len(LOSSES)] = 0
    return worst


def _tally(losses: np.ndarray) -> Counter[str]:
    counted = np.bincount(losses, minlength=len(LOSSES) + 1)[1:].tolist()
    return Counter({str(loss): count for loss, count in zip(LOSSES, counted, strict=True)})


def _counts(unit: str, came_in: int, dropped: Counter[str]) -> Counts:
    present = {reason: count for reason, count in sorted(dropped.items()) if count}
    return Counts(unit=unit, came_in=came_in, kept=came_in - sum(present.values()), dropped=present)


def _utterances(fields: dict[str, pa.Array], texts: pa.ChunkedArray, places: np.ndarray, kept: np.ndarray) -> pa.Array:
    """The utterances of all rebuilt dialogues, in a row."""
    chosen = pa.array(np.flatnonzero(kept))
    words = texts.take(pa.array(places[kept])).combine_chunks()
    struct = DIALOGUE_SCHEMA.field("utterances").type.value_type
    columns = [words if field.name == "text" else fields[field.name].take(chosen) for field in struct]
    return pa.StructArray.from_arrays(columns, fields=list(struct))


def _with_utterances(part: pa.Table, utterances: pa.Array, lengths: np.ndarray) -> pa.Table:
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    place = part.schema.get_field_index("utterances")
    field = DIALOGUE_SCHEMA.field("utterances")
    return part.set_column(place, field, pa.ListArray.from_arrays(offsets, utterances)).cast(DIALOGUE_SCHEMA)


def _rejected(part: pa.Table, ids: pa.Array, losses: np.ndarray, worst: np.ndarray, lengths: np.ndarray) -> pa.Table:
    starts = np.cumsum(lengths) - lengths
    rows = np.flatnonzero(worst)
    firsts = [int(np.argmax(losses[starts[row] : starts[row] + lengths[row]] == worst[row])) for row in rows]
    index = np.array(firsts, dtype=np.int64)
    columns = {
        "id": part["id"].take(pa.array(rows)),
        "reason": [str(LOSSES[code - 1]) for code in worst[rows].tolist()],
        "index": index,
        "source_id": ids.take(pa.array(starts[rows] + index)),
    }
    return pa.table(columns, schema=REJECTED_SCHEMA)
