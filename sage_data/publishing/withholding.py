"""Dialogues without their words: ids, tags and a hash of each text, from which the text can be rebuilt and checked.

What stays of a dialogue is everything but `text`: ids, roles, states (motivation, emotion, topics are the annotator's
words, at most `LONGEST_TAG` characters each and `MOST_TOPICS` topics, so that none can be a quotation of length), the
community, the time, the names of the dumps. Dialogues carry no author names, so there is none to hide. A hash does not
hide a short text from someone who guesses it ("thanks"): it is there to check, not to keep secret.
`sage_data.publishing.hydrate` is the way back; it reads Reddit dumps, so only dialogues of the corpus `reddit` can be
withheld. Other tables made from dialogues, scenarios among them, consist of text and cannot.

    without_text = withhold(pq.read_table("annotated/dialogues-00000.parquet"))
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sage_data.errors import InputError, PublishError
from sage_data.reddit.building import CORPUS
from sage_data.reddit.keys import COMMENT
from sage_data.store.dialogues import DIALOGUE_SCHEMA
from sage_data.store.manifest import Manifest, Origin

LONGEST_TAG = 80
"""Characters of the longest motivation, emotion or topic that may be published without the text beside it."""
MOST_TOPICS = 10
"""Most topics of one utterance: word by word they would be the text."""
MAKERS = ("sage_data.reddit", "sage_data.publishing.hydrate")
"""Stages that make dialogues of comments."""
_UTTERANCE = DIALOGUE_SCHEMA.field("utterances").type.value_type
_BATCH_ROWS = 65_536
_TOMBSTONE = re.compile(r"(?:t[13]_)?[0-9a-z]+")

_PLACES = {name: place for place, name in enumerate(DIALOGUE_SCHEMA.names)}
_KEPT = [field for field in _UTTERANCE if field.name != "text"]
_WITHHELD = pa.struct(
    [*_KEPT, ("text_sha256", pa.string()), ("original_sha256", pa.string()), ("characters", pa.int32())]
)
WITHHELD_SCHEMA: pa.Schema = DIALOGUE_SCHEMA.set(_PLACES["utterances"], pa.field("utterances", pa.list_(_WITHHELD)))
"""`DIALOGUE_SCHEMA` with three fields in place of each utterance's `text`:

- `text_sha256`: SHA-256 of the text's UTF-8 bytes as they stand (no Unicode normalisation), 64 hex digits;
- `original_sha256`: the same of the author's own words, where an annotator rewrote them; null where `text` is those;
- `characters`: length of the text in Unicode code points.
"""


def must_withhold(origins: Sequence[Origin]) -> bool:
    """True when rows derive from a source whose text stays out of what is published unless it is asked for."""
    return any(origin.withhold_text for origin in origins)


def withhold(table: pa.Table, originals: pa.Table | None = None) -> pa.Table:
    """Dialogues (rows of `DIALOGUE_SCHEMA`) without their text (rows of `WITHHELD_SCHEMA`), in the same order.

    `originals` names the utterances that an annotator rewrote, with the hash of the words before (see `hashed`).

    Raises:
        PublishError: the table holds text in other columns than a dialogue's; an utterance could never be rebuilt, as
            it has no source id or is of another corpus; or tags are so long or so many that they may quote the text.
    """
    _check_columns(table)
    chosen = table.select(DIALOGUE_SCHEMA.names).cast(DIALOGUE_SCHEMA)
    batches = [_withheld(batch, originals) for batch in chosen.to_batches(max_chunksize=_BATCH_ROWS)]
    return pa.Table.from_batches(batches, WITHHELD_SCHEMA)


@dataclass(frozen=True, slots=True)
class Traced:
    """Rows whose comments are known, so that rows made from them can be judged by their id."""

    known: frozenset[str]
    gone: frozenset[str]
    """Those of them that hold a tombstoned comment, or were spoken from a situation that does."""


NOTHING = Traced(frozenset(), frozenset())


def from_comments(manifest: Manifest) -> bool:
    """True when rows may hold words of comments, even where they name none, as situations and self-play do."""
    above = {one.uses for one in manifest.lineage} | {manifest.uses}
    return must_withhold(manifest.origins) or not above.isdisjoint(MAKERS)


def drop_tombstones(
    table: pa.Table, ids: Collection[str], dialogues: Traced = NOTHING, *, comments: bool = True
) -> tuple[pa.Table, int]:
    """The rows that hold none of the tombstoned comments, and how many were left out, each as a whole.

    `ids` are of comments, with or without `t1_`, or of titles (`t3_`). Only `dialogues` tables, with their text or
    without, name the comments they hold. Rows of other tables go by the id of their dialogue, and rows that were spoken
    from a scenario by that scenario's too; both must be among `dialogues` (see `trace`). Where rows hold no words of
    `comments` (see `from_comments`), scenarios need not be.

    Raises:
        PublishError: the table names no comments, and not every row's dialogue or scenario is among `dialogues`.
    """
    if not ids:
        return table, 0
    gone = dialogues.gone
    if "utterances" in table.column_names:
        gone |= frozenset(tombstoned(table, ids))
    elif comments or "situation" not in table.column_names:
        _check_known(table, "id", dialogues)
    hit = _is_among(table["id"], gone)
    if "scenario_id" in table.column_names:
        if comments:
            _check_known(table, "scenario_id", dialogues)
        hit = pc.or_(hit, _is_among(table["scenario_id"], gone))
    kept = table.filter(pc.invert(hit))
    return kept, table.num_rows - kept.num_rows


def _is_among(names: pa.ChunkedArray, ids: frozenset[str]) -> pa.ChunkedArray:
    return pc.is_in(names, pa.array(sorted(ids), names.type))


def _check_known(table: pa.Table, column: str, dialogues: Traced) -> None:
    unknown = set(table[column].drop_null().to_pylist()) - dialogues.known
    if unknown:
        raise PublishError(
            f"expected a table that names its comments, to leave out tombstoned ones; found the columns "
            f"{', '.join(table.column_names)}, and {len(unknown):,} rows of which nothing is known, such as "
            f"{column} {min(unknown)}",
            next_step="publish the folder of dialogues (or scenarios) that all these rows were made from along with "
            "them",
        )


def trace(tables: Iterable[pa.Table], ids: Collection[str], harmless: Iterable[str] = ()) -> Traced:
    """What `dialogues` tables (columns `id`, `utterances`, perhaps `scenario_id`) tell about rows made from them.

    `harmless` are ids of scenarios that no comment was made into.
    """
    known: set[str] = set(harmless)
    gone: set[str] = set()
    spoken: dict[str, str] = {}
    for table in tables:
        known.update(table["id"].to_pylist())
        gone.update(tombstoned(table, ids))
        if "scenario_id" in table.column_names:
            made = table.filter(pc.is_valid(table["scenario_id"]))
            spoken.update(zip(made["id"].to_pylist(), made["scenario_id"].to_pylist(), strict=True))
    # What was spoken from a situation that must go repeats it, and may have been made into a situation again.
    while more := {one for one, scenario in spoken.items() if scenario in gone} - gone:
        gone |= more
    return Traced(frozenset(known), frozenset(gone))


def tombstoned(table: pa.Table, ids: Collection[str]) -> list[str]:
    """Ids of the dialogues that hold one of the tombstoned comments, in order."""
    wanted = pa.array(sorted({bare_id(one) for one in ids}), pa.string())
    found: list[str] = []
    for batch in table.select(["id", "utterances"]).to_batches(max_chunksize=_BATCH_ROWS):
        utterances = batch["utterances"]
        hit = pc.is_in(_bare_ids(pc.struct_field(pc.list_flatten(utterances), "source_id")), wanted)
        rows = pc.unique(pc.filter(pc.list_parent_indices(utterances), hit))
        found += batch["id"].take(rows).to_pylist()
    return found


def read_tombstones(path: Path) -> frozenset[str]:
    """Ids to leave out, one a line; `#` begins a comment, blank lines are nothing. `t1_` is taken off, `t3_` stays.

    Raises:
        InputError: the file cannot be read, or a line holds no id, with its number.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: expected a text file of comment ids, found none: {error}") from error
    found = set()
    for number, line in enumerate(lines, start=1):
        name = line.partition("#")[0].strip()
        if name and not _TOMBSTONE.fullmatch(name):
            raise InputError(
                f"{path}, line {number}: expected a comment's id, such as c166b or t1_c166b, found {name[:80]!r}",
                next_step="Reddit's ids are lower-case letters and digits; write one a line",
            )
        found.add(bare_id(name))
    return frozenset(found - {""})


def bare_id(name: str) -> str:
    """A comment's id without its `t1_`; a submission keeps its `t3_`."""
    return name.removeprefix(COMMENT)


def text_sha256(text: str) -> str:
    """The hash that stands for a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _bare_ids(names: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(names.cast(pa.string()), f"^{COMMENT}", "")


def _check_columns(table: pa.Table) -> None:
    """Refuse tables that hold text anywhere else than a dialogue does."""
    missing = [name for name in DIALOGUE_SCHEMA.names if name not in table.column_names]
    if missing:
        raise PublishError(
            f"expected dialogues, whose text can be left out; found a table without {', '.join(missing)}: its columns "
            f"{', '.join(table.column_names)} hold the text",
            next_step="publish the folder of annotated dialogues instead: `sage data hydrate` and `sage data sac` make "
            "this table from it; or ask for the text with --text-release",
        )
    more = [name for name in table.column_names if name not in DIALOGUE_SCHEMA.names]
    if more:
        raise PublishError(
            f"expected the columns {', '.join(DIALOGUE_SCHEMA.names)}; found others, which may hold text: "
            f"{', '.join(more)}",
            next_step="publish the folder of the stage before, or ask for the text with --text-release",
        )


def _withheld(batch: pa.RecordBatch, originals: pa.Table | None) -> pa.RecordBatch:
    listed = batch["utterances"]
    utterances = pc.list_flatten(listed)
    offsets = np.concatenate([[0], np.cumsum(pc.list_value_length(listed).fill_null(0).to_numpy())])
    fields = {name: pc.struct_field(utterances, name) for name in _UTTERANCE.names}
    _check_rebuildable(batch, fields)
    _check_tags(batch, fields)
    hashes = _original_hashes(batch["id"], offsets, originals)
    made = {
        "text_sha256": text_hashes(fields["text"]),
        "original_sha256": hashes,
        "characters": pc.utf8_length(fields["text"]),
    }
    stripped = pa.StructArray.from_arrays(
        [made[field.name] if field.name in made else fields[field.name] for field in _WITHHELD], fields=list(_WITHHELD)
    )
    columns = [batch[name] for name in DIALOGUE_SCHEMA.names]
    columns[_PLACES["utterances"]] = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), stripped)
    return pa.RecordBatch.from_arrays(columns, schema=WITHHELD_SCHEMA)


def _check_rebuildable(batch: pa.RecordBatch, fields: dict[str, pa.Array]) -> None:
    corpora = pc.struct_field(batch["source"], "corpus")
    others = pc.filter(batch["id"], pc.fill_null(pc.not_equal(corpora, CORPUS), fill_value=True))
    if len(others):
        raise PublishError(
            f"expected dialogues of the corpus {CORPUS!r}, whose text can be rebuilt from dumps; found {len(others):,} "
            f"others, the first is {others[0]}",
            next_step="publish dialogues of each corpus as a dataset of their own",
        )
    lost = pc.or_(pc.is_null(fields["source_id"]), pc.is_null(fields["text"]))
    if pc.any(lost).as_py():
        raise PublishError(
            f"expected a text and a source id in every utterance, to rebuild the one from the other; found "
            f"{pc.sum(lost).as_py():,} without, the first in dialogue {_first(batch, lost)}",
            next_step="leave those dialogues out",
        )


def _check_tags(batch: pa.RecordBatch, fields: dict[str, pa.Array]) -> None:
    for name in ("state", "perceived"):
        states = fields[name]
        topics = pc.struct_field(states, "topics")
        _check_number_of_topics(batch, topics)
        rows = np.arange(len(states))
        tags = [(pc.struct_field(states, slot), rows) for slot in ("motivation", "emotion")]
        tags.append((pc.list_flatten(topics), pc.list_parent_indices(topics).to_numpy()))
        for values, owners in tags:
            long = np.flatnonzero(pc.fill_null(pc.greater(pc.utf8_length(values), LONGEST_TAG), fill_value=False))
            if len(long):
                mask = np.zeros(len(states), dtype=bool)
                mask[owners[long[0]]] = True
                raise PublishError(
                    f"expected tags of at most {LONGEST_TAG} characters beside a withheld text; found "
                    f"{len(values[int(long[0])].as_py()):,} in dialogue {_first(batch, pa.array(mask))}",
                    next_step="annotate that dialogue again",
                )


def _check_number_of_topics(batch: pa.RecordBatch, topics: pa.Array) -> None:
    lengths = pc.fill_null(pc.list_value_length(topics), 0)
    many = pc.greater(lengths, MOST_TOPICS)
    if pc.any(many).as_py():
        raise PublishError(
            f"expected at most {MOST_TOPICS} topics of an utterance beside a withheld text; found up to "
            f"{pc.max(lengths).as_py():,} in {pc.sum(many).as_py():,} utterances, the first in dialogue "
            f"{_first(batch, many)}",
            next_step="annotate these dialogues again (`sage data annotate` gives at most 10 topics)",
        )


def _first(batch: pa.RecordBatch, mask: pa.Array) -> str:
    """Id of the dialogue that holds the first of the marked utterances (utterances,)."""
    rows = pc.filter(pc.list_parent_indices(batch["utterances"]), mask)
    return str(batch["id"][rows[0].as_py()].as_py())


def text_hashes(texts: pa.StringArray) -> pa.StringArray:
    """Hash of each text (texts,), as `text_sha256` gives it."""
    return pa.array([hashlib.sha256(one).hexdigest() for one in texts.cast(pa.binary()).to_pylist()], pa.string())


def hashed(rewrites: pa.Table | None) -> pa.Table | None:
    """Columns `dialogue`, `index` and `hash` of what an annotator rewrote; None when that is nothing.

    `rewrites` has the columns `dialogue` (id), `index` (utterance, from 0) and `original` (the words before).
    """
    if rewrites is None or not rewrites.num_rows:
        return None
    texts = rewrites["original"].cast(pa.string()).combine_chunks()
    return rewrites.select(["dialogue", "index"]).append_column("hash", text_hashes(texts))


def _original_hashes(ids: pa.Array, offsets: np.ndarray, originals: pa.Table | None) -> pa.Array:
    """Hash of the words before they were rewritten (utterances,), null for those that were not."""
    count = int(offsets[-1])
    places = np.full(count, -1, dtype=np.int64)
    if originals is None:
        return pa.nulls(count, pa.string())
    rows = pc.index_in(originals["dialogue"].cast(pa.string()), ids).combine_chunks()
    known = np.flatnonzero(rows.is_valid())
    at = offsets[rows.drop_null().to_numpy()] + originals["index"].to_numpy()[known]
    places[at] = known
    return originals["hash"].combine_chunks().take(pa.array(places, mask=places < 0))
